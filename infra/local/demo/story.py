"""How the demo tells what happens: one line at a time, to a person; nothing of it where JSON is asked for."""

from __future__ import annotations

import sys
import time


class Story:
    """Lines with the seconds since the beginning, on standard error: JSON stands alone on the other."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.began = time.monotonic()
        self._quiet = quiet

    @property
    def seconds(self) -> float:
        return round(time.monotonic() - self.began, 1)

    def tell(self, line: str) -> None:
        if not self._quiet:
            print(f"{self.seconds:6.1f}s  {line}", file=sys.stderr, flush=True)

    def chapter(self, title: str) -> None:
        self.tell("")
        self.tell(title)
        self.tell("─" * len(title))
