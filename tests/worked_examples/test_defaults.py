"""Whoever does not pay in time: the three policies, late money, arrears, plans, hardship, debts let go."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from shared.domain.errors import NotAllowed, OwnRequest, PlanDoesNotFit
from shared.services import read_progress
from tests.worked_examples.page import Page

WHOLE = dict.fromkeys("ABCDE", 500)


def parts(*each: tuple[int, date]) -> list[dict[str, Any]]:
    """Instalments of a plan."""
    return [{"pence": pence, "due_date": day.isoformat()} for pence, day in each]


# --- the policies -------------------------------------------------------------------------------------------


def test_wait_for_who_pays_late() -> None:
    """E pays a week after payday: A's pot has waited for it, and is whole."""
    page = Page("wait")
    page.bank_refuses("E", times=4)
    page.due(1).stands(cash=400_00, pot_1=400_00, fees=6_80, house=6_80)
    page.paid_out(1, days_more=7).stands(cash=400_00, pot_1=400_00, fees=6_80, house=6_80)
    page.pays("E", 1).stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    page.days(7).stands(fees=8_50, house=8_50)
    assert page.got() == {"A": 500}
    page.runs(2, 3, 4, 5)
    page.to_the_end().stands(fees=42_50, house=42_50)
    assert page.paid() == page.got() == WHOLE
    page.ended()


def test_wait_in_vain() -> None:
    """After a fortnight A's pot is paid with what has cleared, and what is missing is owed to A."""
    page = Page("wait")
    page.bank_refuses("E", times=4)
    page.due(1).stands(cash=400_00, pot_1=400_00, fees=6_80, house=6_80)
    page.paid_out(1, days_more=13).stands(cash=400_00, pot_1=400_00, fees=6_80, house=6_80)
    page.paid_out(1, days_more=14).stands(debt_E=100_00, owed_A=100_00, fees=6_80, house=6_80)
    page.pays("E", 1).stands(cash=100_00, topup_A=100_00, fees=8_50, house=8_50)
    page.days(5).stands(fees=8_50, house=8_50)
    assert page.got() == {"A": 500}
    page.runs(2, 3, 4, 5)
    page.to_the_end().stands(fees=42_50, house=42_50)
    assert page.paid() == page.got() == WHOLE
    page.ended()


def test_pay_cleared_and_top_up() -> None:
    """E pays five days after payday: A has had 400, and gets the rest when it comes."""
    page = Page("pay_cleared")
    page.bank_refuses("E", times=4)
    page.due(1).stands(cash=400_00, pot_1=400_00, fees=6_80, house=6_80)
    page.paid_out(1).stands(debt_E=100_00, owed_A=100_00, fees=6_80, house=6_80)
    page.pays("E", 1).stands(cash=100_00, topup_A=100_00, fees=8_50, house=8_50)
    page.days(5).stands(fees=8_50, house=8_50)
    assert page.got() == {"A": 500}
    page.runs(2, 3, 4, 5)
    page.to_the_end().stands(fees=42_50, house=42_50)
    assert page.paid() == page.got() == WHOLE
    page.ended()


def test_who_does_not_pay_into_their_own_pot_owes_nobody() -> None:
    """A does not pay into A's own pot: nobody can owe themselves, so A gets 400 and nothing is owed."""
    page = Page("pay_cleared")
    page.bank_refuses("A", times=3)  # on the day, the next and three later; after the payday nothing is tried
    page.due(1).stands(cash=400_00, pot_1=400_00, fees=6_80, house=6_80)
    page.paid_out(1).stands(fees=6_80, house=6_80)
    assert page.contribution("A", 1).state == "waived"
    page.runs(2, 3, 4, 5)
    page.to_the_end().stands(fees=40_80, house=40_80)
    assert page.paid() == page.got() == WHOLE | {"A": 400}
    page.ended()


