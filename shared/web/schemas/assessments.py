"""Assessments: what is told for one, what came of it, its reviews, and financial health."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from shared.domain.affordability import OFFERS, Affordability, Circle, CircleFrequency, Commitment
from shared.domain.assessments import (
    DecisionReason,
    HumanDecision,
    NoScore,
    Notice,
    Outcome,
    Representation,
    ReviewState,
    Score,
    ScoreReason,
    Told,
    Trigger,
    Verdict,
)
from shared.domain.documents import Day
from shared.domain.evidence import About, DocumentKind
from shared.domain.financial_health import Answers, FinancialHealth, Pillar, QuestionId, Trend
from shared.domain.financial_statement import MONTHLY_PENCE_MAX, Evidence, Statement
from shared.domain.fraud import FraudCheck, FraudCode, Hold, Severity
from shared.domain.fraud_files import FindingState, FindingVerdict
from shared.domain.groups import SIZE_MAX, SIZE_MIN
from shared.domain.member_risk import Line, ReserveAdvice
from shared.domain.money import AMOUNTS_PENCE
from shared.web.schemas.common import Answer, Id, Input, Page
from shared.web.schemas.talk import Text

# --- what is told -------------------------------------------------------------------------------------------


class HouseholdMonth(Statement):
    """A household's month, in whole pence, in the form of the Standard Financial Statement."""


def _on_their_word(month: HouseholdMonth) -> HouseholdMonth:
    """Evidence is for us to establish: who could claim it would be believed unseen."""
    claimed = {month.income_evidence, month.costs_evidence, month.savings_evidence}
    if claimed != {Evidence.STATED}:
        raise ValueError("leave evidence out: a person here looks at what you can show")
    return month


class NewCalculation(Input):
    """A month and a circle. Evidence may be assumed here: nothing rests on it."""

    statement: HouseholdMonth
    circle: Circle


class NewApplicant(Told, Input):
    """What the score reads beside the month. `balance_pence` is null without a current account."""


class NewAssessment(Input):
    """Without `applicant` no score is computed, which counts neither for nor against; a person looks."""

    statement: Annotated[HouseholdMonth, AfterValidator(_on_their_word)]
    circle: Circle
    applicant: NewApplicant | None = None


class NewReview(Input):
    """What whoever looks should know; it can also be told later."""

    text: Text | None = None


class NewRepresentation(Input):
    """What should be taken into account."""

    text: Text


REASON_LETTERS_MAX: Final = 2_000


class ReviewDecision(Input):
    """A person's decision. `representations_read`: how many were on the screen; `circle`: a smaller one."""

    verdict: Verdict
    reason: Annotated[str, Field(max_length=REASON_LETTERS_MAX), AfterValidator(str.strip)]
    representations_read: Annotated[int, Field(ge=0, le=1_000)]
    circle: Circle | None = None


def _offered(amount_pence: int) -> int:
    """A query string has no numbers for a `Literal` to be held against."""
    if amount_pence not in AMOUNTS_PENCE:
        raise ValueError(f"one of {', '.join(map(str, AMOUNTS_PENCE))}")
    return amount_pence


class TurnQuestion(Input):
    """A circle that is to be ordered by trust."""

    amount_pence: Annotated[int, AfterValidator(_offered)]
    frequency: CircleFrequency
    members: Annotated[int, Field(ge=SIZE_MIN, le=SIZE_MAX)]

    @property
    def circle(self) -> Circle:
        return next(
            one for one in OFFERS if (one.amount_pence, one.frequency) == (self.amount_pence, self.frequency)
        )


class NewEvidence(Input):
    """What was seen. `shown_pence`: a month; of savings, in all. With `nothing`, what stood before counts no
    more."""

    about: About
    document: DocumentKind
    shown_pence: Annotated[int, Field(ge=0, le=12 * MONTHLY_PENCE_MAX)]


class FindingDecision(Input):
    """An answer to a finding, by its number in the file."""

    finding: Annotated[int, Field(ge=1, le=1_000)]
    verdict: FindingVerdict
    reason: Annotated[str, Field(max_length=REASON_LETTERS_MAX), AfterValidator(str.strip)]


class NewHealthAnswers(Answers, Input):
    """One choice per question, 0 the worst option to 3 the best; all twelve."""


# --- what came of it ----------------------------------------------------------------------------------------


class Calculation(Answer):
    """Whether a circle can be carried, and the largest that can. Nothing of it is kept."""

    affordable: bool
    largest_weekly: Circle | None
    largest_monthly: Circle | None
    affordability: Affordability


class OwnDecision(Answer):
    """What a person decided, and why. `circle`: what was approved."""

    verdict: Verdict
    at: datetime
    reason: str
    circle: Circle | None


class OwnReview(Answer):
    """A person's look at one's assessment; a contest is the next one, by somebody else."""

    number: int
    because: Literal["referred", "asked", "contested"]
    opened_at: datetime
    state: ReviewState
    representations: list[Representation]
    decision: OwnDecision | None


class AssessmentLine(Answer):
    """An assessment in one line."""

    id: Id
    at: datetime
    expires_at: datetime
    circle: Circle
    outcome: Outcome
    standing: ReviewState


class AssessmentPage(Page[AssessmentLine]):
    """One's assessments, the latest first."""


