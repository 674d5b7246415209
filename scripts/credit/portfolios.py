"""The known data sets as portfolios: what a model may see of them, in which direction, and what it may not.

Protected characteristics (age, sex, marital status, nationality) are never features: they are the groups that
fairness is measured on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd

from scripts.credit.additive import Feature, Floats
from scripts.credit.sources import table
from shared.domain.scoring import applicant, member
from shared.domain.scoring.artefact import Reading


@dataclass(frozen=True)
class Targets:
    """What CREDIT.md asks for. AUC: of the served model, and of the challenger."""

    auc_must: float
    auc_best: float | None = None
    brier_max: float | None = None
    ece_max: float | None = None


@dataclass(frozen=True)
class Forward:
    """A test forward in time: learnt on one frame, tried on a later one. `settled`: in good order then."""

    train: pd.DataFrame
    train_y: Floats
    test: pd.DataFrame
    test_y: Floats
    features: Sequence[Feature]
    settled: Floats | None = None


@dataclass(frozen=True)
class Portfolio:
    """One data set, ready. `frame` holds the features' columns; `raw` what the peers may see besides.

    `evened`: the one of `groups` whose mean log-odds training draws together. No score ever sees it.
    """

    name: str
    frame: pd.DataFrame
    y: Floats
    features: Sequence[Feature]
    raw: pd.DataFrame
    groups: Mapping[str, pd.Series[Any]]
    folds: int
    repeats: int
    evened: str | None = None
    targets: Targets | None = None
    published: Mapping[str, float] = field(default_factory=dict)
    settled: Floats | None = None
    forward: Forward | None = None
    findings: Sequence[str] = ()


def _features(
    directions: Mapping[str, int], names: Mapping[str, Sequence[str]] | None = None
) -> list[Feature]:
    """Numbers with their directions, and columns of names (with their order, if that has a meaning)."""
    numbers = [Feature(name, direction=direction) for name, direction in directions.items()]
    return numbers + [Feature(name, "category", 0, tuple(order)) for name, order in (names or {}).items()]


# --- South German Credit, and the same applicants in the Statlog coding -------------------------------------

ACCOUNTS: Final = {1: "none", 2: "overdrawn", 3: "low", 4: "healthy"}
REPAYMENTS: Final = dict(enumerate(applicant.Repayments))
SAVINGS: Final = dict(enumerate(["none", *applicant.SAVINGS_EDGES], start=1))
WORK: Final = dict(
    enumerate(["none", "under_1_year", "1_to_4_years", "4_to_7_years", "from_7_years"], start=1)
)
"""What the codes mean: U. Grömping, South German Credit Data: Correcting a Widely Used Data Set (2019)."""

APPLICANT: Final = [
    Feature("account", "category", -1, tuple(ACCOUNTS.values()), "account"),
    Feature("repayments", "category", -1, tuple(map(str, REPAYMENTS.values())), "repayments"),
    Feature("savings", "category", -1, tuple(SAVINGS.values()), "savings"),
    Feature("work", "category", -1, tuple(WORK.values()), "work"),
    Feature("guarantor", "category", -1, ("no", "yes"), "guarantor"),
    Feature("instalments", "category", 1, ("no", "yes"), "instalments"),
    Feature("surplus", direction=-1, factor="surplus"),
    Feature("circle_months", direction=1, factor="circle"),
    Feature("circle_total", direction=1, factor="circle"),
]
"""What a member can tell. The bank's instalment stands for `surplus`: what people could spare a month, as the
bank saw it. (Read as the size of a promise, it would make small contributions the risky ones.)"""

STATLOG: Final = {
    "checking": "status",
    "employment": "employment_duration",
    "residence_since": "present_residence",
    "existing_credits": "number_credits",
    "num_dependents": "people_liable",
}
"""Statlog's column → South German Credit's: the same codes, with the letters and the wrong labels off."""

STATLOG_STEMS: Final = {
    "status": "A1",
    "credit_history": "A3",
    "purpose": "A4",
    "savings": "A6",
    "employment_duration": "A7",
    "other_debtors": "A10",
    "property": "A12",
    "other_installment_plans": "A14",
    "housing": "A15",
    "job": "A17",
    "telephone": "A19",
}


def applicant_frame(german: pd.DataFrame) -> pd.DataFrame:
    """The applicant score's features of a table in South German coding."""
    total = german["amount"] / applicant.EARNINGS_DM_MONTHLY
    return pd.DataFrame(
        {
            "account": german["status"].map(ACCOUNTS),
            "repayments": german["credit_history"].map(REPAYMENTS).astype(str),
            "savings": german["savings"].map(SAVINGS),
            "work": german["employment_duration"].map(WORK),
            "guarantor": np.where(german["other_debtors"] == 3, "yes", "no"),
            "instalments": np.where(german["other_installment_plans"] == 3, "no", "yes"),
            "surplus": total / german["duration"],
            "circle_months": german["duration"].astype(np.float64),
            "circle_total": total,
        }
    )


