"""Charges: each attempt at a payment. Those by bank debit have ids in `py_`, as Stripe's have."""

from __future__ import annotations

from typing import Any

from infra.local.stripe import balance, fees, lists, test_methods
from infra.local.stripe.errors import Object
from infra.local.stripe.params import EXPAND, PAGE, RANGE, Kind, Metadata, Text, merge_metadata
from infra.local.stripe.world import CURRENCY, World

LIST: dict[str, Kind] = {
    **PAGE,
    "created": RANGE,
    "customer": Text(),
    "payment_intent": Text(),
    "transfer_group": Text(),
}
UPDATE: dict[str, Kind] = {
    "description": Text(may_unset=True),
    "expand": EXPAND,
    "metadata": Metadata(),
    "transfer_group": Text(),
}


def new(world: World, prefix: str, **fields: Any) -> Object:
    """A charge with Stripe's defaults, not yet kept."""
    charge: Object = {
        "id": world.new_id(prefix),
        "object": "charge",
        "amount": 0,
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": {
            "address": dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state")),
            "email": None,
            "name": None,
            "phone": None,
        },
        "calculated_statement_descriptor": "AJO",
        "captured": True,
        "created": world.now,
        "currency": CURRENCY,
        "customer": None,
        "description": None,
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "on_behalf_of": None,
        "outcome": None,
        "paid": False,
        "payment_intent": None,
        "payment_method": None,
        "payment_method_details": None,
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "pending",
        "transfer_data": None,
        "transfer_group": None,
    }
    return charge | fields


def of_intent(world: World, account: str, intent: Object, method: Object) -> Object:
    """A pending charge of a payment intent with a payment method."""
    card = method["type"] == "card"
    charge = new(
        world,
        "ch" if card else "py",
        amount=intent["amount"],
        billing_details=dict(method["billing_details"]),
        customer=intent["customer"],
        description=intent["description"],
        metadata=dict(intent["metadata"]),
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details=_details(world, method),
        transfer_group=intent["transfer_group"],
    )
    intent["latest_charge"] = charge["id"]
    return world.add(account, charge)


def _details(world: World, method: Object) -> Object:
    look = method[method["type"]]
    if method["type"] == "bacs_debit":
        mandate = world.secret(method["id"]).get("mandate")
        return {"type": "bacs_debit", "bacs_debit": {**look, "mandate": mandate}}
    shown = {
        name: look[name] for name in ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding")
    }
    return {
        "type": "card",
        "card": {
            **shown,
            "checks": look["checks"],
            "installments": None,
            "last4": look["last4"],
            "mandate": None,
            "network": look["brand"],
            "three_d_secure": None,
            "wallet": None,
        },
    }


def book(world: World, account: str, charge: Object, available_on: int) -> None:
    """Post it to the balance, less Stripe's fee: a debit when it is submitted, and its bank has not answered.

    support.stripe.com/questions/changes-to-balance-transaction-behavior-for-debit-payment-methods
    """
    card = charge["payment_method_details"]["type"] == "card"
    price = fees.CARD if card else fees.BACS
    txn = balance.post(
        world,
        account,
        kind="charge" if card else "payment",
        amount=charge["amount"],
        fee=price.of(charge["amount"]),
        fee_description=price.description,
        source=charge["id"],
        description=charge["description"],
        category="charge",
        available_on=available_on,
    )
    charge["balance_transaction"] = txn["id"]


def succeed(world: World, account: str, charge: Object) -> None:
    """The payment went through."""
    look = test_methods.METHODS[world.secret(charge["payment_method"])["test_method"]]
    if charge["balance_transaction"] is None:
        clears_on = world.working_days_on(fees.CARD_AVAILABLE_WORKING_DAYS)
        book(world, account, charge, world.now if look.bypass_pending else clears_on)
    charge |= {
        "amount_captured": charge["amount"],
        "outcome": _outcome("approved_by_network", "authorized", "Payment complete."),
        "paid": True,
        "status": "succeeded",
    }
    world.emit(account, "charge.succeeded", charge)


def fail(world: World, account: str, charge: Object, failure: str, decline: str | None) -> None:
    """The payment did not go through: what was booked for it is taken back, the fee as well."""
    booked = world.objects.get(charge["balance_transaction"] or "")
    if booked is not None:
        charge["failure_balance_transaction"] = balance.post(
            world,
            account,
            kind="payment_failure_refund",
            amount=-booked["amount"],
            fee=-booked["fee"],
            source=charge["id"],
            description="PAYMENT FAILURE",
            category="charge_failure",
            available_on=booked["available_on"],
        )["id"]
    charge |= {
        "captured": False,
        "failure_code": failure,
        "failure_message": test_methods.failure_message(failure, decline),
        "outcome": _outcome(
            "declined_by_network", "issuer_declined", "The bank declined this payment.", decline
        ),
        "status": "failed",
    }
    world.emit(account, "charge.failed", charge)


def _outcome(network: str, kind: str, message: str, reason: str | None = None) -> Object:
    return {
        "network_status": network,
        "reason": reason,
        "risk_level": "normal",
        "seller_message": message,
        "type": kind,
    }


def retrieve(world: World, account: str, _: Object, charge: str) -> Object:
    """GET /v1/charges/{charge}"""
    return world.show(world.get(account, "charge", charge, "charge"))


def update(world: World, account: str, params: Object, charge: str) -> Object:
    """POST /v1/charges/{charge}"""
    found = world.get(account, "charge", charge, "charge")
    for name in ("description", "transfer_group"):
        if name in params:
            found[name] = params[name] or None
    merge_metadata(found, params)
    world.emit(account, "charge.updated", found, previous={})
    return world.show(found)


def list_all(world: World, account: str, params: Object) -> Object:
    """GET /v1/charges"""
    found = world.all(account, "charge")
    for field in ("customer", "payment_intent", "transfer_group"):
        if field in params:
            found = [charge for charge in found if charge[field] == params[field]]
    return lists.page(world, found, params, "/v1/charges")
