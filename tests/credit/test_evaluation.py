"""The protocol on small tables: every model on the same folds, and a run that ends whatever it was given."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from scripts.credit.additive import AdditiveClassifier, Feature
from scripts.credit.evaluation import CATBOOST, CHALLENGER, SERVED, Evaluation, evaluate
from scripts.credit.peers import Challenger
from scripts.credit.portfolios import Forward, Portfolio, Targets
from tests.credit.people import FEATURES, people

ROOT = Path(__file__).resolve().parents[2]


def a_portfolio(rows: int = 300) -> Portfolio:
    frame, y = people(rows)
    later, later_y = people(rows, seed=1)
    return Portfolio(
        name="people",
        frame=frame,
        y=y,
        features=FEATURES,
        raw=frame.drop(columns="noise"),
        groups={"side": pd.Series(["left", "right"] * (rows // 2))},
        folds=2,
        repeats=2,
        targets=Targets(auc_must=0.6, auc_best=0.99),
        settled=(frame["debt"] < 1_000).to_numpy(),
        forward=Forward(frame, y, later, later_y, FEATURES, (later["debt"] < 1_000).to_numpy()),
    )


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return evaluate(a_portfolio())


def test_every_model_has_a_prediction_for_every_row_in_every_repeat(evaluation: Evaluation) -> None:
    names = {SERVED, CHALLENGER, CATBOOST, "catboost_features", "lightgbm"}
    assert set(evaluation.predictions) == names
    for p in evaluation.predictions.values():
        assert p.shape == (2, 300)
        assert ((p > 0) & (p < 1)).all()


def test_every_figure_of_the_protocol_is_there(evaluation: Evaluation) -> None:
    for figures in evaluation.report["models"].values():
        assert {"auc", "gini", "ks", "h", "brier", "log_loss", "ece", "slope", "approval"} <= set(figures)
        assert figures["auc"] > 0.7
        assert 0.5 < figures["auc_of_settled"] < figures["auc"] + 0.1
    report = evaluation.report
    assert report["price_of_explanations_auc"] == (
        report["models"][CHALLENGER]["auc"] - report["models"][SERVED]["auc"]
    )
    assert {"challenger_and_catboost", "served_and_catboost", "served_and_challenger"} <= set(
        report["comparisons"]
    )
    assert report["forward"]["auc_of_settled"] > 0.5


def test_targets_are_met_or_not(evaluation: Evaluation) -> None:
    lines = {line["what"]: line["met"] for line in evaluation.report["targets"]}
    assert lines["AUC, served"]
    assert not lines["AUC, challenger"]
    assert "approval ratio by side, served" in lines


def test_the_same_seed_gives_the_same_figures() -> None:
    small = replace(a_portfolio(120), repeats=1, forward=None)
    one, other = (evaluate(small, quick=True).report for _ in range(2))
    for report in (one, other):
        for figures in report["models"].values():
            del figures["seconds_per_fold"]
    assert one == other


def test_a_portfolio_without_features_ends_with_its_findings() -> None:
    report = evaluate(replace(a_portfolio(), features=[], findings=["Nothing is left."])).report
    assert report["models"] == {}
    assert report["findings"] == ["Nothing is left."]


@pytest.mark.parametrize("rows", [200, 2_600])
def test_the_challenger_bears_columns_of_which_nothing_is_known(rows: int) -> None:
    frame, y = people(rows)
    bare = frame.assign(none=np.nan, same="x")
    features = [*FEATURES, Feature("none"), Feature("same", "category")]
    portfolio = replace(a_portfolio(), frame=bare, y=y, raw=bare, features=features)
    train, test = np.arange(rows - 100), np.arange(rows - 100, rows)
    served = AdditiveClassifier(features).fit(bare.iloc[train], y[train])
    p = Challenger(portfolio).fit(train, served)(bare.iloc[test])
    assert roc_auc_score(y[test], p) > 0.65  # of a hundred rows: .05 is one standard error


def command(*arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "scripts.credit.evaluate", "--json", "--quick", *arguments],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
        stdout=subprocess.PIPE,
        timeout=280,
    )
    return json.loads(done.stdout)


def test_a_csv_that_nobody_has_seen(tmp_path: Path) -> None:
    frame, y = people(300)
    frame = frame.assign(
        Age=np.arange(300) % 60 + 18,
        Customer=[f"C{i}" for i in range(300)],
        opened=pd.date_range("2025-01-01", periods=300).strftime("%d.%m.%Y"),
        Outcome=np.where(y == 1, "Default", "Repaid"),
    )
    path = tmp_path / "loans.csv"
    frame.to_csv(path, sep=";", index=False, encoding="latin-1", decimal=",")
    report = command("--csv", str(path), "--target", "outcome", "--out", str(tmp_path / "out"))
    assert report["models"][SERVED]["auc"] > 0.7
    assert report["features"] == ["debt", "income", "noise", "account", "home"]
    assert report["forward"]["rows"] == 100
    written = {file.name for file in (tmp_path / "out" / "loans").iterdir()}
    pictures = {"roc.png", "calibration.png", "ks.png", "bands.png", "drift.png"}
    assert written == pictures | {"evaluation.json", "report.html"}
    page = (tmp_path / "out" / "loans" / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 5
    assert "http" not in page.replace("data:image", "")


def test_a_csv_with_nothing_in_it_to_learn_ends_too(tmp_path: Path) -> None:
    path = tmp_path / "one outcome.csv"
    path.write_text("x,y\n" + "1,0\n" * 50, encoding="utf-8")
    report = command("--csv", str(path), "--target", "y", "--out", str(tmp_path / "out"))
    assert report["models"] == {}
    assert any("too few to learn from" in finding for finding in report["findings"])
    assert (tmp_path / "out" / "one outcome" / "report.html").is_file()
