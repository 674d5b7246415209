"""Top-ups: the platform's own capital, added to its available balance."""

from __future__ import annotations

from infra.local.stripe import balance, lists
from infra.local.stripe.errors import Object, Refusal, beyond
from infra.local.stripe.params import EXPAND, PAGE, RANGE, Kind, Metadata, Text, Whole, new_metadata
from infra.local.stripe.world import CURRENCY, World

CREATE: dict[str, Kind] = {
    "amount": Whole(least=1),
    "currency": Text(most=3),
    "description": Text(),
    "expand": EXPAND,
    "metadata": Metadata(),
    "statement_descriptor": Text(most=15),
    "transfer_group": Text(),
}
LIST: dict[str, Kind] = {**PAGE, "created": RANGE}


def create(world: World, account: str, params: Object) -> Object:
    """POST /v1/topups: as in Stripe's test mode, the money is there at once."""
    if params["currency"].lower() != CURRENCY:
        raise beyond(f"top-ups in {params['currency']}", "currency")
    if account != world.platform:
        raise Refusal("Only the platform can be topped up.", status=403)
    topup_id = world.new_id("tu")
    topup: Object = {
        "id": topup_id,
        "object": "topup",
        "amount": params["amount"],
        "balance_transaction": None,
        "created": world.now,
        "currency": CURRENCY,
        "description": params.get("description"),
        "expected_availability_date": world.now,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": new_metadata(params),
        "source": None,
        "statement_descriptor": params.get("statement_descriptor"),
        "status": "pending",
        "transfer_group": params.get("transfer_group"),
    }
    world.add(account, topup)
    world.emit(account, "topup.created", topup)
    topup["status"] = "succeeded"
    topup["balance_transaction"] = balance.post(
        world,
        account,
        kind="topup",
        amount=params["amount"],
        source=topup_id,
        description=params.get("description"),
    )["id"]
    world.emit(account, "topup.succeeded", topup)
    return world.show(topup)


def retrieve(world: World, account: str, _: Object, topup: str) -> Object:
    """GET /v1/topups/{topup}"""
    return world.show(world.get(account, "topup", topup, "topup"))


def list_all(world: World, account: str, params: Object) -> Object:
    """GET /v1/topups"""
    return lists.page(world, world.all(account, "topup"), params, "/v1/topups")
