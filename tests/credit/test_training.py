"""What is shipped is what training gives: the same bytes each time, and the card that says what it is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.credit import training
from scripts.credit.additive import AdditiveClassifier
from scripts.credit.card import card
from scripts.credit.exported import document
from scripts.credit.portfolios import Portfolio, applicants
from scripts.credit.training import PLANS, REVISION, SEED, Plan, code_version, train
from shared.domain.assessments import MILLION, RULES
from shared.domain.scoring import artefact
from shared.domain.scoring.applicant import REFERENCE, score_applicant
from shared.domain.scoring.assessed import point_scale
from shared.domain.scoring.member import MONTHS, model_name
from shared.domain.scoring.score import Scored


def a_third(data: str | None) -> Portfolio:
    whole = applicants(data)
    rows = slice(0, None, 3)
    groups = {name: labels[rows].reset_index(drop=True) for name, labels in whole.groups.items()}
    return replace(
        whole,
        frame=whole.frame[rows].reset_index(drop=True),
        raw=whole.raw[rows],
        y=whole.y[rows],
        groups=groups,
        folds=3,
    )


SMALL: Plan = replace(PLANS[0], portfolio=a_third, repeats=1)


def close(one: Any, other: Any, where: str = "") -> None:
    """Equal but for the last digits of numbers, which another processor may round otherwise."""
    if isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for key in one:
            close(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, list):
        assert len(one) == len(other), where
        for i, (a, b) in enumerate(zip(one, other, strict=True)):
            close(a, b, f"{where}[{i}]")
    elif isinstance(one, float):
        assert one == pytest.approx(other, abs=1e-4), where
    else:
        assert one == other, where


def test_training_again_gives_the_same_bytes() -> None:
    assert train(SMALL) == train(SMALL)


def test_the_shipped_applicant_score_is_what_training_gives() -> None:
    portfolio = applicants()
    model = AdditiveClassifier(portfolio.features, seed=SEED).fit(portfolio.frame, portfolio.y)
    p = model.predict_proba(portfolio.frame)[:, 1]
    trained = document(model, name="applicant", revision=REVISION, p=p, reference=PLANS[0].reference)
    shipped = json.loads((artefact.FOLDER / "applicant.json").read_text(encoding="utf-8"))
    for part in ("name", "revision", "intercept", "shapes", "reference"):
        close(trained[part], shipped[part], part)


def test_every_shipped_model_was_trained_by_the_code_that_stands_here() -> None:
    assert [plan.name for plan in PLANS] == ["applicant", *map(model_name, MONTHS)]
    for plan in PLANS:
        assert artefact.load(plan.name).about["code"] == code_version(), f"train again: {plan.name}"


def test_the_shipped_applicant_score_reaches_its_targets_on_rows_not_learnt_from() -> None:
    figures = artefact.load("applicant").about["metrics"]
    assert figures["auc"] >= 0.790
    assert figures["brier"] <= 0.164
    assert figures["ece"] <= 0.04
    assert 0.95 <= figures["slope"] <= 1.05
    assert min(artefact.load("applicant").about["approval_ratios"].values()) >= 0.80


def test_the_member_scores_get_better_the_more_months_they_see() -> None:
    aucs = [artefact.load(model_name(months)).about["metrics"]["auc"] for months in MONTHS]
    assert aucs == sorted(aucs)
    assert aucs[-1] >= 0.755


def test_the_command_writes_documents_and_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "PLANS", [SMALL])
    monkeypatch.setattr("sys.argv", ["train_credit", "--out", str(tmp_path)])
    training.main()
    assert artefact.read((tmp_path / "applicant.json").read_text(encoding="utf-8")).name == "applicant"
    card = (tmp_path / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "South German Credit, U. Grömping" in card
    assert "| applicant | applicant-1+" in card


def test_the_card_stays_within_two_screens() -> None:
    card = (artefact.FOLDER / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert len(card.splitlines()) <= 80
    for plan in PLANS:
        assert artefact.load(plan.name).version in card


def test_the_card_says_what_the_documents_and_the_rules_in_force_say() -> None:
    documents = {
        plan.name: (artefact.FOLDER / f"{plan.name}.json").read_text(encoding="utf-8") for plan in PLANS
    }
    text = (artefact.FOLDER / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert text == card(documents)
    scale = point_scale(artefact.load("applicant").scale)
    approved = score_applicant(REFERENCE)
    assert isinstance(approved, Scored)
    line = scale.points_at(RULES.approve_pd_max_ppm)
    assert f"approved from {line} points on" in text
    assert f"below {scale.points_at(RULES.decline_pd_from_ppm)} points" in text
    assert (approved.points >= line) is (approved.pd * MILLION <= RULES.approve_pd_max_ppm)
