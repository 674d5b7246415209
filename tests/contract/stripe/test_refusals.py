"""A request that Stripe would refuse is refused, with Stripe's own status, type, code and param."""

from __future__ import annotations

from typing import Any

import pytest

from infra.local.stripe.params import Metadata

from .conftest import Shop

PAY = {"amount": 500, "currency": "gbp"}
ACCEPTED = {"customer_acceptance": {"type": "offline"}}
Form = dict[str, Any]


@pytest.mark.parametrize(
    ("path", "form", "code", "param"),
    [
        ("customers", {"emial": "a@ajo.example"}, "parameter_unknown", "emial"),
        ("customers", {"address": {"planet": "Mars"}}, "parameter_unknown", "address[planet]"),
        ("payment_intents", {"currency": "gbp"}, "parameter_missing", "amount"),
        ("payment_intents", {"amount": "500"}, "parameter_missing", "currency"),
        ("payment_intents", {**PAY, "amount": "five"}, "parameter_invalid_integer", "amount"),
        ("payment_intents", {**PAY, "amount": "5.00"}, "parameter_invalid_integer", "amount"),
        ("payment_intents", {**PAY, "amount": 0}, "parameter_invalid_integer", "amount"),
        ("payment_intents", {**PAY, "amount": -100}, "parameter_invalid_integer", "amount"),
        ("payment_intents", {**PAY, "amount": 29}, "amount_too_small", "amount"),
        ("payment_intents", {**PAY, "amount": 100_000_000}, "amount_too_large", "amount"),
        ("payment_intents", {**PAY, "currency": "zzzz"}, None, "currency"),
        ("payment_intents", {**PAY, "confirm": "maybe"}, None, "confirm"),
        ("payment_intents", {**PAY, "capture_method": "later"}, None, "capture_method"),
        ("payment_intents", {**PAY, "payment_method_types": "card"}, None, "payment_method_types"),
        ("payment_intents", {**PAY, "payment_method_types": ["cash"]}, None, "payment_method_types[0]"),
        ("payment_intents", {**PAY, "payment_method": "pm_none"}, "resource_missing", "payment_method"),
        ("payment_intents", {**PAY, "customer": "cus_none"}, "resource_missing", "customer"),
        ("payment_intents", {**PAY, "customer": ""}, "parameter_invalid_empty", "customer"),
        ("payment_intents", {**PAY, "off_session": True}, None, "off_session"),
        ("payment_intents", {**PAY, "confirm": True}, "payment_intent_unexpected_state", None),
        (
            "payment_intents",
            {"amount": 500, "currency": "eur", "payment_method_types": ["bacs_debit"]},
            None,
            "currency",
        ),
        (
            "payment_intents",
            {**PAY, "payment_method": "pm_bacsDebit_success", "confirm": True},
            None,
            "payment_method",
        ),
        (
            "payment_intents",
            {
                **PAY,
                "payment_method": "pm_bacsDebit_success",
                "payment_method_types": ["bacs_debit"],
                "confirm": True,
            },
            "payment_intent_mandate_invalid",
            "mandate_data",
        ),
        (
            "payment_intents",
            {
                "amount": 10_000_001,
                "currency": "gbp",
                "payment_method": "pm_bacsDebit_success",
                "payment_method_types": ["bacs_debit"],
                "mandate_data": ACCEPTED,
                "confirm": True,
            },
            "amount_too_large",
            "amount",
        ),
        ("payment_methods/pm_card_visa/attach", {}, "parameter_missing", "customer"),
        ("payment_methods/pm_none/attach", {"customer": "cus_none"}, "resource_missing", "customer"),
        ("payment_methods", {"type": "card"}, "parameter_missing", "card"),
        ("setup_intents/seti_none/confirm", {}, "resource_missing", "intent"),
        (
            "setup_intents",
            {
                "payment_method": "pm_bacsDebit_success",
                "payment_method_types": ["bacs_debit"],
                "confirm": True,
            },
            "parameter_missing",
            "mandate_data",
        ),
        ("transfers", PAY, "parameter_missing", "destination"),
        ("transfers", {"currency": "gbp", "destination": "acct_x"}, "parameter_missing", "amount"),
        ("transfers", {**PAY, "destination": "acct_none"}, "resource_missing", "destination"),
        ("transfers/tr_none/reversals", {}, "resource_missing", "transfer"),
        ("payouts", {**PAY, "method": "pigeon"}, None, "method"),
        ("payouts", PAY, "balance_insufficient", None),
        ("refunds", {"charge": "ch_none"}, "resource_missing", "charge"),
        ("refunds", {}, None, None),
        ("accounts", {"type": "deluxe"}, None, "type"),
        ("accounts", {}, "parameter_missing", "type"),
        ("account_links", {"type": "account_onboarding"}, "parameter_missing", "account"),
        ("checkout/sessions", {"mode": "setup"}, "parameter_missing", "success_url"),
        ("nonsense", {}, None, None),
    ],
)
def test_refused(shop: Shop, path: str, form: Form, code: str | None, param: str | None) -> None:
    error = shop.refused("POST", f"/v1/{path}", form)
    assert error["type"] == "invalid_request_error"
    assert (error.get("code"), error.get("param")) == (code, param)
    assert error["status"] == (
        404 if code == "resource_missing" and param != "payment_method" else error["status"]
    )
    assert shop.api.events.list().data == []


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("payment_intents", {"amount": 500, "currency": "eur"}),
        ("payment_intents", {**PAY, "capture_method": "manual"}),
        ("checkout/sessions", {"mode": "payment", "success_url": "https://ajo.example"}),
        ("accounts", {"type": "standard"}),
        ("accounts", {"type": "express", "country": "FR"}),
        ("payouts", {**PAY, "method": "instant"}),
    ],
)
def test_what_only_stripe_does_is_refused_aloud(shop: Shop, path: str, form: Form) -> None:
    assert "The local Stripe does not do this" in shop.refused("POST", f"/v1/{path}", form)["message"]


