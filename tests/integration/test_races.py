"""The two races of DESIGN.md § 5, each in sixty circles on Firestore: two threads, one pot."""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

import pytest

from shared.adapters.firestore_client import Client
from shared.adapters.firestore_store import FirestoreStore
from shared.domain.calendar import opening_of
from shared.domain.contributions import Contribution, next_attempt
from shared.domain.errors import Refusal
from shared.domain.ledger import Balances, discrepancies, overdrawn
from shared.ports import Collection, Dispute, Movement, Snapshot, Update, Write
from shared.services import reserve_payout, send_payout, settle_contribution, take_back_contribution
from tests.builders import Circle, World

CIRCLES = 60
CONTRIBUTION_PENCE = 10_000


class WatchedStore(FirestoreStore):
    """Firestore, telling when a thread has loaded and when it is about to commit."""

    def __init__(self, client: Client) -> None:
        super().__init__(lambda: client)
        self.moments: dict[str, threading.Event] = {}

    def load(self, *paths: str) -> list[Snapshot]:
        loaded = super().load(*paths)
        self._tell("loaded")
        return loaded

    def commit(self, writes: Sequence[Write]) -> None:
        self._tell("commits")
        super().commit(writes)

    def _tell(self, what: str) -> None:
        if moment := self.moments.get(f"{threading.current_thread().name} {what}"):
            moment.set()


