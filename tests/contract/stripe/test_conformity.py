"""A broad run through the real StripeClient: all requests, answers and events are valid by the document."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
import stripe

from infra.local.stripe import control, routes
from infra.local.stripe.server import LocalStripeServer
from tests.contract.stripe import conformity


@pytest.fixture
def story(server: LocalStripeServer, client: stripe.StripeClient) -> list[dict[str, Any]]:
    """The log of a run that touches every operation."""
    _tell(server, client.v1)
    return list(server.core.requests)


def test_all_that_is_asked_and_answered_is_valid(
    story: list[dict[str, Any]], server: LocalStripeServer
) -> None:
    problems = [
        problem
        for entry in story
        for problem in conformity.check(
            entry["method"], entry["path"], entry["params"], entry["status"], entry["body"]
        )
    ]
    assert problems == []
    asked = [routes.find(entry["method"], entry["path"]) for entry in story]
    touched = {(found[0].method, found[0].path) for found in asked if found}
    assert {(route.method, route.path) for route in routes.ROUTES} - touched == set()


def test_all_events_are_valid(story: list[dict[str, Any]], server: LocalStripeServer) -> None:
    assert story
    _, events = control.handle(server.core, "GET", "events")
    assert len({event["type"] for event in events}) >= 35
    for event in events:
        assert conformity.object_problems("event", event) == []
        shown = event["data"]["object"]
        assert conformity.object_problems(shown["object"], shown) == [], event["type"]


def test_a_thousand_calls_are_checked_in_seconds(story: list[dict[str, Any]]) -> None:
    calls = (story * (1_000 // len(story) + 1))[:1_000]
    started = time.perf_counter()
    for entry in calls:
        conformity.check(entry["method"], entry["path"], entry["params"], entry["status"], entry["body"])
    assert time.perf_counter() - started < 10


def test_what_is_not_valid_is_named(story: list[dict[str, Any]]) -> None:
    paid = next(e for e in story if e["path"] == "/v1/payment_intents" and e["status"] == 200)
    good = (paid["method"], paid["path"], paid["params"], 200, paid["body"])
    assert conformity.check(*good) == []
    assert conformity.check("POST", "/v1/nonsense", {}, 200, {}) != []
    assert conformity.check(*good[:2], {**paid["params"], "amuont": "1"}, *good[3:]) != []
    assert conformity.check(*good[:2], {**paid["params"], "amount": "ten"}, *good[3:]) != []
    assert conformity.check(*good[:2], {"currency": "gbp"}, *good[3:]) != []
    assert conformity.check(*good[:4], {**paid["body"], "status": "paid"}) != []
    assert conformity.check(*good[:4], {**paid["body"], "amuont": 1}) != []
    assert conformity.check(*good[:4], {k: v for k, v in paid["body"].items() if k != "amount"}) != []
    assert conformity.check(*good[:3], 402, {"error": {"type": "sad"}}) != []


def _tell(server: LocalStripeServer, api: Any) -> None:
    customers(server, api)
    cards(server, api)
    bacs(server, api)
    recipients(server, api)
    lists(server, api)
    refusals(server, api)


def _control(server: LocalStripeServer, path: str, **body: Any) -> Any:
    status, answer = control.handle(server.core, "POST", path, body)
    assert status == 200, answer
    return answer


def _pass_days(server: LocalStripeServer, days: int) -> None:
    server.core.now.move(timedelta(days=days))  # type: ignore[attr-defined]
    server.core.advance()


def customers(server: LocalStripeServer, api: Any) -> None:
    ada = api.customers.create(
        {
            "email": "ada@ajo.example",
            "name": "Ada",
            "phone": "+447700900000",
            "address": {"line1": "1 High St", "city": "Leeds", "country": "GB"},
            "metadata": {"uid": "u1"},
        }
    )
    api.customers.retrieve(ada.id)
    method = api.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    api.payment_methods.attach(method.id, {"customer": ada.id})
    api.payment_methods.update(method.id, {"metadata": {"nick": "blue"}, "billing_details": {"name": "A"}})
    api.customers.update(
        ada.id, {"metadata": {"uid": ""}, "invoice_settings": {"default_payment_method": method.id}}
    )
    api.payment_methods.retrieve(method.id)
    api.payment_methods.list({"customer": ada.id, "type": "card"})
    api.customers.payment_methods.list(ada.id, {"limit": 3})
    api.payment_methods.detach(method.id)
    api.customers.delete(ada.id)


def _customer(api: Any) -> str:
    return str(api.customers.create({"email": "eve@ajo.example"}).id)


def cards(server: LocalStripeServer, api: Any) -> None:
    customer = _customer(api)
    setup = api.setup_intents.create({"customer": customer, "metadata": {"a": "b"}})
    api.setup_intents.update(setup.id, {"description": "card"})
    api.setup_intents.confirm(
        setup.id,
        {"payment_method": "pm_card_authenticationRequired", "return_url": "https://ajo.example"},
    )
    _control(server, f"intents/{setup.id}/authenticate")
    api.setup_intents.retrieve(setup.id, {"expand": ["payment_method", "customer"]})
    api.setup_intents.cancel(api.setup_intents.create({}).id, {"cancellation_reason": "abandoned"})
    failing = api.setup_intents.create({"payment_method": "pm_card_chargeDeclined"})
    with pytest.raises(stripe.CardError):
        api.setup_intents.confirm(failing.id)
    session = api.checkout.sessions.create(
        {
            "mode": "setup",
            "customer": customer,
            "payment_method_types": ["card", "bacs_debit"],
            "success_url": "https://ajo.example/done?session={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://ajo.example/no",
        }
    )
    _control(server, f"checkout_sessions/{session.id}/complete", payment_method="pm_bacsDebit_success")
    api.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent.mandate"]})
    other = api.checkout.sessions.create(
        {"mode": "setup", "payment_method_types": ["card"], "success_url": "https://ajo.example"}
    )
    api.checkout.sessions.expire(other.id)
    api.checkout.sessions.list()
    _payments(server, api, customer)


def _payments(server: LocalStripeServer, api: Any, customer: str) -> None:
    visa = api.payment_methods.attach("pm_card_visa", {"customer": customer}).id
    debit = {"amount": 10_000, "currency": "gbp", "customer": customer, "confirm": True}
    paid = api.payment_intents.create(
        {
            **debit,
            "payment_method": visa,
            "off_session": True,
            "transfer_group": "grp:1",
            "description": "cycle 1",
            "metadata": {"attempt": "att_1"},
            "expand": ["latest_charge.balance_transaction", "payment_method"],
        },
        {"idempotency_key": "att_1"},
    )
    api.payment_intents.update(paid.id, {"metadata": {"seen": "1"}})
    api.charges.update(paid.latest_charge.id, {"metadata": {"seen": "1"}})
    api.refunds.update(
        api.refunds.create({"payment_intent": paid.id, "amount": 500, "reason": "duplicate"}).id,
        {"metadata": {"r": "1"}},
    )
    for method in ("pm_card_chargeDeclinedInsufficientFunds", "pm_card_chargeDeclinedExpiredCard"):
        with pytest.raises(stripe.CardError):
            api.payment_intents.create({**debit, "payment_method": method})
    always = api.payment_methods.attach("pm_card_authenticationRequired", {"customer": customer}).id
    with pytest.raises(stripe.CardError) as raised:
        api.payment_intents.create({**debit, "payment_method": always, "off_session": True})
    intent = raised.value.error.payment_intent.id  # type: ignore[union-attr]
    for succeeds in (False, True):
        api.payment_intents.confirm(intent, {"payment_method": always, "return_url": "https://ajo.example"})
        _control(server, f"intents/{intent}/authenticate", succeeds=succeeds)
    without_return = api.payment_intents.create({**debit, "payment_method": always})
    assert without_return.next_action.type == "use_stripe_sdk"
    api.payment_intents.cancel(without_return.id, {"cancellation_reason": "abandoned"})
    disputed = api.payment_intents.create({**debit, "payment_method": "pm_card_createDispute"})
    _pass_days(server, 1)
    dispute = api.disputes.list({"payment_intent": disputed.id}).data[0]
    api.disputes.update(dispute.id, {"metadata": {"d": "1"}})
    _control(server, f"disputes/{dispute.id}", status="lost")
    _control(server, f"disputes/{dispute.id}", status="won")
    api.disputes.retrieve(dispute.id)
    lost = _control(server, f"charges/{paid.id}/dispute", reason="fraudulent")
    api.disputes.close(lost["id"])


def bacs(server: LocalStripeServer, api: Any) -> None:
    customer = _customer(api)
    saved = {}
    for method in ("success", "insufficientFunds", "debitNotAuthorized", "dispute", "mandateRefused"):
        setup = api.setup_intents.create(
            {
                "customer": customer,
                "payment_method": f"pm_bacsDebit_{method}",
                "payment_method_types": ["bacs_debit"],
                "mandate_data": {
                    "customer_acceptance": {
                        "type": "online",
                        "online": {"ip_address": "10.0.0.1", "user_agent": "test"},
                    }
                },
                "confirm": True,
                "expand": ["mandate"],
            }
        )
        api.mandates.retrieve(setup.mandate.id)
        saved[method] = setup.payment_method
        debit = {
            "amount": 50_000,
            "currency": "gbp",
            "customer": customer,
            "payment_method": setup.payment_method,
            "payment_method_types": ["bacs_debit"],
            "confirm": True,
            "off_session": True,
        }
        if method == "mandateRefused":
            with pytest.raises(stripe.InvalidRequestError):
                api.payment_intents.create(debit)
        else:
            api.payment_intents.create(debit)
    _pass_days(server, 20)
    again = api.payment_intents.create({**debit, "payment_method": saved["success"]})
    _pass_days(server, 20)
    api.refunds.create({"payment_intent": again.id})
    _pass_days(server, 9)


def recipients(server: LocalStripeServer, api: Any) -> None:
    api.topups.retrieve(api.topups.create({"amount": 100_000, "currency": "gbp", "metadata": {"c": "1"}}).id)
    account = api.accounts.create(
        {
            "type": "express",
            "country": "GB",
            "email": "bob@ajo.example",
            "business_type": "individual",
            "business_profile": {"mcc": "7276", "product_description": "savings circle"},
            "capabilities": {"transfers": {"requested": True}, "card_payments": {"requested": True}},
            "settings": {"payouts": {"schedule": {"interval": "manual"}}},
            "metadata": {"uid": "u2"},
        }
    ).id
    link = {"return_url": "https://ajo.example/r", "refresh_url": "https://ajo.example/f"}
    api.account_links.create({"account": account, "type": "account_onboarding", **link})
    _control(server, f"accounts/{account}/onboard")
    api.accounts.retrieve(account)
    api.accounts.retrieve_current()
    api.accounts.update(account, {"metadata": {"uid": "u3"}})
    api.accounts.capabilities.list(account)
    api.accounts.capabilities.retrieve(account, "transfers")
    bank = api.accounts.external_accounts.list(account).data[0].id
    api.accounts.external_accounts.retrieve(account, bank)
    api.accounts.login_links.create(account)
    api.accounts.list()
    charge = next(c for c in api.charges.list({"limit": 100}) if c.paid and not c.amount_refunded)
    sent = api.transfers.create(
        {
            "amount": 30_000,
            "currency": "gbp",
            "destination": account,
            "transfer_group": "grp:1",
            "metadata": {"payout": "pay_1"},
            "expand": ["destination_payment", "balance_transaction"],
        }
    )
    api.transfers.update(sent.id, {"metadata": {"seen": "1"}})
    api.transfers.create(
        {"amount": 100, "currency": "gbp", "destination": account, "source_transaction": charge.id}
    )
    reversal = api.transfers.reversals.create(sent.id, {"amount": 1_000, "metadata": {"why": "x"}})
    api.transfers.reversals.retrieve(sent.id, reversal.id)
    api.transfers.reversals.list(sent.id)
    api.transfers.retrieve(sent.id)
    _payouts(server, api, account)
    custom = api.accounts.create({"type": "custom", "country": "GB"}).id
    server.core.request(
        "POST",
        f"/v1/accounts/{custom}/external_accounts",
        {"bank_account": {"account_number": "00012345", "routing_number": "108800", "country": "GB"}},
    )
    api.accounts.delete(custom)
    session = api.identity.verification_sessions.create(
        {"type": "document", "return_url": "https://a.example"}
    )
    _control(server, f"identity/{session.id}", verified=False)
    _control(server, f"identity/{session.id}")
    api.identity.verification_sessions.retrieve(session.id)
    api.identity.verification_sessions.cancel(
        api.identity.verification_sessions.create({"type": "document"}).id
    )


def _payouts(server: LocalStripeServer, api: Any, account: str) -> None:
    there = {"stripe_account": account}
    first = api.payouts.create({"amount": 2_000, "currency": "gbp", "metadata": {"p": "1"}}, there)
    api.payouts.cancel(first.id, options=there)
    second = api.payouts.create({"amount": 2_000, "currency": "gbp"}, there)
    api.payouts.update(second.id, {"metadata": {"p": "2"}}, there)
    _pass_days(server, 5)
    _control(server, f"payouts/{second.id}/fail")
    api.payouts.retrieve(second.id, options=there)
    _control(server, f"accounts/{account}/bank", account_number="11111116")
    third = api.payouts.create({"amount": 2_000, "currency": "gbp"}, there)
    _pass_days(server, 5)
    assert api.payouts.retrieve(third.id, options=there).failure_code == "no_account"
    _control(server, f"accounts/{account}/bank")
    _control(server, f"accounts/{account}/disable")
    api.accounts.retrieve(account)
    _control(server, f"accounts/{account}/cure")
    api.accounts.update(account, {"settings": {"payouts": {"schedule": {"interval": "daily"}}}})
    _pass_days(server, 5)
    swept = api.payouts.list({"status": "paid"}, there).data[0]
    assert swept.automatic
    api.balance_transactions.list({"payout": swept.id, "expand": ["data.source"]}, there)
    api.charges.retrieve(api.charges.list(options=there).data[0].id, options=there)


def lists(server: LocalStripeServer, api: Any) -> None:
    api.balance.retrieve()
    _control(server, "connect_fees", amount=1_234)
    everything = api.balance_transactions.list({"limit": 100, "expand": ["data.source"]})
    api.balance_transactions.retrieve(everything.data[0].id, {"expand": ["source"]})
    api.balance_transactions.list({"type": "charge", "created": {"gte": 1}})
    api.payment_intents.list({"limit": 2})
    api.payment_intents.retrieve(
        api.payment_intents.list().data[0].id, {"expand": ["latest_charge.balance_transaction"]}
    )
    api.payment_intents.search({"query": "metadata['attempt']:'att_1' AND status:'succeeded'"})
    api.setup_intents.list()
    api.refunds.retrieve(api.refunds.list().data[0].id)
    api.disputes.list({"limit": 1})
    api.transfers.list({"transfer_group": "grp:1", "expand": ["data.destination_payment"]})
    api.topups.list()
    api.customers.list({"email": "eve@ajo.example"})
    api.identity.verification_sessions.list()
    events = api.events.list({"limit": 100, "types": ["payment_intent.*", "charge.*"]})
    api.events.retrieve(events.data[0].id)
    api.payment_methods.list({"customer": api.customers.list().data[0].id})


def refusals(server: LocalStripeServer, api: Any) -> None:
    for path, form in (
        ("/v1/transfers", {"amount": "100", "currency": "gbp", "destination": "acct_none"}),
        ("/v1/payment_intents", {"amount": "1", "currency": "gbp"}),
        ("/v1/customers", {"nonsense": "1"}),
        ("/v1/refunds", {"charge": "ch_none"}),
    ):
        assert server.core.request("POST", path, form)[0] >= 400
