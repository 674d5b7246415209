"""Affordability: worked households, and that advice does what it says for any household."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.domain.affordability import (
    OFFERS,
    AffordabilityCode,
    AffordabilityRules,
    Application,
    Circle,
    Commitment,
    Mend,
    MendKind,
    SpendingGuide,
    assess_affordability,
    follow,
)
from shared.domain.financial_statement import (
    Evidence,
    FlexibleCost,
    Frequency,
    Income,
    IncomeLine,
    OtherDebt,
    OtherDebtLine,
    PriorityDebt,
    PriorityDebtLine,
)
from tests.unit.assessments.households import (
    POUND,
    a_circle,
    a_statement,
    an_application,
    applications,
    guides,
)

WEEKLY, MONTHLY = Frequency.WEEKLY, Frequency.MONTHLY


def codes(application: Application, *table: SpendingGuide) -> list[str]:
    return [reason.code.value for reason in assess_affordability(application, guides=table).reasons]


# --- worked households --------------------------------------------------------------------------------------


def test_a_household_with_500_left_over_carries_100_a_month() -> None:
    answer = assess_affordability(an_application(a_circle(100)))
    assert answer.affordable
    assert answer.surplus_pence == 500 * POUND
    assert answer.share_of_surplus_percent == 20
    assert answer.after_income_drop_pence == 0  # 80% of 2,000 is 1,600, less 1,500 of costs and 100
    assert answer.after_missed_month_pence == 700 * POUND  # twice 400, less 100


def test_a_penny_less_income_and_the_stress_test_says_so() -> None:
    statement = a_statement(income=1_999)
    (reason,) = assess_affordability(an_application(a_circle(100), statement)).reasons
    assert reason.code is AffordabilityCode.INCOME_DROP
    assert {mend.kind: mend.amount_pence for mend in reason.mends} == {
        MendKind.INCOME_UP: 100,
        MendKind.COSTS_DOWN: 80,
        MendKind.SAVINGS_UP: 240,
        MendKind.SMALLER_CIRCLE: None,
    }
    assert all(mend.enough for mend in reason.mends)


def test_weekly_circles_count_at_52_twelfths_rounded_up() -> None:
    answer = assess_affordability(an_application(a_circle(50, WEEKLY), a_statement(savings=1_000)))
    assert answer.instalment_pence == 21_667
    assert answer.share_of_surplus_percent == 44


def test_the_largest_circle_is_found_per_frequency_and_over_both() -> None:
    answer = assess_affordability(an_application(a_circle(800), a_statement(savings=3_000)))
    assert str(answer.largest(MONTHLY)) == "£100.00 monthly"
    assert str(answer.largest(WEEKLY)) == "£50.00 weekly"
    assert answer.largest() == a_circle(50, WEEKLY)
    assert [reason.code.value for reason in answer.reasons] == ["share_of_surplus"]


def test_who_can_carry_nothing_is_told_so() -> None:
    answer = assess_affordability(an_application(a_circle(50), a_statement(income=1_500)))
    assert answer.largest() is None
    assert answer.share_of_surplus_percent is None
    assert answer.reasons[0].code is AffordabilityCode.NOTHING_LEFT_OVER
    assert MendKind.SMALLER_CIRCLE not in {mend.kind for mend in answer.reasons[0].mends}


def test_circles_that_a_person_is_in_count_too() -> None:
    statement = a_statement(savings=3_000)
    in_one = (Commitment(amount_pence=5_000, frequency=WEEKLY),)
    alone = assess_affordability(an_application(a_circle(100), statement))
    together = assess_affordability(an_application(a_circle(100, WEEKLY), statement, commitments=in_one))
    assert alone.affordable
    assert together.committed_pence == 21_667
    assert together.share_of_surplus_percent == 131  # 650.01 of 500
    assert together.largest() == a_circle(100)
    assert assess_affordability(an_application(a_circle(100), statement, commitments=in_one)).affordable


def test_debts_of_every_kind_come_off_the_surplus() -> None:
    rent = PriorityDebtLine(category=PriorityDebt.RENT, amount_pence=3_000, plan_agreed=True)
    card = OtherDebtLine(category=OtherDebt.CREDIT_CARD, amount_pence=1_200, frequency=Frequency.YEARLY)
    answer = assess_affordability(
        an_application(a_circle(50), a_statement(priority_debts=(rent, rent), other_debts=(card,)))
    )
    assert (answer.priority_debts_pence, answer.other_debts_pence) == (6_000, 100)
    assert answer.surplus_pence == 500 * POUND - 6_100


@pytest.mark.parametrize(
    ("committed", "needed"),
    [(75_000, Evidence.DOCUMENTED), (75_001, Evidence.OPEN_BANKING), (1, Evidence.DOCUMENTED), (0, None)],
)
def test_each_evidence_level_ends_at_its_amount(committed: int, needed: Evidence | None) -> None:
    """£50 more than what is committed: stated to £50, documented to £800."""
    told = a_statement(income=9_000, income_evidence=Evidence.STATED)
    in_already = (Commitment(amount_pence=committed, frequency=MONTHLY),) if committed else ()
    mends = _mends(an_application(a_circle(50), told, commitments=in_already))
    assert [mend.evidence for mend in mends if mend.kind is MendKind.INCOME_EVIDENCE] == [needed] * bool(
        needed
    )


def test_savings_are_advised_when_the_share_is_just_within() -> None:
    """£150 of £200 is three quarters to the penny: the share passes, and only the stress tests fail."""
    statement = a_statement(income=2_000, costs=1_800)
    asked = an_application(
        a_circle(100), statement, commitments=(Commitment(amount_pence=5_000, frequency=MONTHLY),)
    )
    assert MendKind.SAVINGS_UP in {mend.kind for mend in _mends(asked)}
    poorer = asked.with_(statement=a_statement(income=1_999, costs=1_800))
    assert MendKind.SAVINGS_UP not in {mend.kind for mend in _mends(poorer)}


def test_flexible_costs_can_be_cut_to_nothing_and_no_further() -> None:
    """£750 of costs are flexible."""
    just, beyond = a_statement(income=1_375, costs=1_500), a_statement(income=1_374, costs=1_500)
    rules = AffordabilityRules(income_drop_percent=0, share_max_percent=8, catch_up_months=100)
    for statement, can in ((just, True), (beyond, False)):
        (reason,) = assess_affordability(an_application(a_circle(50), statement), rules).reasons
        assert (MendKind.COSTS_DOWN in {mend.kind for mend in reason.mends}) is can


def test_a_word_is_enough_for_the_smallest_circle_alone() -> None:
    told = a_statement(income=4_000, income_evidence=Evidence.STATED, costs_evidence=Evidence.STATED)
    assert codes(an_application(a_circle(50), told)) == []
    assert codes(an_application(a_circle(100), told)) == ["income_evidence", "costs_evidence"]
    shown = told.with_(income_evidence=Evidence.DOCUMENTED, costs_evidence=Evidence.DOCUMENTED)
    assert codes(an_application(a_circle(800), shown.with_(savings_pence=500_000))) == []
    (income, costs) = assess_affordability(
        an_application(a_circle(500, WEEKLY), shown.with_(income=a_statement(income=90_000).income))
    ).reasons
    assert income.mends[0].evidence is costs.mends[0].evidence is Evidence.OPEN_BANKING
    assert income.mends[1].circle == a_circle(800)


def test_savings_that_nobody_has_seen_do_not_count_for_more_than_the_smallest_circle() -> None:
    told = a_statement(income=1_900, savings=1_000, savings_evidence=Evidence.STATED)
    (reason,) = assess_affordability(an_application(a_circle(100), told)).reasons
    assert reason.code is AffordabilityCode.INCOME_DROP
    assert MendKind.SAVINGS_EVIDENCE in {mend.kind for mend in reason.mends}
    assert codes(an_application(a_circle(50), told)) == []


def test_more_savings_are_not_advised_to_whom_they_would_not_count() -> None:
    told = a_statement(income=1_900, savings=0, savings_evidence=Evidence.STATED)
    kinds = {mend.kind for mend in _mends(an_application(a_circle(100), told))}
    assert not kinds & {MendKind.SAVINGS_UP, MendKind.SAVINGS_EVIDENCE}


def test_a_missed_month_is_made_up_from_savings_or_what_is_left() -> None:
    """£350 of £500: within three quarters, but two months leave 300, and savings must find the other 50."""
    statement = a_statement(income=20_500, costs=20_000, savings=50)
    in_one = (Commitment(amount_pence=30_000, frequency=MONTHLY),)
    rules = AffordabilityRules(income_drop_percent=0)
    asked = an_application(a_circle(50), statement, commitments=in_one)
    assert assess_affordability(asked, rules).reasons == ()
    poorer = asked.with_(statement=statement.with_(savings_pence=4_999))
    (reason,) = assess_affordability(poorer, rules).reasons
    assert reason.code is AffordabilityCode.MISSED_MONTH
    assert (reason.mends[0].kind, reason.mends[0].amount_pence) == (MendKind.INCOME_UP, 1)
    savings = next(mend for mend in reason.mends if mend.kind is MendKind.SAVINGS_UP)
    assert savings.amount_pence == 1


def test_spending_above_a_guide_asks_for_evidence_and_no_table_asks_for_nothing() -> None:
    guide = SpendingGuide(
        category=FlexibleCost.FOOD_AND_HOUSEKEEPING,
        first_adult_pence=30_000,
        further_adult_pence=20_000,
        child_pence=10_000,
    )
    told = a_statement(costs_evidence=Evidence.STATED)
    asked = an_application(a_circle(50), told)
    assert codes(asked) == []
    assert codes(asked, guide) == ["spending_above_guide"]
    assert codes(asked.with_(statement=told.with_(costs_evidence=Evidence.DOCUMENTED)), guide) == []
    large_household = told.with_(adults=2, children=4)
    assert guide.monthly_pence(adults=2, children=4) == 90_000
    assert codes(asked.with_(statement=large_household), guide) == []


def test_no_costs_at_all_are_to_be_shown() -> None:
    told = a_statement(costs=0, costs_evidence=Evidence.STATED)
    assert codes(an_application(a_circle(50), told)) == ["no_costs"]
    (reason,) = assess_affordability(an_application(a_circle(100), told)).reasons
    assert reason.code is AffordabilityCode.COSTS_EVIDENCE
    assert [mend.kind for mend in reason.mends] == [MendKind.COSTS_EVIDENCE]  # no circle is small enough


def test_priority_arrears_come_before_a_circle() -> None:
    arrears = PriorityDebtLine(category=PriorityDebt.COUNCIL_TAX, amount_pence=0, plan_agreed=False)
    (reason,) = assess_affordability(
        an_application(a_circle(50), a_statement(priority_debts=(arrears,)))
    ).reasons
    assert reason.code is AffordabilityCode.DEBT_WITHOUT_PLAN
    assert "council tax" in reason.sentence


def test_cutting_more_than_flexible_costs_is_not_advised() -> None:
    tight = a_statement(income=1_000, costs=1_000)  # 500 of it flexible
    kinds = {
        circle.amount_pence: {mend.kind for mend in _mends(an_application(circle, tight))}
        for circle in (a_circle(50), a_circle(500))
    }
    assert MendKind.COSTS_DOWN in kinds[5_000]
    assert MendKind.COSTS_DOWN not in kinds[50_000]


def _mends(application: Application) -> list[Mend]:
    return [mend for reason in assess_affordability(application).reasons for mend in reason.mends]


@pytest.mark.parametrize("amount", [0, 7_500, -5_000, 5_000.5, float("nan"), "5000", True, None, 10**12])
def test_only_circles_that_we_offer_can_be_asked_for(amount: object) -> None:
    with pytest.raises(ValidationError):
        Circle.model_validate({"amount_pence": amount, "frequency": "monthly"})


@pytest.mark.parametrize("frequency", ["yearly", "daily", "", None])
def test_circles_are_weekly_or_monthly(frequency: object) -> None:
    with pytest.raises(ValidationError):
        Circle.model_validate({"amount_pence": 5_000, "frequency": frequency})


def test_the_richest_and_the_poorest_statement_are_answered() -> None:
    rich = a_statement().with_(income=(IncomeLine(category=Income.EARNINGS, amount_pence=10_000_000),))
    assert assess_affordability(an_application(a_circle(800, WEEKLY), rich)).affordable
    nothing = a_statement(income=0, costs=0)
    assert not assess_affordability(an_application(a_circle(800, WEEKLY), nothing)).affordable


# --- any household ------------------------------------------------------------------------------------------


@given(applications())
def test_the_income_that_a_test_asks_for_is_the_least_that_passes_the_test_as_it_is_worded(
    asked: Application,
) -> None:
    """The closed forms behind the advice against the tests said plainly."""
    rules = AffordabilityRules()
    answer = assess_affordability(asked)
    surplus, circles = answer.surplus_pence, answer.committed_pence + answer.instalment_pence
    small = circles <= rules.stated_max_pence
    seen = asked.statement.savings_evidence is not Evidence.STATED
    savings = asked.statement.savings_pence if small or seen else 0
    out = answer.income_pence - surplus
    passes = (
        circles * 100 <= surplus * 75
        and answer.income_pence * 80 // 100 + savings // 3 >= out + circles
        and 2 * (surplus - circles) + savings >= circles
    )
    capacity = {"nothing_left_over", "share_of_surplus", "income_drop", "missed_month"}
    assert passes == (not capacity & {reason.code.value for reason in answer.reasons})


@given(applications(), guides)
def test_all_reasons_mended_turn_the_answer_and_all_but_one_do_not(
    asked: Application, table: tuple[SpendingGuide, ...]
) -> None:
    reasons = assess_affordability(asked, guides=table).reasons
    for left_out in (None, *reasons):
        mended = asked
        for reason in reasons:
            if reason is not left_out:
                mended = follow(mended, reason.mends[0])
        assert assess_affordability(mended, guides=table).affordable == (left_out is None)


@given(applications(), guides)
def test_any_one_mend_per_reason_turns_the_answer(
    asked: Application, table: tuple[SpendingGuide, ...]
) -> None:
    reasons = assess_affordability(asked, guides=table).reasons
    for choice in itertools.product(*(reason.mends for reason in reasons)):
        mended = asked
        for mend in choice:
            mended = follow(mended, mend)
        assert assess_affordability(mended, guides=table).affordable


@given(applications(), guides)
def test_advice_that_says_it_is_enough_is_enough_and_no_other(
    asked: Application, table: tuple[SpendingGuide, ...]
) -> None:
    for reason in assess_affordability(asked, guides=table).reasons:
        for mend in reason.mends:
            alone = assess_affordability(follow(asked, mend), guides=table)
            assert alone.affordable == mend.enough
            assert reason.code not in {left.code for left in alone.reasons}


@given(applications(), guides)
def test_a_penny_less_than_advised_is_not_enough(
    asked: Application, table: tuple[SpendingGuide, ...]
) -> None:
    amounts = (MendKind.INCOME_UP, MendKind.COSTS_DOWN, MendKind.SAVINGS_UP)
    for reason in assess_affordability(asked, guides=table).reasons:
        for mend in reason.mends:
            if mend.kind in amounts and mend.amount_pence:
                short = mend.with_(amount_pence=mend.amount_pence - 1)
                assert not assess_affordability(follow(asked, short), guides=table).affordable


@given(applications(), guides)
def test_the_circles_carried_are_those_that_would_have_been_affordable_and_none_is_skipped(
    asked: Application, table: tuple[SpendingGuide, ...]
) -> None:
    answer = assess_affordability(asked, guides=table)
    would = [c for c in OFFERS if assess_affordability(asked.with_(circle=c), guides=table).affordable]
    assert list(answer.carries) == would == list(OFFERS[: len(would)])
    assert answer.affordable == (asked.circle in would)


@given(applications(), st.integers(1, 500_000))
@example(an_application(a_circle(50)), 1)
def test_more_income_never_makes_it_worse(asked: Application, more: int) -> None:
    line = IncomeLine(category=Income.OTHER, amount_pence=more)
    richer = asked.with_(statement=asked.statement.with_(income=(*asked.statement.income, line)))
    before, after = assess_affordability(asked), assess_affordability(richer)
    assert set(before.carries) <= set(after.carries)
    assert len(after.reasons) <= len(before.reasons)


@settings(max_examples=300)
@given(applications(), guides)
def test_every_household_is_answered_and_the_answer_survives_the_store(
    asked: Application, table: tuple[SpendingGuide, ...]
) -> None:
    answer = assess_affordability(asked, guides=table)
    assert type(answer).model_validate(answer.model_dump()) == answer
    assert type(answer).model_validate_json(answer.model_dump_json()) == answer
    assert Application.model_validate(asked.model_dump()) == asked
