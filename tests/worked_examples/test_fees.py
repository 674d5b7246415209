"""A fixed fee on top of each contribution, £1 here: once for each, in no pot, back with its contribution.

5 × £100, so £101 is taken from each: £100 are the members' cash, £1 is the house's.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.groups import agreement_hash, agreement_text, draft_schedule
from shared.services import hardship, receipts, refund_contribution, statements
from shared.services.context import Reader
from shared.web.receipt_sheets import receipt_sheet
from tests.worked_examples.page import Page

ON_TOP = 1_00


@pytest.fixture(name="page")
def _page() -> Page:
    return Page(added_fee_pence=ON_TOP)


def refund(page: Page, letter: str, cycle: int) -> None:
    contribution = page.contribution(letter, cycle).id
    command = page.world.command("staff:ines")
    refund_contribution.refund(page.world.ctx, command, page.circle.id, contribution, "by mistake")
    page.world.settle()


def dispute(page: Page, letter: str, cycle: int) -> str:
    reference = page.contribution(letter, cycle).attempts[-1].reference
    made = page.world.control("POST", f"charges/{reference}/dispute", {})
    page.world.settle()
    return str(made["id"])


def win(page: Page, dispute_id: str) -> None:
    page.world.control("POST", f"disputes/{dispute_id}", {"status": "won"})
    page.world.settle()


def test_each_pays_it_with_each_contribution_and_gets_the_whole_pot(page: Page) -> None:
    page.due(1)
    page.stands(cash=500_00, pot_1=500_00, fees_platform=5_00, house=-5_00)
    page.paid_out(1, days_more=3)
    page.stands(fees_platform=5_00, house=-5_00)
    page.to_the_end()
    assert page.paid() == dict.fromkeys("ABCDE", 505)
    assert page.got() == dict.fromkeys("ABCDE", 500)
    page.stands(fees_platform=25_00, house=-25_00)
    assert page.circle.group.state == "completed"
    page.balanced()


def test_it_is_agreed_to_and_told_before_and_after(page: Page) -> None:
    group = page.circle.group
    text = agreement_text(group, draft_schedule(group.terms, page.world.ctx.holidays))
    assert "A fixed fee of £1.00 is added to each contribution, and £101.00 is taken each time" in text
    free = group.with_(terms=group.terms.with_(added_fee_pence=0))
    other = agreement_text(free, draft_schedule(free.terms, page.world.ctx.holidays))
    assert agreement_hash(other) != group.seated()[0].agreed_hash

    page.due(1)
    noticed = [fact.payload for fact in page.circle.facts("contribution_noticed")]
    assert {(one["pence"], one["added_fee_pence"]) for one in noticed} == {(101_00, ON_TOP)}
    ctx, uid, contribution = page.world.ctx, page.uid["B"], page.contribution("B", 1)
    receipt = receipts.of_contribution(ctx, uid, page.circle.id, contribution.id)
    assert (receipt["total_pence"], receipt["fee_pence"]) == (101_00, ON_TOP)
    assert "agreed fee of £1.00" in receipt_sheet(receipt, "B").below[0]
    (line,) = statements.of_member(ctx, Reader(uid), page.circle.id, uid, None, None)["lines"]
    assert (line["paid_in_pence"], line["fees_pence"]) == (101_00, ON_TOP)


def test_who_pays_late_pays_it_once(page: Page) -> None:
    page.bank_refuses("E", times=4)
    page.paid_out(1, days_more=3)
    page.stands(debt_E=100_00, owed_A=100_00, fees_platform=4_00, house=-4_00)
    page.pays("E", 1)
    page.stands(cash=100_00, payable=100_00, fees_platform=5_00, house=-5_00)
    page.days(5)
    page.stands(fees_platform=5_00, house=-5_00)
    assert page.got() == {"A": 500}
    page.balanced()


def test_it_goes_back_with_a_refund_and_is_taken_anew(page: Page) -> None:
    page.due(1)
    refund(page, "D", 1)
    page.stands(cash=400_00, pot_1=400_00, fees_platform=4_00, house=-4_00)
    page.pays("D", 1)
    page.stands(cash=500_00, pot_1=500_00, fees_platform=5_00, house=-5_00)
    assert page.paid() == dict.fromkeys("ABCDE", 101)
    page.balanced()


def test_a_dispute_before_the_payout_takes_both_and_winning_it_brings_both(page: Page) -> None:
    page.due(1)
    lost_for_now = dispute(page, "D", 1)
    page.stands(cash=400_00, pot_1=400_00, fees_platform=4_00, house=-4_00)
    win(page, lost_for_now)
    page.stands(cash=500_00, pot_1=500_00, fees_platform=5_00, house=-5_00)
    page.balanced()


def test_a_dispute_after_the_payout_is_owed_without_the_fee_and_won_after_it_was_repaid_is_credit(
    page: Page,
) -> None:
    page.paid_out(1, days_more=3)
    later_won = dispute(page, "A", 1)
    page.stands(debt_A=100_00, fees_platform=4_00, house=96_00)
    page.pays("A", 1)
    page.stands(fees_platform=5_00, house=-5_00)
    win(page, later_won)
    # Both had brought the fee: a contribution pays it once, so what came twice is the payer's.
    page.stands(cash=101_00, credit_A=101_00, fees_platform=5_00, house=-5_00)
    page.due(2)
    assert page.contribution("A", 2).attempts == []  # its credit pays it whole: no debit, no fee
    page.stands(cash=501_00, pot_2=500_00, credit_A=1_00, fees_platform=9_00, house=-9_00)
    page.due(3)
    assert (
        page.contribution("A", 3).attempts[0].amount_pence == 100_00
    )  # £99, for £1 of credit was left, and £1
    page.to_the_end()
    assert page.got() == dict.fromkeys("ABCDE", 500)
    page.stands(fees_platform=24_00, house=-24_00)
    page.balanced()


def test_hardship_freezes_it_and_what_is_taken_later_bears_none(page: Page) -> None:
    today, uid = page.world.clock.moment.date(), page.uid["E"]
    until = today + timedelta(days=60)
    hardship.ask_for_time(page.world.ctx, page.world.command(uid), page.circle.id, until)
    page.paid_out(1, days_more=3)
    page.stands(debt_E=100_00, owed_A=100_00, fees_platform=4_00, house=-4_00)
    page.world.advance_to(until + timedelta(days=14))
    assert page.contribution("E", 1).attempts[0].amount_pence == 100_00
    page.balanced()


def test_a_debit_under_way_at_a_hardship_brings_its_fee_as_credit() -> None:
    """The bank was asked for £101 before: of that £100 are the contribution."""
    page = Page(added_fee_pence=ON_TOP)
    page.world.control("POST", "webhooks/hold")
    fault = {"kind": "cut_after", "method": "POST", "path": "/v1/payment_intents", "always": True}
    page.world.control("POST", "faults", fault)
    page.due(1)
    uid = page.uid["E"]
    until = page.world.clock.moment.date() + timedelta(days=30)
    hardship.ask_for_time(page.world.ctx, page.world.command(uid), page.circle.id, until)
    page.world.control("DELETE", "faults")
    page.world.control("POST", "webhooks/release")
    page.world.settle()
    page.stands(cash=501_00, pot_1=500_00, credit_E=1_00, fees_platform=4_00, house=-4_00)
    page.balanced()
