"""The additive model as the JSON document that is served, and as the scorer that serves it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.special import logit

from scripts.credit.additive import AdditiveClassifier, Floats
from shared.domain.scoring.artefact import SCHEMA, Artefact, Reading
from shared.domain.scoring.score import Scored, score

POINTS_TO_DOUBLE_ODDS: Final = 60
"""A usual choice for scorecards: whole points, none of which is worth more than 1.2 % of the odds."""

BASE_POINTS: Final = 600
"""Where the fifth with the highest risk begins. What is decided at which points is not the model's to say:
the lines are probabilities (shared/domain/assessments.py), and the scale turns them into points."""

BANDS: Final = "ABCDE"
APPROVED: Final = 0.80
"""Band E is the fifth with the highest risk, beyond the 80 % approval that fairness is measured at."""


def document(
    model: AdditiveClassifier,
    *,
    name: str,
    revision: str,
    p: Floats,
    reference: Mapping[str, Reading] | None = None,
    about: Mapping[str, Any] | None = None,
    scores_missing: bool = False,
) -> dict[str, Any]:
    """Every table of the model, its scale and its bands by `p`, probabilities of rows not learnt from.

    `scores_missing`: what training has not seen counts as average. Shipped models refuse it instead.
    """
    intercept, tables = model.tables()
    shapes = []
    for table in tables:
        feature = table.cells.feature
        shape: dict[str, Any] = {"feature": feature.name, "factor": feature.factor or feature.name}
        shape |= {"categories" if feature.kind == "category" else "cuts": _cells(table.cells)}
        missing = table.missing if table.has_missing or scores_missing else None
        shapes.append({**shape, "effects": [float(effect) for effect in table.effects], "missing": missing})
    edges = np.quantile(p, [0.2, 0.4, 0.6, APPROVED])
    return {
        "schema": SCHEMA,
        "name": name,
        "revision": revision,
        "intercept": intercept,
        "shapes": shapes,
        "reference": dict(reference or typical(shapes)),
        "scale": {
            "points_per_log_odds": POINTS_TO_DOUBLE_ODDS / math.log(2),
            "base_points": BASE_POINTS,
            "base_log_odds": float(logit(edges[-1])),
        },
        "bands": [
            {"name": band, "pd_below": float(edge)}
            for band, edge in zip(BANDS, [*_rising(edges), 1.0], strict=True)
        ],
        "about": dict(about or {}),
    }


def _cells(cells: Any) -> list[Any]:
    return list(cells.categories if cells.feature.kind == "category" else cells.cuts)


def _rising(edges: Sequence[float] | Floats) -> list[float]:
    """Equal edges, of a model that tells few people apart, an ulp asunder: bands must rise."""
    rising: list[float] = []
    for edge in edges:
        low = math.nextafter(rising[-1], 1) if rising else 0.0
        rising.append(max(float(edge), low))
    return rising


def typical(shapes: Sequence[Mapping[str, Any]]) -> dict[str, Reading]:
    """For a portfolio without a reference person: the middle of each number, the first name of each scale."""
    reference: dict[str, Reading] = {}
    for shape in shapes:
        cuts = shape.get("cuts")
        if cuts is None:
            reference[shape["feature"]] = shape["categories"][0]
        else:
            reference[shape["feature"]] = cuts[len(cuts) // 2] if cuts else 0.0
    return reference


def readings(frame: pd.DataFrame) -> list[dict[str, Reading]]:
    """Rows as the scorer takes them: plain numbers and text, None where nothing is known."""
    columns = {
        name: [None if pd.isna(value) else value for value in frame[name].tolist()] for name in frame.columns
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def scored(artefact: Artefact, frame: pd.DataFrame) -> Floats:
    """Probabilities by the pure-Python scorer, as served. Every row must be one that it can score."""
    results = [score(artefact, row) for row in readings(frame)]
    return np.array([result.pd if isinstance(result, Scored) else np.nan for result in results])
