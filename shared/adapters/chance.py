"""Randomness of the operating system."""

from __future__ import annotations

import secrets
import time


class SystemChance:
    """Unguessable, and so never replayed: a simulation brings its own."""

    def token(self, bytes_count: int) -> bytes:
        return secrets.token_bytes(bytes_count)

    def jitter_seconds(self, at_most: float) -> float:
        return secrets.SystemRandom().uniform(0, at_most)

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)
