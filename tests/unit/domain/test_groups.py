"""Groups: places that are given up before the lock."""

from __future__ import annotations

from typing import Any, Literal, cast

import pytest

from shared.domain.errors import InvitationInvalid, NoSuchThing, OrganiserNeeded, WrongMembershipState
from shared.domain.groups import Group, Seat, give_up_place, is_spent, take_place
from tests.unit.domain.things import running

STATES = ("invited", "requested", "approved", "agreed")


def forming(*seats: Seat) -> Group:
    organiser = Seat(uid="ada", state="agreed", role="organiser")
    return running().group.with_(state="recruiting", schedule=[], seats=[organiser, *seats])


@pytest.mark.parametrize("to", ["left", "removed"])
@pytest.mark.parametrize("state", STATES)
def test_a_place_that_was_given_can_be_given_up_and_no_other(state: Any, to: Any) -> None:
    group = forming(Seat(uid="ben", state=state))
    if state in {"approved", "agreed"}:
        after = give_up_place(group, "ben", cast(Literal["left", "removed"], to))
        assert after.seat("ben") is None
        assert [one.state for one in after.seats] == ["agreed", to]
    else:
        with pytest.raises(WrongMembershipState):
            give_up_place(group, "ben", to)


def test_the_organiser_stays_and_a_stranger_has_no_place() -> None:
    with pytest.raises(OrganiserNeeded):
        give_up_place(forming(), "ada", "removed")
    with pytest.raises(NoSuchThing):
        give_up_place(forming(), "zoe", "removed")


def test_a_code_is_spent_once_who_came_by_it_was_removed_and_not_when_they_left() -> None:
    group = take_place(forming(), "ben", None, "code 1")
    left = give_up_place(group, "ben", "left")
    assert not is_spent(left, "code 1", None)
    assert take_place(left, "ben", None, "code 1").seat("ben") is not None
    removed = give_up_place(group, "ben", "removed")
    with pytest.raises(InvitationInvalid):
        take_place(removed, "ben", None, "code 1")
    assert take_place(removed, "ben", None, "code 2").seat("ben") is not None
