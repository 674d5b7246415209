"""Customers."""

from __future__ import annotations

from infra.local.stripe import lists
from infra.local.stripe.errors import Object
from infra.local.stripe.params import (
    EXPAND,
    PAGE,
    RANGE,
    Hash,
    Kind,
    Metadata,
    Text,
    merge_metadata,
    new_metadata,
)
from infra.local.stripe.world import World

ADDRESS = Hash(
    {name: Text(may_unset=True) for name in ("city", "country", "line1", "line2", "postal_code", "state")}
)
FIELDS: dict[str, Kind] = {
    "address": ADDRESS,
    "description": Text(may_unset=True),
    "email": Text(most=512, may_unset=True),
    "expand": EXPAND,
    "invoice_settings": Hash({"default_payment_method": Text()}),
    "metadata": Metadata(),
    "name": Text(most=256, may_unset=True),
    "phone": Text(most=20, may_unset=True),
}
LIST: dict[str, Kind] = {**PAGE, "created": RANGE, "email": Text()}


def create(world: World, account: str, params: Object) -> Object:
    """POST /v1/customers"""
    customer: Object = {
        "id": world.new_id("cus", 14),
        "object": "customer",
        "address": params.get("address"),
        "balance": 0,
        "created": world.now,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": params.get("description"),
        "discount": None,
        "email": params.get("email"),
        "invoice_prefix": world.new_id("x", 8)[2:].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": new_metadata(params),
        "name": params.get("name"),
        "phone": params.get("phone"),
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
    world.add(account, customer)
    world.emit(account, "customer.created", customer)
    return world.show(customer)


def retrieve(world: World, account: str, _: Object, customer: str) -> Object:
    """GET /v1/customers/{customer}"""
    return world.show(world.get(account, "customer", customer))


def update(world: World, account: str, params: Object, customer: str) -> Object:
    """POST /v1/customers/{customer}"""
    found = world.get(account, "customer", customer)
    for name in ("address", "description", "email", "name", "phone"):
        if name in params:
            found[name] = params[name] or None
    if "invoice_settings" in params:
        method = params["invoice_settings"]["default_payment_method"]
        world.get(account, "payment_method", method, "invoice_settings[default_payment_method]")
        found["invoice_settings"]["default_payment_method"] = method
    merge_metadata(found, params)
    world.emit(account, "customer.updated", found, previous={})
    return world.show(found)


def delete(world: World, account: str, _: Object, customer: str) -> Object:
    """DELETE /v1/customers/{customer}"""
    found = world.get(account, "customer", customer)
    for method in world.all(account, "payment_method"):
        if method["customer"] == customer:
            method["customer"] = None
    world.emit(account, "customer.deleted", found)
    world.remove(customer)
    return {"id": customer, "object": "customer", "deleted": True}


def list_all(world: World, account: str, params: Object) -> Object:
    """GET /v1/customers"""
    found = world.all(account, "customer")
    if "email" in params:
        found = [customer for customer in found if customer["email"] == params["email"]]
    return lists.page(world, found, params, "/v1/customers")
