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
from shared.domain.progress import Progress, progress_of
from shared.domain.standing import marks
from shared.services.context import Context
from shared.services.transact import read


def progress(ctx: Context, uid: str, gid: str) -> dict[str, Any]:
    """How far the open cycle is. Raises NoSuchThing."""
    group = read(ctx, group_ref(gid)).get(group_ref(gid))
    require(Action.READ_PROGRESS, roles_in(group, uid))
    return progress_now(ctx, group).model_dump(mode="json", exclude={"revision"})


def progress_now(ctx: Context, group: Group) -> Progress:
    """How far a group's open cycle is, by what is stored of it now."""
    cycle = group.open_cycle
    return progress_of(group, cycle, _contributions(ctx, group, cycle) if cycle else [])


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
