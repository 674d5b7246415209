"""Deliveries of events to the platform's and the Connect endpoint, signed, tried again for three days.

docs.stripe.com/webhooks: retries go on for up to three days with exponential back-off, in no promised order.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from fnmatch import fnmatch

from infra.local.stripe import faults
from infra.local.stripe.errors import Object
from infra.local.stripe.world import World, plain

RETRY_SECONDS = (300, 1_800, 7_200, 18_000, 36_000, 43_200)
"""From each failed attempt to the next; the last one repeats. Stripe publishes no figures."""
GIVE_UP_SECONDS = 3 * 86_400


def announce(world: World, event: Object) -> None:
    """Queue an event for its endpoint, where that listens for its type, through the faults ordered."""
    endpoint = "connect" if "account" in event else "platform"
    if not any(fnmatch(event["type"], wanted) for wanted in world.enabled_events[endpoint]):
        return
    fault = faults.of_event(world, event)
    kind = fault["kind"] if fault else None
    if kind == "webhook_drop":
        event["pending_webhooks"] += 1
        return
    queue(world, event, delay_seconds=fault.get("seconds", 60) if fault and kind == "webhook_delay" else 0)
    if fault and kind == "webhook_duplicate":
        for _ in range(fault.get("copies", 1)):
            queue(world, event)
    if kind == "webhook_twin":
        queue(world, twin(world, event))


def twin(world: World, event: Object) -> Object:
    """A second event object that tells the same fact."""
    copied: Object = plain(event) | {"id": world.new_id("evt"), "pending_webhooks": 0}
    return world.add(world.owner[event["id"]], copied)


def queue(world: World, event: Object, *, delay_seconds: int = 0) -> Object:
    """Queue one delivery of an event."""
    event["pending_webhooks"] += 1
    due = world.now + delay_seconds
    delivery: Object = {
        "id": world.new_id("whd"),
        "event": event["id"],
        "type": event["type"],
        "account": world.owner[event["id"]],
        "endpoint": "connect" if "account" in event else "platform",
        "first_due": due,
        "due": due,
        "attempts": 0,
        "order": world.counter,
        "state": "held" if world.holding else "pending",
        "one_by_one": False,
    }
    world.deliveries[delivery["id"]] = delivery
    world.waiting.append(delivery["id"])
    return delivery


def due(world: World) -> list[Object]:
    """The deliveries to make now, in order. During an outage each of them fails instead."""
    if world.outage:
        while failing := _due(world):
            for delivery in failing:
                settle(world, delivery["id"], None)
    return _due(world)


def _due(world: World) -> list[Object]:
    waiting = [world.deliveries[delivery_id] for delivery_id in world.waiting]
    ready = [one for one in waiting if one["state"] == "pending" and one["due"] <= world.now]
    return sorted(ready, key=lambda one: (one["due"], one["order"]))


def next_due(world: World) -> int | None:
    """When the next delivery is due."""
    waiting = [world.deliveries[delivery_id] for delivery_id in world.waiting]
    return min((one["due"] for one in waiting if one["state"] == "pending"), default=None)


def settle(world: World, delivery_id: str, status: int | None) -> None:
    """What the endpoint answered (None: nothing). Anything but 2xx is tried again, for three days."""
    delivery = world.deliveries.get(delivery_id)
    if delivery is None or delivery["state"] not in {"pending", "sending"}:
        return
    delivery["attempts"] += 1
    delivery["last_status"] = status
    if status is not None and 200 <= status < 300:
        delivery["state"] = "delivered"
        _forget(world, delivery_id)
        event = world.objects.get(delivery["event"])
        if event is not None:
            event["pending_webhooks"] = max(0, event["pending_webhooks"] - 1)
        return
    delivery["state"] = "pending"
    step = RETRY_SECONDS[min(delivery["attempts"], len(RETRY_SECONDS)) - 1]
    delivery["due"] += step
    if delivery["due"] - delivery["first_due"] > GIVE_UP_SECONDS:
        delivery["state"] = "given_up"
        _forget(world, delivery_id)


def _forget(world: World, delivery_id: str) -> None:
    world.waiting.remove(delivery_id)
    del world.deliveries[delivery_id]


def hold(world: World) -> None:
    """Keep all deliveries back from now on, until they are released."""
    world.holding = {"since": world.now}


def release(world: World, *, order: str, seed: int = 0) -> list[str]:
    """Let the held deliveries go one by one, 'given', 'reverse' or 'shuffle'; the types in that order."""
    world.holding = None
    held = [
        world.deliveries[delivery_id]
        for delivery_id in world.waiting
        if world.deliveries[delivery_id]["state"] == "held"
    ]
    if order == "reverse":
        held.reverse()
    elif order == "shuffle":
        random.Random(seed).shuffle(held)
    for delivery in held:
        world.counter += 1
        delivery |= {
            "state": "pending",
            "due": world.now,
            "first_due": world.now,
            "order": world.counter,
            "one_by_one": True,
        }
    return [delivery["type"] for delivery in held]


def payload(world: World, delivery: Object) -> bytes:
    """The body to send."""
    return json.dumps(world.objects[delivery["event"]], separators=(",", ":")).encode()


def signature(body: bytes, secret: str, timestamp: int) -> str:
    """The `Stripe-Signature` header (docs.stripe.com/webhooks#verify-manually)."""
    signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={signed}"
