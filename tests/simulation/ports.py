"""The ports of a simulated platform: at each call others may go on, or the call's own fault strikes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import stripe

from infra.local.stripe import faults as stripe_faults
from infra.local.stripe.core import LocalStripe
from infra.local.stripe.errors import ConnectionCut
from shared.adapters.memory_store import WITH_DATA, MemoryStore
from shared.adapters.stripe_gateway.api import API_VERSION, StripeApi, _in_our_words
from shared.ports import (
    OutcomeUnknown,
    Page,
    PublishFailed,
    Query,
    QueueFailed,
    Snapshot,
    Stale,
    StoreUnavailable,
    Write,
)
from tests.builders import FixedSecrets, SeededChance, StillClock
from tests.simulation.faults import Faults
from tests.simulation.scheduler import Scheduler

Document = Mapping[str, Any]


class Change(NamedTuple):
    """What one commit did to one document; None where there was, or is, none."""

    path: str
    before: Document | None
    after: Document | None


CONFLICTS = 6
"""FAULTS.md, `store-trouble`: that many conflicts after one another."""


class PlainStore(MemoryStore):
    """The memory store without its checks: the services' documents are plain, small, and never changed."""

    def load(self, *paths: str) -> list[Snapshot]:
        """Paths are not checked: they come from the services' own refs."""
        if self._torn_reads:
            found = {path: self._read(path) for path in self._torn_reads(paths)}
            return [found[path] for path in paths]
        return [self._read(path) for path in paths]

    def _given(self, write: Write) -> dict[str, Any]:
        """As it comes: each write has a document of its own."""
        return dict(write.data) if isinstance(write, WITH_DATA) else {}

    def _check_size(self, path: str, data: dict[str, Any]) -> None:
        """Unweighed: no document here comes near the limit, and weighing takes a tenth of the time."""

    def _shown(self, document: Snapshot) -> Snapshot:
        """The stored document itself: nobody changes what was read, and copying takes its time."""
        return document


class SimulatedStore(PlainStore):
    """The memory store with its troubles. `watch` is told every commit, whole, at once."""

    def __init__(self, scheduler: Scheduler, faults: Faults, chance: random.Random) -> None:
        super().__init__()
        self._scheduler = scheduler
        self._faults = faults
        self._chance = chance
        self._changes: list[Change] = []
        self._conflicts_to_come = 0
        self.watch: Callable[[list[Change]], None] = lambda changes: None
        self.spoil: Callable[[Sequence[Write]], Sequence[Write]] = lambda writes: writes

    # Not a hook given to the parent: without other handlers nothing can come between two reads.
    def _tear(self, paths: Sequence[str]) -> Iterator[str]:
        for path in self._chance.sample(paths, len(paths)):
            yield path
            if self._chance.random() < 0.3:
                self._scheduler.boundary("between two reads")

    def _interleaves(self) -> None:
        self._torn_reads = None if self._scheduler.is_alone else self._tear

    def load(self, *paths: str) -> list[Snapshot]:
        self._before_reading("load")
        return super().load(*paths)

    def query(self, query: Query) -> Page:
        self._before_reading("query")
        return super().query(query)

    def gather(self, paths: Sequence[str], *queries: Query) -> tuple[list[Snapshot], list[Page]]:
        """One wait, and one trouble for all; between two documents, and so two requests, others may go on."""
        self._before_reading("gather")
        return PlainStore.load(self, *paths), [PlainStore.query(self, query) for query in queries]

    def _before_reading(self, port: str) -> None:
        self._scheduler.boundary(port)
        self._maybe_unavailable()
        self._interleaves()

    def commit(self, writes: Sequence[Write]) -> None:
        self._scheduler.boundary("commit")
        lost = self._trouble_at_commit()
        super().commit(self.spoil(writes))
        changes, self._changes = self._changes, []
        self.watch(changes)
        if lost:
            raise OutcomeUnknown
        self._scheduler.boundary("committed")

    def _put(self, path: str, before: Snapshot | None, after: Snapshot | None) -> None:
        super()._put(path, before, after)
        self._changes.append(Change(path, before.data if before else None, after.data if after else None))

    def _maybe_unavailable(self) -> None:
        if "store-trouble" not in self._faults.active:
            return
        if self._scheduler.current and self._faults.strikes("store-trouble"):
            raise StoreUnavailable

    def _trouble_at_commit(self) -> bool:
        """Raises what keeps a commit from being done; True if it is done and its answer is lost."""
        if self._conflicts_to_come:
            self._conflicts_to_come -= 1
            raise Stale("contention")
        if not self._scheduler.current or not self._faults.strikes("store-trouble", rather=3):
            return False
        match self._chance.choice(["conflicts", "unavailable", "lost", "lost but done"]):
            case "conflicts":
                self._conflicts_to_come = CONFLICTS - 1
                raise Stale("contention")
            case "unavailable":
                raise StoreUnavailable
            case "lost":
                raise OutcomeUnknown
            case _:
                return True


MOVES_MONEY = ("/v1/payment_intents", "/v1/transfers", "/v1/payouts", "/v1/refunds")


