"""What the adapters share: a client made once, and channels to what stands in locally."""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Callable, Iterator
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
                    with without_collection():
                        made.append(make())
        return made[0]

    return get


@contextlib.contextmanager
def without_collection() -> Iterator[None]:
    """Look for no garbage meanwhile, nor ever in what is there at the end: what an SDK's import makes stays,
    and Python would go through all of it again and again (infra/decisions/0035)."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


def plain_channel(host: str) -> grpc.Channel:
    """A channel without encryption or credentials, to an emulator or a local stand-in alone."""
    import grpc

    return grpc.insecure_channel(host)
