"""The protocol of evaluation: repeated stratified folds, every model on the same ones, and all figures of it.

Everything is fitted inside the folds. The served model is exported to its JSON document in each of them, and
the rows held out are scored by the pure-Python scorer, so that the figures are those of what is served.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any, Final

import numpy as np
from joblib import Parallel, delayed
from sklearn.model_selection import RepeatedStratifiedKFold

from scripts.credit import metrics
from scripts.credit.additive import AdditiveClassifier, Floats, Ints
from scripts.credit.exported import document, scored
from scripts.credit.peers import PEERS, Challenger
from scripts.credit.portfolios import Forward, Portfolio
from shared.domain.scoring import artefact

SEED: Final = 20261124
MARGIN: Final = 0.003
"""Of AUC: what a model may lose to CatBoost and still count as good."""

SERVED, CHALLENGER, CATBOOST = "served", "challenger", "catboost"
PACKAGES: Final = ("scikit-learn", "numpy", "scipy", "pandas", "catboost", "lightgbm")

Tick = Callable[[], None]


@dataclass(frozen=True)
class Evaluation:
    """`report`: every figure, as JSON can hold it. `predictions`: model → repeats × rows, for the plots."""

    portfolio: Portfolio
    report: dict[str, Any]
    predictions: Mapping[str, Floats]
    forward: tuple[Floats, Floats] | None = None


def evaluate(
    portfolio: Portfolio, *, quick: bool = False, jobs: int = 1, seed: int = SEED, tick: Tick | None = None
) -> Evaluation:
    """Run the protocol. `quick`: one repeat and no second CatBoost. The same seed gives the same figures."""
    if not portfolio.features:
        return Evaluation(portfolio, _facts(portfolio, 0, seed), {})
    repeats = 1 if quick else portfolio.repeats
    folds = RepeatedStratifiedKFold(n_splits=portfolio.folds, n_repeats=repeats, random_state=seed)
    splits = list(folds.split(portfolio.frame, portfolio.y))
    peers = [name for name in PEERS if not (quick and name != CATBOOST) and _is_of_its_own(portfolio, name)]
    work = (delayed(_fold)(portfolio, train, test, peers) for train, test in splits)
    results = []
    for result in Parallel(n_jobs=jobs, return_as="generator")(work):
        results.append(result)
        if tick:
            tick()
    tests = [test for _, test in splits]
    predictions = {
        name: _assembled(len(portfolio.y), repeats, tests, [result[name][0] for result in results])
        for name in results[0]
    }
    seconds = {name: float(np.mean([result[name][1] for result in results])) for name in results[0]}
    report = _facts(portfolio, repeats, seed)
    by_fold = _by_fold(portfolio, predictions, tests)
    report["models"] = {
        name: _figures(portfolio, predictions[name], by_fold[name]) | {"seconds_per_fold": seconds[name]}
        for name in predictions
    }
    report["comparisons"] = _comparisons(portfolio, predictions, by_fold)
    price = report["models"][CHALLENGER]["auc"] - report["models"][SERVED]["auc"]
    report["price_of_explanations_auc"] = price
    forward = None
    if portfolio.forward is not None:
        report["forward"], forward = _forward(portfolio.forward)
    report["targets"] = _targets(portfolio, report)
    return Evaluation(portfolio, report, predictions, forward)


def _is_of_its_own(portfolio: Portfolio, peer: str) -> bool:
    """A peer on our columns says nothing new where those are the data set's own."""
    return peer != "catboost_features" or portfolio.frame is not portfolio.raw


def _facts(portfolio: Portfolio, repeats: int, seed: int) -> dict[str, Any]:
    return {
        "dataset": portfolio.name,
        "rows": len(portfolio.y),
        "features": [feature.name for feature in portfolio.features],
        "bad_rate": float(portfolio.y.mean()),
        "folds": portfolio.folds,
        "repeats": repeats,
        "seed": seed,
        "findings": list(portfolio.findings),
        "published_auc": dict(portfolio.published),
        "packages": {package: version(package) for package in PACKAGES},
        "models": {},
    }


def _fold(
    portfolio: Portfolio, train: Ints, test: Ints, peers: Sequence[str]
) -> dict[str, tuple[Floats, float]]:
    """Each model's probabilities of the rows held out, and the seconds that it took."""
    start = time.perf_counter()
    groups = portfolio.groups[portfolio.evened].iloc[train] if portfolio.evened else None
    model = AdditiveClassifier(portfolio.features)
    model.fit(portfolio.frame.iloc[train], portfolio.y[train], groups)
    p = scored(served(model, portfolio.name), portfolio.frame.iloc[test])
    results = {SERVED: (p, time.perf_counter() - start)}
    start = time.perf_counter()
    p = Challenger(portfolio).fit(train, model)(portfolio.frame.iloc[test])
    results[CHALLENGER] = (p, time.perf_counter() - start)
    for name in peers:
        start = time.perf_counter()
        columns, fit = PEERS[name]
        frame = getattr(portfolio, columns)
        p = fit(frame.iloc[train], portfolio.y[train])(frame.iloc[test])
        results[name] = (p, time.perf_counter() - start)
    return results


