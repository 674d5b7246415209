"""Trains what is shipped: the applicant score and four member scores, one JSON document each, and their card.

The same data, code and packages give the same bytes: seeds are fixed, figures are rounded, and nothing of the
day or the machine goes in.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console
from sklearn.model_selection import RepeatedStratifiedKFold

from scripts.credit import metrics
from scripts.credit.additive import AdditiveClassifier, Floats
from scripts.credit.card import card
from scripts.credit.exported import document
from scripts.credit.portfolios import Portfolio, applicants, circle
from scripts.credit.sources import ROOT, digest, table
from shared.domain.scoring import applicant, artefact, member
from shared.domain.scoring.artefact import Reading

SEED: Final = 20261124
REVISION: Final = "1"
CODE: Final = (
    "scripts/credit/additive.py",
    "scripts/credit/exported.py",
    "scripts/credit/portfolios.py",
    "scripts/credit/training.py",
    "shared/domain/scoring/applicant.py",
    "shared/domain/scoring/member.py",
)
"""What a model's numbers depend on besides its data."""

PACKAGES: Final = ("numpy", "scikit-learn", "scipy")

LICENCES: Final = {
    "south_german": "South German Credit, U. Grömping, UCI Machine Learning Repository, CC BY 4.0",
    "taiwan": "Default of Credit Card Clients, I-Cheng Yeh, UCI Machine Learning Repository, CC BY 4.0",
}


@dataclass(frozen=True)
class Plan:
    """One model to ship."""

    name: str
    source: str
    portfolio: Callable[[str | None], Portfolio]
    reference: Mapping[str, Reading]
    repeats: int


PLANS: Final = [
    Plan(
        applicant.MODEL,
        "south_german",
        applicants,
        applicant.readings(applicant.REFERENCE),
        3,
    ),
    *(
        Plan(
            member.model_name(months),
            "taiwan",
            partial(circle, months=months),
            member.readings(member.REFERENCE, months),
            1,
        )
        for months in member.MONTHS
    ),
]


def train(plan: Plan, data: str | None = None) -> str:
    """The model's document, as the bytes of its file."""
    portfolio = plan.portfolio(data)
    model = AdditiveClassifier(portfolio.features, seed=SEED).fit(portfolio.frame, portfolio.y)
    p, auc_of_folds = _out_of_fold(portfolio, plan.repeats)
    return artefact.write(
        document(
            model,
            name=plan.name,
            revision=REVISION,
            p=p.mean(axis=0),
            reference=plan.reference,
            about={
                "code": code_version(),
                "data": {
                    "licence": LICENCES[plan.source],
                    "rows": len(portfolio.y),
                    "bad_rate": round(float(portfolio.y.mean()), 4),
                    "sha256": digest(table(plan.source, data)),
                },
                "packages": {name: version(name) for name in PACKAGES},
                "protocol": f"{portfolio.folds}-fold x {plan.repeats}, seed {SEED}, rows not learnt from",
                "metrics": {"auc": auc_of_folds} | _metrics(portfolio, p),
                "approval_ratios": _approval(portfolio, p),
                "pd_bins": _bins(p.mean(axis=0)),
                "cells": {
                    feature.name: counts.tolist()
                    for feature, counts in zip(portfolio.features, model.counts_, strict=True)
                },
            },
        )
    )


def code_version() -> str:
    """sha256 of the code that the numbers depend on."""
    joined = b"".join((ROOT / path).read_bytes() for path in CODE)
    return hashlib.sha256(joined).hexdigest()


def _out_of_fold(portfolio: Portfolio, repeats: int) -> tuple[Floats, float]:
    """Probabilities, repeats × rows, and the mean AUC of the folds."""
    folds = RepeatedStratifiedKFold(n_splits=portfolio.folds, n_repeats=repeats, random_state=SEED)
    p, aucs = np.zeros((repeats, len(portfolio.y))), []
    for i, (train_rows, test_rows) in enumerate(folds.split(portfolio.frame, portfolio.y)):
        model = AdditiveClassifier(portfolio.features, seed=SEED)
        model.fit(portfolio.frame.iloc[train_rows], portfolio.y[train_rows])
        p[i // portfolio.folds, test_rows] = model.predict_proba(portfolio.frame.iloc[test_rows])[:, 1]
        aucs.append(metrics.auc(portfolio.y[test_rows], p[i // portfolio.folds, test_rows]))
    return p, round(float(np.mean(aucs)), 4)


def _metrics(portfolio: Portfolio, p: Floats) -> dict[str, float]:
    figures = metrics.summary(np.tile(portfolio.y, len(p)), p.ravel(), len(p))
    if portfolio.settled is not None:
        mask = portfolio.settled.astype(bool)
        figures["auc_of_settled"] = float(np.mean([metrics.auc(portfolio.y[mask], row[mask]) for row in p]))
    return {name: round(figure, 4) for name, figure in figures.items()}


def _approval(portfolio: Portfolio, p: Floats) -> dict[str, float]:
    """The worst-off group's approval ratio, by what it is a group of."""
    ratios = metrics.approval_ratios(p.mean(axis=0), portfolio.groups)
    return {
        name: round(min(label["ratio"] for label in labels.values()), 3) for name, labels in ratios.items()
    }


def _bins(p: Floats, bins: int = 10) -> dict[str, list[Any]]:
    """Edges and counts of the probabilities at the time of training: what drift is measured against, as are
    the counts of each feature's cells."""
    edges = [round(float(edge), 6) for edge in np.unique(np.quantile(p, np.arange(1, bins) / bins))]
    counts = np.bincount(np.searchsorted(edges, p, side="right"), minlength=len(edges) + 1)
    return {"edges": edges, "counts": counts.tolist()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/train_credit", description=__doc__)
    parser.add_argument("--data", help="folder of the data sets (else AJO_CREDIT_DATA, else fetched)")
    parser.add_argument("--out", type=Path, default=artefact.FOLDER, help="where the documents go")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    console = Console(stderr=True)
    documents = {}
    for plan in PLANS:
        with console.status(f"Training {plan.name} …"):
            documents[plan.name] = train(plan, asked.data)
        path = asked.out / f"{plan.name}.json"
        path.write_text(documents[plan.name], encoding="utf-8")
        console.print(f"{artefact.read(documents[plan.name]).version}: {path.stat().st_size:,} bytes")
    (asked.out / "MODEL_CARD.md").write_text(card(documents), encoding="utf-8")


if __name__ == "__main__":
    main()
