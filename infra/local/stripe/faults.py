"""Faults ordered through the control endpoint: each for so many times, for what it matches.

Of requests (`path` a glob, `method`, `match` of parameters by dotted name, as in `metadata.attempt_id`):

| kind | what happens |
| --- | --- |
| `delay` | execution waits `seconds` of wall time; the key is in use meanwhile (409 for others) |
| `cut_before` | the connection ends, nothing was done |
| `cut_after` | the connection ends though all was done; the same key replays the true answer |
| `delay_after` | all was done, the answer waits `seconds`: its webhooks come first |
| `error_before` | 500, nothing was done, nothing kept |
| `error_after` | 500 though all was done, and the same key replays the 500 |
| `conflict` | 409, the key is said to be in use; nothing was done |
| `rate_limit` | 429, nothing was done |

Of webhooks (`event` a glob of event types, `account`, `match` of the object's fields by dotted name):

| kind | what happens |
| --- | --- |
| `webhook_delay` | it comes `seconds` of clock time later |
| `webhook_drop` | it never comes (but stays in the list of events) |
| `webhook_duplicate` | the same event comes `copies` times more |
| `webhook_twin` | a second event object tells the same fact |
"""

from __future__ import annotations

from fnmatch import fnmatch
from typing import Any

from infra.local.stripe.errors import Object, Refusal
from infra.local.stripe.params import Flag, Kind, Text, Whole
from infra.local.stripe.world import World

BEFORE = ("delay", "cut_before", "error_before", "conflict", "rate_limit")
AFTER = ("cut_after", "error_after", "delay_after")
WEBHOOK = ("webhook_delay", "webhook_drop", "webhook_duplicate", "webhook_twin")
FIELDS: dict[str, Kind] = {
    "kind": Text(choices=(*BEFORE, *AFTER, *WEBHOOK)),
    "times": Whole(least=1),
    "method": Text(),
    "path": Text(),
    "event": Text(),
    "account": Text(),
    "seconds": Whole(least=0),
    "copies": Whole(least=1),
    "always": Flag(),
}


def order(world: World, typed: Object, match: Object) -> Object:
    """Order a fault: `times` once unless said otherwise, or `always`."""
    fault: Object = {"id": world.new_id("fault", 8), "times": 1, "match": match, **typed}
    world.faults.append(fault)
    return fault


def of_request(world: World, kinds: tuple[str, ...], method: str, path: str, params: Object) -> Object | None:
    """The first fault ordered for a request, used up by one."""
    return _take(
        world,
        kinds,
        lambda fault: (
            fault.get("method", method).upper() == method
            and fnmatch(path, fault.get("path", "*"))
            and _matches(params, fault["match"])
        ),
    )


def of_event(world: World, event: Object) -> Object | None:
    """The first fault ordered for an event's delivery, used up by one."""
    account = event.get("account", world.platform)
    return _take(
        world,
        WEBHOOK,
        lambda fault: (
            fnmatch(event["type"], fault.get("event", "*"))
            and fault.get("account", account) == account
            and _matches(event["data"]["object"], fault["match"])
        ),
    )


def _take(world: World, kinds: tuple[str, ...], fits: Any) -> Object | None:
    for fault in world.faults:
        if fault["kind"] in kinds and fits(fault):
            if not fault.get("always"):
                fault["times"] -= 1
                if fault["times"] == 0:
                    world.faults.remove(fault)
            return fault
    return None


def _matches(thing: Any, match: Object) -> bool:
    for dotted, wanted in match.items():
        value = thing
        for step in dotted.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        if str(value) != str(wanted):
            return False
    return True


def broken() -> Refusal:
    """Stripe's 500."""
    return Refusal(
        "An unknown error occurred: an error ordered through the control endpoint.",
        status=500,
        kind="api_error",
    )


def rate_limited() -> Refusal:
    """Stripe's 429."""
    return Refusal(
        "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
        code="rate_limit",
        status=429,
    )
