"""Ways a running circle can go: swaps, substitutes, hardship, plans, write-offs, the reserve, a wind-up."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta

import pytest

from shared.domain.errors import ApprovalClosed, CycleOpen, NotAllowed, OwnRequest, PlanDoesNotFit
from shared.services import accept_agreement, hardship, read_progress
from shared.services.context import Reader
from tests.worked_examples.page import Page

WHOLE = dict.fromkeys("ABCDE", 500)


def months(first: date, count: int, pence: int) -> list[dict[str, object]]:
    """Instalments, four weeks apart."""
    return [
        {"pence": pence, "due_date": (first + timedelta(weeks=4 * number)).isoformat()}
        for number in range(count)
    ]


# --- places -------------------------------------------------------------------------------------------------


def test_two_change_turns_by_consent_of_both_and_the_organiser() -> None:
    """Who takes which pot changes, and nothing else: everybody pays 500 and gets 500."""
    page = Page()
    page.paid_out(1, days_more=3)
    request = page.asks("C", "swap", other="E")
    states = [page.consents(one, request) for one in dict.fromkeys(["E", page.organiser])]
    if page.organiser == "C":
        states = states[:1]
    assert states[-1] == "carried_out"
    assert page.circle.recipient(3) == page.uid["E"]
    page.stands()

    page.due(3)
    page.stands(cash=500_00, pot_3=500_00)
    page.paid_out(3, days_more=3)
    page.stands()
    assert page.got() == {"A": 500, "B": 500, "E": 500}

    page.to_the_end()
    assert page.paid() == page.got() == WHOLE
    page.ended()


def test_a_swap_loses_against_an_open_cycle() -> None:
    page = Page()
    page.due(3)
    page.stands(cash=500_00, pot_3=500_00)
    with pytest.raises(CycleOpen):
        page.agreed("C", "swap", *dict.fromkeys(["E", page.organiser]), other="E")
    assert page.circle.recipient(3) == page.uid["C"]
    page.stands(cash=500_00, pot_3=500_00)


def test_a_substitute_takes_over_both_sides() -> None:
    """D has paid 200 and leaves their place to Zoe: she pays in 200 at once, which reaches D, and goes on."""
    page = Page()
    page.paid_out(2, days_more=3)
    page.world.person("Zoe")
    page.letter["Zoe"] = "Z"
    read = accept_agreement.read(page.world.ctx, Reader(page.circle.group.organiser), page.circle.id)
    request = page.asks("D", "substitution", other="Zoe")
    page.consents("Zoe", request, read["hash"])
    if page.organiser != "D":
        page.consents(page.organiser, request)
    page.stands(debt_Z=200_00, owed_D=200_00)

    page.days(1)
    page.stands(cash=100_00, payable=100_00, debt_Z=100_00, owed_D=100_00)
    page.days(1)
    page.stands(cash=200_00, payable=200_00)
    page.days(7)
    page.stands()
    assert page.got()["D"] == page.paid()["D"] == page.paid()["Z"] == 200

    page.paid_out(4, days_more=3)
    assert page.got()["Z"] == 500
    page.to_the_end()
    assert page.paid() == {"A": 500, "B": 500, "C": 500, "D": 200, "E": 500, "Z": 500}
    assert page.got() == {"A": 500, "B": 500, "C": 500, "D": 200, "E": 500, "Z": 500}
    page.ended()


def test_a_substitute_takes_over_what_was_left_open() -> None:
    """D never paid A: Zoe owes A what D owed, and D is free."""
    page = Page()
    page.bank_refuses("D")
    page.paid_out(1, days_more=3)
    page.stands(debt_D=100_00, owed_A=100_00)
    page.world.person("Zoe")
    page.letter["Zoe"] = "Z"
    read = accept_agreement.read(page.world.ctx, Reader(page.circle.group.organiser), page.circle.id)
    request = page.asks("D", "substitution", other="Zoe")
    page.consents("Zoe", request, read["hash"])
    if page.organiser != "D":
        page.consents(page.organiser, request)
    page.stands(debt_Z=100_00, owed_A=100_00)

    page.to_the_end()
    assert page.paid() == {"A": 500, "B": 500, "C": 500, "E": 500, "Z": 500}
    assert page.got() == {"A": 500, "B": 500, "C": 500, "E": 500, "Z": 500}
    page.ended()


def test_a_substitute_takes_no_pair_over_that_is_between_two_who_leave() -> None:
    """A has left after their turn and owes D 100 for D's: that pair stays between A and D. Zoe pays in what D
    paid to B alone, and gets a pot without A's part."""
    page = Page()
    page.paid_out(2, days_more=3)
    page.leaves("A")
    page.stands(debt_A=300_00, owed_C=100_00, owed_D=100_00, owed_E=100_00)
    page.world.person("Zoe")
    page.letter["Zoe"] = "Z"
    read = accept_agreement.read(page.world.ctx, Reader(page.circle.group.organiser), page.circle.id)
    request = page.asks("D", "substitution", other="Zoe")
    page.consents("Zoe", request, read["hash"])
    if page.organiser != "D":
        page.consents(page.organiser, request)
    page.stands(debt_A=300_00, debt_Z=100_00, owed_C=100_00, owed_D=200_00, owed_E=100_00)

    page.to_the_end()
    assert page.paid() == {"A": 500, "B": 500, "C": 500, "D": 200, "E": 500, "Z": 400}
    assert page.got() == {"A": 500, "B": 500, "C": 500, "D": 200, "E": 500, "Z": 400}
    page.ended()


