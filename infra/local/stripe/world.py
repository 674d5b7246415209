"""What one Stripe holds: accounts with their objects, jobs to come, events and deliveries.

Everything in it is plain JSON, and everything random in it comes from a seed and a counter: the same seed and
the same calls give the same bytes (`dump`).
"""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Callable
from typing import Any

from infra.local.stripe import working_days
from infra.local.stripe.errors import Object, missing
from infra.local.stripe.version import API_VERSION

_LETTERS = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LETTER_OF_BYTE = bytes(_LETTERS[byte % len(_LETTERS)] for byte in range(256))
CURRENCY = "gbp"


_HOLD_OTHERS = frozenset([dict, list, tuple])


def plain(value: Any) -> Any:
    """A copy of JSON, all the way down: what is shown stays as it was. Faster than by way of text."""
    if type(value) is dict:
        copied = value.copy()  # most parts hold no others
        for name, part in value.items():
            if type(part) in _HOLD_OTHERS:
                copied[name] = plain(part) if part else type(part)()
        return copied
    return [plain(part) if type(part) in _HOLD_OTHERS else part for part in value]


class World:
    """The state of one Stripe, and the few things that every object needs of it."""

    def __init__(self, *, seed: int = 0, hosted_url: str = "http://stripe.invalid") -> None:
        self.hosted_url = hosted_url.rstrip("/")
        self.now = 0
        self.request: Object = {"id": None, "idempotency_key": None}
        self.seed = seed
        self.counter = 0
        self.objects: dict[str, Object] = {}
        self.owner: dict[str, str] = {}
        self.ids: dict[str, dict[str, list[str]]] = {}
        self.hidden: dict[str, Object] = {}
        self.removed: list[str] = []
        self.jobs: list[list[Any]] = []
        self.deliveries: dict[str, Object] = {}
        self.waiting: list[str] = []
        self.answers: dict[str, Object] = {}
        self.faults: list[Object] = []
        self.outage = False
        self.holding: Object | None = None
        self.enabled_events: dict[str, list[str]] = {"platform": ["*"], "connect": ["*"]}
        self.platform = self.new_id("acct", 16)
        self.announce: Callable[[Object], None] = lambda _: None

    # --- ids and objects ---------------------------------------------------------------------------------

    def new_id(self, prefix: str, length: int = 24) -> str:
        """A new id, the same at each run with the same seed."""
        self.counter += 1
        digest = hashlib.sha256(f"{self.seed}:{self.counter}".encode()).digest()
        return f"{prefix}_{digest[:length].translate(_LETTER_OF_BYTE).decode()}"

    def add(self, account: str, thing: Object, **hidden: Any) -> Object:
        """Keep a new object of an account, and what Stripe knows of it without showing it."""
        object_id, kind = thing["id"], thing["object"]
        self.objects[object_id] = thing
        self.owner[object_id] = account
        self.ids.setdefault(account, {}).setdefault(kind, []).append(object_id)
        if hidden:
            self.hidden[object_id] = hidden
        return thing

    def get(self, account: str, kind: str, object_id: str, param: str = "id") -> Object:
        """An object of an account, or Stripe's `resource_missing`."""
        thing = self.objects.get(object_id)
        if thing is None or thing["object"] != kind or self.owner[object_id] != account:
            raise missing(kind.replace("checkout.session", "checkout session"), object_id, param)
        return thing

    def all(self, account: str, kind: str) -> list[Object]:
        """The objects of a kind, oldest first."""
        return [self.objects[object_id] for object_id in self.ids.get(account, {}).get(kind, [])]

    def remove(self, object_id: str) -> None:
        """Forget an object, as if it had never been."""
        account, kind = self.owner.pop(object_id), self.objects.pop(object_id)["object"]
        self.ids[account][kind].remove(object_id)
        self.removed.append(object_id)

    def secret(self, object_id: str) -> Object:
        """What Stripe knows of an object and does not show."""
        return self.hidden.setdefault(object_id, {})

    def show(self, thing: Object) -> Object:
        """An object as an answer or an event shows it now."""
        shown: Object = plain(thing)
        if shown.get("object") == "balance_transaction":
            shown["status"] = "available" if shown["available_on"] <= self.now else "pending"
        if shown.get("object") == "dispute":
            shown["balance_transactions"] = [
                self.show(self.objects[txn]) for txn in shown["balance_transactions"] if txn in self.objects
            ]
        return shown

    # --- time --------------------------------------------------------------------------------------------

    def schedule(self, due: int, job: str, **arguments: Any) -> None:
        """Have a job of `core.JOBS` run when the clock reaches `due`."""
        self.counter += 1
        heapq.heappush(self.jobs, [due, self.counter, job, arguments])

    def working_days_on(self, days: int, *, hour: int = 0) -> int:
        """That hour of the `days`-th working day from now."""
        return working_days.moment_after(self.now, days, hour=hour)

    # --- events ------------------------------------------------------------------------------------------

    def emit(self, account: str, kind: str, thing: Object, previous: Object | None = None) -> Object:
        """Record an event about an object; `announce` sends it to the endpoint of its account."""
        data: Object = {"object": self.show(thing)}
        if previous is not None:
            data["previous_attributes"] = previous
        event: Object = {
            "id": self.new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now,
            "data": data,
            "livemode": False,
            "pending_webhooks": 0,
            "request": dict(self.request),
            "type": kind,
        }
        if account != self.platform:
            event["account"] = account
        self.add(account, event)
        self.announce(event)
        return event

    # --- all of it ---------------------------------------------------------------------------------------

    _PARTS = [
        "now",
        "seed",
        "counter",
        "objects",
        "owner",
        "ids",
        "hidden",
        "removed",
        "jobs",
        "deliveries",
        "waiting",
        "answers",
        "faults",
        "outage",
        "holding",
        "enabled_events",
        "platform",
    ]

    def dump(self) -> str:
        """The whole state as one line of JSON."""
        return json.dumps({part: getattr(self, part) for part in self._PARTS}, separators=(",", ":"))

    def load(self, dumped: str) -> None:
        """Take on a state that `dump` gave; what was being sent is sent again."""
        for part, value in json.loads(dumped).items():
            setattr(self, part, value)
        for delivery in self.deliveries.values():
            if delivery["state"] == "sending":
                delivery["state"] = "pending"
