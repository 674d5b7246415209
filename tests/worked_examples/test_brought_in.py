"""A circle that is brought here in the middle: two of five cycles done on paper, one of them paid short."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from shared.domain.errors import NotEveryoneAgreed
from shared.domain.groups import Terms
from shared.services import accept_agreement, import_circle, join_group, lock_group, statements
from shared.services.context import Reader
from tests.builders import Circle
from tests.worked_examples.page import Page, step

FILE = b"""email,turn,paid_1,paid_2,received
Ada@example.com,1,100,100,500
ben@example.com,2,100,100,450
cy@example.com,3,100,50,
dee@example.com,4,100,100,
eve@example.com,5,100,100,
"""


class BroughtIn(Page):
    """The circle of the file. C paid B £50 short, in cycle 2."""

    def _circle(self, terms: dict[str, Any]) -> Circle:
        agreed: dict[str, Any] = {
            "name": "Paper circle",
            "amount_pence": 10_000,
            "frequency": "monthly",
            "members": 0,
            "first_due_date": date(2027, 1, 4),
            "default_policy": "pay_cleared",
        }
        command = self.world.command("Ada")
        self.made = import_circle.import_circle(
            self.world.ctx, command, Terms(**agreed), FILE, "ada@example.com"
        )
        return Circle(self.world, self.made["id"])

    @step
    def join(self) -> None:
        codes = {one["turn"]: one["code"] for one in self.made["invitations"]}
        for turn, uid in enumerate(self.people[1:], start=2):
            email, command = f"{uid.lower()}@example.com", self.world.command(uid)
            joined = join_group.join(self.world.ctx, command, None, codes[turn], email=email)
            assert joined["state"] == "approved"

    @step
    def agree(self, letters: str) -> None:
        for uid in (self.uid[letter] for letter in letters):
            text = accept_agreement.read(self.world.ctx, Reader(uid), self.circle.id)
            assert "Turn 3: paid £100.00, £50.00; received £0.00" in text["text"]
            accept_agreement.accept(self.world.ctx, self.world.command(uid), self.circle.id, text["hash"])

    @step
    def lock(self) -> None:
        lock_group.lock(self.world.ctx, self.world.command("Ada"), self.circle.id)


@pytest.fixture(name="page")
def _page() -> BroughtIn:
    page = BroughtIn()
    page.join().stands()
    page.agree("ABCDE").stands()
    page.lock().stands(debt_C=50_00, owed_B=50_00)
    return page


def test_the_past_is_entered_when_everybody_has_attested_it_and_not_before() -> None:
    page = BroughtIn()
    page.join().stands()
    page.agree("ABCD").stands()
    with pytest.raises(NotEveryoneAgreed):
        page.lock()
    page.stands()
    page.agree("E").stands()
    page.lock().stands(debt_C=50_00, owed_B=50_00)
    assert [page.circle.recipient(cycle) for cycle in range(1, 6)] == page.people
    assert [cycle.closed for cycle in page.circle.group.schedule] == [True, True, False, False, False]
    assert page.circle.due(3) == date(2027, 1, 4)
    assert page.circle.due(1) == date(2026, 11, 4)


def test_an_old_shortfall_is_netted_at_the_debtors_own_turn_and_the_circle_ends_even(page: BroughtIn) -> None:
    page.due(3).stands(cash=500_00, pot_3=500_00, debt_C=50_00, owed_B=50_00, fees=8_50, house=8_50)
    page.reserved(3).stands(cash=500_00, payable_C=450_00, topup_B=50_00, fees=8_50, house=8_50)
    page.sent().stands(cash=50_00, topup_B=50_00, fees=8_50, house=8_50)
    page.days(3).stands(fees=8_50, house=8_50)
    page.runs(4, 5)
    page.to_the_end().stands(fees=25_50, house=25_50)
    assert page.paid() == dict.fromkeys("ABCDE", 300)
    assert page.got() == {"B": 50, "C": 450, "D": 500, "E": 500}
    assert page.contribution("C", 2).state == "covered"
    page.ended()


def test_an_old_shortfall_can_be_paid_by_hand_at_any_time(page: BroughtIn) -> None:
    page.until(date(2026, 12, 1)).stands(debt_C=50_00, owed_B=50_00)
    contribution = page.contribution("C", 2)
    assert (contribution.state, contribution.attempts) == ("short", [])  # nothing is taken by itself
    page.pays("C", 2).stands(cash=50_00, topup_B=50_00, fees=95, house=95)  # 75p and 20p
    page.until(date(2026, 12, 10)).stands(fees=95, house=95)
    assert page.contribution("C", 2).state == "covered"


def test_a_statement_begins_with_what_is_owed_and_no_money(page: BroughtIn) -> None:
    found = statements.of_member(page.world.ctx, Reader("Cy"), page.circle.id, "Cy", None, None)
    assert [(line["description"], line["owes_pence"]) for line in found["lines"]] == [
        ("From before the circle came here: you owe it", 5_000)
    ]
    assert (found["paid_in_pence"], found["received_pence"], found["owes_pence"]) == (0, 0, 5_000)