def test_a_member_dies_before_their_turn() -> None:
    """The rule of leaving: what the others had of E goes back, on E's old date, to E's estate."""
    page = Page()
    page.paid_out(1, days_more=3)
    asking = page.organiser if page.organiser != "E" else "staff-1"
    page.agreed(asking, "removal", page.member("E", asking), about="E", reason="died")
    page.stands(debt_A=100_00, owed_E=100_00)

    for cycle in (2, 3, 4):
        page.due(cycle)
        page.stands(cash=400_00, debt_A=100_00, owed_E=100_00, **{f"pot_{cycle}": 400_00})
        page.paid_out(cycle, days_more=3)
        page.stands(debt_A=100_00, owed_E=100_00)
    page.due(5)  # E's old date
    page.stands(cash=100_00, payable=100_00)
    page.paid_out(5, days_more=3)
    page.stands()
    page.to_the_end()
    assert page.paid() == {"A": 500, "B": 400, "C": 400, "D": 400, "E": 100}
    assert page.got() == {"A": 500, "B": 400, "C": 400, "D": 400, "E": 100}
    page.ended()


# --- trouble with money -------------------------------------------------------------------------------------


def test_a_debt_is_paid_off_by_a_plan() -> None:
    """A leaves after their turn and owes 400: eight instalments of 50 reach B to E, oldest debt first."""
    page = Page()
    page.paid_out(1, days_more=3)
    page.leaves("A")
    page.stands(debt_A=400_00, owed_B=100_00, owed_C=100_00, owed_D=100_00, owed_E=100_00)
    first = page.world.clock.moment.date() + timedelta(days=28)
    helper = page.organiser if page.organiser != "A" else page.member("A")
    with pytest.raises(PlanDoesNotFit):
        page.agreed("A", "plan", helper, instalments=months(first, 7, 50_00))
    page.agreed("A", "plan", helper, instalments=months(first, 8, 50_00))

    page.stands(debt_A=400_00, owed_B=100_00, owed_C=100_00, owed_D=100_00, owed_E=100_00)

    page.world.advance_to(first + timedelta(days=1))
    page.stands(
        cash=50_00, payable=50_00, debt_A=350_00, owed_B=50_00, owed_C=100_00, owed_D=100_00, owed_E=100_00
    )
    page.world.advance_to(first + timedelta(weeks=4, days=10))
    page.stands(debt_A=300_00, owed_C=100_00, owed_D=100_00, owed_E=100_00)
    page.world.advance_to(first + timedelta(weeks=16))  # the fifth is taken on this day, for D
    page.stands(cash=50_00, payable=50_00, debt_A=150_00, owed_D=50_00, owed_E=100_00)
    page.world.advance_to(first + timedelta(weeks=32))
    page.stands()
    page.to_the_end()
    assert page.paid() == page.got() == WHOLE
    page.ended()


def test_hardship_freezes_what_is_taken_and_nothing_is_forgiven() -> None:
    """E asks for time: A's pot goes out without E's 100, which A is owed, and gets when E can pay again."""
    page = Page()
    until = page.circle.due(1) + timedelta(days=20)
    page.world.advance_to(page.circle.due(1) - timedelta(days=10))
    hardship.ask_for_time(page.world.ctx, page.world.command(page.uid["E"]), page.circle.id, until)
    page.due(1)
    page.stands(cash=400_00, pot_1=400_00)
    standing = read_progress.standing(page.world.ctx, page.uid["E"], page.circle.id)
    assert standing["hardship_until"] == until.isoformat()
    page.due(1, days_more=5)
    assert read_progress.standing(page.world.ctx, page.uid["E"], page.circle.id)["marks"] == []

    page.paid_out(1, days_more=3)
    page.stands(debt_E=100_00, owed_A=100_00)
    page.world.advance_to(until)
    page.stands(cash=100_00, payable=100_00)
    page.to_the_end()
    assert page.paid() == page.got() == WHOLE
    page.ended()