# stripe-python leaves its errors without types.
_cut_line: Callable[..., stripe.StripeError] = stripe.APIConnectionError


class _StripeError(stripe.StripeError):
    """Without the error object, which takes longer to build than all the rest and is never read."""

    def _construct_error_object(self) -> None:
        return None


_stripe_error: Callable[..., stripe.StripeError] = _StripeError


class Answered(NamedTuple):
    """What Stripe answered, as StripeApi takes it from stripe-python."""

    data: dict[str, Any]
    headers: Mapping[str, str]


class SimulatedLine(StripeApi):
    """The gateway's door, straight to a Stripe in process: forms, HTTP and stripe-python are left out.

    They take half of a request's time here, and the contract suite holds them. `answered` is told of each
    call that changed something, before its caller is.
    """

    def __init__(
        self, core: LocalStripe, scheduler: Scheduler, faults: Faults, chance: random.Random
    ) -> None:
        super().__init__(FixedSecrets(), live=False, base=None, http_client=None)
        self._core = core
        self._scheduler = scheduler
        self._faults = faults
        self._chance = chance
        self.answered: Callable[[str], None] = lambda path: None
        self.spoil: Callable[[str, Form], Form] = lambda path, form: form

    def _request(
        self, method: str, path: str, params: Mapping[str, Any] | None, options: Mapping[str, Any]
    ) -> Any:
        self._scheduler.boundary(f"stripe: {method} {path}")
        if self._scheduler.current and self._faults.strikes("stripe-answer-lost"):
            kind = self._chance.choice([*stripe_faults.BEFORE, *stripe_faults.AFTER])
            stripe_faults.order(self._core.world, {"kind": kind}, {})
        form = {name: _as_form(value) for name, value in (params or {}).items()}
        changes = method == "post"
        try:
            answer = self._core.respond(
                method.upper(),
                f"/v1/{path}",
                self.spoil(path, form) if changes else form,
                idempotency_key=options.get("idempotency_key"),
                account=options.get("stripe_account"),
                api_version=API_VERSION,
            )
        except ConnectionCut as cut:
            raise _in_our_words(_cut_line(str(cut))) from None
        if self._scheduler.current and changes:
            self.answered(path)
        self._scheduler.boundary("stripe answered")
        if answer.status >= 400:
            raise _in_our_words(_stripe_error(http_status=answer.status, json_body=answer.body))
        return Answered(answer.body, answer.headers)


Form = dict[str, Any]


def _as_form(value: Any) -> Any:
    """A parameter as it is after a form carried it: text, in lists and maps."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, list | tuple):
        return [_as_form(part) for part in value]
    return {name: _as_form(part) for name, part in value.items()}


class SimulatedClock(StillClock):
    """Each instance's clock is a little off."""

    def __init__(self, scheduler: Scheduler, now: datetime) -> None:
        super().__init__(now)
        self._scheduler = scheduler

    def now(self) -> datetime:
        handler = self._scheduler.current
        if handler is None or not handler.clock_skew_seconds:
            return self.moment
        return self.moment + timedelta(seconds=handler.clock_skew_seconds)

    wall = now


class SimulatedChance(SeededChance):
    """Who waits lets others go on."""

    def __init__(self, scheduler: Scheduler, seed: int) -> None:
        super().__init__(seed)
        self._scheduler = scheduler

    def pause(self, seconds: float) -> None:
        self._scheduler.boundary("pause")


NAME_KEPT = timedelta(hours=1)
"""Cloud Tasks refuses a used name for about an hour (DESIGN.md § 8)."""


class SimulatedMessages:
    """Pub/Sub and Cloud Tasks as those see them who send. `send` and `run` take what arrived."""

    def __init__(
        self, scheduler: Scheduler, clock: StillClock, faults: Faults, chance: random.Random
    ) -> None:
        self._scheduler = scheduler
        self._clock = clock
        self._faults = faults
        self._chance = chance
        self._names: dict[str, datetime] = {}
        self.send: Callable[[str, dict[str, Any]], None] = lambda topic, message: None
        self.run: Callable[[str, dict[str, Any]], None] = lambda name, body: None

    def publish(self, topic: str, message: Mapping[str, Any]) -> None:
        self._scheduler.boundary("publish")
        trouble = self._trouble()
        if trouble != "not sent":
            self.send(topic, dict(message))
        if trouble:
            raise PublishFailed(trouble)
        self._scheduler.boundary("published")

    def enqueue(self, name: str, body: Mapping[str, Any], at: datetime | None = None) -> None:
        self._scheduler.boundary("enqueue")
        trouble = self._trouble()
        used = self._names.get(name)
        if trouble != "not sent" and (used is None or used + NAME_KEPT <= self._clock.moment):
            self._names[name] = self._clock.moment
            self.run(name, dict(body))
        if trouble:
            raise QueueFailed(trouble)
        self._scheduler.boundary("enqueued")

    def _trouble(self) -> str | None:
        """A message that is not confirmed may have been sent all the same."""
        if self._scheduler.current and self._faults.strikes("store-trouble", rather=2):
            return self._chance.choice(["not sent", "sent, not confirmed"])
        return None