def test_who_stops_paying_after_their_turn_owes_each_whose_turn_it_was() -> None:
    """A has had the pot and pays no more: B to E get 400 each, then 100 each as A pays it off."""
    page = Page("pay_cleared")
    page.runs(1)
    page.bank_refuses("A", times=16)  # four tries for each of four cycles
    page.due(2).stands(cash=400_00, pot_2=400_00, fees=15_30, house=15_30)
    page.paid_out(2).stands(debt_A=100_00, owed_B=100_00, fees=15_30, house=15_30)
    owed = {"owed_B": 100_00}
    for cycle, letter, fees in ((3, "C", 22_10), (4, "D", 28_90), (5, "E", 35_70)):
        before = {"debt_A": (cycle - 2) * 100_00, **owed, "fees": fees, "house": fees}
        page.due(cycle).stands(**{"cash": 400_00, f"pot_{cycle}": 400_00} | before)
        owed[f"owed_{letter}"] = 100_00
        page.paid_out(cycle).stands(**before | owed | {"debt_A": (cycle - 1) * 100_00})

    cde = {"owed_C": 100_00, "owed_D": 100_00, "owed_E": 100_00}
    page.pays("A", 2).stands(cash=100_00, topup_B=100_00, debt_A=300_00, **cde, fees=37_40, house=37_40)
    page.days(5).stands(debt_A=300_00, **cde, fees=37_40, house=37_40)
    page.pays("A", 3).stands(
        cash=100_00, topup_C=100_00, debt_A=200_00, owed_D=100_00, owed_E=100_00, fees=39_10, house=39_10
    )
    page.days(5).stands(debt_A=200_00, owed_D=100_00, owed_E=100_00, fees=39_10, house=39_10)
    page.pays("A", 4).stands(
        cash=100_00, topup_D=100_00, debt_A=100_00, owed_E=100_00, fees=40_80, house=40_80
    )
    page.days(5).stands(debt_A=100_00, owed_E=100_00, fees=40_80, house=40_80)
    page.pays("A", 5).stands(cash=100_00, topup_E=100_00, fees=42_50, house=42_50)
    page.days(30).stands(fees=42_50, house=42_50)
    assert page.paid() == page.got() == WHOLE
    page.ended()


# --- plans and hardship -------------------------------------------------------------------------------------


def test_a_debt_is_paid_off_by_a_plan() -> None:
    """A leaves after their turn and owes 400: eight instalments of 50 reach B to E, oldest debt first.

    The others' cycles go on in between, with 400 in each pot.
    """
    page = Page()
    page.runs(1)
    owed = {"owed_B": 100_00, "owed_C": 100_00, "owed_D": 100_00, "owed_E": 100_00}
    page.leaves("A").stands(debt_A=400_00, **owed, fees=8_50, house=8_50)
    days = [date(2027, 1, 18) + timedelta(weeks=week) for week in (0, 1, 4, 5, 8, 9, 13, 14)]
    fifties = parts(*((50_00, day) for day in days))
    with pytest.raises(PlanDoesNotFit):
        page.agreed("A", "plan", "B", instalments=fifties[:7])
    page.stands(debt_A=400_00, **owed, fees=8_50, house=8_50)
    page.agreed("A", "plan", "B", instalments=fifties)
    page.stands(debt_A=400_00, **owed, fees=8_50, house=8_50)

    owed_cde = {"owed_C": 100_00, "owed_D": 100_00, "owed_E": 100_00}
    page.until(days[0]).stands(
        cash=50_00, topup_B=50_00, debt_A=350_00, owed_B=50_00, **owed_cde, fees=9_45, house=9_45
    )
    page.days(4).stands(debt_A=350_00, owed_B=50_00, **owed_cde, fees=9_45, house=9_45)
    page.until(days[1]).stands(cash=50_00, topup_B=50_00, debt_A=300_00, **owed_cde, fees=10_40, house=10_40)
    page.days(4).stands(debt_A=300_00, **owed_cde, fees=10_40, house=10_40)
    page.runs(2, pot=400_00)

    owed_de = {"owed_D": 100_00, "owed_E": 100_00}
    page.until(days[2]).stands(
        cash=50_00, topup_C=50_00, debt_A=250_00, owed_C=50_00, **owed_de, fees=18_15, house=18_15
    )
    page.days(4).stands(debt_A=250_00, owed_C=50_00, **owed_de, fees=18_15, house=18_15)
    page.until(days[3]).stands(cash=50_00, topup_C=50_00, debt_A=200_00, **owed_de, fees=19_10, house=19_10)
    page.days(4).stands(debt_A=200_00, **owed_de, fees=19_10, house=19_10)
    page.runs(3, pot=400_00)

    page.until(days[4]).stands(
        cash=50_00, topup_D=50_00, debt_A=150_00, owed_D=50_00, owed_E=100_00, fees=26_85, house=26_85
    )
    page.days(4).stands(debt_A=150_00, owed_D=50_00, owed_E=100_00, fees=26_85, house=26_85)
    page.until(days[5]).stands(
        cash=50_00, topup_D=50_00, debt_A=100_00, owed_E=100_00, fees=27_80, house=27_80
    )
    page.days(4).stands(debt_A=100_00, owed_E=100_00, fees=27_80, house=27_80)
    page.runs(4, pot=400_00)

    page.until(days[6]).stands(cash=50_00, topup_E=50_00, debt_A=50_00, owed_E=50_00, fees=35_55, house=35_55)
    page.days(4).stands(debt_A=50_00, owed_E=50_00, fees=35_55, house=35_55)
    page.until(days[7]).stands(cash=50_00, topup_E=50_00, fees=36_50, house=36_50)
    page.days(4).stands(fees=36_50, house=36_50)
    page.runs(5, pot=400_00)
    page.to_the_end().stands(fees=43_30, house=43_30)
    assert page.paid() == page.got() == WHOLE
    page.ended()


