"""Bank working days: Monday to Friday but for the bank holidays of England and Wales."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache

import holidays

_HOLIDAYS = holidays.country_holidays("GB", subdiv="ENG")


@cache
def is_working_day(day: date) -> bool:
    """Whether banks work on that day."""
    return day.weekday() < 5 and day not in _HOLIDAYS


@cache
def working_days_after(day: date, days: int) -> date:
    """The `days`-th working day after a day, which itself is not counted."""
    while days > 0:
        day += timedelta(days=1)
        days -= is_working_day(day)
    return day


def moment_after(moment: int, days: int, *, hour: int = 0) -> int:
    """That hour (UTC) of the `days`-th working day after a moment; moments are Unix seconds.

    Stripe reckons its days in UTC (docs.stripe.com/payouts, time zones).
    """
    day = working_days_after(datetime.fromtimestamp(moment, UTC).date(), days)
    return int(datetime.combine(day, time(hour), UTC).timestamp())
