"""The questionnaire: sums, rounding, bands, next steps, and movement over time."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.domain.financial_health import (
    BEST,
    QUESTIONS,
    VERSION,
    Answers,
    FinancialHealth,
    HealthTaken,
    Pillar,
    QuestionId,
    assess_health,
    trend,
)


def all_at(choice: int, **but: int) -> Answers:
    return Answers(choices={q: but.get(q.value, choice) for q in QUESTIONS})


any_answers = st.fixed_dictionaries({q: st.integers(0, BEST) for q in QUESTIONS}).map(
    lambda choices: Answers(choices=choices)
)


def test_there_are_three_questions_to_a_pillar_and_none_is_said_twice() -> None:
    pillars = [question.pillar for question in QUESTIONS.values()]
    assert list(QUESTIONS) == list(QuestionId)
    assert {pillar: pillars.count(pillar) for pillar in Pillar} == dict.fromkeys(Pillar, 3)
    said = [text for question in QUESTIONS.values() for text in (question.text, question.next_step)]
    assert len(set(said)) == len(said)
    assert all(len(set(question.options)) == 4 for question in QUESTIONS.values())


@pytest.mark.parametrize(
    ("choice", "score", "band"),
    [(0, 0, "stretched"), (1, 33, "stretched"), (2, 67, "steady"), (3, 100, "strong")],
)
def test_the_same_answer_throughout(choice: int, score: int, band: str) -> None:
    health = assess_health(all_at(choice))
    assert (health.score, health.band) == (score, band)
    assert health.pillars == dict.fromkeys(Pillar, score)


@pytest.mark.parametrize(
    ("points", "score", "band"),
    [(14, 39, "stretched"), (15, 42, "steady"), (25, 69, "steady"), (26, 72, "strong")],
)
def test_each_band_begins_where_it_says(points: int, score: int, band: str) -> None:
    choices = {q: points // 12 + (n < points % 12) for n, q in enumerate(QUESTIONS)}
    health = assess_health(Answers(choices=choices))
    assert (health.score, health.band) == (score, band)


def test_a_worked_result() -> None:
    """Spend 1+2+2 of 9, the rest 2 each: 56 in spending (55.6), 23 of 36 in all: 64 (63.9)."""
    health = assess_health(all_at(2, pay_day=1))
    assert health.pillars == {Pillar.SPEND: 56, Pillar.SAVE: 67, Pillar.BORROW: 67, Pillar.PLAN: 67}
    assert (health.score, health.band) == (64, "steady")
    assert [step.question for step in health.next_steps] == ["pay_day", "late_bills", "next_month"]


def test_the_best_need_no_advice_and_the_weakest_come_first() -> None:
    assert assess_health(all_at(BEST)).next_steps == ()
    health = assess_health(all_at(BEST, not_earning=0, repair=1))
    assert [step.question for step in health.next_steps] == ["not_earning", "repair"]
    assert health.next_steps[0].sentence == QUESTIONS[QuestionId.NOT_EARNING].next_step


@given(any_answers)
def test_scores_stay_in_range_and_a_better_answer_never_lowers_them(answers: Answers) -> None:
    health = assess_health(answers)
    assert 0 <= health.score <= 100
    assert health.score == round(100 * sum(answers.choices.values()) / 36)
    for question, choice in answers.choices.items():
        if choice < BEST:
            better = assess_health(Answers(choices=answers.choices | {question: choice + 1}))
            assert better.score > health.score
            assert better.pillars[QUESTIONS[question].pillar] > health.pillars[QUESTIONS[question].pillar]
    assert FinancialHealth.model_validate_json(health.model_dump_json()) == health


@pytest.mark.parametrize("choice", [-1, 4, 1.0, "2", None, True, float("nan")])
def test_what_is_no_option_is_a_field_error(choice: object) -> None:
    choices = {q.value: 2 for q in QUESTIONS} | {"repair": choice}
    with pytest.raises(ValidationError) as caught:
        Answers.model_validate({"choices": choices})
    assert [error["loc"] for error in caught.value.errors()] == [("choices", "repair")]


def test_what_is_not_answered_is_named() -> None:
    choices = {q.value: 2 for q in QUESTIONS if q is not QuestionId.REPAIR}
    with pytest.raises(ValidationError, match="not answered: repair"):
        Answers.model_validate({"choices": choices})
    with pytest.raises(ValidationError):
        Answers.model_validate({"choices": choices | {"repair": 1, "horoscope": 1}})


# --- over time ----------------------------------------------------------------------------------------------


def taken(*results: Answers) -> list[HealthTaken]:
    day = date(2026, 1, 31)
    return [
        HealthTaken(on=day + timedelta(days=90 * n), health=assess_health(a)) for n, a in enumerate(results)
    ]


def test_a_single_result_is_the_first() -> None:
    found = trend(taken(all_at(1)))
    assert found is not None
    assert (found.direction, found.since_last, found.since_first, found.taken) == ("first", 0, 0, 1)


def test_movement_is_against_the_last_and_the_first_in_any_order_of_reading() -> None:
    found = trend(list(reversed(taken(all_at(1), all_at(2), all_at(2, repair=0, how_long=0)))))
    assert found is not None
    assert (found.direction, found.since_last, found.since_first) == ("down", -11, 23)
    assert found.pillars_since_first[Pillar.SAVE] == -11
    assert found.pillars_since_first[Pillar.PLAN] == 34


@pytest.mark.parametrize(
    ("second", "direction"),
    [
        (all_at(1, repair=2, how_long=2, pay_day=2), "up"),
        (all_at(1, repair=2, how_long=2), "level"),
        (all_at(1, repair=0), "level"),
        (all_at(1, repair=0, how_long=0, pay_day=0), "down"),
    ],
)
def test_small_movements_are_level(second: Answers, direction: str) -> None:
    found = trend(taken(all_at(1), second))
    assert found is not None
    assert found.direction == direction


def test_other_versions_are_not_compared() -> None:
    old, new = taken(all_at(0), all_at(3))
    other = old.with_(health=old.health.with_(version=f"before {VERSION}"))
    found = trend([other, new])
    assert found is not None
    assert (found.direction, found.taken) == ("first", 1)
    assert trend([other]) is None
    assert trend([]) is None
