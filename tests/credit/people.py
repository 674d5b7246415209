"""Invented people whose risk is known: for tests that need no real data."""

from __future__ import annotations

import numpy as np
import pandas as pd

from scripts.credit.additive import Feature, Floats

FEATURES = [
    Feature("debt", direction=1),
    Feature("income", direction=-1),
    Feature("noise"),
    Feature("account", "category", -1, ("none", "low", "healthy")),
    Feature("home", "category"),
]


def people(rows: int, seed: int = 0) -> tuple[pd.DataFrame, Floats]:
    """Risk rises with debt, falls with income and a better account, and depends on the home; some income is
    missing."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "debt": rng.gamma(2, 500, rows),
            "income": rng.normal(2_000, 500, rows),
            "noise": rng.normal(size=rows),
            "account": rng.choice(["none", "low", "healthy"], rows),
            "home": rng.choice(["own", "rent", "parents"], rows),
        }
    )
    log_odds = -1.5 + frame["debt"] / 800 - (frame["income"] - 2_000) / 400
    log_odds += frame["account"].map({"none": 0.8, "low": 0.2, "healthy": -0.8})
    log_odds += frame["home"].map({"own": -0.3, "rent": 0.4, "parents": 0.0})
    y = (rng.random(rows) < 1 / (1 + np.exp(-log_odds))).astype(float)
    frame.loc[rng.random(rows) < 0.1, "income"] = np.nan
    return frame, y
