"""Trust: what the platform has seen of people, as candidates for an order by trust."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from shared.domain.calendar import london_day
from shared.domain.contributions import Contribution
from shared.domain.member_risk import Candidate, member_pd
from shared.domain.members import Member
from shared.domain.standing import history
from shared.ports import Query
from shared.services.context import Context

GRACE_DAYS = 2
"""What every agreement gives (domain `Terms.grace_days`); circles of one person may not differ in it here."""


def candidates(ctx: Context, uids: Iterable[str]) -> dict[str, Candidate]:
    """Each person with the probability that they stop paying, from their own circles of the last year, and
    what they owe now. Who has none is neither trusted nor distrusted (`member_risk.RULES.neutral_ppm`)."""
    return {uid: _candidate(ctx, uid) for uid in uids}


def _candidate(ctx: Context, uid: str) -> Candidate:
    today = london_day(ctx.clock.now())
    paid = [Contribution.model_validate(one) for one in _all(ctx, "contributions", uid, "due_date")]
    memberships = [Member.model_validate(one) for one in _all(ctx, "members", uid, "-joined_at")]
    pd = member_pd(None, history(paid, today, GRACE_DAYS))
    overdue = [debt.left_pence for one in memberships for debt in one.open_debts() if debt.due_date <= today]
    return Candidate(member=uid, pd_ppm=pd.pd_ppm, arrears_pence=sum(overdue))


def _all(ctx: Context, collection: str, uid: str, order: str) -> Iterator[dict[str, Any]]:
    """Everything of one person in all circles, page by page."""
    cursor: str | None = None
    while True:
        page = ctx.store.query(
            Query(collection, [("uid", "==", uid)], [order], limit=200, after=cursor, group=True)
        )
        yield from (dict(one.data or {}) for one in page.documents)
        cursor = page.cursor
        if cursor is None:
            return