def test_the_creditor_lets_a_debt_go() -> None:
    """Somebody owes A 100 and cannot pay; A lets it go, the organiser agrees: A has 400, and nobody owes."""
    page = Page()
    late = page.member("A")
    page.bank_refuses(late, times=4)
    page.paid_out(1, days_more=3)
    page.stands(**{f"debt_{late}": 100_00}, owed_A=100_00)
    page.agreed("A", "write_off", page.organiser, about=late, other="A")
    page.stands()
    assert page.contribution(late, 1).state == "covered"

    page.to_the_end()
    assert page.paid() == WHOLE | {late: 400}
    assert page.got() == WHOLE | {"A": 400}
    page.ended()


def test_what_the_house_wrote_off_is_its_loss() -> None:
    """C's bank takes 100 back after the pot was paid: C owes the house, and two of its staff let it go."""
    page = Page()
    page.paid_out(1, days_more=3)
    attempt = page.contribution("C", 1).attempts[-1]
    page.world.control("POST", f"charges/{attempt.reference}/dispute", {})
    page.world.settle()
    page.stands(debt_C=100_00, house=100_00)

    request = page.asks("staff-1", "write_off", about="C", other="house")
    with pytest.raises(OwnRequest):
        page.consents("staff-1", request)
    with pytest.raises(NotAllowed):
        page.consents(page.member("C"), request)
    assert page.consents("staff-2", request) == "carried_out"
    page.stands(loss=100_00, house=100_00)

    page.to_the_end()
    assert page.got() == WHOLE
    page.stands(loss=100_00, house=100_00)
    page.balanced()


def test_credit_pays_the_next_contribution() -> None:
    """D's 100 is disputed after the payout, repaid, then won back: D's credit pays the next time."""
    page = Page()
    page.paid_out(1, days_more=3)
    attempt = page.contribution("D", 1).attempts[-1]
    made = page.world.control("POST", f"charges/{attempt.reference}/dispute", {})
    page.world.settle()
    page.stands(debt_D=100_00, house=100_00)
    page.pays("D", 1)
    page.stands()
    page.world.control("POST", f"disputes/{made['id']}", {"status": "won"})
    page.world.settle()
    page.stands(cash=100_00, credit_D=100_00)

    page.due(2)
    page.stands(cash=500_00, pot_2=500_00)
    assert not page.contribution("D", 2).attempts
    page.to_the_end()
    assert page.got() == WHOLE
    page.ended()


def test_the_reserve_comes_in_stands_in_and_goes_back() -> None:
    """20 of each pot is kept. It fills what E leaves out, E pays later; in the end each gets 20 back."""
    page = Page("reserve", reserve_pence=20_00)
    page.due(1)
    page.stands(cash=500_00, pot_1=500_00)
    page.paid_out(1, days_more=3)
    page.stands(cash=20_00, reserve=20_00)

    page.bank_refuses("E", times=4)
    page.paid_out(2, days_more=3)  # 400 came in: 20 are kept, and the 20 of before fill what they can
    page.stands(cash=20_00, reserve=20_00, debt_E=100_00, owed_reserve=20_00, owed_B=80_00)
    page.pays("E", 2)
    page.stands(cash=120_00, reserve=40_00, payable=80_00)
    page.days(5)
    page.stands(cash=40_00, reserve=40_00)

    page.paid_out(4, days_more=3)
    page.stands(cash=80_00, reserve=80_00)
    page.to_the_end()
    assert page.paid() == page.got() == WHOLE
    page.ended()


def test_a_fee_can_only_fall_and_takes_two() -> None:
    page = Page(platform_fee_pence=5_00)
    page.paid_out(1, days_more=3)
    page.stands(fees_platform=5_00, house=-5_00)
    assert page.got() == {"A": 495}

    page.agreed("staff-1", "fee_change", "staff-2", fee_pence=2_00)
    page.paid_out(2, days_more=3)
    page.stands(fees_platform=7_00, house=-7_00)
    assert page.got() == {"A": 495, "B": 498}


def test_a_large_payout_waits_for_two() -> None:
    """The house asks two of its staff to look at pots above £400: A's waits, and is paid when both have."""
    page = Page()
    page.world.ctx = dataclasses.replace(page.world.ctx, two_people_above_pence=400_00)
    page.paid_out(1, days_more=3)
    page.stands(cash=500_00, pot_1=500_00)
    pot = page.circle.payout(1)
    assert (pot.state, pot.parked_because) == ("parked", "needs_approval")

    request = page.asks("staff-1", "payout", about=pot.id)
    with pytest.raises(OwnRequest):
        page.consents("staff-1", request)
    assert page.consents("staff-2", request) == "carried_out"
    page.days(3)
    page.stands()
    assert page.got() == {"A": 500}
    page.balanced()


