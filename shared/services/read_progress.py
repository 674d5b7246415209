"""Progress of the open cycle, as the group chose to show it; and one's own standing in it."""

from __future__ import annotations

from typing import Any

from shared.domain.calendar import london_day
from shared.domain.contributions import Contribution, contribution_ref
from shared.domain.groups import Cycle, Group, group_ref, roles_in
from shared.domain.ids import contribution_id
from shared.domain.members import member_ref
from shared.domain.money import CURRENCY
from shared.domain.permissions import Action, require
from shared.domain.standing import marks
from shared.ports import Put
from shared.services.context import Context
from shared.services.transact import read


def progress(ctx: Context, uid: str, gid: str) -> dict[str, Any]:
    """How far the open cycle is. Raises NoSuchThing."""
    group = read(ctx, group_ref(gid)).get(group_ref(gid))
    require(Action.READ_PROGRESS, roles_in(group, uid))
    return _progress(ctx, group)


def show_progress(ctx: Context, gid: str) -> dict[str, Any]:
    """Write what members may read of each other by security rules: groups/{group}/progress/current.

    A reading that decides nothing, made anew from state whenever something happened in the group.
    """
    group = read(ctx, group_ref(gid)).get(group_ref(gid))
    shown = _progress(ctx, group)
    ctx.store.commit([Put(f"groups/{gid}/progress/current", shown)])
    return shown


def _progress(ctx: Context, group: Group) -> dict[str, Any]:
    cycle = _open_cycle(group)
    contributions = _contributions(ctx, group, cycle) if cycle else []
    taking_part = [one for one in contributions if one.state != "waived"]
    paid = [one for one in taking_part if not one.left_pence and one.state == "covered"]
    names = group.terms.show_payers == "names"
    return {
        "group": group.id,
        "cycle": cycle.number if cycle else None,
        "due_date": cycle.due_date.isoformat() if cycle else None,
        "payout_date": cycle.payout_date.isoformat() if cycle else None,
        "members": len(taking_part),
        "members_paid": len(paid),
        "in_pot_pence": sum(one.in_pot_pence for one in contributions),
        "currency": CURRENCY,
        "paid_by": sorted(one.uid for one in paid) if names else None,
    }


def _open_cycle(group: Group) -> Cycle | None:
    """The first cycle whose pot has not arrived."""
    return next((cycle for cycle in group.schedule if not cycle.closed), None)


def _contributions(ctx: Context, group: Group, cycle: Cycle) -> list[Contribution]:
    refs = [
        contribution_ref(group.id, contribution_id(group.id, cycle.number, seat.uid))
        for seat in group.contributors()
    ]
    loaded = read(ctx, *refs)
    return [one for ref in refs if (one := loaded.find(ref)) is not None]


def standing(ctx: Context, uid: str, gid: str) -> dict[str, Any]:
    """One's own late marks, until they age off, and whether hardship is noted. Raises NoSuchThing."""
    group = read(ctx, group_ref(gid)).get(group_ref(gid))
    require(Action.READ_STANDING, roles_in(group, uid))
    refs = [contribution_ref(gid, contribution_id(gid, one.number, uid)) for one in group.schedule]
    loaded = read(ctx, member_ref(gid, uid), *refs)
    contributions = [one for ref in refs if (one := loaded.find(ref)) is not None]
    member = loaded.get(member_ref(gid, uid))
    today = london_day(ctx.clock.now())
    return {
        "group": gid,
        "uid": uid,
        "owes_pence": member.owes_pence(),
        "debts": [
            {
                "creditor": debt.creditor,
                "cycle": debt.cycle,
                "due_date": debt.due_date.isoformat(),
                "left_pence": debt.left_pence,
            }
            for debt in member.open_debts()
        ],
        "hardship_until": member.hardship_until.isoformat() if member.hardship_until else None,
        "marks": [
            {
                "cycle": mark.cycle,
                "kind": mark.kind,
                "due_date": mark.due_date.isoformat(),
                "ages_off_on": mark.ages_off_on.isoformat(),
            }
            for mark in marks(contributions, today, group.terms.grace_days)
        ],
        "currency": CURRENCY,
    }
