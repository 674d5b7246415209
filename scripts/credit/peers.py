"""What the served model is measured against: a challenger that explains nothing, CatBoost and LightGBM."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from catboost import CatBoostClassifier
from lightgbm import LGBMClassifier
from scipy.special import expit, logit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC

from scripts.credit.additive import FEW_ROWS, MANY_ROWS, AdditiveClassifier, Feature, Floats
from scripts.credit.portfolios import Portfolio

Fitted = Callable[[pd.DataFrame], Floats]
"""Rows → probability of bad."""


class Challenger:
    """The mean log-odds of models that go wrong in different ways: the served one, boosted and extremely
    randomised trees that may look at anything, and CatBoost from other starts than the peer's. Where rows are
    few, a support vector machine as well (`applicant`: .798 without CatBoost, .800 with it); where they are
    many, LightGBM (`circle`: .7618 without the two, .7622 with them; `taiwan`: .7887, .7890)."""

    def __init__(self, portfolio: Portfolio, seed: int = 0) -> None:
        self._portfolio = portfolio
        self._seed = seed

    def fit(self, rows: Any, served: AdditiveClassifier) -> Fitted:
        frame, y = self._portfolio.frame.iloc[rows], self._portfolio.y[rows]
        parts = [served.decision_function, *self._trees(frame, y)]
        if len(y) < FEW_ROWS:
            machine = _kernel(frame, self._portfolio.features, self._seed).fit(frame, y)
            parts.append(lambda new: _log_odds(machine.predict_proba(new)))
            peers = [catboost(frame, y, self._seed + start) for start in OTHER_STARTS]
        elif len(y) >= MANY_ROWS:
            peers = [lightgbm(frame, y, self._seed), catboost(frame, y, self._seed + OTHER_STARTS[0])]
        else:
            peers = []
        parts += [_in_log_odds(peer) for peer in peers]
        return lambda new: np.asarray(expit(np.mean([part(new) for part in parts], axis=0)))

    def _trees(self, frame: pd.DataFrame, y: Floats) -> list[Callable[[pd.DataFrame], Floats]]:
        frame = frame.loc[:, frame.nunique() > 1]
        if frame.empty:
            return []
        ordinal = _in_order(frame, self._portfolio.features).fit(frame)
        design = ordinal.transform(frame)
        boosted = [one.fit(design, y) for one in _boosted(len(y), self._seed)]
        random = ExtraTreesClassifier(
            200,
            min_samples_leaf=4 if len(y) < FEW_ROWS else 20,
            max_features=0.4,
            random_state=self._seed,
        ).fit(design, y)
        return [
            lambda new: np.mean([one.decision_function(ordinal.transform(new)) for one in boosted], axis=0),
            lambda new: _log_odds(random.predict_proba(ordinal.transform(new))),
        ]


OTHER_STARTS: Final = (1, 2)


def _in_log_odds(fitted: Fitted) -> Fitted:
    return lambda new: np.asarray(logit(fitted(new)))


def _boosted(rows: int, seed: int) -> list[HistGradientBoostingClassifier]:
    some = MANY_TREES if rows >= MANY_ROWS else [SOME_TREES]
    settings = [FEW_TREES] if rows < FEW_ROWS else some
    return [
        HistGradientBoostingClassifier(**chosen, early_stopping=False, random_state=seed + bag)
        for bag, chosen in enumerate(settings)
    ]


FEW_TREES: Final[dict[str, Any]] = {
    "max_iter": 200,
    "learning_rate": 0.04,
    "max_leaf_nodes": 6,
    "min_samples_leaf": 10,
    "l2_regularization": 2,
    "max_features": 0.3,
}
SOME_TREES: Final[dict[str, Any]] = {
    "max_iter": 350,
    "learning_rate": 0.03,
    "max_leaf_nodes": 6,
    "min_samples_leaf": 20,
    "l2_regularization": 5,
    "max_features": 0.2,
}
MANY_TREES: Final[list[dict[str, Any]]] = [
    {"max_iter": 350, "learning_rate": 0.03, "max_leaf_nodes": 15, "min_samples_leaf": 50}
    | {"l2_regularization": 5, "max_features": 0.3},
    {"max_iter": 500, "learning_rate": 0.02, "max_leaf_nodes": 24, "min_samples_leaf": 100}
    | {"l2_regularization": 20, "max_features": 0.15},
]


def _log_odds(probabilities: Floats) -> Floats:
    """A vote of trees, or a far margin, may be certain; nobody is."""
    return np.asarray(logit(np.clip(probabilities[:, 1], 1e-3, 1 - 1e-3)))


def _in_order(frame: pd.DataFrame, features: Sequence[Feature]) -> Any:
    """Names as numbers: in the order of the scale they stand for, if they do, else of the alphabet."""
    names = _names(frame)
    scales = {feature.name: list(feature.categories) for feature in features if feature.categories}
    encoder = OrdinalEncoder(
        categories=[scales.get(name) or sorted(frame[name].dropna().unique()) for name in names],
        handle_unknown="use_encoded_value",
        unknown_value=-1,
        encoded_missing_value=-2,
    )
    return make_column_transformer((encoder, names), remainder="passthrough")


def _names(frame: pd.DataFrame) -> list[str]:
    return [column for column in frame.columns if not pd.api.types.is_numeric_dtype(frame[column])]


def _kernel(frame: pd.DataFrame, features: Sequence[Feature], seed: int) -> Any:
    """People are near each other where they share names, stand near on scales, and are alike in numbers."""
    scales = [feature for feature in features if feature.categories]
    names = _names(frame)
    order = OrdinalEncoder(
        categories=[list(feature.categories) for feature in scales],
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
    )
    numbers = make_pipeline(
        SimpleImputer(keep_empty_features=True),
        StandardScaler(),
        FunctionTransformer(np.clip, kw_args={"a_min": -3, "a_max": 3}),
    )
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), names),
        (make_pipeline(order, numbers), [feature.name for feature in scales]),
        (numbers, [column for column in frame.columns if column not in names]),
    )
    machine = SVC(C=1.0, gamma=0.015, random_state=seed)
    return make_pipeline(columns, CalibratedClassifierCV(machine, cv=5, ensemble=False))


def catboost(frame: pd.DataFrame, y: Floats, seed: int = 0) -> Fitted:
    names = _names(frame)
    model = CatBoostClassifier(
        iterations=400,
        learning_rate=0.03,
        depth=5 if len(y) < FEW_ROWS else 6,
        cat_features=names,
        random_seed=seed,
        thread_count=1,
        verbose=0,
        allow_writing_files=False,
    ).fit(_as_text(frame, names), y)
    return lambda new: np.asarray(model.predict_proba(_as_text(new, names)))[:, 1]


def lightgbm(frame: pd.DataFrame, y: Floats, seed: int = 0) -> Fitted:
    names = _names(frame)
    levels = {name: sorted(frame[name].dropna().astype(str).unique()) for name in names}

    def design(rows: pd.DataFrame) -> pd.DataFrame:
        """Names that were not learnt become missing."""
        text = {name: rows[name].astype(str).where(rows[name].isin(known)) for name, known in levels.items()}
        return rows.assign(**{name: pd.Categorical(text[name], known) for name, known in levels.items()})

    model = LGBMClassifier(
        n_estimators=300,
        learning_rate=0.03,
        num_leaves=15,
        min_child_samples=50 if len(y) >= FEW_ROWS else 20,
        subsample=0.8,
        subsample_freq=1,
        colsample_bytree=0.4,
        reg_lambda=5,
        random_state=seed,
        deterministic=True,
        n_jobs=1,
        verbose=-1,
    ).fit(design(frame), y)
    return lambda new: np.asarray(model.predict_proba(design(new)))[:, 1]


def _as_text(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    return frame.assign(**{name: frame[name].fillna("missing").astype(str).astype(object) for name in names})


PEERS: Final[Mapping[str, tuple[str, Callable[[pd.DataFrame, Floats], Fitted]]]] = {
    "catboost": ("raw", catboost),
    "catboost_features": ("frame", catboost),
    "lightgbm": ("frame", lightgbm),
}
"""Name → which columns it sees, the data set's own or ours, and how it is fitted."""
