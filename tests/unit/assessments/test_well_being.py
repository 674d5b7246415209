"""The published scale: its ends, its turning of statements, and what it does not accept."""

from __future__ import annotations

import hashlib

import pytest
from pydantic import ValidationError

from shared.domain.well_being import STATEMENTS, AgeGroup, Responses, well_being_score

WORST = (4, 4, 0, 4, 0, 0, 0, 4, 0, 0)
BEST = (0, 0, 4, 0, 4, 4, 4, 0, 4, 4)


@pytest.mark.parametrize(
    ("options", "age_group", "score"),
    [
        (WORST, "18-61", 14),
        (WORST, "62+", 14),
        (BEST, "18-61", 86),
        (BEST, "62+", 95),
        ((2,) * 10, "18-61", 50),  # a total of 20
        ((2,) * 10, "62+", 53),
    ],
)
def test_the_table_is_read(options: tuple[int, ...], age_group: AgeGroup, score: int) -> None:
    assert well_being_score(Responses(options=options, age_group=age_group)) == score


@pytest.mark.parametrize("age_group", ["18-61", "62+"])
def test_each_step_towards_better_raises_the_score(age_group: AgeGroup) -> None:
    options = list(WORST)
    scores = [well_being_score(Responses(options=tuple(options), age_group=age_group))]
    for statement, best in enumerate(BEST):
        while options[statement] != best:
            options[statement] += 1 if best else -1
            scores.append(well_being_score(Responses(options=tuple(options), age_group=age_group)))
    assert len(scores) == 41
    assert scores == sorted(set(scores))


@pytest.mark.parametrize(
    "options", [(), (2,) * 9, (2,) * 11, (5,) + (2,) * 9, (-1,) + (2,) * 9, (2.0,) + (2,) * 9, (None,) * 10]
)
def test_only_ten_full_answers_are_scored(options: tuple[object, ...]) -> None:
    with pytest.raises(ValidationError):
        Responses.model_validate({"options": options, "age_group": "18-61"})


def test_nobody_edits_or_translates_the_published_wording() -> None:
    digest = hashlib.sha256("\n".join(STATEMENTS).encode()).hexdigest()
    assert digest.startswith("8426486c24f86ee0")
