"""Statements: opening balance, every movement, closing balance; of one member, or of a whole circle.

Everything is read off the entries of the journal, so that totals equal the ledger by construction. What a
member paid in and received is the part of a fact that passed between them and the circle: the change of
`cash`, less what the house put in or took for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final

from shared.domain import ledger
from shared.domain.calendar import london_day
from shared.domain.journal import Fact
from shared.domain.ledger import FEES_EARNED, FEES_PAID, HOUSE, Balances
from shared.domain.record import record


@record
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


@record
class Movement:
    """One line: what happened, what it changed, and where the member stood after it."""

    at: datetime
    fact: str
    description: str
    cycle: int | None
    change: Position
    after: Position


@record
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


@record
class Posting:
    """One line of a circle's statement: a fact and its entries."""

    at: datetime
    fact: str
    description: str
    cycle: int | None
    entries: Sequence[ledger.Entry]


@record
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
            movements.append(
                Movement(fact.at, fact.id, describe_to(fact, uid, change), _cycle(fact), change, stand)
            )
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

_OTHER_PAYOUTS: Final = {"top_up": "What had been missing, cycle {cycle}", "return": "Given back"}


def describe(fact: Fact) -> str:
    """A fact in a person's words; one that has none of its own reads as its type does."""
    cycle = _cycle(fact)
    sentence = _SENTENCES.get(fact.type)
    if fact.type == "payout_sent":
        sentence = _OTHER_PAYOUTS.get(str(fact.payload.get("kind")), sentence)
    if sentence is not None and cycle is not None:
        return sentence.format(cycle=cycle)
    plain = fact.type.replace("_", " ").capitalize()
    return plain if cycle is None else f"{plain}, cycle {cycle}"


_CLAIMS: Final = {
    "payout_reserved": {
        "owes": "Not paid into the pot of cycle {cycle}: you owe it",
        "owes_less": "Kept from your pot of cycle {cycle}, for what you owed",
        "is_owed": "Missing from your pot of cycle {cycle}: owed to you",
        "is_owed_less": "Kept for you from the pot of cycle {cycle}",
    },
    "contribution_settled": {
        "owes_less": "Contribution to cycle {cycle}, for what you owed",
        "is_owed_less": "Paid for cycle {cycle}, on its way to you",
    },
    "member_left": {
        "owes": "A member left: what you had of them is owed",
        "is_owed": "A member left after their turn: owed to you",
    },
    "place_taken_over": {"owes": "A place taken over: what was paid in for it is owed"},
    "group_wound_up": {
        "owes": "The circle was wound up: what you had of others is owed",
        "is_owed": "The circle was wound up: owed to you",
    },
    "circle_brought_in": {
        "owes": "From before the circle came here: you owe it",
        "is_owed": "From before the circle came here: owed to you",
    },
}

_OWN_LEAVING: Final = {
    "owes": "You left after your turn: the rest is owed",
    "is_owed": "You left: what others had of you is owed to you",
}


def describe_to(fact: Fact, uid: str, change: Position) -> str:
    """A fact as it reads to one member, by what it changed for them."""
    changes = {"owes": change.owes_pence, "is_owed": change.is_owed_pence}
    kinds = [name if pence > 0 else f"{name}_less" for name, pence in changes.items() if pence]
    own_leaving = fact.type in {"member_left", "place_taken_over"} and fact.payload.get("member") == uid
    sentences = _OWN_LEAVING if own_leaving else _CLAIMS.get(fact.type, {})
    found = [sentences[kind] for kind in kinds if kind in sentences]
    # Two changes at once have no one sentence; the columns say both.
    if len(kinds) != 1 or not found:
        return describe(fact)
    return found[0].format(cycle=_cycle(fact))
