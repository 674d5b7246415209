"""The circle's calendar: London days, working days, and the dates of its cycles."""

from __future__ import annotations

import calendar
from collections.abc import Container
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from shared.domain.words import Frequency

LONDON: Final = ZoneInfo("Europe/London")

FREQUENCIES: Final = ("weekly", "monthly")

START_OF_BUSINESS: Final = time(9, 0)
"""Debits and payouts are acted on from 09:00 in London: people are awake when money moves."""


def london_day(moment: datetime) -> date:
    """The calendar day in London at `moment`."""
    return moment.astimezone(LONDON).date()


def opening_of(day: date) -> datetime:
    """09:00 in London on `day`, in UTC: 08:00 UTC in summer time, 09:00 in winter."""
    return datetime.combine(day, START_OF_BUSINESS, LONDON).astimezone(UTC)


def is_working_day(day: date, holidays: Container[object]) -> bool:
    """Whether banks and Bacs work on `day`: no Saturday, Sunday or bank holiday."""
    return day.weekday() < 5 and day not in holidays


def next_working_day(day: date, holidays: Container[object]) -> date:
    """`day` itself if banks work on it, else the first day after it on which they do."""
    while not is_working_day(day, holidays):
        day += timedelta(days=1)
    return day


def add_working_days(day: date, working_days: int, holidays: Container[object]) -> date:
    """The working day that lies `working_days` after (or, negative, before) `day`, `day` not counted."""
    step = timedelta(days=1 if working_days > 0 else -1)
    for _ in range(abs(working_days)):
        day += step
        while not is_working_day(day, holidays):
            day += step
    return day


def nominal_date(first: date, frequency: Frequency, index: int) -> date:
    """The date of the cycle `index` (from 0) as a calendar gives it, before banks are asked.

    Monthly dates are anchored to the first date's day: from the 31st they fall on the last day of each
    shorter month and come back to the 31st. They never drift.
    """
    if frequency == "weekly":
        return first + timedelta(weeks=index)
    months = first.month - 1 + index
    year, month = first.year + months // 12, months % 12 + 1
    return date(year, month, min(first.day, calendar.monthrange(year, month)[1]))


def why_moved(nominal: date, holidays: Container[object]) -> str | None:
    """Why a due date is not its nominal date: 'weekend', 'bank holiday', or None if it is."""
    if is_working_day(nominal, holidays):
        return None
    return "weekend" if nominal.weekday() >= 5 else "bank holiday"
