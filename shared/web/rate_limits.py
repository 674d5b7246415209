"""How often one person, or one address, may ask: a brake on floods and loops, not a price list.

Counted in the memory of each instance: no store is asked, so a flood costs nothing but itself. What must
hold across instances (sign-in, codes, invitations) is counted in the store by its use case.
"""

from __future__ import annotations

import math
import time
from functools import cache
from typing import TYPE_CHECKING, Final

from flask import Request

from shared.domain.errors import TooManyRequests

if TYPE_CHECKING:
    from limits.strategies import SlidingWindowCounterRateLimiter

    from shared.config import Settings

PERSON_PER_MINUTE: Final = 300
"""Five a second, kept up for a minute: far above an app in use, far below a loop."""

ADDRESS_PER_MINUTE: Final = 3_000
"""Behind Firebase Hosting, and behind mobile networks, many people share one address."""

LOCAL_FACTOR: Final = 1_000
"""On one machine the whole world has one address, and tests ask as fast as they can."""


@cache
def _limiter() -> SlidingWindowCounterRateLimiter:
    from limits.storage import MemoryStorage
    from limits.strategies import SlidingWindowCounterRateLimiter

    return SlidingWindowCounterRateLimiter(MemoryStorage())


def check_address(request: Request, settings: Settings) -> None:
    """Count a request against its address, before anything else is looked at. Raises TooManyRequests."""
    _check("address", address_of(request), ADDRESS_PER_MINUTE, settings)


def check_person(uid: str, settings: Settings) -> None:
    """Count a request against the person who signed it. Raises TooManyRequests."""
    _check("person", uid, PERSON_PER_MINUTE, settings)


def address_of(request: Request) -> str:
    """Whom Google's front end saw: the last forwarded address. Those before it are the client's own words."""
    return request.access_route[-1] if request.access_route else "unknown"


def _check(kind: str, who: str, per_minute: int, settings: Settings) -> None:
    from limits import RateLimitItemPerMinute

    limit = RateLimitItemPerMinute(per_minute * (LOCAL_FACTOR if settings.environment == "local" else 1))
    limiter = _limiter()
    if limiter.hit(limit, kind, who):
        return
    reset_at = limiter.get_window_stats(limit, kind, who).reset_time
    raise TooManyRequests(retry_after_seconds=max(1, math.ceil(reset_at - time.time())))
