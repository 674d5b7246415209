"""The book of worked examples holds its form: each step with every balance after it (STYLE.md, habit 8)."""

from __future__ import annotations

import pytest

from tests.worked_examples.page import Page


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    """A page of an open book, whose first contributions are in."""
    monkeypatch.setattr(Page, "book", [])
    page = Page()
    page.due(1).stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    return page


def test_no_step_comes_before_the_balances_of_the_last_one_are_written(page: Page) -> None:
    page.days(1)
    with pytest.raises(AssertionError, match="no balances are written after 'days'"):
        page.leaves("E")
    with pytest.raises(AssertionError, match="no balances are written after 'days'"):
        page.told()
    page.stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    page.told()


@pytest.mark.parametrize(
    "wrong",
    [{"cash": 500_01}, {"fees": 0}, {"pot_1": 0, "pot_2": 500_00}, {"loss": 1}, {"credit_A": 1}],
    ids=str,
)
def test_every_account_is_named_with_what_stands_on_it(page: Page, wrong: dict[str, int]) -> None:
    with pytest.raises(AssertionError, match=next(iter(wrong))):
        page.stands(**{"cash": 500_00, "pot_1": 500_00, "fees": 8_50, "house": 8_50} | wrong)


def test_a_step_is_one_day_on_which_money_moves(page: Page) -> None:
    page.due(2)
    with pytest.raises(AssertionError, match="money moved on 2 days"):
        page.stands(cash=500_00, pot_2=500_00, fees=17_00, house=17_00)


def test_no_money_moves_outside_of_a_step(page: Page) -> None:
    page.world.advance_to(page.circle.pays_out(1))
    with pytest.raises(AssertionError, match="payout_sent in no step"):
        page.stands(fees=8_50, house=8_50)
    with pytest.raises(AssertionError, match="no balances are written"):
        page.told()
