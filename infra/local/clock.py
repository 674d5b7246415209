"""The test clock: a small file with an offset in whole seconds. Now is wall time plus the offset.

Functions (AJO_CLOCK_FILE), the local Stripe (--clock-file), tasks and schedule read the same file. It moves
only forward: facts are ordered by time.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path


class TestClock:
    """The calendar of the local platform. No file, or an empty one, is no offset."""

    __test__ = False  # pytest would take the name for a test

    def __init__(self, file: Path) -> None:
        self._file = file

    def read_offset(self) -> int:
        """In seconds."""
        try:
            return int(self._file.read_text() or 0)
        except FileNotFoundError:
            return 0

    def now(self) -> datetime:
        """In UTC."""
        return datetime.now(UTC) + timedelta(seconds=self.read_offset())

    def advance(self, seconds: int) -> None:
        """Move it forward. Raises ValueError for a step back."""
        if seconds < 0:
            raise ValueError("The clock moves only forward.")
        fresh = self._file.with_suffix(".new")
        fresh.write_text(str(self.read_offset() + seconds))
        fresh.replace(self._file)  # in one step: a reader never sees half a number

    def set_to(self, moment: datetime) -> None:
        """Move it to a moment, or up to a second past it. Raises ValueError for one that is past."""
        self.advance(math.ceil((moment - self.now()).total_seconds()))
