"""What it costs: a fee kept from each pot, and a fixed one on top of each contribution, £1 here.

On top: £101 are taken from each, £100 of them the members' cash, £1 the house's, in no pot, once for each
contribution, and back with it. By card £101 cost 1.515, so £1.52, and 20p: £1.72.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.groups import agreement_hash, agreement_text, draft_schedule
from shared.services import receipts, statements
from shared.services.context import Reader
from shared.web.receipt_sheets import receipt_sheet
from tests.worked_examples.page import Page

ON_TOP = 1_00


@pytest.fixture(name="page")
def _page() -> Page:
    return Page(added_fee_pence=ON_TOP)


def test_each_pays_it_with_each_contribution_and_gets_the_whole_pot(page: Page) -> None:
    page.due(1).stands(cash=500_00, pot_1=500_00, fees=8_60, fees_platform=5_00, house=3_60)
    page.paid_out(1).stands(fees=8_60, fees_platform=5_00, house=3_60)
    page.runs(2, 3, 4, 5, fee=1_72, on_top=ON_TOP)
    page.to_the_end().stands(fees=43_00, fees_platform=25_00, house=18_00)
    assert page.paid() == dict.fromkeys("ABCDE", 505)
    assert page.got() == dict.fromkeys("ABCDE", 500)
    page.ended()


def test_it_is_agreed_to_and_told_before_and_after(page: Page) -> None:
    group = page.circle.group
    text = agreement_text(group, draft_schedule(group.terms, page.world.ctx.holidays))
    assert "A fixed fee of £1.00 is added to each contribution, and £101.00 is taken each time" in text
    free = group.with_(terms=group.terms.with_(added_fee_pence=0))
    other = agreement_text(free, draft_schedule(free.terms, page.world.ctx.holidays))
    assert agreement_hash(other) != group.seated()[0].agreed_hash

    page.due(1).stands(cash=500_00, pot_1=500_00, fees=8_60, fees_platform=5_00, house=3_60)
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
    page.due(1).stands(cash=400_00, pot_1=400_00, fees=6_88, fees_platform=4_00, house=2_88)
    page.paid_out(1).stands(debt_E=100_00, owed_A=100_00, fees=6_88, fees_platform=4_00, house=2_88)
    page.pays("E", 1).stands(cash=100_00, topup_A=100_00, fees=8_60, fees_platform=5_00, house=3_60)
    page.days(5).stands(fees=8_60, fees_platform=5_00, house=3_60)
    assert page.got() == {"A": 500}


def test_it_goes_back_with_a_refund_and_is_taken_anew(page: Page) -> None:
    page.due(1).stands(cash=500_00, pot_1=500_00, fees=8_60, fees_platform=5_00, house=3_60)
    page.refunded("D", 1).stands(cash=400_00, pot_1=400_00, fees=8_60, fees_platform=4_00, house=4_60)
    page.pays("D", 1).stands(cash=500_00, pot_1=500_00, fees=10_32, fees_platform=5_00, house=5_32)
    assert page.paid() == dict.fromkeys("ABCDE", 101)


def test_a_dispute_before_the_payout_takes_both_and_winning_it_brings_both(page: Page) -> None:
    page.due(1).stands(cash=500_00, pot_1=500_00, fees=8_60, fees_platform=5_00, house=3_60)
    page.disputes("D", 1).stands(cash=400_00, pot_1=400_00, fees=28_60, fees_platform=4_00, house=24_60)
    page.bank_decides("D", 1, "won")
    page.stands(cash=500_00, pot_1=500_00, fees=28_60, fees_platform=5_00, house=23_60)


def test_a_dispute_after_the_payout_is_owed_without_the_fee_and_won_after_it_was_repaid_is_credit(
    page: Page,
) -> None:
    page.runs(1, fee=1_72, on_top=ON_TOP)
    page.disputes("A", 1).stands(debt_A=100_00, fees=28_60, fees_platform=4_00, house=124_60)
    page.pays("A", 1).stands(fees=30_32, fees_platform=5_00, house=25_32)
    # Both had brought the fee: a contribution pays it once, so what came twice is the payer's.
    page.bank_decides("A", 1, "won").stands(
        cash=101_00, credit_A=101_00, fees=30_32, fees_platform=5_00, house=25_32
    )
    page.noticed(2).stands(
        cash=101_00, pot_2=100_00, credit_A=1_00, fees=30_32, fees_platform=5_00, house=25_32
    )
    page.due(2).stands(cash=501_00, pot_2=500_00, credit_A=1_00, fees=37_20, fees_platform=9_00, house=28_20)
    assert page.contribution("A", 2).attempts == []  # its credit pays it whole: no debit, no fee
    page.paid_out(2).stands(cash=1_00, credit_A=1_00, fees=37_20, fees_platform=9_00, house=28_20)
    page.noticed(3).stands(cash=1_00, pot_3=1_00, fees=37_20, fees_platform=9_00, house=28_20)
    page.due(3).stands(cash=500_00, pot_3=500_00, fees=45_78, fees_platform=14_00, house=31_78)
    assert page.contribution("A", 3).attempts[0].amount_pence == 100_00  # the £99 that are left, and £1
    page.paid_out(3).stands(fees=45_78, fees_platform=14_00, house=31_78)
    page.runs(4, 5, fee=1_72, on_top=ON_TOP)
    page.to_the_end().stands(fees=62_98, fees_platform=24_00, house=38_98)
    assert page.got() == dict.fromkeys("ABCDE", 500)
    page.ended()


def test_hardship_freezes_it_and_what_is_taken_later_bears_none(page: Page) -> None:
    until = page.world.clock.moment.date() + timedelta(days=60)
    page.asks_for_time("E", until).stands()
    page.due(1).stands(cash=400_00, pot_1=400_00, fees=6_88, fees_platform=4_00, house=2_88)
    page.paid_out(1).stands(debt_E=100_00, owed_A=100_00, fees=6_88, fees_platform=4_00, house=2_88)
    page.until(until).stands(cash=100_00, topup_A=100_00, fees=8_58, fees_platform=4_00, house=4_58)
    assert page.contribution("E", 1).attempts[0].amount_pence == 100_00
    page.days(5).stands(fees=8_58, fees_platform=4_00, house=4_58)


def test_a_debit_under_way_at_a_hardship_brings_its_fee_as_credit(page: Page) -> None:
    """The bank was asked for £101 before: of that £100 are the contribution."""
    page.does(page.world.charge_without_recording, page.circle.due(1)).stands()
    page.asks_for_time("E", page.world.clock.moment.date() + timedelta(days=30)).stands()
    page.does(page.world.control, "POST", "webhooks/release")
    page.stands(cash=501_00, pot_1=500_00, credit_E=1_00, fees=8_60, fees_platform=4_00, house=4_60)


def test_a_fee_kept_from_the_pots_can_only_fall_and_takes_two() -> None:
    """£5 of A's pot; two of the staff make it £2."""
    page = Page(platform_fee_pence=5_00)
    page.due(1).stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    page.reserved(1).stands(cash=495_00, payable_A=495_00, fees=8_50, fees_platform=5_00, house=3_50)
    page.sent().stands(fees=8_50, fees_platform=5_00, house=3_50)
    page.agreed("staff-1", "fee_change", "staff-2", fee_pence=2_00)
    page.stands(fees=8_50, fees_platform=5_00, house=3_50)
    page.due(2).stands(cash=500_00, pot_2=500_00, fees=17_00, fees_platform=5_00, house=12_00)
    page.paid_out(2).stands(fees=17_00, fees_platform=7_00, house=10_00)
    assert page.got() == {"A": 495, "B": 498}
