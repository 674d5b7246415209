"""The two clocks: the real one, and one for local mode whose calendar a file moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path


class SystemClock:
    """Calendar and wall are the same time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def wall(self) -> datetime:
        return datetime.now(UTC)


class LocalClock(SystemClock):
    """The calendar is wall time and the seconds that a file holds, read at each use: others move it.

    No file, or an empty one, is no offset.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> datetime:
        try:
            offset_seconds = int(self._file.read_text() or 0)
        except FileNotFoundError:
            offset_seconds = 0
        return self.wall() + timedelta(seconds=offset_seconds)
