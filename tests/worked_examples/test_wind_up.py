"""A circle that ends in the middle: everyone is made as whole as the money allows."""

from __future__ import annotations

import pytest

from shared.domain.errors import ApprovalClosed, OwnRequest
from tests.worked_examples.page import Page


def test_a_wind_up_makes_everyone_as_whole_as_the_money_allows() -> None:
    """After cycle 2, with cycle 3 paid in: the open pot goes back; A and B owe C, D and E what they had."""
    page = Page()
    page.runs(1, 2)
    page.due(3).stands(cash=500_00, pot_3=500_00, fees=25_50, house=25_50)
    page.agreed("A", "wind_up", "B").stands(
        cash=500_00,
        **{f"credit_{letter}": 100_00 for letter in "ABCDE"},
        debt_A=300_00,
        debt_B=300_00,
        owed_C=200_00,
        owed_D=200_00,
        owed_E=200_00,
        fees=25_50,
        house=25_50,
    )
    # A's and B's 100 pay C, whom they owe first; the others' goes back to them.
    still = {"debt_A": 200_00, "debt_B": 200_00, "owed_D": 200_00, "owed_E": 200_00}
    page.days(1).stands(
        cash=500_00,
        topup_C=200_00,
        return_C=100_00,
        return_D=100_00,
        return_E=100_00,
        **still,
        fees=25_50,
        house=25_50,
    )
    page.days(6).stands(**still, fees=25_50, house=25_50)
    page.due(4).stands(
        cash=200_00, topup_D=200_00, debt_A=100_00, debt_B=100_00, owed_E=200_00, fees=28_90, house=28_90
    )
    page.due(4, days_more=7).stands(debt_A=100_00, debt_B=100_00, owed_E=200_00, fees=28_90, house=28_90)
    page.due(5).stands(cash=200_00, topup_E=200_00, fees=32_30, house=32_30)
    page.due(5, days_more=7).stands(fees=32_30, house=32_30)
    assert page.paid() == {"A": 500, "B": 500, "C": 300, "D": 300, "E": 300}
    assert page.got() == {"A": 500, "B": 500, "C": 300, "D": 300, "E": 300}
    page.ended("wound_up")


def test_after_a_wind_up_a_claim_stands_until_it_is_paid() -> None:
    """A has had the pot and does not pay: B to E have their claims, and nobody else's money fills them."""
    page = Page()
    page.runs(1)
    claims = {"debt_A": 400_00, "owed_B": 100_00, "owed_C": 100_00, "owed_D": 100_00, "owed_E": 100_00}
    page.agreed("A", "wind_up", "B").stands(**claims, fees=8_50, house=8_50)
    page.bank_refuses("A")
    page.days(60).stands(**claims, fees=8_50, house=8_50)
    assert page.got() == {"A": 500}


def test_a_wind_up_shares_the_reserve_after_what_its_owner_owes() -> None:
    """40 of A's and 40 of B's pot are in the reserve: their shares pay first what they owe C."""
    page = Page("reserve", reserve_pence=40_00)
    page.due(1).stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    page.paid_out(1).stands(cash=40_00, reserve=40_00, fees=8_50, house=8_50)
    page.due(2).stands(cash=540_00, pot_2=500_00, reserve=40_00, fees=17_00, house=17_00)
    page.paid_out(2).stands(cash=80_00, reserve=80_00, fees=17_00, house=17_00)
    owed = {"owed_C": 200_00, "owed_D": 200_00, "owed_E": 200_00}
    page.agreed("A", "wind_up", "B").stands(
        cash=80_00, reserve=80_00, debt_A=300_00, debt_B=300_00, **owed, fees=17_00, house=17_00
    )
    page.days(1).stands(debt_A=260_00, debt_B=260_00, **owed | {"owed_C": 120_00}, fees=17_00, house=17_00)
    # 60 by card cost 90p and 20p.
    still = {"debt_A": 200_00, "debt_B": 200_00, "owed_D": 200_00, "owed_E": 200_00}
    page.due(3).stands(cash=120_00, topup_C=120_00, **still, fees=19_20, house=19_20)
    page.due(3, days_more=7).stands(**still, fees=19_20, house=19_20)
    still = {"debt_A": 100_00, "debt_B": 100_00, "owed_E": 200_00}
    page.due(4).stands(cash=200_00, topup_D=200_00, **still, fees=22_60, house=22_60)
    page.due(4, days_more=7).stands(**still, fees=22_60, house=22_60)
    page.due(5).stands(cash=200_00, topup_E=200_00, fees=26_00, house=26_00)
    page.due(5, days_more=7).stands(fees=26_00, house=26_00)
    assert page.got() == {"A": 460, "B": 460, "C": 200, "D": 200, "E": 200}
    assert page.paid() == {"A": 460, "B": 460, "C": 200, "D": 200, "E": 200}
    page.ended("wound_up")


def test_what_was_asked_for_expires() -> None:
    page = Page()
    page.days(1).stands()
    request = page.asks("A", "wind_up")
    page.stands()
    with pytest.raises(OwnRequest):
        page.consents("A", request)
    page.stands()
    page.days(14).stands()
    with pytest.raises(ApprovalClosed):
        page.consents("B", request)
    page.stands()
    assert page.circle.group.state == "active"
