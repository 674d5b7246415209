"""Requests made from the API's description, to a running platform: `python -m tests.integration.fuzzing`.

Of each operation in turn, round by round, until so many have been made: one that ought to succeed (its
recipe, `fuzz_stage`), then others made by schemathesis, valid and invalid by the description, most of them
with ids of what exists, by those who may and by others. What is looked for: answers of 5xx, and answers that
the description does not promise. What is told: how often each operation answered what, and which never
succeeded.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core import NOT_SET
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from infra.local.demo.client import CallFailed, Platform
from shared.web import openapi
from tests.integration.fuzz_stage import RECIPES, Ask, Stage, unknown

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ENDING: Final = {"sign_out_everywhere", "erase_oneself", "close_session"}
"""These end the sign-in that others need: nobody asks for them but whom the recipe names."""

EACH_MAX: Final = 17
"""Requests of one operation in one round. What its recipe prepared is used up after some, and the others are
refused; but preparing costs more than asking."""

STRANGE: Final[tuple[Any, ...]] = (
    None,
    "",
    " ",
    "\u202e",
    "é" * 300,
    "x" * 3_000,
    -1,
    0,
    2**53,
    1.5,
    True,
    [],
    {},
    ["a"],
)
"""What is put in a good body's place: each was an error of somebody's parser once."""


@dataclass
class Tally:
    """What was asked, and what came back."""

    by_operation: defaultdict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    failures: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        return sum(sum(counts.values()) for counts in self.by_operation.values())

    def report(self) -> dict[str, Any]:
        statuses: Counter[int] = sum(self.by_operation.values(), Counter())
        return {
            "requests": self.requests,
            "operations": len(self.by_operation),
            "server_errors": sum(count for status, count in statuses.items() if status >= 500),
            "statuses": dict(sorted(statuses.items())),
            "by_operation": {
                name: dict(sorted(counts.items())) for name, counts in sorted(self.by_operation.items())
            },
            "without_recipe": sorted(self.by_operation.keys() - RECIPES.keys()),
            "never_succeeded": [
                name for name, counts in self.by_operation.items() if not any(s < 300 for s in counts)
            ],
            "failures": self.failures,
        }


class Fuzzer:
    """One run against a platform, repeatable by its seed."""

    def __init__(self, url: str, seed: int) -> None:
        self.url = url
        self.chance = random.Random(seed)
        self.tally = Tally()
        self.stage = Stage(Platform(url))
        self._seed = seed

    def ask_operation(self, operation: Any, turn: int, times: int) -> None:
        """One request that ought to succeed, and others of the same operation."""
        name = operation.definition.raw["operationId"]
        try:
            ask = self._prepared(name)
        except CallFailed as failed:
            self.tally.failures.append(f"{name}: nothing could be prepared: {failed}")
            return
        posts = operation.method == "post"
        ids = {one.name for one in operation.path_parameters}
        good = operation.Case(
            path_parameters={one: ask.path.get(one, "x" * 12) for one in ids},
            query=dict(ask.query),
            body=dict(ask.body) if posts else NOT_SET,
            media_type="application/json" if posts else None,
        )
        self._send(name, good, ask, as_planned=name in RECIPES)
        for mode, count in (
            (GenerationMode.POSITIVE, (times - 1) // 2),
            (GenerationMode.NEGATIVE, times - 1 - (times - 1) // 2),
        ):
            self._generate(operation, name, mode, turn, count, ask)

    def _prepared(self, name: str) -> Ask:
        """What a recipe asks. What it rests on may have been changed by what was asked before."""
        try:
            return RECIPES.get(name, unknown)(self.stage)
        except CallFailed:
            self.stage.renew()
            return RECIPES.get(name, unknown)(self.stage)

    def _generate(
        self, operation: Any, name: str, mode: GenerationMode, turn: int, count: int, ask: Ask
    ) -> None:
        if count <= 0:
            return

        @seed(self._seed * 1_000 + turn)
        @settings(
            max_examples=count,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(operation.as_strategy(generation_mode=mode))
        def one(case: Any) -> None:
            if self.chance.random() < 0.85:
                made = case.path_parameters or {}
                case.path_parameters = made | {one: ask.path[one] for one in made if one in ask.path}
            if ask.body and self.chance.random() < 0.4:
                case.body = self._bent(ask.body)
                case.media_type = "application/json"
            self._send(name, case, ask, as_planned=False)

        one()

    def _bent(self, body: dict[str, Any]) -> dict[str, Any]:
        """A good body with one thing changed, left out, or put in besides."""
        bent = dict(body)
        place = self.chance.choice([*bent, "unheard_of"])
        if self.chance.random() < 0.2:
            bent.pop(place, None)
        else:
            bent[place] = self.chance.choice(STRANGE)
        return bent

    def _send(self, name: str, case: Any, ask: Ask, *, as_planned: bool) -> None:
        who = ask.who
        if not as_planned and name not in ENDING and self.chance.random() < 0.4:
            who = self.chance.choice(self.stage.everybody())
        headers = {"Authorization": f"Bearer {who.token}"} | ask.headers
        if "Cookie" in ask.headers:
            del headers["Authorization"]
        if as_planned or self.chance.random() < 0.95:
            headers["Idempotency-Key"] = uuid4().hex
        response = case.call(base_url=self.url, headers=headers)
        self.tally.by_operation[name][response.status_code] += 1
        try:
            case.validate_response(response, checks=CHECKS)
        except (Failure, FailureGroup) as wrong:
            self.tally.failures.append(f"{name}: {response.status_code} {str(wrong)[:800]}")
        if as_planned and response.status_code >= 400:
            self.tally.failures.append(f"{name}: its recipe got {response.status_code} {response.text[:300]}")


def fuzz(
    url: str,
    requests_min: int,
    *,
    seed: int = 0,
    one_in: int = 1,
    seconds_max: float = math.inf,
    say: bool = False,
) -> dict[str, Any]:
    """At least so many requests, if there is time, of one in so many operations.

    Returns what was answered, and what was wrong.
    """
    schema = schemathesis.openapi.from_dict(openapi.document(), config=SchemathesisConfig())
    operations = [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr]
    operations = operations[seed % one_in :: one_in]
    times = min(EACH_MAX, -(-requests_min // len(operations)))
    ends = time.monotonic() + seconds_max
    fuzzer = Fuzzer(url, seed)
    for turn in itertools.count():
        for operation in operations:
            fuzzer.ask_operation(operation, turn, times)
            if time.monotonic() > ends:
                return fuzzer.tally.report()
        if say:
            print(f"{fuzzer.tally.requests:6} after round {turn + 1}", file=sys.stderr, flush=True)
        if fuzzer.tally.requests >= requests_min:
            return fuzzer.tally.report()
        fuzzer.stage.renew()
    raise AssertionError("unreachable")


def added(reports: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Several runs as one."""
    tally = Tally()
    for report in reports:
        tally.failures += report["failures"]
        for name, counts in report["by_operation"].items():
            tally.by_operation[name].update({int(status): count for status, count in counts.items()})
    return tally.report()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="of a running platform")
    parser.add_argument("--requests", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=math.inf, help="end after this time at the latest")
    parser.add_argument("--with", dest="earlier", type=Path, help="a report to add to, and to write")
    arguments = parser.parse_args()
    found = fuzz(
        arguments.url, arguments.requests, seed=arguments.seed, seconds_max=arguments.seconds, say=True
    )
    if arguments.earlier is not None:
        before = [json.loads(arguments.earlier.read_text())] if arguments.earlier.exists() else []
        found = added([*before, found])
        arguments.earlier.write_text(json.dumps(found))
    print(json.dumps(found, indent=1))
    return 1 if found["failures"] or found["server_errors"] else 0


if __name__ == "__main__":
    sys.exit(main())
