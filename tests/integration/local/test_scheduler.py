"""The cron runner on a clock that jumps, the nights on which clocks change among them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.clock import TestClock
from infra.local.platform import ROOT
from infra.local.scheduler import Job, Scheduler, due_moments, last_ticks, read_jobs

LONDON = ZoneInfo("Europe/London")


def job(cron: str, name: str = "job") -> Job:
    return Job(name, cron, "Europe/London", name, "")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Published(list[tuple[str, str]]):
    """(topic, scheduled_at) of each tick, in order."""

    def __call__(self, topic: str, message: dict[str, str]) -> None:
        self.append((topic, message["scheduled_at"]))


@pytest.fixture
def clock(tmp_path: Path) -> TestClock:
    clock = TestClock(tmp_path / "clock")
    clock.set_to(datetime(2027, 3, 1, 12, 0, 30, tzinfo=UTC))
    return clock


def test_the_deployed_table_can_be_read() -> None:
    jobs = read_jobs(ROOT / "infra/schedule.json")
    names = [job.name for job in jobs]
    assert len(set(names)) == len(names) > 0
    assert {job.time_zone for job in jobs} == {"Europe/London"}
    assert all(job.topic.isidentifier() and job.description for job in jobs)
    assert len(last_ticks(jobs, utc("2027-01-01T00:00:00"), utc("2027-02-01T00:00:00"))) == len(jobs)


def test_a_jump_fires_each_due_job_once_in_the_order_of_their_last_due_times(clock: TestClock) -> None:
    published = Published()
    jobs = [
        job("0 * * * *", "hourly"),
        job("0 8-18 * * *", "by_day"),
        job("0 9 * * *", "at_nine"),
        job("0 6 * * *", "at_six"),
        job("* * * * *", "each_minute"),
        job("0 0 1 1 *", "at_new_year"),
    ]
    scheduler = Scheduler(jobs, clock, published)

    clock.set_to(utc("2027-03-03T07:30:30"))
    assert scheduler.is_due()
    scheduler.fire_due()

    assert published == [
        ("at_nine", "2027-03-02T09:00:00Z"),
        ("by_day", "2027-03-02T18:00:00Z"),
        ("at_six", "2027-03-03T06:00:00Z"),
        ("hourly", "2027-03-03T07:00:00Z"),
        ("each_minute", "2027-03-03T07:30:00Z"),
    ]
    assert not scheduler.is_due()
    assert scheduler.fire_due() == []


def test_nothing_is_fired_for_the_time_before_the_start_or_of_a_jump_that_passes_no_due_time(
    clock: TestClock,
) -> None:
    scheduler = Scheduler([job("0 * * * *")], clock, Published())
    assert scheduler.fire_due() == []

    clock.advance(10 * 60)

    assert scheduler.fire_due() == []


def test_a_tick_that_cannot_be_published_stays_due(clock: TestClock) -> None:
    def refuse(topic: str, message: dict[str, str]) -> None:
        raise ConnectionError(topic)

    scheduler = Scheduler([job("0 * * * *")], clock, refuse)
    clock.advance(3600)

    with pytest.raises(ConnectionError):
        scheduler.fire_due()

    assert scheduler.is_due()


def test_a_walk_stops_at_every_due_time() -> None:
    jobs = [job("0 */6 * * *", "six-hourly"), job("0 9 * * *", "daily")]

    moments = due_moments(jobs, utc("2027-03-01T00:00:00"), utc("2027-03-01T18:00:00"))

    assert [moment.hour for moment in moments] == [6, 9, 12, 18]


@pytest.mark.parametrize(
    ("cron", "night", "expected"),
    [
        # Clocks go forward on 28 March 2027, 01:00 to 02:00: that day has 23 hours.
        ("0 * * * *", "2027-03-28", [f"{hour:02}:00" for hour in range(23)]),
        ("30 1 * * *", "2027-03-28", ["01:00"]),
        ("0 9 * * *", "2027-03-28", ["08:00"]),
        # Clocks go back on 25 October 2026, 02:00 to 01:00: that day has 25, and one begins at 23:00 UTC.
        ("0 * * * *", "2026-10-25", ["23:00", *(f"{hour:02}:00" for hour in range(24))]),
        ("30 1 * * *", "2026-10-25", ["00:30"]),
        ("0 9 * * *", "2026-10-25", ["09:00"]),
    ],
)
def test_the_nights_on_which_clocks_change(cron: str, night: str, expected: list[str]) -> None:
    begin = datetime.fromisoformat(night).replace(tzinfo=LONDON)
    end = (begin + timedelta(days=1)).astimezone(UTC) - timedelta(seconds=1)

    moments = due_moments([job(cron)], begin.astimezone(UTC) - timedelta(seconds=1), end)

    assert [f"{moment:%H:%M}" for moment in moments] == expected


@given(
    cron=st.sampled_from(["0 * * * *", "0 8-18 * * *", "0 9 * * *", "30 1 * * *", "*/20 * * * *"]),
    begin=st.datetimes(datetime(2026, 10, 20), datetime(2027, 4, 5)),  # noqa: DTZ001 - made aware below
    minutes=st.integers(0, 3 * 24 * 60),
)
def test_a_jump_finds_the_same_last_due_time_as_a_walk(cron: str, begin: datetime, minutes: int) -> None:
    after = begin.replace(tzinfo=UTC)
    until = after + timedelta(minutes=minutes)

    jumped = [tick.scheduled_at for tick in last_ticks([job(cron)], after, until)]

    assert jumped == due_moments([job(cron)], after, until)[-1:]
