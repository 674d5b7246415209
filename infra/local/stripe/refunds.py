"""Refunds. Stripe keeps its fee, and a refund takes no transfer back."""

from __future__ import annotations

from infra.local.stripe import balance, fees, lists
from infra.local.stripe.errors import Object, Refusal, pounds
from infra.local.stripe.params import (
    EXPAND,
    PAGE,
    RANGE,
    Kind,
    Metadata,
    Text,
    Whole,
    merge_metadata,
    new_metadata,
)
from infra.local.stripe.world import CURRENCY, World

CREATE: dict[str, Kind] = {
    "amount": Whole(least=1),
    "charge": Text(),
    "expand": EXPAND,
    "metadata": Metadata(),
    "payment_intent": Text(),
    "reason": Text(choices=("duplicate", "fraudulent", "requested_by_customer")),
}
UPDATE: dict[str, Kind] = {"expand": EXPAND, "metadata": Metadata()}
LIST: dict[str, Kind] = {**PAGE, "created": RANGE, "charge": Text(), "payment_intent": Text()}


def create(world: World, account: str, params: Object) -> Object:
    """POST /v1/refunds"""
    charge = _charge(world, account, params)
    left = charge["amount"] - charge["amount_refunded"]
    amount = params.get("amount", left)
    _check(charge, amount, left)
    card = charge["id"].startswith("ch_")
    refund: Object = {
        "id": world.new_id("re" if card else "pyr"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": world.now,
        "currency": CURRENCY,
        "metadata": new_metadata(params),
        "payment_intent": charge["payment_intent"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded" if card else "pending",
        "transfer_reversal": None,
    }
    paid = world.objects[charge["balance_transaction"]]
    refund["balance_transaction"] = balance.post(
        world,
        account,
        kind="refund" if card else "payment_refund",
        amount=-amount,
        source=refund["id"],
        description="REFUND FOR CHARGE" if card else "REFUND FOR PAYMENT",
        category="refund",
        available_on=paid["available_on"],
    )["id"]
    world.add(account, refund)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    world.emit(account, "refund.created", refund)
    world.emit(
        account, "charge.refunded", charge, previous={"amount_refunded": charge["amount_refunded"] - amount}
    )
    if not card:
        due = world.working_days_on(fees.BACS_REFUND_WORKING_DAYS, hour=fees.BANK_HOUR)
        world.schedule(due, "settle_refund", refund=refund["id"])
    return world.show(refund)


def _charge(world: World, account: str, params: Object) -> Object:
    if "charge" in params:
        return world.get(account, "charge", params["charge"], "charge")
    if "payment_intent" not in params:
        raise Refusal(
            "One of the following params should be provided for this request: payment_intent or charge."
        )
    intent = world.get(account, "payment_intent", params["payment_intent"], "payment_intent")
    if intent["latest_charge"] is None:
        raise Refusal(f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.")
    return world.objects[intent["latest_charge"]]


def _check(charge: Object, amount: int, left: int) -> None:
    if charge["status"] != "succeeded":
        raise Refusal(
            f"This charge ({charge['id']}) has not succeeded and cannot be refunded.",
            code="charge_not_refundable",
        )
    if charge["disputed"]:
        raise Refusal(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
            param="charge",
        )
    if left == 0:
        raise Refusal(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if amount > left:
        raise Refusal(
            f"Refund amount ({pounds(amount)}) is greater than unrefunded amount on charge ({pounds(left)})",
            param="amount",
        )


def settle(world: World, refund: str) -> None:
    """A refund to a bank account has arrived."""
    found, account = world.objects[refund], world.owner[refund]
    found["status"] = "succeeded"
    world.emit(account, "refund.updated", found, previous={"status": "pending"})
    world.emit(account, "charge.refund.updated", found, previous={"status": "pending"})


def retrieve(world: World, account: str, _: Object, refund: str) -> Object:
    """GET /v1/refunds/{refund}"""
    return world.show(world.get(account, "refund", refund, "refund"))


def update(world: World, account: str, params: Object, refund: str) -> Object:
    """POST /v1/refunds/{refund}"""
    found = world.get(account, "refund", refund, "refund")
    merge_metadata(found, params)
    world.emit(account, "charge.refund.updated", found, previous={})
    return world.show(found)


def list_all(world: World, account: str, params: Object) -> Object:
    """GET /v1/refunds"""
    found = world.all(account, "refund")
    for field in ("charge", "payment_intent"):
        if field in params:
            found = [refund for refund in found if refund[field] == params[field]]
    return lists.page(world, found, params, "/v1/refunds")
