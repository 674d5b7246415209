"""Reading strictly: JSON that every parser reads alike, keys, ids, and bodies as their models."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Request
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from shared.domain.errors import (
    IdempotencyKeyMissing,
    InvalidRequest,
    MalformedBody,
    UnsupportedMediaType,
)
from shared.web import reading
from shared.web.schemas.common import Nothing, PageRequest
from shared.web.schemas.groups import NewGroup

SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=20)
JSON = st.recursive(
    SCALARS, lambda part: st.lists(part) | st.dictionaries(st.text(max_size=8), part), max_leaves=12
)
TERMS = {"name": "a", "amount_pence": 1, "frequency": "weekly", "members": 5, "first_due_date": "2027-01-04"}


def asked(**given: Any) -> Request:
    """A request as a function sees it."""
    return Request(EnvironBuilder(**given).get_environ())


@given(JSON)
def test_plain_json_is_read_as_it_is(value: object) -> None:
    assert reading.strict_json(json.dumps(value).encode()) == value


@given(st.binary(max_size=60))
def test_whatever_comes_is_read_or_refused(body: bytes) -> None:
    try:
        reading.strict_json(body)
    except MalformedBody:
        return


@pytest.mark.parametrize(("depth", "good"), [(16, True), (17, False), (990, False), (200_000, False)])
def test_depth_is_bounded(depth: int, good: bool) -> None:
    body = b"[" * depth + b"]" * depth
    if good:
        reading.strict_json(body)
        return
    with pytest.raises(MalformedBody):
        reading.strict_json(body)


def test_the_same_body_in_another_spelling_has_the_same_hash() -> None:
    spellings = [json.dumps(TERMS), json.dumps(dict(reversed(TERMS.items())), indent=3)]
    hashes = {
        reading.read_body(
            asked(method="POST", data=text, content_type="application/json; charset=utf-8"), NewGroup
        )[1]
        for text in spellings
    }
    other = reading.read_body(asked(method="POST", json=TERMS | {"members": 6}), NewGroup)[1]
    assert len(hashes) == 1
    assert other not in hashes


def test_an_empty_body_is_an_empty_object_of_any_kind() -> None:
    read, hash_ = reading.read_body(asked(method="POST"), Nothing)
    assert read == Nothing()
    assert reading.read_body(asked(method="POST", json={}), Nothing)[1] == hash_


def test_a_body_needs_its_kind_named() -> None:
    with pytest.raises(UnsupportedMediaType):
        reading.read_body(asked(method="POST", data=b"{}"), Nothing)


@given(st.text(max_size=140))
def test_a_key_is_visible_ascii_or_refused(key: str) -> None:
    good = 8 <= len(key) <= 128 and all(33 <= ord(letter) <= 126 for letter in key)
    if any(ord(letter) > 255 or letter in "\r\n" for letter in key):
        return  # no header can hold it
    given_request = asked(method="POST", headers={"Idempotency-Key": key})
    if good:
        assert reading.idempotency_key_of(given_request) == key
    else:
        with pytest.raises(IdempotencyKeyMissing):
            reading.idempotency_key_of(given_request)


def test_field_errors_do_not_repeat_what_was_sent() -> None:
    with pytest.raises(InvalidRequest) as refused:
        reading.read_body(asked(method="POST", json=TERMS | {"members": "my secret"}), NewGroup)
    assert "secret" not in str(refused.value.errors)
    assert [error["field"] for error in refused.value.errors] == ["members"]


def test_a_query_is_read_by_its_model() -> None:
    assert reading.read_query(asked(query_string="limit=7&cursor=abc"), PageRequest) == PageRequest(
        limit=7, cursor="abc"
    )
