"""Setup intents: saving a payment method for later, with the customer's consent."""

from __future__ import annotations

from infra.local.stripe import hosted, lists, mandates, payment_methods
from infra.local.stripe.errors import Object, Refusal
from infra.local.stripe.params import (
    EXPAND,
    PAGE,
    RANGE,
    Flag,
    Hash,
    Kind,
    Many,
    Metadata,
    Text,
    Whole,
    merge_metadata,
    new_metadata,
)
from infra.local.stripe.world import World

MANDATE_DATA = Hash(
    {
        "customer_acceptance": Hash(
            {
                "accepted_at": Whole(),
                "type": Text(choices=("online", "offline")),
                "online": Hash({"ip_address": Text(), "user_agent": Text()}, ("ip_address", "user_agent")),
                "offline": Hash({}),
            },
            ("type",),
        )
    },
    ("customer_acceptance",),
)
CONFIRM: dict[str, Kind] = {
    "expand": EXPAND,
    "mandate_data": MANDATE_DATA,
    "payment_method": Text(),
    "return_url": Text(),
}
CREATE: dict[str, Kind] = {
    **CONFIRM,
    "confirm": Flag(),
    "customer": Text(),
    "description": Text(most=1000),
    "metadata": Metadata(),
    "payment_method_types": Many(Text(choices=payment_methods.TYPES)),
    "usage": Text(choices=("off_session", "on_session")),
}
UPDATE: dict[str, Kind] = {
    "customer": Text(),
    "description": Text(most=1000),
    "expand": EXPAND,
    "metadata": Metadata(),
    "payment_method": Text(),
}
LIST: dict[str, Kind] = {**PAGE, "created": RANGE, "customer": Text(), "payment_method": Text()}
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")


def create(world: World, account: str, params: Object) -> Object:
    """POST /v1/setup_intents"""
    if "customer" in params:
        world.get(account, "customer", params["customer"], "customer")
    intent_id = world.new_id("seti")
    intent: Object = {
        "id": intent_id,
        "object": "setup_intent",
        "application": None,
        "automatic_payment_methods": None,
        "cancellation_reason": None,
        "client_secret": f"{intent_id}_secret_{world.new_id('x')[2:]}",
        "created": world.now,
        "customer": params.get("customer"),
        "description": params.get("description"),
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": new_metadata(params),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_options": {},
        "payment_method_types": params.get("payment_method_types", ["card"]),
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": params.get("usage", "off_session"),
    }
    if "payment_method" in params:
        _take(world, account, intent, params["payment_method"])
    if params.get("confirm"):
        _check_confirmable(world, intent, params)
    world.add(account, intent)
    world.emit(account, "setup_intent.created", intent)
    if params.get("confirm"):
        return confirm(world, account, params, intent_id)
    return world.show(intent)


def _take(world: World, account: str, intent: Object, method_id: str) -> None:
    method = payment_methods.resolve(world, account, method_id)
    if method["type"] not in intent["payment_method_types"]:
        raise Refusal(
            f"The PaymentMethod provided ({method['type']}) is not allowed for this SetupIntent. Please "
            "attach a PaymentMethod of one of the following types: "
            f"{', '.join(intent['payment_method_types'])}.",
            param="payment_method",
        )
    if method["customer"] not in {None, intent["customer"]}:
        raise Refusal(
            f"The payment method {method['id']} belongs to another customer.",
            param="payment_method",
        )
    intent["payment_method"] = method["id"]
    intent["status"] = "requires_confirmation"


def confirm(world: World, account: str, params: Object, intent: str) -> Object:
    """POST /v1/setup_intents/{intent}/confirm"""
    found = world.get(account, "setup_intent", intent, "intent")
    _require(found, "confirm", OPEN)
    if "payment_method" in params and params["payment_method"] != found["payment_method"]:
        _take(world, account, found, params["payment_method"])
    _check_confirmable(world, found, params)
    look = payment_methods.behaviour(world, world.objects[found["payment_method"]])
    if not look.attachable:
        raise _fail(world, account, found, look.failure or "card_declined", look.decline)
    if look.authentication != "never":
        found["status"] = "requires_action"
        found["next_action"] = hosted.next_action(world, found, params.get("return_url"))
        world.emit(account, "setup_intent.requires_action", found)
        return world.show(found)
    succeed(world, account, found, mandates.acceptance_of(world, params))
    return world.show(found)


