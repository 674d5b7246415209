"""The examples of DESIGN.md § 5, 5 × £100 a month, in its order and words."""

from __future__ import annotations

from datetime import date

from tests.worked_examples.page import Page
from tests.worked_examples.test_defaults import parts


def test_full() -> None:
    """Pot 500 → payable 500 → 0, cash 0, house Σ fees."""
    page = Page("wait")
    page.stands()
    page.due(1).stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    page.reserved(1).stands(cash=500_00, payable_A=500_00, fees=8_50, house=8_50)
    page.sent().stands(fees=8_50, house=8_50)
    assert page.got() == {"A": 500}


def test_partial_and_late() -> None:
    """Payable 400 sent, debt:E 100 = owed:A 100; late 60: top-up 60 sent, 40 left."""
    page = Page("pay_cleared")
    page.bank_refuses("E", times=3)
    page.due(1).stands(cash=400_00, pot_1=400_00, fees=6_80, house=6_80)
    page.reserved(1).stands(
        cash=400_00, payable_A=400_00, debt_E=100_00, owed_A=100_00, fees=6_80, house=6_80
    )
    page.sent().stands(debt_E=100_00, owed_A=100_00, fees=6_80, house=6_80)

    sixty, forty = parts((60_00, date(2027, 1, 20)), (40_00, date(2027, 1, 28)))
    page.agreed("E", "plan", "A", instalments=[sixty, forty])
    page.stands(debt_E=100_00, owed_A=100_00, fees=6_80, house=6_80)
    # 60 by card cost 90p and 20p.
    page.until(date(2027, 1, 20)).stands(
        cash=60_00, topup_A=60_00, debt_E=40_00, owed_A=40_00, fees=7_90, house=7_90
    )
    page.until(date(2027, 1, 27)).stands(debt_E=40_00, owed_A=40_00, fees=7_90, house=7_90)
    # 40 by card cost 60p and 20p.
    page.until(date(2027, 1, 28)).stands(cash=40_00, topup_A=40_00, fees=8_70, house=8_70)
    page.until(date(2027, 2, 3)).stands(fees=8_70, house=8_70)
    assert page.got() == {"A": 500}
    assert page.contribution("E", 1).state == "covered"


def test_the_reserve_fills_30() -> None:
    """Debts 30 to the reserve and 70 to who received less: 400 + 30, of which 30 are kept for the reserve."""
    page = Page("reserve", reserve_pence=30_00)
    page.due(1).stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    page.paid_out(1).stands(cash=30_00, reserve=30_00, fees=8_50, house=8_50)
    page.bank_refuses("E", times=4)
    page.due(2).stands(cash=430_00, pot_2=400_00, reserve=30_00, fees=15_30, house=15_30)
    page.reserved(2).stands(
        cash=430_00,
        payable_B=400_00,
        reserve=30_00,
        debt_E=100_00,
        owed_reserve=30_00,
        owed_B=70_00,
        fees=15_30,
        house=15_30,
    )
    page.sent().stands(
        cash=30_00, reserve=30_00, debt_E=100_00, owed_reserve=30_00, owed_B=70_00, fees=15_30, house=15_30
    )
    assert page.got() == {"A": 470, "B": 400}


def test_disputed_after_repaid_then_won() -> None:
    """Debt:E 100 = house 100; repaid: both 0; then won: credit:E 100."""
    page = Page("wait")
    page.runs(1)
    page.disputes("E", 1).stands(debt_E=100_00, fees=28_50, house=128_50)  # a dispute costs £20
    page.pays("E", 1).stands(fees=30_20, house=30_20)
    page.bank_decides("E", 1, "won").stands(cash=100_00, credit_E=100_00, fees=30_20, house=30_20)