# --- the end of all -----------------------------------------------------------------------------------------


def test_a_wind_up_makes_everyone_as_whole_as_the_money_allows() -> None:
    """After cycle 2, with cycle 3 paid in: the open pot goes back; A and B owe C, D and E what they had."""
    page = Page()
    page.due(3)
    page.stands(cash=500_00, pot_3=500_00)
    page.agreed(page.organiser, "wind_up", page.member(page.organiser))
    each = {f"credit_{letter}": 100_00 for letter in "ABCDE"}
    owed = {"owed_C": 200_00, "owed_D": 200_00, "owed_E": 200_00}
    page.stands(cash=500_00, debt_A=300_00, debt_B=300_00, **each, **owed)

    still = {"debt_A": 200_00, "debt_B": 200_00, "owed_D": 200_00, "owed_E": 200_00}
    page.days(1)  # A's and B's 100 pay C, whom they owe first; the others' goes back to them
    page.stands(cash=500_00, payable=500_00, **still)
    page.days(5)
    page.stands(**still)
    page.days(200)
    assert page.paid() == {"A": 500, "B": 500, "C": 300, "D": 300, "E": 300}
    assert page.got() == {"A": 500, "B": 500, "C": 300, "D": 300, "E": 300}
    page.ended("wound_up")


def test_after_a_wind_up_a_claim_stands_until_it_is_paid() -> None:
    """A has had the pot and does not pay: B to E have their claims, and nobody else's money fills them."""
    page = Page()
    page.paid_out(1, days_more=3)
    page.agreed(page.organiser, "wind_up", page.member(page.organiser))
    page.stands(debt_A=400_00, owed_B=100_00, owed_C=100_00, owed_D=100_00, owed_E=100_00)
    page.bank_refuses("A")
    page.days(200)
    page.stands(debt_A=400_00, owed_B=100_00, owed_C=100_00, owed_D=100_00, owed_E=100_00)
    assert page.got() == {"A": 500}
    page.balanced()


def test_a_wind_up_shares_the_reserve_after_what_its_owner_owes() -> None:
    """40 of A's and 40 of B's pot are in the reserve: their shares pay first what they owe C."""
    page = Page("reserve", reserve_pence=40_00)
    page.paid_out(2, days_more=3)
    page.stands(cash=80_00, reserve=80_00)
    page.agreed(page.organiser, "wind_up", page.member(page.organiser))
    owed = {"owed_C": 200_00, "owed_D": 200_00, "owed_E": 200_00}
    page.stands(cash=80_00, reserve=80_00, debt_A=300_00, debt_B=300_00, **owed)

    page.days(1)
    page.stands(debt_A=260_00, debt_B=260_00, **(owed | {"owed_C": 120_00}))
    page.days(200)
    assert page.got() == {"A": 460, "B": 460, "C": 200, "D": 200, "E": 200}
    assert page.paid() == {"A": 460, "B": 460, "C": 200, "D": 200, "E": 200}
    page.ended("wound_up")


def test_what_was_asked_for_expires() -> None:
    page = Page()
    page.days(1)
    request = page.asks(page.organiser, "wind_up")
    with pytest.raises(OwnRequest):
        page.consents(page.organiser, request)
    page.stands()
    page.days(14)
    page.stands()
    with pytest.raises(ApprovalClosed):
        page.consents(page.member(page.organiser), request)
    assert page.circle.group.state == "active"
    page.stands()


# --- pennies ------------------------------------------------------------------------------------------------


def test_two_pence_are_asked_for_as_thirty_and_the_rest_is_credit() -> None:
    """2p of E's £100 go back by mistake. No charge is under 30p: 28 of it are for E's next contribution."""
    page = Page()
    page.due(1)
    page.stands(cash=500_00, pot_1=500_00)
    intent = page.contribution("E", 1).attempts[-1].reference
    page.world.stripe_request("POST", "/v1/refunds", {"payment_intent": intent, "amount": "2"})
    page.world.settle()
    page.stands(cash=499_98, pot_1=499_98)
    page.pays("E", 1)
    page.stands(cash=500_28, pot_1=500_00, credit_E=28)
    page.paid_out(1, days_more=3)
    page.stands(cash=28, credit_E=28)

    page.due(2)
    page.stands(cash=500_00, pot_2=500_00)
    assert page.contribution("E", 2).attempts[-1].amount_pence == 99_72

    page.to_the_end()
    assert page.paid() == page.got() == WHOLE
    page.ended()
