"""Handlers as greenlets: each runs until it touches a port, where the seed says who goes on and who dies.

A handler is ordinary synchronous code. What it holds in memory is lost when it crashes; what it committed
stays. Nothing here knows what a handler does.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from greenlet import getcurrent, greenlet


class Crashed(BaseException):
    """The process died at a port. No handler catches it: nothing but the hub does."""


class Handler:
    """One invocation of a function: what it is called, where it stands, and when it is to die."""

    def __init__(self, name: str, crash_at: int | None) -> None:
        self.name = name
        self.at = "start"
        self.boundaries = 0
        self.crash_at = crash_at
        self.waits_for: Callable[[], bool] | None = None
        self.clock_skew_seconds = 0

    def __repr__(self) -> str:
        return f"{self.name} at {self.at}"


class _Green(greenlet):  # type: ignore[misc] # greenlet has no types
    """A greenlet that runs one handler after another: to start one takes as long as twenty switches."""

    handler: Handler
    work: Callable[[], None] | None


def _one_after_another() -> None:
    # No local variable, not even `self`: a greenlet that is named by its own frame is never freed.
    while True:
        getcurrent().work()
        getcurrent().work = None
        getcurrent().parent.switch()


class Scheduler:
    """Runs handlers, one at a time, changing between them at their ports.

    `look` is called with the number of each step, when a handler has come to a port: there the auditor looks.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.look: Callable[[int], None] = lambda step: None
        self._running: list[_Green] = []
        self._idle: list[_Green] = []
        self._waiting: set[Handler] = set()
        self.steps = 0
        self.crashes = 0
        self.concurrency_max = 1
        self.trace: list[str] | None = None

    @property
    def current(self) -> Handler | None:
        """The handler that runs now; None outside of any."""
        return getattr(getcurrent(), "handler", None)

    @property
    def is_idle(self) -> bool:
        return not self._running

    @property
    def is_alone(self) -> bool:
        """Whether nobody else could come between two steps of the present handler."""
        return len(self._running) < 2

    @property
    def has_room(self) -> bool:
        return len(self._running) - len(self._waiting) < self.concurrency_max

    @property
    def only_waiters(self) -> bool:
        """Whether all who run were made to wait for something."""
        return len(self._running) == len(self._waiting)

    def wait(self, handler: Handler, until: Callable[[], bool]) -> None:
        """From its next port on a handler stands still until this has come about."""
        handler.waits_for = until
        self._waiting.add(handler)

    def kill_all(self) -> None:
        """Each process dies at its next port."""
        for green in self._running:
            green.handler.crash_at = green.handler.boundaries + 1

    def spawn(
        self,
        name: str,
        work: Callable[[], Any],
        done: Callable[[Exception | None], None],
        crashed: Callable[[], None],
        *,
        crash_at: int | None = None,
        clock_skew_seconds: int = 0,
    ) -> Handler:
        """Start a handler at the next step. `done` is told what it raised, `crashed` that it died."""
        handler = Handler(name, crash_at)
        handler.clock_skew_seconds = clock_skew_seconds

        def run() -> None:
            try:
                work()
                self.boundary("acknowledge")
            except Crashed:
                self.crashes += 1
                crashed()
            except Exception as raised:
                done(raised)
            else:
                done(None)

        green = self._idle.pop() if self._idle else _Green(_one_after_another)
        green.handler, green.work = handler, run
        self._running.append(green)
        return handler

    def step(self) -> None:
        """Let one handler go on to its next port, or die there."""
        running = self._running
        if self._waiting:
            green = self._chance.choice([one for one in running if self._may_go_on(one.handler)] or running)
        else:
            green = running[0] if len(running) == 1 else self._chance.choice(running)
        green.switch()
        if green.work is None:
            running.remove(green)
            self._idle.append(green)
            self._waiting.discard(green.handler)
            self.steps += 1
            self.look(self.steps)

    def boundary(self, port: str) -> None:
        """A handler stands at a port. It may be somebody else's turn now, or the end of this process."""
        current = getcurrent()
        handler: Handler | None = getattr(current, "handler", None)
        self.steps += 1
        self.look(self.steps)
        if handler is None:
            return
        handler.at = port
        handler.boundaries += 1
        if self.trace is not None:
            self.trace.append(repr(handler))
        if handler.boundaries == handler.crash_at:
            raise Crashed(port)
        if len(self._running) > 1 or handler.waits_for is not None:
            assert current.parent is not None
            current.parent.switch()

    def _may_go_on(self, handler: Handler) -> bool:
        """Whether what a handler was made to wait for has come about."""
        if handler.waits_for is None or handler.waits_for():
            handler.waits_for = None
            self._waiting.discard(handler)
        return handler.waits_for is None
