"""Wake: news that something waits for makes its next look now (decision 42: news wakes what waits).

Only the moment of a look is changed, never what it decides: a wake twice or in vain costs a look. One that is
lost costs time: what waits is looked at every week anyway. What waits for its own day is never woken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from shared.domain.contributions import Contribution
from shared.domain.decision import Decision
from shared.domain.documents import Ref
from shared.domain.errors import TryAgainLater
from shared.domain.members import Member
from shared.domain.payouts import Payout, waits_for_news
from shared.ports import Query, StoreUnavailable
from shared.services.context import Command, Context
from shared.services.paging import every
from shared.services.transact import Loaded, committed, transact

D = TypeVar("D", Contribution, Payout)


def payouts_to(ctx: Context, command: Command, uid: str) -> None:
    """Look again at what waits to be paid to a person. Raises TryAgainLater."""
    query = Query("payouts", [("recipient", "==", uid)], ["pay_date"], limit=200, group=True)
    _what_waits(ctx, command, query, Payout, lambda one: waits_for_news(one, ctx.clock.now()))


def contributions_of(ctx: Context, command: Command, uid: str, waits: Callable[[Contribution], bool]) -> None:
    """Look again at those of a person's contributions that `waits` names. Raises TryAgainLater."""
    query = Query("contributions", [("uid", "==", uid)], ["due_date"], limit=200, group=True)
    _what_waits(ctx, command, query, Contribution, waits)


def debts_paid(ctx: Context, command: Command, gid: str, uid: str) -> None:
    """Look again at what a member was short of in a circle: a pot of theirs has paid it.

    Raises TryAgainLater.
    """
    contributions_of(ctx, command, uid, lambda one: _is_short(one, gid, ctx.clock.now()))


def _is_short(contribution: Contribution, gid: str, now: datetime) -> bool:
    waits = contribution.act_at is not None and contribution.act_at > now
    is_short = (contribution.group, contribution.state) == (gid, "short")
    return waits and is_short and contribution.live_attempt is None


def money_in(
    ctx: Context, command: Command, gid: str, refs: Sequence[Ref[Any]], decide: Callable[[Loaded], Decision]
) -> dict[str, Any]:
    """Record money that came in; a circle that waited for it is looked at again. Raises as `transact`.

    `command` has no key: the processor's movement dedupes, and a recorded answer would tell of no money.
    """
    taken = committed(ctx, command, refs, decide).decision
    if _ends_debts(taken) or _is_credited(taken):
        _circle(ctx, command, gid)
    return taken.answer


def _ends_debts(decision: Decision) -> bool:
    return any(isinstance(one, Member) and not one.owes_pence() for one in decision.changed)


def _is_credited(decision: Decision) -> bool:
    entries = [entry for fact in decision.facts for entry in fact.entries]
    return any(entry.side == "credit" and entry.account.startswith("credit:") for entry in entries)


def _circle(ctx: Context, command: Command, gid: str) -> None:
    from shared.domain.groups import group_ref, looked_at_now  # most money that comes in wakes no circle

    ref = group_ref(gid)

    def decide(loaded: Loaded) -> Decision:
        group = loaded.get(ref)
        after = looked_at_now(group, ctx.clock.now())
        return Decision(changed=[] if after == group else [after])

    transact(ctx, command.keyless, [ref], decide)


def _what_waits(
    ctx: Context, command: Command, query: Query, kind: type[D], waits: Callable[[D], bool]
) -> None:
    try:
        found = [one.document(kind) for one in every(ctx, query)]
    except StoreUnavailable as trouble:
        raise TryAgainLater() from trouble
    for one in found:
        if waits(one):
            _look_now(ctx, command, Ref(kind, one.path), waits)


def _look_now(ctx: Context, command: Command, ref: Ref[D], waits: Callable[[D], bool]) -> None:
    def decide(loaded: Loaded) -> Decision:
        found = loaded.get(ref)
        return Decision(changed=[found.with_(act_at=ctx.clock.now())] if waits(found) else [])

    transact(ctx, command.keyless, [ref], decide)
