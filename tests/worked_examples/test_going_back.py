"""Money that goes back: disputes before, during and after the payout, refunds, reversals, credit, pennies."""

from __future__ import annotations

from datetime import date

import pytest

from shared.domain.errors import NothingToGiveBack, ProcessorRefused
from shared.services import reverse_payout
from tests.worked_examples.page import Page
from tests.worked_examples.test_defaults import parts

WHOLE = dict.fromkeys("ABCDE", 500)


# --- disputes -----------------------------------------------------------------------------------------------


def test_a_dispute_before_the_payout_that_is_won() -> None:
    """D's 100 leave the pot, and are back before payday. The bank's £20 stay the house's to bear."""
    page = Page("wait")
    page.due(1).stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    page.disputes("D", 1).stands(cash=400_00, pot_1=400_00, fees=28_50, house=28_50)
    assert page.contribution("D", 1).state == "due"
    page.bank_decides("D", 1, "won").stands(cash=500_00, pot_1=500_00, fees=28_50, house=28_50)
    page.paid_out(1).stands(fees=28_50, house=28_50)
    assert page.got() == {"A": 500}


def test_a_dispute_before_the_payout_that_is_lost() -> None:
    """D's 100 leave the pot and are due again: D pays by hand, and A's pot is whole."""
    page = Page("wait")
    page.due(1).stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    page.disputes("D", 1).stands(cash=400_00, pot_1=400_00, fees=28_50, house=28_50)
    page.bank_decides("D", 1, "lost").stands(cash=400_00, pot_1=400_00, fees=28_50, house=28_50)
    page.pays("D", 1).stands(cash=500_00, pot_1=500_00, fees=30_20, house=30_20)
    page.paid_out(1).stands(fees=30_20, house=30_20)
    assert page.got() == {"A": 500}


def test_a_dispute_between_reservation_and_sending_voids_the_reservation() -> None:
    """The exact reverse, and then what is left of the pot is paid: D owes A what D's bank took back."""
    page = Page("pay_cleared")
    page.due(1).stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    page.reserved(1).stands(cash=500_00, payable_A=500_00, fees=8_50, house=8_50)
    page.disputes("D", 1).stands(cash=400_00, pot_1=400_00, fees=28_50, house=28_50)
    assert (page.circle.payout(1).state, page.circle.payout(1, 2).state) == ("void", "scheduled")
    page.days(1).stands(debt_D=100_00, owed_A=100_00, fees=28_50, house=28_50)
    assert page.got() == {"A": 400}


def test_a_dispute_after_the_payout_that_is_won() -> None:
    """A keeps the pot, the house stands in, and has its 100 again when it wins."""
    page = Page("wait")
    page.runs(1)
    page.disputes("D", 1).stands(debt_D=100_00, fees=28_50, house=128_50)
    page.bank_decides("D", 1, "won").stands(fees=28_50, house=28_50)
    page.runs(2, 3, 4, 5)
    page.to_the_end().stands(fees=62_50, house=62_50)
    assert page.paid() == page.got() == WHOLE
    page.ended()


def test_a_dispute_after_the_payout_that_is_lost_is_kept_from_ones_own_pot() -> None:
    """A keeps the pot, the house stands in: at C's turn its 100 are kept from C's pot."""
    page = Page("wait")
    page.runs(1)
    page.disputes("C", 1).stands(debt_C=100_00, fees=28_50, house=128_50)
    page.bank_decides("C", 1, "lost").stands(debt_C=100_00, fees=28_50, house=128_50)
    page.runs(2)
    page.due(3).stands(cash=500_00, pot_3=500_00, debt_C=100_00, fees=45_50, house=145_50)
    page.reserved(3).stands(cash=400_00, payable_C=400_00, fees=45_50, house=45_50)
    page.sent().stands(fees=45_50, house=45_50)
    page.runs(4, 5)
    page.to_the_end().stands(fees=62_50, house=62_50)
    assert page.got() == WHOLE | {"C": 400}
    page.ended()


def test_a_dispute_lost_after_ones_turn_is_paid_off_by_a_plan() -> None:
    """A's bank takes A's part of B's pot back: A owes the house, and pays it 100 in two parts."""
    page = Page("wait")
    page.runs(1, 2)
    page.disputes("A", 2).stands(debt_A=100_00, fees=37_00, house=137_00)
    page.bank_decides("A", 2, "lost").stands(debt_A=100_00, fees=37_00, house=137_00)
    instalments = parts((60_00, date(2027, 2, 16)), (40_00, date(2027, 2, 23)))
    page.agreed("A", "plan", "B", instalments=instalments)
    page.stands(debt_A=100_00, fees=37_00, house=137_00)
    page.until(date(2027, 2, 16)).stands(debt_A=40_00, fees=38_10, house=78_10)  # 90p and 20p
    page.until(date(2027, 2, 23)).stands(fees=38_90, house=38_90)  # 60p and 20p
    page.runs(3, 4, 5)
    page.to_the_end().stands(fees=64_40, house=64_40)
    assert page.got() == WHOLE
    page.ended()


# --- credit -------------------------------------------------------------------------------------------------


