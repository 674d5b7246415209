"""Assessments: may this person join this circle? The machine approves or refers; only people decline.

What the machine reads: affordability, the score, fraud holds and caps. What it may say is `approve`,
`refer`, or `decline_to_refer`: a recommendation to decline, which is a referral too, as a refusal is never
final by machine (UK GDPR articles 22A to 22D). Each reason says what would mend it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from shared.domain.affordability import (
    NO_GUIDES,
    Affordability,
    AffordabilityCode,
    AffordabilityRules,
    Application,
    Circle,
    SpendingGuide,
    assess_affordability,
    follow_all,
)
from shared.domain.commitments import GROUPS_MAX, MONTHLY_PENCE_MAX
from shared.domain.documents import States, Value
from shared.domain.errors import (
    RepresentationsUnread,
    ReviewDecided,
    ReviewerNotIndependent,
    ReviewNotNeeded,
    ReviewReasonMissing,
    ReviewStillOpen,
)
from shared.domain.financial_statement import Statement
from shared.domain.fraud import FraudCheck, Hold, Severity
from shared.domain.money import pounds
from shared.domain.record import record
from shared.domain.scoring.applicant import MEMBERS_MAX, MONEY_PENCE_MAX, MONTHS_MAX, Repayments

# --- the score, as whoever computes it hands it over --------------------------------------------------------

MILLION: Final = 1_000_000


class ScoreReason(Value):
    """Points lost against the reference applicant in one respect, and what would win them back."""

    code: str
    points_lost: Annotated[int, Field(strict=True, gt=0)]
    sentence: str = ""
    mend: str = ""


class PointScale(Value):
    """How points and probabilities belong together: `base_points` are `base_pd_ppm`, and so many more points
    halve the odds of default. Whole numbers, as it is stored with every score."""

    base_points: Annotated[int, Field(strict=True)]
    base_pd_ppm: Annotated[int, Field(strict=True, gt=0, lt=MILLION)]
    points_to_double_odds_milli: Annotated[int, Field(strict=True, gt=0)]

    def points_at(self, pd_ppm: int) -> int:
        """The fewest points that stand for this probability or a lower one."""
        odds = _logit(pd_ppm) - _logit(self.base_pd_ppm)
        return math.ceil(self.base_points - odds / math.log(2) * self.points_to_double_odds_milli / 1_000)


def _logit(ppm: int) -> float:
    return math.log(ppm / (MILLION - ppm))


class Score(Value):
    """A score that was computed. `reasons` holds every respect in which points were lost, in any order, so
    that points + all that was lost is at least the reference applicant's. No floats: it is stored."""

    points: Annotated[int, Field(strict=True)]
    pd_ppm: Annotated[int, Field(strict=True, ge=0, le=MILLION)]
    """Probability of default, in parts per million."""
    band: str
    scale: PointScale
    reasons: tuple[ScoreReason, ...] = ()
    model_version: str


class NoScore(Value):
    """A score that could not be computed. It counts neither for nor against, and a person looks."""

    cause: str
    model_version: str | None = None


Months = Annotated[int, Field(strict=True, ge=0, le=MONTHS_MAX)]


class Told(Value):
    """What the score reads beside the household's month. `balance_pence`: None without a current account."""

    balance_pence: Annotated[int, Field(strict=True, ge=-MONEY_PENCE_MAX, le=MONEY_PENCE_MAX)] | None
    salary_paid_in_months: Months
    repayments: Repayments
    months_in_work: Months
    has_guarantor: bool
    members: Annotated[int, Field(strict=True, ge=2, le=MEMBERS_MAX)]


# --- the rules ----------------------------------------------------------------------------------------------


@record
class AssessmentRules:
    """The house's own policy; a change is a new version, and assessments keep the one they were made by."""

    version: str = "assessment-2"

    approve_pd_max_ppm: int = 150_000
    """Probability of default, as the model states it, up to which the machine may approve alone: half the
    share of bad loans in the sample that it learnt from (.30). Bad loans were drawn more often than they
    came, so the figure is relative: whatever the true share is, this line stands near half of it."""

    decline_pd_from_ppm: int = 600_000
    """Twice that share: from here on the machine advises the person who decides against. More of them failed
    than paid, at terms that a bank had granted. Between the two a person weighs it, without advice."""

    circles_max: int = GROUPS_MAX
    monthly_max_pence: int = MONTHLY_PENCE_MAX
    """The caps that the commit of every promise holds (commitments.py): one person, all circles."""

    valid_for: timedelta = timedelta(days=180)
    """Half a year: statements and payslips older than that say little about next month."""

    change_percent: int = 10
    """Income that fell or costs that rose by more make an assessment stale."""

    affordability: AffordabilityRules = field(default_factory=AffordabilityRules)

    def version_in_full(self) -> str:
        return f"{self.version}+{self.affordability.version}"


