"""Adds a score up: log-odds, probability, whole points, band, and the points that each factor has cost."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp

from shared.domain.record import record
from shared.domain.scoring.artefact import Artefact, Reading, Scale


@record
class Scored:
    """A score that was computed.

    `points_lost`: factor → whole points below the reference, largest loss first, only factors that lost any.
    Exact: points + points_lost[f] are the points of the same person with factor f as the reference has it.
    """

    points: int
    pd: float
    log_odds: float
    band: str
    version: str
    points_lost: Mapping[str, int]
    scale: Scale


@record
class Unscored:
    """No score could be computed: neither for nor against. `problems`: field → what is wrong with it."""

    version: str
    problems: Mapping[str, str]


def score(artefact: Artefact, readings: Mapping[str, Reading]) -> Scored | Unscored:
    """Score one set of readings. Never raises on readings; never guesses at what training has not seen."""
    log_odds = artefact.intercept
    effects: dict[str, float] = {}
    problems: dict[str, str] = {}
    for shape in artefact.shapes:
        effect = shape.effect(readings.get(shape.feature))
        if effect is None:
            problems[shape.feature] = _problem(readings.get(shape.feature))
        else:
            log_odds += effect
            effects[shape.factor] = effects.get(shape.factor, 0.0) + effect
    if problems:
        return Unscored(artefact.version, problems)
    scale = artefact.scale
    taken = {factor: round(effect * scale.points_per_log_odds) for factor, effect in effects.items()}
    start = scale.base_points - round((artefact.intercept - scale.base_log_odds) * scale.points_per_log_odds)
    lost = {factor: points - artefact.reference_points[factor] for factor, points in taken.items()}
    pd = sigmoid(log_odds)
    return Scored(
        points=start - sum(taken.values()),
        pd=pd,
        log_odds=log_odds,
        band=next(band.name for band in artefact.bands if pd < band.pd_below or band.pd_below >= 1),
        version=artefact.version,
        points_lost={f: lost[f] for f in sorted(lost, key=lambda f: (-lost[f], f)) if lost[f] > 0},
        scale=scale,
    )


def _problem(reading: Reading) -> str:
    if reading is None:
        return "is missing"
    return "is not a value that the model knows" if isinstance(reading, str) else "is not a number it can use"


def sigmoid(log_odds: float) -> float:
    """1 ÷ (1 + e^-x), without its overflow."""
    if log_odds >= 0:
        return 1 / (1 + exp(-log_odds))
    raised = exp(log_odds)
    return raised / (1 + raised)
