"""Transfers from the platform's balance to connected accounts, and their reversals.

docs.stripe.com/connect/separate-charges-and-transfers. A transfer is free and at once; with a
`source_transaction` it waits for that charge's funds instead of needing available ones.
"""

from __future__ import annotations

from infra.local.stripe import balance, charges, lists
from infra.local.stripe.errors import Object, Refusal, beyond, missing
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
    "currency": Text(most=3),
    "description": Text(),
    "destination": Text(),
    "expand": EXPAND,
    "metadata": Metadata(),
    "source_transaction": Text(),
    "transfer_group": Text(),
}
UPDATE: dict[str, Kind] = {"description": Text(may_unset=True), "expand": EXPAND, "metadata": Metadata()}
REVERSE: dict[str, Kind] = {
    "amount": Whole(least=1),
    "description": Text(),
    "expand": EXPAND,
    "metadata": Metadata(),
}
LIST: dict[str, Kind] = {**PAGE, "created": RANGE, "destination": Text(), "transfer_group": Text()}


def create(world: World, account: str, params: Object) -> Object:
    """POST /v1/transfers"""
    if "amount" not in params:
        raise Refusal("Missing required param: amount.", code="parameter_missing", param="amount")
    if params["currency"].lower() != CURRENCY:
        raise beyond(f"transfers in {params['currency']}", "currency")
    amount, destination = params["amount"], params["destination"]
    receiver = world.objects.get(destination)
    if account != world.platform or receiver is None or receiver["object"] != "account":
        raise missing("destination", destination, "destination")
    if destination == world.platform:
        raise Refusal("You cannot transfer to your own account.", param="destination")
    if receiver["capabilities"].get("transfers") != "active":
        raise Refusal(
            "Your destination account needs to have at least one of the following capabilities enabled: "
            "transfers, crypto_transfers, legacy_payments",
            code="insufficient_capabilities_for_transfer",
        )
    source = _source(world, account, params)
    if source is None and amount > balance.available(world, account):
        raise insufficient()
    available_on = world.objects[source["balance_transaction"]]["available_on"] if source else None
    group = params.get("transfer_group") or (source["transfer_group"] if source else None)
    transfer_id = world.new_id("tr")
    payment = charges.new(
        world,
        "py",
        amount=amount,
        amount_captured=amount,
        description=params.get("description"),
        paid=True,
        payment_method_details={"stripe_account": {}, "type": "stripe_account"},
        source_transfer=transfer_id,
        status="succeeded",
        transfer_group=group,
    )
    world.add(destination, payment)
    payment["balance_transaction"] = balance.post(
        world,
        destination,
        kind="payment",
        amount=amount,
        source=payment["id"],
        description=params.get("description"),
        category="charge",
        available_on=available_on,
    )["id"]
    transfer: Object = {
        "id": transfer_id,
        "object": "transfer",
        "amount": amount,
        "amount_reversed": 0,
        "balance_transaction": balance.post(
            world,
            account,
            kind="transfer",
            amount=-amount,
            source=transfer_id,
            description=params.get("description"),
            available_on=available_on,
        )["id"],
        "created": world.now,
        "currency": CURRENCY,
        "description": params.get("description"),
        "destination": destination,
        "destination_payment": payment["id"],
        "livemode": False,
        "metadata": new_metadata(params),
        "reversals": {
            "object": "list",
            "data": [],
            "has_more": False,
            "url": f"/v1/transfers/{transfer_id}/reversals",
        },
        "reversed": False,
        "source_transaction": source["id"] if source else None,
        "source_type": "card",
        "transfer_group": group,
    }
    world.add(account, transfer)
    world.emit(account, "transfer.created", transfer)
    return world.show(transfer)


def insufficient() -> Refusal:
    """Too little available balance on the platform."""
    return Refusal(
        "You have insufficient available funds in your Stripe account. Try adding funds directly to your "
        "available balance by creating Charges using the 4000000000000077 test card. See: "
        "https://stripe.com/docs/testing#available-balance",
        code="balance_insufficient",
    )


def _source(world: World, account: str, params: Object) -> Object | None:
    if "source_transaction" not in params:
        return None
    source = world.get(account, "charge", params["source_transaction"], "source_transaction")
    if source["status"] != "succeeded":
        raise Refusal("The source_transaction has not succeeded.", param="source_transaction")
    moved = sum(
        transfer["amount"] - transfer["amount_reversed"]
        for transfer in world.all(account, "transfer")
        if transfer["source_transaction"] == source["id"]
    )
    if params["amount"] > source["amount"] - source["amount_refunded"] - moved:
        raise Refusal(
            "The transfer amount cannot be greater than the source transaction amount less what was already "
            "transferred or refunded.",
            param="amount",
        )
    return source