def test_credit_pays_the_next_contribution() -> None:
    """D's 100 is disputed after the payout, repaid, then won back: D's credit pays the next time."""
    page = Page()
    page.runs(1)
    page.disputes("D", 1).stands(debt_D=100_00, fees=28_50, house=128_50)
    page.pays("D", 1).stands(fees=30_20, house=30_20)
    page.bank_decides("D", 1, "won").stands(cash=100_00, credit_D=100_00, fees=30_20, house=30_20)

    page.noticed(2).stands(cash=100_00, pot_2=100_00, fees=30_20, house=30_20)
    page.due(2).stands(cash=500_00, pot_2=500_00, fees=37_00, house=37_00)
    assert not page.contribution("D", 2).attempts
    page.paid_out(2).stands(fees=37_00, house=37_00)
    page.runs(3, 4, 5)
    page.to_the_end().stands(fees=62_50, house=62_50)
    assert page.got() == WHOLE
    page.ended()


def test_credit_that_no_contribution_takes_goes_back_at_the_end() -> None:
    """D has paid every time when the dispute is won: D's 100 go back once all pots are paid."""
    page = Page()
    page.runs(1, 2, 3, 4)
    page.disputes("D", 1).stands(debt_D=100_00, fees=54_00, house=154_00)
    page.pays("D", 1).stands(fees=55_70, house=55_70)
    page.due(5).stands(cash=500_00, pot_5=500_00, fees=64_20, house=64_20)
    page.bank_decides("D", 1, "won").stands(
        cash=600_00, pot_5=500_00, credit_D=100_00, fees=64_20, house=64_20
    )
    page.paid_out(5, days_more=0).stands(cash=100_00, credit_D=100_00, fees=64_20, house=64_20)
    page.to_the_end().stands(fees=64_20, house=64_20)
    assert page.paid() == page.got() == WHOLE | {"D": 600}
    page.ended()


def test_a_dispute_takes_credit_first() -> None:
    """D has 100 of credit when their bank takes another 100 back: nobody owes anybody."""
    page = Page()
    page.runs(1, 2)
    page.disputes("D", 1).stands(debt_D=100_00, fees=37_00, house=137_00)
    page.pays("D", 1).stands(fees=38_70, house=38_70)
    page.bank_decides("D", 1, "won").stands(cash=100_00, credit_D=100_00, fees=38_70, house=38_70)
    page.disputes("D", 2).stands(fees=58_70, house=58_70)


# --- refunds and reversals ----------------------------------------------------------------------------------


def test_a_refund_before_the_payout_is_due_again() -> None:
    """Stripe keeps its £1.70 for what it gives back."""
    page = Page("wait")
    page.due(1).stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    page.refunded("D", 1).stands(cash=400_00, pot_1=400_00, fees=8_50, house=8_50)
    page.pays("D", 1).stands(cash=500_00, pot_1=500_00, fees=10_20, house=10_20)
    page.paid_out(1).stands(fees=10_20, house=10_20)
    assert page.paid() == dict.fromkeys("ABCDE", 100)


def test_what_a_pot_was_paid_with_is_not_refunded() -> None:
    page = Page("wait")
    page.runs(1)
    with pytest.raises(NothingToGiveBack):
        page.refunded("D", 1)
    page.stands(fees=8_50, house=8_50)


def test_a_payout_is_brought_back_in_part() -> None:
    """The bank has sent A's pot back to A's account: 200 of it are brought back from there, and wait.

    While it was on its way to the bank there was nothing to bring back.
    """
    page = Page("wait")
    page.due(1).stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    page.paid_out(1, days_more=0).stands(fees=8_50, house=8_50)
    payout = page.circle.payout(1)

    def brought_back() -> None:
        command = page.world.command("staff-1")
        reverse_payout.reverse(page.world.ctx, command, page.circle.id, payout.id, 200_00, "mistake")

    with pytest.raises(ProcessorRefused):
        page.does(brought_back)
    page.stands(fees=8_50, house=8_50)
    page.does(page.world.control, "POST", f"payouts/{payout.bank_payout}/fail", {"code": "account_closed"})
    page.stands(fees=8_50, house=8_50)
    page.does(brought_back).stands(cash=200_00, payable_A=200_00, fees=8_50, house=8_50)
    assert page.circle.payout(1).state == "partly_reversed"


# --- pennies ------------------------------------------------------------------------------------------------


def test_two_pence_are_asked_for_as_thirty_and_the_rest_is_credit() -> None:
    """2p of E's £100 go back by mistake. No charge is under 30p: 28 of it are for E's next contribution."""
    page = Page()
    page.due(1).stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    intent = page.contribution("E", 1).attempts[-1].reference
    two_pence = {"payment_intent": intent, "amount": "2"}
    page.does(page.world.stripe_request, "POST", "/v1/refunds", two_pence)
    page.stands(cash=499_98, pot_1=499_98, fees=8_50, house=8_50)
    # 1.5 % of 30p is 0.45p, so nothing, and 20p.
    page.pays("E", 1).stands(cash=500_28, pot_1=500_00, credit_E=28, fees=8_70, house=8_70)
    page.paid_out(1).stands(cash=28, credit_E=28, fees=8_70, house=8_70)

    page.noticed(2).stands(cash=28, pot_2=28, fees=8_70, house=8_70)
    # 1.5 % of £99.72 is 149.58p, so 150p, as of £100.
    page.due(2).stands(cash=500_00, pot_2=500_00, fees=17_20, house=17_20)
    assert page.contribution("E", 2).attempts[-1].amount_pence == 99_72
    page.paid_out(2).stands(fees=17_20, house=17_20)
    page.runs(3, 4, 5)
    page.to_the_end().stands(fees=42_70, house=42_70)
    assert page.paid() == page.got() == WHOLE
    page.ended()
