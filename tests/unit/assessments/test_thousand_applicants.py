"""A thousand drawn applicants against the shipped model: every referral can be mended, and no reason is idle.

A reason *matters* if, with every other one mended and it alone left as it is, the answer is still not yes.
What mends affordability is followed on the statement, and both affordability and score are judged anew on it;
what mends the score is read there alone, as the reference applicant's, by the shipped tables themselves.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from functools import cache
from random import Random

from shared.domain.affordability import OFFERS, Application, Commitment, follow
from shared.domain.assessments import (
    MILLION,
    RULES,
    Assessment,
    DecisionReason,
    NoScore,
    Score,
    Source,
    Told,
    assess,
)
from shared.domain.financial_statement import (
    Evidence,
    FlexibleCost,
    FlexibleCostLine,
    Frequency,
    OtherDebt,
    OtherDebtLine,
    PriorityDebt,
    PriorityDebtLine,
)
from shared.domain.fraud import check_fraud
from shared.domain.scoring.applicant import MODEL, REFERENCE, Repayments, readings, score_applicant
from shared.domain.scoring.artefact import load
from shared.domain.scoring.assessed import assessed, point_scale
from shared.domain.scoring.score import score
from shared.services.applicant_score import applicant_of, score_of
from tests.unit.assessments.households import a_statement

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)

Drawn = tuple[Told, Application]


def drawn_applicants(how_many: int, seed: int) -> list[Drawn]:
    """As they might come: newcomers to work and to credit beside settled ones, every evidence level, some in
    circles, arrears or debt already."""
    random = Random(seed)
    return [(_told(random), _application(random)) for _ in range(how_many)]


def _told(random: Random) -> Told:
    return Told(
        balance_pence=random.choice([None, -20_000, 5_000, 40_000, 150_000, 400_000]),
        salary_paid_in_months=random.choice([0, 3, 11, 12, 48]),
        repayments=random.choice(list(Repayments)),
        months_in_work=random.choice([0, 4, 11, 12, 30, 60, 120]),
        has_guarantor=random.random() < 0.1,
        members=random.randint(5, 10),
    )


def _application(random: Random) -> Application:
    income = round(random.lognormvariate(7.7, 0.5))
    costs = round(income * random.uniform(0.4, 1.02))
    arrears = PriorityDebtLine(
        category=random.choice(list(PriorityDebt)),
        amount_pence=random.randint(0, 8_000),
        plan_agreed=random.random() < 0.6,
    )
    owed = OtherDebtLine(category=random.choice(list(OtherDebt)), amount_pence=random.randint(0, 15_000))
    personal = FlexibleCostLine(category=FlexibleCost.PERSONAL, amount_pence=random.randint(0, 20_000))
    statement = a_statement(
        income=income,
        costs=costs,
        savings=round(random.choice([0, 0, 200, 1_000, 4_000]) * random.random()),
        priority_debts=(arrears,) if random.random() < 0.1 else (),
        other_debts=(owed,) if random.random() < 0.3 else (),
        income_evidence=random.choices(list(Evidence), [1, 2, 4])[0],
        costs_evidence=random.choices(list(Evidence), [1, 2, 4])[0],
        savings_evidence=random.choices(list(Evidence), [1, 2, 4])[0],
    )
    more = statement.with_(flexible_costs=(*statement.flexible_costs, personal))
    in_already = tuple(
        Commitment(amount_pence=random.choice([5_000, 10_000]), frequency=Frequency.MONTHLY)
        for _ in range(random.choice([0, 0, 0, 1, 2]))
    )
    circle = random.choices(OFFERS, [16, 8, 8, 6, 6, 4, 4, 3])[0]
    return Application(statement=more, circle=circle, commitments=in_already)


def decided(
    told: Told, application: Application, mended_in_score: frozenset[str] = frozenset()
) -> Assessment:
    def scored_by(month: Application) -> Score | NoScore:
        return score_as_reference(told, month, mended_in_score)

    fraud = check_fraud("ada", [], NOW)
    return assess(application, scored_by, fraud, assessment_id="ass_1", person="ada", at=NOW, told=told)


def score_as_reference(told: Told, month: Application, factors: frozenset[str]) -> Score | NoScore:
    """The shipped model's score with these factors as the reference applicant has them."""
    model = load(MODEL)
    own = readings(applicant_of(told, month))
    as_reference = {s.feature: model.reference[s.feature] for s in model.shapes if s.factor in factors}
    return assessed(score(model, own | as_reference))