RULES: Final = AssessmentRules()

# --- reasons ------------------------------------------------------------------------------------------------


class Source(StrEnum):
    AFFORDABILITY = "affordability"
    SCORE = "score"
    FRAUD = "fraud"
    CAP = "cap"


class DecisionReason(Value):
    """For the person: a stable code, a sentence, and what mends it (any one of these)."""

    source: Source
    code: str
    sentence: str
    mends: tuple[str, ...]
    advises_decline: bool = False


Outcome = Literal["approve", "refer", "decline_to_refer"]

_ADVISE_DECLINE: Final = frozenset({AffordabilityCode.NOTHING_LEFT_OVER})
"""What borrowing alone could pay for (CONC 5.2A): the other tests are for a person to weigh."""


def _from_affordability(affordability: Affordability) -> Iterable[DecisionReason]:
    for reason in affordability.reasons:
        yield DecisionReason(
            source=Source.AFFORDABILITY,
            code=reason.code,
            sentence=reason.sentence,
            mends=tuple(mend.sentence for mend in reason.mends),
            advises_decline=reason.code in _ADVISE_DECLINE,
        )


_NO_SCORE = DecisionReason(
    source=Source.SCORE,
    code="score_unavailable",
    sentence="We could not compute a score. This does not count against you; a person will look.",
    mends=("You need not do anything.",),
)


def _from_score(
    score: Score | NoScore, once_affordable: Score | NoScore, rules: AssessmentRules
) -> Iterable[DecisionReason]:
    """The fewest respects, largest loss first, that would reach the line if all were mended; so each
    matters: with any one of them left as it is, the line is not reached.

    `once_affordable` is the score with the reasons of affordability mended: more left over is better for the
    score too, and a respect in which that is enough is not named again.
    """
    if isinstance(score, NoScore) or isinstance(once_affordable, NoScore):
        yield _NO_SCORE
        return
    line = score.scale.points_at(rules.approve_pd_max_ppm)
    short = line - once_affordable.points
    if score.points >= line or short <= 0:
        return
    advises_decline = _far_below(score, rules)
    needed: list[ScoreReason] = []
    for reason in _largest(once_affordable.reasons):
        if sum(lost.points_lost for lost in needed) < short:
            needed.append(reason)
    if sum(lost.points_lost for lost in needed) < short:
        yield DecisionReason(
            source=Source.SCORE,
            code="score_below_line",
            sentence=f"Your score is {score.points}; below {line} a person has to look.",
            mends=("Tell us what the score cannot know; a person will read it.",),
            advises_decline=advises_decline,
        )
        return
    for reason in needed:
        yield DecisionReason(
            source=Source.SCORE,
            code=reason.code,
            sentence=reason.sentence or f"This took {reason.points_lost} points off your score.",
            mends=(reason.mend or "Tell us if this has changed, and show it.",),
            advises_decline=advises_decline,
        )


def _far_below(score: Score | NoScore, rules: AssessmentRules) -> bool:
    return isinstance(score, Score) and score.points < score.scale.points_at(rules.decline_pd_from_ppm)


def _from_fraud(check: FraudCheck) -> Iterable[DecisionReason]:
    """One sentence whatever was found: saying more would teach how to get round it."""
    held = Hold.JOINING in check.holds
    if held or any(finding.severity is not Severity.LOW for finding in check.findings):
        yield DecisionReason(
            source=Source.FRAUD,
            code="details_to_check",
            sentence="A person needs to check some of the details that you gave us.",
            mends=("We will write to you if we need anything.",),
            advises_decline=held,
        )


def _from_caps(application: Application, rules: AssessmentRules) -> Iterable[DecisionReason]:
    circles = len(application.commitments) + 1
    monthly_pence = application.circle.monthly_pence + sum(c.monthly_pence for c in application.commitments)
    if circles > rules.circles_max:
        yield DecisionReason(
            source=Source.CAP,
            code="too_many_circles",
            sentence=f"This would be circle number {circles} for you; {rules.circles_max} is the most.",
            mends=("Wait until one of your circles ends.",),
            advises_decline=True,
        )
    elif monthly_pence > rules.monthly_max_pence:
        yield DecisionReason(
            source=Source.CAP,
            code="too_much_in_circles",
            sentence=(
                f"Your circles would come to {pounds(monthly_pence)} a month; "
                f"the most for one person is {pounds(rules.monthly_max_pence)}."
            ),
            mends=("Choose a smaller circle.", "Wait until one of your circles ends."),
            advises_decline=True,
        )


