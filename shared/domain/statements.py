"""Statements: opening balance, every movement, closing balance; of one member, or of a whole circle.

Everything is read off the entries of the journal, so that totals equal the ledger by construction. What a
member paid in and received is the part of a fact that passed between them and the circle: the change of
`cash`, less what the house put in or took for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from shared.domain import ledger
from shared.domain.calendar import london_day
from shared.domain.journal import Fact
from shared.domain.ledger import FEES_EARNED, FEES_PAID, HOUSE, Balances


@dataclass(frozen=True, slots=True)
class Position:
    """Where a member stands, in pence. `balance_pence` is what they put in beyond what they got out.

    `fees_pence`: what the platform earned by them, on top of contributions (part of `paid_in_pence`) or from
    their pot.
    """

    paid_in_pence: int = 0
    received_pence: int = 0
    fees_pence: int = 0
    credit_pence: int = 0
    owes_pence: int = 0
    is_owed_pence: int = 0

    @property
    def balance_pence(self) -> int:
        return self.paid_in_pence - self.received_pence

    def plus(self, change: Position) -> Position:
        return Position(
            self.paid_in_pence + change.paid_in_pence,
            self.received_pence + change.received_pence,
            self.fees_pence + change.fees_pence,
            self.credit_pence + change.credit_pence,
            self.owes_pence + change.owes_pence,
            self.is_owed_pence + change.is_owed_pence,
        )


NOTHING: Final = Position()


@dataclass(frozen=True, slots=True)
class Movement:
    """One line: what happened, what it changed, and where the member stood after it."""

    at: datetime
    fact: str
    description: str
    cycle: int | None
    change: Position
    after: Position


@dataclass(frozen=True, slots=True)
class Statement:
    """One member's statement of a period."""

    opening: Position
    movements: Sequence[Movement]
    closing: Position

    @property
    def change(self) -> Position:
        """What the period changed in all."""
        total = NOTHING
        for movement in self.movements:
            total = total.plus(movement.change)
        return total


@dataclass(frozen=True, slots=True)
class Posting:
    """One line of a circle's statement: a fact and its entries."""

    at: datetime
    fact: str
    description: str
    cycle: int | None
    entries: Sequence[ledger.Entry]


@dataclass(frozen=True, slots=True)
class GroupStatement:
    """A circle's statement of a period: every account at its start and its end, every posting between."""

    opening: Balances
    postings: Sequence[Posting]
    closing: Balances


def in_order(facts: Iterable[Fact]) -> list[Fact]:
    """The facts as they happened; of one moment, as they were committed."""
    return sorted(facts, key=lambda fact: (fact.at, fact.committed_at, fact.id))


def member_statement(facts: Iterable[Fact], uid: str, since: date | None, until: date | None) -> Statement:
    """The statement of one member from `since` to `until`, London days, both counted."""
    opening, movements = NOTHING, []
    stand = NOTHING
    for fact in in_order(facts):
        day = london_day(fact.at)
        if until is not None and day > until:
            break
        change = change_of(fact, uid)
        stand = stand.plus(change)
        if since is not None and day < since:
            opening = stand
        elif change != NOTHING:
            movements.append(Movement(fact.at, fact.id, describe(fact), _cycle(fact), change, stand))
    return Statement(opening, movements, stand)


def group_statement(facts: Iterable[Fact], since: date | None, until: date | None) -> GroupStatement:
    """The statement of a circle from `since` to `until`, London days, both counted."""
    opening = stand = Balances()
    postings = []
    for fact in in_order(facts):
        day = london_day(fact.at)
        if until is not None and day > until:
            break
        stand = stand.after(fact.entries)
        if since is not None and day < since:
            opening = stand
        elif fact.entries:
            postings.append(Posting(fact.at, fact.id, describe(fact), _cycle(fact), fact.entries))
    return GroupStatement(opening, postings, stand)


def change_of(fact: Fact, uid: str) -> Position:
    """What a fact changed for one member."""
    after = Balances().after(fact.entries)
    paid_in = received = fees = 0
    if _person(fact) == uid:
        moved_pence = moved_by(after)
        fees = after.of(FEES_EARNED)
        if "member" in fact.payload:
            paid_in = moved_pence
        else:
            received = -moved_pence
    return Position(
        paid_in,
        received,
        fees,
        after.of(ledger.credit(uid)),
        after.of(ledger.debt(uid)),
        after.of(ledger.owed(uid)),
    )


def moved_by(after: Balances) -> int:
    """The pence that entries moved between a member and the circle: positive is in.

    What the house adds to `cash` or takes from it, and the processor's fees, which the house bears, are no
    member's money.
    """
    return after.total("cash") - (after.of(HOUSE) - after.of(FEES_PAID))


def _person(fact: Fact) -> str | None:
    """Whose money a fact moved: the payer's, else the recipient's."""
    person = fact.payload.get("member", fact.payload.get("recipient"))
    return person if isinstance(person, str) else None


def _cycle(fact: Fact) -> int | None:
    cycle = fact.payload.get("cycle")
    return cycle if isinstance(cycle, int) else None


_SENTENCES: Final = {
    "contribution_settled": "Contribution to cycle {cycle}",
    "dispute_won": "Returned after a dispute, cycle {cycle}",
    "contribution_refunded": "Refunded, cycle {cycle}",
    "contribution_disputed": "Taken back by the bank, cycle {cycle}",
    "payout_reserved": "Pot of cycle {cycle} reserved",
    "payout_sent": "Pot of cycle {cycle}",
    "payout_reversed": "Payout of cycle {cycle} returned",
}


def describe(fact: Fact) -> str:
    """A fact in a person's words; one that has none of its own reads as its type does."""
    sentence, cycle = _SENTENCES.get(fact.type), _cycle(fact)
    if sentence is not None and cycle is not None:
        return sentence.format(cycle=cycle)
    plain = fact.type.replace("_", " ").capitalize()
    return plain if cycle is None else f"{plain}, cycle {cycle}"
