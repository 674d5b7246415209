"""A circle's documents as small things to decide on, and how its properties are tried."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import settings

from shared.domain.contributions import Attempt, Contribution, due_contribution
from shared.domain.decision import Decision
from shared.domain.groups import Cycle, Draw, Group, Seat, Terms
from shared.domain.leaving import Circle
from shared.domain.ledger import Balances, Rows, post
from shared.domain.members import Debt, Member
from shared.domain.payouts import Payout, scheduled_turn
from shared.domain.settlement import Money
from shared.domain.shortfalls import new_debt

tried = settings(derandomize=True, max_examples=60, database=None)
"""The same examples each time, and few enough that all properties take seconds."""

NOW = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
DUE = date(2027, 2, 8)
"""A Monday. Contributions to cycle 1 are due on it; each later cycle is 28 days on."""

GROUP = "grp_1"
AMOUNT = 10_000


def due_date(cycle: int) -> date:
    return DUE + timedelta(weeks=4 * (cycle - 1))


def contribution(uid: str = "ada", cycle: int = 1, recipient: str = "ben", **changes: Any) -> Contribution:
    made = due_contribution(GROUP, cycle, uid, recipient, AMOUNT, due_date(cycle), frozenset())
    return made.with_(**changes)


def nobody(*_: object) -> Any:
    raise AssertionError("was not to be asked")


def attempt(number: int = 1, **changes: Any) -> Attempt:
    made = Attempt(
        id=f"att_{number}",
        number=number,
        amount_pence=AMOUNT,
        method="pm_1",
        method_kind="card",
        started_at=NOW - DAY,
    )
    return made.with_(**changes)


def settled(number: int = 1, **changes: Any) -> Attempt:
    """An attempt whose money is in the pot, and clears in two days."""
    return attempt(
        number,
        state="settled",
        reference=f"pi_{number}",
        movement=f"txn_{number}",
        settled_pence=AMOUNT,
        in_pot_pence=AMOUNT,
        clears_at=NOW + 2 * DAY,
    ).with_(**changes)


def paid(uid: str = "ada", cycle: int = 1, recipient: str = "ben", **changes: Any) -> Contribution:
    """A contribution that is whole in its pot, and has cleared."""
    made = contribution(uid, cycle, recipient, state="covered", in_pot_pence=AMOUNT, act_at=None)
    return made.with_(attempts=[settled(clears_at=NOW)]).with_(**changes)


def money(pence: int = AMOUNT, movement: str = "txn_9", fee_pence: int = 40, **changes: Any) -> Money:
    made = Money(
        processor="stripe",
        collection="pi_1",
        movement=movement,
        pence=pence,
        fee_pence=fee_pence,
        clears_at=NOW + 3 * DAY,
        source="ch_1",
    )
    return made.with_(**changes)


def member(uid: str = "ada", *debts: Debt, **changes: Any) -> Member:
    made = Member(group=GROUP, uid=uid, state="active", joined_at=NOW - 90 * DAY, debts=list(debts))
    return made.with_(**changes)


def debt(
    creditor: str, pence: int, cycle: int = 1, uid: str = "ada", cause: str = "", **changes: Any
) -> Debt:
    """What `uid` owes `creditor` of their contribution to a cycle."""
    owing = contribution(uid, cycle).id
    return new_debt(owing, cause or f"pay:{creditor}", creditor, cycle, due_date(cycle), pence).with_(
        **changes
    )


def turn(cycle: int = 1, recipient: str = "ben", **changes: Any) -> Payout:
    made = scheduled_turn(GROUP, cycle, recipient, due_date(cycle) + 7 * DAY, NOW)
    return made.with_(**changes)


def posted(rows: Rows) -> dict[str, tuple[str, int]]:
    """The entries of these rows: by account its side and pence."""
    return {entry.account: (entry.side, entry.pence) for entry in post(rows)}


def entered(decision: Decision) -> dict[str, tuple[str, int]]:
    """The entries of a decision's one fact: by account its side and pence."""
    (fact,) = decision.facts
    return {entry.account: (entry.side, entry.pence) for entry in fact.entries}


def tidy(decision: Decision) -> Decision:
    """A decision to compare with another: the order of a fact's entries says nothing."""
    facts = [
        fact.with_(entries=sorted(fact.entries, key=lambda entry: entry.account)) for fact in decision.facts
    ]
    return replace(decision, facts=facts, changed=list(decision.changed), created=list(decision.created))


def same(**parts: Any) -> Decision:
    """What a tidied decision is to be."""
    return tidy(Decision(**parts))


def balances(*rows: tuple[str, str, int]) -> Balances:
    """What stands after these rows (account debited, account credited, pence)."""
    return Balances().after(post(list(rows)))


PEOPLE = ("ada", "ben", "cy", "dee", "eve")
"""A circle of five in the order of their turns; Ada organises it."""


def running(cycles_done: int = 2, now: datetime = NOW, **changes: Any) -> Circle:
    """The circle after so many cycles, on the table of a decision: everybody has paid, nobody owes."""
    places = list(enumerate(PEOPLE, start=1))
    terms = Terms(name="T", amount_pence=AMOUNT, frequency="monthly", members=5, first_due_date=DUE)
    group = Group(
        id=GROUP,
        state="active",
        terms=terms,
        organiser="ada",
        seats=[
            Seat(uid=uid, state="active", position=place, role="organiser" if uid == "ada" else "member")
            for place, uid in places
        ],
        draw=Draw(commitment="0" * 64),
        schedule=[
            Cycle(
                number=place,
                nominal_date=due_date(place),
                due_date=due_date(place),
                moved_because=None,
                payout_date=due_date(place) + 7 * DAY,
                recipient=uid,
                closed=place <= cycles_done,
            )
            for place, uid in places
        ],
        created_at=NOW - 90 * DAY,
    )
    return Circle(
        group=group.with_(**changes),
        members={
            uid: member(uid, position=place, role="organiser" if uid == "ada" else "member")
            for place, uid in places
        },
        contributions={
            (cycle, uid): paid(uid, cycle, recipient, counted_in=turn(cycle).id)
            if cycle <= cycles_done
            else contribution(uid, cycle, recipient)
            for cycle, recipient in places
            for uid in PEOPLE
        },
        turns={
            cycle: turn(cycle, recipient, state="received", act_at=None)
            if cycle <= cycles_done
            else turn(cycle, recipient)
            for cycle, recipient in places
        },
        now=now,
    )


def again(circle: Circle) -> Circle:
    """The circle as it stands now, on the table of another decision."""
    return replace(circle, rows=[], created=[], claims=[])
