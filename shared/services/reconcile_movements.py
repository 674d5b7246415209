"""Reconcile, first part: every line of the processor's balance against the journal, and back."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Final

from shared.domain.contributions import Contribution
from shared.domain.differences import Difference
from shared.domain.journal import Fact
from shared.domain.ledger import HOUSE, Balances
from shared.domain.money import CURRENCY
from shared.ports import Movement
from shared.services.context import Context
from shared.services.processor import asking

KIND_OF: Final = {
    "contribution_settled": "collection",
    "contribution_refunded": "refund",
    "contribution_disputed": "dispute",
    "dispute_won": "dispute_won",
    "refund_failed": "refund",
    "payout_sent": "transfer",
    "payout_reversed": "transfer_reversal",
}
"""Facts that state one line of the processor's balance, under that line's own id, and which kind of line."""

INCOMING: Final = frozenset({"contribution_settled", "dispute_won", "refund_failed", "payout_reversed"})

OF_THE_HOUSE: Final = frozenset({"capital", "fee"})
"""Lines of no circle: the owners' money, and what the processor bills the platform for itself."""


def against_facts(
    movements: Iterable[Movement],
    facts: Iterable[Fact],
    contributions: Iterable[Contribution],
    capital_sources: Mapping[str, str],
    unsettled: Container[str],
) -> Iterator[Difference]:
    """Invariant 12: each line's amount maps to one fact, and its fee to one; `unsettled` are to have none.

    `capital_sources`: what caused the house's own lines, when they were first seen.
    """
    by_id = {fact.id: fact for fact in facts if fact.type in KIND_OF}
    clears_at = {
        attempt.movement: attempt.clears_at
        for one in contributions
        for attempt in one.attempts
        if attempt.movement and not attempt.won_back
    }
    for movement in movements:
        booked = by_id.get(movement.reference)
        known = booked.payload.get("source") if booked else capital_sources.get(movement.reference)
        yield from _line_alone(movement, known)
        if movement.kind in OF_THE_HOUSE or movement.reference in unsettled:
            continue
        fact = by_id.pop(movement.reference, None)
        if fact is None:
            what = (
                f"the processor moved {movement.amount_pence} pence for {movement.source}; "
                "the journal has no such fact"
            )
            yield Difference("missing_fact", movement.reference, what, movement.created_at)
            continue
        yield from _line_and_fact(movement, fact)
        attempts = clears_at.get(movement.reference)
        for ours in {fact.payload.get("clears_at"), attempts and attempts.isoformat()} - {None}:
            if ours != movement.available_on.isoformat():
                what = f"the processor clears it on {movement.available_on.isoformat()}, we on {ours}"
                yield Difference("clearing", fact.id, what, movement.created_at)
    for fact in by_id.values():
        what = f"the journal has {fact.type} of {fact.group}; the processor has no such line"
        yield Difference("missing_movement", fact.id, what, fact.at)


def under_way(movements: Iterable[Movement], contributions: Iterable[Contribution]) -> dict[str, int]:
    """Lines of debits that our attempts wait for, with what each came to after its fee, in pence: they are in
    the processor's balance, and may be taken back."""
    live = {attempt.id for one in contributions for attempt in one.attempts if attempt.is_live}
    return {
        one.reference: one.amount_pence - one.fee_pence
        for one in movements
        if one.kind == "collection_pending" and one.labels.get("attempt") in live
    }


def taken_back(
    movements: Iterable[Movement], contributions: Iterable[Contribution]
) -> tuple[set[str], list[Difference]]:
    """Lines of debits of ours that failed, there and back, and what any of them cost.

    One that we hold for settled is none of them: its money has gone, and wants a fact.
    """
    unpaid = {attempt.id for one in contributions for attempt in one.attempts if attempt.movement is None}
    booked, found, cost = {}, set(), []
    for one in movements:  # oldest first
        if one.labels.get("attempt") not in unpaid:
            continue
        if one.kind == "collection":
            booked[one.source] = one
        elif one.kind == "collection_failed" and (there := booked.get(one.source)) is not None:
            found |= {there.reference, one.reference}
            left = there.amount_pence - there.fee_pence + one.amount_pence - one.fee_pence
            if left:
                what = f"a debit that failed left {left} pence, and no fact says so"
                cost.append(Difference("fee", one.reference, what, one.created_at))
    return found, cost


