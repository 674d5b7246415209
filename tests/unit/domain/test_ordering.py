"""The order of turns: the best assignment against every permutation, and the reason for each place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import (
    GroupNotOpen,
    NotAPermutation,
    OrderNotByThisMethod,
    OrderNotReady,
    TurnsNotOpen,
)
from shared.domain.groups import Draw, Group, Seat, Terms
from shared.domain.member_risk import Candidate, trust_order
from shared.domain.ordering import best_assignment, make_order, rank, set_order
from shared.domain.rotation import drawn_order
from shared.domain.words import OrderMethod
from tests.unit.domain.things import tried

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


def test_among_equal_sums_the_earliest_rows_come_first() -> None:
    assert best_assignment([[0, 0, 0]] * 3) == [0, 1, 2]
    assert best_assignment([[1, 0, 5], [0, 1, 5], [5, 5, 5]]) == [1, 0, 2]
    assert best_assignment([[7]]) == [0]
    assert best_assignment([[0, 1], [0, 1]]) == [0, 1]


@tried
@given(square())
def test_of_all_best_orders_it_is_the_first(costs: list[list[int]]) -> None:
    def cost(order: tuple[int, ...]) -> int:
        return sum(costs[who][column] for column, who in enumerate(order))

    orders = list(permutations(range(len(costs))))
    assert tuple(best_assignment(costs)) == min(orders, key=lambda order: (cost(order), order))


def test_ten_members_rank_and_each_gets_what_can_be_had() -> None:
    wishes = [[(column - who) % 10 for column in range(10)] for who in range(10)]
    assert best_assignment(wishes) == list(range(10))


def test_preferences_are_served_and_each_is_told_which_choice_it_was() -> None:
    ranked = group("preference")
    for uid, wish in {"eve": [1, 2, 3, 4, 5], "ada": [1, 5, 2, 3, 4], "ben": [2, 1, 3, 4, 5]}.items():
        ranked = rank(ranked, uid, wish)
    order, reasons = make_order(ranked, SEED, {})
    drawn = [uid for uid in drawn_order(SEED, PEOPLE) if uid in {"cy", "dee"}]
    assert order == ["eve", "ben", *drawn, "ada"]  # who ranks nothing stands as the lot has them
    assert reasons == {
        "eve": "your choice 1 of 5",
        "ben": "your choice 1 of 5",
        "cy": "you did not rank the cycles",
        "dee": "you did not rank the cycles",
        "ada": "your choice 2 of 5",
    }


def test_where_nobody_ranks_the_lot_decides() -> None:
    assert make_order(group("preference"), SEED, {})[0] == drawn_order(SEED, PEOPLE)


def test_a_ranking_is_kept_on_its_members_seat_alone() -> None:
    wish = (2, 1, 3, 5, 4)
    ranked = rank(group("preference"), "ben", wish)
    seat = ranked.seat("ben")
    assert seat is not None
    assert seat.ranking == list(wish)
    assert [one.uid for one in ranked.seated() if one.ranking] == ["ben"]
    assert rank(group("preference"), "zoe", wish) == group("preference")


def test_the_organisers_order_is_kept_and_is_everybodys_reason() -> None:
    chosen = set_order(group("organiser"), tuple(PEOPLE[::-1]))
    assert chosen == group("organiser").with_(order=PEOPLE[::-1])
    order, reasons = make_order(chosen, SEED, {})
    assert order == PEOPLE[::-1]
    assert reasons == dict.fromkeys(PEOPLE, "set by the organiser, and accepted by everybody")


@pytest.mark.parametrize("order", [["ada", "ada", "cy", "dee", "eve"], ["ada", "ben", "cy", "dee"]])
def test_the_organisers_order_names_each_once(order: list[str]) -> None:
    with pytest.raises(NotAPermutation) as refused:
        set_order(group("organiser"), order)
    assert (refused.value.field, refused.value.facts) == ("order", {"count": 5})


def test_the_organisers_order_waits_until_all_are_there() -> None:
    early = group("organiser").with_(seats=[Seat(uid=uid, state="agreed") for uid in PEOPLE[:3]])
    with pytest.raises(OrderNotReady) as refused:
        set_order(early, PEOPLE[:3])
    assert refused.value.facts == {"missing": "2 places are free"}
    for order in ([], ["ada", "ben", "cy", "dee", "zoe"]):
        with pytest.raises(OrderNotReady) as refused:
            make_order(group("organiser").with_(order=order), SEED, {})
        assert refused.value.facts == {"missing": "the organiser has not set it for these members"}


@pytest.mark.parametrize("ranking", [[1, 2, 3, 4], [1, 1, 2, 3, 4], [0, 1, 2, 3, 4], [2, 3, 4, 5, 6]])
def test_a_ranking_is_a_permutation(ranking: list[int]) -> None:
    with pytest.raises(NotAPermutation) as refused:
        rank(group("preference"), "ada", ranking)
    assert (refused.value.field, refused.value.facts) == ("ranking", {"count": 5})


def test_each_method_has_its_own_way_and_only_while_the_group_recruits() -> None:
    with pytest.raises(OrderNotByThisMethod) as refused:
        set_order(group("random"), PEOPLE)
    assert refused.value.facts == {"method": "random"}
    with pytest.raises(OrderNotByThisMethod) as refused:
        rank(group("organiser"), "ada", [1, 2, 3, 4, 5])
    assert refused.value.facts == {"method": "organiser"}
    too_late: list[Callable[[], Group]] = [
        lambda: set_order(group("organiser").with_(state="locked"), PEOPLE),
        lambda: rank(group("preference").with_(state="locked"), "ada", [1, 2, 3, 4, 5]),
    ]
    for closed in too_late:
        with pytest.raises(GroupNotOpen):
            closed()


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
            stands_in = "; this one is earlier, and the circle's reserve stands in for it"
            words = "by your record turns from 4 on are open to you"
            assert [reasons[uid] for uid in order] == [words + stands_in] * 3 + [words] * 2
            drawn = drawn_order(SEED, PEOPLE)
            assert order == [one.member for one in trust_order([strangers[uid] for uid in drawn])]


def test_a_drawn_order_is_the_seeds() -> None:
    order, reasons = make_order(group("random"), SEED, {})
    assert order == drawn_order(SEED, PEOPLE)
    assert reasons == {uid: f"drawn: place {place} of 5" for place, uid in enumerate(order, start=1)}
    assert make_order(group("random"), bytes([1] * 32), {})[0] != order


def test_only_who_has_a_seat_is_in_the_order() -> None:
    asked = group("random").with_seat(Seat(uid="zoe", state="requested"))
    assert sorted(make_order(asked, SEED, {})[0]) == PEOPLE
