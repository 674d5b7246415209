"""What waits longer than it ever should; what waits for its time is not stuck."""

from __future__ import annotations

from datetime import timedelta

from shared.domain.payouts import Payout
from shared.services import reverse_payout
from shared.services.reconcile_stuck import stuck
from tests.worked_examples.page import Page


def test_a_top_up_that_waits_for_its_money_to_clear_is_not_stuck_and_is_the_day_after() -> None:
    page = Page()
    page.bank_refuses("E", times=4)
    page.paid_out(2, days_more=3)  # the debt is a month old when it is paid
    page.pays("E", 1)
    assert page.balances()["topup_A"] == 100_00
    page.balanced()

    payouts = [Payout.model_validate(one) for one in page.world.documents("payouts")]
    (top_up,) = [one for one in payouts if one.kind == "top_up"]
    assert top_up.act_at is not None
    assert list(stuck([], [top_up], [], [], top_up.act_at + timedelta(hours=23))) == []
    (late,) = stuck([], [top_up], [], [], top_up.act_at + timedelta(hours=25))
    assert (late.where, late.since) == (top_up.id, top_up.act_at)


def test_what_was_brought_back_and_nobody_decides_on_is_named() -> None:
    """It lay in the circle's payables, and no report told of it."""
    page = Page()
    page.paid_out(1, days_more=0)
    payout = page.circle.payout(1)
    page.world.control("POST", f"payouts/{payout.bank_payout}/fail", {"code": "account_closed"})
    page.world.settle()
    reverse_payout.reverse(
        page.world.ctx, page.world.command("staff-1"), page.circle.id, payout.id, 200_00, "mistake"
    )
    brought_back, facts = page.circle.payout(1), page.circle.facts()
    (moved,) = [fact.at for fact in facts if fact.type == "payout_reversed"]
    assert list(stuck([], [brought_back], facts, [], moved + timedelta(days=14))) == []
    (late,) = stuck([], [brought_back], facts, [], moved + timedelta(days=15))
    assert (late.where, late.since) == (payout.id, moved)
