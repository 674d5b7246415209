"""The served model is additive, monotone where it must be, and the same in JSON as in scikit-learn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from scripts.credit.additive import FEW_ROWS, AdditiveClassifier, Feature, find_cells
from scripts.credit.exported import document, scored
from scripts.credit.portfolios import applicants, south_german
from scripts.credit.training import SEED
from shared.domain.scoring import artefact
from tests.credit.people import FEATURES, people


@pytest.fixture(scope="module", params=[500, FEW_ROWS + 200], ids=["ridge alone", "ridge and trees"])
def fitted(request: pytest.FixtureRequest) -> AdditiveClassifier:
    return AdditiveClassifier(FEATURES).fit(*people(request.param))


def test_it_ranks_new_people(fitted: AdditiveClassifier) -> None:
    frame, y = people(3_000, seed=1)
    assert roc_auc_score(y, fitted.predict_proba(frame)[:, 1]) > 0.78


def test_its_probabilities_sum_to_the_outcomes(fitted: AdditiveClassifier) -> None:
    frame, y = people(20_000, seed=2)
    assert fitted.predict_proba(frame)[:, 1].mean() == pytest.approx(y.mean(), abs=0.03)


def test_effects_keep_their_direction(fitted: AdditiveClassifier) -> None:
    for table in fitted.tables()[1]:
        steps = np.diff(table.effects) * table.cells.feature.direction
        assert (steps >= -1e-12).all(), table.cells.feature.name


def test_the_document_scores_every_row_as_scikit_learn_does(fitted: AdditiveClassifier) -> None:
    frame, _ = people(3_000, seed=3)
    frame.loc[:20, "home"] = "a boat"
    frame.loc[:20, "noise"] = np.nan
    p = fitted.predict_proba(frame)[:, 1]
    text = artefact.write(document(fitted, name="x", revision="1", p=p, scores_missing=True))
    assert np.abs(scored(artefact.read(text), frame) - p).max() <= 1e-9


def test_what_training_has_not_seen_is_refused_by_a_shipped_document(fitted: AdditiveClassifier) -> None:
    frame, _ = people(30, seed=3)
    frame.loc[:9, "home"] = "a boat"
    frame.loc[10:14, "income"] = np.nan
    reference = frame.iloc[29].to_dict()
    text = artefact.write(
        document(fitted, name="x", revision="1", p=np.array([0.1, 0.5]), reference=reference)
    )
    p = scored(artefact.read(text), frame)
    assert np.isnan(p[:10]).all()
    assert not np.isnan(p[10:]).any()


@pytest.mark.parametrize("name", ["applicant", "south_german"])
def test_parity_on_every_row_of_a_real_data_set(name: str) -> None:
    portfolio = applicants() if name == "applicant" else south_german()
    model = AdditiveClassifier(portfolio.features, seed=SEED).fit(portfolio.frame, portfolio.y)
    p = model.predict_proba(portfolio.frame)[:, 1]
    text = artefact.write(document(model, name=name, revision="1", p=p, scores_missing=True))
    served = scored(artefact.read(text), portfolio.frame)
    assert len(served) == 1_000
    assert np.abs(served - p).max() <= 1e-9


def test_a_column_of_which_little_is_known_does_no_harm() -> None:
    frame, y = people(FEW_ROWS + 200)
    rare = pd.Series(np.nan, frame.index)
    rare.iloc[7] = 1.0
    features = [*FEATURES, Feature("rare"), Feature("none")]
    known = frame.assign(rare=rare, none=np.nan)
    model = AdditiveClassifier(features).fit(known, y)
    one_by_one = np.array([model.decision_function(known.iloc[[row]])[0] for row in range(20)])
    assert np.abs(model.decision_function(known)[:20] - one_by_one).max() <= 1e-12
    p = model.predict_proba(known)[:, 1]
    text = artefact.write(document(model, name="x", revision="1", p=p, scores_missing=True))
    assert np.abs(scored(artefact.read(text), known) - p).max() <= 1e-9


def test_it_is_a_scikit_learn_estimator() -> None:
    frame, y = people(300)
    model = AdditiveClassifier(FEATURES, seed=4)
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert (copy.fit(frame, y).predict_proba(frame) == model.fit(frame, y).predict_proba(frame)).all()


@pytest.mark.parametrize(
    ("values", "cuts"),
    [
        ([1, 2, 3], (1.5, 2.5)),
        ([1, 1, 1], ()),
        ([], ()),
        ([5, 5, 9, np.nan], (7.0,)),
    ],
)
def test_edges_lie_half_way_between_neighbours(values: list[float], cuts: tuple[float, ...]) -> None:
    assert find_cells(Feature("x"), pd.Series(values, dtype=float), 10).cuts == cuts


def test_many_values_share_cells_of_about_equal_mass() -> None:
    column = pd.Series(np.random.default_rng(0).lognormal(size=10_000))
    cells = find_cells(Feature("x"), column, 20)
    counts = np.bincount(cells.index(column))
    assert len(counts) == 20
    assert counts.min() > 400


def test_groups_are_drawn_together_at_little_cost_and_no_score_sees_them() -> None:
    frame, y = people(2_000)
    side = np.where(frame["debt"] + np.random.default_rng(0).normal(0, 300, len(y)) > 900, "left", "right")
    later, later_y = people(2_000, seed=1)
    later_side = later["debt"] > 900
    apart, aucs = [], []
    for groups in (None, list(side)):
        model = AdditiveClassifier(FEATURES).fit(frame, y, groups)
        log_odds = model.decision_function(later)
        apart.append(log_odds[later_side].mean() - log_odds[~later_side].mean())
        aucs.append(roc_auc_score(later_y, log_odds))
    assert 0 <= apart[1] < 0.9 * apart[0]
    assert aucs[1] > aucs[0] - 0.03
