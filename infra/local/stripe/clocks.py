"""Clocks for the server: its own, moved by the control endpoint, or wall time plus the offset in a file."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path


class OwnClock:
    """Wall time plus what it was moved by."""

    def __init__(self) -> None:
        self._offset = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def move(self, by: timedelta) -> None:
        """Jump forward."""
        self._offset += by


class FileClock:
    """Wall time plus the whole seconds that a small text file holds, read anew at each use."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last_seconds = 0

    def __call__(self) -> datetime:
        # Where the file is not there yet, or half written, the last known offset holds.
        with suppress(FileNotFoundError, ValueError):
            self._last_seconds = int(self._path.read_text())
        return datetime.now(UTC) + timedelta(seconds=self._last_seconds)
