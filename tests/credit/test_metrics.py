"""The figures, against what is known of them or against a slower way to the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_curve

from scripts.credit import metrics
from scripts.credit.additive import Floats


def outcomes(rows: int = 4_000, strength: float = 1.0, seed: int = 0) -> tuple[Floats, Floats]:
    """Outcomes and the true probabilities of them."""
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(1 - strength * rng.normal(size=rows)))
    return (rng.random(rows) < p).astype(float), p


def test_h_is_what_summing_the_losses_over_all_costs_gives() -> None:
    y, p = outcomes()
    bad, weight = y.mean(), stats.beta(1 + y.mean(), 2 - y.mean())
    costs = np.linspace(0.0005, 0.9995, 1_000)
    false, true, _ = roc_curve(y, p)
    losses = [(c * (1 - bad) * false + (1 - c) * bad * (1 - true)).min() for c in costs]
    worst = np.minimum(costs * (1 - bad), (1 - costs) * bad)
    slow = 1 - (losses * weight.pdf(costs)).sum() / (worst * weight.pdf(costs)).sum()
    assert metrics.h_measure(y, p) == pytest.approx(slow, abs=1e-3)


def test_the_perfect_score_and_the_guess() -> None:
    y, _ = outcomes()
    guess = np.random.default_rng(1).random(len(y))
    for figure in (metrics.auc, metrics.h_measure, metrics.kolmogorov_smirnov):
        assert figure(y, y) == pytest.approx(1)
    assert metrics.auc(y, guess) == pytest.approx(0.5, abs=0.03)
    assert metrics.h_measure(y, guess) == pytest.approx(0, abs=0.02)
    assert metrics.kolmogorov_smirnov(y, guess) < 0.06


def test_true_probabilities_are_calibrated_and_bent_ones_are_not() -> None:
    y, p = outcomes(40_000)
    intercept, slope = metrics.calibration_line(y, p)
    assert [intercept, slope] == pytest.approx([0, 1], abs=0.05)
    assert metrics.calibration_error(y, p) < 0.015
    bent = p**2
    assert metrics.calibration_error(y, bent) > 0.1
    assert metrics.calibration_line(y, bent)[1] < 0.9


def test_chance_alone_shows_a_calibration_error_that_falls_with_the_people() -> None:
    few, many = outcomes(500)[1], outcomes(20_000)[1]
    assert metrics.calibration_error_of_chance(few, 1) > 2 * metrics.calibration_error_of_chance(many, 1)


def test_log_loss_by_hand() -> None:
    assert metrics.log_loss(np.array([1.0, 0.0]), np.array([0.5, 0.2])) == pytest.approx(
        -(np.log(0.5) + np.log(0.8)) / 2
    )


def test_approval_ratios_by_hand() -> None:
    p = np.linspace(0, 1, 200)
    groups = {"side": pd.Series(["left"] * 100 + ["right"] * 100), "few": pd.Series(["a"] * 10 + ["b"] * 190)}
    ratios = metrics.approval_ratios(p, groups)
    assert ratios["side"]["left"] == {"approved": 1.0, "ratio": 1.0}
    assert ratios["side"]["right"] == {"approved": pytest.approx(0.6), "ratio": pytest.approx(0.6)}
    assert list(ratios["few"]) == ["b"]


def test_the_same_people_have_not_drifted_and_others_have() -> None:
    _, p = outcomes()
    assert metrics.population_stability(p, p) == 0
    assert metrics.population_stability(p, outcomes(seed=5)[1]) < 0.02
    assert metrics.population_stability(p, p**3) > 0.25


def test_a_model_is_not_inferior_to_itself() -> None:
    y, p = outcomes()
    same = metrics.delong(y, p, p, margin=0.003)
    assert (same.difference, same.is_non_inferior) == (0, True)
    assert metrics.paired([0.0] * 10, 0.1, margin=0.003).is_non_inferior


def test_a_worse_model_is_inferior_and_an_uncertain_one_is_not_shown_to_be_better() -> None:
    y, p = outcomes()
    noisy = p + np.random.default_rng(2).normal(size=len(p)) * 0.2
    worse = metrics.delong(y, noisy, p, margin=0.003)
    assert worse.high < 0
    assert not worse.is_non_inferior
    assert metrics.delong(y, p, noisy, margin=0.003).is_non_inferior
    assert not metrics.paired([0.05, -0.05, 0.04, -0.04], 0.25, margin=0.003).is_non_inferior


def test_delong_s_interval_is_that_of_redrawing_the_people() -> None:
    y, p = outcomes(1_500)
    rng = np.random.default_rng(3)
    noisy = p + rng.normal(size=len(p)) * 0.1
    compared = metrics.delong(y, p, noisy, margin=0.003)
    draws = [rng.integers(0, len(y), len(y)) for _ in range(300)]
    spread = np.std([metrics.auc(y[i], p[i]) - metrics.auc(y[i], noisy[i]) for i in draws])
    assert (compared.high - compared.low) / 2 / stats.norm.ppf(0.95) == pytest.approx(spread, rel=0.2)


def test_folds_that_share_rows_say_less_than_they_seem_to() -> None:
    differences = [0.01, 0.0, 0.02, 0.01, 0.0, 0.015, 0.005, 0.01, 0.0, 0.02]
    corrected = metrics.paired(differences, 0.1, margin=0.003)
    naive = stats.ttest_1samp(differences, 0)
    assert corrected.p_equal > naive.pvalue