def test_hardship_freezes_what_is_taken_and_nothing_is_forgiven() -> None:
    """E asks for time: A's pot goes out without E's 100, which A is owed, and gets when E can pay again."""
    page = Page()
    until = page.circle.due(1) + timedelta(days=20)
    page.until(page.circle.due(1) - timedelta(days=10)).stands()
    page.asks_for_time("E", until).stands()
    page.due(1).stands(cash=400_00, pot_1=400_00, fees=6_80, house=6_80)
    standing = read_progress.standing(page.world.ctx, page.uid["E"], page.circle.id)
    assert standing["hardship_until"] == until.isoformat()
    page.due(1, days_more=5).stands(cash=400_00, pot_1=400_00, fees=6_80, house=6_80)
    assert read_progress.standing(page.world.ctx, page.uid["E"], page.circle.id)["marks"] == []

    page.paid_out(1).stands(debt_E=100_00, owed_A=100_00, fees=6_80, house=6_80)
    page.until(until).stands(cash=100_00, topup_A=100_00, fees=8_50, house=8_50)
    page.days(5).stands(fees=8_50, house=8_50)
    page.runs(2, 3, 4, 5)
    page.to_the_end().stands(fees=42_50, house=42_50)
    assert page.paid() == page.got() == WHOLE
    page.ended()


# --- debts let go -------------------------------------------------------------------------------------------


def test_the_creditor_lets_a_debt_go() -> None:
    """E owes A 100 and cannot pay; A lets it go, another agrees: A has 400, and nobody owes."""
    page = Page()
    page.bank_refuses("E", times=4)
    page.due(1).stands(cash=400_00, pot_1=400_00, fees=6_80, house=6_80)
    page.paid_out(1).stands(debt_E=100_00, owed_A=100_00, fees=6_80, house=6_80)
    request = page.asks("A", "write_off", about="E", other="A")
    page.stands(debt_E=100_00, owed_A=100_00, fees=6_80, house=6_80)
    for letter in ("A", "E"):  # not who asked, nor whom it is about
        with pytest.raises(OwnRequest):
            page.consents(letter, request)
        page.stands(debt_E=100_00, owed_A=100_00, fees=6_80, house=6_80)
    assert page.consents("C", request) == "carried_out"
    page.stands(fees=6_80, house=6_80)
    assert page.contribution("E", 1).state == "covered"

    page.runs(2, 3, 4, 5)
    page.to_the_end().stands(fees=40_80, house=40_80)
    assert page.paid() == WHOLE | {"E": 400}
    assert page.got() == WHOLE | {"A": 400}
    page.ended()


def test_what_the_house_lets_go_is_its_loss() -> None:
    """C's bank takes 100 back after the pot was paid: C owes the house, and two of its staff let it go."""
    page = Page()
    page.runs(1)
    page.disputes("C", 1).stands(debt_C=100_00, fees=28_50, house=128_50)
    request = page.asks("staff-1", "write_off", about="C", other="house")
    page.stands(debt_C=100_00, fees=28_50, house=128_50)
    with pytest.raises(OwnRequest):
        page.consents("staff-1", request)
    page.stands(debt_C=100_00, fees=28_50, house=128_50)
    with pytest.raises(NotAllowed):
        page.consents("B", request)
    page.stands(debt_C=100_00, fees=28_50, house=128_50)
    assert page.consents("staff-2", request) == "carried_out"
    page.stands(loss=100_00, fees=28_50, house=128_50)

    page.runs(2, 3, 4, 5)
    page.to_the_end().stands(loss=100_00, fees=62_50, house=162_50)
    assert page.got() == WHOLE
    page.ended()
