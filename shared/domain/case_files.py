"""Case files: assessments, reviews, financial health as they are stored, sealed with their person's key."""

from __future__ import annotations

from datetime import datetime

from shared.domain.assessments import ReviewState
from shared.domain.documents import Document, Ref
from shared.domain.ids import derived_id


class AssessmentFile(Document):
    """assessments/{id}: one assessment as sealed text. `reviews` counts those that were opened on it."""

    id: str
    uid: str
    at: datetime
    sealed: str
    reviews: int = 0
    expires_at: datetime | None = None

    @property
    def path(self) -> str:
        return assessment_ref(self.id).path

    def review_refs(self) -> list[Ref[ReviewFile]]:
        """Its reviews, oldest first."""
        return [review_ref(review_id(self.id, number)) for number in range(1, self.reviews + 1)]


class ReviewFile(Document):
    """reviews/{id}: a person's look at an assessment. What was said and decided is sealed; `state` and
    `opened_at` stand open for the queue."""

    id: str
    assessment: str
    uid: str
    state: ReviewState
    opened_at: datetime
    sealed: str
    expires_at: datetime | None = None

    @property
    def path(self) -> str:
        return review_ref(self.id).path


class HealthFile(Document):
    """financial_health/{uid}: every result of a person's questionnaires, oldest first, as one sealed text."""

    uid: str
    sealed: str
    expires_at: datetime | None = None

    @property
    def path(self) -> str:
        return health_ref(self.uid).path


def assessment_ref(id_: str) -> Ref[AssessmentFile]:
    return Ref(AssessmentFile, f"assessments/{id_}")


def review_ref(id_: str) -> Ref[ReviewFile]:
    return Ref(ReviewFile, f"reviews/{id_}")


def review_id(assessment: str, number: int) -> str:
    """The `number`-th review of an assessment: who opens it twice meets the same document."""
    return derived_id("rev", assessment, number)


def health_ref(uid: str) -> Ref[HealthFile]:
    return Ref(HealthFile, f"financial_health/{uid}")
