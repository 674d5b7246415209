"""Documents are built by pydantic at their first use: by one of the threads that want it, for all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any, Literal

import pytest
from pydantic import ValidationError

from shared.domain.documents import Day, Document, Value

THREADS = 16
ROUNDS = 20
DAY = date(2027, 6, 1)


def _uses() -> list[Callable[[], bool]]:
    """Ways to be the first to use one of two new models, of which one holds the other."""

    class Part(Value):
        kind: Literal["a", "b"]
        day: Day

    class Whole(Document):
        id: str
        parts: list[Part] = []

    def refuses_what_it_does_not_know() -> bool:
        try:
            Whole.model_validate({"id": "x", "unknown": 1})
        except ValidationError:
            return True
        return False

    return [
        lambda: (
            Whole(id="x", parts=[Part(kind="a", day=DAY)]).data()["parts"][0]
            == {"kind": "a", "day": "2027-06-01"}
        ),
        lambda: (
            Whole.model_validate({"id": "x", "parts": [{"kind": "a", "day": "2027-06-01"}]}).parts[0].day
            == DAY
        ),
        lambda: Part(kind="b", day=DAY).model_dump_json() == '{"kind":"b","day":"2027-06-01"}',
        refuses_what_it_does_not_know,
    ]


@pytest.mark.usefixtures("hurried")
def test_threads_that_use_a_model_first_at_once_all_get_the_whole_model() -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(ROUNDS):
            uses = _uses()
            start = threading.Barrier(THREADS)

            def use(at: int, uses: Any = uses, start: threading.Barrier = start) -> bool:
                start.wait()
                return bool(uses[at % len(uses)]())

            assert all(pool.map(use, range(THREADS)))
