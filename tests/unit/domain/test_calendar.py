"""The calendar: days of London, bank holidays, anchored months, and working days counted both ways."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.calendar import (
    add_working_days,
    is_working_day,
    london_day,
    next_working_day,
    nominal_date,
    opening_of,
    why_moved,
)
from tests.unit.domain.things import tried

GOOD_FRIDAY, EASTER_MONDAY = date(2027, 3, 26), date(2027, 3, 29)
CHRISTMAS = {date(2026, 12, 25), date(2026, 12, 28)}  # Boxing Day is a Saturday: its Monday stands for it
NEW_YEAR = date(2027, 1, 1)
HOLIDAYS = frozenset({GOOD_FRIDAY, EASTER_MONDAY, NEW_YEAR, *CHRISTMAS})

days = st.dates(date(2020, 1, 1), date(2040, 12, 31))
NONE: frozenset[date] = frozenset()


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2027, 1, 4, 23, 59, tzinfo=UTC), date(2027, 1, 4)),  # winter: London is at UTC
        (datetime(2027, 7, 4, 22, 59, tzinfo=UTC), date(2027, 7, 4)),
        (datetime(2027, 7, 4, 23, 0, tzinfo=UTC), date(2027, 7, 5)),  # summer: an hour ahead
        (datetime(2027, 3, 27, 23, 30, tzinfo=UTC), date(2027, 3, 27)),  # the night that loses an hour
        (datetime(2027, 3, 28, 23, 30, tzinfo=UTC), date(2027, 3, 29)),
        (datetime(2026, 10, 25, 23, 30, tzinfo=UTC), date(2026, 10, 25)),  # the night that gains one
    ],
)
def test_a_moment_is_a_day_in_london(moment: datetime, day: date) -> None:
    assert london_day(moment) == day


@pytest.mark.parametrize(
    ("day", "hour"),
    [
        (date(2027, 3, 27), 9),
        (date(2027, 3, 28), 8),  # clocks went forward at 01:00
        (date(2027, 10, 30), 8),
        (date(2027, 10, 31), 9),  # clocks went back at 02:00
    ],
)
def test_business_opens_at_nine_in_london_on_both_sides_of_a_change_of_clocks(day: date, hour: int) -> None:
    opens = opening_of(day)
    assert opens == datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    assert opens.tzinfo is UTC  # whatever zone the machine is in


@pytest.mark.parametrize(
    ("day", "works", "because"),
    [
        (date(2027, 3, 25), True, None),
        (GOOD_FRIDAY, False, "bank holiday"),
        (date(2027, 3, 27), False, "weekend"),
        (date(2027, 3, 28), False, "weekend"),
        (EASTER_MONDAY, False, "bank holiday"),
        (date(2027, 3, 30), True, None),
        (date(2026, 12, 25), False, "bank holiday"),
        (date(2026, 12, 26), False, "weekend"),
        (date(2026, 12, 28), False, "bank holiday"),
    ],
)
def test_banks_work_on_weekdays_that_are_no_holiday(day: date, works: bool, because: str | None) -> None:
    assert is_working_day(day, HOLIDAYS) is works
    assert why_moved(day, HOLIDAYS) == because


@pytest.mark.parametrize(
    ("day", "next_day"),
    [
        (date(2027, 3, 25), date(2027, 3, 25)),
        (GOOD_FRIDAY, date(2027, 3, 30)),
        (date(2026, 12, 25), date(2026, 12, 29)),
        (NEW_YEAR, date(2027, 1, 4)),
    ],
)
def test_a_due_date_moves_on_to_the_next_working_day(day: date, next_day: date) -> None:
    assert next_working_day(day, HOLIDAYS) == next_day


@pytest.mark.parametrize(
    ("day", "count", "there"),
    [
        (date(2027, 3, 25), 0, date(2027, 3, 25)),
        (date(2027, 3, 27), 0, date(2027, 3, 27)),  # nothing to count: the day itself, even a Saturday
        (date(2027, 3, 25), 1, date(2027, 3, 30)),  # over Easter
        (date(2027, 3, 30), -1, date(2027, 3, 25)),
        (date(2027, 3, 27), 1, date(2027, 3, 30)),
        (date(2027, 3, 27), -1, date(2027, 3, 25)),
        (date(2027, 1, 4), -4, date(2026, 12, 24)),  # Bacs ahead of a due date, over New Year
        (date(2027, 1, 4), -7, date(2026, 12, 21)),  # … on a new mandate, over Christmas too
        (date(2026, 12, 24), 4, date(2027, 1, 4)),
    ],
)
def test_working_days_are_counted_both_ways(day: date, count: int, there: date) -> None:
    assert add_working_days(day, count, HOLIDAYS) == there


@tried
@given(days, st.integers(-30, 30).filter(bool), st.sets(days, max_size=30))
def test_a_counted_day_has_that_many_working_days_up_to_it(
    day: date, count: int, holidays: set[date]
) -> None:
    there = add_working_days(day, count, holidays)
    step = 1 if count > 0 else -1
    passed = [day + timedelta(days=step * one) for one in range(1, abs((there - day).days) + 1)]
    assert is_working_day(there, holidays)
    assert sum(is_working_day(one, holidays) for one in passed) == abs(count)


@tried
@given(days, st.sets(days, max_size=30))
def test_the_next_working_day_is_the_first_that_is_one(day: date, holidays: set[date]) -> None:
    found = next_working_day(day, holidays)
    assert is_working_day(found, holidays)
    skipped = range((found - day).days)
    assert not any(is_working_day(day + timedelta(days=one), holidays) for one in skipped)


@pytest.mark.parametrize(
    ("first", "dates"),
    [
        (date(2027, 10, 31), ["2027-11-30", "2027-12-31", "2028-01-31", "2028-02-29", "2028-03-31"]),
        (date(2026, 12, 30), ["2027-01-30", "2027-02-28", "2027-03-30", "2027-04-30", "2027-05-30"]),
        (date(2028, 1, 29), ["2028-02-29", "2028-03-29", "2028-04-29", "2028-05-29", "2028-06-29"]),
        (date(2028, 2, 29), ["2028-03-29", "2028-04-29", "2028-05-29", "2028-06-29", "2028-07-29"]),
        (date(2026, 12, 1), ["2027-01-01", "2027-02-01", "2027-03-01", "2027-04-01", "2027-05-01"]),
    ],
)
def test_months_are_anchored_to_the_first_date(first: date, dates: list[str]) -> None:
    assert nominal_date(first, "monthly", 0) == first
    assert [nominal_date(first, "monthly", index).isoformat() for index in range(1, 6)] == dates


def test_a_leap_day_comes_back_in_a_leap_year() -> None:
    leap_day = date(2028, 2, 29)
    assert nominal_date(leap_day, "monthly", 12) == date(2029, 2, 28)
    assert nominal_date(leap_day, "monthly", 48) == date(2032, 2, 29)


def test_cycles_that_were_lived_through_lie_before_the_first_date() -> None:
    assert nominal_date(date(2027, 1, 31), "monthly", -2) == date(2026, 11, 30)
    assert nominal_date(date(2027, 1, 4), "weekly", -1) == date(2026, 12, 28)


@tried
@given(days, st.integers(-12, 24))
def test_a_monthly_date_is_in_its_month_and_as_near_its_day_as_that_has(first: date, index: int) -> None:
    found = nominal_date(first, "monthly", index)
    assert (found.year * 12 + found.month) - (first.year * 12 + first.month) == index
    assert found.day == min(first.day, calendar.monthrange(found.year, found.month)[1])


@tried
@given(days, st.integers(-12, 60))
def test_a_weekly_date_keeps_its_weekday_and_its_hour_over_both_changes_of_clocks(
    first: date, index: int
) -> None:
    found = nominal_date(first, "weekly", index)
    assert found - first == timedelta(weeks=index)
    assert london_day(opening_of(found)) == found


@tried
@given(days)
def test_a_day_opens_on_itself(day: date) -> None:
    assert london_day(opening_of(day)) == day
    assert opening_of(day) < opening_of(day + timedelta(days=1))
