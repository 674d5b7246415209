"""The small types of the API: names in one spelling, ways back that lead where they say."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.web.openapi import AREAS
from shared.web.schemas.common import Answer, Input, Name, ReturnUrl

NAME = TypeAdapter(Name)
RETURN_URL = TypeAdapter(ReturnUrl)


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("Sunday circle", "Sunday circle"),
        ("Ngozi\u2019s \u00c0j\u1ecd\u0301", "Ngozi\u2019s \u00c0j\u1ecd\u0301"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("  two   words ", "two words"),
        ("寿司の会", "寿司の会"),
        ("family 👩‍👩‍👧", "family 👩‍👩‍👧"),
    ],
)
def test_names_are_kept_in_one_spelling(given_name: str, kept: str) -> None:
    assert NAME.validate_python(given_name) == kept


@pytest.mark.parametrize("name", ["", " ", "\t", "a\u0000b", "a\u001bb", "\ue000", "x" * 81])
def test_names_that_hide_or_are_none(name: str) -> None:
    with pytest.raises(ValidationError):
        NAME.validate_python(name)


@given(st.text(min_size=1, max_size=80))
def test_a_name_once_kept_stays_as_it_is(name: str) -> None:
    try:
        kept = NAME.validate_python(name)
    except ValidationError:
        return
    assert kept == unicodedata.normalize("NFC", kept)
    assert " ".join(kept.split()) == kept


@pytest.mark.parametrize(
    "url",
    ["https://app.example/back?x=1#y", "http://localhost:5000/done", "http://127.0.0.1/", "https://a.b"],
)
def test_ways_back(url: str) -> None:
    assert RETURN_URL.validate_python(url) == url


@given(st.text(max_size=60))
def test_no_way_back_makes_the_check_fail(url: str) -> None:
    try:
        kept = RETURN_URL.validate_python(url)
    except ValidationError:
        return
    assert kept.startswith(("https://", "http://localhost", "http://127.0.0.1"))


def models(kind: type[BaseModel]) -> list[type[BaseModel]]:
    return [found for child in kind.__subclasses__() for found in (child, *models(child))]


@pytest.mark.parametrize("model", [*models(Input), *models(Answer)], ids=lambda model: model.__name__)
def test_unknown_fields_are_refused_and_nothing_is_a_float(model: type[BaseModel]) -> None:
    """Amounts are whole pence: a float would round somebody's money."""
    assert model.model_config.get("extra") == "forbid"
    assert not [name for name, field in model.model_fields.items() if "float" in str(field.annotation)]


@pytest.mark.parametrize("model", models(Input), ids=lambda model: model.__name__)
def test_input_is_not_coerced(model: type[BaseModel]) -> None:
    assert model.model_config.get("strict") is True


def test_every_amount_stands_beside_a_unit() -> None:
    answers = {route.answer for routes in AREAS.values() for route in routes}
    money = {"amount", "fee", "pot", "paid", "received", "owes", "balance"}
    assert not [name for answer in answers for name in answer.model_fields if name in money]
