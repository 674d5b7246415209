"""Load, decide, commit: what happens to whoever never comes to the end of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import pytest

from shared.adapters.memory_store import MemoryStore
from shared.domain.decision import Decision
from shared.domain.errors import FactChanged, TryAgainLater, UnknownObject
from shared.domain.journal import News
from shared.domain.users import User, user_ref
from shared.ports import Create, OutcomeUnknown, Stale, Update, Write
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


# --- what cannot be -----------------------------------------------------------------------------------------


class Torn(MemoryStore):
    """Commits that lose to others, `conflicts` of them. Then somebody comes `between` the reads of a load, or
    `before` a commit, once."""

    conflicts = 0
    between: Callable[[], object] | None = None
    before: Callable[[], object] | None = None
    loads = 0

    def __init__(self) -> None:
        super().__init__(self._one_after_another)

    def _one_after_another(self, paths: Sequence[str]) -> Iterator[str]:
        self.loads += 1
        yield from paths[:-1]
        self._others_come("between")
        yield from paths[-1:]

    def commit(self, writes: Sequence[Write]) -> None:
        if self.conflicts:
            self.conflicts -= 1
            raise Stale("contention")
        self._others_come("before")
        super().commit(writes)

    def _others_come(self, when: str) -> None:
        come = getattr(self, when)
        if come is not None and not self.conflicts:
            setattr(self, when, None)
            come()


def with_a_couple(*, conflicts: int) -> tuple[Torn, World, Context]:
    """Ada and Ben, whose payer is the same at any moment."""
    store = Torn()
    world, ctx = with_ada(store)
    store.commit([Create("users/ben", User(uid="ben", created_at=STARTS).data())])
    store.conflicts = conflicts
    return store, world, ctx


COUPLE = [user_ref("ada"), user_ref("ben")]


def both_pay_by(payer: str) -> Callable[[Loaded], Decision]:
    """Take up a payer for both, and write it into the journal; what differs between them cannot be."""

    def decide(loaded: Loaded) -> Decision:
        ada, ben = (loaded.get(ref) for ref in COUPLE)
        if ada.payer != ben.payer:
            raise UnknownObject(thing="payer", reference="of one of them alone")
        if ada.payer is not None:
            return Decision(answer={"payer": ada.payer})
        fact = News(id="payer", group="grp_a", type="payer_taken_up", payload={"payer": payer})
        changed = [one.with_(payer=payer) for one in (ada, ben)]
        return Decision(answer={"payer": payer}, facts=[fact], changed=changed)

    return decide


@pytest.mark.parametrize("conflicts", [0, 2, 5])
def test_what_a_torn_read_shows_is_not_believed_however_often_others_came_before(conflicts: int) -> None:
    store, world, ctx = with_a_couple(conflicts=conflicts)
    store.between = lambda: transact(ctx, world.command("ben"), COUPLE, both_pay_by("cus_ben"))
    answer = transact(ctx, world.command("ada"), COUPLE, both_pay_by("cus_ada"))
    assert answer == {"payer": "cus_ben"}


def test_what_two_looks_show_alike_is_believed() -> None:
    store, world, ctx = with_a_couple(conflicts=0)
    store.commit(
        [Update("users/ada", {"payer": "cus_ada", "revision": 1}, store.load("users/ada")[0].version)]
    )
    store.loads = 0
    with pytest.raises(UnknownObject):
        transact(ctx, world.command("ada"), COUPLE, both_pay_by("cus_ada"))
    assert store.loads == 2


@pytest.mark.parametrize("conflicts", [0, 2, 5])
def test_a_fact_that_was_there_first_is_no_contradiction_to_who_had_not_seen_its_change(
    conflicts: int,
) -> None:
    """Seed 963: after two lost rounds, one look was believed, and an event was parked for nothing."""
    store, world, ctx = with_a_couple(conflicts=conflicts)
    store.before = lambda: transact(ctx, world.command("ben"), COUPLE, both_pay_by("cus_ben"))
    assert transact(ctx, world.command("ada"), COUPLE, both_pay_by("cus_ada")) == {"payer": "cus_ben"}


def test_a_fact_that_says_something_else_than_what_follows_from_all_that_stands_is_never_hidden() -> None:
    """Whatever wrote the fact without its change: an error of ours."""
    store, world, ctx = with_a_couple(conflicts=2)
    news = News(id="payer", group="grp_a", type="payer_taken_up", payload={"payer": "cus_ben"})
    fact = news.recorded(STARTS, STARTS, "ben", "cmd_ben")
    MemoryStore.commit(store, [Create(fact.path, fact.data())])
    with pytest.raises(FactChanged):
        transact(ctx, world.command("ada"), COUPLE, both_pay_by("cus_ada"))
