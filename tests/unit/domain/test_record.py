"""Records: an instance is that of a frozen dataclass, also for threads that make the first one at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from typing import Any, Generic, TypeVar

import pytest

from shared.domain.record import record

T = TypeVar("T")
THREADS = 16


def _classes() -> tuple[type[Any], type[Any]]:
    """The same class as a record and as a frozen dataclass, both without an instance yet."""

    class Sent(Generic[T]):
        """What was sent."""

        to: T
        pence: int = 0
        parts: list[int] = field(default_factory=list)

    class Same(Generic[T]):
        """What was sent."""

        to: T
        pence: int = 0
        parts: list[int] = field(default_factory=list)

    Same.__name__ = Sent.__name__
    Same.__qualname__ = Sent.__qualname__
    return record(Sent), dataclass(frozen=True)(Same)


def test_an_instance_is_that_of_a_frozen_dataclass() -> None:
    ours, theirs = _classes()
    one, other = ours("ada", 5), theirs("ada", 5)
    assert repr(one) == repr(other)
    assert asdict(one) == asdict(other)
    assert [part.name for part in fields(one)] == [part.name for part in fields(other)]
    assert ours.__match_args__ == theirs.__match_args__
    assert one == ours("ada", pence=5)
    assert one != ours("ada", 6)
    assert one != other
    assert replace(one, pence=10) == ours("ada", 10)
    assert one.parts is not ours("ada").parts
    assert isinstance(ours[str]("ada"), ours)


def test_equal_records_have_one_hash() -> None:
    @record
    class Place:
        """A place."""

        path: str

    assert len({Place("a"), Place("a"), Place("b")}) == 2


def test_a_record_does_not_change() -> None:
    one = _classes()[0]("ada")
    with pytest.raises(FrozenInstanceError):
        one.pence = 7
    with pytest.raises(FrozenInstanceError):
        one.unknown = 7
    with pytest.raises(FrozenInstanceError):
        del one.to
    assert one.pence == 0


def test_the_first_instance_refuses_what_the_second_does() -> None:
    ours, _ = _classes()
    for _ in range(2):
        with pytest.raises(TypeError, match="missing 1 required positional argument: 'to'"):
            ours()


@pytest.mark.usefixtures("hurried")
def test_threads_that_make_the_first_instance_at_once_make_whole_ones() -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(15):
            ours, _ = _classes()
            start = threading.Barrier(THREADS)

            def make(at: int, kind: type[Any] = ours, start: threading.Barrier = start) -> bool:
                start.wait()
                one = kind("ada", at)
                try:
                    one.pence = 0
                except FrozenInstanceError:
                    return bool(one == kind("ada", at)) and "pence=" in repr(one)
                return False

            assert all(pool.map(make, range(THREADS)))
