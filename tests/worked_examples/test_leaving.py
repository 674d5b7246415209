"""Leaving, by the pairs: what neither side has done falls away, what one has done is owed (§§ 5 and 7)."""

from __future__ import annotations

import pytest

from shared.domain.errors import AlreadyHadTurn
from tests.worked_examples.page import Page


def test_leaving_after_cycle_2_with_turn_4() -> None:
    """DESIGN.md § 5, literally: A and B pay 500 and get 500; C and E pay 400 and get 400; the leaver has paid
    200 and gets 200."""
    page = Page()
    page.paid_out(2, days_more=3)
    page.stands()
    assert page.paid() == {"A": 200, "B": 200, "C": 200, "D": 200, "E": 200}
    assert page.got() == {"A": 500, "B": 500}

    claims = page.leaves("D")["claims"]
    assert [(page.letter[one["debtor"]], one["pence"]) for one in claims] == [("A", 10_000), ("B", 10_000)]
    page.stands(debt_A=100_00, debt_B=100_00, owed_D=200_00)

    page.due(3)
    page.stands(cash=400_00, pot_3=400_00, debt_A=100_00, debt_B=100_00, owed_D=200_00)
    page.paid_out(3, days_more=3)
    page.stands(debt_A=100_00, debt_B=100_00, owed_D=200_00)

    page.due(4)  # the leaver's old date: A and B pay back what they had of D
    page.stands(cash=200_00, payable=200_00)
    page.paid_out(4, days_more=3)
    page.stands()

    page.due(5)
    page.stands(cash=400_00, pot_5=400_00)
    page.to_the_end()
    assert page.paid() == {"A": 500, "B": 500, "C": 400, "D": 200, "E": 400}
    assert page.got() == {"A": 500, "B": 500, "C": 400, "D": 200, "E": 400}
    page.ended()


def test_leaving_before_anybody_has_had_a_turn() -> None:
    """Nothing was done on either side: everything falls away, and the circle is one smaller."""
    page = Page()
    page.leaves("A")
    page.stands()

    page.due(2)
    page.stands(cash=400_00, pot_2=400_00)
    page.to_the_end()
    assert page.paid() == {"B": 400, "C": 400, "D": 400, "E": 400}
    assert page.got() == {"B": 400, "C": 400, "D": 400, "E": 400}
    page.ended()


def test_leaving_when_the_open_pot_holds_the_leavers_money() -> None:
    """What D put into C's open pot was done for C, who owes it back: it is kept from C's pot for D."""
    page = Page()
    page.due(3)
    page.stands(cash=500_00, pot_3=500_00)

    page.leaves("D")
    page.stands(cash=500_00, pot_3=500_00, debt_A=100_00, debt_B=100_00, debt_C=100_00, owed_D=300_00)
    page.paid_out(3, days_more=3)
    page.stands(debt_A=100_00, debt_B=100_00, owed_D=200_00)
    assert page.got() == {"A": 500, "B": 500, "C": 400, "D": 100}

    page.to_the_end()
    assert page.paid() == {"A": 500, "B": 500, "C": 400, "D": 300, "E": 400}
    assert page.got() == {"A": 500, "B": 500, "C": 400, "D": 300, "E": 400}
    page.ended()


def test_leaving_with_a_contribution_left_open() -> None:
    """D never paid A's turn: neither side of that pair was performed, so D's debt to A ends with it."""
    page = Page()
    page.bank_refuses("D")
    page.paid_out(1, days_more=3)
    page.stands(debt_D=100_00, owed_A=100_00)

    page.leaves("D")
    page.stands()
    page.to_the_end()
    assert page.paid() == {"A": 400, "B": 400, "C": 400, "E": 400}
    assert page.got() == {"A": 400, "B": 400, "C": 400, "E": 400}
    page.ended()


def test_leaving_after_the_reserve_stood_in() -> None:
    """The reserve paid A in D's stead: A owes it, at D's old date, what A would have owed D."""
    page = Page("reserve", reserve_pence=40_00)
    page.paid_out(1, days_more=3)
    page.stands(cash=40_00, reserve=40_00)

    page.bank_refuses("D")
    page.paid_out(2, days_more=3)  # the pot of 400, less 40 for the reserve, and 40 that it held
    page.stands(cash=40_00, reserve=40_00, debt_D=100_00, owed_reserve=40_00, owed_B=60_00)

    page.leaves("D")  # B has had 40 of D's from the reserve and nothing from D; A has had D's 100
    page.stands(cash=40_00, reserve=40_00, debt_A=100_00, owed_D=100_00, debt_B=40_00, owed_reserve=40_00)
    page.to_the_end()
    assert page.got()["D"] == page.paid()["D"] == 100
    assert sum(page.got().values()) == sum(page.paid().values())
    page.ended()


