"""What the platform answers under /_local/, and /healthz. Tests and the demo drive it by these.

| call | body | does |
| --- | --- | --- |
| GET `/_local/clock` | | `{"now", "offset_seconds"}` |
| POST `/_local/clock` | `advance_seconds` or `to` (ISO 8601), `walk` (false) | moves the clock, see below |
| POST `/_local/tick` | `job` | fires one job of infra/schedule.json now |
| GET `/_local/idle` | `?wait_seconds=60` | whether nothing is under way; waits for it that long |
| GET `/_local/about` | | where the parts are: `{"environment", "auth_emulator", "stripe_control"}` |
| GET `/_local/mails` | `?to=ada@example.com` | e-mails that were sent, oldest first: `{"items"}` |
| GET `/_local/certs` | | the certificates of the local token issuer |

A move of the clock lets what is under way end, jumps, lets what the jump made due end (tasks, and what
happens at Stripe), fires the ticks that are due, each to its end, and answers when the platform is idle. With
`walk` the clock stops at each moment on the way at which a job is due, as a slow clock would. What does not
end in time is answered 503 with what was still under way.
"""

from __future__ import annotations

import json
import os
import threading
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import flask
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from infra.local.clock import TestClock
from infra.local.cloud_tasks import LocalCloudTasks
from infra.local.gateway import problem
from infra.local.mail import MailSink
from infra.local.oidc import TokenIssuer
from infra.local.scheduler import Scheduler, Tick, due_moments
from infra.local.work import Work

IDLE_WAIT_SECONDS = 120.0
CERTIFICATES_KEPT_SECONDS = 3600
WALK_MOMENTS_MAX = 1500  # a day of the relay's minutes; a month of them would take hours
ASK_AGAIN_SECONDS = 0.05  # of tasks and Stripe, whose changes are not told to `work`


class NotIdle(Exception):
    """The platform did not come to rest in time. Holds what was still under way."""


class Control:
    """Knows when the platform is idle, and moves its clock."""

    def __init__(
        self,
        clock: TestClock,
        work: Work,
        tasks: LocalCloudTasks,
        scheduler: Scheduler,
        *,
        ticks: bool,
        stripe_base: str | None,
    ) -> None:
        """`ticks`: the scheduler runs by itself. `stripe_base`: the local Stripe's address, if any."""
        self._clock = clock
        self._work = work
        self._tasks = tasks
        self._scheduler = scheduler
        self._ticks = ticks
        self._stripe_base = stripe_base
        self._moving = threading.Lock()

    def under_way(self) -> dict[str, int]:
        """What is under way, by kind; empty when the platform is idle (see `work` for why that is right)."""
        version = self._work.version
        if local := self._local_work():
            return local
        if self._stripe_base and (webhooks := self._webhooks()):
            return {"webhooks at Stripe": webhooks}
        if local := self._local_work():
            return local
        return {} if self._work.version == version else {"changes meanwhile": 1}

    def wait_until_idle(self, seconds: float = IDLE_WAIT_SECONDS, *, ticks_too: bool = True) -> None:
        """Raises NotIdle. Within a move of the clock, due ticks are not waited for: the move fires them."""
        deadline = time.monotonic() + seconds
        while True:
            version = self._work.version
            left = self.under_way()
            if not left and not (ticks_too and self._ticks and self._scheduler.is_due()):
                return
            if time.monotonic() > deadline:
                raise NotIdle(left or {"due ticks": 1})
            self._work.wait_for_change(version, ASK_AGAIN_SECONDS)

    def move(self, to: datetime, *, walk: bool = False) -> list[Tick]:
        """Move the clock to a moment; the ticks that were fired. Raises ValueError for a step back, or for
        a walk over more than WALK_MOMENTS_MAX due times."""
        with self._moving:
            begin = self._clock.now()
            if to < begin:
                raise ValueError("The clock moves only forward.")
            stops = due_moments(self._scheduler.jobs, begin, to) if walk else []
            if len(stops) > WALK_MOMENTS_MAX:
                raise ValueError(f"That walk has {len(stops)} stops, more than {WALK_MOMENTS_MAX}: jump.")
            fired = [tick for stop in stops for tick in self._jump(stop)]
            return [*fired, *self._jump(to)] if not stops or stops[-1] < to else fired

    def fire(self, name: str) -> Tick:
        """Fire one job now. Raises LookupError for a name that the cron table has not."""
        job = next((job for job in self._scheduler.jobs if name in (job.name, job.topic)), None)
        if job is None:
            raise LookupError(f"There is no job {name}.")
        tick = Tick(job, self._clock.now())
        self._scheduler.fire(tick)
        self.wait_until_idle()
        return tick

    def _jump(self, to: datetime) -> list[Tick]:
        self.wait_until_idle(ticks_too=False)
        with self._scheduler.held():
            if to > self._clock.now():
                self._clock.set_to(to)
            self._tasks.clock_moved()
            self.wait_until_idle(ticks_too=False)
            return self._scheduler.fire_due(between=lambda: self.wait_until_idle(ticks_too=False))

    def _local_work(self) -> dict[str, int]:
        tasks = self._tasks.runnable()
        return {**self._work.under_way(), **({"runnable tasks": tasks} if tasks else {})}

    def _webhooks(self) -> int:
        with urllib.request.urlopen(f"{self._stripe_base}/_control/idle", timeout=10) as response:
            answer = json.load(response)
        return 0 if answer["idle"] else answer.get("due", 0) + answer.get("sending", 0) or 1