# --- the notice ---------------------------------------------------------------------------------------------

NOTICE_VERSION: Final = "notice-1"

TOLD: Final[Mapping[Outcome, str]] = {
    "approve": (
        "A computer made this decision from your statement, your score and checks of your details. "
        "No person took part in it."
    ),
    "refer": (
        "A computer looked at your statement, your score and checks of your details, and passed your "
        "application to a person, who will decide. Nothing has been refused."
    ),
    "decline_to_refer": (
        "A computer looked at your statement, your score and checks of your details, and advises against. "
        "A person will decide. Nothing has been refused."
    ),
}
"""Article 22C(2)(a): information about the decision. The reasons stand beside it."""

RIGHTS: Final[tuple[str, ...]] = (
    "You can tell us anything that we should take into account. Whoever decides will read it first.",
    "You can ask for a person to look at it, who sees all that we hold about it and can change the decision.",
    "You can contest the decision, also when a person made it. Somebody else will then look at it afresh.",
    "We answer within one month. You can also complain to the Information Commissioner's Office.",
)
"""Article 22C(2)(b) to (d): representations, human intervention, contest; article 12(3): the month."""


class Notice(Value):
    version: str
    told: str
    rights: tuple[str, ...]


# --- the assessment -----------------------------------------------------------------------------------------


class Assessment(Value):
    """What was decided by machine, on what, and why. Never changed: a new look is a new assessment.

    `fraud` is for staff; `for_person` leaves it out.
    """

    id: str
    person: str
    at: AwareDatetime
    expires_at: AwareDatetime
    rules_version: str
    application: Application
    told: Told | None = None
    affordability: Affordability
    score: Score | NoScore
    fraud: FraudCheck
    outcome: Outcome
    reasons: tuple[DecisionReason, ...]
    notice: Notice
    input_hash: str
    """sha256 of all that was decided on: the same input under the same rules gives the same outcome."""


class PersonsView(Value):
    """An assessment as its person sees it."""

    id: str
    at: AwareDatetime
    expires_at: AwareDatetime
    outcome: Outcome
    reasons: tuple[DecisionReason, ...]
    statement: Statement
    told: Told | None
    affordability: Affordability
    score_points: int | None
    approved_from_points: int | None
    """On the same scale: from here on the score is no reason to ask a person."""
    score_reasons: tuple[ScoreReason, ...]
    """What took the most points off, largest loss first, whatever the outcome."""
    notice: Notice


def assess(
    application: Application,
    scored_by: Callable[[Application], Score | NoScore],
    fraud: FraudCheck,
    *,
    assessment_id: str,
    person: str,
    at: AwareDatetime,
    told: Told | None = None,
    rules: AssessmentRules = RULES,
    guides: Sequence[SpendingGuide] = NO_GUIDES,
) -> Assessment:
    """Decide. Never raises on valid input; whatever cannot be judged is referred.

    `scored_by` gives the score of the same person with another month: what mends affordability is seen by
    the score too, so that no reason of the score is given that would be gone by then.
    """
    affordability = assess_affordability(application, rules.affordability, guides)
    score = scored_by(application)
    once_affordable = score if affordability.affordable else scored_by(follow_all(application, affordability))
    reasons = (
        *_from_affordability(affordability),
        *_from_score(score, once_affordable, rules),
        *_from_fraud(fraud),
        *_from_caps(application, rules),
    )
    outcome: Outcome = "approve"
    if reasons:
        against = any(reason.advises_decline for reason in reasons) or _far_below(score, rules)
        outcome = "decline_to_refer" if against else "refer"
    return Assessment(
        id=assessment_id,
        person=person,
        at=at,
        expires_at=at + rules.valid_for,
        rules_version=rules.version_in_full(),
        application=application,
        told=told,
        affordability=affordability,
        score=score,
        fraud=fraud,
        outcome=outcome,
        reasons=reasons,
        notice=Notice(version=NOTICE_VERSION, told=TOLD[outcome], rights=RIGHTS),
        input_hash=_hash(application, score, fraud, *([told] if told else [])),
    )


