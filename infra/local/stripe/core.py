"""The local Stripe in process: one door for requests, a clock that moves it, a queue of webhooks to send.

Deterministic: `now` and `seed` come from outside; nothing else decides an id, a moment or an order.
"""

from __future__ import annotations

import heapq
import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from infra.local.stripe import (
    accounts,
    checkout_sessions,
    faults,
    idempotency,
    lists,
    mandates,
    params,
    payment_intents,
    payouts,
    refunds,
    routes,
    webhooks,
)
from infra.local.stripe.errors import ConnectionCut, InvalidParams, Object, Refusal
from infra.local.stripe.version import API_VERSION
from infra.local.stripe.world import World, plain

JOBS: dict[str, Callable[..., object]] = {
    "accept_mandate": mandates.accept,
    "arrive_payout": payouts.arrive,
    "expire_checkout": checkout_sessions.expire,
    "open_dispute": payment_intents.open_dispute,
    "settle_debit": payment_intents.settle_debit,
    "settle_refund": refunds.settle,
    "submit_refund": refunds.submit,
    "sweep_payouts": payouts.sweep,
}
REQUESTS_KEPT = 50_000


class Answer(NamedTuple):
    """What Stripe answers."""

    status: int
    body: Object
    headers: dict[str, str]


class LocalStripe:
    """One Stripe: a platform account, its connected accounts, and all that happens to them.

    `now` is its clock; call `advance` (or any request) after moving it. `sleep` waits out ordered delays.
    `on_change` is told after each request, that webhooks may be due.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        seed: int = 0,
        hosted_url: str = "http://stripe.invalid",
        payouts_interval: str = "manual",
        enabled_events: dict[str, list[str]] | None = None,
        sleep: Callable[[float], None] = lambda _: None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.now = now
        self._options = (seed, hosted_url, payouts_interval, enabled_events)
        self._sleep = sleep
        self._on_change = on_change
        self.lock = threading.RLock()
        self.requests: deque[Object] = deque(maxlen=REQUESTS_KEPT)
        self.world = self._new_world()

    def _new_world(self) -> World:
        seed, hosted_url, payouts_interval, enabled_events = self._options
        world = World(seed=seed, hosted_url=hosted_url)
        world.now = int(self.now().timestamp())
        world.enabled_events |= enabled_events or {}
        world.announce = lambda event: webhooks.announce(world, event)
        accounts.open_platform(world, payouts_interval=payouts_interval)
        world.schedule((world.now // payouts.DAY_SECONDS + 1) * payouts.DAY_SECONDS, "sweep_payouts")
        return world

    def reset(self) -> None:
        """Begin anew, as with the same seed at first."""
        with self.lock:
            self.requests.clear()
            self.world = self._new_world()

    # --- time --------------------------------------------------------------------------------------------

    def advance(self) -> None:
        """Do what is due by the clock, each thing at its own moment, in order."""
        with self.lock:
            world, target = self.world, int(self.now().timestamp())
            world.request = {"id": None, "idempotency_key": None}
            while world.jobs and world.jobs[0][0] <= target:
                due, _, job, arguments = heapq.heappop(world.jobs)
                world.now = due
                JOBS[job](world, **arguments)
            world.now = target

    # --- requests ----------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        form: Object | None = None,
        *,
        idempotency_key: str | None = None,
        account: str | None = None,
        api_version: str | None = None,
    ) -> tuple[int, Object]:
        """Answer a request: status and body. Raises ConnectionCut where a fault takes the answer away."""
        answer = self.respond(
            method,
            path,
            form,
            idempotency_key=idempotency_key,
            account=account,
            api_version=api_version,
        )
        return answer.status, answer.body

    def respond(
        self,
        method: str,
        path: str,
        form: Object | None = None,
        *,
        idempotency_key: str | None = None,
        account: str | None = None,
        api_version: str | None = None,
    ) -> Answer:
        """As `request`, with the headers of the answer."""
        form = form or {}
        key = idempotency_key if method == "POST" else None
        with self.lock:
            self.advance()
            request_id = self.world.new_id("req", 14)
            entry: Object = {
                "id": request_id,
                "at": self.world.now,
                "method": method,
                "path": path,
                "params": plain(form),
                "account": account,
                "idempotency_key": key,
                "replayed": False,
            }
        headers = {"Request-Id": request_id, "Stripe-Version": API_VERSION}
        if key is not None:
            headers["Idempotency-Key"] = key
        after = None
        try:
            status, body, after = self._answer(entry, headers, form, api_version)
        except Refusal as refusal:
            status, body = refusal.status, plain(refusal.body)
        finally:
            self._on_change()
        entry["lost"] = after is not None and after["kind"] == "cut_after"
        with self.lock:
            self.requests.append({**entry, "status": status, "body": body})
        if after is not None and after["kind"] == "delay_after":
            self._sleep(after.get("seconds", 1))
        if entry["lost"]:
            raise ConnectionCut(executed=True)
        if status >= 500:
            headers["Stripe-Should-Retry"] = "false"  # it would be replayed anyway
        return Answer(status, body, headers)

    def _answer(
        self, entry: Object, headers: dict[str, str], form: Object, api_version: str | None
    ) -> tuple[int, Object, Object | None]:
        """Status, body, and the fault to apply to the answer."""
        method, path, key = entry["method"], entry["path"], entry["idempotency_key"]
        with self.lock:
            world = self.world
            account = self._account(entry["account"], api_version)
            fault = faults.of_request(world, faults.BEFORE, method, path, form)
            _refuse_before(fault, key)
            kept = idempotency.find(world, account, key, method, path, form) if key else None
            if kept is not None:
                headers |= {"Idempotent-Replayed": "true", "Original-Request": kept["request"]}
                entry["replayed"] = True
                return kept["status"], plain(kept["body"]), None
            route, ids = _operation(method, path)
            typed = params.read(form, route.fields, route.required)
            if key:
                idempotency.begin(world, account, key, method, path, form, request=entry["id"])
        if fault is not None and fault["kind"] == "delay":
            self._sleep(fault.get("seconds", 1))
            self.advance()
        with self.lock:
            world.request = {"id": entry["id"], "idempotency_key": key}
            try:
                status, body = self._execute(route, account, typed, ids)
            except BaseException:
                idempotency.forget(world, account, key)
                raise
            after = faults.of_request(world, faults.AFTER, method, path, form)
            if after is not None and after["kind"] == "error_after":
                status, body = 500, faults.broken().body
            if key:
                idempotency.finish(world, account, key, status, body)
            return status, body, after

    def _execute(self, route: routes.Route, account: str, typed: Object, ids: Object) -> tuple[int, Object]:
        expand = typed.pop("expand", [])
        try:
            # A handler answers with what `show` copied, or with what it made for the answer.
            body = route.handler(self.world, account, typed, **ids)
            return 200, lists.expand(self.world, body, expand)
        except Refusal as refusal:
            return refusal.status, plain(refusal.body)

    def _account(self, account: str | None, api_version: str | None) -> str:
        if api_version not in {None, API_VERSION}:
            raise InvalidParams(
                f"The local Stripe speaks API version {API_VERSION}, not {api_version}: make the client with "
                f"stripe_version={API_VERSION!r}."
            )
        if account is None:
            return self.world.platform
        return str(accounts.find(self.world, account)["id"])

    # --- webhooks ----------------------------------------------------------------------------------------

    def deliveries_due(self) -> list[Object]:
        """The webhook deliveries to make now, in order; report each by `delivered`."""
        self.advance()
        with self.lock:
            return webhooks.due(self.world)

    def payload(self, delivery: Object) -> bytes:
        """The body of a delivery."""
        with self.lock:
            return webhooks.payload(self.world, delivery)

    def delivered(self, delivery_id: str, status: int | None) -> None:
        """What the endpoint answered to a delivery: an HTTP status, or None for nothing."""
        with self.lock:
            webhooks.settle(self.world, delivery_id, status)

    def pump(self, send: Callable[[Object, bytes], int | None]) -> int:
        """Make all deliveries due, one after another, until none is; returns how many were made."""
        made = 0
        while ready := self.deliveries_due():
            for delivery in ready:
                self.delivered(delivery["id"], send(delivery, self.payload(delivery)))
                made += 1
        return made

    # --- all of it ---------------------------------------------------------------------------------------

    def dump(self) -> str:
        """The whole state as JSON, byte for byte the same after the same calls with the same seed."""
        with self.lock:
            return self.world.dump()

    def load(self, dumped: str) -> None:
        """Take on a state that `dump` gave."""
        with self.lock:
            self.world.load(dumped)


def _operation(method: str, path: str) -> tuple[routes.Route, Object]:
    found = routes.find(method, path)
    if found is None:
        raise InvalidParams(
            f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help "
            "at https://support.stripe.com/.",
            status=404,
        )
    return found


def _refuse_before(fault: Object | None, key: str | None) -> None:
    kind = fault["kind"] if fault else None
    if kind == "cut_before":
        raise ConnectionCut(executed=False)
    if kind == "error_before":
        raise faults.broken()
    if kind == "conflict":
        raise idempotency.in_use(key or "none")
    if kind == "rate_limit":
        raise faults.rate_limited()
