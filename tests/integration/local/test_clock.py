"""The test clock: one small file, read by everyone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.local.clock import TestClock


def test_without_a_file_it_is_wall_time(tmp_path: Path) -> None:
    clock = TestClock(tmp_path / "clock")
    assert clock.read_offset() == 0
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_it_moves_for_every_reader_of_the_file(tmp_path: Path) -> None:
    clock, other = TestClock(tmp_path / "clock"), TestClock(tmp_path / "clock")

    clock.advance(60)
    other.advance(30)

    assert clock.read_offset() == other.read_offset() == 90
    assert (tmp_path / "clock").read_text() == "90"


def test_it_reaches_a_moment_and_not_one_second_more(tmp_path: Path) -> None:
    clock = TestClock(tmp_path / "clock")
    moment = datetime.now(UTC) + timedelta(days=31, microseconds=5)

    clock.set_to(moment)

    assert timedelta(0) <= clock.now() - moment < timedelta(seconds=30)


def test_it_never_goes_back(tmp_path: Path) -> None:
    clock = TestClock(tmp_path / "clock")
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="forward"):
        clock.set_to(datetime.now(UTC) - timedelta(days=1))
