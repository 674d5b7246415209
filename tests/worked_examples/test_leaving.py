"""Leaving, by the pairs: what neither side has done falls away, what one has done is owed (§§ 5 and 7)."""

from __future__ import annotations

import pytest

from shared.domain.errors import AlreadyHadTurn
from tests.worked_examples.page import Page


def test_leaving_before_anybody_has_had_a_turn() -> None:
    """Nothing was done on either side: everything falls away, and the circle is one smaller."""
    page = Page()
    page.leaves("A").stands()
    page.runs(2, 3, 4, 5, pot=400_00)
    page.to_the_end().stands(fees=27_20, house=27_20)
    assert page.paid() == {"B": 400, "C": 400, "D": 400, "E": 400}
    assert page.got() == {"B": 400, "C": 400, "D": 400, "E": 400}
    page.ended()


def test_leaving_when_the_open_pot_holds_the_leavers_money() -> None:
    """What D put into C's open pot was done for C, who owes it back: it is kept from C's pot for D."""
    page = Page()
    page.runs(1, 2)
    page.due(3).stands(cash=500_00, pot_3=500_00, fees=25_50, house=25_50)
    page.leaves("D").stands(
        cash=500_00,
        pot_3=500_00,
        debt_A=100_00,
        debt_B=100_00,
        debt_C=100_00,
        owed_D=300_00,
        fees=25_50,
        house=25_50,
    )
    page.paid_out(3, days_more=0).stands(
        cash=100_00, topup_D=100_00, debt_A=100_00, debt_B=100_00, owed_D=200_00, fees=25_50, house=25_50
    )
    page.days(3).stands(debt_A=100_00, debt_B=100_00, owed_D=200_00, fees=25_50, house=25_50)
    assert page.got() == {"A": 500, "B": 500, "C": 400, "D": 100}

    page.due(4).stands(cash=200_00, topup_D=200_00, fees=28_90, house=28_90)
    page.paid_out(4).stands(fees=28_90, house=28_90)
    page.runs(5, pot=400_00)
    page.to_the_end().stands(fees=35_70, house=35_70)
    assert page.paid() == {"A": 500, "B": 500, "C": 400, "D": 300, "E": 400}
    assert page.got() == {"A": 500, "B": 500, "C": 400, "D": 300, "E": 400}
    page.ended()


def test_leaving_with_a_contribution_left_open() -> None:
    """D never paid A's turn: neither side of that pair was performed, so D's debt to A ends with it."""
    page = Page()
    page.bank_refuses("D")
    page.due(1).stands(cash=400_00, pot_1=400_00, fees=6_80, house=6_80)
    page.paid_out(1).stands(debt_D=100_00, owed_A=100_00, fees=6_80, house=6_80)
    page.leaves("D").stands(fees=6_80, house=6_80)
    page.runs(2, 3, 5, pot=400_00)
    page.to_the_end().stands(fees=27_20, house=27_20)
    assert page.paid() == {"A": 400, "B": 400, "C": 400, "E": 400}
    assert page.got() == {"A": 400, "B": 400, "C": 400, "E": 400}
    page.ended()


