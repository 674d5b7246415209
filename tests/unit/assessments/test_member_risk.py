"""Member risk: worked circles to the penny, orders against brute force, drift against known values."""

from __future__ import annotations

import math
from itertools import permutations, product
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.domain.assessments import MILLION, NoScore, PointScale, Score
from shared.domain.member_risk import (
    Candidate,
    Distributions,
    History,
    Holding,
    Observed,
    RiskRules,
    SeatRisk,
    advise_reserve,
    earliest_position,
    expected_loss_pence,
    exposure_after_turn_pence,
    member_pd,
    population_stability,
    portfolio,
    recalibrate,
    recalibrated_ppm,
    trust_order,
)

FIVE_PERCENT = 50_000


def a_score(pd_ppm: int) -> Score:
    scale = PointScale(base_points=600, base_pd_ppm=500_000, points_to_double_odds_milli=60_000)
    return Score(points=600, pd_ppm=pd_ppm, band="B", scale=scale, model_version="m-1")


def seats(*pds_ppm: int, contribution: int = 10_000) -> list[SeatRisk]:
    """A circle that has not begun, in the order of its turns."""
    exposures = [exposure_after_turn_pence(contribution, len(pds_ppm), n) for n in range(1, len(pds_ppm) + 1)]
    return [
        SeatRisk(
            member=f"m{n}",
            pd_ppm=pd_ppm,
            exposure_pence=exposure,
            expected_loss_pence=expected_loss_pence(pd_ppm, exposure),
        )
        for n, (pd_ppm, exposure) in enumerate(zip(pds_ppm, exposures, strict=True), start=1)
    ]


# --- the probability ----------------------------------------------------------------------------------------


def test_without_history_the_applicant_s_probability_stands() -> None:
    assert member_pd(a_score(80_000), History()).pd_ppm == 80_000


@pytest.mark.parametrize(
    ("history", "pd_ppm"),
    [
        (History(on_time=6), 40_000),  # 6 × .08 of 12
        (History(missed=1), 211_429),  # (.48 + 1) of 7
        (History(late=1), 140_000),  # (.48 + .5) of 7
        (History(on_time=4, late=1, missed=1), 165_000),  # (.48 + 1.5) of 12
    ],
)
def test_history_moves_it(history: History, pd_ppm: int) -> None:
    assert member_pd(a_score(80_000), history).pd_ppm == pd_ppm
    assert member_pd(a_score(80_000), history).basis == "history"


def test_no_score_is_neutral() -> None:
    for unknown in (None, NoScore(cause="none")):
        found = member_pd(unknown, History())
        assert (found.pd_ppm, found.basis) == (RiskRules().neutral_ppm, "neutral_and_history")


def test_the_member_model_goes_before_and_its_absence_falls_back() -> None:
    assert member_pd(a_score(80_000), History(missed=6), a_score(30_000)).basis == "model"
    assert member_pd(a_score(80_000), History(), NoScore(cause="too short")).pd_ppm == 80_000


