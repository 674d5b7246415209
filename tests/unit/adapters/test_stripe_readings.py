"""Readings that the local Stripe never gives: states of tomorrow, other people's charges, late bookings."""

from __future__ import annotations

from typing import Any

import pytest

from shared.adapters.stripe_gateway import StripeGateway, readings
from shared.domain.errors import Mismatch, UnknownObject
from shared.ports import UnknownEvent
from tests.unit.adapters.test_stripe_errors import FixedSecrets, Scripted
from tests.unit.adapters.test_stripe_webhooks import thin

INTENT: dict[str, Any] = {
    "id": "pi_1",
    "object": "payment_intent",
    "amount": 10_000,
    "currency": "gbp",
    "status": "succeeded",
    "livemode": False,
    "metadata": {"attempt": "att_1"},
    "latest_charge": {"id": "ch_1", "balance_transaction": None},
    "last_payment_error": None,
    "next_action": None,
}
DISPUTE: dict[str, Any] = {
    "id": "du_1",
    "object": "dispute",
    "amount": 10_000,
    "currency": "gbp",
    "status": "needs_response",
    "livemode": False,
    "payment_intent": INTENT,
    "balance_transactions": [],
}


def test_a_success_whose_money_is_not_booked_yet_is_processing() -> None:
    """`charge.updated` tells when it is."""
    assert readings.collection(INTENT).state == "processing"


@pytest.mark.parametrize("status", ["requires_capture", "requires_confirmation", "invented_tomorrow"])
def test_a_collection_in_a_state_that_we_never_cause(status: str) -> None:
    with pytest.raises(Mismatch, match=status):
        readings.collection({**INTENT, "status": status})


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("under_review", "open"),
        ("warning_needs_response", "open"),
        ("warning_closed", "won"),
        ("prevented", "lost"),
    ],
)
def test_the_ends_of_a_dispute(status: str, state: str) -> None:
    assert readings.dispute({**DISPUTE, "status": status}).state == state


def test_a_state_of_tomorrow_is_never_passed_over() -> None:
    with pytest.raises(Mismatch, match="invented_tomorrow"):
        readings.dispute({**DISPUTE, "status": "invented_tomorrow"})


def test_a_dispute_of_somebody_elses_charge() -> None:
    with pytest.raises(UnknownObject, match="du_1"):
        readings.dispute({**DISPUTE, "payment_intent": None})
    client = Scripted((200, {**DISPUTE, "payment_intent": None}))
    gateway = StripeGateway(FixedSecrets(), live=False, return_url="", http_client=client)
    assert isinstance(gateway.read(thin("charge.dispute.created")), UnknownEvent)


def test_a_charge_without_an_intent_is_not_ours() -> None:
    client = Scripted((200, {"id": "ch_1", "object": "charge", "payment_intent": None}))
    gateway = StripeGateway(FixedSecrets(), live=False, return_url="", http_client=client)
    assert isinstance(gateway.read(thin("charge.updated")), UnknownEvent)


def test_a_late_booking_is_news() -> None:
    booked = {
        "id": "txn_1",
        "amount": 10_000,
        "fee": 170,
        "currency": "gbp",
        "created": 1,
        "available_on": 2,
        "reporting_category": "charge",
        "source": "ch_1",
    }
    client = Scripted(
        (200, {"id": "ch_1", "object": "charge", "payment_intent": "pi_1"}),
        (200, {**INTENT, "latest_charge": {"id": "ch_1", "balance_transaction": booked}}),
    )
    gateway = StripeGateway(FixedSecrets(), live=False, return_url="", http_client=client)
    settled = gateway.read(thin("charge.updated"))
    assert getattr(settled, "state", None) == "settled"


def test_the_money_of_a_refund_that_failed_came_back() -> None:
    line = {"currency": "gbp", "created": 1, "available_on": 1, "source": "re_1", "fee": 0}
    refund = {
        "id": "re_1",
        "object": "refund",
        "amount": 500,
        "currency": "gbp",
        "status": "failed",
        "payment_intent": INTENT,
        "balance_transaction": {**line, "id": "txn_1", "amount": -500, "reporting_category": "refund"},
        "failure_balance_transaction": "txn_2",
    }
    back = {**line, "id": "txn_2", "amount": 500, "reporting_category": "refund_failure"}
    client = Scripted((200, refund), (200, back))
    gateway = StripeGateway(FixedSecrets(), live=False, return_url="", http_client=client)
    failed = gateway.refund("pi_1", 500, "ref_1", {})
    assert failed.state == "failed"
    assert failed.failure_movement is not None
    assert (failed.failure_movement.kind, failed.failure_movement.amount_pence) == ("refund", 500)
