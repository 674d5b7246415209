"""What is not what was trained is refused, and the start with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.domain.errors import AjoError
from shared.domain.scoring import artefact
from shared.domain.scoring.artefact import ArtefactRefused, Reading, check_shipped, load, read, write
from tests.unit.scoring.documents import a_document

SHIPPED = ("applicant", "member_1m", "member_2m", "member_3m", "member_6m")


def test_a_document_comes_back_as_it_was_written() -> None:
    model = read(write(a_document()))
    assert model.name == "small"
    assert model.version.startswith("small-7+")
    assert [shape.feature for shape in model.shapes] == ["debts", "home"]
    assert model.reference_points == {"debts": -5, "home": 0}


def test_the_same_document_gives_the_same_bytes_whatever_the_order_of_its_keys() -> None:
    document = a_document()
    assert write(document) == write(dict(reversed(document.items())))


def test_a_changed_number_is_noticed() -> None:
    text = write(a_document())
    assert "-0.5" in text
    with pytest.raises(ArtefactRefused, match="hash"):
        read(text.replace("-0.5", "-0.4"))


def shape(**changes: Any) -> dict[str, Any]:
    return {
        "feature": "debts",
        "factor": "debts",
        "cuts": [10.0],
        "effects": [0.0, 1.0],
        "missing": None,
    } | changes


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"schema": "ajo.score/2"}, "schema"),
        ({"shapes": []}, "no shapes"),
        ({"shapes": [shape(), shape()], "reference": {"debts": 0}}, "twice"),
        ({"reference": {"debts": 0}}, "differ"),
        ({"reference": {"debts": None, "home": "own"}}, "reference says nothing about debts"),
        ({"shapes": [shape(effects=[0.0])], "reference": {"debts": 0}}, "one effect per cell"),
        ({"shapes": [shape(cuts=[3, 2], effects=[1, 2, 3])], "reference": {"debts": 0}}, "do not rise"),
        ({"shapes": [shape(cuts=[3, 3], effects=[1, 2, 3])], "reference": {"debts": 0}}, "do not rise"),
        ({"shapes": [shape(categories=["a", "b"])], "reference": {"debts": "a"}}, "both number and category"),
        (
            {"shapes": [shape(cuts=[], categories=["a", "a"])], "reference": {"debts": "a"}},
            "category of debts stands twice",
        ),
        ({"shapes": [shape(effects=[True, 1.0])], "reference": {"debts": 0}}, "True is not a number"),
        ({"shapes": [shape(feature="")], "reference": {"": 0}}, "not a name"),
        ({"bands": [{"name": "A", "pd_below": 0.5}]}, "bands do not rise to 1"),
        ({"bands": [{"name": "A", "pd_below": 1.0}, {"name": "B", "pd_below": 1.0}]}, "bands do not rise"),
        ({"scale": {"points_per_log_odds": 0, "base_points": 1, "base_log_odds": 0}}, "points do not fall"),
        ({"scale": {}}, "points_per_log_odds"),
        ({"intercept": "1"}, "'1' is not a number"),
    ],
)
def test_a_document_that_cannot_be_is_refused_with_its_problem(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ArtefactRefused, match=problem):
        read(write(a_document(**changes)))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"schema": "ajo.score/1"}', "\x00"])
def test_what_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(ArtefactRefused):
        read(text)


def test_a_document_with_no_number_in_it_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        write(a_document(intercept=float("nan")))
    endless = write(a_document()).replace('"intercept": -1.0', '"intercept": Infinity')
    with pytest.raises(ArtefactRefused):
        read(endless)


def test_a_refusal_belongs_to_the_one_family() -> None:
    with pytest.raises(AjoError, match="The model nowhere cannot be used: its file cannot be read"):
        load("nowhere")


def test_the_start_reads_every_shipped_model() -> None:
    assert [version.partition("-")[0] for version in check_shipped()] == list(SHIPPED)


def test_the_start_stops_at_a_damaged_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SHIPPED:
        text = (artefact.FOLDER / f"{name}.json").read_text(encoding="utf-8")
        (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
    damaged = json.loads((tmp_path / "member_2m.json").read_text(encoding="utf-8"))
    damaged["intercept"] += 0.1
    (tmp_path / "member_2m.json").write_text(json.dumps(damaged), encoding="utf-8")
    monkeypatch.setattr(artefact, "FOLDER", tmp_path)
    load.cache_clear()
    try:
        with pytest.raises(ArtefactRefused, match="member_2m"):
            check_shipped()
    finally:
        load.cache_clear()


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_is_small_and_says_what_it_is(name: str) -> None:
    path = artefact.FOLDER / f"{name}.json"
    assert path.stat().st_size <= 500_000
    about = load(name).about
    assert "CC BY 4.0" in about["data"]["licence"]
    assert {"auc_pooled", "brier", "ece", "slope", "ks", "h"} <= set(about["metrics"])
    assert len(about["code"]) == len(about["data"]["sha256"]) == 64
    assert len(about["pd_bins"]["counts"]) == len(about["pd_bins"]["edges"]) + 1


@pytest.mark.parametrize("name", SHIPPED)
def test_nothing_protected_is_used(name: str) -> None:
    features = {shape.feature for shape in load(name).shapes}
    assert not features & {
        "age",
        "sex",
        "marital_status",
        "nationality",
        "foreign_worker",
        "personal_status_sex",
    }


@pytest.mark.parametrize(
    ("reading", "effect"),
    [(9.999, -0.5), (10, 1.0), (10.0, 1.0), (-(10**300), -0.5), (float("inf"), None), (float("nan"), None)],
)
def test_a_number_lies_in_its_cell(reading: Reading, effect: float | None) -> None:
    assert read(write(a_document())).shapes[0].effect(reading) == effect


@pytest.mark.parametrize(
    ("reading", "effect"), [("own", 0.0), ("rent", 0.25), (None, 0.1), ("palace", 0.1), (1.0, 0.1)]
)
def test_a_category_that_is_not_known_counts_as_missing(reading: Reading, effect: float) -> None:
    assert read(write(a_document())).shapes[1].effect(reading) == effect
