"""The progress document is right after each fact, in whatever order facts are told, and however often."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.memory_store import MemoryStore
from shared.domain.errors import NoSuchThing
from shared.ports import Write
from shared.services import leave_group, read_progress, show_progress
from tests.builders import Circle, HeldMessages, World


class ToldFacts(HeldMessages):
    """Messages that keep those about facts apart."""

    def __init__(self) -> None:
        super().__init__()
        self.facts: list[str] = []

    def publish(self, topic: str, message: Mapping[str, Any]) -> None:
        super().publish(topic, message)
        if topic == "facts":
            self.facts.append(message["group"])


class MeddledStore(MemoryStore):
    """A store in which something else happens right before the next commit."""

    def __init__(self) -> None:
        super().__init__()
        self.meddle: Callable[[], None] | None = None

    def commit(self, writes: Sequence[Write]) -> None:
        if self.meddle is not None:
            meddle, self.meddle = self.meddle, None
            meddle()
        super().commit(writes)


@pytest.fixture
def world() -> World:
    return World(store=MeddledStore(), messages=ToldFacts())


def show(circle: Circle) -> None:
    show_progress.show(circle.world.ctx, circle.world.command("system:show_progress"), circle.id)


def shown(circle: Circle) -> dict[str, Any]:
    """What members read by the rules, without the mark of its changes."""
    (found,) = circle.world.store.load(f"groups/{circle.id}/progress/current")
    return {name: value for name, value in (found.data or {}).items() if name != "revision"}


def asked(circle: Circle) -> dict[str, Any]:
    """What the API answers, from the state itself."""
    return read_progress.progress(circle.world.ctx, circle.recipient(1), circle.id)


def live_a_day(circle: Circle) -> None:
    circle.world.advance_to(circle.world.clock.moment.date() + timedelta(days=1))


@pytest.mark.parametrize("show_payers", ["names", "counts"])
def test_it_follows_a_circle_to_its_end(world: World, show_payers: str) -> None:
    chance = random.Random(5)
    circle = world.circle(world.people(5), frequency="weekly", show_payers=show_payers)
    seen = []
    while circle.group.state != "completed":
        live_a_day(circle)
        facts, world.messages.facts = world.messages.facts, []
        told = facts + chance.sample(facts, len(facts) // 2)
        for _ in told:
            show(circle)
        if told:
            assert shown(circle) == asked(circle)
            seen.append(shown(circle))
    assert {one["cycle"] for one in seen} == {1, 2, 3, 4, 5, None}
    full = [one for one in seen if one["members_paid"] == 5]
    assert {one["cycle"] for one in full} == {1, 2, 3, 4, 5}
    names = sorted(seat.uid for seat in circle.group.seats) if show_payers == "names" else None
    assert all(one["paid_by"] == names for one in full)


def test_the_pot_that_arrives_opens_the_next_cycle_by_a_fact(world: World) -> None:
    circle = world.circle(world.people(5))
    while not circle.facts("cycle_closed"):
        live_a_day(circle)
    (fact,) = circle.facts("cycle_closed")
    assert (fact.id, fact.payload) == ("cycle_closed:1", {"cycle": 1})
    show(circle)
    assert shown(circle)["cycle"] == 2


def test_who_leaves_takes_part_no_more(world: World) -> None:
    circle = world.circle(world.people(5))
    leaver = circle.recipient(4)
    world.settle()
    live_a_day(circle)
    leave_group.leave(world.ctx, world.command(leaver), circle.id)
    show(circle)
    assert (shown(circle)["members"], shown(circle)) == (4, asked(circle))


@pytest.mark.parametrize("before", [False, True], ids=["its first", "a later one"])
def test_who_is_overtaken_looks_again(world: World, before: bool) -> None:
    """One reads that nobody has paid; before it writes, all pay and another one shows that."""
    circle = world.circle(world.people(5))
    if before:
        show(circle)

    def everybody_pays() -> None:
        world.advance_to(circle.due(1))
        show(circle)

    world.store.meddle = everybody_pays  # type: ignore[attr-defined]
    show(circle)
    assert shown(circle)["members_paid"] == 5


def test_one_that_finds_nothing_new_still_bars_an_older_reading(world: World) -> None:
    """It changes the document all the same, so that who read less before it must look again."""
    circle = world.circle(world.people(5))
    show(circle)
    unchanged = shown(circle)
    revisions = []
    for _ in range(2):
        show(circle)
        (found,) = world.store.load(f"groups/{circle.id}/progress/current")
        revisions.append((found.data or {})["revision"])
    assert shown(circle) == unchanged
    assert revisions == [1, 2]


def test_a_circle_that_is_not_there_has_none(world: World) -> None:
    with pytest.raises(NoSuchThing):
        show_progress.show(world.ctx, world.command("system:show_progress"), "grp_none")
