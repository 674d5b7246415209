"""Of a thousand drawn applicants each referral turns when its reasons are mended, and each reason matters."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.domain.assessments import Assessment, NoScore, Score, Source, assess
from shared.domain.fraud import FraudCheck
from shared.domain.scoring.applicant import REFERENCE, Applicant, score_applicant
from shared.domain.scoring.artefact import FOLDER, load
from shared.domain.scoring.assessed import assessed
from shared.domain.scoring.reasons import SENTENCES, reasons
from shared.domain.scoring.score import Scored, Unscored
from tests.unit.assessments.households import a_circle, a_statement, an_application
from tests.unit.scoring.applicants import drawn, mended

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
EASY = an_application(a_circle(50), a_statement(income=4_000, costs=1_000, savings=5_000))


def decided(applicant: Applicant) -> Assessment:
    """Assessed by score alone: the household can carry the circle, and nothing is suspected."""
    clear = FraudCheck(person="ada", at=NOW, rules_version="1", findings=(), points=0, holds=())
    score = assessed(score_applicant(applicant))
    return assess(EASY, lambda _: score, clear, assessment_id="a", person="ada", at=NOW)


def codes(assessment: Assessment) -> list[str]:
    assert {reason.source for reason in assessment.reasons} <= {Source.SCORE}
    return [reason.code for reason in assessment.reasons]


def test_of_a_thousand_applicants_every_referral_turns_and_every_reason_matters() -> None:
    referred = 0
    for seed in range(1_000):
        applicant = drawn(seed)
        named = codes(decided(applicant))
        if not named:
            assert decided(applicant).outcome == "approve"
            continue
        referred += 1
        assert "score_below_line" not in named
        assert decided(mended(applicant, named)).outcome == "approve"
        for code in named:
            but_one = [other for other in named if other != code]
            assert decided(mended(applicant, but_one)).outcome != "approve", (seed, code)
    assert referred >= 100


def test_every_reason_says_what_to_do() -> None:
    for seed in range(200):
        for reason in decided(drawn(seed)).reasons:
            assert (reason.sentence, reason.mends) == (
                SENTENCES[reason.code][0],
                (SENTENCES[reason.code][1],),
            )


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_every_factor_of_a_shipped_model_has_its_sentences(path: object) -> None:
    name = str(getattr(path, "stem", ""))
    assert {shape.factor for shape in load(name).shapes} <= set(SENTENCES)


def test_the_largest_losses_come_first() -> None:
    troubled = drawn(3)
    result = score_applicant(troubled)
    assert isinstance(result, Scored)
    lost = [reason.points_lost for reason in reasons(result)]
    assert len(lost) > 4
    assert lost == sorted(lost, reverse=True)


def test_a_score_is_handed_over_in_whole_numbers() -> None:
    result = score_applicant(REFERENCE)
    score = assessed(result)
    assert isinstance(result, Scored)
    assert isinstance(score, Score)
    assert score.pd_ppm == round(result.pd * 1_000_000)
    assert (score.points, score.band, score.reasons) == (result.points, result.band, ())
    assert score.model_version == load("applicant").version


def test_no_score_is_handed_over_as_no_score() -> None:
    unscored = Unscored("applicant-1+0", {"savings": "is missing", "account": "is missing"})
    assert assessed(unscored) == NoScore(
        cause="account is missing; savings is missing", model_version="applicant-1+0"
    )
