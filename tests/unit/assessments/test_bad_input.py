"""Whatever is sent is read, or refused field by field: never another exception, never a guess."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.domain.affordability import Application, assess_affordability
from shared.domain.financial_health import QUESTIONS, Answers, assess_health
from shared.domain.fraud import Fact, check_fraud
from tests.unit.assessments.households import a_circle, an_application

NASTY = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        [10**11, -1, 0.1 + 0.2, float("nan"), float("inf"), "£200", "2000", "", "\x00", "٣", [], {}]
    ),
)
JSON = st.recursive(
    NASTY,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)

APPLICATION = an_application(a_circle(50)).model_dump(mode="json")
ANSWERS = {"choices": {question.value: 2 for question in QUESTIONS}}


def paths(value: Any, so_far: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [so_far, *(path for key in keys for path in paths(value[key], (*so_far, key)))]


@st.composite
def damaged(draw: st.DrawFn, good: dict[str, Any]) -> Any:
    """One or two places of a good request replaced or left out."""
    request: Any = copy.deepcopy(good)
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(paths(request)))
        if not path:
            return draw(JSON)
        parent = request
        for key in path[:-1]:
            parent = parent[key]
        if isinstance(parent, dict) and draw(st.booleans()):
            del parent[path[-1]]
        else:
            parent[path[-1]] = draw(JSON)
    return request


def read(model: type[BaseModel], request: Any) -> Any:
    try:
        return model.model_validate(request)
    except ValidationError:
        return None


@settings(max_examples=400)
@given(damaged(APPLICATION))
def test_an_application(request: Any) -> None:
    application = read(Application, request)
    if application:
        assess_affordability(application)


@given(damaged(ANSWERS))
def test_the_questionnaire(request: Any) -> None:
    answers = read(Answers, request)
    if answers:
        assert 0 <= assess_health(answers).score <= 100


@given(
    damaged(
        {
            "kind": "income_seen",
            "person": "ada",
            "at": "2026-01-01T00:00:00Z",
            "stated_pence": 1,
            "shown_pence": 1,
        }
    )
)
def test_a_fact(request: Any) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(Fact)
    try:
        fact = adapter.validate_python(request)
    except ValidationError:
        return
    check_fraud("ada", [fact], datetime(2026, 11, 24, tzinfo=UTC))
