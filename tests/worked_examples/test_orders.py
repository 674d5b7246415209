"""Whose turn it is, and when: the four ways to an order, swaps, and dates that move."""

from __future__ import annotations

from datetime import date

import pytest

from shared.domain.errors import CycleOpen
from shared.domain.rotation import drawn_order
from shared.services import set_order
from tests.builders import Circle
from tests.unit.services.test_trust import approved
from tests.worked_examples.page import Page

WHOLE = dict.fromkeys("ABCDE", 500)


def order(page: Page) -> str:
    """The people by their turns."""
    return "".join(page.letter[page.circle.recipient(cycle)] for cycle in range(1, 6))


# --- four methods -------------------------------------------------------------------------------------------


def test_by_lot_and_anybody_can_draw_it_again() -> None:
    page = Page(order_method="random")
    seed = page.circle.group.draw.seed
    assert seed is not None
    drawn = drawn_order(bytes.fromhex(seed), page.people)
    assert [page.circle.recipient(cycle) for cycle in range(1, 6)] == drawn
    for cycle in range(1, 6):
        page.runs(cycle)
        assert page.got() == {page.letter[one]: 500 for one in sorted(drawn[:cycle])}
    page.to_the_end().stands(fees=42_50, house=42_50)
    assert page.paid() == page.got() == WHOLE
    page.ended()


class Ranked(Page):
    """E wants the first turn most, A the last; the others take what comes."""

    def _circle(self, terms: dict[str, object]) -> Circle:
        group = self.world.recruiting(self.people, **terms | {"order_method": "preference"})
        for uid, ranking in (("Eve", [1, 2, 3, 4, 5]), ("Ada", [5, 4, 3, 2, 1])):
            set_order.rank_cycles(self.world.ctx, self.world.command(uid), group, ranking)
        return self.world.locked(group, self.people)


def test_by_preference() -> None:
    page = Ranked()
    assert (order(page)[0], order(page)[-1]) == ("E", "A")
    page.runs(1)
    assert page.got() == {"E": 500}
    page.runs(2, 3, 4)
    assert "A" not in page.got()
    page.runs(5)
    page.to_the_end().stands(fees=42_50, house=42_50)
    assert page.paid() == page.got() == WHOLE
    page.ended()


def test_by_the_organiser() -> None:
    page = Page(order_method="organiser")
    assert order(page) == "ABCDE"
    page.runs(1)
    assert page.got() == {"A": 500}
    page.runs(2)
    assert page.got() == {"A": 500, "B": 500}
    page.runs(3, 4, 5)
    page.to_the_end().stands(fees=42_50, house=42_50)
    assert page.paid() == page.got() == WHOLE
    page.ended()


class Trusted(Page):
    """Ada, Ben and Cy are approved for a circle of this size; nothing is known of Dee and Eve."""

    def _circle(self, terms: dict[str, object]) -> Circle:
        for uid in self.people[:3]:
            approved(self.world, uid)
        return super()._circle(terms | {"order_method": "trust"})


def test_by_trust() -> None:
    page = Trusted()
    assert set(order(page)[:3]) == set("ABC")
    page.runs(1, 2, 3)
    assert page.got() == {"A": 500, "B": 500, "C": 500}
    page.runs(4, 5)
    page.to_the_end().stands(fees=42_50, house=42_50)
    assert page.paid() == page.got() == WHOLE
    page.ended()


# --- swaps --------------------------------------------------------------------------------------------------


def test_two_change_turns_by_consent_of_both_and_the_organiser() -> None:
    """Who takes which pot changes, and nothing else: everybody pays 500 and gets 500."""
    page = Page()
    page.runs(1)
    request = page.asks("C", "swap", other="E")
    page.stands(fees=8_50, house=8_50)
    assert page.consents("E", request) == "open"
    page.stands(fees=8_50, house=8_50)
    assert page.consents("A", request) == "carried_out"
    page.stands(fees=8_50, house=8_50)
    assert order(page) == "ABEDC"
    page.runs(2, 3)
    assert page.got() == {"A": 500, "B": 500, "E": 500}
    page.runs(4, 5)
    page.to_the_end().stands(fees=42_50, house=42_50)
    assert page.paid() == page.got() == WHOLE
    page.ended()


