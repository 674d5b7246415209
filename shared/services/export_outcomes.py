"""Export what was scored and what came of it, for `scripts/credit_drift`: pseudonyms, and no exact sums.

Two legs of one line: what a model was told then (each number as the edge of the model's own cell, which gives
the same score and tells nothing more), with its version, points and probability; and whether a promise was
missed in the months after. The pseudonym is made with a key that is thrown away: it joins the lines of one
person within one export, and leads nowhere.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from shared.domain.assessments import MILLION, Assessment, Score
from shared.domain.calendar import london_day
from shared.domain.case_files import AssessmentFile
from shared.domain.contributions import Contribution
from shared.domain.errors import Erased
from shared.domain.scoring import applicant, member
from shared.domain.scoring.artefact import Artefact, Reading, load
from shared.domain.scoring.score import Scored, score
from shared.domain.standing import months as months_of
from shared.domain.standing import went_bad
from shared.ports import Query
from shared.services.applicant_score import applicant_of
from shared.services.case_files import open_assessment
from shared.services.context import Context
from shared.services.member_pds import GRACE_DAYS, contributions_of
from shared.services.paging import every

DAYS_A_MONTH = 30

Kind = Literal["applicant", "member_1m", "member_2m", "member_3m", "member_6m"]


@dataclass(frozen=True, slots=True)
class _Then:
    """One score as it was given: to whom, on which day, by what."""

    uid: str
    day: date
    version: str
    points: int
    pd_ppm: int
    readings: Mapping[str, Reading]


def outcomes(ctx: Context, model: Kind, months: int) -> Iterator[dict[str, Any]]:
    """Lines, oldest score first. `bad` is left out while `months` are not over or nothing fell due."""
    key, today, shipped = ctx.chance.token(32), london_day(ctx.clock.now()), load(model)
    known: dict[str, list[Contribution]] = {}

    def of(uid: str) -> list[Contribution]:
        if uid not in known:
            known[uid] = contributions_of(ctx, uid)
        return known[uid]

    span = timedelta(days=DAYS_A_MONTH * months)
    then = _applicants(ctx) if model == applicant.MODEL else _members(ctx, shipped, today - span, of)
    for one in then:
        bad = went_bad(of(one.uid), one.day, one.day + span, today, GRACE_DAYS)
        line: dict[str, Any] = {
            "id": hmac.new(key, one.uid.encode(), hashlib.sha256).hexdigest()[:16],
            "scored_in": f"{one.day:%Y-%m}",
            "model": one.version,
            "points": one.points,
            "pd_ppm": one.pd_ppm,
            "readings": {
                shape.feature: _edge(shape, one.readings.get(shape.feature)) for shape in shipped.shapes
            },
            "months": months,
        }
        yield line if bad is None else line | {"bad": bad}


def _applicants(ctx: Context) -> Iterator[_Then]:
    """Everybody who was assessed with a score and has not been erased."""
    for found_file in every(ctx, Query("assessments", order_by=["at"])):
        file = found_file.document(AssessmentFile)
        try:
            found: Assessment = open_assessment(ctx.vault.sealer(file.uid), file)
        except Erased:
            continue
        if found.told is not None and isinstance(found.score, Score):
            told = applicant_of(found.told, found.application)
            yield _Then(
                uid=file.uid,
                day=london_day(found.at),
                version=found.score.model_version,
                points=found.score.points,
                pd_ppm=found.score.pd_ppm,
                readings=applicant.readings(told),
            )


def _members(ctx: Context, model: Artefact, day: date, of: Any) -> Iterator[_Then]:
    """Everybody with as many months behind them, on that day, as the model reads."""
    length = int(model.name.removeprefix("member_").removesuffix("m"))
    for user in every(ctx, Query("users", order_by=["uid"])):
        uid = str((user.data or {})["uid"])
        seen = months_of(of(uid), day, GRACE_DAYS)
        if len(seen) < length:
            continue
        readings = member.readings(seen, length)
        result = score(model, readings)
        if isinstance(result, Scored):
            yield _Then(uid, day, model.version, result.points, round(result.pd * MILLION), readings)


def _edge(shape: Any, reading: Reading) -> Reading:
    """Another value of the same cell: its lower edge, or one below the lowest."""
    if isinstance(reading, str) or reading is None:
        return reading
    cell = shape.cell(reading)
    if cell is None or not shape.cuts:
        return None if cell is None else 0
    return float(shape.cuts[cell - 1] if cell else shape.cuts[0] - 1)
