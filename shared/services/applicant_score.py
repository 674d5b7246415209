"""The applicant score by the shipped model; whatever stands in its way is no score, which is neutral."""

from __future__ import annotations

from shared.domain.assessments import NoScore, Score
from shared.domain.scoring.applicant import Applicant, score_applicant
from shared.domain.scoring.artefact import ArtefactRefused
from shared.domain.scoring.assessed import assessed


def score_of(applicant: Applicant | None) -> Score | NoScore:
    """Never raises. A model that was damaged has stopped the start (functions/assessments): what is missing
    here was not shipped. None: the person told nothing for a score."""
    if applicant is None:
        return NoScore(cause="nothing was told for a score")
    try:
        return assessed(score_applicant(applicant))
    except ArtefactRefused:
        return NoScore(cause="no model is in service")
