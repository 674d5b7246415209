"""The probability that a member stops paying: by the member models, the applicant score and their history."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from shared.domain.assessments import Assessment, NoScore, Score, Trigger, standing
from shared.domain.calendar import london_day
from shared.domain.case_files import AssessmentFile
from shared.domain.contributions import Contribution
from shared.domain.errors import Erased
from shared.domain.member_risk import MemberPd, member_pd
from shared.domain.scoring.artefact import ArtefactRefused
from shared.domain.scoring.assessed import assessed
from shared.domain.scoring.member import score_member
from shared.domain.standing import history, months
from shared.domain.withdrawn_models import in_service
from shared.ports import Query, Snapshot
from shared.services.case_files import assessments_of, case_of
from shared.services.context import Context
from shared.services.paging import every
from shared.services.withdrawn_models import withdrawn

GRACE_DAYS: Final = 2
"""What every agreement gives (domain `Terms.grace_days`); circles of one person may not differ in it here."""

LOOKED_AT_MAX: Final = 5
"""Assessments of one person that are opened in search of one in force: older ones have expired or been
overtaken."""


def pd_of(ctx: Context, applicant: Score | NoScore | None, contributions: Sequence[Contribution]) -> MemberPd:
    """From all contributions of one person, in whatever circles."""
    today, out_of_service = london_day(ctx.clock.now()), withdrawn(ctx)
    try:
        scored = assessed(score_member(months(contributions, today, GRACE_DAYS)))
        model = in_service(scored, out_of_service)
    except ArtefactRefused:
        model = None
    applicant = in_service(applicant, out_of_service) if applicant else None
    return member_pd(applicant, history(contributions, today, GRACE_DAYS), model)


def contributions_of(ctx: Context, uid: str) -> list[Contribution]:
    return [one.document(Contribution) for one in all_of(ctx, "contributions", uid, "due_date")]


def latest_score(ctx: Context, uid: str) -> Score | NoScore | None:
    """For staff: what the latest assessment came to, whatever it was told."""
    found = next(_opened(ctx, uid), None)
    return found[0].score if found else None


def approved_score(
    ctx: Context, uid: str, monthly_pence: int, why_stale: Callable[[Assessment], Sequence[Trigger]]
) -> Score | NoScore | None:
    """The score of an assessment in force that approves a circle of at least this size: what one says of
    oneself opens no early turn of a circle that nobody has looked at."""
    for assessment, approved_pence in _opened(ctx, uid):
        if approved_pence >= monthly_pence and not why_stale(assessment):
            return assessment.score
    return None


def _opened(ctx: Context, uid: str) -> Iterator[tuple[Assessment, int]]:
    """A person's latest assessments, and what each approves a month: nothing unless it stands approved."""
    for file, _ in zip(assessments_of(ctx, uid), range(LOOKED_AT_MAX), strict=False):
        found = _open(ctx, file)
        if found is not None:
            yield found


def _open(ctx: Context, file: AssessmentFile) -> tuple[Assessment, int] | None:
    try:
        case = case_of(ctx, file.id)
    except Erased:
        return None
    approved = standing(case.assessment, case.reviews) == "approved"
    decided = next((one.decision for one in reversed(case.reviews) if one.decision), None)
    circle = decided.circle if decided and decided.circle else case.assessment.application.circle
    return case.assessment, circle.monthly_pence if approved else 0


def all_of(ctx: Context, collection: str, uid: str, order: str) -> Iterator[Snapshot]:
    """Everything of one person in all circles, page by page."""
    return every(ctx, Query(collection, [("uid", "==", uid)], [order], limit=200, group=True))
