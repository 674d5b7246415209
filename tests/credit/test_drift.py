"""Drift of a shipped model is seen, and outcomes move its probabilities and nothing else."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.credit import drift
from scripts.credit.drift import Served, advises_change, moved, read_served, report
from shared.domain.member_risk import Recalibration
from shared.domain.scoring import artefact
from shared.domain.scoring.applicant import readings
from shared.domain.scoring.artefact import Reading
from shared.domain.scoring.reasons import reasons
from shared.domain.scoring.score import Scored, score, sigmoid
from tests.unit.scoring.applicants import drawn

FILE = artefact.FOLDER / "applicant.json"
MODEL = artefact.load("applicant")


def as_in_training(people: int, seed: int = 0) -> list[dict[str, Reading]]:
    """People whose features lie as those of training do, each by itself."""
    chance = random.Random(seed)
    rows: list[dict[str, Reading]] = []
    for _ in range(people):
        row: dict[str, Reading] = {}
        for shape in MODEL.shapes:
            counts = MODEL.about["cells"][shape.feature][:-1]
            (cell,) = chance.choices(range(len(counts)), counts)
            if shape.categories:
                row[shape.feature] = shape.categories[cell]
            else:
                row[shape.feature] = shape.cuts[cell - 1] if cell else min(shape.cuts) - 0.001
        rows.append(row)
    return rows


def with_outcomes(rows: list[dict[str, Reading]], shift: float, seed: int = 1) -> list[Served]:
    """Outcomes as the model would have them, its log-odds moved."""
    chance = random.Random(seed)
    served = []
    for row in rows:
        result = score(MODEL, row)
        assert isinstance(result, Scored)
        served.append(Served(row, chance.random() < sigmoid(result.log_odds + shift)))
    return served


def test_people_like_those_of_training_have_not_drifted() -> None:
    found = report(MODEL, [Served(row) for row in as_in_training(3_000)])
    assert {feature["verdict"] for feature in found["features"].values()} == {"stable"}
    assert found["unscored"] == 0
    assert found["recalibration"] is None
    assert not advises_change(found)


def test_what_has_drifted_is_named_and_the_rest_is_not() -> None:
    rows = [{**row, "savings": "none", "surplus": None} for row in as_in_training(1_000)]
    found = report(MODEL, [Served(row) for row in rows])
    verdicts = {name: feature["verdict"] for name, feature in found["features"].items()}
    assert {name for name, verdict in verdicts.items() if verdict == "act"} == {"savings", "surplus"}
    assert found["unscored"] == 1_000  # a surplus that nobody told
    assert found["score"] is None


def test_outcomes_as_foretold_keep_the_champion() -> None:
    assert not advises_change(report(MODEL, with_outcomes(as_in_training(2_000), 0.0)))


def test_an_offset_that_chance_would_not_make_is_found_and_tried_on_later_outcomes() -> None:
    found = report(MODEL, with_outcomes(as_in_training(2_000), -1.0))
    assert found["recalibration"]["offset_micro"] == pytest.approx(-1_000_000, abs=200_000)
    assert found["trial"]["tried_on"] == 667
    assert found["trial"]["challenger"] < found["trial"]["champion"]
    assert advises_change(found)


def test_an_offset_that_does_not_last_is_not_advised() -> None:
    rows = as_in_training(3_000)
    until = 2_000
    once = with_outcomes(rows[:until], -1.5) + with_outcomes(rows[until:], 0.5)
    found = report(MODEL, once)
    assert found["recalibration"]["is_warranted"]
    assert not advises_change(found)


def test_a_moved_model_says_other_probabilities_and_the_same_points_bands_and_reasons() -> None:
    change = Recalibration.model_validate(
        report(MODEL, with_outcomes(as_in_training(2_000), -1.0))["recalibration"]
    )
    document = json.loads(FILE.read_text(encoding="utf-8"))
    model = artefact.read(artefact.write(moved(document, change)))
    assert model.version.startswith("applicant-1.1+")
    again = moved(document | {"revision": "1.1"}, change)
    assert again["revision"] == "1.2"
    for seed in range(1_000):
        told = readings(drawn(seed))
        before, after = score(MODEL, told), score(model, told)
        assert isinstance(before, Scored)
        assert isinstance(after, Scored)
        assert after.pd < before.pd
        moves = {name: getattr(before, name) for name in ("pd", "log_odds", "version", "scale")}
        assert replace(after, **moves) == before
        assert reasons(after) == reasons(before)


@pytest.mark.parametrize("line", ["", "{}", "[1]", '{"readings": 3}', '{"readings": {}, "bad": "no"}'])
def test_a_line_that_is_no_score_is_named(line: str) -> None:
    with pytest.raises(SystemExit, match="Line 2 is not a score that was served"):
        read_served(['{"readings": {}}', line])


@pytest.mark.parametrize(("shift", "advice"), [(0.0, "keep"), (-1.0, "recalibrate")])
def test_the_command_writes_the_record_and_the_new_version(
    shift: float,
    advice: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    served = with_outcomes(as_in_training(2_000), shift)
    scores = tmp_path / "scores.jsonl"
    scores.write_text("\n".join(json.dumps({"readings": one.readings, "bad": one.bad}) for one in served))
    arguments = ["credit_drift", "--scores", str(scores), "--out", str(tmp_path / "new")]
    monkeypatch.setattr("sys.argv", arguments)
    assert drift.main() == 0
    record: dict[str, Any] = json.loads((tmp_path / "new" / "record.json").read_text(encoding="utf-8"))
    assert json.loads(capsys.readouterr().out) == record
    assert record["advice"] == advice
    written = tmp_path / "new" / "applicant.json"
    assert written.exists() == (advice == "recalibrate")
    if written.exists():
        assert artefact.read(written.read_text(encoding="utf-8")).version == record["challenger"]
