"""What the gRPC adapters share: a client made once, and channels to what stands in locally."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import grpc

T = TypeVar("T")


def once(make: Callable[[], T]) -> Callable[[], T]:
    """Call `make` at the first use and never again, also when two threads ask at once.

    Clients are made at use, never at import: gRPC does not survive the fork between the two.
    """
    lock = threading.Lock()
    made: list[T] = []

    def get() -> T:
        if not made:
            with lock:
                if not made:
                    made.append(make())
        return made[0]

    return get


def plain_channel(host: str) -> grpc.Channel:
    """A channel without encryption or credentials, to an emulator or a local stand-in alone."""
    import grpc

    return grpc.insecure_channel(host)