def _south_german_coding(statlog: pd.DataFrame) -> pd.DataFrame:
    frame = statlog.rename(columns=STATLOG)
    for column, stem in STATLOG_STEMS.items():
        frame[column] = frame[column].str.removeprefix(stem).astype(int)
    return frame


def _german_portfolio(name: str, german: pd.DataFrame, groups: Mapping[str, pd.Series[Any]]) -> Portfolio:
    frame = applicant_frame(german)
    names = ["purpose", "housing", "job", "present_residence"]
    directions = {"telephone": -1, "number_credits": 1, "property": -1, "installment_rate": -1}
    frame = frame.join(german[names].astype(str)).join(german[[*directions, "people_liable"]])
    others = _features({**directions, "people_liable": 0}, dict.fromkeys(names, ()))
    protected = ["age", "over_25", "sex", "personal_status_sex", "foreign_worker", "target"]
    coded = german.drop(columns=protected, errors="ignore")
    numbers = ["duration", "amount"]
    raw = coded[numbers].join(coded.drop(columns=numbers).astype(str))
    return Portfolio(
        name=name,
        frame=frame,
        y=german["target"].to_numpy(dtype=np.float64),
        features=[*APPLICANT, *others],
        raw=raw,
        groups={**groups, "foreign worker": german["foreign_worker"].astype(str)},
        folds=10,
        repeats=3,
        targets=Targets(auc_must=0.790, auc_best=0.800, brier_max=0.164, ece_max=0.04),
        published={"TabPFN-3.5": 0.802, "CatBoost (3-fold)": 0.781},
    )


def german(given: str | None = None) -> Portfolio:
    statlog = table("german", given)
    over_25 = statlog["over_25"] if "over_25" in statlog else statlog["age"] > 25
    sex = statlog["sex"] if "sex" in statlog else statlog["personal_status_sex"].map(_sex_by_statlog)
    groups = {"sex": sex, "age": over_25.map({True: "over 25", False: "25 or under"})}
    return _german_portfolio("german", _south_german_coding(statlog), groups)


def _sex_by_statlog(code: str) -> str:
    return "female" if code in ("A92", "A95") else "male"


def south_german(given: str | None = None) -> Portfolio:
    """Its coding of `personal_status_sex` lumps single men with women, so that groups are as coded."""
    frame = table("south_german", given)
    age = pd.cut(
        frame["age"], [0, 25, 40, 60, 120], labels=["25 or under", "26 to 40", "41 to 60", "over 60"]
    )
    groups = {"age": age.astype(str), "personal status and sex": frame["personal_status_sex"].astype(str)}
    return _german_portfolio("south_german", frame, groups)


def applicants(given: str | None = None) -> Portfolio:
    """South German Credit as the shipped applicant score sees it: what a member can tell, and no more. The
    peers see no more either."""
    whole = south_german(given)
    frame = whole.frame[[feature.name for feature in APPLICANT]]
    return Portfolio(
        **{
            **vars(whole),
            "name": "applicant",
            "frame": frame,
            "raw": frame,
            "features": APPLICANT,
            "targets": Targets(auc_must=0.790, brier_max=0.164, ece_max=0.04),
            "published": {},
        }
    )


# --- Taiwan -------------------------------------------------------------------------------------------------

