"""The two races of DESIGN.md § 5, each in sixty circles on Firestore: two threads, one pot."""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest
from google.cloud.firestore import Client

from shared.adapters.firestore_store import FirestoreStore
from shared.domain.errors import Refusal
from shared.domain.ledger import Balances, discrepancies, overdrawn
from shared.ports import Dispute, Movement
from shared.services import pay_out, send_payout, settle_contribution, take_back_contribution
from tests.builders import Circle, World

CIRCLES = 60
CONTRIBUTION_PENCE = 10_000


def at_once(*steps: Callable[[], object]) -> None:
    """Run steps in threads that begin together; a refusal is an answer, anything else fails the test."""
    gate = threading.Barrier(len(steps))
    failures: list[BaseException] = []

    def run(step: Callable[[], object]) -> None:
        gate.wait()
        try:
            step()
        except Refusal:
            pass  # told why; the queue would bring it again
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=[step]) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@pytest.fixture
def world(firestore_client: Client) -> World:
    return World(store=FirestoreStore(lambda: firestore_client))


@pytest.fixture
def circles(world: World) -> list[Circle]:
    """Circles of the same five people whose first pot is charged in full, and nothing recorded of it yet."""
    people = world.people(5)
    made = [world.planted(people, default_policy="pay_cleared") for _ in range(CIRCLES)]
    world.charge_without_recording(made[0].due(1))
    world.clock.moment = world.clock.moment.replace(day=made[0].pays_out(1).day)
    return made


def record(world: World, circle: Circle, uid: str) -> None:
    """Record what was charged of a member's first contribution."""
    collection = world.charged(circle.contribution(1, uid))
    settle_contribution.record_collection(world.ctx, world.command("system:test"), collection)


def assert_sound(circle: Circle) -> Balances:
    balances = circle.stand()
    assert overdrawn(balances) == []
    assert discrepancies(balances) == []
    return balances


def test_a_settlement_that_races_the_reservation_is_in_the_pot_or_on_its_way_to_the_recipient(
    world: World, circles: list[Circle]
) -> None:
    outcomes: Counter[str] = Counter()
    for circle in circles:
        recipient = circle.recipient(1)
        *others, last = [seat.uid for seat in circle.group.seated() if seat.uid != recipient]
        for uid in [recipient, *others]:
            record(world, circle, uid)
        collection = world.charged(circle.contribution(1, last))
        ctx, command, payout = world.ctx, world.command("system:test"), circle.payout(1)

        at_once(
            partial(settle_contribution.record_collection, ctx, command, collection),
            partial(pay_out.reserve_payout, ctx, command, payout),
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
    assert outcomes["topped up"], f"the settlement never came second: {outcomes}"


def test_a_dispute_that_races_the_sending_voids_it_first_or_is_the_houses_to_carry(
    world: World, circles: list[Circle]
) -> None:
    outcomes: Counter[str] = Counter()
    for number, circle in enumerate(circles):
        members = [seat.uid for seat in circle.group.seated()]
        for uid in members:
            record(world, circle, uid)
        payout = circle.payout(1)
        ctx, command = world.ctx, world.command("system:test")
        pay_out.reserve_payout(ctx, command, payout)
        assert circle.payout(1).state == "reserved"
        dispute = dispute_of(world, circle, members[0], f"txn_race_{number}")

        at_once(
            partial(take_back_contribution.record_dispute, ctx, command, dispute),
            partial(send_payout.send_payout, ctx, command, circle.id, payout.id),
        )

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


def dispute_of(world: World, circle: Circle, uid: str, movement: str) -> Dispute:
    """A dispute of a settled contribution, as the processor would tell it."""
    collection = world.charged(circle.contribution(1, uid))
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
