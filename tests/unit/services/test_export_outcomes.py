"""Outcomes: what was scored and what came of it leaves by pseudonym, and the drift command reads it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scripts.credit import drift
from scripts.operator import __main__ as operator
from shared import bootstrap
from shared.domain.scoring import artefact
from shared.domain.scoring.score import Scored, score
from shared.services.export_outcomes import outcomes
from shared.services.payment_methods import list_methods
from tests.builders import World
from tests.unit.services.test_trust import approved, submit


@pytest.fixture(scope="module")
def lived() -> World:
    """Five people, assessed, in a weekly circle; one of them stops paying after the first cycle."""
    world = World()
    people = world.people(5)
    for uid in people[:4]:
        approved(world, uid)
    world.clock.moment += timedelta(minutes=1)
    submit(world, "Eve")
    circle = world.circle(people, frequency="weekly", default_policy="pay_cleared")
    world.advance_to(circle.pays_out(1))
    stops(world, "Eve")
    world.advance_to(world.clock.moment.date() + timedelta(days=60))
    return world


def stops(world: World, uid: str) -> None:
    """Every later debit fails, and nothing takes its place."""
    (method,) = list_methods(world.ctx, uid)["items"]
    failures = ["insufficient_funds"] * 50
    world.control("POST", f"payment_methods/{method['id']}/outcomes", {"failures": failures})


@pytest.fixture
def operated(lived: World) -> Iterator[World]:
    parts = {"store": lived.store, "clock": lived.clock, "chance": lived.chance, "secrets": lived.ctx.secrets}
    with bootstrap.override(**parts, vault=lived.ctx.vault):
        yield lived


def ajo(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["ajo", *words])
    return operator.main(), capsys.readouterr().out


def test_each_score_stands_beside_what_came_of_it(lived: World) -> None:
    lines = list(outcomes(lived.ctx, "applicant", 3))
    assert [one["bad"] for one in lines] == [False, False, False, False, True]
    model = artefact.load("applicant")
    for one in lines:
        assert one["model"] == model.version
        again = score(model, one["readings"])
        assert isinstance(again, Scored)
        assert again.points == one["points"]
    assert len({one["id"] for one in lines}) == 5


def test_what_is_not_over_has_no_outcome(lived: World) -> None:
    assert not [one for one in outcomes(lived.ctx, "applicant", 12) if one.get("bad") is False]
    assert [one.get("bad") for one in outcomes(lived.ctx, "applicant", 12)].count(True) == 1


def test_members_are_read_as_they_stood_then(lived: World) -> None:
    lines = list(outcomes(lived.ctx, "member_1m", 1))
    points = sorted(one["points"] for one in lines)
    assert len(lines) == 5
    assert points[0] < points[1] == points[-1]  # Eve owes since January
    assert not list(outcomes(lived.ctx, "member_1m", 3))  # in December nobody was in a circle


def test_no_line_leads_to_anybody(lived: World) -> None:
    text = json.dumps(list(outcomes(lived.ctx, "applicant", 3)))
    names = ("Ada", "Ben", "Eve", "Bellweather", "Peckham", "2026-11-24", "example.com")
    assert not [name for name in names if name in text]
    first, second = ([one["id"] for one in outcomes(lived.ctx, "applicant", 3)] for _ in range(2))
    assert not set(first) & set(second)


def test_the_drift_command_reads_what_the_operator_exports(
    operated: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = ajo(monkeypatch, capsys, "outcomes", "applicant", "--months", "3")
    assert code == 0
    scores = tmp_path / "served.jsonl"
    scores.write_text(text)
    monkeypatch.setattr(sys, "argv", ["credit_drift", "--scores", str(scores)])
    assert drift.main() == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (found["scores"], found["outcomes"], found["unscored"], found["advice"]) == (5, 5, 0, "keep")


def test_the_operator_withdraws_a_model_and_takes_it_back(
    operated: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    version = artefact.load("member_1m").version
    assert ajo(monkeypatch, capsys, "models", "withdraw", version)[0] == 2
    code, _ = ajo(monkeypatch, capsys, "models", "withdraw", version, "--reason", "A fault")
    assert code == 0
    code, text = ajo(monkeypatch, capsys, "models", "list")
    assert json.loads(text)["withdrawn"] == [version]
    assert ajo(monkeypatch, capsys, "models", "restore", version)[0] == 0
    assert ajo(monkeypatch, capsys, "models", "restore", version)[0] == 1
