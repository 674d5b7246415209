"""Payment methods: cards and Bacs accounts, made from Stripe's test methods."""

from __future__ import annotations

import hashlib
from typing import Any

from infra.local.stripe import lists, test_methods
from infra.local.stripe.customers import ADDRESS
from infra.local.stripe.errors import Object, Refusal
from infra.local.stripe.params import (
    EXPAND,
    PAGE,
    Hash,
    Kind,
    Metadata,
    Text,
    Whole,
    merge_metadata,
    new_metadata,
)
from infra.local.stripe.test_methods import METHODS, Method
from infra.local.stripe.world import World

TYPES = ("card", "bacs_debit")
BILLING: dict[str, Kind] = {
    "address": ADDRESS,
    "email": Text(may_unset=True),
    "name": Text(may_unset=True),
    "phone": Text(may_unset=True),
}
CREATE: dict[str, Kind] = {
    "type": Text(choices=TYPES),
    "billing_details": Hash(BILLING),
    "card": Hash(
        {"token": Text(), "number": Text(), "exp_month": Whole(), "exp_year": Whole(), "cvc": Text()}
    ),
    "bacs_debit": Hash({"sort_code": Text(), "account_number": Text()}),
    "metadata": Metadata(),
    "expand": EXPAND,
}
LIST: dict[str, Kind] = {**PAGE, "customer": Text(), "type": Text(choices=TYPES)}


def create(world: World, account: str, params: Object) -> Object:
    """POST /v1/payment_methods"""
    kind = params["type"]
    if kind not in params:
        raise Refusal(f"Missing required param: {kind}.", code="parameter_missing", param=kind)
    given = params[kind]
    if kind == "bacs_debit":
        name = test_methods.BY_NUMBER.get(given.get("account_number", ""))
        if name is None:
            raise Refusal(
                "The account number is invalid.",
                code="account_number_invalid",
                param="bacs_debit[account_number]",
            )
    else:
        name = test_methods.TOKENS.get(given.get("token", "")) or test_methods.BY_NUMBER.get(
            given.get("number", "")
        )
        if name is None:
            raise Refusal(
                "Your card number is incorrect.",
                code="incorrect_number",
                param="card[number]",
                status=402,
                kind="card_error",
            )
    method = _new(world, account, name, params.get("billing_details"), METHODS[name].number)
    method["metadata"] = new_metadata(params)
    return world.show(method)


def resolve(world: World, account: str, method_id: str, param: str = "payment_method") -> Object:
    """A payment method by its id, or a new one of a test name such as `pm_card_visa`."""
    if method_id in METHODS:
        return _new(world, account, method_id)
    if method_id not in world.objects and method_id.startswith("pm_"):
        raise Refusal(f"No such PaymentMethod: '{method_id}'", code="resource_missing", param=param)
    return world.get(account, "payment_method", method_id, param)


def behaviour(world: World, method: Object) -> Method:
    """How payments with a method turn out."""
    return METHODS[world.secret(method["id"])["test_method"]]


def _new(
    world: World, account: str, name: str, billing: Object | None = None, number: str | None = None
) -> Object:
    """`number`: the card or account that was named. A test name stands for another one of its kind at each
    use, or all who use it would share one (at Stripe they do), and be held for that."""
    look = METHODS[name]
    method_id = world.new_id("pm")
    fingerprint = hashlib.sha256((number or method_id).encode()).hexdigest()[:16]
    given = billing or {}
    address = given.get("address") or {}
    method: Object = {
        "id": method_id,
        "object": "payment_method",
        "billing_details": {
            "address": {
                part: address.get(part) or None
                for part in ("city", "country", "line1", "line2", "postal_code", "state")
            },
            **{part: given.get(part) or None for part in ("email", "name", "phone")},
        },
        "created": world.now,
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": look.kind,
        look.kind: _card(look, fingerprint) if look.kind == "card" else _bacs(look, fingerprint),
    }
    return world.add(account, method, test_method=name)


