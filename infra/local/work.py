"""What is under way on the platform, so that tests and the demo wait for its end and never sleep.

The platform is idle when nothing is under way and nothing will be before the clock moves or someone calls:
no request is being served, no message is published and not yet acknowledged, no task is runnable, no tick is
due, and the local Stripe has no webhook to send. The first three kinds are counted here as they happen.

Two things make the answer right. A thing begins to count before what caused it ends: a message counts from
within the request that publishes it, so a chain of causes has no gap. And who must ask several parts, one
after another, asks this one twice: had anything begun or ended meanwhile, `version` would have moved.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Hashable, Iterator


class Work:
    """A multiset of things under way, by kind. Safe to use from many threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._doing: Counter[str] = Counter()
        self._expected: dict[str, set[Hashable]] = {}
        self._early: set[tuple[str, Hashable]] = set()
        self.version = 0

    @contextlib.contextmanager
    def doing(self, kind: str) -> Iterator[None]:
        """One thing of this kind is under way while the block runs."""
        self._count(kind, 1)
        try:
            yield
        finally:
            self._count(kind, -1)

    def expect(self, kind: str, key: Hashable) -> None:
        """A named thing is under way until it is `done`, also if that came first."""
        with self._changed:
            if (kind, key) in self._early:
                self._early.remove((kind, key))
            else:
                self._expected.setdefault(kind, set()).add(key)
            self._move()

    def done(self, kind: str, key: Hashable) -> None:
        """The named thing has ended. One that ends twice ends once."""
        with self._changed:
            expected = self._expected.setdefault(kind, set())
            if key in expected:
                expected.remove(key)
            else:
                self._early.add((kind, key))
            self._move()

    def under_way(self) -> dict[str, int]:
        """How many of each kind; empty when there is nothing."""
        with self._changed:
            expected = {kind: len(keys) for kind, keys in self._expected.items() if keys}
            return {**{kind: count for kind, count in self._doing.items() if count}, **expected}

    def wait_for_change(self, version: int, seconds: float) -> None:
        """Until something has begun or ended since `version`, or the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: self.version != version, seconds)

    def _count(self, kind: str, by: int) -> None:
        with self._changed:
            self._doing[kind] += by
            self._move()

    def _move(self) -> None:
        self.version += 1
        self._changed.notify_all()
