"""A score as assessments and member risk take it: whole points, parts per million, plain English."""

from __future__ import annotations

from math import log

from shared.domain.assessments import MILLION, NoScore, PointScale, Score, ScoreReason
from shared.domain.scoring.artefact import Scale
from shared.domain.scoring.reasons import reasons
from shared.domain.scoring.score import Scored, Unscored, sigmoid


def point_scale(scale: Scale) -> PointScale:
    """The scale of a model in whole numbers."""
    return PointScale(
        base_points=scale.base_points,
        base_pd_ppm=round(sigmoid(scale.base_log_odds) * MILLION),
        points_to_double_odds_milli=round(scale.points_per_log_odds * log(2) * 1_000),
    )


def assessed(result: Scored | Unscored) -> Score | NoScore:
    """No score stays no score: it is neutral, and a person looks."""
    if isinstance(result, Unscored):
        cause = "; ".join(f"{field} {problem}" for field, problem in sorted(result.problems.items()))
        return NoScore(cause=cause, model_version=result.version)
    return Score(
        points=result.points,
        pd_ppm=round(result.pd * MILLION),
        band=result.band,
        scale=point_scale(result.scale),
        reasons=tuple(
            ScoreReason(code=r.code, points_lost=r.points_lost, sentence=r.sentence, mend=r.mend)
            for r in reasons(result)
        ),
        model_version=result.version,
    )
