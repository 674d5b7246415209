"""Money: whole pence, splits that come out exactly by the stated rule, and how a person reads them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.domain.errors import WrongSplit
from shared.domain.money import AMOUNTS_PENCE, Pence, pounds, split
from tests.unit.domain.things import tried

totals = st.integers(0, 10**9)
shares_lists = st.lists(st.integers(0, 10**6), min_size=1, max_size=10).filter(any)


@pytest.mark.parametrize(
    ("total_pence", "shares", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (2, [1, 1, 1], [1, 1, 0]),
        (10, [1, 3, 3], [2, 4, 4]),  # remainders of 3, 2 and 2 sevenths
        (10, [3, 3, 1], [4, 4, 2]),  # the largest remainder is the last one's
        (5, [1, 2, 2], [1, 2, 2]),
        (7, [0, 1, 0], [0, 7, 0]),
        (0, [1, 2], [0, 0]),
        (5, [1], [5]),
        (11, [1, 1, 1, 1], [3, 3, 3, 2]),
    ],
)
def test_a_split_by_hand(total_pence: int, shares: list[int], parts: list[int]) -> None:
    assert split(total_pence, shares) == parts


@tried
@given(totals, shares_lists)
def test_the_parts_are_the_total_and_each_is_its_share_to_the_penny(total: int, shares: list[int]) -> None:
    parts = split(total, shares)
    exact = [Fraction(total * share, sum(shares)) for share in shares]
    assert sum(parts) == total
    assert all(
        share <= part < share + 1 or part == int(share) for part, share in zip(parts, exact, strict=True)
    )


@tried
@given(totals, shares_lists)
def test_left_over_pence_go_to_the_largest_remainders_and_among_equals_to_the_earliest(
    total: int, shares: list[int]
) -> None:
    parts = split(total, shares)
    exact = [Fraction(total * share, sum(shares)) for share in shares]
    wants = [(exact[place] - int(exact[place]), -place) for place in range(len(shares))]
    got = {place for place in range(len(shares)) if parts[place] > int(exact[place])}
    assert all(wants[here] > wants[there] for here in got for there in set(range(len(shares))) - got)


@pytest.mark.parametrize(
    ("total_pence", "shares", "sum_pence"),
    [(-1, [1], 1), (100, [], 0), (100, [0, 0], 0), (100, [3, -1], 2), (100, [-1], -1)],
)
def test_what_cannot_be_split_is_refused(total_pence: int, shares: list[int], sum_pence: int) -> None:
    with pytest.raises(WrongSplit) as refused:
        split(total_pence, shares)
    assert refused.value.facts == {"total_pence": total_pence, "sum_pence": sum_pence}


@pytest.mark.parametrize(
    ("pence", "read"),
    [
        (0, "£0.00"),
        (5, "£0.05"),
        (99, "£0.99"),
        (100, "£1.00"),
        (123_456, "£1,234.56"),
        (100_000_000, "£1,000,000.00"),
        (-1, "-£0.01"),
        (-250_050, "-£2,500.50"),
    ],
)
def test_pounds_as_a_person_reads_them(pence: int, read: str) -> None:
    assert pounds(pence) == read


@pytest.mark.parametrize("value", [-1, 1.0, "1", True, None])
def test_pence_are_whole_and_never_negative(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Pence).validate_python(value)


def test_what_can_be_promised() -> None:
    assert AMOUNTS_PENCE == (50_00, 100_00, 500_00, 800_00)
