"""How good probabilities are: discrimination, calibration, fairness, drift, and whether two models differ.

`y` is 1 for bad, `p` the probability of it. All figures are of predictions on rows that were not learnt from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import logit
from sklearn.metrics import roc_auc_score, roc_curve

from scripts.credit.additive import Floats, blend

BINS: Final = 20
APPROVED: Final = 0.80
GROUP_MIN: Final = 50
"""People; the approval ratio of a smaller group says more about chance than about the model."""


def auc(y: Floats, p: Floats) -> float:
    return float(roc_auc_score(y, p))


def kolmogorov_smirnov(y: Floats, p: Floats) -> float:
    """The largest distance between the two distribution functions."""
    false, true, _ = roc_curve(y, p)
    return float((true - false).max())


def h_measure(y: Floats, p: Floats) -> float:
    """Hand's H with the Beta(1 + share of bad, 1 + share of good) weight on the cost of a false alarm
    (Hand & Anagnostopoulos 2014): 0 for a guess, 1 for perfect. AUC lets each model choose its costs."""
    bad = float(np.mean(y))
    false, true = _hull(y, p)
    weight = stats.beta(1 + bad, 1 + (1 - bad))
    d_false, d_true = np.diff(false) * (1 - bad), np.diff(true) * bad
    total = np.where(d_false + d_true > 0, d_false + d_true, 1)
    costs = np.concatenate([[0.0], (d_true / total)[::-1], [1.0]])  # where the best threshold changes
    missed = (bad * (1 - true))[::-1]  # from everybody refused to nobody
    alarmed = ((1 - bad) * false)[::-1]
    whole, first = weight.cdf(costs), _partial_mean(1 + bad, 2 - bad, costs)
    loss = np.sum(alarmed * np.diff(first) + missed * (np.diff(whole) - np.diff(first)))
    split = weight.cdf(bad)
    until = _partial_mean(1 + bad, 2 - bad, np.array([bad]))[0]
    most = (1 - bad) * until + bad * (
        (1 - split) - (_partial_mean(1 + bad, 2 - bad, np.array([1.0]))[0] - until)
    )
    return float(1 - loss / most)


def _partial_mean(a: float, b: float, upto: Floats) -> Floats:
    """∫₀ᵘ c · Beta(a, b)(c) dc, which is the mean of Beta(a, b) times the distribution of Beta(a + 1, b)."""
    return np.asarray(a / (a + b) * stats.beta(a + 1, b).cdf(upto))


def _hull(y: Floats, p: Floats) -> tuple[Floats, Floats]:
    """The upper convex hull of the ROC curve, from (0, 0) to (1, 1)."""
    points: list[tuple[float, float]] = []
    false, true, _ = roc_curve(y, p)
    for x, t in zip(false, true, strict=True):
        while len(points) > 1 and _turns_up(points[-2], points[-1], (x, t)):
            points.pop()
        points.append((float(x), float(t)))
    hull = np.array(points)
    return hull[:, 0], hull[:, 1]


def _turns_up(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    return (b[0] - a[0]) * (c[1] - a[1]) >= (b[1] - a[1]) * (c[0] - a[0])


def equal_mass_bins(p: Floats, bins: int = BINS) -> list[Any]:
    return np.array_split(np.argsort(p, kind="stable"), min(bins, len(p)))


def calibration_error(y: Floats, p: Floats, bins: int = BINS) -> float:
    """Expected calibration error: mean |observed − predicted| over bins of equal mass."""
    return float(sum(len(i) * abs(y[i].mean() - p[i].mean()) for i in equal_mass_bins(p, bins)) / len(y))


def calibration_error_of_chance(p: Floats, repeats: int, bins: int = BINS, draws: int = 200) -> float:
    """What a perfectly calibrated model would show on as many people: ECE cannot be expected below it."""
    rng = np.random.default_rng(0)
    people = p.reshape(repeats, -1).mean(axis=0)
    return float(
        np.mean(
            [calibration_error((rng.random(len(people)) < people) * 1.0, people, bins) for _ in range(draws)]
        )
    )


def calibration_line(y: Floats, p: Floats) -> tuple[float, float]:
    """Intercept and slope of the outcome on the log-odds: 0 and 1 when they mean what they say."""
    intercept, slope = blend(_log_odds(p)[:, None], y)
    return float(intercept), float(slope)


def _log_odds(p: Floats) -> Floats:
    return np.asarray(logit(np.clip(p, 1e-6, 1 - 1e-6)))


def log_loss(y: Floats, p: Floats) -> float:
    return float(np.logaddexp(0, -(2 * y - 1) * _log_odds(p)).mean())


def summary(y: Floats, p: Floats, repeats: int = 1) -> dict[str, float]:
    """Every figure of the protocol, of the predictions of all repeats together."""
    intercept, slope = calibration_line(y, p)
    return {
        "auc_pooled": auc(y, p),
        "gini": 2 * auc(y, p) - 1,
        "ks": kolmogorov_smirnov(y, p),
        "h": h_measure(y, p),
        "brier": float(np.mean((p - y) ** 2)),
        "log_loss": log_loss(y, p),
        "ece": calibration_error(y, p),
        "ece_of_chance": calibration_error_of_chance(p, repeats),
        "slope": slope,
        "intercept": intercept,
    }


def approval_ratios(
    p: Floats, groups: Mapping[str, pd.Series[Any]], approved: float = APPROVED
) -> dict[str, Any]:
    """At the cut that approves the given share of all: each group's approval rate ÷ the best group's."""
    passes = p <= np.quantile(p, approved)
    result: dict[str, Any] = {}
    for name, labels in groups.items():
        sizes = labels.value_counts()
        rates = {
            str(label): float(passes[(labels == label).to_numpy()].mean())
            for label, size in sizes.items()
            if size >= GROUP_MIN
        }
        best = max(rates.values(), default=1.0)
        result[name] = {label: {"approved": rate, "ratio": rate / best} for label, rate in rates.items()}
    return result


def population_stability(before: Floats, after: Floats, bins: int = 10) -> float:
    """PSI over bins of equal mass before: under .1 stable, over .25 another population."""
    edges = np.unique(np.quantile(before, np.linspace(0, 1, bins + 1)[1:-1]))
    shares = [
        (np.bincount(np.searchsorted(edges, p, side="right"), minlength=len(edges) + 1) + 0.5)
        / (len(p) + 0.5 * (len(edges) + 1))
        for p in (before, after)
    ]
    return float(np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0])))


@dataclass(frozen=True)
class Comparison:
    """AUC of one model minus another's on the same folds. `low`: one-sided 95 % bound, `p_inferior`: of the
    hypothesis that it is worse by the margin or more."""

    difference: float
    low: float
    high: float
    p_inferior: float
    p_equal: float
    is_non_inferior: bool


def paired(differences: Sequence[float], test_share: float, margin: float) -> Comparison:
    """Paired t-test on the differences per fold, with Nadeau and Bengio's correction for folds that share
    training rows (Machine Learning 52, 2003): the variance times 1/folds + test ÷ training rows."""
    d = np.asarray(differences)
    scale = float(d.std(ddof=1)) * (1 / len(d) + test_share / (1 - test_share)) ** 0.5
    return _compared(float(d.mean()), scale, stats.t(len(d) - 1), margin)


def delong(y: Floats, a: Floats, b: Floats, margin: float) -> Comparison:
    """DeLong's test of two AUCs on the same people (Biometrics 44, 1988)."""
    bad, good = y == 1, y == 0
    parts = []
    for p in (a, b):
        ranks, within_bad, within_good = stats.rankdata(p), stats.rankdata(p[bad]), stats.rankdata(p[good])
        parts.append(((ranks[bad] - within_bad) / good.sum(), 1 - (ranks[good] - within_good) / bad.sum()))
    of_bad, of_good = parts[0][0] - parts[1][0], parts[0][1] - parts[1][1]
    scale = float(of_bad.var(ddof=1) / bad.sum() + of_good.var(ddof=1) / good.sum()) ** 0.5
    return _compared(float(of_bad.mean()), scale, stats.norm(), margin)


def _compared(difference: float, scale: float, law: Any, margin: float) -> Comparison:
    scale = max(scale, 1e-12)
    reach = float(law.ppf(0.95)) * scale
    return Comparison(
        difference=difference,
        low=difference - reach,
        high=difference + reach,
        p_inferior=float(law.sf((difference + margin) / scale)),
        p_equal=float(2 * law.sf(abs(difference) / scale)),
        is_non_inferior=difference - reach > -margin,
    )