def reverse(world: World, account: str, params: Object, transfer: str) -> Object:
    """POST /v1/transfers/{id}/reversals"""
    found = world.get(account, "transfer", transfer, "transfer")
    left = found["amount"] - found["amount_reversed"]
    amount = params.get("amount", left)
    if left == 0:
        raise Refusal(f"Transfer {transfer} is already fully reversed.")
    if amount > left:
        raise Refusal(
            f"Transfer reversal amount ({amount}) is greater than unreversed amount on transfer ({left})",
            param="amount",
        )
    receiver = found["destination"]
    if amount > balance.available(world, receiver):
        raise Refusal(
            "The connected account has insufficient available funds to complete this reversal.",
            code="balance_insufficient",
        )
    payment = world.objects[found["destination_payment"]]
    refund_id, reversal_id = world.new_id("pyr"), world.new_id("trr")
    refund: Object = {
        "id": refund_id,
        "object": "refund",
        "amount": amount,
        "balance_transaction": balance.post(
            world,
            receiver,
            kind="payment_refund",
            amount=-amount,
            source=refund_id,
            description="REFUND FOR PAYMENT",
            category="refund",
        )["id"],
        "charge": payment["id"],
        "created": world.now,
        "currency": CURRENCY,
        "metadata": {},
        "payment_intent": None,
        "reason": None,
        "receipt_number": None,
        "source_transfer_reversal": reversal_id,
        "status": "succeeded",
        "transfer_reversal": None,
    }
    world.add(receiver, refund)
    payment["amount_refunded"] += amount
    payment["refunded"] = payment["amount_refunded"] == payment["amount"]
    reversal: Object = {
        "id": reversal_id,
        "object": "transfer_reversal",
        "amount": amount,
        "balance_transaction": balance.post(
            world,
            account,
            kind="transfer_refund",
            amount=amount,
            source=reversal_id,
            description=f"REFUND FOR TRANSFER ({transfer})",
            category="transfer_reversal",
        )["id"],
        "created": world.now,
        "currency": CURRENCY,
        "destination_payment_refund": refund_id,
        "metadata": new_metadata(params),
        "source_refund": None,
        "transfer": transfer,
    }
    world.add(account, reversal)
    found["amount_reversed"] += amount
    found["reversed"] = found["amount_reversed"] == found["amount"]
    found["reversals"]["data"].insert(0, world.show(reversal))
    world.emit(
        account, "transfer.reversed", found, previous={"amount_reversed": found["amount_reversed"] - amount}
    )
    return world.show(reversal)


def list_reversals(world: World, account: str, params: Object, transfer: str) -> Object:
    """GET /v1/transfers/{id}/reversals"""
    world.get(account, "transfer", transfer, "transfer")
    found = [one for one in world.all(account, "transfer_reversal") if one["transfer"] == transfer]
    return lists.page(world, found, params, f"/v1/transfers/{transfer}/reversals")


def retrieve_reversal(world: World, account: str, _: Object, transfer: str, reversal: str) -> Object:
    """GET /v1/transfers/{transfer}/reversals/{id}"""
    world.get(account, "transfer", transfer, "transfer")
    return world.show(world.get(account, "transfer_reversal", reversal))


def retrieve(world: World, account: str, _: Object, transfer: str) -> Object:
    """GET /v1/transfers/{transfer}"""
    return world.show(world.get(account, "transfer", transfer, "transfer"))


def update(world: World, account: str, params: Object, transfer: str) -> Object:
    """POST /v1/transfers/{transfer}"""
    found = world.get(account, "transfer", transfer, "transfer")
    if "description" in params:
        found["description"] = params["description"] or None
    merge_metadata(found, params)
    world.emit(account, "transfer.updated", found, previous={})
    return world.show(found)


def list_all(world: World, account: str, params: Object) -> Object:
    """GET /v1/transfers"""
    found = world.all(account, "transfer")
    for field in ("destination", "transfer_group"):
        if field in params:
            found = [transfer for transfer in found if transfer[field] == params[field]]
    return lists.page(world, found, params, "/v1/transfers")
