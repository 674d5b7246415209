"""Assessments: what one can afford, what a circle asks for, a person to appeal to, and financial health."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shared.domain.errors import (
    AccountClosed,
    CreditConsentMissing,
    Erased,
    FindingDecided,
    NoSuchThing,
    NotAllowed,
    ReasonMissing,
    RepresentationsUnread,
    ReviewDecided,
    ReviewerNotIndependent,
    ReviewNotNeeded,
    ReviewReasonMissing,
    ReviewStillOpen,
)
from shared.domain.permissions import Action
from shared.web.paging import page
from shared.web.routing import Call, Route
from shared.web.schemas.assessments import (
    AssessmentPage,
    Calculation,
    CircleRiskView,
    EarliestTurn,
    FindingDecision,
    FraudFileView,
    FraudQueue,
    HealthHistory,
    HealthQuestions,
    NewAssessment,
    NewCalculation,
    NewEvidence,
    NewHealthAnswers,
    NewRepresentation,
    NewReview,
    OwnAssessment,
    OwnEvidence,
    PortfolioView,
    ReviewCase,
    ReviewDecision,
    ReviewQueue,
    StaffEvidence,
    StaleAssessments,
    TurnQuestion,
)
from shared.web.schemas.common import Nothing, PageRequest


def calculate_affordability(call: Call[NewCalculation]) -> dict[str, Any]:
    from shared.services import calculate_affordability

    return calculate_affordability.calculate(call.ctx, call.uid, call.input.statement, call.input.circle)


def submit_assessment(call: Call[NewAssessment]) -> dict[str, Any]:
    from shared.services import submit_assessment

    given = call.input
    return submit_assessment.submit(call.ctx, call.command, given.statement, given.circle, given.applicant)


def list_assessments(call: Call[PageRequest]) -> Mapping[str, Any]:
    from shared.services import read_assessment

    return page(call.input, lambda cursor, limit: read_assessment.own_page(call.ctx, call.uid, cursor, limit))


def read_assessment(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import read_assessment

    return read_assessment.own(call.ctx, call.uid, call.path["assessment"])


def request_assessment_review(call: Call[NewReview]) -> dict[str, Any]:
    from shared.services import request_review

    return request_review.request(call.ctx, call.command, call.path["assessment"], call.input.text)


def add_representation(call: Call[NewRepresentation]) -> dict[str, Any]:
    from shared.services import request_review

    return request_review.represent(call.ctx, call.command, call.path["assessment"], call.input.text)


def list_assessment_reviews(call: Call[PageRequest]) -> Mapping[str, Any]:
    from shared.services import decide_review

    return page(call.input, lambda cursor, limit: decide_review.queue(call.ctx, cursor, limit))


def read_assessment_review(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import decide_review

    return decide_review.case(call.ctx, call.reader, call.path["review"])


def decide_assessment_review(call: Call[ReviewDecision]) -> dict[str, Any]:
    from shared.services import decide_review

    given = call.input
    return decide_review.decide(
        call.ctx,
        call.command,
        call.reader,
        call.path["review"],
        verdict=given.verdict,
        reason=given.reason,
        representations_read=given.representations_read,
        circle=given.circle,
    )


def read_portfolio(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import read_portfolio

    return read_portfolio.of_all(call.ctx, call.reader)


def read_circle_risk(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import read_portfolio

    return read_portfolio.of_one(call.ctx, call.reader, call.path["circle"])


def read_earliest_turn(call: Call[TurnQuestion]) -> dict[str, Any]:
    from shared.services import trust

    return trust.earliest_turn(call.ctx, call.uid, call.input.circle, call.input.members)


def record_evidence(call: Call[NewEvidence]) -> dict[str, Any]:
    from shared.services import evidence

    given, person = call.input, call.path["person"]
    return evidence.record(
        call.ctx, call.command, call.reader, person, given.about, given.document, given.shown_pence
    )


def read_own_evidence(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import evidence

    return evidence.own(call.ctx, call.uid)


def list_stale_assessments(call: Call[PageRequest]) -> Mapping[str, Any]:
    from shared.services import reassess

    return page(call.input, lambda cursor, limit: reassess.to_look_at(call.ctx, call.reader, cursor, limit))


def list_fraud_findings(call: Call[PageRequest]) -> Mapping[str, Any]:
    from shared.services import fraud_holds

    return page(call.input, lambda cursor, limit: fraud_holds.queue(call.ctx, cursor, limit))


def read_fraud_findings(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import fraud_holds

    return fraud_holds.of_person(call.ctx, call.reader, call.path["person"])


def decide_fraud_finding(call: Call[FindingDecision]) -> dict[str, Any]:
    from shared.services import fraud_holds

    given = call.input
    return fraud_holds.decide(
        call.ctx,
        call.command,
        call.reader,
        call.path["person"],
        given.finding,
        given.verdict,
        given.reason,
    )


def read_health_questions(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import financial_health

    return financial_health.questions()


def answer_financial_health(call: Call[NewHealthAnswers]) -> dict[str, Any]:
    from shared.domain.financial_health import Answers
    from shared.services import financial_health

    return financial_health.answer(call.ctx, call.command, Answers(choices=call.input.choices))


def read_financial_health(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import financial_health

    return financial_health.history(call.ctx, call.uid)


ROUTES: Final[tuple[Route[Any], ...]] = (
    Route(
        "POST",
        "/v1/assessments/affordability",
        Action.CALCULATE_AFFORDABILITY,
        "Work out which circle a household can carry; nothing is kept",
        takes=NewCalculation,
        answer=Calculation,
        handler=calculate_affordability,
    ),
    Route(
        "POST",
        "/v1/assessments",
        Action.SUBMIT_OWN_ASSESSMENT,
        "Be assessed for a circle: approved, or passed to a person with reasons",
        takes=NewAssessment,
        answer=OwnAssessment,
        handler=submit_assessment,
        status=201,
        refuses=(NoSuchThing, AccountClosed, CreditConsentMissing, Erased),
    ),
    Route(
        "GET",
        "/v1/assessments",
        Action.READ_OWN_ASSESSMENTS,
        "List one's own assessments",
        takes=PageRequest,
        answer=AssessmentPage,
        handler=list_assessments,
        refuses=(Erased,),
    ),
    Route(
        "GET",
        "/v1/assessments/{assessment}",
        Action.READ_OWN_ASSESSMENTS,
        "Read one's own assessment with its reasons and reviews",
        takes=Nothing,
        answer=OwnAssessment,
        handler=read_assessment,
        refuses=(NoSuchThing, Erased),
    ),
    Route(
        "POST",
        "/v1/assessments/{assessment}/reviews",
        Action.CONTEST_OWN_ASSESSMENT,
        "Have a person look at one's assessment, or contest what a person decided",
        takes=NewReview,
        answer=OwnAssessment,
        handler=request_assessment_review,
        status=201,
        refuses=(NoSuchThing, AccountClosed, ReviewStillOpen, Erased),
    ),
    Route(
        "POST",
        "/v1/assessments/{assessment}/representations",
        Action.CONTEST_OWN_ASSESSMENT,
        "Tell whoever decides what to take into account",
        takes=NewRepresentation,
        answer=OwnAssessment,
        handler=add_representation,
        status=201,
        refuses=(NoSuchThing, AccountClosed, ReviewNotNeeded, ReviewDecided, Erased),
    ),
    Route(
        "GET",
        "/v1/assessments/reviews",
        Action.READ_ASSESSMENT_REVIEWS,
        "List the reviews that wait for a person",
        takes=PageRequest,
        answer=ReviewQueue,
        handler=list_assessment_reviews,
        refuses=(NotAllowed,),
    ),
    Route(
        "GET",
        "/v1/assessments/reviews/{review}",
        Action.READ_ASSESSMENT_REVIEWS,
        "Read a review with all that a decision needs, giving an Access-Reason",
        takes=Nothing,
        answer=ReviewCase,
        handler=read_assessment_review,
        refuses=(NotAllowed, NoSuchThing, ReasonMissing, Erased),
    ),
    Route(
        "POST",
        "/v1/assessments/reviews/{review}/decision",
        Action.DECIDE_ASSESSMENT_REVIEW,
        "Decide a review, with the reason",
        takes=ReviewDecision,
        answer=ReviewCase,
        handler=decide_assessment_review,
        refuses=(
            NotAllowed,
            NoSuchThing,
            ReviewDecided,
            ReviewerNotIndependent,
            RepresentationsUnread,
            ReviewReasonMissing,
            Erased,
        ),
    ),
    Route(
        "GET",
        "/v1/assessments/portfolio",
        Action.READ_PORTFOLIO,
        "Read what all running circles stand to lose, giving an Access-Reason",
        takes=Nothing,
        answer=PortfolioView,
        handler=read_portfolio,
        refuses=(NotAllowed, ReasonMissing),
    ),
    Route(
        "GET",
        "/v1/assessments/portfolio/{circle}",
        Action.READ_PORTFOLIO,
        "Read one circle seat by seat, and the reserve that would cover it, giving an Access-Reason",
        takes=Nothing,
        answer=CircleRiskView,
        handler=read_circle_risk,
        refuses=(NotAllowed, NoSuchThing, ReasonMissing),
    ),
    Route(
        "POST",
        "/v1/assessments/evidence/{person}",
        Action.RECORD_EVIDENCE,
        "Note what a person showed of their month; it counts from their next assessment on",
        takes=NewEvidence,
        answer=StaffEvidence,
        handler=record_evidence,
        status=201,
        refuses=(NotAllowed, NoSuchThing, AccountClosed, ReviewerNotIndependent, Erased),
    ),
    Route(
        "GET",
        "/v1/assessments/evidence",
        Action.READ_OWN_ASSESSMENTS,
        "Read what is on file of what one has shown, and whether it counts",
        takes=Nothing,
        answer=OwnEvidence,
        handler=read_own_evidence,
        refuses=(Erased,),
    ),
    Route(
        "GET",
        "/v1/assessments/stale",
        Action.READ_ASSESSMENT_REVIEWS,
        "List approvals that no longer hold, and why, giving an Access-Reason",
        takes=PageRequest,
        answer=StaleAssessments,
        handler=list_stale_assessments,
        refuses=(NotAllowed, ReasonMissing),
    ),
    Route(
        "GET",
        "/v1/assessments/fraud",
        Action.READ_FRAUD,
        "List the people of whom a finding of the fraud checks waits for staff",
        takes=PageRequest,
        answer=FraudQueue,
        handler=list_fraud_findings,
        refuses=(NotAllowed,),
    ),
    Route(
        "GET",
        "/v1/assessments/fraud/{person}",
        Action.READ_FRAUD,
        "Read what the fraud checks found of a person and what they hold, giving an Access-Reason",
        takes=Nothing,
        answer=FraudFileView,
        handler=read_fraud_findings,
        refuses=(NotAllowed, NoSuchThing, ReasonMissing),
    ),
    Route(
        "POST",
        "/v1/assessments/fraud/{person}/decision",
        Action.DECIDE_FRAUD,
        "Lift a finding, so that it holds nothing more, or confirm it; with the reason",
        takes=FindingDecision,
        answer=FraudFileView,
        handler=decide_fraud_finding,
        refuses=(
            NotAllowed,
            NoSuchThing,
            FindingDecided,
            ReviewerNotIndependent,
            ReviewReasonMissing,
            Erased,
        ),
    ),
    Route(
        "GET",
        "/v1/assessments/earliest-turn",
        Action.READ_OWN_ASSESSMENTS,
        "Read from which turn on a circle ordered by trust is open to oneself",
        takes=TurnQuestion,
        answer=EarliestTurn,
        handler=read_earliest_turn,
    ),
    Route(
        "GET",
        "/v1/assessments/financial-health/questions",
        Action.TAKE_OWN_FINANCIAL_HEALTH,
        "Read the twelve questions about financial health",
        takes=Nothing,
        answer=HealthQuestions,
        handler=read_health_questions,
    ),
    Route(
        "POST",
        "/v1/assessments/financial-health",
        Action.TAKE_OWN_FINANCIAL_HEALTH,
        "Answer the questions: a score, four pillars, and next steps",
        takes=NewHealthAnswers,
        answer=HealthHistory,
        handler=answer_financial_health,
        status=201,
        refuses=(NoSuchThing, AccountClosed, Erased),
    ),
    Route(
        "GET",
        "/v1/assessments/financial-health",
        Action.TAKE_OWN_FINANCIAL_HEALTH,
        "Read one's results over time",
        takes=Nothing,
        answer=HealthHistory,
        handler=read_financial_health,
        refuses=(Erased,),
    ),
)
