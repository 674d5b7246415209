"""Read one's own assessments: every reason and figure, the reviews, and where it stands."""

from __future__ import annotations

from typing import Any

from shared.domain.assessments import Review, for_person, standing
from shared.domain.case_files import AssessmentFile
from shared.ports import Query
from shared.services import reassess
from shared.services.case_files import Case, case_of
from shared.services.context import Context


def own(ctx: Context, uid: str, id_: str) -> dict[str, Any]:
    """One assessment of one's own. Raises NoSuchThing, Erased."""
    case = case_of(ctx, id_, uid)
    triggers = reassess.why_stale(ctx, case.assessment)
    return view(case) | {
        "stale": reassess.told(triggers),
        "in_force": not triggers and standing(case.assessment, case.reviews) == "approved",
    }


def own_page(ctx: Context, uid: str, cursor: str | None, limit: int) -> dict[str, Any]:
    """One page of one's assessments, the latest first. Raises Erased."""
    page = ctx.store.query(
        Query("assessments", where=[("uid", "==", uid)], order_by=["-at"], limit=limit, after=cursor)
    )
    files = [one.document(AssessmentFile) for one in page.documents]
    return {"items": [_line(case_of(ctx, file.id, uid)) for file in files], "next_cursor": page.cursor}


def _line(case: Case) -> dict[str, Any]:
    assessment = case.assessment
    return {
        "id": assessment.id,
        "at": assessment.at.isoformat(),
        "expires_at": assessment.expires_at.isoformat(),
        "circle": assessment.application.circle.model_dump(mode="json"),
        "outcome": assessment.outcome,
        "standing": standing(assessment, case.reviews),
    }


def view(case: Case) -> dict[str, Any]:
    """As its person sees it: fraud findings and who decided are left out."""
    return for_person(case.assessment).model_dump(mode="json") | {
        "circle": case.assessment.application.circle.model_dump(mode="json"),
        "standing": standing(case.assessment, case.reviews),
        "reviews": [review_view(review) for review in case.reviews],
    }


def review_view(review: Review) -> dict[str, Any]:
    """A review without the name of who decided it: the house answers, not its clerk."""
    return review.model_dump(mode="json", exclude={"assessment": True, "decision": {"by", "overrides"}})