def test_leaving_after_the_reserve_stood_in() -> None:
    """The reserve paid B in D's stead: B owes it that, on D's old date, and A owes D what A has had of D."""
    page = Page("reserve", reserve_pence=40_00)
    page.due(1).stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    page.paid_out(1).stands(cash=40_00, reserve=40_00, fees=8_50, house=8_50)

    page.bank_refuses("D")
    page.due(2).stands(cash=440_00, pot_2=400_00, reserve=40_00, fees=15_30, house=15_30)
    page.paid_out(2).stands(  # of 400, 40 are kept for the reserve, and the 40 that it held fill up
        cash=40_00, reserve=40_00, debt_D=100_00, owed_reserve=40_00, owed_B=60_00, fees=15_30, house=15_30
    )
    page.leaves("D").stands(
        cash=40_00,
        reserve=40_00,
        debt_A=100_00,
        owed_D=100_00,
        debt_B=40_00,
        owed_reserve=40_00,
        fees=15_30,
        house=15_30,
    )
    owing = {"debt_A": 100_00, "owed_D": 100_00, "debt_B": 40_00, "owed_reserve": 40_00}
    page.due(3).stands(cash=440_00, pot_3=400_00, reserve=40_00, **owing, fees=22_10, house=22_10)
    page.paid_out(3).stands(cash=80_00, reserve=80_00, **owing, fees=22_10, house=22_10)
    # 40 by card cost 60p and 20p.
    page.due(4).stands(cash=220_00, reserve=120_00, topup_D=100_00, fees=24_60, house=24_60)
    page.paid_out(4).stands(cash=120_00, reserve=120_00, fees=24_60, house=24_60)
    page.due(5).stands(cash=520_00, pot_5=400_00, reserve=120_00, fees=31_40, house=31_40)
    page.paid_out(5, days_more=0).stands(cash=160_00, reserve=160_00, fees=31_40, house=31_40)
    page.to_the_end().stands(
        fees=31_40, house=31_40
    )  # 40 each go back to those from whose pots they were kept
    assert page.paid() == {"A": 500, "B": 440, "C": 400, "D": 100, "E": 400}
    assert page.got() == {"A": 500, "B": 440, "C": 400, "D": 100, "E": 400}
    page.ended()


def test_leaving_after_ones_turn_is_owing() -> None:
    """A has had the pot: the promises that are left are owed to those whose turns come, on their dates."""
    page = Page()
    page.runs(1, 2)
    owed = {"owed_C": 100_00, "owed_D": 100_00, "owed_E": 100_00}
    page.leaves("A").stands(debt_A=300_00, **owed, fees=17_00, house=17_00)
    with pytest.raises(AlreadyHadTurn):
        page.leaves("A")
    page.stands(debt_A=300_00, **owed, fees=17_00, house=17_00)

    still = {"debt_A": 200_00, "owed_D": 100_00, "owed_E": 100_00, "fees": 25_50, "house": 25_50}
    page.due(3).stands(cash=500_00, pot_3=400_00, topup_C=100_00, **still)
    page.due(3, days_more=6).stands(cash=400_00, pot_3=400_00, **still)
    page.paid_out(3).stands(**still)
    still = {"debt_A": 100_00, "owed_E": 100_00, "fees": 34_00, "house": 34_00}
    page.due(4).stands(cash=500_00, pot_4=400_00, topup_D=100_00, **still)
    page.due(4, days_more=6).stands(cash=400_00, pot_4=400_00, **still)
    page.paid_out(4).stands(**still)
    page.due(5).stands(cash=500_00, pot_5=400_00, topup_E=100_00, fees=42_50, house=42_50)
    page.due(5, days_more=6).stands(cash=400_00, pot_5=400_00, fees=42_50, house=42_50)
    page.paid_out(5).stands(fees=42_50, house=42_50)
    page.to_the_end().stands(fees=42_50, house=42_50)
    assert page.paid() == dict.fromkeys("ABCDE", 500)
    assert page.got() == dict.fromkeys("ABCDE", 500)
    page.ended()