def served(model: AdditiveClassifier, name: str) -> artefact.Artefact:
    """The model through its document and back, as serving reads it; what was never seen counts as average."""
    quarters = np.linspace(0.1, 0.9, 5)
    text = artefact.write(document(model, name=name, revision="fold", p=quarters, scores_missing=True))
    return artefact.read(text, name)


def _assembled(rows: int, repeats: int, tests: Sequence[Ints], parts: Sequence[Floats]) -> Floats:
    p = np.full((repeats, rows), np.nan)
    folds = len(tests) // repeats
    for i, (test, part) in enumerate(zip(tests, parts, strict=True)):
        p[i // folds, test] = part
    return p


def _by_fold(
    portfolio: Portfolio, predictions: Mapping[str, Floats], tests: Sequence[Ints]
) -> dict[str, Floats]:
    folds = portfolio.folds
    return {
        name: np.array([metrics.auc(portfolio.y[test], p[i // folds, test]) for i, test in enumerate(tests)])
        for name, p in predictions.items()
    }


def _figures(portfolio: Portfolio, p: Floats, by_fold: Floats) -> dict[str, Any]:
    repeats, y = len(p), portfolio.y
    figures: dict[str, Any] = {"auc": float(by_fold.mean()), "auc_sd": float(by_fold.std())}
    figures |= metrics.summary(np.tile(y, repeats), p.ravel(), repeats)
    figures["approval"] = metrics.approval_ratios(p.mean(axis=0), portfolio.groups)
    if (settled := portfolio.settled) is not None:
        mask = settled.astype(bool)
        figures["auc_of_settled"] = float(np.mean([metrics.auc(y[mask], row[mask]) for row in p]))
    return figures


def _comparisons(
    portfolio: Portfolio, predictions: Mapping[str, Floats], by_fold: Mapping[str, Floats]
) -> dict[str, Any]:
    """On the people, by which non-inferiority is judged, and on the folds, of which a small data set has too
    few to show anything. CatBoost sees the data set's own columns, as published, and then ours as well."""
    peers = [name for name in predictions if name.startswith(CATBOOST)]
    pairs = [(one, peer) for one in (CHALLENGER, SERVED) for peer in peers] + [(SERVED, CHALLENGER)]
    share = 1 / portfolio.folds
    return {
        f"{one}_and_{other}": {
            "by_folds": asdict(metrics.paired((by_fold[one] - by_fold[other]).tolist(), share, MARGIN)),
            "by_people": asdict(
                metrics.delong(
                    portfolio.y, predictions[one].mean(axis=0), predictions[other].mean(axis=0), MARGIN
                )
            ),
        }
        for one, other in pairs
    }


def _forward(forward: Forward) -> tuple[dict[str, Any], tuple[Floats, Floats]]:
    """Learnt before, tried after: what drift costs, and what moving the intercept alone wins back."""
    model = AdditiveClassifier(forward.features).fit(forward.train, forward.train_y)
    scorer = served(model, "forward")
    before, after = scored(scorer, forward.train), scored(scorer, forward.test)
    y = forward.test_y
    figures: dict[str, Any] = {
        "rows": len(y),
        "bad_rate_before": float(forward.train_y.mean()),
        "bad_rate_after": float(y.mean()),
        "mean_pd_after": float(after.mean()),
        "psi": metrics.population_stability(before, after),
        **metrics.summary(y, after),
        "ece_with_intercept_moved": metrics.calibration_error(y, _moved(after, y)),
    }
    if forward.settled is not None:
        mask = forward.settled.astype(bool)
        figures["auc_of_settled"] = metrics.auc(y[mask], after[mask])
    return figures, (before, after)


def _moved(p: Floats, y: Floats) -> Floats:
    """The probabilities with their log-odds moved so that they sum to the outcomes."""
    odds, low, high = p / (1 - p), -10.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        moved = odds * np.exp(middle)
        low, high = (middle, high) if (moved / (1 + moved)).sum() < y.sum() else (low, middle)
    return np.asarray(odds * np.exp(low) / (1 + odds * np.exp(low)))


def _targets(portfolio: Portfolio, report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each line that was asked of this data set: what was reached, and whether it is met."""
    asked, lines = portfolio.targets, []
    model, challenger = report["models"][SERVED], report["models"][CHALLENGER]

    def line(what: str, reached: float, *, least: float | None = None, most: float | None = None) -> None:
        met = (least is None or reached >= least) and (most is None or reached <= most)
        lines.append({"what": what, "at_least": least, "at_most": most, "reached": reached, "met": met})

    if asked is not None:
        line("AUC, served", model["auc"], least=asked.auc_must)
        if asked.auc_best is not None:
            line("AUC, challenger", challenger["auc"], least=asked.auc_best)
        if asked.brier_max is not None:
            line("Brier score, served", model["brier"], most=asked.brier_max)
        if asked.ece_max is not None:
            line("calibration error, served", model["ece"], most=asked.ece_max)
    line("calibration slope, served", model["slope"], least=0.95, most=1.05)
    for group, labels in model["approval"].items():
        line(f"approval ratio by {group}, served", min(g["ratio"] for g in labels.values()), least=0.80)
    low = report["comparisons"][f"{CHALLENGER}_and_{CATBOOST}"]["by_people"]["low"]
    line("AUC, challenger − CatBoost: lower bound", low, least=-MARGIN)
    return lines