def at_once(
    store: WatchedStore, first: Callable[[], object], second: Callable[[], object], turn: int
) -> None:
    """Run two steps in two threads: by turns both begin together, or the second as soon as the first has
    loaded, or as soon as it commits. A refusal is an answer; anything else fails the test."""
    wait_for = [None, "first loaded", "first commits"][turn % 3]
    store.moments = {wait_for: threading.Event()} if wait_for else {}
    failures: list[BaseException] = []

    def run(step: Callable[[], object], moment: threading.Event | None) -> None:
        if moment is not None:
            moment.wait(timeout=30)
        try:
            step()
        except Refusal:
            pass  # told why; the queue would bring it again
        except BaseException as failure:
            failures.append(failure)

    threads = [
        threading.Thread(name="first", target=run, args=[first, None]),
        threading.Thread(name="second", target=run, args=[second, store.moments.get(wait_for or "")]),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@pytest.fixture
def store(firestore_client: Client) -> WatchedStore:
    return WatchedStore(firestore_client)


@pytest.fixture
def world(store: WatchedStore) -> World:
    return World(store=store)


@pytest.fixture
def circles(world: World) -> list[Circle]:
    """Circles of the same five people whose first pot is being collected, on the day on which it pays out."""
    people = world.people(5)
    pots = CIRCLES * 5 * CONTRIBUTION_PENCE
    world.stripe_request("POST", "/v1/topups", {"amount": str(pots), "currency": "gbp"})
    made = [world.planted(people, default_policy="pay_cleared") for _ in range(CIRCLES)]
    for circle in made:
        submitted = [submitting(circle.contribution(1, uid)) for uid in people]
        snapshots = world.store.load(*(one.path for one in submitted))
        world.store.commit(
            [
                Update(one.path, one.data(), found.version)
                for one, found in zip(submitted, snapshots, strict=True)
            ]
        )
    world.clock.moment = opening_of(made[0].pays_out(1))
    return made


def submitting(contribution: Contribution) -> Contribution:
    """With an attempt of which the processor has been asked, and nothing heard yet."""
    due = opening_of(contribution.due_date)
    return contribution.with_attempt(next_attempt(contribution, "pm_race", "card", CONTRIBUTION_PENCE, due))


def collected(contribution: Contribution) -> Collection:
    """What the processor says of that attempt: settled, and cleared by the payout's day."""
    attempt = contribution.attempts[-1]
    due = opening_of(contribution.due_date)
    return Collection(
        reference=f"pi_{attempt.id}",
        labels={
            "group": contribution.group,
            "contribution": contribution.id,
            "attempt": attempt.id,
        },
        state="settled",
        amount_pence=CONTRIBUTION_PENCE,
        currency="gbp",
        live=False,
        movement=Movement(
            reference=f"txn_{attempt.id}",
            kind="collection",
            amount_pence=CONTRIBUTION_PENCE,
            fee_pence=170,
            currency="gbp",
            created_at=due,
            available_on=due,
            source=f"ch_{attempt.id}",
        ),
    )


def record(world: World, circle: Circle, uid: str) -> None:
    """Record that a member's first contribution has settled."""
    collection = collected(circle.contribution(1, uid))
    settle_contribution.record_collection(world.ctx, world.command("system:test"), collection)


def assert_sound(circle: Circle) -> Balances:
    balances = circle.stand()
    assert overdrawn(balances) == []
    assert discrepancies(balances) == []
    return balances


def test_a_settlement_that_races_the_reservation_is_in_the_pot_or_on_its_way_to_the_recipient(
    world: World, store: WatchedStore, circles: list[Circle]
) -> None:
    outcomes: Counter[str] = Counter()
    for turn, circle in enumerate(circles):
        recipient = circle.recipient(1)
        *others, last = [seat.uid for seat in circle.group.seated() if seat.uid != recipient]
        for uid in [recipient, *others]:
            record(world, circle, uid)
        collection = collected(circle.contribution(1, last))
        ctx, command, payout = world.ctx, world.command("system:test"), circle.payout(1)

        at_once(
            store,
            partial(reserve_payout.reserve_payout, ctx, command, payout),
            partial(settle_contribution.record_collection, ctx, command, collection),
            turn,
        )

        balances = assert_sound(circle)
        assert balances.total("cash") == 5 * CONTRIBUTION_PENCE
        state, amount = circle.payout(1).state, circle.payout(1).amount_pence
        if circle.contribution(1, last).counted_in is None:
            # Settled first, and uncleared or re-judged: the pot waits whole.
            assert (state, balances.total("pot")) == ("scheduled", 5 * CONTRIBUTION_PENCE)
            outcomes["waits"] += 1
        else:
            # None of it is stranded in the pot: all is payable, as one payout or as payout and top-up.
            assert (state, balances.total("pot")) == ("reserved", 0)
            assert balances.total("payable") == 5 * CONTRIBUTION_PENCE
            assert circle.member(last).owes_pence() == 0
            outcomes["whole" if amount == 5 * CONTRIBUTION_PENCE else "topped up"] += 1
    assert outcomes.total() == CIRCLES
    # Both orders happened, or this was no race.
    assert outcomes["topped up"]
    assert outcomes["whole"]


def test_a_dispute_that_races_the_sending_voids_it_first_or_is_the_houses_to_carry(
    world: World, store: WatchedStore, circles: list[Circle]
) -> None:
    outcomes: Counter[str] = Counter()
    for turn, circle in enumerate(circles):
        members = [seat.uid for seat in circle.group.seated()]
        for uid in members:
            record(world, circle, uid)
        payout = circle.payout(1)
        ctx, command = world.ctx, world.command("system:test")
        reserve_payout.reserve_payout(ctx, command, payout)
        assert circle.payout(1).state == "reserved"
        dispute = dispute_of(circle, members[0], f"txn_race_{turn}")

        steps: list[Callable[[], object]] = [
            partial(send_payout.send_payout, ctx, command, circle.id, payout.id),
            partial(take_back_contribution.record_dispute, ctx, command, dispute),
        ]
        first, second = steps if turn % 2 else reversed(steps)
        at_once(store, first, second, turn)

        balances = assert_sound(circle)
        state = circle.payout(1).state
        if state == "void":
            assert balances.total("pot") == 4 * CONTRIBUTION_PENCE
            assert circle.contribution(1, members[0]).state == "due"
            assert circle.payout(1, number=2).state == "scheduled"
            outcomes["voided"] += 1
        else:
            assert state in {"submitting", "sent"}
            assert balances.total("pot") == 0
            assert [debt.creditor for debt in circle.member(members[0]).open_debts()] == ["house"]
            outcomes["after"] += 1
    assert outcomes.total() == CIRCLES
    assert outcomes["voided"]
    assert outcomes["after"]


def dispute_of(circle: Circle, uid: str, movement: str) -> Dispute:
    """A dispute of a settled contribution, as the processor would tell it."""
    collection = collected(circle.contribution(1, uid))
    assert collection.movement is not None
    taken: Movement = dataclasses.replace(
        collection.movement,
        reference=movement,
        kind="dispute",
        amount_pence=-CONTRIBUTION_PENCE,
        fee_pence=2_000,
    )
    return Dispute(
        reference=f"dp_{movement}",
        collection=collection.reference,
        labels=collection.labels,
        state="open",
        amount_pence=CONTRIBUTION_PENCE,
        currency="gbp",
        live=False,
        movements=(taken,),
    )
