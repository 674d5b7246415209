"""Swapping turns: two members change places, by consent of both and of the organiser (DESIGN.md § 7)."""

from __future__ import annotations

from shared.domain.calendar import london_day
from shared.domain.decision import Decision
from shared.domain.errors import CycleOpen, NotRunning, PotsDiffer
from shared.domain.leaving import AHEAD, Circle


def swap(circle: Circle, one: str, other: str, approval: str) -> Decision:
    """Both turns are still to come, so nothing was promised that changes: only who takes which pot.

    Loses against an open cycle: from its due date on, a cycle's recipient is who its payers paid for. Turns
    change places only while they bring the same: who left had perhaps paid ahead for one of them, or owes to
    a person what they owed to a pot. Raises as `check`.
    """
    place = check(circle, one, other)
    _take(circle, one, place[other])
    _take(circle, other, place[one])
    payload = {"members": [one, other], "positions": [place[other], place[one]], "approval": approval}
    return circle.decision(f"turns_swapped:{approval}", "turns_swapped", payload, {"swapped": [one, other]})


def check(circle: Circle, one: str, other: str) -> dict[str, int]:
    """Both their turns, if they may change places.

    Raises NotRunning, WrongMembershipState, CycleOpen, PotsDiffer.
    """
    if circle.group.state not in {"locked", "active"}:
        raise NotRunning(state=circle.group.state)
    place = {uid: circle.position(uid) for uid in (one, other)}
    today = london_day(circle.now)
    for cycle in place.values():
        if circle.turns[cycle].state not in AHEAD or circle.group.cycle(cycle).due_date <= today:
            raise CycleOpen(cycle=cycle)
    one_pence, other_pence = (_brings_pence(circle, place[uid]) for uid in (one, other))
    if one_pence != other_pence:
        raise PotsDiffer(one=place[one], one_pence=one_pence, other=place[other], other_pence=other_pence)
    return place


def _brings_pence(circle: Circle, cycle: int) -> int:
    """What a turn to come brings: what is in its pot, and what is still to be put in."""
    theirs = [one for (number, _), one in circle.contributions.items() if number == cycle]
    return sum(one.in_pot_pence + (one.left_pence if one.state == "due" else 0) for one in theirs)


def _take(circle: Circle, uid: str, cycle: int) -> None:
    """One member takes a cycle: on the calendar, on the roster, on its payout and its contributions."""
    seat = circle.group.seat(uid)
    assert seat is not None  # noqa: S101 - who has a position has a seat
    schedule = [day.with_(recipient=uid) if day.number == cycle else day for day in circle.group.schedule]
    circle.group = circle.group.with_seat(
        seat.with_(position=cycle, placed_because="swapped, by consent of both and the organiser")
    ).with_(schedule=schedule)
    circle.members[uid] = circle.members[uid].with_(position=cycle)
    circle.turns[cycle] = circle.turns[cycle].with_(recipient=uid)
    for (number, _), contribution in list(circle.contributions.items()):
        if number == cycle:
            circle.put(contribution.with_(recipient=uid))
