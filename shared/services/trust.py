"""Trust: what the platform has seen of people, as candidates for an order by trust."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from shared.domain.affordability import Circle
from shared.domain.calendar import london_day
from shared.domain.commitments import monthly_pence
from shared.domain.groups import Terms
from shared.domain.member_risk import Candidate, earliest_position
from shared.domain.members import Member
from shared.services.context import Context
from shared.services.member_pds import all_of, approved_score, contributions_of, pd_of
from shared.services.reassess import why_stale


def candidates(ctx: Context, uids: Iterable[str], terms: Terms) -> dict[str, Candidate]:
    """Each person with the probability that they stop paying, from their own circles and, if they have been
    approved for a circle as large as this one, from their assessment; and what they owe now. Who has neither
    is neither trusted nor distrusted (`member_risk.RULES.neutral_ppm`)."""
    return {uid: _candidate(ctx, uid, monthly_pence(terms)) for uid in uids}


def earliest_turn(ctx: Context, uid: str, circle: Circle, members: int) -> dict[str, Any]:
    """The earliest turn of a circle like this that is open to a person by their record."""
    found = _candidate(ctx, uid, circle.monthly_pence)
    return {
        "members": members,
        "earliest": earliest_position(found, members),
        "pd_ppm": found.pd_ppm,
        "arrears_pence": found.arrears_pence,
    }


def _candidate(ctx: Context, uid: str, circle_monthly_pence: int) -> Candidate:
    today = london_day(ctx.clock.now())
    memberships = [one.document(Member) for one in all_of(ctx, "members", uid, "-joined_at")]
    score = approved_score(ctx, uid, circle_monthly_pence, partial(why_stale, ctx))
    pd = pd_of(ctx, score, contributions_of(ctx, uid))
    overdue = [debt.left_pence for one in memberships for debt in one.open_debts() if debt.due_date <= today]
    return Candidate(member=uid, pd_ppm=pd.pd_ppm, arrears_pence=sum(overdue))
