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
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC

from scripts.credit.additive import FEW_ROWS, MANY_ROWS, AdditiveClassifier, Feature, Floats
from scripts.credit.portfolios import Portfolio

Fitted = Callable[[pd.DataFrame], Floats]
"""Rows → probability of bad."""


class Challenger:
    """The mean log-odds of several models. Few rows: the served model and a support vector machine. More: the
    served model and boosted trees that may look at anything. Many: such trees alone."""

    def __init__(self, portfolio: Portfolio, seed: int = 0) -> None:
        self._portfolio = portfolio
        self._seed = seed

    def fit(self, rows: Any, served: AdditiveClassifier) -> Fitted:
        frame, y = self._portfolio.frame.iloc[rows], self._portfolio.y[rows]
        parts: list[Callable[[pd.DataFrame], Floats]] = []
        if len(y) < MANY_ROWS:
            parts.append(served.decision_function)
        if len(y) < FEW_ROWS:
            machine = _kernel(frame, self._portfolio.features, self._seed).fit(frame, y)
            parts.append(
                lambda new: np.asarray(logit(np.clip(machine.predict_proba(new)[:, 1], 1e-4, 1 - 1e-4)))
            )
        else:
            parts.append(self._trees(frame, y))
        return lambda new: np.asarray(expit(np.mean([part(new) for part in parts], axis=0)))

    def _trees(self, frame: pd.DataFrame, y: Floats) -> Callable[[pd.DataFrame], Floats]:
        encoder = OrdinalEncoder(
            handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2
        )
        ordinal = make_column_transformer((encoder, _names(frame)), remainder="passthrough").fit(frame)
        design = ordinal.transform(frame)
        trees = [
            HistGradientBoostingClassifier(
                **settings, early_stopping=False, random_state=self._seed + bag
            ).fit(design, y)
            for bag, settings in enumerate(MANY_TREES if len(y) >= MANY_ROWS else SOME_TREES)
        ]
        return lambda new: np.asarray(
            np.mean([one.decision_function(ordinal.transform(new)) for one in trees], axis=0)
        )


SOME_TREES: Final[list[dict[str, Any]]] = [
    {"max_iter": 350, "learning_rate": 0.03, "max_leaf_nodes": 6, "min_samples_leaf": 20}
    | {"l2_regularization": 5, "max_features": 0.2}
] * 3
MANY_TREES: Final[list[dict[str, Any]]] = [
    {"max_iter": 350, "learning_rate": 0.03, "max_leaf_nodes": 15, "min_samples_leaf": 50}
    | {"l2_regularization": 5, "max_features": 0.3},
    {"max_iter": 500, "learning_rate": 0.02, "max_leaf_nodes": 24, "min_samples_leaf": 100}
    | {"l2_regularization": 20, "max_features": 0.15},
]


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
