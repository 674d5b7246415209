"""Payment intents: one payment each, by card at once, by Bacs Direct Debit after working days.

States: docs.stripe.com/payments/paymentintents/lifecycle.
Off-session rules: docs.stripe.com/payments/save-and-reuse.
"""

from __future__ import annotations

from datetime import UTC, datetime

from infra.local.stripe import (
    charges,
    disputes,
    fees,
    hosted,
    lists,
    mandates,
    payment_methods,
    search,
    test_methods,
)
from infra.local.stripe.errors import Object, Refusal, beyond, pounds
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
from infra.local.stripe.setup_intents import MANDATE_DATA
from infra.local.stripe.world import CURRENCY, World

CONFIRM: dict[str, Kind] = {
    "error_on_requires_action": Flag(),
    "expand": EXPAND,
    "mandate": Text(),
    "mandate_data": MANDATE_DATA,
    "off_session": Flag(),
    "payment_method": Text(),
    "payment_method_types": Many(Text(choices=payment_methods.TYPES)),
    "receipt_email": Text(may_unset=True),
    "return_url": Text(),
    "setup_future_usage": Text(choices=("off_session", "on_session")),
}
CREATE: dict[str, Kind] = {
    **CONFIRM,
    "amount": Whole(),
    "automatic_payment_methods": Hash({"enabled": Flag()}, ("enabled",)),
    "capture_method": Text(choices=("automatic", "manual")),
    "confirm": Flag(),
    "confirmation_method": Text(choices=("automatic", "manual")),
    "currency": Text(most=3),
    "customer": Text(),
    "description": Text(most=1000),
    "metadata": Metadata(),
    "statement_descriptor": Text(most=22),
    "statement_descriptor_suffix": Text(most=22),
    "transfer_group": Text(),
}
UPDATE: dict[str, Kind] = {
    "amount": Whole(),
    "customer": Text(),
    "description": Text(most=1000),
    "expand": EXPAND,
    "metadata": Metadata(),
    "payment_method": Text(),
    "receipt_email": Text(may_unset=True),
    "transfer_group": Text(),
}
CANCEL: dict[str, Kind] = {
    "cancellation_reason": Text(choices=("abandoned", "duplicate", "fraudulent", "requested_by_customer")),
    "expand": EXPAND,
}
LIST: dict[str, Kind] = {**PAGE, "created": RANGE, "customer": Text()}

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action")


