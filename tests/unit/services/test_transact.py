"""Load, decide, commit: what happens to whoever never comes to the end of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import pytest

from shared.adapters.memory_store import MemoryStore
from shared.domain.decision import Decision
from shared.domain.errors import TryAgainLater
from shared.domain.users import User, user_ref
from shared.ports import Create, OutcomeUnknown, Stale, Write
from shared.services.context import Context
from shared.services.transact import TRIES_MAX, Committed, Loaded, committed, transact
from tests.builders import STARTS, SeededChance, World


class Contended(MemoryStore):
    """Somebody else always commits first."""

    lost = 0

    def commit(self, writes: Sequence[Write]) -> None:
        self.lost += 1
        raise Stale(writes[0].path)


class Patient(SeededChance):
    """Notes how long somebody waited."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[float] = []

    def pause(self, seconds: float) -> None:
        self.waited.append(seconds)


def test_who_loses_every_time_is_asked_to_come_again() -> None:
    """No lock is held, so nobody waits for anybody; and nobody tries for ever."""
    store = Contended()
    MemoryStore.commit(store, [Create("users/ada", User(uid="ada", created_at=STARTS).data())])
    world = World(capital_pence=0)
    chance = Patient()
    ctx = dataclasses.replace(world.ctx, store=store, chance=chance)

    def decide(loaded: Loaded) -> Decision:
        user = loaded.get(user_ref("ada"))
        return Decision(answer={}, changed=[user.with_(state="closed")])

    with pytest.raises(TryAgainLater):
        transact(ctx, world.command("ada"), [user_ref("ada")], decide)
    assert store.lost == TRIES_MAX
    assert len(chance.waited) == TRIES_MAX - 1
    assert store.load("users/ada")[0].data == User(uid="ada", created_at=STARTS).data()


class Troubled(MemoryStore):
    """One commit in trouble: another's comes first, or its answer is lost."""

    before: Callable[[], object] | None = None
    lost = False

    def commit(self, writes: Sequence[Write]) -> None:
        before, self.before = self.before, None
        if before is not None:
            before()
        super().commit(writes)
        if self.lost:
            self.lost = False
            raise OutcomeUnknown


def with_ada(store: MemoryStore) -> tuple[World, Context]:
    store.commit([Create("users/ada", User(uid="ada", created_at=STARTS).data())])
    world = World(capital_pence=0)
    return world, dataclasses.replace(world.ctx, store=store)


def pays_by(payer: str) -> Callable[[Loaded], Decision]:
    """Take up a payer where there is none."""

    def decide(loaded: Loaded) -> Decision:
        user = loaded.get(user_ref("ada"))
        if user.payer is not None:
            return Decision(answer={"payer": user.payer})
        return Decision(answer={"payer": payer}, changed=[user.with_(payer=payer)])

    return decide


def test_what_was_committed_is_the_decision_that_stood_not_one_that_came_too_late() -> None:
    store = Troubled()
    world, ctx = with_ada(store)
    refs = [user_ref("ada")]
    store.before = lambda: transact(ctx, world.command("ada"), refs, pays_by("cus_first"))
    done = committed(ctx, world.command("ada"), refs, pays_by("cus_second"))
    assert (done.decision.answer, done.decision.is_empty) == ({"payer": "cus_first"}, True)
    assert done.after(user_ref("ada")).payer == "cus_first"


@pytest.mark.parametrize("lost", [False, True], ids=["asked twice", "asked once, the answer lost"])
def test_a_recorded_answer_comes_with_no_change_and_the_documents_as_they_stand(*, lost: bool) -> None:
    store = Troubled()
    world, ctx = with_ada(store)
    command = world.command("ada", key="one-request")

    def asked() -> Committed:
        return committed(ctx, command, [user_ref("ada")], pays_by("cus_first"))

    store.lost = lost
    again = asked() if lost else [asked(), asked()][-1]
    assert again.decision == Decision(answer={"payer": "cus_first"})
    assert again.after(user_ref("ada")).payer == "cus_first"
    assert again.loaded.get(user_ref("ada")).payer == "cus_first"
