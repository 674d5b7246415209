"""Checkout sessions in setup mode: a hosted page where a customer saves a payment method."""

from __future__ import annotations

from infra.local.stripe import lists, payment_methods, setup_intents
from infra.local.stripe.errors import Object, Refusal, beyond
from infra.local.stripe.params import EXPAND, PAGE, Hash, Kind, Many, Metadata, Text, new_metadata
from infra.local.stripe.world import CURRENCY, World

CREATE: dict[str, Kind] = {
    "cancel_url": Text(),
    "client_reference_id": Text(most=200),
    "currency": Text(most=3),
    "customer": Text(),
    "customer_email": Text(),
    "expand": EXPAND,
    "locale": Text(),
    "metadata": Metadata(),
    "mode": Text(choices=("payment", "setup", "subscription")),
    "payment_method_types": Many(Text(choices=payment_methods.TYPES)),
    "setup_intent_data": Hash({"description": Text(), "metadata": Metadata()}),
    "success_url": Text(),
}
LIST: dict[str, Kind] = {**PAGE, "payment_intent": Text()}
KIND = "checkout.session"
_OPEN_SECONDS = 86_400


def create(world: World, account: str, params: Object) -> Object:
    """POST /v1/checkout/sessions"""
    if params.get("mode") != "setup":
        raise beyond("checkout other than mode=setup", "mode")
    kinds = params.get("payment_method_types")
    if not kinds:
        raise Refusal(
            "You must specify payment_method_types in setup mode.",
            code="parameter_missing",
            param="payment_method_types",
        )
    if params.get("currency", CURRENCY).lower() != CURRENCY:
        raise beyond(f"checkout in {params['currency']}", "currency")
    customer = params.get("customer")
    data = params.get("setup_intent_data", {})
    intent = setup_intents.create(
        world,
        account,
        {
            "payment_method_types": kinds,
            "metadata": data.get("metadata", {}),
            **({"customer": customer} if customer else {}),
            **({"description": data["description"]} if "description" in data else {}),
        },
    )
    session_id = world.new_id("cs_test", 58)
    session: Object = {
        "id": session_id,
        "object": KIND,
        "after_expiration": None,
        "allow_promotion_codes": None,
        "amount_subtotal": None,
        "amount_total": None,
        "automatic_tax": {"enabled": False, "status": None},
        "billing_address_collection": None,
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "consent": None,
        "consent_collection": None,
        "created": world.now,
        "currency": params.get("currency"),
        "custom_fields": [],
        "custom_text": {"shipping_address": None, "submit": None},
        "customer": customer,
        "customer_creation": None,
        "customer_details": None,
        "customer_email": params.get("customer_email"),
        "expires_at": world.now + _OPEN_SECONDS,
        "invoice": None,
        "invoice_creation": None,
        "livemode": False,
        "locale": params.get("locale"),
        "metadata": new_metadata(params),
        "mode": "setup",
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "always",
        "payment_method_options": {},
        "payment_method_types": kinds,
        "payment_status": "no_payment_required",
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "setup_intent": intent["id"],
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_details": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": None,
        "subscription": None,
        "success_url": params["success_url"],
        "total_details": None,
        "url": f"{world.hosted_url}/_hosted/checkout/{session_id}",
    }
    world.add(account, session)
    world.schedule(session["expires_at"], "expire_checkout", session=session_id)
    return world.show(session)


def complete(world: World, session: str, method: str) -> Object:
    """The customer gives a payment method on the hosted page, authenticated there where it must be."""
    found = world.objects.get(session)
    if found is None or found["object"] != KIND:
        raise Refusal(f"No such checkout session: '{session}'", code="resource_missing", status=404)
    if found["status"] != "open":
        raise Refusal(f"This Checkout Session is {found['status']}.")
    account = world.owner[session]
    acceptance = {
        "customer_acceptance": {
            "type": "online",
            "online": {"ip_address": "127.0.0.1", "user_agent": "Checkout"},
        }
    }
    intent = world.objects[found["setup_intent"]]
    setup_intents.confirm(
        world,
        account,
        {"payment_method": method, "mandate_data": acceptance, "return_url": found["url"]},
        intent["id"],
    )
    if intent["status"] == "requires_action":
        setup_intents.authenticate(world, intent["id"], succeeds=True)
    found |= {"status": "complete", "url": None}
    found["customer_details"] = {
        "address": None,
        "email": found["customer_email"],
        "name": None,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": None,
    }
    world.emit(account, "checkout.session.completed", found)
    return found


def expire(world: World, session: str) -> None:
    """Nobody came."""
    found = world.objects[session]
    if found["status"] == "open":
        found |= {"status": "expired", "url": None}
        world.emit(world.owner[session], "checkout.session.expired", found)


def expire_now(world: World, account: str, _: Object, session: str) -> Object:
    """POST /v1/checkout/sessions/{session}/expire"""
    found = world.get(account, KIND, session, "session")
    if found["status"] != "open":
        raise Refusal('Only Checkout Sessions with a status in ["open"] can be expired.')
    expire(world, session)
    return world.show(found)


def retrieve(world: World, account: str, _: Object, session: str) -> Object:
    """GET /v1/checkout/sessions/{session}"""
    return world.show(world.get(account, KIND, session, "session"))


def list_all(world: World, account: str, params: Object) -> Object:
    """GET /v1/checkout/sessions"""
    return lists.page(world, world.all(account, KIND), params, "/v1/checkout/sessions")