def _card(look: Method, fingerprint: str) -> Object:
    return {
        "brand": look.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "GB",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": fingerprint,
        "funding": "credit",
        "generated_from": None,
        "last4": look.last4,
        "networks": {"available": [look.brand], "preferred": None},
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def _bacs(look: Method, fingerprint: str) -> Object:
    return {"fingerprint": fingerprint, "last4": look.last4, "sort_code": "108800"}


def retrieve(world: World, account: str, _: Object, payment_method: str) -> Object:
    """GET /v1/payment_methods/{payment_method}"""
    return world.show(resolve(world, account, payment_method))


def update(world: World, account: str, params: Object, payment_method: str) -> Object:
    """POST /v1/payment_methods/{payment_method}"""
    method = world.get(account, "payment_method", payment_method)
    if method["customer"] is None:
        raise Refusal("You must save this PaymentMethod to a customer before you can update it.")
    for part, value in params.get("billing_details", {}).items():
        method["billing_details"][part] = value or None
    merge_metadata(method, params)
    world.emit(account, "payment_method.updated", method, previous={})
    return world.show(method)


def attach(world: World, account: str, params: Object, payment_method: str) -> Object:
    """POST /v1/payment_methods/{payment_method}/attach"""
    world.get(account, "customer", params["customer"], "customer")
    method = resolve(world, account, payment_method)
    check_attachable(world, method)
    keep(world, account, method, params["customer"])
    return world.show(method)


def check_attachable(world: World, method: Object) -> None:
    """Refuse the test cards that no customer can keep (docs.stripe.com/testing, declined payments)."""
    look = behaviour(world, method)
    if not look.attachable:
        raise card_error(world, look.failure or "card_declined", look.decline)


def keep(world: World, account: str, method: Object, customer: str) -> None:
    """Attach a method to a customer; nothing happens where it is attached already."""
    if method["customer"] == customer:
        return
    if method["customer"] is not None:
        raise Refusal("The payment method you provided has already been attached to a customer.")
    if is_used_up(world, method):
        raise Refusal(
            "This PaymentMethod was previously used without being attached to a Customer or was detached "
            "from a Customer, and may not be used again."
        )
    method["customer"] = customer
    world.emit(account, "payment_method.attached", method)


def is_used_up(world: World, method: Object) -> bool:
    """Whether it was detached, or used without belonging to a customer: no further use is possible."""
    return bool(world.secret(method["id"]).get("used_up"))


def detach(world: World, account: str, _: Object, payment_method: str) -> Object:
    """POST /v1/payment_methods/{payment_method}/detach"""
    method = world.get(account, "payment_method", payment_method)
    if method["customer"] is None:
        raise Refusal(
            "The payment method you provided is not attached to a customer so detachment is impossible."
        )
    previous = {"customer": method["customer"]}
    method["customer"] = None
    world.secret(method["id"])["used_up"] = True
    world.emit(account, "payment_method.detached", method, previous=previous)
    return world.show(method)


def list_all(world: World, account: str, params: Object) -> Object:
    """GET /v1/payment_methods, and those of a customer."""
    return _listed(world, account, params, params.get("customer"), "/v1/payment_methods")


def list_of_customer(world: World, account: str, params: Object, customer: str) -> Object:
    """GET /v1/customers/{customer}/payment_methods"""
    return _listed(world, account, params, customer, f"/v1/customers/{customer}/payment_methods")


def _listed(world: World, account: str, params: Object, customer: str | None, url: str) -> Object:
    if customer is None:
        raise Refusal("Missing required param: customer.", code="parameter_missing", param="customer")
    world.get(account, "customer", customer, "customer")
    found = [
        method
        for method in world.all(account, "payment_method")
        if method["customer"] == customer and params.get("type", method["type"]) == method["type"]
    ]
    return lists.page(world, found, params, url)


def card_error(world: World, failure: str, decline: str | None, **more: Any) -> Refusal:
    """Stripe's 402 for a card that does not pay."""
    extra = dict(more)
    if decline is not None:
        extra["decline_code"] = decline
    return Refusal(
        test_methods.failure_message(failure, decline),
        code=failure,
        status=402,
        kind="card_error",
        **extra,
    )