@given(st.integers(0, MILLION), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_paying_never_raises_and_missing_never_lowers_it(pd: int, good: int, late: int, bad: int) -> None:
    history = History(on_time=good, late=late, missed=bad)
    now = member_pd(a_score(pd), history).pd_ppm
    assert 0 <= now <= MILLION
    assert member_pd(a_score(pd), history.with_(on_time=good + 1)).pd_ppm <= now
    assert member_pd(a_score(pd), history.with_(missed=bad + 1)).pd_ppm >= now
    caught_up = history.with_(missed=max(0, bad - 1), late=late + min(1, bad))
    assert member_pd(a_score(pd), caught_up).pd_ppm <= now


# --- what a circle stands to lose ---------------------------------------------------------------------------


def test_exposure_after_the_turn_is_what_is_left_to_pay() -> None:
    assert [exposure_after_turn_pence(10_000, 5, position) for position in range(1, 6)] == [
        40_000,
        30_000,
        20_000,
        10_000,
        0,
    ]


def test_five_members_at_five_percent() -> None:
    """5% of 400, 300, 200, 100 and 0 pounds."""
    assert [seat.expected_loss_pence for seat in seats(*[FIVE_PERCENT] * 5)] == [2_000, 1_500, 1_000, 500, 0]


def test_a_risk_is_never_rounded_to_nothing() -> None:
    assert expected_loss_pence(1, 1) == 1
    assert expected_loss_pence(0, 40_000) == expected_loss_pence(MILLION, 0) == 0
    assert expected_loss_pence(333_333, 100) == 34
    assert expected_loss_pence(500_000, 10_000, RiskRules(loss_given_default_ppm=600_000)) == 3_000


@given(
    st.lists(st.integers(0, MILLION), min_size=2, max_size=7),
    st.sampled_from([5_000, 10_000, 50_000, 80_000]),
    st.integers(0, 7),
)
def test_the_reserve_is_the_quantile_of_every_outcome_there_is(
    pds: list[int], contribution: int, payouts_left: int
) -> None:
    """Against all 2^N ways in which members can default, one by one."""
    circle = seats(*pds, contribution=contribution)
    advice = advise_reserve(circle, payouts_left)
    expected = sum(seat.expected_loss_pence for seat in circle)
    outcomes: dict[int, int] = {}
    for defaults in product([False, True], repeat=len(circle)):
        loss = sum(seat.exposure_pence for seat, gone in zip(circle, defaults, strict=True) if gone)
        weight = math.prod(
            seat.pd_ppm if gone else MILLION - seat.pd_ppm
            for seat, gone in zip(circle, defaults, strict=True)
        )
        outcomes[loss] = outcomes.get(loss, 0) + weight
    total = MILLION ** len(circle)
    assert sum(outcomes.values()) == total
    covered = sum(weight for loss, weight in outcomes.items() if loss <= advice.reserve_pence)
    assert covered * 100 >= total * advice.confidence_percent
    assert advice.expected_loss_pence == expected <= advice.reserve_pence <= advice.worst_pence
    below = sum(weight for loss, weight in outcomes.items() if loss < advice.reserve_pence)
    assert advice.reserve_pence == expected or below * 100 < total * advice.confidence_percent
    assert advice.per_payout_pence * max(1, payouts_left) >= advice.reserve_pence


def test_a_worked_reserve() -> None:
    """At 5% each, nobody defaults in 81% of circles (the last seat owes nothing); 90% needs one of £200."""
    advice = advise_reserve(seats(*[FIVE_PERCENT] * 5), 5)
    assert (advice.expected_loss_pence, advice.reserve_pence, advice.worst_pence) == (5_000, 20_000, 100_000)
    assert advice.per_payout_pence == 4_000
    exactly = advise_reserve(seats(100_000, 0), 2)  # nobody defaults in just 90%: nothing more is needed
    assert (exactly.reserve_pence, exactly.worst_pence) == (exactly.expected_loss_pence, 10_000)


# --- early turns --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pd_ppm", "members", "earliest"),
    [
        (0, 5, 1),
        (62_500, 5, 1),  # 6.25% of four contributions is 5% of five
        (62_501, 5, 2),
        (100_000, 5, 3),
        (221_200, 5, 4),
        (250_001, 5, 5),
        (MILLION, 5, 5),
        (221_200, 10, 8),
    ],
)
def test_who_may_take_which_turn(pd_ppm: int, members: int, earliest: int) -> None:
    assert earliest_position(Candidate(member="a", pd_ppm=pd_ppm), members) == earliest


def test_who_owes_takes_the_last() -> None:
    assert earliest_position(Candidate(member="a", pd_ppm=0, arrears_pence=1), 8) == 8


def test_the_surest_go_first_and_equals_keep_their_draw() -> None:
    drawn = [
        Candidate(member="owes", pd_ppm=1, arrears_pence=5_000),
        Candidate(member="unsure", pd_ppm=221_200),
        Candidate(member="b", pd_ppm=30_000),
        Candidate(member="a", pd_ppm=30_000),
        Candidate(member="sure", pd_ppm=10_000),
    ]
    order = trust_order(drawn)
    assert [placement.member for placement in order] == ["sure", "b", "a", "unsure", "owes"]
    assert all(placement.is_open for placement in order)


def test_a_circle_in_which_nobody_may_go_first_says_which_turns_are_not_covered() -> None:
    order = trust_order([Candidate(member=f"m{n}", pd_ppm=100_000) for n in range(5)])
    assert [placement.is_open for placement in order] == [False, False, True, True, True]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 400_000), st.booleans()), min_size=2, max_size=6))
