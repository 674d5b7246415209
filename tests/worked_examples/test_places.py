"""A place that changes hands, or is taken from somebody: substitution, removal, death, vulnerability."""

from __future__ import annotations

import pytest

from tests.worked_examples.page import Page


def test_a_substitute_takes_over_both_sides() -> None:
    """D has paid 200 and leaves their place to Zoe: she pays in 200 at once, which reaches D, and goes on."""
    page = Page()
    page.runs(1, 2)
    page.hands_over("D").stands(debt_Z=200_00, owed_D=200_00, fees=17_00, house=17_00)
    page.days(1).stands(cash=100_00, topup_D=100_00, debt_Z=100_00, owed_D=100_00, fees=18_70, house=18_70)
    page.days(1).stands(cash=200_00, topup_D=200_00, fees=20_40, house=20_40)
    page.days(2).stands(cash=100_00, topup_D=100_00, fees=20_40, house=20_40)
    page.days(1).stands(fees=20_40, house=20_40)
    assert page.got()["D"] == page.paid()["D"] == page.paid()["Z"] == 200

    page.runs(3, 4)
    assert page.got()["Z"] == 500
    page.runs(5)
    page.to_the_end().stands(fees=45_90, house=45_90)
    assert page.paid() == {"A": 500, "B": 500, "C": 500, "D": 200, "E": 500, "Z": 500}
    assert page.got() == {"A": 500, "B": 500, "C": 500, "D": 200, "E": 500, "Z": 500}
    page.ended()


def test_a_substitute_takes_over_what_was_left_open() -> None:
    """D never paid A: Zoe owes A what D owed, and D is free."""
    page = Page()
    page.bank_refuses("D")
    page.due(1).stands(cash=400_00, pot_1=400_00, fees=6_80, house=6_80)
    page.paid_out(1).stands(debt_D=100_00, owed_A=100_00, fees=6_80, house=6_80)
    page.hands_over("D").stands(debt_Z=100_00, owed_A=100_00, fees=6_80, house=6_80)
    page.days(1).stands(cash=100_00, topup_A=100_00, fees=8_50, house=8_50)
    page.days(5).stands(fees=8_50, house=8_50)
    page.runs(2, 3, 4, 5)
    page.to_the_end().stands(fees=42_50, house=42_50)
    assert page.paid() == {"A": 500, "B": 500, "C": 500, "E": 500, "Z": 500}
    assert page.got() == {"A": 500, "B": 500, "C": 500, "E": 500, "Z": 500}
    page.ended()


@pytest.mark.parametrize("turns_change", [False, True])
def test_a_substitute_takes_no_pair_over_that_is_between_two_who_leave(*, turns_change: bool) -> None:
    """A has left after their turn and owes D 100 for D's: that pair stays between A and D, also if D changes
    turns with E (seed 810: D was paid twice). Zoe pays in what D paid to B alone, and gets a pot without A's
    part."""
    page = Page()
    page.runs(1, 2)
    page.leaves("A").stands(
        debt_A=300_00, owed_C=100_00, owed_D=100_00, owed_E=100_00, fees=17_00, house=17_00
    )
    owed = {"owed_C": 100_00, "owed_E": 100_00}
    if turns_change:
        page.agreed("D", "swap", *dict.fromkeys(["E", page.organiser]), other="E")
        page.stands(debt_A=300_00, **owed, owed_D=100_00, fees=17_00, house=17_00)
    page.hands_over("D").stands(debt_A=300_00, debt_Z=100_00, **owed, owed_D=200_00, fees=17_00, house=17_00)
    page.days(1).stands(
        cash=100_00, topup_D=100_00, debt_A=300_00, **owed, owed_D=100_00, fees=18_70, house=18_70
    )
    page.days(5).stands(debt_A=300_00, **owed, owed_D=100_00, fees=18_70, house=18_70)

    still = {"debt_A": 200_00, "owed_D": 100_00, "owed_E": 100_00, "fees": 27_20, "house": 27_20}
    page.due(3).stands(cash=500_00, pot_3=400_00, topup_C=100_00, **still)
    page.due(3, days_more=6).stands(cash=400_00, pot_3=400_00, **still)
    page.paid_out(3).stands(**still)
    still = {"debt_A": 100_00, "owed_E": 100_00, "fees": 35_70, "house": 35_70}
    page.due(4).stands(cash=500_00, pot_4=400_00, topup_D=100_00, **still)
    page.due(4, days_more=6).stands(cash=400_00, pot_4=400_00, **still)
    page.paid_out(4).stands(**still)
    page.due(5).stands(cash=500_00, pot_5=400_00, topup_E=100_00, fees=44_20, house=44_20)
    page.due(5, days_more=6).stands(cash=400_00, pot_5=400_00, fees=44_20, house=44_20)
    page.paid_out(5).stands(fees=44_20, house=44_20)
    page.to_the_end().stands(fees=44_20, house=44_20)
    assert page.paid() == {"A": 500, "B": 500, "C": 500, "D": 200, "E": 500, "Z": 400}
    assert page.got() == {"A": 500, "B": 500, "C": 500, "D": 200, "E": 500, "Z": 400}
    page.ended()


