"""What waits longer than it ever should; what waits for its time is not stuck."""

from __future__ import annotations

from datetime import timedelta

from shared.domain.payouts import Payout
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
