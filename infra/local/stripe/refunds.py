"""Refunds. Stripe keeps its fee, and a refund takes no transfer back.

While nothing is in the balance one is pending; what one that fails took comes back (docs.stripe.com/refunds).
A balance that a refund makes negative is let go by, as where Stripe may debit our bank account.
"""

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
        "status": "pending",
        "transfer_reversal": None,
    }
    world.add(account, refund)
    _count(charge, amount)
    _submit(world, account, refund)
    world.emit(account, "refund.created", refund)
    world.emit(
        account, "charge.refunded", charge, previous={"amount_refunded": charge["amount_refunded"] - amount}
    )
    return world.show(refund)


def _count(charge: Object, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]


def _submit(world: World, account: str, refund: Object) -> None:
    """Take the money from the balance, and give it to the bank; where none is there, try again tomorrow."""
    if balance.available(world, account) + balance.pending(world, account) <= 0:
        world.schedule(world.now + 86_400, "submit_refund", refund=refund["id"])
        return
    card = refund["id"].startswith("re_")
    paid = world.objects[world.objects[refund["charge"]]["balance_transaction"]]
    refund["balance_transaction"] = balance.post(
        world,
        account,
        kind="refund" if card else "payment_refund",
        amount=-refund["amount"],
        source=refund["id"],
        description="REFUND FOR CHARGE" if card else "REFUND FOR PAYMENT",
        category="refund",
        available_on=paid["available_on"],
    )["id"]
    if card:
        refund["status"] = "succeeded"
    else:
        due = world.working_days_on(fees.BACS_REFUND_WORKING_DAYS, hour=fees.BANK_HOUR)
        world.schedule(due, "settle_refund", refund=refund["id"])


def submit(world: World, refund: str) -> None:
    """The balance may cover by now what it did not."""
    found, account = world.objects[refund], world.owner[refund]
    if found["status"] == "pending":
        _submit(world, account, found)
    if found["balance_transaction"] is not None:
        _updated(world, account, found, {"balance_transaction": None})


def fail(world: World, refund: str, reason: str) -> Object:
    """The payer's bank sends it back, also after 'succeeded', or Stripe gives it up: it is ours again."""
    found = world.objects.get(refund)
    if found is None or found["object"] != "refund" or found["status"] == "failed":
        raise Refusal(f"No such refund, or it has failed already: '{refund}'", status=404)
    account, before = world.owner[refund], found["status"]
    found |= {"status": "failed", "failure_reason": reason}
    if found["balance_transaction"] is not None:
        found["failure_balance_transaction"] = balance.post(
            world,
            account,
            kind="refund_failure",
            amount=found["amount"],
            source=refund,
            description="REFUND FAILURE",
            category="refund_failure",
        )["id"]
    _count(world.objects[found["charge"]], -found["amount"])
    _updated(world, account, found, {"status": before})
    return world.show(found)


def _updated(world: World, account: str, refund: Object, previous: Object) -> None:
    world.emit(account, "refund.updated", refund, previous=previous)
    world.emit(account, "charge.refund.updated", refund, previous=previous)


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
    if found["status"] == "pending":
        found["status"] = "succeeded"
        _updated(world, account, found, {"status": "pending"})


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
