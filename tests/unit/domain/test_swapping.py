"""Swapping: two members change places, on every document that names them, and never an open cycle."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.errors import CycleOpen, NotRunning, PotsDiffer, WrongMembershipState
from shared.domain.leaving import Circle, leave, substitute
from shared.domain.swapping import swap
from tests.unit.domain.things import (
    DUE,
    GROUP,
    NOW,
    PEOPLE,
    again,
    contribution,
    due_date,
    entered,
    member,
    paid,
    running,
)

WHY = "swapped, by consent of both and the organiser"


@pytest.mark.parametrize("state", ["locked", "active"])
def test_two_turns_change_places_wherever_they_are_written(state: str) -> None:
    decision = swap(running(2, state=state), "cy", "eve", "apr_1")
    was = running(2, state=state)
    (fact,) = decision.facts
    assert (fact.id, fact.group, fact.type) == ("turns_swapped:apr_1", GROUP, "turns_swapped")
    assert fact.payload == {"members": ["cy", "eve"], "positions": [5, 3], "approval": "apr_1", "claims": []}
    assert entered(decision) == {}
    assert decision.answer == {"swapped": ["cy", "eve"], "claims": []}
    taker = {3: "eve", 5: "cy"}
    cy, eve = was.group.seat("cy"), was.group.seat("eve")
    assert cy is not None
    assert eve is not None
    group = (
        was.group.with_seat(cy.with_(position=5, placed_because=WHY))
        .with_seat(eve.with_(position=3, placed_because=WHY))
        .with_(
            schedule=[
                one.with_(recipient=taker.get(one.number, one.recipient)) for one in was.group.schedule
            ],
            act_at=NOW,
        )
    )
    expected = [
        group,
        was.members["cy"].with_(position=5),
        was.members["eve"].with_(position=3),
        *(was.turns[cycle].with_(recipient=uid) for cycle, uid in taker.items()),
        *(
            was.contributions[cycle, payer].with_(recipient=uid)
            for cycle, uid in taker.items()
            for payer in PEOPLE
        ),
    ]
    assert {one.path: one for one in decision.changed} == {one.path: one for one in expected}
    assert decision.created == []


def test_a_parked_turn_is_still_to_come() -> None:
    circle = running(2)
    circle.turns[3] = circle.turns[3].with_(state="parked")
    assert swap(circle, "cy", "dee", "apr_1").answer["swapped"] == ["cy", "dee"]


@pytest.mark.parametrize("pair", [("ben", "cy"), ("cy", "ben")])
def test_a_turn_that_was_had_is_not_swapped(pair: tuple[str, str]) -> None:
    with pytest.raises(CycleOpen) as refused:
        swap(running(2), pair[0], pair[1], "apr_1")
    assert refused.value.facts == {"cycle": 2}


def test_from_its_due_date_on_a_cycle_is_open() -> None:
    the_day_before = running(0, now=NOW + (due_date(1) - NOW.date()) - timedelta(days=1))
    assert swap(the_day_before, "ada", "ben", "apr_1").facts
    with pytest.raises(CycleOpen) as refused:
        swap(running(0, now=NOW + (DUE - NOW.date())), "ada", "ben", "apr_1")
    assert refused.value.facts == {"cycle": 1}


def left_after_paying_ahead() -> Circle:
    """Dee had paid into Eve's pot, and is gone."""
    circle = running(2)
    circle.contributions[5, "dee"] = paid("dee", 5, "eve")
    return circle


def test_a_turn_that_somebody_who_left_had_paid_for_is_not_swapped() -> None:
    """Eve owes Dee what stands in her pot: Cy would have it, and Eve pay for it (seed 282 of a few cases)."""
    circle = left_after_paying_ahead()
    leave(circle, "dee", "left")
    with pytest.raises(PotsDiffer) as refused:
        swap(again(circle), "cy", "eve", "apr_1")
    assert refused.value.facts == {"one": 3, "one_pence": 40_000, "other": 5, "other_pence": 50_000}


def test_who_owes_one_of_two_for_a_turn_and_has_paid_into_the_others_pot_keeps_their_places() -> None:
    """Ben left after his turn, had paid into Dee's pot, and owes Cy: who swapped would lose what he paid, and
    who had the claim get it twice (seed 128 of a few cases)."""
    circle = running(2)
    circle.contributions[4, "ben"] = paid("ben", 4, "dee")
    leave(circle, "ben", "left")
    with pytest.raises(PotsDiffer):
        swap(again(circle), "cy", "dee", "apr_1")
    assert swap(again(circle), "cy", "eve", "apr_1").facts  # both are owed


def test_what_was_waived_brings_nothing() -> None:
    circle = running(2)
    circle.contributions[4, "ben"] = contribution("ben", 4, "dee", state="waived")
    with pytest.raises(PotsDiffer):
        swap(again(circle), "cy", "dee", "apr_1")


def test_where_somebody_took_their_place_it_is_swapped() -> None:
    """Fay owes Dee for it, whoever's turn it is."""
    circle = left_after_paying_ahead()
    due = [contribution("fay", cycle, PEOPLE[cycle - 1]) for cycle in range(1, 6)]
    substitute(circle, "dee", member("fay", state="agreed", joined_at=NOW), due, "apr_1")
    assert swap(again(circle), "cy", "eve", "apr_2").answer["swapped"] == ["cy", "eve"]


@pytest.mark.parametrize("state", ["draft", "recruiting", "completed", "cancelled", "wound_up"])
def test_only_turns_of_a_running_circle_are_swapped(state: str) -> None:
    with pytest.raises(NotRunning) as refused:
        swap(running(2, state=state), "cy", "dee", "apr_1")
    assert refused.value.facts == {"state": state}


@pytest.mark.parametrize("pair", [("cy", "zoe"), ("zoe", "cy")])
def test_both_have_a_turn(pair: tuple[str, str]) -> None:
    with pytest.raises(WrongMembershipState) as refused:
        swap(running(2), pair[0], pair[1], "apr_1")
    assert refused.value.facts == {"needed": "active", "state": "none"}