def _line_alone(movement: Movement, source: str | None) -> Iterator[Difference]:
    """A line against what caused it; `source` is what did when it was booked."""
    where, since = movement.reference, movement.created_at
    if movement.currency != CURRENCY:
        yield Difference("currency", where, f"the line is in {movement.currency}", since)
    if movement.kind == "fee":
        return  # nothing of ours caused it
    if movement.source_pence is None:
        caused = source or movement.source
        yield Difference("source", where, f"what caused it, {caused}, is not there, or in other money", since)
    elif source not in {None, movement.source}:
        yield Difference("source", where, f"{movement.source} caused it, and {source} before", since)
    elif movement.source_pence != abs(movement.amount_pence) and movement.kind != "dispute_won":
        what = f"{movement.source} says {movement.source_pence} pence, its line {movement.amount_pence}"
        yield Difference("source", where, what, since)


def _line_and_fact(movement: Movement, fact: Fact) -> Iterator[Difference]:
    since, ours = movement.created_at, _signed_pence(fact)
    if ours != movement.amount_pence or KIND_OF[fact.type] != movement.kind:
        what = (
            f"the processor moved {movement.amount_pence} pence ({movement.kind}), "
            f"the journal says {ours} ({KIND_OF[fact.type]})"
        )
        yield Difference("amount", fact.id, what, since)
    if _fee_pence(fact) != movement.fee_pence:
        what = f"the processor's fee is {movement.fee_pence} pence, the journal says {_fee_pence(fact)}"
        yield Difference("fee", fact.id, what, since)
    if movement.kind in {"collection", "transfer"}:
        ours_named = {"group": fact.group} | {
            name: fact.payload[name] for name in ("attempt", "contribution", "payout") if name in fact.payload
        }
        wrong = sorted(name for name, id_ in ours_named.items() if movement.labels.get(name) != id_)
        if wrong and movement.source_pence is not None:
            yield Difference(
                "labels", fact.id, f"{movement.source} carries other ids: {', '.join(wrong)}", since
            )


def _signed_pence(fact: Fact) -> int:
    """What a fact says reached (+) or left (−) our balance at the processor, before fees."""
    pence = fact.payload.get("reversed_pence", fact.payload.get("pence"))
    if not isinstance(pence, int):
        return 0
    return pence if fact.type in INCOMING else -pence


def _fee_pence(fact: Fact) -> int:
    fee = fact.payload.get("fee_pence", 0)
    return fee if isinstance(fee, int) else 0


def sources(movements: Iterable[Movement]) -> dict[str, str]:
    """What caused each of the house's own lines."""
    return {one.reference: one.source for one in movements if one.kind in OF_THE_HOUSE and one.source}


def capital(movements: Iterable[Movement]) -> dict[str, int]:
    """The house's own lines, with what each came to in pence after its fee."""
    return {one.reference: one.amount_pence - one.fee_pence for one in movements if one.kind in OF_THE_HOUSE}


def unexplained_pence(
    ctx: Context, stand: Mapping[str, Balances], capital_now: Mapping[str, int], under_way_pence: int
) -> int:
    """What the processor holds beyond Σ cash + capital − Σ house and what is under way: 0, or nobody knows
    whose it is."""
    balance = ctx.gateway.balance()
    cash = sum(one.total("cash") for one in stand.values())
    borne = sum(one.of(HOUSE) for one in stand.values())
    held = balance.available_pence + balance.pending_pence
    return held - (cash + sum(capital_now.values()) - borne) - under_way_pence


def house(
    ctx: Context,
    movements: Iterable[Movement],
    capital_now: Mapping[str, int],
    capital_before: Mapping[str, int],
    unexplained: int,
) -> Iterator[Difference]:
    """Invariant 12: the processor's balance = Σ cash + capital − Σ house; and nothing sweeps it away."""
    since = {one.reference: one.created_at for one in movements}
    for reference, pence in capital_before.items():
        if capital_now.get(reference) != pence:
            what = f"the house had {pence} pence by it, and now has {capital_now.get(reference, 0)}"
            yield Difference("capital", reference, what, since.get(reference))
    if unexplained:
        what = f"the processor holds {unexplained} pence more than Σ cash + capital − Σ house"
        yield Difference("cover", "balance", what)
    with asking("payout schedule"):
        if ctx.gateway.sweeps_automatically():
            yield Difference("sweep", "balance", "the processor pays our balance out by itself")
