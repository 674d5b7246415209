"""Balances: nothing but the sum of balance transactions, pending until `available_on`."""

from __future__ import annotations

from infra.local.stripe import lists
from infra.local.stripe.errors import Object, Refusal
from infra.local.stripe.world import CURRENCY, World


def post(
    world: World,
    account: str,
    *,
    kind: str,
    amount: int,
    source: str | None,
    description: str | None,
    category: str | None = None,
    fee: int = 0,
    fee_description: str = "Stripe processing fees",
    available_on: int | None = None,
) -> Object:
    """Post a balance transaction: `amount` less `fee` to an account's balance, in pence."""
    details = [
        {
            "amount": fee,
            "application": None,
            "currency": CURRENCY,
            "description": fee_description,
            "type": "stripe_fee",
        }
    ]
    return world.add(
        account,
        {
            "id": world.new_id("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": world.now if available_on is None else max(available_on, world.now),
            "created": world.now,
            "currency": CURRENCY,
            "description": description,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": details if fee else [],
            "net": amount - fee,
            "reporting_category": category or kind,
            "source": source,
            "status": "pending",
            "type": kind,
        },
    )


def available(world: World, account: str) -> int:
    """What an account can spend now, in pence."""
    return sum(
        txn["net"] for txn in world.all(account, "balance_transaction") if txn["available_on"] <= world.now
    )


def pending(world: World, account: str) -> int:
    """What is on its way to being available, in pence."""
    return sum(
        txn["net"] for txn in world.all(account, "balance_transaction") if txn["available_on"] > world.now
    )


def retrieve(world: World, account: str, _: Object) -> Object:
    """GET /v1/balance"""

    def funds(amount: int) -> list[Object]:
        return [{"amount": amount, "currency": CURRENCY, "source_types": {"card": amount}}]

    answer: Object = {
        "object": "balance",
        "available": funds(available(world, account)),
        "livemode": False,
        "pending": funds(pending(world, account)),
    }
    if account == world.platform:
        answer["connect_reserved"] = [{"amount": 0, "currency": CURRENCY}]
    return answer


def list_transactions(world: World, account: str, params: Object) -> Object:
    """GET /v1/balance_transactions"""
    found = world.all(account, "balance_transaction")
    for field in ("type", "currency", "source"):
        if field in params:
            found = [txn for txn in found if txn[field] == params[field]]
    if "payout" in params:
        if not world.get(account, "payout", params["payout"], "payout")["automatic"]:
            raise Refusal(
                "Balance transaction history can only be filtered on automatic transfers, not manual.",
                param="payout",
            )
        found = [txn for txn in found if world.hidden.get(txn["id"], {}).get("payout") == params["payout"]]
    return lists.page(world, found, params, "/v1/balance_transactions")


def retrieve_transaction(world: World, account: str, _: Object, txn: str) -> Object:
    """GET /v1/balance_transactions/{txn}"""
    return world.show(world.get(account, "balance_transaction", txn))
