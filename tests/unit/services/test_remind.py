"""Reminders: what the day asks of each person, told once; and what stands in the way of a payout."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from shared.services import pay_out, payment_methods, remind
from tests.builders import Circle, World


@pytest.fixture
def circle() -> Circle:
    world = World()
    return world.circle(world.people(5))


def told(circle: Circle, uid: str) -> Counter[str]:
    found = circle.world.documents("items")
    return Counter(str(one["template"]) for one in found if one["uid"] == uid)


def live(circle: Circle, until: date) -> None:
    """Day by day, with the reminders of each morning."""
    while circle.world.clock.moment.date() < until:
        circle.world.advance_to(circle.world.clock.moment.date() + timedelta(days=1))
        remind.remind(circle.world.ctx)


def account(circle: Circle, uid: str) -> str:
    (user,) = circle.world.store.load(f"users/{uid}")
    return str((user.data or {})["payout_account"]["reference"])


def method(circle: Circle, uid: str) -> Any:
    return payment_methods.list_methods(circle.world.ctx, uid)["items"][0]


def test_a_doubled_tick_tells_nobody_twice(circle: Circle) -> None:
    circle.world.advance_to(circle.due(1) - timedelta(days=3))
    assert remind.remind(circle.world.ctx) == {"told": 5}
    assert remind.remind(circle.world.ctx) == {"told": 0}
    assert told(circle, circle.recipient(2)) == {"contribution_due_soon": 1}


def test_who_has_not_paid_is_told_what_to_do(circle: Circle) -> None:
    late, asked = circle.recipient(5), circle.recipient(4)
    path = f"payment_methods/{method(circle, late)['id']}/outcomes"
    circle.world.control("POST", path, {"failures": ["stolen_card"]})
    path = f"payment_methods/{method(circle, asked)['id']}/outcomes"
    circle.world.control("POST", path, {"failures": ["authentication_required"] * 2})
    live(circle, circle.due(1) + timedelta(days=5))
    assert told(circle, late)["payment_method_needed"] >= 4
    assert told(circle, late)["contribution_late"] == 2
    assert told(circle, asked)["authenticate_payment"] >= 4
    assert told(circle, circle.recipient(3)).keys() <= {"contribution_due_soon"}


def test_a_card_that_ends_before_the_debit_is_told_once(circle: Circle) -> None:
    uid = circle.recipient(3)
    card = method(circle, uid)["id"]
    circle.world.control(
        "POST",
        f"objects/{card}",
        {"card": {"exp_month": 12, "exp_year": 2026, "last4": "4242", "brand": "visa"}},
    )
    found = circle.world.ctx.gateway.method(card)
    payment_methods.record_method(circle.world.ctx, circle.world.command(uid), uid, found)
    live(circle, circle.world.clock.moment.date() + timedelta(days=5))
    assert told(circle, uid)["payment_method_expires"] == 1


def test_a_recipient_who_cannot_be_paid_is_told_days_ahead(circle: Circle) -> None:
    first = circle.recipient(1)
    circle.world.control("POST", f"accounts/{account(circle, first)}/disable", {})
    circle.world.settle()
    live(circle, circle.pays_out(1) - timedelta(days=1))
    ahead = told(circle, first)["payout_account_needs_attention"]
    assert ahead == 6
    live(circle, circle.pays_out(1) + timedelta(days=2))
    assert told(circle, first)["payout_account_needs_attention"] == ahead + 3


def test_new_bank_details_cool_off_and_are_told_though_the_news_is_late(circle: Circle) -> None:
    first = circle.recipient(1)
    circle.world.advance_to(circle.pays_out(1) - timedelta(days=1))
    circle.world.control("POST", "webhooks/hold")  # the processor knows, we do not
    circle.world.control("POST", f"accounts/{account(circle, first)}/bank", {"account_number": "00099999"})
    circle.world.advance_to(circle.pays_out(1) + timedelta(days=2))
    assert circle.payout(1).bank_payout is None
    assert told(circle, first)["payout_bank_changed"] == 1
    circle.world.control("POST", "webhooks/release")
    circle.world.advance_to(circle.pays_out(1) + timedelta(days=6))
    assert circle.payout(1).state == "received"


def test_a_change_that_is_known_parks_the_pot_until_it_has_cooled_off(circle: Circle) -> None:
    first = circle.recipient(1)
    circle.world.advance_to(circle.pays_out(1) - timedelta(days=1))
    circle.world.control("POST", f"accounts/{account(circle, first)}/bank", {"account_number": "00099999"})
    circle.world.settle()
    circle.world.advance_to(circle.pays_out(1))
    assert (circle.payout(1).state, circle.payout(1).parked_because) == ("parked", "bank_changed")
    circle.world.advance_to(circle.pays_out(1) + timedelta(days=5))
    assert circle.payout(1).state == "received"


def test_nothing_is_paid_out_while_the_processor_sweeps_our_balance(
    circle: Circle, caplog: pytest.LogCaptureFixture
) -> None:
    own = circle.world.stripe.world.platform
    circle.world.advance_to(circle.due(1))
    settings = circle.world.control("GET", f"objects/{own}")["settings"]
    swept = {
        **settings,
        "payouts": {**settings["payouts"], "schedule": {"interval": "daily", "delay_days": 3}},
    }
    circle.world.clock.moment += circle.pays_out(1) - circle.due(1)
    circle.world.stripe.world.objects[own]["settings"] = swept
    with caplog.at_level(logging.ERROR):
        pay_out.pay_due(circle.world.ctx, circle.world.command("system:tick"))
    assert circle.payout(1).state == "scheduled"
    assert [getattr(record, "alert", None) for record in caplog.records] == ["automatic_payouts"]
    assert "sweep" in {one["kind"] for one in circle.world.reconcile()["differences"]}