def test_leaving_after_ones_turn_is_owing() -> None:
    """A has had the pot: the promises that are left are owed to those whose turns come, on their dates."""
    page = Page()
    page.paid_out(2, days_more=3)
    page.leaves("A")
    page.stands(debt_A=300_00, owed_C=100_00, owed_D=100_00, owed_E=100_00)
    with pytest.raises(AlreadyHadTurn):
        page.leaves("A")

    page.due(3)
    page.stands(cash=500_00, pot_3=400_00, payable=100_00, debt_A=200_00, owed_D=100_00, owed_E=100_00)
    page.paid_out(3, days_more=3)
    page.stands(debt_A=200_00, owed_D=100_00, owed_E=100_00)
    page.due(4)
    page.stands(cash=500_00, pot_4=400_00, payable=100_00, debt_A=100_00, owed_E=100_00)
    page.paid_out(4, days_more=3)
    page.stands(debt_A=100_00, owed_E=100_00)
    page.due(5)
    page.stands(cash=500_00, pot_5=400_00, payable=100_00)
    page.to_the_end()
    assert page.paid() == dict.fromkeys("ABCDE", 500)
    assert page.got() == dict.fromkeys("ABCDE", 500)
    page.ended()


def test_leaving_while_ones_debit_is_in_flight() -> None:
    """C's debit brings money after C has left: it is C's own, and goes back to them when it has cleared."""
    page = Page()
    page.paid_out(1, days_more=3)
    page.world.charge_without_recording(page.circle.due(2))
    page.leaves("C")
    page.stands(debt_A=100_00, owed_C=100_00)

    page.world.control("POST", "webhooks/release")
    page.world.settle()
    page.stands(cash=500_00, pot_2=400_00, credit_C=100_00, debt_A=100_00, owed_C=100_00)
    assert page.contribution("C", 2).state == "waived"

    page.paid_out(2, days_more=3)
    page.stands(debt_A=100_00, owed_C=100_00)
    assert page.paid()["C"] == 200
    assert page.got() == {"A": 500, "B": 400, "C": 100}

    page.to_the_end()
    assert page.paid() == {"A": 500, "B": 400, "C": 200, "D": 400, "E": 400}
    assert page.got() == {"A": 500, "B": 400, "C": 200, "D": 400, "E": 400}
    page.ended()


def test_leaving_after_somebody_left_who_had_had_their_turn() -> None:
    """A has left after their turn and owes D the pair's other half already: it is claimed once, not twice."""
    page = Page()
    page.paid_out(2, days_more=3)
    page.leaves("A")
    page.stands(debt_A=300_00, owed_C=100_00, owed_D=100_00, owed_E=100_00)

    claims = page.leaves("D")["claims"]
    assert [(page.letter[one["debtor"]], one["pence"]) for one in claims] == [("B", 10_000)]
    page.stands(debt_A=300_00, debt_B=100_00, owed_C=100_00, owed_D=200_00, owed_E=100_00)

    page.to_the_end()
    assert page.paid() == {"A": 500, "B": 500, "C": 400, "D": 200, "E": 400}
    assert page.got() == {"A": 500, "B": 500, "C": 400, "D": 200, "E": 400}
    page.ended()


def test_leaving_after_somebody_left_who_has_paid_it_all_off() -> None:
    """What A owed D by leaving is paid: D's own leaving must not charge A for it once more."""
    page = Page()
    page.paid_out(2, days_more=3)
    page.leaves("A")
    for cycle in (3, 4):
        page.pays("A", cycle)
    page.days(7)
    page.stands(debt_A=100_00, owed_E=100_00)

    page.leaves("D")
    page.stands(debt_A=100_00, debt_B=100_00, owed_D=100_00, owed_E=100_00)
    page.to_the_end()
    assert page.paid() == {"A": 500, "B": 500, "C": 400, "D": 200, "E": 400}
    assert page.got() == {"A": 500, "B": 500, "C": 400, "D": 200, "E": 400}
    page.ended()


def test_leaving_when_ones_open_pot_holds_money_of_who_left_before() -> None:
    """D's money stays in C's pot when D leaves, and C owes it back. Then C leaves, too, and the pot ends:
    what D left in it is C's, and pays what C owes D."""
    page = Page()
    page.due(3)
    page.leaves("D")
    page.stands(cash=500_00, pot_3=500_00, debt_A=100_00, debt_B=100_00, debt_C=100_00, owed_D=300_00)

    page.leaves("C")
    page.stands(
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
    )
    page.to_the_end()
    # C put 100 into each of three pots, the own one among them; 100 of D's money and 100 of C's paid D and C.
    assert page.got()["D"] == page.paid()["D"] == 300
    assert page.got()["C"] == page.paid()["C"]
    assert page.got()["E"] == page.paid()["E"]
    page.ended()


def test_what_a_former_member_had_in_a_pot_that_fell_away_is_taken_back_and_won() -> None:
    """D has had their 300 back when their bank takes the third 100 back, too: that is the house's to get from
    D, and what is won again is the house's, not a pot's that is no more (seed 262)."""
    page = Page()
    page.due(3)
    page.leaves("D")
    page.leaves("C")
    page.to_the_end()
    page.stands()

    made = page.world.control(
        "POST", f"charges/{page.contribution('D', 3).attempts[-1].reference}/dispute", {}
    )
    page.world.settle()
    page.stands(debt_D=100_00, house=100_00)
    page.world.control("POST", f"disputes/{made['id']}", {"status": "won"})
    page.world.settle()
    page.ended()
