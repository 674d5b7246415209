"""The API's description: what is committed is what the code does, and it is valid."""

from __future__ import annotations

import json

from jsonschema import Draft202012Validator
from openapi_schema_validator import OAS31Validator

from shared.web import openapi
from shared.web.schemas.problem import Problem

DOCUMENT = openapi.document()
OPERATIONS = [operation for methods in DOCUMENT["paths"].values() for operation in methods.values()]


def test_the_committed_description_is_what_the_code_does() -> None:
    committed = openapi.FILE.read_text(encoding="utf-8")
    assert committed == openapi.text(), "run: python -m shared.web.openapi"


def test_every_reference_leads_somewhere() -> None:
    def references(part: object) -> list[str]:
        if isinstance(part, dict):
            own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
            return own + [found for value in part.values() for found in references(value)]
        return [found for value in part for found in references(value)] if isinstance(part, list) else []

    for reference in references(json.loads(openapi.text())):
        target = DOCUMENT
        for name in reference.removeprefix("#/").split("/"):
            target = target[name]


def test_every_schema_is_one() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
        OAS31Validator.check_schema(schema)


def test_operations_have_names_of_their_own_and_an_action() -> None:
    names = [operation["operationId"] for operation in OPERATIONS]
    assert len(set(names)) == len(names)
    assert all(operation["x-action"] for operation in OPERATIONS)


def test_every_error_is_a_problem_with_its_codes() -> None:
    for operation in OPERATIONS:
        errors = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        assert {"401", "422", "429", "500", "503"} <= errors.keys()
        for answer in errors.values():
            schema = answer["content"]["application/problem+json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Problem"}
            assert "- `" in answer["description"]


def test_every_post_asks_for_an_idempotency_key() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            asks = {"$ref": "#/components/parameters/IdempotencyKey"} in operation["parameters"]
            assert asks == (method == "post"), path


def test_problems_are_described_as_they_are() -> None:
    described = DOCUMENT["components"]["schemas"]["Problem"]
    assert set(described["properties"]) == set(Problem.model_fields)
