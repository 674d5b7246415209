"""The applicant score by the shipped model; whatever stands in its way is no score, which is neutral."""

from __future__ import annotations

from shared.domain.affordability import Application, left_for_circle_pence
from shared.domain.assessments import NoScore, Score, Told
from shared.domain.financial_statement import Frequency
from shared.domain.scoring.applicant import Applicant, score_applicant
from shared.domain.scoring.artefact import ArtefactRefused
from shared.domain.scoring.assessed import assessed


def score_of(told: Told | None, application: Application) -> Score | NoScore:
    """Never raises. A model that was damaged has stopped the start (functions/assessments): what is missing
    here was not shipped. None: the person told nothing for a score."""
    if told is None:
        return NoScore(cause="nothing was told for a score")
    try:
        return assessed(score_applicant(applicant_of(told, application)))
    except ArtefactRefused:
        return NoScore(cause="no model is in service")


def applicant_of(told: Told, application: Application) -> Applicant:
    """What the model knows of a person: what they told for it, and what their month and circle say."""
    month, circle = application.statement, application.circle
    return Applicant(
        balance_pence=told.balance_pence,
        salary_paid_in_months=told.salary_paid_in_months,
        repayments=told.repayments,
        savings_pence=month.savings_pence,
        months_in_work=told.months_in_work,
        has_guarantor=told.has_guarantor,
        pays_other_instalments=any(debt.amount_pence for debt in month.other_debts),
        surplus_pence=left_for_circle_pence(application),
        contribution_pence=circle.amount_pence,
        every="week" if circle.frequency is Frequency.WEEKLY else "month",
        members=told.members,
    )