def mended(drawn: Drawn, assessment: Assessment, but: DecisionReason | None = None) -> Assessment:
    """Judged anew with all reasons mended, or all but one."""
    told, application = drawn
    by_code = {reason.code.value: reason for reason in assessment.affordability.reasons}
    left = [reason for reason in assessment.reasons if reason is not but]
    for reason in left:
        if reason.source is Source.AFFORDABILITY:
            application = follow(application, by_code[reason.code].mends[0])
    factors = frozenset(reason.code for reason in left if reason.source is Source.SCORE)
    return decided(told, application, factors)


@cache
def thousand() -> list[tuple[Drawn, Assessment]]:
    return [(drawn, decided(*drawn)) for drawn in drawn_applicants(1_000, seed=20261124)]


def test_each_referral_turns_when_its_reasons_are_mended_together() -> None:
    stuck = [assessment.reasons for drawn, assessment in thousand() if not _is_yes(mended(drawn, assessment))]
    assert stuck == []


def test_no_reason_is_given_that_does_not_matter() -> None:
    idle = [
        (assessment.reasons, reason.code)
        for drawn, assessment in thousand()
        for reason in assessment.reasons
        if _is_yes(mended(drawn, assessment, but=reason))
    ]
    assert idle == []


def test_the_thousand_meet_every_answer_and_both_kinds_of_reason() -> None:
    outcomes = Counter(assessment.outcome for _, assessment in thousand())
    sources = Counter(reason.source.value for _, assessment in thousand() for reason in assessment.reasons)
    both = sum(len({r.source for r in assessment.reasons}) > 1 for _, assessment in thousand())
    of_the_score = [sum(r.source is Source.SCORE for r in a.reasons) for _, a in thousand()]
    print(f"1,000 applicants: {dict(outcomes)}, reasons {dict(sources)}, {both} with both kinds,")
    print(f"{max(of_the_score)} reasons of the score at most")
    assert min(outcomes.values()) >= 100, outcomes
    assert sources.keys() == {"affordability", "score"}
    assert min(sources.values()) >= 100, sources
    assert both >= 50


def test_the_reference_stands_above_the_line_so_that_mending_always_reaches_it() -> None:
    """Reasons count points lost against the reference: below the line, no reason could lead over it."""
    scale = point_scale(load(MODEL).scale)
    approve, decline = map(scale.points_at, (RULES.approve_pd_max_ppm, RULES.decline_pd_from_ppm))
    reference = assessed(score_applicant(REFERENCE))
    assert isinstance(reference, Score)
    print(f"approve from {approve}, advise against below {decline}, reference {reference.points}")
    assert decline < approve < reference.points
    assert reference.pd_ppm * 4 <= RULES.approve_pd_max_ppm
    sample_ppm = round(load(MODEL).about["data"]["bad_rate"] * MILLION)
    assert (RULES.approve_pd_max_ppm, RULES.decline_pd_from_ppm) == (sample_ppm // 2, sample_ppm * 2)


def test_points_and_probability_say_the_same_at_the_line() -> None:
    """Points are rounded factor by factor, the probability is not: they part by a few points at most."""
    for told, application in drawn_applicants(300, seed=7):
        found = score_of(told, application)
        assert isinstance(found, Score)
        assert abs(found.points - found.scale.points_at(found.pd_ppm)) <= 6


def _is_yes(assessment: Assessment) -> bool:
    return assessment.outcome == "approve"
