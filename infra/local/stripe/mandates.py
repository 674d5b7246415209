"""Mandates: a customer's instruction to debit a bank account by Bacs."""

from __future__ import annotations

from infra.local.stripe import fees, test_methods
from infra.local.stripe.errors import Object
from infra.local.stripe.world import World


def create(world: World, account: str, method: Object, acceptance: Object | None) -> Object:
    """A mandate for a Bacs payment method, pending until the bank has accepted it (or at once refused it)."""
    behaviour = test_methods.METHODS[world.secret(method["id"])["test_method"]]
    refused = behaviour.mandate_refused
    mandate: Object = {
        "id": world.new_id("mandate"),
        "object": "mandate",
        "customer_acceptance": acceptance or _online(world),
        "livemode": False,
        "multi_use": {},
        "payment_method": method["id"],
        "payment_method_details": {
            "bacs_debit": {
                "network_status": "refused" if refused else "pending",
                "reference": world.new_id("x", 18)[2:].upper(),
                "url": f"{world.hosted_url}/_hosted/mandate",
            },
            "type": "bacs_debit",
        },
        "status": "inactive" if refused else "pending",
        "type": "multi_use",
    }
    world.add(account, mandate)
    world.secret(method["id"])["mandate"] = mandate["id"]
    if refused:
        world.emit(account, "mandate.updated", mandate, previous={"status": "pending"})
    else:
        due = world.working_days_on(fees.MANDATE_WORKING_DAYS, hour=fees.BANK_HOUR)
        world.schedule(due, "accept_mandate", mandate=mandate["id"])
    return mandate


def acceptance_of(world: World, params: Object) -> Object | None:
    """The customer's acceptance as a request's `mandate_data` gave it."""
    given = params.get("mandate_data", {}).get("customer_acceptance")
    if given is None:
        return None
    shown: Object = {"accepted_at": given.get("accepted_at", world.now), "type": given["type"]}
    shown[given["type"]] = given.get(given["type"]) or {}
    return shown


def _online(world: World) -> Object:
    return {
        "accepted_at": world.now,
        "online": {"ip_address": "127.0.0.1", "user_agent": "local"},
        "type": "online",
    }


def retrieve(world: World, account: str, _: Object, mandate: str) -> Object:
    """GET /v1/mandates/{mandate}"""
    return world.show(world.get(account, "mandate", mandate))


def accept(world: World, mandate: str) -> None:
    """The bank accepts a pending mandate."""
    if world.objects[mandate]["status"] == "pending":
        change(world, mandate, status="active", network_status="accepted")


def revoke(world: World, mandate: str) -> None:
    """The customer cancels the instruction at the bank: debits are no longer possible."""
    change(world, mandate, status="inactive", network_status="revoked")


def change(world: World, mandate: str, *, status: str, network_status: str) -> None:
    """Change a mandate's state and say so by `mandate.updated`."""
    found = world.objects[mandate]
    previous = {"status": found["status"]}
    found["status"] = status
    found["payment_method_details"]["bacs_debit"]["network_status"] = network_status
    world.emit(world.owner[mandate], "mandate.updated", found, previous=previous)
