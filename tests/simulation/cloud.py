"""What the cloud does: delivers at least once, in no promised order, and again what was not acknowledged."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.domain.errors import Busy
from shared.web.failures import as_refusal
from tests.builders import StillClock
from tests.simulation.faults import Faults
from tests.simulation.scheduler import Handler, Scheduler

CRASH_WITHIN = 24
"""A handler that is to die does so at one of its first so many ports; one that has fewer lives."""

BACKOFF_SECONDS_MAX = 600


@dataclass
class Work:
    """Something that a handler is to be started for, until it is acknowledged.

    `done` is called when it is acknowledged, `failed` after each delivery in vain, `given_up` after
    `tries_max` of them: a dead letter, a dropped task.
    """

    name: str
    run: Callable[[], Any]
    due: datetime
    tries_max: int = 5
    tries: int = 0
    done: Callable[[], None] = lambda: None
    failed: Callable[[], None] = lambda: None
    given_up: Callable[[], None] = lambda: None
    may_crash: bool = True


class Cloud:
    """All work that is to be done, by the moment at which it is due."""

    def __init__(
        self,
        scheduler: Scheduler,
        clock: StillClock,
        faults: Faults,
        chance: random.Random,
        unhandled: Callable[[str, Exception], None],
    ) -> None:
        self._scheduler = scheduler
        self._clock = clock
        self._faults = faults
        self._chance = chance
        self._unhandled = unhandled
        self._queue: list[tuple[datetime, int, Work]] = []
        self._count = 0
        self.skew_seconds_max = 0
        self.is_down = False
        self.dies_at: Callable[[Work], int | None] = self._dies_by_chance
        self.started: Callable[[Work, Handler], None] = lambda work, handler: None

    def add(self, work: Work) -> None:
        """Do this when it is due."""
        self._count += 1
        heapq.heappush(self._queue, (work.due, self._count, work))

    def soon(self, name: str, run: Callable[[], Any], **more: Any) -> None:
        """Do this now, or as soon as somebody has time."""
        self.add(Work(name, run, self._clock.moment, **more))

    def later(self, name: str, after: timedelta, run: Callable[[], Any], **more: Any) -> None:
        """Do this after a while."""
        self.add(Work(name, run, self._clock.moment + after, **more))

    @property
    def next_due(self) -> datetime | None:
        return self._queue[0][0] if self._queue else None

    def settle(self, arrivals: Callable[[], None], stop: Callable[[], bool]) -> None:
        """Work until nothing is due at this moment. `arrivals` adds what has come from outside."""
        scheduler = self._scheduler
        while not stop():
            arrivals()
            while scheduler.has_room and (work := self._take()) is not None:
                self._start(work)
            if scheduler.is_idle:
                return
            scheduler.step()

    def _take(self) -> Work | None:
        """One of the works that are due: the oldest, or any where several handlers are at work."""
        if self.is_down or not self._queue or self._queue[0][0] > self._clock.moment:
            return None
        work = heapq.heappop(self._queue)[2]
        if self._scheduler.concurrency_max == 1:
            return work
        others = []
        while self._queue and self._queue[0][0] <= self._clock.moment and self._chance.random() < 0.5:
            others.append(work)
            work = heapq.heappop(self._queue)[2]
        for other in others:
            self.add(other)
        return work

    def _start(self, work: Work) -> None:
        work.tries += 1
        skew = self.skew_seconds_max
        handler = self._scheduler.spawn(
            work.name,
            work.run,
            lambda raised: self._done(work, raised),
            lambda: self._crashed(work),
            crash_at=self.dies_at(work),
            clock_skew_seconds=self._chance.randint(-skew, skew) if skew else 0,
        )
        self.started(work, handler)

    def _dies_by_chance(self, work: Work) -> int | None:
        """At which of its ports the handler of a work dies, if it does."""
        if work.may_crash and self._faults.is_due("crash"):
            return self._chance.randint(1, CRASH_WITHIN)
        return None

    def _done(self, work: Work, raised: Exception | None) -> None:
        """Acknowledged, or refused for good; sent again where it may pass (shared.web, problems)."""
        refusal = as_refusal(raised) if raised is not None else None
        if raised is not None and refusal is None:
            self._unhandled(work.name, raised)
        if raised is None or (refusal is not None and not isinstance(refusal, Busy)):
            work.done()
            return
        self._again(work)

    def _crashed(self, work: Work) -> None:
        self._faults.count("crash")
        self._again(work)

    def _again(self, work: Work) -> None:
        work.failed()
        if work.tries >= work.tries_max:
            work.given_up()
            return
        wait_seconds = min(10 * 2**work.tries, BACKOFF_SECONDS_MAX)
        work.due = self._clock.moment + timedelta(seconds=wait_seconds)
        self.add(work)
