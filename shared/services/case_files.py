"""Case files, sealed and opened: a person's assessments, the reviews of them, and their financial health."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time
from typing import Any, Final

from pydantic import TypeAdapter

from shared.domain.assessments import Assessment, Review
from shared.domain.case_files import (
    AssessmentFile,
    HealthFile,
    ReviewFile,
    assessment_ref,
    health_ref,
    review_id,
)
from shared.domain.documents import Document, Ref
from shared.domain.errors import NoSuchThing
from shared.domain.evidence import evidence_ref
from shared.domain.financial_health import HealthTaken
from shared.domain.fraud_files import fraud_ref
from shared.domain.record import record
from shared.domain.retention import expiry
from shared.ports import Query, Sealer
from shared.services.context import Context
from shared.services.paging import every
from shared.services.transact import Loaded, read

_TAKEN: Final = TypeAdapter(list[HealthTaken])

HEALTH_SEALED_AS: Final = "financial_health"


def assessment_sealed_as(id_: str) -> str:
    return f"assessment:{id_}"


def review_sealed_as(id_: str) -> str:
    return f"review:{id_}"


@record
class Case:
    """An assessment with its reviews, opened; and the documents that they were read from."""

    file: AssessmentFile
    review_files: list[ReviewFile]
    assessment: Assessment
    reviews: list[Review]


def file_assessment(sealer: Sealer, assessment: Assessment, reviews: int) -> AssessmentFile:
    text = sealer.seal(assessment.model_dump_json(), assessment_sealed_as(assessment.id))
    return AssessmentFile(
        id=assessment.id,
        uid=assessment.person,
        at=assessment.at,
        sealed=text,
        reviews=reviews,
        expires_at=expiry("assessments", assessment.at),
    )


def file_review(sealer: Sealer, review: Review, uid: str, revision: int = 0) -> ReviewFile:
    id_ = review_id(review.assessment, review.number)
    return ReviewFile(
        id=id_,
        assessment=review.assessment,
        uid=uid,
        state=review.state,
        opened_at=review.opened_at,
        sealed=sealer.seal(review.model_dump_json(), review_sealed_as(id_)),
        expires_at=expiry("reviews", review.opened_at),
        revision=revision,
    )


def file_health(sealer: Sealer, uid: str, taken: Sequence[HealthTaken], revision: int = 0) -> HealthFile:
    text = _TAKEN.dump_json(list(taken)).decode()
    return HealthFile(
        uid=uid,
        sealed=sealer.seal(text, HEALTH_SEALED_AS),
        expires_at=expiry("financial_health", datetime.combine(taken[-1].on, time(), UTC)),
        revision=revision,
    )


def open_assessment(sealer: Sealer, file: AssessmentFile) -> Assessment:
    """Raises Unreadable."""
    return Assessment.model_validate_json(sealer.open(file.sealed, assessment_sealed_as(file.id)))


def open_review(sealer: Sealer, file: ReviewFile) -> Review:
    """Raises Unreadable."""
    return Review.model_validate_json(sealer.open(file.sealed, review_sealed_as(file.id)))


def open_health(sealer: Sealer, file: HealthFile | None) -> list[HealthTaken]:
    """Raises Unreadable."""
    return [] if file is None else _TAKEN.validate_json(sealer.open(file.sealed, HEALTH_SEALED_AS))


def case_in(loaded: Loaded, sealer: Sealer, id_: str) -> Case:
    """The case with all of its reviews. Raises NoSuchThing, and AlsoLoad for what was not loaded yet."""
    file = loaded.find(assessment_ref(id_))
    if file is None:
        raise NoSuchThing(thing="assessment")
    loaded.need(*file.review_refs())
    review_files = [loaded.get(ref) for ref in file.review_refs()]
    reviews = [open_review(sealer, one) for one in review_files]
    return Case(file, review_files, open_assessment(sealer, file), reviews)


def case_of(ctx: Context, id_: str, owner: str | None = None) -> Case:
    """The case, to look at. `owner`: only if it is theirs. Raises NoSuchThing, Erased."""
    file = read(ctx, assessment_ref(id_)).find(assessment_ref(id_))
    if file is None or owner not in {None, file.uid}:
        raise NoSuchThing(thing="assessment")
    loaded = read(ctx, assessment_ref(id_), *file.review_refs())
    return case_in(loaded, ctx.vault.sealer(file.uid), id_)


def require_own(ctx: Context, id_: str, uid: str) -> None:
    """Raises NoSuchThing for what is not there, and for what is somebody else's."""
    file = read(ctx, assessment_ref(id_)).find(assessment_ref(id_))
    if file is None or file.uid != uid:
        raise NoSuchThing(thing="assessment")


def files_of(ctx: Context, uid: str) -> Iterator[Document]:
    """Everything filed on a person: for the end of it."""
    for file in assessments_of(ctx, uid):
        yield file
        yield from (one for one in map(read(ctx, *file.review_refs()).find, file.review_refs()) if one)
    refs: list[Ref[Any]] = [health_ref(uid), fraud_ref(uid), evidence_ref(uid)]
    loaded = read(ctx, *refs)
    yield from (found for ref in refs if (found := loaded.find(ref)) is not None)


def assessments_of(ctx: Context, uid: str) -> Iterator[AssessmentFile]:
    """A person's assessments, the latest first, page by page."""
    query = Query("assessments", where=[("uid", "==", uid)], order_by=["-at"])
    return (one.document(AssessmentFile) for one in every(ctx, query))