def test_own_turn_owing_a_100() -> None:
    """400 and a top-up of 100."""
    page = Page("pay_cleared")
    page.bank_refuses("B", times=4)
    page.due(1).stands(cash=400_00, pot_1=400_00, fees=6_80, house=6_80)
    page.paid_out(1).stands(debt_B=100_00, owed_A=100_00, fees=6_80, house=6_80)
    page.due(2).stands(cash=500_00, pot_2=500_00, debt_B=100_00, owed_A=100_00, fees=15_30, house=15_30)
    page.reserved(2).stands(cash=500_00, payable_B=400_00, topup_A=100_00, fees=15_30, house=15_30)
    page.sent().stands(cash=100_00, topup_A=100_00, fees=15_30, house=15_30)
    page.days(1).stands(fees=15_30, house=15_30)
    assert page.got() == {"A": 500, "B": 400}


def test_overpaid() -> None:
    """E owes A 100, pays 50 by plan, and A lets the rest go while the bank is asked for it: 50 too much.

    Credit 50; the next debit is 50, noticed anew.
    """
    page = Page("pay_cleared")
    page.bank_refuses("E", times=4)
    page.due(1).stands(cash=400_00, pot_1=400_00, fees=6_80, house=6_80)
    page.paid_out(1).stands(debt_E=100_00, owed_A=100_00, fees=6_80, house=6_80)
    fifty, rest = parts((50_00, date(2027, 1, 18)), (50_00, date(2027, 1, 22)))
    page.agreed("E", "plan", "A", instalments=[fifty, rest])
    page.stands(debt_E=100_00, owed_A=100_00, fees=6_80, house=6_80)
    # 50 by card cost 75p and 20p.
    page.until(date(2027, 1, 18)).stands(
        cash=50_00, topup_A=50_00, debt_E=50_00, owed_A=50_00, fees=7_75, house=7_75
    )
    page.until(date(2027, 1, 21)).stands(debt_E=50_00, owed_A=50_00, fees=7_75, house=7_75)
    page.does(page.world.charge_without_recording, date(2027, 1, 22))
    page.stands(debt_E=50_00, owed_A=50_00, fees=7_75, house=7_75)
    page.agreed("A", "write_off", "B", about="E", other="A").stands(fees=7_75, house=7_75)
    page.does(page.world.control, "POST", "webhooks/release")
    page.stands(cash=50_00, credit_E=50_00, fees=8_70, house=8_70)

    page.noticed(2).stands(cash=50_00, pot_2=50_00, fees=8_70, house=8_70)
    page.due(2).stands(cash=500_00, pot_2=500_00, fees=16_45, house=16_45)  # 4 × 1.70 and 0.95 for 50
    assert [one.amount_pence for one in page.contribution("E", 2).attempts] == [50_00]
    page.paid_out(2).stands(fees=16_45, house=16_45)
    assert page.got() == {"A": 450, "B": 500}


def test_leaving_after_cycle_2_with_turn_4() -> None:
    """A and B pay 500 and get 500; C and E pay 400 and get 400; the leaver has paid 200 and gets 200."""
    page = Page()
    page.runs(1, 2)
    assert page.paid() == {"A": 200, "B": 200, "C": 200, "D": 200, "E": 200}
    assert page.got() == {"A": 500, "B": 500}

    page.leaves("D").stands(debt_A=100_00, debt_B=100_00, owed_D=200_00, fees=17_00, house=17_00)
    claims = [(page.letter[one["debtor"]], one["pence"]) for one in page.answer["claims"]]
    assert claims == [("A", 100_00), ("B", 100_00)]

    page.runs(3, pot=400_00)
    page.stands(debt_A=100_00, debt_B=100_00, owed_D=200_00, fees=23_80, house=23_80)
    # The leaver's old date: A and B pay back what they had of D.
    page.due(4).stands(cash=200_00, topup_D=200_00, fees=27_20, house=27_20)
    page.paid_out(4).stands(fees=27_20, house=27_20)
    page.runs(5, pot=400_00)
    page.to_the_end().stands(fees=34_00, house=34_00)
    assert page.paid() == {"A": 500, "B": 500, "C": 400, "D": 200, "E": 400}
    assert page.got() == {"A": 500, "B": 500, "C": 400, "D": 200, "E": 400}
    page.ended()