def test_no_payment_is_confirmed_or_cancelled_twice(shop: Shop) -> None:
    paid = shop.pay()
    for verb in ("confirm", "cancel"):
        error = shop.refused("POST", f"/v1/payment_intents/{paid.id}/{verb}", {})
        assert error["code"] == "payment_intent_unexpected_state"
        assert error["payment_intent"]["status"] == "succeeded"
    error = shop.refused("POST", f"/v1/payment_intents/{paid.id}", {"amount": 600})
    assert error["code"] == "payment_intent_unexpected_state"


def test_a_cancelled_intent_stays_so(shop: Shop) -> None:
    intent = shop.api.payment_intents.create(PAY)
    shop.api.payment_intents.cancel(intent.id)
    error = shop.refused(
        "POST", f"/v1/payment_intents/{intent.id}/confirm", {"payment_method": "pm_card_visa"}
    )
    assert error["code"] == "payment_intent_unexpected_state"


def test_a_set_up_intent_is_confirmed_once(shop: Shop) -> None:
    intent = shop.api.setup_intents.create({"payment_method": "pm_card_visa", "confirm": True})
    assert intent.status == "succeeded"
    for verb in ("confirm", "cancel"):
        error = shop.refused("POST", f"/v1/setup_intents/{intent.id}/{verb}", {})
        assert error["code"] == "setup_intent_unexpected_state"


def test_a_card_belongs_to_one_customer(shop: Shop) -> None:
    _, saved = shop.customer_with()
    other = shop.api.customers.create().id
    attach = shop.refused("POST", f"/v1/payment_methods/{saved}/attach", {"customer": other})
    assert "already been attached" in attach["message"]
    theirs = {**PAY, "payment_method": saved, "customer": other}
    assert shop.refused("POST", "/v1/payment_intents", theirs)["param"] == "payment_method"
    nobodys = {**PAY, "payment_method": saved}
    assert "belongs to the customer" in shop.refused("POST", "/v1/payment_intents", nobodys)["message"]


