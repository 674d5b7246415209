"""Lock: everyone agreed, so the order is drawn and every contribution and payout is put on the calendar."""

from __future__ import annotations

from typing import Any

from shared.domain.bringing import bring_in, brought_order
from shared.domain.calendar import london_day, opening_of
from shared.domain.contributions import due_contribution
from shared.domain.decision import Decision
from shared.domain.documents import Document
from shared.domain.groups import Group, group_ref, roles_in
from shared.domain.groups import lock as lock_in_group
from shared.domain.house import HOUSE_REF, require_capital
from shared.domain.journal import News
from shared.domain.members import Member, member_ref
from shared.domain.ordering import make_order
from shared.domain.payouts import scheduled_turn
from shared.domain.permissions import Action, require
from shared.domain.rotation import draw_seed_ref
from shared.services import views
from shared.services.context import Command, Context
from shared.services.transact import Loaded, transact
from shared.services.trust import candidates


def lock(ctx: Context, command: Command, gid: str) -> dict[str, Any]:
    """Fix terms, order and schedule; from now on only a rule changes them.

    Raises NoSuchThing, NotAllowed, GroupNotOpen, NotEveryoneAgreed, OrderNotReady, TurnsNotOpen,
    WrongStartDate, HouseTooThin.
    """

    def decide(loaded: Loaded) -> Decision:
        group = loaded.get(group_ref(gid))
        require(Action.LOCK_GROUP, roles_in(group, command.actor))
        require_capital(loaded.find(HOUSE_REF))
        now = ctx.clock.now()
        seed = bytes.fromhex(loaded.get(draw_seed_ref(gid)).seed)
        trusted = (
            candidates(ctx, [seat.uid for seat in group.seated()], group.terms)
            if group.terms.order_method == "trust"
            else {}
        )
        order, reasons = brought_order(group) if group.past else make_order(group, seed, trusted)
        locked = lock_in_group(group, order, seed, ctx.holidays, london_day(now), now, reasons)
        people = sorted({seat.uid for seat in group.seats if group.seat(seat.uid)})
        loaded.need(*(member_ref(gid, uid) for uid in people))
        past = bring_in(locked, [_locked_member(loaded, locked, uid) for uid in people])
        return Decision(
            answer=views.group(locked, command.actor),
            facts=[_locked_fact(locked, order), *past.facts],
            changed=[locked, *past.members],
            created=[*calendar(ctx, locked), *past.created],
        )

    # The seed never changes, and the house's report is yesterday's anyway: read, not guarded.
    return transact(ctx, command, [group_ref(gid)], decide, peek=[draw_seed_ref(gid), HOUSE_REF])


def _locked_member(loaded: Loaded, locked: Group, uid: str) -> Member:
    member = loaded.get(member_ref(locked.id, uid))
    seat = next(one for one in reversed(locked.seats) if one.uid == uid)
    return member.moved(seat.state).with_(position=seat.position)


def _locked_fact(locked: Group, order: list[str]) -> News:
    return News(
        id="group_locked",
        group=locked.id,
        type="group_locked",
        payload={"order": order, "seed": locked.draw.seed, "commitment": locked.draw.commitment},
    )


def calendar(ctx: Context, locked: Group) -> list[Document]:
    """Every contribution and payout of the circle: N² and N documents, in the same commit as the lock."""
    terms = locked.terms
    created: list[Document] = []
    for cycle in locked.schedule[terms.cycles_done :]:
        recipient = cycle.recipient or ""
        created.append(
            scheduled_turn(
                locked.id, cycle.number, recipient, cycle.payout_date, opening_of(cycle.payout_date)
            )
        )
        created += [
            due_contribution(
                locked.id,
                cycle.number,
                seat.uid,
                recipient,
                terms.amount_pence,
                cycle.due_date,
                ctx.holidays,
                terms.added_fee_pence,
            )
            for seat in locked.seated()
        ]
    return created
