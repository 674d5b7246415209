"""Limits that hold across instances: counted in the store, before what they guard is looked at.

Each window is one document that expires by itself. A try is counted first and judged after, so that no
number of tries at once slips through. For what is rare and worth guessing at: sign-in, codes, invitations,
messages. Floods are braked in memory (shared/web/rate_limits.py).
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.domain.errors import TooManyRequests
from shared.domain.record import record
from shared.ports import AlreadyExists, Create, Increment
from shared.services.context import Context

KEPT_AFTER_WINDOW: Final = timedelta(hours=1)


@record
class Limit:
    """At most `tries` in each `window_seconds` for one person (or address, or circle)."""

    name: str
    tries: int
    window_seconds: int


SIGN_INS: Final = Limit("sign_in", 10, 300)
"""Sessions opened by one person: a password is typed wrong at Firebase, which has a limit of its own."""

CODE_GUESSES: Final = Limit("code_guess", 10, 3_600)
"""An invitation's code has 80 bits: ten an hour is a person with a bad hand, not a search."""

INVITATIONS: Final = Limit("invitation", 50, 86_400)
"""A circle has ten seats: fifty a day is five of them at once."""

MESSAGES: Final = Limit("message", 30, 60)

EXPORTS: Final = Limit("export", 10, 86_400)
"""A whole person's data in one answer: for themselves, not for a program."""


def count(ctx: Context, limit: Limit, who: str) -> None:
    """Count one try. Raises TooManyRequests from the one after the last allowed on."""
    wall = ctx.clock.wall()
    window = int(wall.timestamp()) // limit.window_seconds
    ends = datetime.fromtimestamp((window + 1) * limit.window_seconds, UTC)
    name = hashlib.sha256(f"{limit.name}|{who}|{window}".encode()).hexdigest()[:40]
    path = f"limits/{name}"
    try:
        ctx.store.commit([Create(path, {"tries": 1, "expires_at": ends + KEPT_AFTER_WINDOW})])
    except AlreadyExists:
        ctx.store.commit([Increment(path, {("tries",): 1})])
    (found,) = ctx.store.load(path)
    if found.data is not None and found.data["tries"] > limit.tries:
        raise TooManyRequests(retry_after_seconds=max(1, int((ends - wall).total_seconds())))
