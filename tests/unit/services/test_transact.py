"""Load, decide, commit: what happens to whoever never comes to the end of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from shared.adapters.memory_store import MemoryStore
from shared.domain.decision import Decision
from shared.domain.errors import TryAgainLater
from shared.domain.users import User, user_ref
from shared.ports import Create, Stale, Write
from shared.services.transact import TRIES_MAX, Loaded, transact
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