STATUS: Final = ["PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6"]
"""September back to April 2005; -2 nothing used, -1 paid in full, 0 paid in part, n: n months late."""
BILLS: Final = [f"BILL_AMT{i}" for i in range(1, 7)]
PAID: Final = [f"PAY_AMT{i}" for i in range(1, 7)]
TAIWAN_PUBLISHED: Final = {"TabICLv2": 0.791, "CatBoost": 0.782}


def _crossed(*columns: Any) -> list[str]:
    """One name per combination: where two facts mean more together than each by itself."""
    return ["_".join(str(int(part)) for part in row) for row in zip(*columns, strict=True)]


def _taiwan_frame(raw: pd.DataFrame) -> pd.DataFrame:
    status, bills, paid = (raw[columns].to_numpy(dtype=np.float64) for columns in (STATUS, BILLS, PAID))
    limit = raw["LIMIT_BAL"].to_numpy(dtype=np.float64)
    late, used = np.maximum(status, 0), bills / limit[:, None]
    share = np.where(bills[:, 1:] > 0, np.clip(paid[:, :5] / np.maximum(bills[:, 1:], 1), 0, 1), 1.0)
    due = np.maximum(bills[:, 1:].sum(axis=1), 1)
    frame = raw.drop(columns=["ID", "SEX", "MARRIAGE", "AGE", "target"]).astype(np.float64)
    frame = frame.assign(
        used_now=used[:, 0],
        used_mean=used.mean(axis=1),
        used_max=used.max(axis=1),
        used_more=used[:, 0] - used[:, 5],
        headroom=limit - bills[:, 0],
        late_max=late.max(axis=1),
        late_sum=late.sum(axis=1),
        late_months=(late > 0).sum(axis=1),
        late_2_months=(late >= 2).sum(axis=1),
        late_faded=late @ [1, 0.7, 0.5, 0.35, 0.25, 0.2],
        late_ago=np.where((late > 0).any(axis=1), (late > 0).argmax(axis=1), 6),
        status_sum=status.sum(axis=1),
        status_spread=status.std(axis=1),
        status_below_0=(status < 0).sum(axis=1),
        status_0=(status == 0).sum(axis=1),
        unused_months=(status == -2).sum(axis=1),
        paid_nothing=(paid == 0).sum(axis=1),
        paid_to_limit=paid.sum(axis=1) / limit,
        paid_min=paid.min(axis=1),
        paid_max=paid.max(axis=1),
        paid_mean=paid.mean(axis=1),
        paid_median=np.median(paid, axis=1),
        share_mean=share.mean(axis=1),
        share_min=share.min(axis=1),
        share_weighted=share @ [0.4, 0.25, 0.15, 0.1, 0.1],
        share_of_all=np.where(
            bills[:, 1:].sum(axis=1) > 0, np.clip(paid[:, :5].sum(axis=1) / due, 0, 1), 1.0
        ),
        **{f"share_{month + 1}": share[:, month] for month in range(5)},
    )
    now, before = np.clip(status[:, 0], -2, 3), np.clip(status[:, 1], -2, 3)
    headroom = np.digitize(frame["headroom"], [2_000, 8_000, 20_000, 50_000, 100_000, 180_000])
    limits = np.digitize(limit, [30_000, 60_000, 100_000, 160_000, 240_000, 360_000])
    return frame.assign(
        status_now_and_before=_crossed(now, before),
        status_and_use=_crossed(now, np.digitize(used[:, 0], [0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 1])),
        status_and_paid=_crossed(
            np.minimum(now, 2), np.digitize(paid[:, 0], [1, 1_000, 2_000, 4_000, 10_000])
        ),
        status_before_and_headroom=_crossed(before, headroom),
        unpaid_and_limit=_crossed(frame["paid_nothing"], limits),
        use_and_share=_crossed(
            np.digitize(frame["used_max"], [0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.02]),
            np.digitize(frame["share_min"], [0.001, 0.03, 0.05, 0.1, 0.5, 0.999]),
        ),
        paid_and_headroom=_crossed(
            np.digitize(paid.sum(axis=1), [3_000, 8_000, 13_000, 20_000, 40_000]), headroom
        ),
    )