def test_no_other_order_opens_every_turn_if_this_one_does_not(drawn: list[tuple[int, bool]]) -> None:
    candidates = [
        Candidate(member=f"m{n}", pd_ppm=pd, arrears_pence=5_000 if owes else 0)
        for n, (pd, owes) in enumerate(drawn)
    ]
    earliest = [earliest_position(candidate, len(candidates)) for candidate in candidates]
    possible = any(
        all(position >= earliest[who] for position, who in enumerate(order, start=1))
        for order in permutations(range(len(candidates)))
    )
    order = trust_order(candidates)
    assert all(placement.is_open for placement in order) == possible
    assert sorted(placement.member for placement in order) == sorted(c.member for c in candidates)


@given(st.integers(0, MILLION), st.integers(2, 10), st.sampled_from([5_000, 10_000, 50_000, 80_000]))
def test_the_gate_is_the_expected_loss_against_the_pot(pd_ppm: int, members: int, contribution: int) -> None:
    earliest = earliest_position(Candidate(member="a", pd_ppm=pd_ppm), members)
    for position in range(1, members + 1):
        exact = pd_ppm * exposure_after_turn_pence(contribution, members, position)
        within = exact * 100 <= 5 * contribution * members * MILLION
        assert within == (position >= earliest)


# --- the portfolio ------------------------------------------------------------------------------------------


def test_the_portfolio_adds_up() -> None:
    held = [
        Holding(group="g1", member="a", band="A", pd_ppm=10_000, exposure_pence=40_000),
        Holding(group="g1", member="b", band="B", pd_ppm=50_000, exposure_pence=30_000),
        Holding(group="g2", member="a", band="A", pd_ppm=20_001, exposure_pence=100_000),
        Holding(group="g2", member="c", band=None, pd_ppm=221_200, exposure_pence=0),
    ]
    found = portfolio(held)
    assert (found.total.seats, found.total.exposure_pence, found.total.expected_loss_pence) == (
        4,
        170_000,
        3_901,
    )
    assert [(line.name, line.seats, line.pd_ppm) for line in found.by_band] == [
        ("A", 2, 15_001),
        ("B", 1, 50_000),
        ("unscored", 1, 221_200),
    ]
    assert sum(line.expected_loss_pence for line in found.by_band) == found.total.expected_loss_pence
    assert [line.name for line in found.riskiest_groups] == ["g2", "g1"]
    assert found.without_score == 1
    assert portfolio(held, groups_max=1).riskiest_groups == found.riskiest_groups[:1]


def test_an_empty_portfolio_is_nothing() -> None:
    found = portfolio([])
    assert (found.total.seats, found.total.pd_ppm, found.by_band, found.riskiest_groups) == (0, 0, (), ())


# --- drift --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "actual", "psi_ppm", "verdict"),
    [
        ((50, 50), (50, 50), 0, "stable"),
        ((50, 50), (500, 500), 0, "stable"),
        ((50, 50), (40, 60), 40_547, "stable"),  # .1 × ln 1.25 + .1 × ln 1.2
        ((50, 50), (30, 70), 169_460, "watch"),  # .2 × ln(7/3)
        ((50, 50), (25, 75), 274_653, "act"),  # .25 × ln 3
        ((10, 20, 40, 20, 10), (20, 20, 30, 20, 10), 98_083, "stable"),  # .1 × ln 2 + .1 × ln(4/3)
    ],
)
def test_population_stability_of_known_shifts(
    expected: tuple[int, ...], actual: tuple[int, ...], psi_ppm: int, verdict: str
) -> None:
    found = population_stability(Distributions(expected=expected, actual=actual))
    assert (found.psi_ppm, found.verdict) == (psi_ppm, verdict)


def test_an_empty_bin_counts_half_a_person_on_both_sides() -> None:
    found = population_stability(Distributions(expected=(50, 50, 0), actual=(50, 50, 0)))
    assert found.psi_ppm == 0
    gone = population_stability(Distributions(expected=(50, 50), actual=(100, 0)))
    a, e = (100.5 / 101, 0.5 / 101), (50.5 / 101, 50.5 / 101)
    assert gone.psi_ppm == round(sum((x - y) * math.log(x / y) for x, y in zip(a, e, strict=True)) * MILLION)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=2, max_size=20))
