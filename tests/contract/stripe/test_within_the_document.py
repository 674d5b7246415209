"""Every operation and parameter that the local Stripe takes stands in Stripe's OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.stripe.params import Either, Hash, Kind, Many, Metadata, Text
from infra.local.stripe.routes import ROUTES, Route
from tests.contract.stripe import conformity


def _concrete(route: Route) -> str:
    return re.sub(r"\{\w+\}", "x", route.path)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_operation_and_parameters_stand_in_the_document(route: Route) -> None:
    schema = conformity.request_schema(route.method, _concrete(route))
    assert schema is not None, "no such operation"
    assert list(_strangers(dict(route.fields), schema, "")) == []
    assert set(schema.get("required", [])) <= set(route.required)


def _strangers(fields: dict[str, Kind], schema: dict[str, Any], inside: str) -> Iterator[str]:
    known = _properties(schema)
    for name, kind in fields.items():
        if name not in known:
            yield f"{inside}{name}: unknown"
        else:
            yield from _strange(kind, {"anyOf": known[name]}, f"{inside}{name}")


def _strange(kind: Kind, schema: dict[str, Any], name: str) -> Iterator[str]:
    match kind:
        case Hash():
            yield from _strangers(dict(kind.fields), schema, f"{name}.")
        case Many():
            yield from _strange(kind.of, _branch(schema, "items")["items"], f"{name}[]")
        case Either():
            for one in kind.kinds:
                yield from _strange(one, schema, name)
        case Text() if kind.choices:
            allowed = {choice for branch in _branches(schema) for choice in branch.get("enum", [])}
            if allowed and not set(kind.choices) <= allowed:
                yield f"{name}: {sorted(set(kind.choices) - allowed)} are no choices"
        case Metadata():
            if not any("additionalProperties" in branch for branch in _branches(schema)):
                yield f"{name}: no metadata"
        case _:
            pass


def _branches(schema: dict[str, Any]) -> list[dict[str, Any]]:
    if "anyOf" not in schema:
        return [schema]
    return [branch for part in schema["anyOf"] for branch in _branches(part)]


def _branch(schema: dict[str, Any], having: str) -> dict[str, Any]:
    return next(branch for branch in _branches(schema) if having in branch)


def _properties(schema: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for branch in _branches(schema):
        for name, part in branch.get("properties", {}).items():
            found.setdefault(name, []).append(part)
    return found