def create(world: World, account: str, params: Object) -> Object:
    """POST /v1/payment_intents"""
    check_amount(params["amount"], params["currency"], params.get("payment_method_types", []))
    if params.get("off_session") and not params.get("confirm"):
        raise Refusal("You cannot set `off_session` unless `confirm` is set to true.", param="off_session")
    if params.get("capture_method") == "manual":
        raise beyond("capture_method=manual", "capture_method")
    if "customer" in params:
        world.get(account, "customer", params["customer"], "customer")
    automatic = params.get("automatic_payment_methods")
    if automatic and "payment_method_types" in params:
        raise Refusal(
            "You may only specify one of these parameters: automatic_payment_methods, payment_method_types.",
            param="payment_method_types",
        )
    intent_id = world.new_id("pi")
    intent: Object = {
        "id": intent_id,
        "object": "payment_intent",
        "amount": params["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": automatic,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic",
        "client_secret": f"{intent_id}_secret_{world.new_id('x')[2:]}",
        "confirmation_method": params.get("confirmation_method", "automatic"),
        "created": world.now,
        "currency": CURRENCY,
        "customer": params.get("customer"),
        "description": params.get("description"),
        "invoice": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": new_metadata(params),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_options": {},
        "payment_method_types": list(payment_methods.TYPES)
        if automatic and automatic["enabled"]
        else params.get("payment_method_types", ["card"]),
        "processing": None,
        "receipt_email": params.get("receipt_email"),
        "review": None,
        "setup_future_usage": params.get("setup_future_usage"),
        "shipping": None,
        "statement_descriptor": params.get("statement_descriptor"),
        "statement_descriptor_suffix": params.get("statement_descriptor_suffix"),
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": params.get("transfer_group"),
    }
    if "payment_method" in params:
        _take(world, account, intent, params["payment_method"])
    if params.get("confirm"):
        _check_confirmable(world, intent, params)
    world.add(account, intent)
    world.emit(account, "payment_intent.created", intent)
    if params.get("confirm"):
        return _pay(world, account, params, intent)
    return world.show(intent)


def check_amount(amount: int, currency: str, kinds: list[str]) -> None:
    """Refuse what Stripe does not charge: too little, too much, or another currency."""
    if currency.lower() != CURRENCY:
        if "bacs_debit" in kinds:
            raise Refusal(
                f"The currency provided ({currency}) is invalid for one or more of your payment methods: "
                "bacs_debit. The only supported currency is gbp.",
                param="currency",
            )
        if len(currency) != 3 or not currency.isalpha():
            raise Refusal(f"Invalid currency: {currency}.", param="currency")
        raise beyond(f"payments in {currency}; it knows gbp alone", "currency")
    if amount < 1:
        raise Refusal(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param="amount"
        )
    if amount < fees.LEAST_PENCE:
        raise Refusal(
            f"Amount must be at least {pounds(fees.LEAST_PENCE)} gbp", code="amount_too_small", param="amount"
        )
    if amount > fees.MOST_PENCE:
        raise Refusal(
            f"Amount must be no more than {pounds(fees.MOST_PENCE)} gbp",
            code="amount_too_large",
            param="amount",
        )


def _take(world: World, account: str, intent: Object, method_id: str) -> None:
    method = payment_methods.resolve(world, account, method_id)
    if method["type"] not in intent["payment_method_types"]:
        raise Refusal(
            f"The PaymentMethod provided ({method['type']}) is not allowed for this PaymentIntent. Please "
            "attach a PaymentMethod of one of the following types: "
            f"{', '.join(intent['payment_method_types'])}.",
            param="payment_method",
        )
    if payment_methods.is_used_up(world, method):
        raise Refusal(
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer "
            "attachment, shared with a connected account without Customer attachment, or was detached from a "
            "Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it "
            "to a Customer first."
        )
    if method["customer"] not in {None, intent["customer"]}:
        raise _belongs_to_another(method, intent)
    intent["payment_method"] = method["id"]
    if intent["status"] == "requires_payment_method":
        intent["status"] = "requires_confirmation"


def _belongs_to_another(method: Object, intent: Object) -> Refusal:
    if intent["customer"] is None:
        return Refusal(
            f"The payment method {method['id']} belongs to the customer {method['customer']}. Please include "
            "the customer in the `customer` parameter on the PaymentIntent.",
            param="payment_method",
        )
    return Refusal(
        f"The customer does not have a payment method with the ID {method['id']}. The payment method must be "
        "attached to the customer.",
        code="resource_missing",
        param="payment_method",
    )


def _check_confirmable(world: World, intent: Object, params: Object) -> None:
    """Refuse a confirmation that cannot even be tried."""
    if intent["payment_method"] is None:
        raise Refusal(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either "
            "update the PaymentIntent with a payment method and then confirm it again, or confirm it again "
            "directly with a payment method.",
            code="payment_intent_unexpected_state",
            payment_intent=world.show(intent),
        )
    method = world.objects[intent["payment_method"]]
    if method["type"] != "bacs_debit":
        return
    if intent["amount"] > fees.BACS_MOST_PENCE:
        raise Refusal(
            f"Amount must be no more than {pounds(fees.BACS_MOST_PENCE)} gbp",
            code="amount_too_large",
            param="amount",
        )
    mandate_id = params.get("mandate") or world.secret(method["id"]).get("mandate")
    if mandate_id is None and "mandate_data" not in params:
        raise Refusal(
            "You must collect a mandate before debiting this bank account: pass mandate_data, or set the "
            "payment method up first.",
            code="payment_intent_mandate_invalid",
            param="mandate_data",
        )
    mandate = world.objects.get(mandate_id or "")
    if mandate is not None and mandate["status"] == "inactive":
        raise Refusal(
            f"The mandate {mandate_id} is inactive; this payment method cannot be debited any more.",
            code="payment_intent_mandate_invalid",
            param="payment_method",
        )


def confirm(world: World, account: str, params: Object, intent: str) -> Object:
    """POST /v1/payment_intents/{intent}/confirm"""
    found = world.get(account, "payment_intent", intent, "intent")
    if found["status"] not in CONFIRMABLE:
        raise Refusal(
            f"You cannot confirm this PaymentIntent because it has already {_past(found['status'])}.",
            code="payment_intent_unexpected_state",
            payment_intent=world.show(found),
        )
    if "payment_method_types" in params:
        found["payment_method_types"] = params["payment_method_types"]
    if "payment_method" in params and params["payment_method"] != found["payment_method"]:
        _take(world, account, found, params["payment_method"])
    _check_confirmable(world, found, params)
    return _pay(world, account, params, found)


def _past(status: str) -> str:
    return {
        "succeeded": "succeeded after being previously confirmed",
        "canceled": "been canceled",
        "processing": "been confirmed and is processing",
    }.get(status, f"reached the status {status}")


def _pay(world: World, account: str, params: Object, intent: Object) -> Object:
    """Try to take the money of a confirmed intent."""
    method = world.objects[intent["payment_method"]]
    for name in ("setup_future_usage", "receipt_email"):
        if name in params:
            intent[name] = params[name] or None
    if method["type"] == "bacs_debit":
        return _debit(world, account, params, intent, method)
    failure, decline = _card_outcome(world, method)
    may_ask = not (params.get("off_session") or params.get("error_on_requires_action"))
    if failure == "authentication_required" and may_ask:
        _ask_to_authenticate(world, account, params, intent)
    elif failure is not None:
        raise _decline(world, account, intent, method, failure, decline)
    else:
        _succeed(world, account, intent, method)
    return world.show(intent)


def _card_outcome(world: World, method: Object) -> tuple[str | None, str | None]:
    """How a payment by a card fails, if it does: Stripe's failure and decline codes."""
    secret = world.secret(method["id"])
    look = payment_methods.behaviour(world, method)
    ordered = _ordered_outcome(secret)
    if ordered is not None:
        return ordered
    if look.failure is not None:
        return look.failure, look.decline
    if _has_expired(world, method["card"]):
        return "expired_card", None
    if look.authentication == "always" or (
        look.authentication == "unless_set_up" and not secret.get("set_up")
    ):
        return "authentication_required", "authentication_required"
    return None, None


def _has_expired(world: World, card: Object) -> bool:
    """A card is good until the end of the month that stands on it."""
    today = datetime.fromtimestamp(world.now, UTC)
    return bool((card["exp_year"], card["exp_month"]) < (today.year, today.month))


def _ordered_outcome(secret: Object) -> tuple[str, str | None] | None:
    """A failure that the control endpoint ordered for the next payments with a method."""
    ordered = secret.get("ordered")
    if not ordered:
        return None
    failure, decline = ordered.pop(0)
    return failure, decline


def _succeed(world: World, account: str, intent: Object, method: Object) -> None:
    charge = charges.of_intent(world, account, intent, method)
    charges.succeed(world, account, charge)
    _received(world, account, intent, method)


def _received(world: World, account: str, intent: Object, method: Object) -> None:
    intent |= {
        "amount_received": intent["amount"],
        "last_payment_error": None,
        "next_action": None,
        "processing": None,
        "status": "succeeded",
    }
    if intent["setup_future_usage"] and intent["customer"]:
        payment_methods.keep(world, account, method, intent["customer"])
        world.secret(method["id"])["set_up"] = True
    if method["customer"] is None:
        world.secret(method["id"])["used_up"] = True
    world.emit(account, "payment_intent.succeeded", intent)
    if payment_methods.behaviour(world, method).disputed:
        world.schedule(world.now + 1, "open_dispute", charge=intent["latest_charge"], reason="fraudulent")


def _decline(
    world: World, account: str, intent: Object, method: Object, failure: str, decline: str | None
) -> Refusal:
    """Record a failed attempt; the refusal that answers it."""
    charge = charges.of_intent(world, account, intent, method)
    charges.fail(world, account, charge, failure, decline)
    refusal = payment_methods.card_error(
        world, failure, decline, charge=charge["id"], payment_method=world.show(method)
    )
    _payment_failed(world, account, intent, refusal.body["error"])
    refusal.body["error"] = {**refusal.body["error"], "payment_intent": world.show(intent)}
    return refusal


def _payment_failed(world: World, account: str, intent: Object, error: Object) -> None:
    intent |= {
        "last_payment_error": error,
        "next_action": None,
        "payment_method": None,
        "processing": None,
        "status": "requires_payment_method",
    }
    world.emit(account, "payment_intent.payment_failed", intent)


def _ask_to_authenticate(world: World, account: str, params: Object, intent: Object) -> None:
    intent["status"] = "requires_action"
    intent["next_action"] = hosted.next_action(world, intent, params.get("return_url"))
    world.emit(account, "payment_intent.requires_action", intent)


def authenticate(world: World, intent: str, *, succeeds: bool) -> None:
    """What the customer's bank says after `requires_action`."""
    found, account = world.objects[intent], world.owner[intent]
    if found["status"] != "requires_action":
        raise Refusal(
            f"This PaymentIntent does not wait for authentication: it has a status of {found['status']}.",
            code="payment_intent_unexpected_state",
            payment_intent=world.show(found),
        )
    method = world.objects[found["payment_method"]]
    if succeeds:
        _succeed(world, account, found, method)
        return
    error = {
        "type": "invalid_request_error",
        "code": "payment_intent_authentication_failure",
        "message": "The provided PaymentMethod has failed authentication.",
        "payment_method": world.show(method),
    }
    _payment_failed(world, account, found, error)


# --- Bacs ------------------------------------------------------------------------------------------------


def _debit(world: World, account: str, params: Object, intent: Object, method: Object) -> Object:
    """Submit a debit: its outcome comes after 4 working days, 7 on a new mandate (see `fees`)."""
    secret = world.secret(method["id"])
    if "mandate_data" in params and "mandate" not in secret:
        mandates.create(world, account, method, mandates.acceptance_of(world, params))
    mandate = world.objects[params.get("mandate") or secret["mandate"]]
    charge = charges.of_intent(world, account, intent, method)
    intent |= {"status": "processing", "next_action": None, "last_payment_error": None}
    world.emit(account, "payment_intent.processing", intent)
    world.emit(account, "charge.pending", charge)
    days = (
        fees.BACS_OUTCOME_WORKING_DAYS
        if mandate["status"] == "active"
        else fees.BACS_OUTCOME_WORKING_DAYS_NEW_MANDATE
    )
    due = world.working_days_on(days, hour=fees.BANK_HOUR)
    charges.book(world, account, charge, due)
    world.schedule(due, "settle_debit", charge=charge["id"], mandate=mandate["id"])
    return world.show(intent)


def settle_debit(world: World, charge: str, mandate: str) -> None:
    """The bank's answer to a debit."""
    found, account = world.objects[charge], world.owner[charge]
    intent = world.objects[found["payment_intent"]]
    method = world.objects[found["payment_method"]]
    look = payment_methods.behaviour(world, method)
    ordered = _ordered_outcome(world.secret(method["id"]))
    failure = ordered[0] if ordered else look.failure
    if world.objects[mandate]["status"] == "inactive":
        failure = "debit_not_authorized"
    if failure is None:
        charges.succeed(world, account, found)
        _received(world, account, intent, method)
        return
    charges.fail(world, account, found, failure, None)
    error = {
        "type": "invalid_request_error" if failure.startswith("charge_exceeds") else "card_error",
        "code": failure,
        "message": test_methods.failure_message(failure, None),
        "charge": charge,
        "payment_method": world.show(method),
    }
    _payment_failed(world, account, intent, error)
    ends_mandate = failure in test_methods.BACS_FAILURES_ENDING_THE_MANDATE
    if ends_mandate and world.objects[mandate]["status"] != "inactive":
        mandates.revoke(world, mandate)


def open_dispute(world: World, charge: str, reason: str) -> None:
    """A dispute that a test method brings with it."""
    disputes.open_on(world, charge, reason=reason)


# --- the rest --------------------------------------------------------------------------------------------


def retrieve(world: World, account: str, _: Object, intent: str) -> Object:
    """GET /v1/payment_intents/{intent}"""
    return world.show(world.get(account, "payment_intent", intent, "intent"))


def update(world: World, account: str, params: Object, intent: str) -> Object:
    """POST /v1/payment_intents/{intent}"""
    found = world.get(account, "payment_intent", intent, "intent")
    if (
        set(params) - {"metadata", "description", "expand", "receipt_email"}
        and found["status"] not in CONFIRMABLE
    ):
        raise Refusal(
            f"This PaymentIntent's {next(iter(params))} could not be updated because it has a status of "
            f"{found['status']}.",
            code="payment_intent_unexpected_state",
            payment_intent=world.show(found),
        )
    if "amount" in params:
        check_amount(params["amount"], CURRENCY, [])
        found["amount"] = params["amount"]
    if "customer" in params:
        world.get(account, "customer", params["customer"], "customer")
        found["customer"] = params["customer"]
    if "payment_method" in params:
        _take(world, account, found, params["payment_method"])
    for name in ("description", "receipt_email", "transfer_group"):
        if name in params:
            found[name] = params[name] or None
    merge_metadata(found, params)
    return world.show(found)


def cancel(world: World, account: str, params: Object, intent: str) -> Object:
    """POST /v1/payment_intents/{intent}/cancel"""
    found = world.get(account, "payment_intent", intent, "intent")
    if found["status"] not in CANCELABLE:
        raise Refusal(
            f"You cannot cancel this PaymentIntent because it has a status of {found['status']}. Only a "
            f"PaymentIntent with one of the following statuses may be canceled: {', '.join(CANCELABLE)}.",
            code="payment_intent_unexpected_state",
            payment_intent=world.show(found),
        )
    found |= {
        "canceled_at": world.now,
        "cancellation_reason": params.get("cancellation_reason"),
        "next_action": None,
        "status": "canceled",
    }
    world.emit(account, "payment_intent.canceled", found)
    return world.show(found)


def list_all(world: World, account: str, params: Object) -> Object:
    """GET /v1/payment_intents"""
    found = world.all(account, "payment_intent")
    if "customer" in params:
        found = [intent for intent in found if intent["customer"] == params["customer"]]
    return lists.page(world, found, params, "/v1/payment_intents")


def search_all(world: World, account: str, params: Object) -> Object:
    """GET /v1/payment_intents/search"""
    return search.answer(world, world.all(account, "payment_intent"), params, "/v1/payment_intents/search")
