"""The group's reserve: it comes in, stands in, is paid back, is let go, and goes back in the end."""

from __future__ import annotations

from tests.worked_examples.page import Page

WHOLE = dict.fromkeys("ABCDE", 500)


def test_the_reserve_comes_in_stands_in_and_goes_back() -> None:
    """20 of each pot is kept. It fills what E leaves out, E pays later; in the end each gets 20 back."""
    page = Page("reserve", reserve_pence=20_00)
    page.due(1).stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    page.paid_out(1).stands(cash=20_00, reserve=20_00, fees=8_50, house=8_50)

    page.bank_refuses("E", times=4)
    page.due(2).stands(cash=420_00, pot_2=400_00, reserve=20_00, fees=15_30, house=15_30)
    page.paid_out(2).stands(  # of 400, 20 are kept, and the 20 of before fill what they can
        cash=20_00, reserve=20_00, debt_E=100_00, owed_reserve=20_00, owed_B=80_00, fees=15_30, house=15_30
    )
    page.pays("E", 2).stands(cash=120_00, reserve=40_00, topup_B=80_00, fees=17_00, house=17_00)
    page.days(5).stands(cash=40_00, reserve=40_00, fees=17_00, house=17_00)

    page.due(3).stands(cash=540_00, pot_3=500_00, reserve=40_00, fees=25_50, house=25_50)
    page.paid_out(3).stands(cash=60_00, reserve=60_00, fees=25_50, house=25_50)
    page.due(4).stands(cash=560_00, pot_4=500_00, reserve=60_00, fees=34_00, house=34_00)
    page.paid_out(4).stands(cash=80_00, reserve=80_00, fees=34_00, house=34_00)
    page.due(5).stands(cash=580_00, pot_5=500_00, reserve=80_00, fees=42_50, house=42_50)
    page.paid_out(5, days_more=0).stands(cash=100_00, reserve=100_00, fees=42_50, house=42_50)
    page.to_the_end().stands(fees=42_50, house=42_50)
    assert page.paid() == page.got() == WHOLE
    page.ended()


def test_arrears_to_the_reserve_are_kept_from_ones_own_pot() -> None:
    """C leaves out 100 of B's pot, the reserve fills 40: at C's turn it gets the 40, and B the other 60."""
    page = Page("reserve", reserve_pence=40_00)
    page.due(1).stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    page.paid_out(1).stands(cash=40_00, reserve=40_00, fees=8_50, house=8_50)
    page.bank_refuses("C", times=4)
    page.due(2).stands(cash=440_00, pot_2=400_00, reserve=40_00, fees=15_30, house=15_30)
    owing = {"debt_C": 100_00, "owed_reserve": 40_00, "owed_B": 60_00}
    page.paid_out(2).stands(cash=40_00, reserve=40_00, **owing, fees=15_30, house=15_30)
    page.due(3).stands(cash=540_00, pot_3=500_00, reserve=40_00, **owing, fees=23_80, house=23_80)
    # 500 = 40 kept + 40 that the reserve was owed + 60 for B + 360 for C.
    page.reserved(3).stands(
        cash=540_00, reserve=120_00, topup_B=60_00, payable_C=360_00, fees=23_80, house=23_80
    )
    page.sent().stands(cash=180_00, reserve=120_00, topup_B=60_00, fees=23_80, house=23_80)
    page.days(1).stands(cash=120_00, reserve=120_00, fees=23_80, house=23_80)

    page.due(4).stands(cash=620_00, pot_4=500_00, reserve=120_00, fees=32_30, house=32_30)
    page.paid_out(4).stands(cash=160_00, reserve=160_00, fees=32_30, house=32_30)
    page.due(5).stands(cash=660_00, pot_5=500_00, reserve=160_00, fees=40_80, house=40_80)
    page.paid_out(5, days_more=0).stands(cash=200_00, reserve=200_00, fees=40_80, house=40_80)
    page.to_the_end().stands(fees=40_80, house=40_80)  # 40 each
    assert page.paid() == page.got() == WHOLE | {"C": 400}
    page.ended()


def test_what_the_reserve_is_owed_is_let_go_by_two_and_all_bear_it() -> None:
    """E never pays 20 that the reserve filled, nor 80 of B's: the staff let the first go, B the second."""
    page = Page("reserve", reserve_pence=20_00)
    page.due(1).stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    page.paid_out(1).stands(cash=20_00, reserve=20_00, fees=8_50, house=8_50)
    page.bank_refuses("E", times=4)
    page.due(2).stands(cash=420_00, pot_2=400_00, reserve=20_00, fees=15_30, house=15_30)
    page.paid_out(2).stands(
        cash=20_00, reserve=20_00, debt_E=100_00, owed_reserve=20_00, owed_B=80_00, fees=15_30, house=15_30
    )
    page.agreed("staff-1", "write_off", "staff-2", about="E", other="reserve")
    page.stands(cash=20_00, reserve=20_00, debt_E=80_00, owed_B=80_00, fees=15_30, house=15_30)
    page.agreed("B", "write_off", "A", about="E", other="B")
    page.stands(cash=20_00, reserve=20_00, fees=15_30, house=15_30)

    page.due(3).stands(cash=520_00, pot_3=500_00, reserve=20_00, fees=23_80, house=23_80)
    page.paid_out(3).stands(cash=40_00, reserve=40_00, fees=23_80, house=23_80)
    page.due(4).stands(cash=540_00, pot_4=500_00, reserve=40_00, fees=32_30, house=32_30)
    page.paid_out(4).stands(cash=60_00, reserve=60_00, fees=32_30, house=32_30)
    page.due(5).stands(cash=560_00, pot_5=500_00, reserve=60_00, fees=40_80, house=40_80)
    page.paid_out(5, days_more=0).stands(cash=80_00, reserve=80_00, fees=40_80, house=40_80)
    page.to_the_end().stands(fees=40_80, house=40_80)  # 16 each
    assert page.paid() == WHOLE | {"E": 400}
    assert page.got() == {"A": 496, "B": 416, "C": 496, "D": 496, "E": 496}
    page.ended()