def test_who_owes_gives_their_turn_to_the_next_and_keeps_a_later_one() -> None:
    """B owes A 100 as B's turn comes, and changes with C: B's pot comes a month later, less what B owes."""
    page = Page()
    page.bank_refuses("B", times=4)
    page.due(1).stands(cash=400_00, pot_1=400_00, fees=6_80, house=6_80)
    page.paid_out(1).stands(debt_B=100_00, owed_A=100_00, fees=6_80, house=6_80)
    page.agreed("B", "swap", "C", "A", other="C")
    page.stands(debt_B=100_00, owed_A=100_00, fees=6_80, house=6_80)
    page.runs(2)
    assert page.got() == {"A": 400, "C": 500}
    page.due(3).stands(cash=500_00, pot_3=500_00, debt_B=100_00, owed_A=100_00, fees=23_80, house=23_80)
    page.reserved(3).stands(cash=500_00, payable_B=400_00, topup_A=100_00, fees=23_80, house=23_80)
    page.sent().stands(cash=100_00, topup_A=100_00, fees=23_80, house=23_80)
    page.days(3).stands(fees=23_80, house=23_80)
    page.runs(4, 5)
    page.to_the_end().stands(fees=40_80, house=40_80)
    assert page.paid() == page.got() == WHOLE | {"B": 400}
    page.ended()


def test_a_swap_loses_against_an_open_cycle() -> None:
    page = Page()
    page.runs(1, 2)
    page.due(3).stands(cash=500_00, pot_3=500_00, fees=25_50, house=25_50)
    with pytest.raises(CycleOpen):
        page.agreed("C", "swap", "E", "A", other="E")
    page.stands(cash=500_00, pot_3=500_00, fees=25_50, house=25_50)
    assert order(page) == "ABCDE"


# --- dates --------------------------------------------------------------------------------------------------


def test_a_date_on_which_no_bank_works_moves_to_the_next_on_which_they_do() -> None:
    """Monthly from Friday 29 January: 28 February is a Sunday, 29 March Easter Monday, and nothing drifts."""
    page = Page(first_due_date=date(2027, 1, 29))
    cycles = page.circle.group.schedule
    assert [(one.due_date, one.moved_because) for one in cycles] == [
        (date(2027, 1, 29), None),
        (date(2027, 3, 1), "weekend"),
        (date(2027, 3, 30), "bank holiday"),
        (date(2027, 4, 29), None),
        (date(2027, 6, 1), "weekend"),  # Saturday 29 May, then the spring bank holiday
    ]
    page.runs(1)
    page.until(date(2027, 2, 28)).stands(fees=8_50, house=8_50)
    page.until(date(2027, 3, 1)).stands(cash=500_00, pot_2=500_00, fees=17_00, house=17_00)
    page.paid_out(2).stands(fees=17_00, house=17_00)
    page.until(date(2027, 3, 29)).stands(fees=17_00, house=17_00)
    page.until(date(2027, 3, 30)).stands(cash=500_00, pot_3=500_00, fees=25_50, house=25_50)
    page.paid_out(3).stands(fees=25_50, house=25_50)
    page.runs(4, 5)
    page.to_the_end().stands(fees=42_50, house=42_50)
    assert page.paid() == page.got() == WHOLE
    page.ended()


def test_a_weekly_circle() -> None:
    """Each pot goes out on the day on which the next comes in."""
    page = Page(frequency="weekly")
    page.due(1).stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    page.due(2).stands(cash=500_00, pot_2=500_00, fees=17_00, house=17_00)
    page.due(3).stands(cash=500_00, pot_3=500_00, fees=25_50, house=25_50)
    page.due(4).stands(cash=500_00, pot_4=500_00, fees=34_00, house=34_00)
    page.due(5).stands(cash=500_00, pot_5=500_00, fees=42_50, house=42_50)
    page.paid_out(5).stands(fees=42_50, house=42_50)
    page.to_the_end().stands(fees=42_50, house=42_50)
    assert page.paid() == page.got() == WHOLE
    page.ended()