def test_a_member_is_removed() -> None:
    """The rule of leaving: A has had 100 of C, and pays it back on C's old date."""
    page = Page()
    page.runs(1)
    page.agreed("A", "removal", "B", about="C", reason="removed")
    page.stands(debt_A=100_00, owed_C=100_00, fees=8_50, house=8_50)
    assert page.circle.member(page.uid["C"]).state == "removed"
    page.runs(2, pot=400_00)
    page.due(3).stands(cash=100_00, topup_C=100_00, fees=17_00, house=17_00)
    page.paid_out(3).stands(fees=17_00, house=17_00)
    page.runs(4, 5, pot=400_00)
    page.to_the_end().stands(fees=30_60, house=30_60)
    assert page.paid() == {"A": 500, "B": 400, "C": 100, "D": 400, "E": 400}
    assert page.got() == {"A": 500, "B": 400, "C": 100, "D": 400, "E": 400}
    page.ended()


def test_a_member_dies_before_their_turn() -> None:
    """The rule of leaving: what the others had of E goes back, on E's old date, to E's estate."""
    page = Page()
    page.runs(1)
    page.agreed("A", "removal", "B", about="E", reason="died")
    page.stands(debt_A=100_00, owed_E=100_00, fees=8_50, house=8_50)
    page.runs(2, 3, 4, pot=400_00)
    page.due(5).stands(cash=100_00, topup_E=100_00, fees=30_60, house=30_60)
    page.paid_out(5).stands(fees=30_60, house=30_60)
    page.to_the_end().stands(fees=30_60, house=30_60)
    assert page.paid() == {"A": 500, "B": 400, "C": 400, "D": 400, "E": 100}
    assert page.got() == {"A": 500, "B": 400, "C": 400, "D": 400, "E": 100}
    page.ended()


def test_a_member_dies_after_their_turn() -> None:
    """What A received is owed by A's estate, which cannot pay: each of the four lets it go in the end, with
    another's consent, and nobody else pays for it.
    """
    page = Page()
    page.runs(1)
    owed = {"owed_B": 100_00, "owed_C": 100_00, "owed_D": 100_00, "owed_E": 100_00}
    page.agreed("staff-1", "removal", "B", about="A", reason="died")
    page.stands(debt_A=400_00, **owed, fees=8_50, house=8_50)
    page.bank_refuses("A")
    page.runs(2, 3, 4, 5, pot=400_00)
    for left, letter, other in ((300_00, "B", "C"), (200_00, "C", "B"), (100_00, "D", "B"), (0, "E", "B")):
        owed[f"owed_{letter}"] = 0
        page.agreed(letter, "write_off", other, about="A", other=letter)
        page.stands(debt_A=left, **owed, fees=35_70, house=35_70)
    page.to_the_end().stands(fees=35_70, house=35_70)
    assert page.paid() == {"A": 100, "B": 500, "C": 500, "D": 500, "E": 500}
    assert page.got() == {"A": 500, "B": 400, "C": 400, "D": 400, "E": 400}
    page.ended()


def test_a_member_is_vulnerable_and_taken_out_by_the_house() -> None:
    """Two of the staff take D out, for D's sake: the rule of leaving, so D gets back what D put in."""
    page = Page()
    page.runs(1, 2)
    page.agreed("staff-1", "removal", "staff-2", about="D", reason="vulnerable")
    page.stands(debt_A=100_00, debt_B=100_00, owed_D=200_00, fees=17_00, house=17_00)
    page.runs(3, pot=400_00)
    page.due(4).stands(cash=200_00, topup_D=200_00, fees=27_20, house=27_20)
    page.paid_out(4).stands(fees=27_20, house=27_20)
    page.runs(5, pot=400_00)
    page.to_the_end().stands(fees=34_00, house=34_00)
    assert page.paid() == {"A": 500, "B": 500, "C": 400, "D": 200, "E": 400}
    assert page.got() == {"A": 500, "B": 500, "C": 400, "D": 200, "E": 400}
    page.ended()
