"""A circle that is brought here in the middle: two of five cycles done on paper, one of them paid short."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from shared.domain.errors import NotEveryoneAgreed
from shared.domain.groups import Terms
from shared.services import (
    accept_agreement,
    import_circle,
    join_group,
    lock_group,
    pay_contribution,
    statements,
)
from shared.services.context import Reader
from tests.builders import Circle, World
from tests.worked_examples.book import Book

FEE = 1_70

FILE = b"""email,turn,paid_1,paid_2,received
Ada@example.com,1,100,100,500
ben@example.com,2,100,100,450
cy@example.com,3,100,50,
dee@example.com,4,100,100,
eve@example.com,5,100,100,
"""


class BroughtIn:
    """The circle of the file. Cy paid Ben £50 short, in cycle 2."""

    def __init__(self) -> None:
        self.world = World()
        self.people = self.world.people(5)
        terms: dict[str, Any] = {
            "name": "Paper circle",
            "amount_pence": 10_000,
            "frequency": "monthly",
            "members": 0,
            "first_due_date": date(2027, 1, 4),
            "default_policy": "pay_cleared",
        }
        self.made = import_circle.import_circle(
            self.world.ctx, self.world.command("Ada"), Terms(**terms), FILE, "ada@example.com"
        )
        self.circle = Circle(self.world, self.made["id"])
        self.book = Book(self.circle)

    def join(self) -> None:
        codes = {one["turn"]: one["code"] for one in self.made["invitations"]}
        for turn, uid in enumerate(self.people[1:], start=2):
            email = f"{uid.lower()}@example.com"
            joined = join_group.join(self.world.ctx, self.world.command(uid), None, codes[turn], email=email)
            assert joined["state"] == "approved"

    def agree(self, *uids: str) -> None:
        for uid in uids:
            text = accept_agreement.read(self.world.ctx, Reader(uid), self.circle.id)
            assert "Turn 3: paid £100.00, £50.00; received £0.00" in text["text"]
            accept_agreement.accept(self.world.ctx, self.world.command(uid), self.circle.id, text["hash"])

    def lock(self) -> None:
        lock_group.lock(self.world.ctx, self.world.command("Ada"), self.circle.id)


@pytest.fixture(name="story")
def _story() -> BroughtIn:
    story = BroughtIn()
    story.join()
    story.agree(*story.people)
    story.lock()
    return story


def test_the_past_is_entered_when_everybody_has_attested_it_and_not_before() -> None:
    story = BroughtIn()
    story.join()
    story.book.stands()
    story.agree("Ada", "Ben", "Cy", "Dee")
    with pytest.raises(NotEveryoneAgreed):
        story.lock()
    story.book.stands()
    story.agree("Eve")
    story.lock()
    story.book.stands(debt_Cy=50_00, owed_Ben=50_00)
    assert [story.circle.recipient(cycle) for cycle in range(1, 6)] == story.people
    assert [cycle.closed for cycle in story.circle.group.schedule] == [True, True, False, False, False]
    assert story.circle.due(3) == date(2027, 1, 4)
    assert story.circle.due(1) == date(2026, 11, 4)


def test_an_old_shortfall_is_netted_at_the_debtors_own_turn_and_the_circle_ends_even(
    story: BroughtIn,
) -> None:
    story.world.advance_to(story.circle.due(3))
    story.book.stands(debt_Cy=50_00, owed_Ben=50_00, cash=500_00, pot_3=500_00, fees=5 * FEE, house=5 * FEE)
    story.world.advance_to(story.circle.pays_out(3))
    story.world.advance_to(date(2027, 1, 20))
    story.book.stands(fees=5 * FEE, house=5 * FEE)
    assert story.circle.payout(3).amount_pence == 450_00
    story.world.advance_to(date(2027, 3, 31))
    story.book.stands(fees=15 * FEE, house=15 * FEE)
    assert story.circle.group.state == "completed"
    found = story.world.reconcile()
    assert found["differences"] == []


def test_an_old_shortfall_can_be_paid_by_hand_at_any_time(story: BroughtIn) -> None:
    story.world.advance_to(date(2026, 12, 1))
    contribution = story.circle.contribution(2, "Cy")
    assert (contribution.state, contribution.attempts) == ("short", [])  # nothing is taken by itself
    pay_contribution.pay_now(story.world.ctx, story.world.command("Cy"), story.circle.id, contribution.id)
    story.world.settle()
    fee = story.circle.balances()["fees:processor"]
    story.book.stands(cash=50_00, payable=50_00, fees=fee, house=fee)
    story.world.advance_to(date(2026, 12, 10))
    story.book.stands(fees=fee, house=fee)
    assert story.circle.contribution(2, "Cy").state == "covered"


def test_a_statement_begins_with_what_is_owed_and_no_money(story: BroughtIn) -> None:
    found = statements.of_member(story.world.ctx, Reader("Cy"), story.circle.id, "Cy", None, None)
    assert [(line["description"], line["owes_pence"]) for line in found["lines"]] == [
        ("From before the circle came here: you owe it", 5_000)
    ]
    assert (found["paid_in_pence"], found["received_pence"], found["owes_pence"]) == (0, 0, 5_000)