def test_a_detached_card_is_gone_for_good(shop: Shop) -> None:
    customer, saved = shop.customer_with()
    shop.api.payment_methods.detach(saved)
    assert (
        shop.refused("POST", f"/v1/payment_methods/{saved}/attach", {"customer": customer})["status"] == 400
    )
    error = shop.refused("POST", "/v1/payment_intents", {**PAY, "payment_method": saved})
    assert "may not be used again" in error["message"] or "not be used again" in error["message"]


def test_transfers_need_the_capability_and_the_money(shop: Shop) -> None:
    account = shop.api.accounts.create(
        {"type": "express", "capabilities": {"transfers": {"requested": True}}}
    ).id
    form = {**PAY, "destination": account}
    error = shop.refused("POST", "/v1/transfers", form)
    assert error["code"] == "insufficient_capabilities_for_transfer"
    shop.control(f"accounts/{account}/onboard")
    assert shop.refused("POST", "/v1/transfers", form)["code"] == "balance_insufficient"
    shop.top_up(499)
    assert shop.refused("POST", "/v1/transfers", form)["code"] == "balance_insufficient"
    shop.top_up(1)
    assert shop.core.request("POST", "/v1/transfers", form)[0] == 200


def test_pending_money_does_not_pay_out(shop: Shop) -> None:
    shop.pay(10_000)
    error = shop.refused("POST", "/v1/transfers", {**PAY, "destination": shop.recipient()})
    assert error["code"] == "balance_insufficient"


@pytest.mark.parametrize(
    ("path", "form", "param"),
    [
        ("payment_intents", {"limit": 101}, "limit"),
        ("payment_intents", {"limit": "x"}, "limit"),
        ("payment_intents", {"starting_after": "pi_none"}, "starting_after"),
        ("payment_intents", {"color": "red"}, "color"),
        ("payment_intents", {"created": {"above": 1}}, "created[above]"),
        ("balance_transactions", {"available_on": 1}, "available_on"),
        ("balance_transactions", {"payout": "po_none"}, "payout"),
        ("payment_methods", {}, "customer"),
        ("balance", {"expand": ["available.x"]}, "expand"),
        ("customers/cus_none", {}, "id"),
        ("events/evt_none", {}, "id"),
    ],
)
def test_refused_to_read(shop: Shop, path: str, form: Form, param: str) -> None:
    assert shop.refused("GET", f"/v1/{path}", form)["param"] == param


def test_what_cannot_be_expanded_is_refused(shop: Shop) -> None:
    paid = shop.pay()
    for path in ("amount", "nonsense", "latest_charge.amount"):
        error = shop.refused("GET", f"/v1/payment_intents/{paid.id}", {"expand": [path]})
        assert "cannot be expanded" in error["message"]
    deep = "latest_charge.balance_transaction.source.payment_intent.customer"
    assert "levels" in shop.refused("GET", f"/v1/payment_intents/{paid.id}", {"expand": [deep]})["message"]


def test_metadata_has_limits(shop: Shop) -> None:
    for metadata in (
        {"k" * 41: "v"},
        {"k": "v" * 501},
        {str(at): "v" for at in range(51)},
        {"k": {"nested": "v"}},
    ):
        assert shop.refused("POST", "/v1/customers", {"metadata": metadata})["status"] == 400
    assert Metadata().read({"k" * 40: "v" * 500}, "metadata")


def test_the_other_api_version_is_refused(shop: Shop) -> None:
    error = shop.refused("GET", "/v1/balance", {}, api_version="2026-10-28.endive")
    assert "2022-11-15" in error["message"]


def test_only_the_platform_makes_accounts_and_top_ups(shop: Shop) -> None:
    recipient = shop.recipient()
    for path, form in (("accounts", {"type": "express"}), ("topups", PAY)):
        assert shop.refused("POST", f"/v1/{path}", form, account=recipient)["status"] == 403
