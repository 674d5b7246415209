"""The order of turns: the best assignment against every permutation, and the reason for each place."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import NotAPermutation, OrderNotByThisMethod, OrderNotReady, TurnsNotOpen
from shared.domain.groups import Draw, Group, OrderMethod, Seat, Terms
from shared.domain.member_risk import Candidate
from shared.domain.ordering import best_assignment, make_order, rank, set_order

PEOPLE = ["ada", "ben", "cy", "dee", "eve"]
SEED = bytes(32)


def group(method: OrderMethod, **more: Any) -> Group:
    terms = Terms(
        name="Order",
        amount_pence=10_000,
        frequency="monthly",
        members=5,
        first_due_date=date(2027, 1, 4),
        order_method=method,
        **more,
    )
    seats = [Seat(uid=uid, state="agreed") for uid in PEOPLE]
    return Group(
        id="grp_1",
        state="recruiting",
        terms=terms,
        organiser="ada",
        seats=seats,
        draw=Draw(commitment="0" * 64),
        created_at=datetime(2026, 11, 24, tzinfo=UTC),
    )


@st.composite
def square(draw: st.DrawFn) -> list[list[int]]:
    size = draw(st.integers(2, 6))
    row = st.lists(st.integers(0, 9), min_size=size, max_size=size)
    return draw(st.lists(row, min_size=size, max_size=size))


@given(square())
def test_no_other_order_serves_the_ranks_better(costs: list[list[int]]) -> None:
    def cost(order: list[int] | tuple[int, ...]) -> int:
        return sum(costs[who][column] for column, who in enumerate(order))

    found = best_assignment(costs)
    assert sorted(found) == list(range(len(costs)))
    assert cost(found) == min(map(cost, permutations(range(len(costs)))))


def test_ten_members_rank_and_each_gets_what_can_be_had() -> None:
    wishes = [[(column - who) % 10 for column in range(10)] for who in range(10)]
    assert best_assignment(wishes) == list(range(10))


def test_preferences_are_served_and_each_is_told_which_choice_it_was() -> None:
    ranked = group("preference")
    for uid, wish in {"eve": [1, 2, 3, 4, 5], "ada": [1, 5, 2, 3, 4], "ben": [2, 1, 3, 4, 5]}.items():
        ranked = rank(ranked, uid, wish)
    order, reasons = make_order(ranked, SEED, {})
    assert (order[0], order[1], order[4]) == ("eve", "ben", "ada")
    assert reasons["ada"] == "your choice 2 of 5"
    assert reasons["cy"] == "you did not rank the cycles"


def test_the_organisers_order_names_each_once() -> None:
    with pytest.raises(NotAPermutation):
        set_order(group("organiser"), ["ada", "ada", "cy", "dee", "eve"])
    with pytest.raises(NotAPermutation):
        set_order(group("organiser"), ["ada", "ben", "cy", "dee"])
    with pytest.raises(OrderNotByThisMethod):
        set_order(group("random"), PEOPLE)
    with pytest.raises(OrderNotReady):
        make_order(group("organiser"), SEED, {})
    chosen = set_order(group("organiser"), PEOPLE[::-1])
    assert make_order(chosen, SEED, {})[0] == PEOPLE[::-1]


@pytest.mark.parametrize("ranking", [[1, 2, 3, 4], [1, 1, 2, 3, 4], [0, 1, 2, 3, 4], [2, 3, 4, 5, 6]])
def test_a_ranking_is_a_permutation(ranking: list[int]) -> None:
    with pytest.raises(NotAPermutation):
        rank(group("preference"), "ada", ranking)


SURE, UNSURE = 10_000, 600_000


def candidates(**pds_ppm: int) -> dict[str, Candidate]:
    return {uid: Candidate(member=uid, pd_ppm=pds_ppm.get(uid, SURE)) for uid in PEOPLE}


def test_trust_puts_whom_the_record_supports_first_and_arrears_last() -> None:
    known = candidates(ada=UNSURE, eve=30_000)
    known["ben"] = known["ben"].with_(arrears_pence=1)
    with pytest.raises(TurnsNotOpen):
        make_order(group("trust"), SEED, known)  # two people for whom only the last turn is open
    known["ada"] = known["ada"].with_(pd_ppm=100_000)
    order, reasons = make_order(group("trust"), SEED, known)
    assert order[2:] == ["eve", "ada", "ben"]
    assert reasons["dee"] == "by your record turns from 1 on are open to you"


def test_turns_that_no_record_supports_start_only_with_a_reserve_that_covers_them() -> None:
    """A probability of a fifth opens the fourth turn of five: three turns are closed, which are expected to
    lose a fifth of 400, 300 and 200 pounds; £36 of each of five pots covers that."""
    strangers = candidates(**dict.fromkeys(PEOPLE, 200_000))
    with pytest.raises(TurnsNotOpen) as refusal:
        make_order(group("trust"), SEED, strangers)
    assert refusal.value.facts == {"turns": "1, 2, 3", "reserve": "£36.00"}
    for kept_pence in (3_599, 3_600):
        circle = group("trust", default_policy="reserve", reserve_pence=kept_pence)
        if kept_pence < 3_600:
            with pytest.raises(TurnsNotOpen):
                make_order(circle, SEED, strangers)
        else:
            order, reasons = make_order(circle, SEED, strangers)
            assert sorted(order) == PEOPLE
            assert [uid for uid in order if "reserve stands in" in reasons[uid]] == order[:3]


def test_a_drawn_order_is_the_seeds() -> None:
    order, reasons = make_order(group("random"), SEED, {})
    assert sorted(order) == PEOPLE
    assert reasons[order[0]] == "drawn: place 1 of 5"
    assert make_order(group("random"), SEED, {})[0] == order
    assert make_order(group("random"), bytes([1] * 32), {})[0] != order
