"""The applicant score: what a person can tell, or open banking can show, before joining a circle.

The model behind it learnt from a proxy portfolio (instalment loans of a German bank, 1973 to 1975), so money
is counted in months of average earnings, which mean the same then and now. Asking for less, or having more
left over, never costs points. Not asked, and not used: age, sex, marital status, nationality.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal

from shared.domain.record import record
from shared.domain.scoring.artefact import Reading, load
from shared.domain.scoring.score import Scored, Unscored, score

MODEL: Final = "applicant"

AVERAGE_EARNINGS_PENCE_YEARLY: Final = 3_903_900
"""Median gross pay of full-time employees in the UK, April 2025: ONS, Annual Survey of Hours and Earnings."""

AVERAGE_EARNINGS_DM_YEARLY: Final = 20_381
"""The same for the training data's middle year, 1974: SGB VI, annex 1."""

EARNINGS_PENCE_MONTHLY: Final = AVERAGE_EARNINGS_PENCE_YEARLY / 12
EARNINGS_DM_MONTHLY: Final = AVERAGE_EARNINGS_DM_YEARLY / 12

SAVINGS_EDGES: Final = {
    "under_100_dm": 0,
    "under_500_dm": 100,
    "under_1000_dm": 500,
    "from_1000_dm": 1000,
}
"""Lower edges of the training data's savings bands, in DM."""

HEALTHY_BALANCE_DM: Final = 200

MONEY_PENCE_MAX: Final = 1_000_000_000
"""£10 million: above it somebody has mistyped, and a person should look."""

MONTHS_MAX: Final = 12 * 75

MEMBERS_MAX: Final = 50


class Repayments(StrEnum):
    """How earlier borrowing and earlier circles went, worst first."""

    DELAYED = "delayed"
    STRAINED = "strained"
    NONE_OR_REPAID = "none_or_repaid"
    ON_TIME = "on_time"
    ALL_REPAID = "all_repaid"


@record
class Applicant:
    """What the applicant score needs to know.

    `balance_pence`: None where there is no current account. `surplus_pence`: what is left over in a month,
    before this circle, as affordability has established it; below nothing counts as nothing.
    """

    balance_pence: int | None
    salary_paid_in_months: int
    repayments: str
    savings_pence: int
    months_in_work: int
    has_guarantor: bool
    pays_other_instalments: bool
    surplus_pence: int
    contribution_pence: int
    every: Literal["week", "month"]
    members: int


REFERENCE: Final = Applicant(
    balance_pence=50_000,
    salary_paid_in_months=12,
    repayments=Repayments.ON_TIME,
    savings_pence=100_000,
    months_in_work=48,
    has_guarantor=False,
    pays_other_instalments=False,
    surplus_pence=30_000,
    contribution_pence=10_000,
    every="month",
    members=10,
)
"""A sound applicant without anything special; points are lost against this one."""


def score_applicant(applicant: Applicant) -> Scored | Unscored:
    """Score a person. Never raises on what they said: what cannot be used is named, field by field."""
    artefact = load(MODEL)
    problems = _problems(applicant)
    return Unscored(artefact.version, problems) if problems else score(artefact, readings(applicant))


def readings(applicant: Applicant) -> dict[str, Reading]:
    """The model's features of a sound set of answers."""
    total_pence = applicant.contribution_pence * applicant.members
    months = applicant.members * (12 / 52 if applicant.every == "week" else 1)
    return {
        "account": _account(applicant),
        "repayments": str(applicant.repayments),
        "savings": _savings(applicant.savings_pence),
        "work": _work(applicant.months_in_work),
        "guarantor": "yes" if applicant.has_guarantor else "no",
        "instalments": "yes" if applicant.pays_other_instalments else "no",
        "surplus": max(0, applicant.surplus_pence) / EARNINGS_PENCE_MONTHLY,
        "circle_months": months,
        "circle_total": total_pence / EARNINGS_PENCE_MONTHLY,
    }


def _account(applicant: Applicant) -> str:
    if applicant.balance_pence is None:
        return "none"
    if applicant.balance_pence < 0:
        return "overdrawn"
    sound = applicant.balance_pence >= _pence(HEALTHY_BALANCE_DM) or applicant.salary_paid_in_months >= 12
    return "healthy" if sound else "low"


def _savings(pence: int) -> str:
    if not pence:
        return "none"
    return [band for band, edge_dm in SAVINGS_EDGES.items() if pence >= _pence(edge_dm)][-1]


def _work(months: int) -> str:
    edges = {"none": 0, "under_1_year": 1, "1_to_4_years": 12, "4_to_7_years": 48, "from_7_years": 84}
    return [band for band, edge in edges.items() if months >= edge][-1]


def _pence(dm: int) -> float:
    """What bought as many months of average work in 1974."""
    return dm * AVERAGE_EARNINGS_PENCE_YEARLY / AVERAGE_EARNINGS_DM_YEARLY


def _problems(applicant: Applicant) -> Mapping[str, str]:
    problems = {
        name: f"is not a whole number from {low} to {high}"
        for name, low, high in (
            ("balance_pence", -MONEY_PENCE_MAX, MONEY_PENCE_MAX),
            ("salary_paid_in_months", 0, MONTHS_MAX),
            ("savings_pence", 0, MONEY_PENCE_MAX),
            ("months_in_work", 0, MONTHS_MAX),
            ("surplus_pence", -MONEY_PENCE_MAX, MONEY_PENCE_MAX),
            ("contribution_pence", 1, MONEY_PENCE_MAX),
            ("members", 2, MEMBERS_MAX),
        )
        if not _whole(getattr(applicant, name), low, high)
    }
    if applicant.balance_pence is None:
        del problems["balance_pence"]  # no account is an answer
    if not isinstance(applicant.repayments, str) or applicant.repayments not in set(Repayments):
        problems["repayments"] = f"is not one of {', '.join(Repayments)}"
    if applicant.every not in ("week", "month"):
        problems["every"] = "is not week or month"
    for name in ("has_guarantor", "pays_other_instalments"):
        if not isinstance(getattr(applicant, name), bool):
            problems[name] = "is not yes or no"
    return problems


def _whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
