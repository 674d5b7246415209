"""Which callbacks are Stripe's, and how little of them is published."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from stripe import WebhookSignature

from shared.adapters.stripe_gateway import StripeGateway
from shared.domain.errors import BadSignature
from shared.ports import NothingNew, ThinEvent, UnknownEvent

PLATFORM, PREVIOUS, CONNECT = "whsec_new", "whsec_old", "whsec_connect"

EVENT: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "type": "payment_intent.succeeded",
    "created": 1_790_000_000,
    "livemode": False,
    "data": {"object": {"id": "pi_1", "object": "payment_intent", "receipt_email": "ada@example.org"}},
}
BODY = json.dumps(EVENT).encode()


class RotatingSecrets:
    """Webhook secrets alone: to verify a callback needs no key of Stripe's API."""

    def current(self, name: str) -> bytes:
        return self.accepted(name)[0]

    def accepted(self, name: str) -> list[bytes]:
        return {
            "stripe-webhook-secret": [PLATFORM.encode(), PREVIOUS.encode()],
            "stripe-connect-webhook-secret": [CONNECT.encode()],
        }[name]


GATEWAY = StripeGateway(RotatingSecrets(), live=False, return_url="https://ajo.example")


def signed(body: bytes = BODY, secret: str = PLATFORM, age_seconds: int = 0) -> str:
    at = int(time.time()) - age_seconds
    return str(WebhookSignature.generate_signature_header(body.decode(), secret, at))


@pytest.mark.parametrize("secret", [PLATFORM, PREVIOUS])
def test_the_current_and_the_previous_secret_hold(secret: str) -> None:
    assert GATEWAY.verify_webhook(BODY, signed(secret=secret), "platform") == ThinEvent(
        id="evt_1",
        type="payment_intent.succeeded",
        account=None,
        object_id="pi_1",
        live=False,
        created_at=datetime.fromtimestamp(1_790_000_000, UTC),
    )


def test_a_connect_event_names_its_account() -> None:
    body = json.dumps({**EVENT, "account": "acct_1"}).encode()
    assert GATEWAY.verify_webhook(body, signed(body, CONNECT), "connect").account == "acct_1"


@pytest.mark.parametrize(
    ("signature", "endpoint"),
    [
        (lambda: "", "platform"),
        (lambda: "nonsense", "platform"),
        (lambda: "t=1,v1=", "platform"),
        (lambda: signed(secret="whsec_forged"), "platform"),
        (lambda: signed(secret=CONNECT), "platform"),
        (lambda: signed(secret=PLATFORM), "connect"),
        (lambda: signed(age_seconds=301), "platform"),
        (lambda: signed(BODY + b" "), "platform"),
        (lambda: signed().replace("v1=", "v0="), "platform"),
    ],
)
def test_what_is_not_stripes_is_refused(
    signature: Callable[[], str], endpoint: Literal["platform", "connect"]
) -> None:
    """Signed when its turn comes: a test's name is the same in each process that collects it."""
    with pytest.raises(BadSignature):
        GATEWAY.verify_webhook(BODY, signature(), endpoint)


def test_a_signature_of_the_last_minutes_holds() -> None:
    GATEWAY.verify_webhook(BODY, signed(age_seconds=290), "platform")


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"not json", b'{"id": "evt_1", "data": []}'])
def test_a_signed_body_that_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(BadSignature):
        GATEWAY.verify_webhook(body, signed(body), "platform")


def test_a_body_that_is_not_text_is_refused() -> None:
    with pytest.raises(BadSignature):
        GATEWAY.verify_webhook(b"\xff\xfe", signed(), "platform")


def thin(event_type: str, *, account: str | None = None, live: bool = False) -> ThinEvent:
    return ThinEvent("evt_1", event_type, account, "x_1", live, datetime.now(UTC))


@pytest.mark.parametrize(
    "event_type",
    [
        "charge.succeeded",
        "payment_intent.created",
        "customer.created",
        "balance.available",
        "capability.updated",
    ],
)
def test_what_another_event_tells_costs_no_call(event_type: str) -> None:
    assert GATEWAY.read(thin(event_type)) == NothingNew()


@pytest.mark.parametrize(
    "event",
    [
        thin("invoice.paid"),
        thin("invented.tomorrow"),
        thin("payment_intent.succeeded", live=True),
        thin("payout.paid"),  # of our own account
        thin("account.updated"),
    ],
)
def test_what_is_not_ours_to_follow_costs_no_call(event: ThinEvent) -> None:
    assert isinstance(GATEWAY.read(event), UnknownEvent)
