"""The clocks, the bank holidays, and chance."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from shared.adapters.bank_holidays import EnglandBankHolidays
from shared.adapters.chance import SystemChance
from shared.adapters.clock import LocalClock, SystemClock


def near(moment: datetime, expected: datetime) -> bool:
    return moment.tzinfo is UTC and abs(moment - expected) < timedelta(seconds=60)


def test_the_system_clock_shows_one_time() -> None:
    clock = SystemClock()
    assert near(clock.now(), datetime.now(UTC))
    assert near(clock.wall(), datetime.now(UTC))


def test_the_local_calendar_follows_the_file_and_wall_time_does_not(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    clock = LocalClock(file)
    assert near(clock.now(), datetime.now(UTC))
    for offset_seconds, written in [(0, ""), (86_400, "86400"), (-60, "-60\n"), (3_000_000, "3000000\n")]:
        file.write_text(written)
        assert near(clock.now(), datetime.now(UTC) + timedelta(seconds=offset_seconds))
        assert near(clock.wall(), datetime.now(UTC))


def test_bank_holidays_with_substitute_days() -> None:
    days = EnglandBankHolidays()
    assert date(2026, 12, 25) in days
    assert date(2026, 12, 28) in days  # for Boxing Day, a Saturday
    assert date(2027, 3, 26) in days  # Good Friday
    assert date(2026, 11, 24) not in days
    assert date(2026, 11, 30) not in days  # St Andrew's Day is Scotland's


@pytest.mark.parametrize("thing", [datetime(2026, 12, 25, tzinfo=UTC), "2026-12-25", 20261225, None])
def test_only_days_are_holidays(thing: object) -> None:
    assert thing not in EnglandBankHolidays()


def test_chance() -> None:
    chance = SystemChance()
    assert len(chance.token(16)) == 16
    assert chance.token(16) != chance.token(16)
    assert all(0 <= chance.jitter_seconds(0.5) <= 0.5 for _ in range(100))
    chance.pause(0)