def test_leaving_while_ones_debit_is_in_flight() -> None:
    """C's debit brings money after C has left: it is C's own, and goes back to them when it has cleared."""
    page = Page()
    page.runs(1)
    page.does(page.world.charge_without_recording, page.circle.due(2)).stands(fees=8_50, house=8_50)
    page.leaves("C").stands(debt_A=100_00, owed_C=100_00, fees=8_50, house=8_50)
    claim = {"debt_A": 100_00, "owed_C": 100_00, "fees": 17_00, "house": 17_00}
    page.does(page.world.control, "POST", "webhooks/release")
    page.stands(cash=500_00, pot_2=400_00, credit_C=100_00, **claim)
    assert page.contribution("C", 2).state == "waived"
    page.days(1).stands(cash=500_00, pot_2=400_00, return_C=100_00, **claim)
    page.due(2, days_more=6).stands(cash=400_00, pot_2=400_00, **claim)
    page.paid_out(2).stands(**claim)
    assert page.paid()["C"] == 200
    assert page.got() == {"A": 500, "B": 400, "C": 100}

    page.due(3).stands(cash=100_00, topup_C=100_00, fees=18_70, house=18_70)  # C's old date
    page.paid_out(3).stands(fees=18_70, house=18_70)
    page.runs(4, 5, pot=400_00)
    page.to_the_end().stands(fees=32_30, house=32_30)
    assert page.paid() == {"A": 500, "B": 400, "C": 200, "D": 400, "E": 400}
    assert page.got() == {"A": 500, "B": 400, "C": 200, "D": 400, "E": 400}
    page.ended()


def test_leaving_after_somebody_left_who_had_had_their_turn() -> None:
    """A has left after their turn and owes D the pair's other half already: it is claimed once, not twice."""
    page = Page()
    page.runs(1, 2)
    page.leaves("A").stands(
        debt_A=300_00, owed_C=100_00, owed_D=100_00, owed_E=100_00, fees=17_00, house=17_00
    )
    page.leaves("D").stands(
        debt_A=300_00,
        debt_B=100_00,
        owed_C=100_00,
        owed_D=200_00,
        owed_E=100_00,
        fees=17_00,
        house=17_00,
    )
    claims = [(page.letter[one["debtor"]], one["pence"]) for one in page.answer["claims"]]
    assert claims == [("B", 100_00)]

    still = {"debt_A": 200_00, "debt_B": 100_00, "owed_D": 200_00, "owed_E": 100_00}
    page.due(3).stands(cash=400_00, pot_3=300_00, topup_C=100_00, **still, fees=23_80, house=23_80)
    page.due(3, days_more=6).stands(cash=300_00, pot_3=300_00, **still, fees=23_80, house=23_80)
    page.paid_out(3).stands(**still, fees=23_80, house=23_80)
    page.due(4).stands(cash=200_00, topup_D=200_00, debt_A=100_00, owed_E=100_00, fees=27_20, house=27_20)
    page.paid_out(4).stands(debt_A=100_00, owed_E=100_00, fees=27_20, house=27_20)
    page.due(5).stands(cash=400_00, pot_5=300_00, topup_E=100_00, fees=34_00, house=34_00)
    page.due(5, days_more=6).stands(cash=300_00, pot_5=300_00, fees=34_00, house=34_00)
    page.paid_out(5).stands(fees=34_00, house=34_00)
    page.to_the_end().stands(fees=34_00, house=34_00)
    assert page.paid() == {"A": 500, "B": 500, "C": 400, "D": 200, "E": 400}
    assert page.got() == {"A": 500, "B": 500, "C": 400, "D": 200, "E": 400}
    page.ended()


