"""Stripe's webhooks: verified with its own library, published thin, answered only once that is confirmed."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import sys
import time
from typing import Any

import pytest

from shared.adapters.stripe_gateway.gateway import StripeGateway
from tests.entrypoints.platform import ROOT, Platform, Reply

EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "payment_intent.succeeded",
    "livemode": False,
    "created": 1_795_510_800,
    "data": {"object": {"id": "pi_1", "object": "payment_intent", "receipt_email": "ada@example.test"}},
}
THIN = {
    "id": "evt_1",
    "type": "payment_intent.succeeded",
    "account": None,
    "object_id": "pi_1",
    "live": False,
    "created_at": "2026-11-24T09:00:00+00:00",
}


@pytest.fixture
def stripe(platform: Platform) -> Platform:
    """The platform with the real check of signatures, and two secrets while one rotates."""
    platform.secrets.values = {
        "stripe-webhook-secret": [b"whsec_new", b"whsec_old"],
        "stripe-connect-webhook-secret": [b"whsec_connect"],
    }
    gateway = StripeGateway(platform.secrets, live=False, return_url="https://app.example/authenticated")
    from shared import bootstrap

    bootstrap._parts["gateway"] = gateway
    return platform


def sign(body: bytes, key: str = "whsec_new", age_seconds: int = 0) -> str:
    at = int(time.time()) - age_seconds
    digest = hmac.new(key.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def deliver(
    platform: Platform, event: Any = EVENT, endpoint: str = "platform", signature: str | None = None
) -> Reply:
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    headers = {"Stripe-Signature": sign(body) if signature is None else signature}
    return platform.client("stripe_webhook").post(f"/{endpoint}", data=body, headers=headers)


def test_a_genuine_event_is_published_thin(stripe: Platform) -> None:
    answer = deliver(stripe)
    assert (answer.status_code, answer.json) == (200, {"received": "evt_1"})
    assert stripe.topics.published == [("process_payment_event", THIN)]
    assert (stripe.store.loads, stripe.store.commits) == (0, 0)


def test_a_connected_account_is_named(stripe: Platform) -> None:
    event = EVENT | {"account": "acct_1"}
    signature = sign(json.dumps(event).encode(), "whsec_connect")
    assert deliver(stripe, event, "connect", signature).status_code == 200
    assert stripe.topics.published[0][1]["account"] == "acct_1"


def test_the_deployed_path_is_as_good(stripe: Platform) -> None:
    assert deliver(stripe, endpoint="webhooks/stripe/platform").status_code == 200


def test_the_previous_secret_is_good_while_it_rotates(stripe: Platform) -> None:
    assert deliver(stripe, signature=sign(json.dumps(EVENT).encode(), "whsec_old")).status_code == 200


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "nonsense",
        "t=,v1=",
        "t=soon,v1=00",
        "t=1,v1=ééé",
        sign(b"another body"),
        sign(json.dumps(EVENT).encode(), "whsec_forged"),
        sign(json.dumps(EVENT).encode(), "whsec_connect"),
        sign(json.dumps(EVENT).encode(), age_seconds=301),
    ],
    ids=range(9),
)
def test_a_forged_or_old_signature_is_refused(stripe: Platform, signature: str) -> None:
    answer = deliver(stripe, signature=signature)
    assert (answer.status_code, answer.json["code"]) == (400, "bad_signature")
    assert answer.content_type == "application/problem+json"
    assert stripe.topics.published == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"not json", b'{"id": "evt_1"}'])
def test_a_signed_body_that_is_no_event_is_refused(stripe: Platform, body: bytes) -> None:
    assert deliver(stripe, body).status_code == 400
    assert stripe.topics.published == []


def test_a_body_over_a_quarter_megabyte_is_refused(stripe: Platform) -> None:
    answer = deliver(stripe, b" " * 262_145)
    assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")


def test_stripe_is_told_to_try_again_until_the_topic_confirms(stripe: Platform) -> None:
    stripe.topics.down = True
    assert deliver(stripe).status_code == 503
    stripe.topics.down = False
    assert deliver(stripe).status_code == 200


@pytest.mark.parametrize("endpoint", ["", "somewhere", "platform/x"])
def test_other_endpoints_are_not_there(stripe: Platform, endpoint: str) -> None:
    assert deliver(stripe, endpoint=endpoint).status_code == 404


def test_only_post_is_taken(stripe: Platform) -> None:
    assert stripe.client("stripe_webhook").get("/platform").status_code == 404


def test_firestore_is_never_loaded() -> None:
    """In a process of its own: sign, deliver, and look at what was imported on the way."""
    script = """
import json, sys
from shared import bootstrap
GATEWAY = "shared.adapters.stripe_gateway"
from tests.entrypoints.platform import KnownSecrets, Platform, Reply, SETTINGS, Topics
from tests.entrypoints.test_stripe_webhook import deliver, sign, EVENT
for name in [name for name in sys.modules if name.startswith(("google.cloud.firestore", "shared.adapters"))]:
    del sys.modules[name]
secrets = KnownSecrets()
secrets.values = {"stripe-webhook-secret": [b"whsec_new"]}
with bootstrap.override(settings=SETTINGS, secrets=secrets, publisher=Topics()):
    answer = deliver(Platform.__new__(Platform))
assert answer.status_code == 200, answer.text
print(json.dumps([name for name in sorted(sys.modules) if "firestore" in name or name == GATEWAY]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(done.stdout.splitlines()[-1]) == ["shared.adapters.stripe_gateway"]
