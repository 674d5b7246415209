"""Cloud Scheduler on the test clock: publishes a tick for each due time of the cron table.

The table, infra/schedule.json, is the one that terraform deploys. A tick is a Pub/Sub message with
{"job", "scheduled_at"}.

When the clock jumps, each job fires at most once, for its last due time, in the order of these times: ticks
carry no work (DESIGN.md, functions), so the tick of today does what a month of missed ones would have done,
and a month holds 43,000 of the relay's. Who wants each of them walks the clock from one due time to the next:
see `due_moments`.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from cronsim import CronSim

from infra.local.clock import TestClock

CLOCK_READ_SECONDS = 0.5
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """One row of the cron table. `cron` is read in `time_zone`; clocks change as in Debian's cron."""

    name: str
    cron: str
    time_zone: str
    topic: str
    description: str


@dataclass(frozen=True, slots=True)
class Tick:
    """One due time of a job, in UTC."""

    job: Job
    scheduled_at: datetime


def read_jobs(file: Path) -> list[Job]:
    """The cron table."""
    return [Job(**row) for row in json.loads(file.read_text())]


def last_ticks(jobs: Sequence[Job], after: datetime, until: datetime) -> list[Tick]:
    """Each job's last due time in (after, until], if it has one, in order of time and then of the table."""
    past_until = until.replace(second=0, microsecond=0) + timedelta(minutes=1)
    latest = [Tick(job, next(_moments(job, past_until, backwards=True))) for job in jobs]
    return sorted((tick for tick in latest if tick.scheduled_at > after), key=lambda tick: tick.scheduled_at)


def due_moments(jobs: Sequence[Job], after: datetime, until: datetime) -> list[datetime]:
    """Every moment in (after, until] at which some job is due, in order."""
    moments: set[datetime] = set()
    for job in jobs:
        for moment in _moments(job, after):
            if moment > until:
                break
            moments.add(moment)
    return sorted(moments)


def _moments(job: Job, start: datetime, *, backwards: bool = False) -> Iterator[datetime]:
    """A job's due times after `start`, or before it, without end."""
    for moment in CronSim(job.cron, start.astimezone(ZoneInfo(job.time_zone)), reverse=backwards):
        yield moment.astimezone(UTC)


class Scheduler:
    """Fires what is due. Nothing is fired for the time before it was made."""

    def __init__(self, jobs: Sequence[Job], clock: TestClock, publish: Callable[[str, dict[str, str]], None]):
        """`publish` takes a topic and a tick, and returns when the message is confirmed."""
        self.jobs = jobs
        self._clock = clock
        self._publish = publish
        self._fired_until = clock.now()
        self._firing = threading.RLock()

    def held(self) -> contextlib.AbstractContextManager[object]:
        """No other thread fires while this is held: the clock may move in peace."""
        return self._firing

    def is_due(self) -> bool:
        """Whether a tick waits to be fired."""
        return bool(last_ticks(self.jobs, self._fired_until, self._clock.now()))

    def fire_due(self, between: Callable[[], object] = lambda: None) -> list[Tick]:
        """Publish the ticks that are due, and call `between` after each."""
        with self._firing:
            now = self._clock.now()
            ticks = last_ticks(self.jobs, self._fired_until, now)
            for tick in ticks:
                self.fire(tick)
                between()
            self._fired_until = now
            return ticks

    def fire(self, tick: Tick) -> None:
        """Publish one tick."""
        message = {"job": tick.job.name, "scheduled_at": tick.scheduled_at.isoformat().replace("+00:00", "Z")}
        self._publish(tick.job.topic, message)

    def run(self, stop: threading.Event) -> None:
        """Fire what falls due as time passes, until told to stop. A tick that fails is fired again."""
        while not stop.wait(CLOCK_READ_SECONDS):
            try:
                self.fire_due()
            except Exception:
                log.exception("a tick could not be published")
