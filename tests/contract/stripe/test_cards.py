"""Payments by card: paid, declined, authenticated, searched for."""

from __future__ import annotations

import pytest
import stripe

from .conftest import Shop


def test_a_saved_card_pays_off_session(shop: Shop) -> None:
    paid = shop.pay(10_000, transfer_group="grp:1", metadata={"attempt": "att_1"})
    assert (paid.status, paid.amount_received) == ("succeeded", 10_000)
    charge = shop.api.charges.retrieve(paid.latest_charge)
    assert (charge.paid, charge.metadata["attempt"], charge.transfer_group) == (True, "att_1", "grp:1")
    assert shop.deliver()[-3:] == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]


@pytest.mark.parametrize(
    ("method", "code", "decline"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", None),
    ],
)
def test_a_declined_card_leaves_the_intent_open(
    shop: Shop, method: str, code: str, decline: str | None
) -> None:
    form = {"amount": 10_000, "currency": "gbp", "payment_method": method, "confirm": True}
    error = shop.refused("POST", "/v1/payment_intents", form)
    assert (error["status"], error["type"]) == (402, "card_error")
    assert (error["code"], error.get("decline_code")) == (code, decline)
    intent = shop.api.payment_intents.retrieve(error["payment_intent"]["id"], {"expand": ["latest_charge"]})
    assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
    assert intent.last_payment_error.code == code
    assert (intent.latest_charge.status, intent.latest_charge.failure_code) == ("failed", code)
    assert shop.balance() == (0, 0)
    assert shop.deliver() == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]


def test_a_declined_intent_is_paid_by_another_card(shop: Shop) -> None:
    form = {"amount": 10_000, "currency": "gbp", "payment_method": "pm_card_chargeDeclined", "confirm": True}
    intent = shop.refused("POST", "/v1/payment_intents", form)["payment_intent"]["id"]
    paid = shop.api.payment_intents.confirm(intent, {"payment_method": "pm_card_visa"})
    assert paid.status == "succeeded"
    assert len(shop.api.charges.list({"payment_intent": intent}).data) == 2


def test_only_one_declined_card_can_be_saved(shop: Shop) -> None:
    customer, saved = shop.customer_with("pm_card_chargeCustomerFail")
    with pytest.raises(stripe.CardError):
        shop.debit(customer, saved)
    with pytest.raises(stripe.CardError):
        shop.customer_with("pm_card_chargeDeclined")


def test_a_failure_can_be_ordered_for_a_good_card(shop: Shop) -> None:
    customer, saved = shop.customer_with()
    shop.control(f"payment_methods/{saved}/outcomes", failures=["insufficient_funds", "expired_card"])
    for code, decline in (("card_declined", "insufficient_funds"), ("expired_card", None)):
        with pytest.raises(stripe.CardError) as raised:
            shop.debit(customer, saved)
        assert raised.value.code == code
        assert raised.value.error is not None
        assert getattr(raised.value.error, "decline_code", None) == decline
    assert shop.debit(customer, saved).status == "succeeded"


def test_a_card_that_wants_authentication_fails_off_session_and_then_asks(shop: Shop) -> None:
    customer, saved = shop.customer_with("pm_card_authenticationRequired")
    with pytest.raises(stripe.CardError) as raised:
        shop.debit(customer, saved)
    assert raised.value.code == "authentication_required"
    assert raised.value.error is not None
    intent = raised.value.error.payment_intent.id  # type: ignore[union-attr]
    shop.deliver()
    asked = shop.api.payment_intents.confirm(
        intent, {"payment_method": saved, "return_url": "https://ajo.example/"}
    )
    assert asked.status == "requires_action"
    assert asked.next_action.redirect_to_url.url.endswith(f"/_hosted/authenticate/{intent}")
    shop.control(f"intents/{intent}/authenticate", succeeds=False)
    failed = shop.api.payment_intents.retrieve(intent)
    assert failed.status == "requires_payment_method"
    assert failed.last_payment_error.code == "payment_intent_authentication_failure"
    shop.api.payment_intents.confirm(intent, {"payment_method": saved, "return_url": "https://ajo.example/"})
    shop.control(f"intents/{intent}/authenticate")
    assert shop.api.payment_intents.retrieve(intent).status == "succeeded"
    assert shop.deliver() == [
        "payment_intent.requires_action",
        "payment_intent.payment_failed",
        "payment_intent.requires_action",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]


def test_a_card_authenticated_at_set_up_pays_off_session(shop: Shop) -> None:
    customer = shop.api.customers.create().id
    method = "pm_card_authenticationRequiredOnSetup"
    intent = shop.api.setup_intents.create(
        {
            "customer": customer,
            "payment_method": method,
            "confirm": True,
            "return_url": "https://ajo.example/",
        }
    )
    assert intent.status == "requires_action"
    shop.control(f"intents/{intent.id}/authenticate")
    saved = shop.api.setup_intents.retrieve(intent.id)
    assert saved.status == "succeeded"
    assert shop.debit(customer, saved.payment_method).status == "succeeded"


def test_an_error_can_be_had_instead_of_an_action(shop: Shop) -> None:
    customer, saved = shop.customer_with("pm_card_authenticationRequired")
    form = {"amount": 500, "currency": "gbp", "customer": customer, "payment_method": saved, "confirm": True}
    error = shop.refused("POST", "/v1/payment_intents", {**form, "error_on_requires_action": True})
    assert error["code"] == "authentication_required"


def test_a_card_used_without_a_customer_cannot_be_used_again(shop: Shop) -> None:
    form = {"amount": 500, "currency": "gbp", "payment_method": "pm_card_visa", "confirm": True}
    _, paid = shop.core.request("POST", "/v1/payment_intents", form)
    error = shop.refused("POST", "/v1/payment_intents", {**form, "payment_method": paid["payment_method"]})
    assert "may not be used again" in error["message"]


def test_intents_are_found_by_metadata(shop: Shop) -> None:
    wanted = shop.pay(metadata={"attempt": "att_1", "odd": "it's"})
    shop.pay(metadata={"attempt": "att_2"})
    search = shop.api.payment_intents.search
    assert [i.id for i in search({"query": "metadata['attempt']:'att_1'"}).data] == [wanted.id]
    assert [i.id for i in search({"query": r"metadata['odd']:'it\'s' AND status:'succeeded'"}).data] == [
        wanted.id
    ]
    assert len(search({"query": 'status:"succeeded" AND amount>9999'}).data) == 2
    assert [i.id for i in search({"query": "-metadata['attempt']:'att_2'"}).data] == [wanted.id]
    assert search({"query": "metadata['attempt']:'none'"}).data == []
    error = shop.refused("GET", "/v1/payment_intents/search", {"query": "nonsense"})
    assert error["param"] == "query"


def test_metadata_is_merged_and_unset(shop: Shop) -> None:
    paid = shop.pay(metadata={"a": "1", "b": "2"})
    changed = shop.api.payment_intents.update(paid.id, {"metadata": {"a": "", "c": "3"}})
    assert dict(changed.metadata.to_dict()) == {"b": "2", "c": "3"}
    status, body = shop.core.request("POST", f"/v1/payment_intents/{paid.id}", {"metadata": ""})
    assert (status, body["metadata"]) == (200, {})