def test_leaving_after_somebody_left_who_has_paid_it_all_off() -> None:
    """What A owed D by leaving is paid: D's own leaving must not charge A for it once more."""
    page = Page()
    page.runs(1, 2)
    page.leaves("A").stands(
        debt_A=300_00, owed_C=100_00, owed_D=100_00, owed_E=100_00, fees=17_00, house=17_00
    )
    page.pays("A", 3).stands(
        cash=100_00, topup_C=100_00, debt_A=200_00, owed_D=100_00, owed_E=100_00, fees=18_70, house=18_70
    )
    page.pays("A", 4).stands(
        cash=200_00,
        topup_C=100_00,
        topup_D=100_00,
        debt_A=100_00,
        owed_E=100_00,
        fees=20_40,
        house=20_40,
    )
    page.days(7).stands(debt_A=100_00, owed_E=100_00, fees=20_40, house=20_40)

    page.leaves("D").stands(
        debt_A=100_00, debt_B=100_00, owed_D=100_00, owed_E=100_00, fees=20_40, house=20_40
    )
    page.runs(3, pot=300_00)
    page.due(4).stands(cash=100_00, topup_D=100_00, debt_A=100_00, owed_E=100_00, fees=27_20, house=27_20)
    page.paid_out(4).stands(debt_A=100_00, owed_E=100_00, fees=27_20, house=27_20)
    page.due(5).stands(cash=400_00, pot_5=300_00, topup_E=100_00, fees=34_00, house=34_00)
    page.due(5, days_more=6).stands(cash=300_00, pot_5=300_00, fees=34_00, house=34_00)
    page.paid_out(5).stands(fees=34_00, house=34_00)
    page.to_the_end().stands(fees=34_00, house=34_00)
    assert page.paid() == {"A": 500, "B": 500, "C": 400, "D": 200, "E": 400}
    assert page.got() == {"A": 500, "B": 500, "C": 400, "D": 200, "E": 400}
    page.ended()


def test_leaving_when_ones_open_pot_holds_money_of_who_left_before() -> None:
    """D's money stays in C's pot when D leaves, and C owes it back. Then C leaves, too, and the pot ends:
    what D left in it is C's, and pays what C owes D."""
    page = Page()
    page.runs(1, 2)
    page.due(3).stands(cash=500_00, pot_3=500_00, fees=25_50, house=25_50)
    page.leaves("D").stands(
        cash=500_00,
        pot_3=500_00,
        debt_A=100_00,
        debt_B=100_00,
        debt_C=100_00,
        owed_D=300_00,
        fees=25_50,
        house=25_50,
    )
    page.leaves("C").stands(
        cash=500_00,
        credit_A=100_00,
        credit_B=100_00,
        credit_C=200_00,
        credit_E=100_00,
        debt_A=200_00,
        debt_B=200_00,
        debt_C=100_00,
        owed_C=200_00,
        owed_D=300_00,
        fees=25_50,
        house=25_50,
    )
    # C's date is today: A and B pay back what they had of C; C's 200 pay D 100, and the rest goes back to C.
    held = {"credit_A": 100_00, "credit_B": 100_00, "credit_E": 100_00}
    still = {**held, "debt_A": 100_00, "debt_B": 100_00, "owed_D": 200_00, "fees": 28_90, "house": 28_90}
    page.days(1).stands(cash=700_00, topup_C=200_00, topup_D=100_00, return_C=100_00, **still)
    page.due(3, days_more=5).stands(cash=500_00, topup_C=200_00, **still)
    page.due(3, days_more=6).stands(cash=300_00, **still)
    page.due(4).stands(cash=500_00, topup_D=200_00, **held, fees=32_30, house=32_30)
    page.due(4, days_more=7).stands(cash=300_00, **held, fees=32_30, house=32_30)
    page.noticed(5).stands(cash=300_00, pot_5=300_00, fees=32_30, house=32_30)
    page.due(5).stands(cash=300_00, pot_5=300_00, fees=32_30, house=32_30)
    page.paid_out(5).stands(fees=32_30, house=32_30)
    page.to_the_end().stands(fees=32_30, house=32_30)
    # C put 100 into each of three pots, the own one among them; 100 of D's money and 100 of C's paid D and C.
    assert page.paid() == {"A": 500, "B": 500, "C": 300, "D": 300, "E": 300}
    assert page.got() == {"A": 500, "B": 500, "C": 300, "D": 300, "E": 300}
    page.ended()

    # D's bank takes the third 100 back, too: that is the house's to get from D, and what is won again is the
    # house's, not a pot's that is no more (seed 262).
    page.disputes("D", 3).stands(debt_D=100_00, fees=52_30, house=152_30)
    page.bank_decides("D", 3, "won").stands(fees=52_30, house=52_30)
    page.ended()