def _hash(*inputs: Value) -> str:
    """Field order is the classes' own and no field is a float, so equal inputs have equal JSON."""
    digest = hashlib.sha256()
    for value in inputs:
        digest.update(value.model_dump_json().encode())
    return digest.hexdigest()


SHOWN_MAX: Final = 4
"""The four largest losses say why; more would bury them."""


def _largest(reasons: Iterable[ScoreReason]) -> tuple[ScoreReason, ...]:
    return tuple(sorted(reasons, key=lambda reason: (-reason.points_lost, reason.code)))


def for_person(assessment: Assessment, rules: AssessmentRules = RULES) -> PersonsView:
    score = assessment.score if isinstance(assessment.score, Score) else None
    return PersonsView(
        id=assessment.id,
        at=assessment.at,
        expires_at=assessment.expires_at,
        outcome=assessment.outcome,
        reasons=assessment.reasons,
        statement=assessment.application.statement,
        told=assessment.told,
        affordability=assessment.affordability,
        score_points=score.points if score else None,
        approved_from_points=score.scale.points_at(rules.approve_pd_max_ppm) if score else None,
        score_reasons=_largest(score.reasons)[:SHOWN_MAX] if score else (),
        notice=assessment.notice,
    )


# --- review by people ---------------------------------------------------------------------------------------

ReviewState = Literal["referred", "approved", "declined"]
Verdict = Literal["approved", "declined"]

REVIEW: Final = States("review", {"referred": "approved declined", "approved": "", "declined": ""})

REASON_LETTERS_MIN: Final = 20
"""'ok' is no reason: the person who asks why is owed a sentence."""


class Representation(Value):
    """What the person wants taken into account, in their own words."""

    at: AwareDatetime
    text: Annotated[str, Field(min_length=1, max_length=5_000)]


class HumanDecision(Value):
    """`overrides`: it goes against what the machine advised. `circle`: what is approved, if smaller."""

    verdict: Verdict
    by: str
    at: AwareDatetime
    reason: str
    overrides: bool
    circle: Circle | None = None


class Review(Value):
    """One person's look at one assessment; a contest is the next review, by somebody else."""

    assessment: str
    number: int
    because: Literal["referred", "asked", "contested"]
    opened_at: AwareDatetime
    state: ReviewState = "referred"
    representations: tuple[Representation, ...] = ()
    decision: HumanDecision | None = None


def open_review(
    assessment: Assessment, earlier: Sequence[Review], at: AwareDatetime, *, asked_by_person: bool = True
) -> Review:
    """The next review: of a referral by itself, of anything when its person asks.

    Raises ReviewStillOpen while one is undecided, ReviewNotNeeded for an approval nobody asks about.
    """
    if earlier and earlier[-1].state == "referred":
        raise ReviewStillOpen()
    if not asked_by_person and (assessment.outcome == "approve" or earlier):
        raise ReviewNotNeeded()
    because: Literal["referred", "asked", "contested"] = "asked" if asked_by_person else "referred"
    return Review(
        assessment=assessment.id,
        number=len(earlier) + 1,
        because="contested" if earlier else because,
        opened_at=at,
    )


def represent(review: Review, text: str, at: AwareDatetime) -> Review:
    """Add what the person says. Raises ReviewDecided: then it is for a contest."""
    if review.state != "referred":
        raise ReviewDecided(state=review.state)
    said = Representation(at=at, text=text)
    return review.with_(representations=(*review.representations, said))


def decide_review(
    review: Review,
    assessment: Assessment,
    earlier: Sequence[Review],
    *,
    verdict: Verdict,
    by: str,
    reason: str,
    representations_read: int,
    at: AwareDatetime,
    circle: Circle | None = None,
) -> Review:
    """A person's decision, either way, with their reason.

    `representations_read` is how many the reviewer had before them: what came in meanwhile is read first.
    Raises ReviewDecided, ReviewerNotIndependent (their own, or a contest of their own decision),
    RepresentationsUnread, ReviewReasonMissing.
    """
    if review.state != "referred":
        raise ReviewDecided(state=review.state)
    deciders = {past.decision.by for past in earlier if past.decision}
    if by == assessment.person or by in deciders:
        raise ReviewerNotIndependent()
    if representations_read != len(review.representations):
        raise RepresentationsUnread(unread=len(review.representations) - representations_read)
    if len(reason.strip()) < REASON_LETTERS_MIN:
        raise ReviewReasonMissing(field="reason", letters=REASON_LETTERS_MIN)
    advised: Verdict = "approved" if assessment.outcome == "approve" else "declined"
    undecided = assessment.outcome == "refer"
    asked = assessment.application.circle
    REVIEW.check(review.state, verdict)
    return review.with_(
        state=verdict,
        decision=HumanDecision(
            verdict=verdict,
            by=by,
            at=at,
            reason=reason.strip(),
            overrides=not undecided and verdict != advised,
            circle=min(circle or asked, asked, key=lambda c: c.monthly_pence)
            if verdict == "approved"
            else None,
        ),
    )


