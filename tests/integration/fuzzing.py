"""Requests made from the API's description, to a running platform: `python -m tests.integration.fuzzing`.

Good and bad ones, signed by a person who has signed up, of every operation in turn until so many have been
made. What is looked for: answers of 5xx, and answers that the description does not promise.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections import Counter
from typing import Any
from uuid import uuid4

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from infra.local.demo.circle import PASSWORD, profile
from infra.local.demo.client import Person, Platform
from shared.web import openapi

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ENDING = {"sign_out_everywhere", "erase_oneself"}
"""These end the sign-in that all others need: each gets a person of its own."""


def signed_up(platform: Platform) -> Person:
    """Somebody new, who has told who they are."""
    email = f"fuzz.{uuid4().hex[:10]}@example.com"
    account = platform.sign_in(email, PASSWORD)
    person = Person(platform, "Fuzz", email, account["localId"], account["idToken"])
    person.post("/v1/users")
    person.post("/v1/users/me/profile", profile("Fuzz"))
    return person


def fuzz(url: str, requests_min: int, *, say: bool = False) -> dict[str, Any]:
    """At least so many requests. Returns how many there were, and what was wrong with which."""
    platform = Platform(url)
    schema = schemathesis.openapi.from_dict(openapi.document(), config=SchemathesisConfig())
    operations = [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr]
    person = signed_up(platform)
    statuses: Counter[int] = Counter()
    failures: list[str] = []
    turns = ((turn, operation) for turn in itertools.count() for operation in operations)
    for turn, operation in turns:
        if turn and sum(statuses.values()) >= requests_min:
            break
        ending = operation.definition.raw.get("operationId") in ENDING
        asker = signed_up(platform) if ending else person
        _ask(url, operation, asker, turn, -(-requests_min // len(operations)), statuses, failures)
        if say:
            print(f"{sum(statuses.values()):6} {operation.label}", file=sys.stderr, flush=True)
    return {
        "requests": sum(statuses.values()),
        "server_errors": sum(count for status, count in statuses.items() if status >= 500),
        "statuses": dict(sorted(statuses.items())),
        "failures": failures,
    }


def _ask(
    url: str,
    operation: Any,
    person: Person,
    turn: int,
    each: int,
    statuses: Counter[int],
    failures: list[str],
) -> None:
    keys = itertools.count()

    @seed(turn)
    @settings(
        max_examples=each,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy())
    def one(case: Any) -> None:
        headers = {
            "Authorization": f"Bearer {person.token}",
            "Idempotency-Key": f"fuzz-{uuid4().hex[:12]}-{next(keys):06}",
        }
        response = case.call(base_url=url, headers=headers)
        statuses[response.status_code] += 1
        try:
            case.validate_response(response, checks=CHECKS)
        except (Failure, FailureGroup) as wrong:
            failures.append(f"{operation.label}: {response.status_code} {str(wrong)[:500]}")

    one()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="of a running platform")
    parser.add_argument("--requests", type=int, default=5_000)
    arguments = parser.parse_args()
    began = time.monotonic()
    found = fuzz(arguments.url, arguments.requests, say=True)
    print(json.dumps(found | {"seconds": round(time.monotonic() - began)}, indent=1))
    return 1 if found["failures"] or found["server_errors"] else 0


if __name__ == "__main__":
    sys.exit(main())