def taiwan(given: str | None = None) -> Portfolio:
    raw = table("taiwan", given)
    frame = _taiwan_frame(raw)
    rising = {"late_max", "late_sum", "late_months", "late_2_months", "late_faded", "paid_nothing", *STATUS}
    falling = {"late_ago", "LIMIT_BAL", "paid_to_limit", "share_of_all"}
    directions = {name: (name in rising) - (name in falling) for name in frame.select_dtypes("number")}
    names: dict[str, Sequence[str]] = {name: () for name in frame.columns if name not in directions}
    return Portfolio(
        name="taiwan",
        frame=frame,
        y=raw["target"].to_numpy(dtype=np.float64),
        features=_features(directions, names),
        raw=raw.drop(columns=["ID", "SEX", "MARRIAGE", "AGE", "target"]),
        groups=_taiwan_groups(raw),
        folds=3,
        repeats=3,
        targets=Targets(auc_must=0.780, auc_best=0.787, brier_max=0.134, ece_max=0.01),
        published=TAIWAN_PUBLISHED,
        settled=(raw["PAY_0"] <= 0).to_numpy(),
        forward=_taiwan_forward(raw),
    )


def _taiwan_groups(raw: pd.DataFrame) -> dict[str, pd.Series[Any]]:
    ages = ["25 or under", "26 to 40", "41 to 60", "over 60"]
    return {
        "sex": raw["SEX"].map({1: "male", 2: "female"}),
        "age": pd.cut(raw["AGE"], [0, 25, 40, 60, 120], labels=ages).astype(str),
        "marital status": raw["MARRIAGE"].map({1: "married", 2: "single"}).fillna("other"),
    }


# --- Taiwan as a circle sees it -----------------------------------------------------------------------------

MEMBER: Final = [
    Feature("late_now", direction=1, factor="latest"),
    Feature("paid_now", direction=-1, factor="latest"),
    Feature("late_unpaid_now", direction=1, factor="latest"),
    Feature("late_before_max", direction=1, factor="earlier"),
    Feature("late_before_faded", direction=1, factor="earlier"),
    Feature("late_before_ago", direction=-1, factor="earlier"),
    Feature("late_unpaid_before", direction=1, factor="earlier"),
    Feature("paid_before_min", direction=-1, factor="earlier"),
    Feature("paid_before_nothing", direction=1, factor="earlier"),
    Feature("paid_before_streak", direction=-1, factor="earlier"),
    Feature("nothing_due_before", factor="earlier"),
]
"""What a circle sees. (Card holders who paid in part defaulted less often than those who paid in full: so
it is in a bank's world, not in a circle's, and it is not learnt.)"""


def histories(raw: pd.DataFrame, months_ago: int = 0) -> list[tuple[member.Month, ...]]:
    """Card holders as members: newest month first, from `months_ago` back. The sixth bill is not known."""
    late = np.maximum(raw[STATUS].to_numpy(), 0)[:, months_ago:]
    due = np.maximum(raw[BILLS].to_numpy()[:, 1:], 0)[:, months_ago:]
    paid = raw[PAID].to_numpy()[:, months_ago:]
    return [
        tuple(
            member.Month(int(due[i, m]) if m < due.shape[1] else 0, int(paid[i, m]), int(late[i, m]))
            for m in range(late.shape[1])
        )
        for i in range(len(raw))
    ]


def member_features(months: int) -> list[Feature]:
    seen = member.readings(member.REFERENCE, months)
    return [feature for feature in MEMBER if feature.name in seen]


def member_frame(seen: Sequence[tuple[member.Month, ...]], months: int) -> pd.DataFrame:
    rows: list[dict[str, Reading]] = [member.readings(history, months) for history in seen]
    return pd.DataFrame(rows).astype(np.float64)