class WhyStale(Answer):
    """What has happened since, so that an assessment no longer holds: ask for a new one."""

    code: Trigger
    sentence: str


class OwnAssessment(Answer):
    """One's assessment: what the machine said, every reason with what mends it, and where it stands now.
    `in_force`: it is approved, and nothing has happened since that it does not know of."""

    id: Id
    at: datetime
    expires_at: datetime
    circle: Circle
    outcome: Outcome
    standing: ReviewState
    reasons: list[DecisionReason]
    statement: HouseholdMonth
    told: Told | None
    affordability: Affordability
    score_points: int | None
    approved_from_points: int | None
    score_reasons: list[ScoreReason]
    notice: Notice
    reviews: list[OwnReview]
    in_force: bool
    stale: list[WhyStale]


# --- for staff ----------------------------------------------------------------------------------------------


class QueuedReview(Answer):
    """A review that waits for a person."""

    id: Id
    assessment: Id
    opened_at: datetime


class ReviewQueue(Page[QueuedReview]):
    """What waits for a person, the oldest first."""


class EvidenceLine(Answer):
    """What was seen, and what it is worth. `counts`: it is the latest of its kind and has not expired."""

    about: About
    document: DocumentKind
    shown_pence: int
    seen_at: datetime
    level: Evidence
    expires_at: datetime
    counts: bool


class OwnEvidence(Answer):
    """What is on file of what one has shown, oldest first."""

    items: list[EvidenceLine]


class StaffEvidenceLine(EvidenceLine):
    """The same with who saw it."""

    seen_by: str


class StaffEvidence(Answer):
    """What was seen of a person, by whom, oldest first."""

    items: list[StaffEvidenceLine]


class StaleLine(Answer):
    """An approval that no longer holds, and why."""

    assessment: Id
    person: Id
    at: datetime
    because: list[Trigger]


class StaleAssessments(Page[StaleLine]):
    """Approvals that no longer hold, the oldest first. A page may hold fewer than its limit."""


class StaffReview(Answer):
    """A review as staff see it."""

    id: Id
    number: int
    because: Literal["referred", "asked", "contested"]
    opened_at: datetime
    state: ReviewState
    representations: list[Representation]
    decision: HumanDecision | None


class AskedFor(Answer):
    """What the assessment was made on."""

    statement: HouseholdMonth
    circle: Circle
    commitments: list[Commitment]


class ReviewCase(Answer):
    """Everything that a decision needs."""

    id: Id
    assessment: Id
    person: Id
    at: datetime
    outcome: Outcome
    standing: ReviewState
    reasons: list[DecisionReason]
    asked: AskedFor
    told: Told | None
    evidence: list[StaffEvidenceLine]
    affordability: Affordability
    score: Score | NoScore
    fraud: FraudCheck
    reviews: list[StaffReview]


class PortfolioView(Answer):
    """What all running circles stand to lose. Probabilities are in parts per million."""

    total: Line
    by_band: list[Line]
    riskiest_groups: list[Line]
    without_score: int


class SeatRiskView(Answer):
    """One seat. `earliest_turn`: the first that the record of its holder opens, and whether theirs is."""

    member: Id
    position: int | None
    pd_ppm: int
    basis: Literal["model", "history", "neutral_and_history"]
    band: str | None
    exposure_pence: int
    expected_loss_pence: int
    arrears_pence: int
    earliest_turn: int | None
    is_open: bool | None


class CircleRiskView(Answer):
    """What one circle stands to lose, and the reserve that covers it with the stated confidence."""

    group: Id
    seats: list[SeatRiskView]
    exposure_pence: int
    expected_loss_pence: int
    kept_per_payout_pence: int
    advice: ReserveAdvice


class HeldPerson(Answer):
    """A person of whom findings wait for staff."""

    person: Id
    waits_since: datetime | None
    open: int


class FraudQueue(Page[HeldPerson]):
    """Whose findings wait, the oldest first."""


class FindingView(Answer):
    """What a rule found, and what staff made of it. `others`: people, by id; `about`: circles or accounts."""

    number: int
    code: FraudCode
    severity: Severity
    sentence: str
    holds: list[Hold]
    until: datetime | None
    others: list[str]
    about: list[str]
    found_at: datetime
    state: FindingState
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None


class FraudFileView(Answer):
    """What was ever found of a person; and what is held up now, by what has not been lifted."""

    person: Id
    holds: list[Hold]
    points: int
    findings: list[FindingView]


class EarliestTurn(Answer):
    """From which turn on one's record is enough. `pd_ppm`: the probability that it rests on, per million."""

    members: int
    earliest: int
    pd_ppm: int
    arrears_pence: int


# --- financial health ---------------------------------------------------------------------------------------


class HealthQuestion(Answer):
    """A question and its four options, from worst to best."""

    id: QuestionId
    pillar: Pillar
    text: str
    options: list[str]


class HealthQuestions(Answer):
    """The questionnaire of today."""

    version: str
    questions: list[HealthQuestion]


class HealthResult(Answer):
    """One result and its day."""

    on: Day
    health: FinancialHealth


class HealthHistory(Answer):
    """Every result, oldest first, and how things moved. No credit decision reads it."""

    results: list[HealthResult]
    trend: Trend | None
