"""Reviews by staff: the queue, one case with all that is known of it, and the decision with its reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shared.domain import assessments
from shared.domain.affordability import Circle
from shared.domain.assessments import Verdict, standing
from shared.domain.case_files import ReviewFile, assessment_ref, review_id, review_ref
from shared.domain.decision import Decision
from shared.domain.errors import NoSuchThing
from shared.domain.permissions import Action
from shared.ports import Query
from shared.services import access_log, evidence
from shared.services.case_files import Case, case_in, case_of, file_review
from shared.services.context import Command, Context, Reader
from shared.services.transact import Loaded, read, transact


def queue(ctx: Context, cursor: str | None, limit: int) -> dict[str, Any]:
    """One page of what waits for a person, the oldest first: ids and moments, nothing of anybody."""
    page = ctx.store.query(
        Query(
            "reviews", where=[("state", "==", "referred")], order_by=["opened_at"], limit=limit, after=cursor
        )
    )
    found = [one.document(ReviewFile) for one in page.documents]
    items = [
        {"id": one.id, "assessment": one.assessment, "opened_at": one.opened_at.isoformat()} for one in found
    ]
    return {"items": items, "next_cursor": page.cursor}


def case(ctx: Context, reader: Reader, id_: str) -> dict[str, Any]:
    """One review with everything that a decision needs; noted, with the reader's reason, before it is shown.

    Raises NoSuchThing, ReasonMissing, Erased.
    """
    file = _review(ctx, id_)
    access_log.record(ctx, reader, Action.READ_ASSESSMENT_REVIEWS, file.uid)
    return _view(ctx, case_of(ctx, file.assessment), id_)


def decide(
    ctx: Context,
    command: Command,
    reader: Reader,
    id_: str,
    *,
    verdict: Verdict,
    reason: str,
    representations_read: int,
    circle: Circle | None = None,
) -> dict[str, Any]:
    """Decide a review. The decision keeps who made it and why; the access log has it beside every look.

    Raises NoSuchThing, ReviewDecided, ReviewerNotIndependent, RepresentationsUnread, ReviewReasonMissing,
    Erased.
    """
    file = _review(ctx, id_)
    noted = replace(reader, reason=f"To decide the review {id_}")
    access_log.record(ctx, noted, Action.DECIDE_ASSESSMENT_REVIEW, file.uid)
    sealer = ctx.vault.sealer(file.uid)

    def decided(loaded: Loaded) -> Decision:
        found = case_in(loaded, sealer, file.assessment)
        at = [one.id for one in found.review_files].index(id_)
        after = assessments.decide_review(
            found.reviews[at],
            found.assessment,
            found.reviews[:at],
            verdict=verdict,
            by=command.actor,
            reason=reason,
            representations_read=representations_read,
            at=ctx.clock.now(),
            circle=circle,
        )
        changed = file_review(sealer, after, file.uid, found.review_files[at].revision)
        return Decision(answer={"review": id_}, changed=[changed])

    transact(ctx, command, [assessment_ref(file.assessment)], decided)
    return _view(ctx, case_of(ctx, file.assessment), id_)


def _review(ctx: Context, id_: str) -> ReviewFile:
    file = read(ctx, review_ref(id_)).find(review_ref(id_))
    if file is None:
        raise NoSuchThing(thing="review")
    return file


def _view(ctx: Context, found: Case, id_: str) -> dict[str, Any]:
    assessment = found.assessment
    return {
        "id": id_,
        "assessment": assessment.id,
        "person": assessment.person,
        "at": assessment.at.isoformat(),
        "outcome": assessment.outcome,
        "standing": standing(assessment, found.reviews),
        "reasons": [one.model_dump(mode="json") for one in assessment.reasons],
        "asked": assessment.application.model_dump(mode="json"),
        "told": assessment.told.model_dump(mode="json") if assessment.told else None,
        "evidence": evidence.for_staff(ctx, assessment.person),
        "affordability": assessment.affordability.model_dump(mode="json"),
        "score": assessment.score.model_dump(mode="json"),
        "fraud": assessment.fraud.model_dump(mode="json"),
        "reviews": [
            one.model_dump(mode="json", exclude={"assessment"}) | {"id": review_id(assessment.id, one.number)}
            for one in found.reviews
        ],
    }