def control_app(control: Control, clock: TestClock, issuer: TokenIssuer, mails: MailSink) -> flask.Flask:
    """The WSGI application for /_local/ and /healthz."""
    app = flask.Flask("infra.local.control")

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/_local/clock")
    def read_clock() -> dict[str, Any]:
        return {"now": _iso(clock.now()), "offset_seconds": clock.read_offset()}

    @app.post("/_local/clock")
    def move_clock() -> Any:
        body = flask.request.get_json()
        to = _moment(body, clock)
        ticks = control.move(to, walk=body.get("walk", False))
        return {**read_clock(), "ticks": [_shown(tick) for tick in ticks], "idle": True}

    @app.post("/_local/tick")
    def tick() -> Any:
        return _shown(control.fire(flask.request.get_json()["job"]))

    @app.get("/_local/idle")
    def idle() -> Any:
        control.wait_until_idle(float(flask.request.args.get("wait_seconds", 0)))
        return {"idle": True}

    @app.get("/_local/about")
    def about() -> Any:
        return {
            "environment": {name: os.environ[name] for name in sorted(os.environ) if _is_ours(name)},
            "auth_emulator": os.environ.get("FIREBASE_AUTH_EMULATOR_HOST"),
            "stripe_control": os.environ.get("AJO_STRIPE_API_BASE"),
        }

    @app.get("/_local/mails")
    def read_mails() -> Any:
        return {"items": mails.mails(flask.request.args.get("to"))}

    @app.get("/_local/certs")
    def certs() -> Any:
        headers = {"Cache-Control": f"public, max-age={CERTIFICATES_KEPT_SECONDS}"}
        return issuer.certificates(), headers

    @app.errorhandler(Exception)
    def refuse(error: Exception) -> Any:
        return _refusal(error)

    return app


def _is_ours(name: str) -> bool:
    """The names that `Platform.environment` sets: secrets are among them by their version's name alone."""
    return name.startswith("AJO_") or name.endswith("_EMULATOR_HOST") or name == "GOOGLE_CLOUD_PROJECT"


def _refusal(error: Exception) -> Response:
    if isinstance(error, HTTPException):
        return problem(error.code or 400, "bad_request", error.description or "")
    if isinstance(error, NotIdle):
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, "not_idle", f"Still under way: {error.args[0]}")
    if isinstance(error, LookupError | ValueError | TypeError):
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", str(error))
    raise error


def _moment(body: dict[str, Any], clock: TestClock) -> datetime:
    """The moment that a body asks for."""
    if "to" in body:
        to = datetime.fromisoformat(body["to"])
        return to if to.tzinfo else to.replace(tzinfo=UTC)
    return clock.now() + timedelta(seconds=int(body["advance_seconds"]))


def _shown(tick: Tick) -> dict[str, str]:
    return {"job": tick.job.name, "scheduled_at": _iso(tick.scheduled_at)}


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
