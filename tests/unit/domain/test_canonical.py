"""What is hashed has one spelling, whatever order and clock it was written in."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.canonical import canonical_json
from tests.unit.domain.things import tried


def test_one_value_has_one_spelling() -> None:
    summer = timezone(timedelta(hours=1))
    moment = datetime(2027, 6, 1, 9, 30, 0, 70, tzinfo=summer)
    assert canonical_json({"b": [1, "£"], "a": moment, "c": date(2027, 6, 1)}) == (
        '{"a":"2027-06-01T08:30:00.000070Z","b":[1,"£"],"c":"2027-06-01"}'.encode()
    )
    assert canonical_json(datetime(2027, 6, 1, tzinfo=UTC)) == b'"2027-06-01T00:00:00.000000Z"'
    with pytest.raises(TypeError, match=r"^set has no canonical form$"):
        canonical_json({1})


def test_the_clock_of_the_machine_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2027, 6, 1, 9, 30, tzinfo=timezone(timedelta(hours=1)))
    try:
        monkeypatch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        assert canonical_json(moment) == b'"2027-06-01T08:30:00.000000Z"'
    finally:
        monkeypatch.undo()
        time.tzset()


@tried
@given(st.dictionaries(st.text(max_size=3), st.integers(), max_size=5))
def test_the_order_of_keys_says_nothing(payload: dict[str, int]) -> None:
    assert canonical_json(payload) == canonical_json(dict(reversed(payload.items())))
