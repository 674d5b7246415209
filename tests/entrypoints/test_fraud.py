"""Fraud checks over HTTP, on the local Stripe: who shares a card is asked about, then held, told no more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.local.stripe.core import LocalStripe
from infra.local.stripe.in_process import InProcessTransport
from shared import bootstrap
from shared.adapters.stripe_gateway import StripeGateway
from tests.entrypoints.platform import NOW, Platform
from tests.entrypoints.test_assessments import SMALL, month

CARD = {"type": "card", "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034}}
SEEN = {"Access-Reason": "A finding waits in the queue"}


@pytest.fixture
def stripe(platform: Platform) -> Iterator[LocalStripe]:
    core = LocalStripe(now=lambda: NOW)
    platform.secrets.values["stripe-secret-key"] = [b"sk_test_local"]
    platform.gateway = StripeGateway(
        platform.secrets, live=False, return_url="https://ajo.test/back", http_client=InProcessTransport(core)
    )
    with bootstrap.override(**platform.parts()):
        yield core


def attach_the_card(platform: Platform, stripe: LocalStripe, who: str) -> int:
    """Somebody signs up and gives the one card; the answer's status."""
    platform.people.add(who)
    platform.post("/v1/users", who=who)
    status, card = stripe.request("POST", "/v1/payment_methods", CARD)
    assert status == 200
    return int(platform.post("/v1/payment-methods", {"method": card["id"]}, who).status_code)


def findings(platform: Platform, who: str) -> list[tuple[str, list[str], list[str]]]:
    seen = platform.get(f"/v1/assessments/fraud/{who}", "fin", **SEEN).json
    return [(one["code"], one["holds"], one["others"]) for one in seen["findings"]]


def test_two_accounts_with_one_card_are_asked_about_and_the_third_is_held(
    platform: Platform, stripe: LocalStripe
) -> None:
    platform.people.add("fin", ["finance"])
    assert [attach_the_card(platform, stripe, who) for who in ("ada", "ben")] == [201, 201]
    consent = {"purpose": "credit_assessment", "version": "2026-11", "given": True}
    assert platform.post("/v1/users/me/consents", consent, "ada").status_code == 201

    asked = platform.post("/v1/assessments", {"statement": month(), "circle": SMALL}, "ada").json
    assert asked["outcome"] == "refer"
    told = [one for one in asked["reasons"] if one["source"] == "fraud"]
    assert [one["code"] for one in told] == ["details_to_check"]
    assert "card" not in str(told)
    assert findings(platform, "ada") == [("shared_card", [], ["ben"])]

    assert attach_the_card(platform, stripe, "cy") == 201
    held = platform.post("/v1/payment-methods", {"method": "pm_card_mastercard"}, "cy")
    assert (held.status_code, held.json["code"]) == (409, "details_to_check")
    assert findings(platform, "cy") == [("shared_card", ["adding_methods", "joining"], ["ada", "ben"])]