def test_stability_is_never_negative_and_the_same_both_ways(bins: list[tuple[int, int]]) -> None:
    expected, actual = (tuple(side) for side in zip(*bins, strict=True))
    if sum(expected) and sum(actual):
        there = population_stability(Distributions(expected=expected, actual=actual)).psi_ppm
        back = population_stability(Distributions(expected=actual, actual=expected)).psi_ppm
        assert there == back >= 0


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ((1,), (1,)),
        ((1, 2), (1, 2, 3)),
        ((0, 0), (1, 1)),
        ((1, 1), (0, 0)),
        ((-1, 2), (1, 1)),
        ((0.5, 1), (1, 1)),
    ],
)
def test_what_cannot_be_compared_is_refused(expected: tuple[Any, ...], actual: tuple[Any, ...]) -> None:
    with pytest.raises(ValidationError):
        Distributions(expected=expected, actual=actual)


def seen(pd_ppm: int, cases: int, defaults: int) -> list[Observed]:
    return [Observed(pd_ppm=pd_ppm, defaulted=n < defaults) for n in range(cases)]


def test_a_uniform_portfolio_shifts_by_the_difference_of_log_odds() -> None:
    """20% foreseen, 10% seen: ln(1/9) − ln(1/4) = −.810930."""
    found = recalibrate(seen(200_000, 1_000, 100))
    assert found is not None
    assert found.offset_micro == -810_930
    assert (found.mean_before_ppm, found.mean_after_ppm) == (200_000, 100_000)
    assert found.z_hundredths == -791  # −100 ÷ √160
    assert found.is_warranted
    assert recalibrated_ppm(200_000, found.offset_micro) == 100_000


def test_a_base_rate_that_moved_from_14_6_to_9_7_percent() -> None:
    found = recalibrate(seen(146_000, 10_000, 970))
    assert found is not None
    assert found.offset_micro == round((math.log(97 / 903) - math.log(146 / 854)) * MILLION)
    assert found.mean_after_ppm == 97_000


def test_two_kinds_of_members_are_shifted_together() -> None:
    found = recalibrate(seen(100_000, 500, 40) + seen(400_000, 500, 160))
    assert found is not None
    low, high = (recalibrated_ppm(pd, found.offset_micro) for pd in (100_000, 400_000))
    assert abs(low + high - 400_000) <= 2  # 200 defaults among 1,000
    odds = [pd / (MILLION - pd) for pd in (low, high)]
    assert odds[1] / odds[0] == pytest.approx(6, rel=1e-4)  # as 4/6 is to 1/9: ranks and ratios stay


def test_right_probabilities_stay_and_a_few_cases_say_nothing() -> None:
    found = recalibrate(seen(200_000, 1_000, 200))
    assert found is not None
    assert (found.offset_micro, found.z_hundredths, found.is_warranted) == (0, 0, False)
    assert recalibrate(seen(200_000, 1_000, 19)) is None
    assert recalibrate(seen(200_000, 30, 15)) is None
    assert recalibrate(seen(200_000, 1_000, 981)) is None
    assert recalibrate(seen(200_000, 40, 20)) is not None
    assert recalibrate([]) is None


@given(st.integers(0, MILLION), st.integers(-(10**9), 10**9))
@example(0, 0)
@example(MILLION, 0)
def test_a_recalibrated_probability_is_one(pd_ppm: int, offset_micro: int) -> None:
    assert 0 < recalibrated_ppm(pd_ppm, offset_micro) < MILLION


@settings(max_examples=40)
@given(st.lists(st.integers(1_000, 900_000), min_size=1, max_size=6), st.integers(0, 30), st.integers(0, 30))
def test_after_the_shift_as_many_are_foreseen_as_were_seen(
    pds: list[int], more_bad: int, more_good: int
) -> None:
    outcomes = [True] * (20 + more_bad) + [False] * (20 + more_good)
    observed = [Observed(pd_ppm=pds[n % len(pds)], defaulted=bad) for n, bad in enumerate(outcomes)]
    found = recalibrate(observed)
    assert found is not None
    assert abs(found.mean_after_ppm - round(MILLION * found.defaults / found.cases)) <= 2
