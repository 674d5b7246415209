"""Decisions, their reasons, the people who review them, and what makes them stale."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.domain.affordability import OFFERS, Application, Commitment
from shared.domain.assessments import (
    RIGHTS,
    RULES,
    TOLD,
    Assessment,
    NoScore,
    PointScale,
    Review,
    Score,
    ScoreReason,
    Since,
    Trigger,
    assess,
    decide_review,
    for_person,
    open_review,
    represent,
    stale,
    standing,
)
from shared.domain.errors import (
    AjoError,
    RepresentationsUnread,
    ReviewDecided,
    ReviewerNotIndependent,
    ReviewNotNeeded,
    ReviewReasonMissing,
    ReviewStillOpen,
)
from shared.domain.financial_statement import Frequency
from shared.domain.fraud import Finding, FraudCheck, FraudCode, Hold, Severity
from tests.unit.assessments.households import a_circle, a_statement, an_application, applications

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
A_MONTH = timedelta(days=30)
A_REASON = "Has a new job since October; the letter is on file."


SCALE = PointScale(base_points=600, base_pd_ppm=RULES.approve_pd_max_ppm, points_to_double_odds_milli=60_000)
"""The line stands at 600 points; the one below which the machine advises against, at 415."""


def a_score(points: int = 640, **lost: int) -> Score:
    reasons = tuple(ScoreReason(code=code, points_lost=points_lost) for code, points_lost in lost.items())
    return Score(
        points=points, pd_ppm=100_000, band="B", scale=SCALE, reasons=reasons, model_version="applicant-1"
    )


def clear(*findings: Finding) -> FraudCheck:
    return FraudCheck(
        person="ada",
        at=NOW,
        rules_version="fraud-1",
        findings=findings,
        points=sum(finding.points for finding in findings),
        holds=tuple(hold for finding in findings for hold in finding.holds),
    )


def assessed(
    application: Application | None = None,
    score: Score | NoScore | None = None,
    fraud: FraudCheck | None = None,
    **more: Any,
) -> Assessment:
    """With a score that the month does not move; test_thousand_applicants.py asks the shipped one."""
    return assess(
        application or an_application(a_circle(100)),
        lambda _: score or a_score(),
        fraud or clear(),
        assessment_id="ass_1",
        person="ada",
        at=NOW,
        **more,
    )


def codes(assessment: Assessment) -> list[str]:
    return [reason.code for reason in assessment.reasons]


# --- the decision -------------------------------------------------------------------------------------------


def test_an_affordable_circle_and_a_good_score_are_approved_by_machine_and_it_says_so() -> None:
    assessment = assessed()
    assert (assessment.outcome, assessment.reasons) == ("approve", ())
    assert "No person took part" in assessment.notice.told
    assert assessment.notice.rights == RIGHTS


def test_a_score_below_the_line_is_referred_with_the_fewest_respects_that_would_reach_it() -> None:
    assessment = assessed(score=a_score(550, records=30, employment=40, housing=15, job=1))
    assert assessment.outcome == "refer"
    assert codes(assessment) == ["employment", "records"]  # 70 of the 50 that are missing; 40 are not enough
    shown = for_person(assessment).score_reasons
    assert [(one.code, one.points_lost) for one in shown] == [
        ("employment", 40),
        ("records", 30),
        ("housing", 15),
        ("job", 1),
    ]


@pytest.mark.parametrize(
    ("points", "outcome"),
    [(600, "approve"), (599, "refer"), (415, "refer"), (414, "decline_to_refer")],
)
def test_each_line_is_where_it_says(points: int, outcome: str) -> None:
    assert assessed(score=a_score(points, records=400)).outcome == outcome
    assert assessed(score=a_score(points)).outcome == outcome


def test_far_below_the_line_the_machine_advises_against_and_a_person_decides() -> None:
    assessment = assessed(score=a_score(414, records=200))
    assert assessment.outcome == "decline_to_refer"
    assert "Nothing has been refused" in assessment.notice.told
    assert standing(assessment, ()) == "referred"


def test_a_score_whose_losses_do_not_reach_the_line_still_says_why() -> None:
    assessment = assessed(score=a_score(560, records=10))
    assert codes(assessment) == ["score_below_line"]


def test_a_score_that_cannot_be_computed_is_neutral_and_refers() -> None:
    assessment = assessed(score=NoScore(cause="no history"))
    assert (assessment.outcome, codes(assessment)) == ("refer", ["score_unavailable"])
    assert for_person(assessment).score_points is None


def test_nothing_left_over_is_advised_against() -> None:
    assessment = assessed(an_application(a_circle(50), a_statement(income=1_000)))
    assert (assessment.outcome, codes(assessment)) == ("decline_to_refer", ["nothing_left_over"])


def test_fraud_findings_refer_without_saying_what_was_found() -> None:
    low, medium = (
        Finding(code=FraudCode.SHARED_CARD, severity=severity, sentence="3 people pay with one card.")
        for severity in (Severity.LOW, Severity.MEDIUM)
    )
    high = medium.with_(severity=Severity.HIGH, holds=(Hold.JOINING,))
    cooling = low.with_(holds=(Hold.PAYING_OUT,))
    assert assessed(fraud=clear(low)).outcome == assessed(fraud=clear(cooling)).outcome == "approve"
    assert assessed(fraud=clear(medium)).outcome == "refer"
    assert assessed(fraud=clear(high)).outcome == "decline_to_refer"
    seen = for_person(assessed(fraud=clear(high))).model_dump_json()
    assert "card" not in seen
    assert "details_to_check" in seen


def test_caps_are_of_number_and_of_money() -> None:
    statement = a_statement(income=20_000, savings=50_000)
    small = Commitment(amount_pence=5_000, frequency=Frequency.MONTHLY)
    middling = Commitment(amount_pence=50_000, frequency=Frequency.WEEKLY)
    four = an_application(a_circle(50), statement, commitments=(small,) * 4)
    five = four.with_(commitments=(small,) * 5)
    assert assessed(four).outcome == "approve"
    assert (assessed(five).outcome, codes(assessed(five))) == ("decline_to_refer", ["too_many_circles"])
    largest = an_application(a_circle(800, Frequency.WEEKLY), statement)
    assert assessed(largest).outcome == "approve"
    assert codes(assessed(largest.with_(commitments=(middling,)))) == ["too_much_in_circles"]
    to_the_penny = small.with_(amount_pence=RULES.monthly_max_pence - largest.circle.monthly_pence)
    assert assessed(largest.with_(commitments=(to_the_penny,))).outcome == "approve"


def test_the_same_input_is_the_same_hash_and_any_change_is_another() -> None:
    assert assessed().input_hash == assessed().input_hash
    others = {
        assessed().input_hash,
        assessed(an_application(a_circle(50))).input_hash,
        assessed(score=a_score(641)).input_hash,
        assessed(score=NoScore(cause="x")).input_hash,
        assessed(fraud=clear().with_(at=NOW + A_MONTH)).input_hash,
    }
    assert len(others) == 5


def test_every_outcome_has_its_notice_and_none_refuses() -> None:
    assert set(TOLD) == {"approve", "refer", "decline_to_refer"}
    assert all("refused" not in TOLD[o] or "Nothing has been refused" in TOLD[o] for o in TOLD)
    said = " ".join(RIGHTS)
    for right in ("tell us", "a person to look", "contest", "one month", "Information Commissioner"):
        assert right in said


@pytest.mark.parametrize(
    "changes",
    [
        {"pd_ppm": -1},
        {"pd_ppm": 1_000_001},
        {"pd_ppm": 0.1},
        {"points": float("nan")},
        {"points": "600"},
        {"reasons": [{"code": "x", "points_lost": 0}]},
        {"reasons": [{"code": "x", "points_lost": 1.5}]},
        {"colour": "red"},
    ],
)
def test_a_score_is_whole_numbers(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Score.model_validate(a_score().model_dump() | changes)


@given(applications(), st.integers(300, 900), st.lists(st.integers(1, 200), max_size=6))
def test_every_applicant_is_answered_and_the_answer_survives_the_store(
    application: Application, points: int, lost: list[int]
) -> None:
    score = a_score(points, **{f"f{n}": points_lost for n, points_lost in enumerate(lost)})
    assessment = assessed(application, score)
    assert Assessment.model_validate_json(assessment.model_dump_json()) == assessment
    assert Assessment.model_validate(assessment.model_dump()) == assessment
    assert (assessment.outcome == "approve") == (not assessment.reasons)
    assert _has_no_float(assessment.model_dump())


def _has_no_float(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_has_no_float, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_has_no_float, value))
    return not isinstance(value, float)


def test_the_lines_follow_the_probabilities_whatever_the_scale() -> None:
    steeper = PointScale(base_points=1_000, base_pd_ppm=500_000, points_to_double_odds_milli=20_000)
    assert steeper.points_at(500_000) == 1_000
    assert steeper.points_at(333_333) == 1_021  # half the odds, and a hair more
    line = steeper.points_at(RULES.approve_pd_max_ppm)
    assert assessed(score=a_score(line).with_(scale=steeper)).outcome == "approve"
    assert assessed(score=a_score(line - 1).with_(scale=steeper)).outcome == "refer"
    far = steeper.points_at(RULES.decline_pd_from_ppm)
    assert assessed(score=a_score(far - 1).with_(scale=steeper)).outcome == "decline_to_refer"


def test_what_mends_affordability_is_not_asked_for_again_by_the_score() -> None:
    """With more left over the score rises too: a respect in which that is enough is no reason of its own."""
    poor = an_application(a_circle(100), a_statement(income=1_600))

    def scored_by(more: int) -> Any:
        return lambda month: a_score(590 if month == poor else 590 + more, surplus=20, records=30)

    given: dict[str, Any] = {"fraud": clear(), "assessment_id": "ass_1", "person": "ada", "at": NOW}
    assert codes(assess(poor, scored_by(0), **given)) == ["income_drop", "records"]
    assert codes(assess(poor, scored_by(10), **given)) == ["income_drop"]


# --- review -------------------------------------------------------------------------------------------------


def a_referral() -> tuple[Assessment, Review]:
    assessment = assessed(score=NoScore(cause="no history"))
    return assessment, open_review(assessment, (), NOW, asked_by_person=False)


def decided(
    review: Review, assessment: Assessment, earlier: tuple[Review, ...] = (), **changes: Any
) -> Review:
    how: dict[str, Any] = {
        "verdict": "approved",
        "by": "staff_1",
        "reason": A_REASON,
        "representations_read": len(review.representations),
        "at": NOW + A_MONTH,
    }
    return decide_review(review, assessment, earlier, **how | changes)


def test_a_referral_is_heard_decided_contested_and_decided_by_somebody_else() -> None:
    assessment, review = a_referral()
    assert (review.because, review.state, standing(assessment, (review,))) == (
        "referred",
        "referred",
        "referred",
    )
    review = represent(review, "I began a new job in October.", NOW)
    first = decided(review, assessment, verdict="declined")
    assert standing(assessment, (first,)) == "declined"
    contest = open_review(assessment, (first,), NOW + A_MONTH)
    assert (contest.because, contest.number) == ("contested", 2)
    with pytest.raises(ReviewerNotIndependent):
        decided(contest, assessment, (first,))
    second = decided(contest, assessment, (first,), by="staff_2")
    assert standing(assessment, (first, second)) == "approved"
    assert second.decision is not None
    assert second.decision.reason == A_REASON


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"by": "ada"}, ReviewerNotIndependent),
        ({"representations_read": 0}, RepresentationsUnread),
        ({"reason": "ok"}, ReviewReasonMissing),
        ({"reason": " " * 40}, ReviewReasonMissing),
    ],
)
def test_a_decision_is_independent_informed_and_reasoned(
    changes: dict[str, Any], refusal: type[AjoError]
) -> None:
    assessment, review = a_referral()
    with pytest.raises(refusal):
        decided(represent(review, "Please read this.", NOW), assessment, **changes)


def test_what_is_decided_is_decided() -> None:
    assessment, review = a_referral()
    done = decided(review, assessment)
    with pytest.raises(ReviewDecided):
        decided(done, assessment, by="staff_2")
    with pytest.raises(ReviewDecided):
        represent(done, "One more thing.", NOW)


def test_one_review_at_a_time_and_none_where_nobody_asks() -> None:
    assessment, review = a_referral()
    with pytest.raises(ReviewStillOpen):
        open_review(assessment, (review,), NOW)
    with pytest.raises(ReviewNotNeeded):
        open_review(assessed(), (), NOW, asked_by_person=False)
    assert open_review(assessed(), (), NOW).because == "asked"


@pytest.mark.parametrize(
    ("score", "verdict", "overrides"),
    [
        (a_score(640), "approved", False),
        (a_score(640), "declined", True),
        (NoScore(cause="x"), "approved", False),
        (NoScore(cause="x"), "declined", False),
        (a_score(100), "approved", True),
        (a_score(100), "declined", False),
    ],
)
def test_going_against_the_machine_is_recorded(score: Score | NoScore, verdict: str, overrides: bool) -> None:
    assessment = assessed(score=score)
    done = decided(open_review(assessment, (), NOW), assessment, verdict=verdict)
    assert done.decision is not None
    assert done.decision.overrides is overrides


def test_a_person_may_approve_a_smaller_circle_and_never_a_larger_one() -> None:
    assessment, review = a_referral()
    for circle in OFFERS:
        decision = decided(review, assessment, circle=circle).decision
        assert decision is not None
        assert decision.circle is not None
        assert decision.circle.monthly_pence == min(10_000, circle.monthly_pence)
    declined = decided(review, assessment, verdict="declined").decision
    assert declined is not None
    assert declined.circle is None


@given(st.text(max_size=6_000))
@example("x" * 5_000)
@example("x" * 5_001)
def test_whatever_a_person_says_is_kept_or_refused_by_length(text: str) -> None:
    _, review = a_referral()
    if 1 <= len(text) <= 5_000:
        assert represent(review, text, NOW).representations[0].text == text
    else:
        with pytest.raises(ValidationError):
            represent(review, text, NOW)


# --- staleness ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "triggers"),
    [
        ({}, []),
        ({"at": NOW + RULES.valid_for}, [Trigger.EXPIRED]),
        ({"income_pence": 180_000}, []),
        ({"income_pence": 179_999}, [Trigger.INCOME_FELL]),
        ({"outgoings_pence": 165_000}, []),
        ({"outgoings_pence": 165_001}, [Trigger.COSTS_ROSE]),
        ({"in_circles_pence": 10_000}, []),
        ({"in_circles_pence": 10_001}, [Trigger.MORE_IN_CIRCLES]),
        ({"missed_contributions": 1}, [Trigger.MISSED_CONTRIBUTION]),
        ({"hardship": True, "fraud_hold": True}, [Trigger.HARDSHIP, Trigger.FRAUD_HOLD]),
        ({"identity_changed": True}, [Trigger.IDENTITY_CHANGED]),
        ({"withdrawn_models": {"applicant-1"}}, [Trigger.MODEL_WITHDRAWN]),
        ({"withdrawn_models": {"applicant-0"}}, []),
    ],
)
def test_what_makes_an_assessment_stale(changes: dict[str, Any], triggers: list[Trigger]) -> None:
    since = Since.model_validate({"at": NOW + A_MONTH} | changes)
    assert list(stale(assessed(), since)) == triggers


def test_new_rules_make_old_assessments_stale() -> None:
    newer = replace(RULES, version="assessment-next")
    assert stale(assessed(), Since(at=NOW), newer) == (Trigger.RULES_CHANGED,)
    assert stale(assessed(rules=newer), Since(at=NOW), newer) == ()