def circle(given: str | None = None, months: int = 6) -> Portfolio:
    """The peers see the months themselves, and the challenger both."""
    raw = table("taiwan", given)
    seen = histories(raw)
    by_month = pd.DataFrame(
        {
            **{f"late_{age}": [history[age].months_late for history in seen] for age in range(months)},
            **{
                f"paid_{age}": [history[age].paid_ratio for history in seen]
                for age in range(min(months, member.PAID_MONTHS_MAX))
            },
        }
    ).astype(np.float64)
    frame = member_frame(seen, months)
    return Portfolio(
        name="circle" if months == member.MONTHS[-1] else f"circle_{months}m",
        frame=frame.join(by_month),
        y=raw["target"].to_numpy(dtype=np.float64),
        features=member_features(months),
        raw=by_month,
        groups=_taiwan_groups(raw),
        folds=3,
        repeats=3,
        targets=Targets(auc_must=0.755, auc_best=0.762) if months == member.MONTHS[-1] else None,
        settled=(raw["PAY_0"] <= 0).to_numpy(),
        forward=_taiwan_forward(raw),
    )


def _taiwan_forward(raw: pd.DataFrame, months: int = 3) -> Forward:
    """Two months late or worse in August, from May to July; tried on September, from June to August, on the
    third of the people who were not learnt from."""
    frames = [member_frame(histories(raw, ago), months) for ago in (2, 1)]
    outcomes = [(raw[column] >= 2).to_numpy(dtype=np.float64) for column in ("PAY_2", "PAY_0")]
    held_out = np.arange(len(raw)) % 3 == 0
    test = frames[1][held_out]
    return Forward(
        train=frames[0][~held_out],
        train_y=outcomes[0][~held_out],
        test=test,
        test_y=outcomes[1][held_out],
        features=member_features(months),
        settled=(test["late_now"] == 0).to_numpy(),
    )


# --- credit_data --------------------------------------------------------------------------------------------


def credit_data(given: str | None = None) -> Portfolio:
    """The closest to an application. Evaluated only: its source states no licence."""
    raw = table("credit_data", given)
    income, assets, debt = raw["Income"], raw["Assets"], raw["Debt"]
    instalment = raw["Amount"] / raw["Time"]
    surplus = income - raw["Expenses"] - instalment
    numbers = pd.DataFrame(
        {
            "months_of_work": raw["Seniority"] * 12,
            "records": (raw["Records"] == "yes").astype(float),
            "months": raw["Time"],
            "amount": raw["Amount"],
            "price": raw["Price"],
            "deposit": raw["Price"] - raw["Amount"],
            "amount_to_price": raw["Amount"] / raw["Price"],
            "income": income,
            "expenses": raw["Expenses"],
            "instalment": instalment,
            "surplus": surplus,
            "surplus_to_instalment": surplus / instalment,
            "instalment_to_income": instalment / income,
            "amount_to_income": raw["Amount"] / income,
            "debt": debt,
            "debt_to_income": debt / (12 * income),
            "debt_to_assets": debt / (assets + 100),
            "assets": assets,
            "net_assets": assets - debt,
            "commitment_to_assets": raw["Amount"] / (assets + 100),
        }
    ).astype(np.float64)
    rising = {
        "records",
        "amount",
        "amount_to_price",
        "instalment_to_income",
        "amount_to_income",
        "debt",
        "debt_to_income",
        "debt_to_assets",
        "commitment_to_assets",
    }
    falling = {
        "months_of_work",
        "deposit",
        "income",
        "surplus",
        "surplus_to_instalment",
        "assets",
        "net_assets",
    }
    directions = {name: (name in rising) - (name in falling) for name in numbers}
    protected = ["Age", "Marital"]
    return Portfolio(
        name="credit_data",
        frame=numbers.assign(home=raw["Home"].fillna("unknown"), job=raw["Job"].fillna("unknown")),
        y=raw["target"].to_numpy(dtype=np.float64),
        features=_features(directions, {"home": (), "job": ()}),
        raw=raw.drop(columns=[*protected, "target"]),
        groups={
            "age": pd.cut(raw["Age"], [0, 25, 40, 60, 120]).astype(str),
            "marital status": raw["Marital"].fillna("unknown"),
        },
        folds=5,
        repeats=4,
        evened="age",
        targets=Targets(auc_must=0.843, auc_best=0.851, brier_max=0.136, ece_max=0.02),
        published={"CatBoost here": 0.854},
    )


PORTFOLIOS: Final[Mapping[str, Callable[[str | None], Portfolio]]] = {
    "german": german,
    "south_german": south_german,
    "applicant": applicants,
    "taiwan": taiwan,
    "circle": circle,
    "credit_data": credit_data,
}
