"""The portfolio for staff: what all running circles stand to lose, by band and by circle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.domain.assessments import NoScore, Score
from shared.domain.calendar import london_day
from shared.domain.contributions import Contribution
from shared.domain.errors import Erased
from shared.domain.groups import Group
from shared.domain.member_risk import Holding, member_pd, portfolio
from shared.domain.members import Member
from shared.domain.permissions import Action
from shared.domain.standing import history
from shared.ports import Query
from shared.services import access_log
from shared.services.case_files import assessments_of, open_assessment
from shared.services.context import Context, Reader

RUNNING = ("locked", "active")


def of_all(ctx: Context, reader: Reader) -> dict[str, Any]:
    """Exposure and expected loss of every seat. Raises ReasonMissing."""
    access_log.record(ctx, reader, Action.READ_PORTFOLIO, "portfolio")
    scores: dict[str, Score | NoScore | None] = {}
    holdings: list[Holding] = []
    for state in RUNNING:
        for data in _all(ctx, Query("groups", where=[("state", "==", state)])):
            holdings += _holdings(ctx, Group.model_validate(data), scores)
    return portfolio(holdings).model_dump(mode="json")


def _holdings(ctx: Context, group: Group, scores: dict[str, Score | NoScore | None]) -> Iterator[Holding]:
    """Each place of a circle: what its holder still owes once the pot was theirs, and what they owe now."""
    today = london_day(ctx.clock.now())
    done = sum(1 for cycle in group.schedule if cycle.closed)
    asked = [Contribution.model_validate(one) for one in _all(ctx, Query(f"groups/{group.id}/contributions"))]
    for data in _all(ctx, Query(f"groups/{group.id}/members")):
        member = Member.model_validate(data)
        seat = group.seat(member.uid)
        to_come = 0
        if seat is not None and seat.position is not None and member.state in {"agreed", "active"}:
            to_come = len(group.schedule) - max(done, seat.position)
        if member.uid not in scores:
            scores[member.uid] = _latest_score(ctx, member.uid)
        score = scores[member.uid]
        own = [one for one in asked if one.uid == member.uid]
        yield Holding(
            group=group.id,
            member=member.uid,
            band=score.band if isinstance(score, Score) else None,
            pd_ppm=member_pd(score, history(own, today, group.terms.grace_days)).pd_ppm,
            exposure_pence=group.terms.amount_pence * to_come + member.owes_pence(),
        )


def _latest_score(ctx: Context, uid: str) -> Score | NoScore | None:
    latest = next(assessments_of(ctx, uid), None)
    if latest is None:
        return None
    try:
        return open_assessment(ctx.vault.sealer(uid), latest).score
    except Erased:
        return None


def _all(ctx: Context, query: Query) -> Iterator[dict[str, Any]]:
    cursor: str | None = None
    while True:
        page = ctx.store.query(
            Query(query.collection, where=query.where, order_by=query.order_by, after=cursor)
        )
        yield from (dict(one.data or {}) for one in page.documents)
        cursor = page.cursor
        if cursor is None:
            return
