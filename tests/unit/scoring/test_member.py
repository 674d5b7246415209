"""What a circle has seen of a member becomes a score: the longest model that the months fill."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.scoring.artefact import load
from shared.domain.scoring.member import MONTHS, REFERENCE, Month, model_name, readings, score_member
from shared.domain.scoring.score import Scored, Unscored

PAID = Month(due_pence=10_000, paid_pence=10_000, months_late=0)
HALF = Month(due_pence=10_000, paid_pence=5_000, months_late=1)
NOTHING = Month(due_pence=10_000, paid_pence=0, months_late=2)
NOT_DUE = Month(due_pence=0, paid_pence=0, months_late=0)

histories = st.lists(st.sampled_from([PAID, HALF, NOTHING, NOT_DUE]), min_size=1, max_size=9)


def scored(*history: Month) -> Scored:
    result = score_member(history)
    assert isinstance(result, Scored)
    return result


@pytest.mark.parametrize(
    ("known", "model"), [(1, 1), (2, 2), (3, 3), (4, 3), (5, 3), (6, 6), (7, 6), (24, 6)]
)
def test_the_longest_model_that_the_months_fill(known: int, model: int) -> None:
    assert scored(*[PAID] * known).version == load(model_name(model)).version


@pytest.mark.parametrize("months", MONTHS)
def test_the_artefact_s_reference_has_paid_everything(months: int) -> None:
    assert readings(REFERENCE, months) == load(model_name(months)).reference
    assert scored(*REFERENCE[:months]).points_lost == {}


def test_readings_by_hand() -> None:
    assert readings([HALF, PAID, NOTHING, HALF], 3) == {
        "late_now": 1,
        "paid_now": 0.5,
        "late_unpaid_now": 0.5,
        "late_before_max": 2,
        "late_before_faded": pytest.approx(0 * 0.7 + 2 * 0.49),
        "late_before_ago": 1,
        "late_unpaid_before": pytest.approx(2 * 1 * 0.49),
        "paid_before_min": 0.0,
        "paid_before_nothing": 1,
        "paid_before_streak": 1,
        "nothing_due_before": 0,
    }


def test_a_month_in_which_nothing_was_due_is_not_one_of_not_paying() -> None:
    seen = readings([NOT_DUE, NOT_DUE, PAID], 3)
    assert (seen["paid_now"], seen["paid_before_nothing"], seen["paid_before_streak"]) == (None, 0, 2)
    assert (seen["paid_before_min"], seen["nothing_due_before"]) == (1.0, 1)


def test_a_sixth_month_is_read_for_lateness_alone() -> None:
    seen = readings([*[PAID] * 5, NOTHING], 6)
    assert (seen["late_before_max"], seen["paid_before_nothing"], seen["paid_before_min"]) == (2, 0, 1.0)


def test_paying_more_than_was_due_counts_as_paying_it() -> None:
    assert readings([Month(10_000, 50_000, 0)], 1)["paid_now"] == 1.0


@given(histories)
def test_mending_the_latest_month_or_the_earlier_ones_wins_back_exactly_what_they_lost(
    history: list[Month],
) -> None:
    before = scored(*history)
    caught_up = scored(PAID, *history[1:])
    assert caught_up.points >= before.points
    assert caught_up.points - before.points == before.points_lost.get(
        "latest", caught_up.points - before.points
    )
    if "earlier" in before.points_lost:
        cleared = scored(history[0], *[PAID] * (len(history) - 1))
        assert cleared.points == before.points + before.points_lost["earlier"]


@given(histories)
def test_every_history_has_a_score(history: list[Month]) -> None:
    result = scored(*history)
    assert 0 < result.pd < 1
    assert result.band in "ABCDE"


@given(histories, st.integers(0, 8), st.integers(0, 8), st.integers(0, 10_000))
def test_paying_later_or_less_is_never_better(history: list[Month], age: int, later: int, less: int) -> None:
    age %= len(history)
    month = history[age]
    worse = [*history]
    worse[age] = Month(month.due_pence, max(0, month.paid_pence - less), month.months_late + later)
    assert scored(*worse).pd >= scored(*history).pd - 1e-12


@pytest.mark.parametrize(
    "month",
    [
        Month(-1, 0, 0),
        Month(10, -1, 0),
        Month(10, 10, -1),
        Month(10, 10, 1_000),
        Month(10, 10, 0.5),  # type: ignore[arg-type]
        Month(True, 10, 0),
        Month(None, 10, 0),  # type: ignore[arg-type]
    ],
)
def test_a_month_that_cannot_be_is_named(month: Month) -> None:
    result = score_member([PAID, month])
    assert isinstance(result, Unscored)
    assert result.problems == {"history[1]": "is not a month that can be"}


def test_without_a_month_there_is_no_score() -> None:
    result = score_member([])
    assert isinstance(result, Unscored)
    assert result.problems == {"history": "holds no whole month yet"}