def _check_confirmable(world: World, intent: Object, params: Object) -> None:
    """Refuse a confirmation that cannot even be tried."""
    if intent["payment_method"] is None:
        raise Refusal(
            "You cannot confirm this SetupIntent because it's missing a payment method. Update the "
            "SetupIntent with a payment method and then confirm it again.",
            code="parameter_missing",
            param="payment_method",
        )
    is_bacs = world.objects[intent["payment_method"]]["type"] == "bacs_debit"
    if is_bacs and "mandate_data" not in params:
        raise Refusal(
            "This payment method requires mandate data: pass mandate_data[customer_acceptance].",
            code="parameter_missing",
            param="mandate_data",
        )


def succeed(world: World, account: str, intent: Object, acceptance: Object | None = None) -> None:
    """Save the method for its customer, with a mandate where it is a bank account."""
    method = world.objects[intent["payment_method"]]
    world.secret(method["id"])["set_up"] = True
    if intent["customer"] is not None:
        payment_methods.keep(world, account, method, intent["customer"])
    if method["type"] == "bacs_debit":
        intent["mandate"] = mandates.create(world, account, method, acceptance)["id"]
    intent |= {"status": "succeeded", "next_action": None, "last_setup_error": None}
    world.emit(account, "setup_intent.succeeded", intent)


def _fail(world: World, account: str, intent: Object, failure: str, decline: str | None) -> Refusal:
    """Record a failed set-up; the refusal that answers it."""
    method = world.show(world.objects[intent["payment_method"]])
    refusal = payment_methods.card_error(world, failure, decline, payment_method=method)
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "next_action": None,
        "last_setup_error": refusal.body["error"],
    }
    world.emit(account, "setup_intent.setup_failed", intent)
    refusal.body["error"] = {**refusal.body["error"], "setup_intent": world.show(intent)}
    return refusal


def authenticate(world: World, intent: str, *, succeeds: bool) -> None:
    """What the customer's bank says after `requires_action`."""
    found, account = world.objects[intent], world.owner[intent]
    _require(found, "authenticate", ("requires_action",))
    if succeeds:
        succeed(world, account, found)
        return
    found |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "next_action": None,
        "last_setup_error": {
            "type": "invalid_request_error",
            "code": "setup_intent_authentication_failure",
            "message": "Setting up the payment method has failed because authentication failed.",
        },
    }
    world.emit(account, "setup_intent.setup_failed", found)


def retrieve(world: World, account: str, _: Object, intent: str) -> Object:
    """GET /v1/setup_intents/{intent}"""
    return world.show(world.get(account, "setup_intent", intent, "intent"))


def update(world: World, account: str, params: Object, intent: str) -> Object:
    """POST /v1/setup_intents/{intent}"""
    found = world.get(account, "setup_intent", intent, "intent")
    _require(found, "update", OPEN)
    if "customer" in params:
        world.get(account, "customer", params["customer"], "customer")
        found["customer"] = params["customer"]
    if "payment_method" in params:
        _take(world, account, found, params["payment_method"])
    if "description" in params:
        found["description"] = params["description"]
    merge_metadata(found, params)
    return world.show(found)


def cancel(world: World, account: str, params: Object, intent: str) -> Object:
    """POST /v1/setup_intents/{intent}/cancel"""
    found = world.get(account, "setup_intent", intent, "intent")
    _require(found, "cancel", OPEN)
    found |= {
        "status": "canceled",
        "next_action": None,
        "cancellation_reason": params.get("cancellation_reason"),
    }
    world.emit(account, "setup_intent.canceled", found)
    return world.show(found)


def list_all(world: World, account: str, params: Object) -> Object:
    """GET /v1/setup_intents"""
    found = world.all(account, "setup_intent")
    for field in ("customer", "payment_method"):
        if field in params:
            found = [intent for intent in found if intent[field] == params[field]]
    return lists.page(world, found, params, "/v1/setup_intents")


def _require(intent: Object, verb: str, states: tuple[str, ...]) -> None:
    if intent["status"] not in states:
        raise Refusal(
            f"You cannot {verb} this SetupIntent because it has a status of {intent['status']}.",
            code="setup_intent_unexpected_state",
            setup_intent=intent,
        )
