"""A model small enough to score in one's head, as a document."""

from __future__ import annotations

from typing import Any


def a_document(**changes: Any) -> dict[str, Any]:
    """Log-odds: -1, +1 for debts from 10 on and -0.5 below, +0.25 for renting; ten points each."""
    return {
        "schema": "ajo.score/1",
        "name": "small",
        "revision": "7",
        "intercept": -1.0,
        "shapes": [
            {"feature": "debts", "factor": "debts", "cuts": [10.0], "effects": [-0.5, 1.0], "missing": None},
            {
                "feature": "home",
                "factor": "home",
                "categories": ["own", "rent"],
                "effects": [0.0, 0.25],
                "missing": 0.1,
            },
        ],
        "reference": {"debts": 0, "home": "own"},
        "scale": {"points_per_log_odds": 10.0, "base_points": 600, "base_log_odds": 0.0},
        "bands": [
            {"name": "A", "pd_below": 0.25},
            {"name": "B", "pd_below": 0.5},
            {"name": "C", "pd_below": 1.0},
        ],
        "about": {},
    } | changes
