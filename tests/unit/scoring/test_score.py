"""A score is a sum that can be done by hand."""

from __future__ import annotations

from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.scoring.artefact import Reading, load, read, write
from shared.domain.scoring.score import Scored, Unscored, score, sigmoid
from tests.unit.scoring.documents import a_document

SMALL = read(write(a_document()))


def test_the_sum_by_hand() -> None:
    result = score(SMALL, {"debts": 12, "home": "rent"})
    assert isinstance(result, Scored)
    assert result.log_odds == pytest.approx(-1 + 1 + 0.25)
    assert result.pd == pytest.approx(1 / (1 + exp(-0.25)))
    assert result.points == 600 + 10 - 10 - 2
    assert result.band == "C"
    assert result.points_lost == {"debts": 15, "home": 2}
    assert result.version == SMALL.version


def test_the_reference_loses_nothing() -> None:
    result = score(SMALL, SMALL.reference)
    assert isinstance(result, Scored)
    assert (result.points, result.points_lost, result.band) == (615, {}, "A")


def test_better_than_the_reference_is_no_reason() -> None:
    better = read(write(a_document(reference={"debts": 20, "home": "rent"})))
    result = score(better, {"debts": 1, "home": "rent"})
    assert isinstance(result, Scored)
    assert result.points_lost == {}


@pytest.mark.parametrize(
    ("readings", "problems"),
    [
        ({}, {"debts": "is missing"}),
        ({"debts": float("nan")}, {"debts": "is not a number it can use"}),
        ({"debts": "many"}, {"debts": "is not a value that the model knows"}),
    ],
)
def test_what_training_has_not_seen_is_not_guessed(
    readings: dict[str, Reading], problems: dict[str, str]
) -> None:
    assert score(SMALL, readings) == Unscored(SMALL.version, problems)


@given(
    st.dictionaries(
        st.sampled_from(["debts", "home", "else"]), st.none() | st.text() | st.floats() | st.integers()
    )
)
def test_no_reading_raises(readings: dict[str, Reading]) -> None:
    result = score(SMALL, readings)
    assert isinstance(result, Unscored) or 0 < result.pd < 1


CELLS: dict[str, tuple[Reading, ...]] = {
    shape.feature: shape.categories or (*(cut - 1e-9 for cut in shape.cuts), shape.cuts[-1] + 1)
    for shape in load("applicant").shapes
}


@given(st.fixed_dictionaries({name: st.sampled_from(cells) for name, cells in CELLS.items()}))
def test_points_won_back_are_exact(readings: dict[str, Reading]) -> None:
    model = load("applicant")
    before = score(model, readings)
    assert isinstance(before, Scored)
    for factor, points in before.points_lost.items():
        mended = readings | {
            shape.feature: model.reference[shape.feature] for shape in model.shapes if shape.factor == factor
        }
        after = score(model, mended)
        assert isinstance(after, Scored)
        assert after.points == before.points + points
        assert factor not in after.points_lost


@pytest.mark.parametrize("log_odds", [-800.0, -1.0, 0.0, 1.0, 800.0])
def test_no_log_odds_overflow(log_odds: float) -> None:
    assert 0 <= sigmoid(log_odds) <= 1
    assert sigmoid(log_odds) + sigmoid(-log_odds) == pytest.approx(1)
