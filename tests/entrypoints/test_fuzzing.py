"""Requests made from the API's own description, good and bad: no 5xx, and each answer is a documented one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from shared.web import openapi
from tests.entrypoints.platform import Platform, app, function_of

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 15
"""A request takes some milliseconds; the long run is against the running platform (schemathesis)."""


def gateway(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Every public function under one address, as Firebase Hosting has it."""
    answer: Iterable[bytes] = app(function_of(environ["PATH_INFO"]))(environ, start_response)
    return answer


SCHEMA = schemathesis.openapi.from_dict(openapi.document(), config=SchemathesisConfig())
SCHEMA.app = gateway
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]  # type: ignore[union-attr] # an Err has no ok()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_whatever_comes_gets_a_documented_answer(platform: Platform, ada: str, operation: Any) -> None:
    keys = itertools.count(1)

    @given(operation.as_strategy())
    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    def ask(case: Any) -> None:
        headers = {"Authorization": f"Bearer {ada}", "Idempotency-Key": f"fuzzing-{next(keys):08}"}
        case.call_and_validate(headers=headers, checks=CHECKS)

    ask()
