"""A score as assessments and member risk take it: whole points, parts per million, plain English."""

from __future__ import annotations

from shared.domain.assessments import MILLION, NoScore, Score, ScoreReason
from shared.domain.scoring.reasons import reasons
from shared.domain.scoring.score import Scored, Unscored


def assessed(result: Scored | Unscored) -> Score | NoScore:
    """No score stays no score: it is neutral, and a person looks."""
    if isinstance(result, Unscored):
        cause = "; ".join(f"{field} {problem}" for field, problem in sorted(result.problems.items()))
        return NoScore(cause=cause, model_version=result.version)
    return Score(
        points=result.points,
        pd_ppm=round(result.pd * MILLION),
        band=result.band,
        reasons=tuple(
            ScoreReason(code=r.code, points_lost=r.points_lost, sentence=r.sentence, mend=r.mend)
            for r in reasons(result)
        ),
        model_version=result.version,
    )