def standing(assessment: Assessment, reviews: Sequence[Review]) -> ReviewState:
    """Where it stands now: by the last person who decided, else by the machine, which never declines."""
    for review in reversed(reviews):
        if review.decision:
            return review.decision.verdict
    return "approved" if assessment.outcome == "approve" else "referred"


# --- re-assessment ------------------------------------------------------------------------------------------


class Trigger(StrEnum):
    EXPIRED = "expired"
    INCOME_FELL = "income_fell"
    COSTS_ROSE = "costs_rose"
    MORE_IN_CIRCLES = "more_in_circles"
    MISSED_CONTRIBUTION = "missed_contribution"
    HARDSHIP = "hardship"
    FRAUD_HOLD = "fraud_hold"
    IDENTITY_CHANGED = "identity_changed"
    MODEL_WITHDRAWN = "model_withdrawn"
    RULES_CHANGED = "rules_changed"
    EVIDENCE_ENDED = "evidence_ended"


STALE: Final[Mapping[Trigger, str]] = {
    Trigger.EXPIRED: "It is older than half a year.",
    Trigger.INCOME_FELL: "You told us since that less comes in.",
    Trigger.COSTS_ROSE: "You told us since that more goes out.",
    Trigger.MORE_IN_CIRCLES: "You have promised more to circles since.",
    Trigger.MISSED_CONTRIBUTION: "A contribution was missed since.",
    Trigger.HARDSHIP: "You asked for time in a circle.",
    Trigger.FRAUD_HOLD: "A person needs to check some of the details that you gave us.",
    Trigger.IDENTITY_CHANGED: "Your identity was checked anew since.",
    Trigger.MODEL_WITHDRAWN: "The model that scored it is no longer in use.",
    Trigger.RULES_CHANGED: "Our rules have changed since.",
    Trigger.EVIDENCE_ENDED: "What you showed us of your month has expired, or no longer bears it out.",
}
"""Why an assessment no longer holds, for its person; a new one takes its place when they ask for it."""


class Since(Value):
    """What is known now that may not have been when the assessment was made. None: nothing newer."""

    at: AwareDatetime
    income_pence: int | None = None
    outgoings_pence: int | None = None
    in_circles_pence: int | None = None
    """A month in all circles, the one now asked for included."""
    missed_contributions: int = 0
    hardship: bool = False
    fraud_hold: bool = False
    identity_changed: bool = False
    evidence_ended: bool = False
    withdrawn_models: frozenset[str] = frozenset()


def stale(assessment: Assessment, since: Since, rules: AssessmentRules = RULES) -> tuple[Trigger, ...]:
    """Why the assessment no longer holds; empty while it does. A person's approval goes stale likewise."""
    was = assessment.affordability
    outgoings = was.income_pence - was.surplus_pence
    kept, allowed = 100 - rules.change_percent, 100 + rules.change_percent
    fell = since.income_pence is not None and since.income_pence * 100 < was.income_pence * kept
    rose = since.outgoings_pence is not None and since.outgoings_pence * 100 > outgoings * allowed
    more = (
        since.in_circles_pence is not None
        and since.in_circles_pence > was.committed_pence + was.instalment_pence
    )
    met: Mapping[Trigger, bool] = {
        Trigger.EXPIRED: since.at >= assessment.expires_at,
        Trigger.INCOME_FELL: fell,
        Trigger.COSTS_ROSE: rose,
        Trigger.MORE_IN_CIRCLES: more,
        Trigger.MISSED_CONTRIBUTION: since.missed_contributions > 0,
        Trigger.HARDSHIP: since.hardship,
        Trigger.FRAUD_HOLD: since.fraud_hold,
        Trigger.IDENTITY_CHANGED: since.identity_changed,
        Trigger.MODEL_WITHDRAWN: assessment.score.model_version in since.withdrawn_models,
        Trigger.RULES_CHANGED: assessment.rules_version != rules.version_in_full(),
        Trigger.EVIDENCE_ENDED: since.evidence_ended,
    }
    return tuple(trigger for trigger, is_met in met.items() if is_met)
