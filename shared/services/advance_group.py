"""Move groups on by the calendar: they start when locked; ended, they give back what is left and complete."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from shared.domain.commitments import commitments_ref
from shared.domain.contributions import Contribution
from shared.domain.decision import Decision
from shared.domain.giving_back import Share, credit_shares, give_back, reserve_shares
from shared.domain.groups import COMPLETION_RECHECK, Group, activate, complete, group_ref
from shared.domain.ledger import RESERVE, Balances, balances_ref
from shared.domain.members import Member, member_ref
from shared.domain.record import record
from shared.ports import Query
from shared.services.context import Command, Context
from shared.services.promises import released
from shared.services.transact import Loaded, transact


def advance_group(ctx: Context, command: Command, gid: str) -> None:
    """Advance one group: it starts when it is locked, and completes when every cycle is closed and every
    debt is paid. Credits of former members go back to them at any time; the rest when no pot is to come."""
    cleared = _Cleared()

    def decide(loaded: Loaded) -> Decision:
        group = loaded.get(group_ref(gid))
        if group.state == "locked":
            return activate(group)
        if group.state not in {"active", "wound_up"}:
            return Decision(changed=[group.with_(act_at=None)] if group.act_at else [])
        refs = [member_ref(gid, seat.uid) for seat in group.contributors()]
        loaded.need(*refs, balances_ref(gid))
        members = {member.uid: member for ref in refs if (member := loaded.get(ref))}
        given = _give_back(ctx, loaded, group, members, cleared)
        members |= {one.uid: one for one in given.changed if isinstance(one, Member)}
        if group.state == "wound_up":
            owing = any(one.owes_pence() for one in members.values())
            look_at = ctx.clock.now() + COMPLETION_RECHECK if owing or given.facts else None
            return given.then(Decision(changed=[group.with_(act_at=look_at)]))
        seated = [members[seat.uid] for seat in group.seated()]
        decision = given.then(complete(group, seated, ctx.clock.now()))
        return _with_promises_released(loaded, group, decision)

    for _ in range(LOOKS_MAX):
        try:
            transact(ctx, command.keyless, [group_ref(gid)], decide)
        except _SomethingToGive as found:
            cleared = _Cleared(found.shares, _cleared_at(ctx, gid))
        else:
            return


LOOKS_MAX: Final = 4
"""Money that comes in between two looks wants another; what never stands still is left to the next tick."""


@record
class _Cleared:
    """When all the money in these shares can be spent: read after they were seen."""

    shares: Sequence[Share] = ()
    at: datetime | None = None


class _SomethingToGive(Exception):
    """The circle holds money that is to go back: when it has cleared is to be read first."""

    def __init__(self, shares: Sequence[Share]) -> None:
        self.shares = shares
        super().__init__()


def _with_promises_released(loaded: Loaded, group: Group, decision: Decision) -> Decision:
    """What its members promised ends with the circle."""
    if not any(news.type == "group_completed" for news in decision.facts):
        return decision
    people = [seat.uid for seat in group.seated()]
    loaded.need(*(commitments_ref(uid) for uid in people))
    for uid in people:
        decision = decision.then(released(loaded, uid, group.id))
    return decision


def _give_back(
    ctx: Context, loaded: Loaded, group: Group, members: dict[str, Member], cleared: _Cleared
) -> Decision:
    """What the circle holds and no longer needs. Most days that is nothing, and costs no look at the
    contributions. Raises _SomethingToGive where it is not known yet when just that money has cleared."""
    balances = loaded.balances(group.id)
    ended = group.is_through
    leaving = [uid for uid, one in members.items() if ended or one.state in {"left", "removed"}]
    shares = credit_shares(leaving, balances)
    if ended and balances.of(RESERVE):
        shares += reserve_shares(group, balances)
    if not any(pence for _, _, pence in shares):
        return Decision()
    if cleared.at is None or cleared.shares != shares:
        raise _SomethingToGive(shares)
    return give_back(group, members, shares, _processor(balances), cleared.at, ctx.clock.now())


def _processor(balances: Balances) -> str:
    """Where the circle's money lies, by its own books: this job needs no line to the processor."""
    cash = (account for account in balances.accounts() if account.startswith("cash:"))
    return next(cash, "cash:").removeprefix("cash:")


def _cleared_at(ctx: Context, gid: str) -> datetime:
    """When the last money that came into the circle can be spent. It only grows later by money to come."""
    (found,) = ctx.store.read_consistently(Query(f"groups/{gid}/contributions"))
    moments = [
        attempt.clears_at
        for one in found
        for attempt in one.document(Contribution).attempts
        if attempt.clears_at is not None
    ]
    return max([ctx.clock.now(), *moments])
