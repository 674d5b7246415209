"""What applicants say becomes what the model knows: edges, directions, and answers that cannot be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.scoring.applicant import REFERENCE, Repayments, readings, score_applicant
from shared.domain.scoring.artefact import load
from shared.domain.scoring.score import Scored, Unscored
from tests.unit.scoring.applicants import drawn


def points(**changes: Any) -> int:
    result = score_applicant(replace(REFERENCE, **changes))
    assert isinstance(result, Scored)
    return result.points


def test_the_artefact_s_reference_is_the_reference() -> None:
    assert readings(REFERENCE) == load("applicant").reference


@pytest.mark.parametrize(
    ("changes", "reading"),
    [
        ({"balance_pence": None}, ("account", "none")),
        ({"balance_pence": -1}, ("account", "overdrawn")),
        ({"balance_pence": 0, "salary_paid_in_months": 11}, ("account", "low")),
        ({"balance_pence": 0, "salary_paid_in_months": 12}, ("account", "healthy")),
        ({"balance_pence": 38_309, "salary_paid_in_months": 0}, ("account", "low")),
        ({"balance_pence": 38_310, "salary_paid_in_months": 0}, ("account", "healthy")),
        ({"savings_pence": 0}, ("savings", "none")),
        ({"savings_pence": 1}, ("savings", "under_100_dm")),
        ({"savings_pence": 19_154}, ("savings", "under_100_dm")),
        ({"savings_pence": 19_155}, ("savings", "under_500_dm")),
        ({"savings_pence": 191_547}, ("savings", "from_1000_dm")),
        ({"months_in_work": 0}, ("work", "none")),
        ({"months_in_work": 11}, ("work", "under_1_year")),
        ({"months_in_work": 12}, ("work", "1_to_4_years")),
        ({"months_in_work": 84}, ("work", "from_7_years")),
        ({"surplus_pence": -5}, ("surplus", 0.0)),
        ({"every": "week", "members": 52 // 2}, ("circle_months", 6.0)),
        ({"contribution_pence": 32_532_5 // 10, "members": 10}, ("circle_total", pytest.approx(1, abs=1e-4))),
    ],
)
def test_readings_at_their_edges(changes: dict[str, Any], reading: tuple[str, object]) -> None:
    assert readings(replace(REFERENCE, **changes))[reading[0]] == reading[1]


BETTER = {
    "savings_pence": st.integers(0, 10_000_000),
    "months_in_work": st.integers(0, 600),
    "surplus_pence": st.integers(-100_000, 1_000_000),
    "salary_paid_in_months": st.integers(0, 60),
    "balance_pence": st.integers(-100_000, 1_000_000),
}
WORSE = {"contribution_pence": st.integers(1, 1_000_000), "members": st.integers(2, 50)}


@given(st.data(), st.integers(0, 500), st.sampled_from([*BETTER, *WORSE]))
def test_more_of_a_good_thing_never_costs_points_nor_does_asking_for_less(
    data: st.DataObject, seed: int, name: str
) -> None:
    low, high = sorted(data.draw(st.tuples(*[(BETTER | WORSE)[name]] * 2)))
    scores = [score_applicant(replace(drawn(seed), **{name: value})) for value in (low, high)]
    assert all(isinstance(result, Scored) for result in scores)
    pds = [result.pd for result in scores if isinstance(result, Scored)]
    assert pds == sorted(pds, reverse=name in BETTER)


def test_repayments_rise_from_the_worst_to_the_best() -> None:
    each = [points(repayments=repayments) for repayments in Repayments]
    assert each == sorted(each)
    assert each[0] < each[-1]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(
            (name, value)
            for name in ("savings_pence", "months_in_work")
            for value in (-1, 1.5, "1", None, True)
        ),
        ("savings_pence", 10**11),
        ("balance_pence", 10**11),
        ("balance_pence", float("nan")),
        ("surplus_pence", float("inf")),
        ("salary_paid_in_months", 10_000),
        ("contribution_pence", 0),
        ("members", 1),
        ("members", 10_000),
        ("repayments", "superb"),
        ("repayments", None),
        ("repayments", ["on_time"]),
        ("every", "day"),
        ("has_guarantor", 1),
        ("pays_other_instalments", "no"),
    ],
)
def test_an_answer_that_cannot_be_is_named_and_never_guessed(field: str, value: object) -> None:
    result = score_applicant(replace(REFERENCE, **{field: value}))  # type: ignore[arg-type]
    assert isinstance(result, Unscored)
    assert set(result.problems) == {field}
    assert result.version == load("applicant").version


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = replace(REFERENCE, savings_pence=-1, members=0, every="day")  # type: ignore[arg-type]
    result = score_applicant(wrong)
    assert isinstance(result, Unscored)
    assert set(result.problems) == {"savings_pence", "members", "every"}
