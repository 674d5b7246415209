"""Disputes: a customer takes a payment back through the bank. There is no limit in time for Bacs.

docs.stripe.com/disputes; those by Bacs are final: docs.stripe.com/payments/payment-methods/bacs-debit.
"""

from __future__ import annotations

from infra.local.stripe import balance, fees, lists
from infra.local.stripe.errors import Object, Refusal
from infra.local.stripe.params import EXPAND, PAGE, RANGE, Kind, Metadata, Text, merge_metadata
from infra.local.stripe.world import CURRENCY, World

UPDATE: dict[str, Kind] = {"expand": EXPAND, "metadata": Metadata()}
LIST: dict[str, Kind] = {**PAGE, "created": RANGE, "charge": Text(), "payment_intent": Text()}

_EVIDENCE = [
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
]
_DAYS_TO_ANSWER = 9


def open_on(
    world: World, charge: str, *, reason: str = "general", amount: int | None = None, inquiry: bool = False
) -> Object:
    """A customer disputes a charge: the amount and a fee leave the balance at once.

    An `inquiry` only asks, and moves no money (docs.stripe.com/disputes/how-disputes-work#inquiries).
    """
    found = world.objects.get(charge)
    if found is None or found["object"] != "charge":
        raise Refusal(f"No such charge: '{charge}'", code="resource_missing", status=404)
    if found["status"] != "succeeded" or found["disputed"]:
        raise Refusal(f"The charge {charge} cannot be disputed (again).", code="charge_disputed")
    account = world.owner[charge]
    card = charge.startswith("ch_")
    disputed = found["amount"] - found["amount_refunded"] if amount is None else amount
    if disputed <= 0:
        raise Refusal("A payment that is refunded in full cannot be disputed.")
    dispute: Object = {
        "id": world.new_id("du" if card else "pdp"),
        "object": "dispute",
        "amount": disputed,
        "balance_transactions": [],
        "charge": charge,
        "created": world.now,
        "currency": CURRENCY,
        "evidence": dict.fromkeys(_EVIDENCE),
        "evidence_details": {
            "due_by": world.now + _DAYS_TO_ANSWER * 86_400 if card else 0,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": found["payment_intent"],
        "reason": reason if card else "debit_not_authorized",
        "status": "warning_needs_response" if inquiry else "needs_response",
    }
    world.add(account, dispute)
    if inquiry:
        world.emit(account, "charge.dispute.created", dispute)
        return dispute
    found["disputed"] = True
    world.emit(account, "charge.dispute.created", dispute)
    _move(world, account, dispute, -disputed, fees.DISPUTE.of(disputed), "dispute", "withdrawal")
    world.emit(account, "charge.dispute.funds_withdrawn", dispute)
    if not card:
        close_as(world, dispute["id"], "lost")
    return dispute


def _move(
    world: World, account: str, dispute: Object, amount: int, fee: int, category: str, what: str
) -> None:
    paid = world.objects.get(world.objects[dispute["charge"]]["balance_transaction"] or "")
    txn = balance.post(
        world,
        account,
        kind="adjustment",
        amount=amount,
        fee=fee,
        fee_description=fees.DISPUTE.description,
        source=dispute["id"],
        description=f"Chargeback {what} for {dispute['charge']}",
        category=category,
        available_on=paid["available_on"] if paid else None,
    )
    dispute["balance_transactions"].append(txn["id"])


def close_as(world: World, dispute: str, status: str) -> Object:
    """The bank decides: 'won' gives the amount back (not the fee), 'lost' leaves it with the customer.

    A lost card dispute may be won later (arbitration), and a won one lost: each moves the money again. An
    inquiry that comes to nothing is 'warning_closed'.
    """
    found = world.objects.get(dispute)
    if found is None or found["object"] != "dispute":
        raise Refusal(f"No such dispute: '{dispute}'", code="resource_missing", status=404)
    account, before = world.owner[dispute], found["status"]
    if status == "warning_closed" and before.startswith("warning_"):
        found["status"] = status
        world.emit(account, "charge.dispute.closed", found)
        return found
    if status not in {"won", "lost"} or before == status:
        raise Refusal(f"The dispute {dispute} is {before} and cannot become {status}.")
    if status == "won" and not found["charge"].startswith("ch_"):
        raise Refusal("Bacs disputes are final and cannot be won.")
    found["status"] = status
    if status == "won":
        _move(world, account, found, found["amount"], 0, "dispute_reversal", "reversal")
        world.emit(account, "charge.dispute.funds_reinstated", found)
    elif before == "won":
        _move(world, account, found, -found["amount"], 0, "dispute", "withdrawal")
        world.emit(account, "charge.dispute.funds_withdrawn", found)
    world.emit(account, "charge.dispute.closed", found)
    return found


def retrieve(world: World, account: str, _: Object, dispute: str) -> Object:
    """GET /v1/disputes/{dispute}"""
    return world.show(world.get(account, "dispute", dispute, "dispute"))


def update(world: World, account: str, params: Object, dispute: str) -> Object:
    """POST /v1/disputes/{dispute}"""
    found = world.get(account, "dispute", dispute, "dispute")
    merge_metadata(found, params)
    world.emit(account, "charge.dispute.updated", found, previous={})
    return world.show(found)


def close(world: World, account: str, _: Object, dispute: str) -> Object:
    """POST /v1/disputes/{dispute}/close: the dispute is accepted, and so lost."""
    found = world.get(account, "dispute", dispute, "dispute")
    if found["status"] not in {"needs_response", "under_review"}:
        raise Refusal("This dispute is already closed.")
    return world.show(close_as(world, dispute, "lost"))


def list_all(world: World, account: str, params: Object) -> Object:
    """GET /v1/disputes"""
    found = world.all(account, "dispute")
    for field in ("charge", "payment_intent"):
        if field in params:
            found = [dispute for dispute in found if dispute[field] == params[field]]
    return lists.page(world, found, params, "/v1/disputes")
