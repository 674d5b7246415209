"""What the way of the money costs at Firestore, counted at the client's own wire (DESIGN.md § 3, issue 2)."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from shared.adapters.firestore_client import Client
from shared.adapters.firestore_store import FirestoreStore
from shared.domain.calendar import opening_of
from shared.domain.contributions import Contribution
from shared.domain.payouts import Payout
from shared.ports import Collection
from shared.services import (
    process_payment_event,
    relay,
    reserve_payout,
    seal_facts,
    send_payout,
    settle_contribution,
)
from tests.builders import Circle, World
from tests.contract.counting import counting


@dataclasses.dataclass
class Charged:
    """A circle on Firestore with one contribution charged at Stripe, and nothing recorded of it yet."""

    world: World
    circle: Circle
    contribution: Contribution
    collection: Collection


@pytest.fixture
def charged(firestore_client: Client) -> Charged:
    world = World(store=FirestoreStore(lambda: firestore_client))
    circle = world.circle(world.people(5))
    world.charge_without_recording(circle.due(1))
    contribution = circle.contribution(1, circle.recipient(2))
    return Charged(world, circle, contribution, world.charged(contribution))


def test_a_settlement_reads_one_document_and_writes_three_beside_the_mark(
    charged: Charged, firestore_client: Client
) -> None:
    command = charged.world.command("system:test")
    with counting(firestore_client) as costs:
        settle_contribution.record_collection(charged.world.ctx, command, charged.collection)

    assert charged.circle.contribution(1, charged.contribution.uid).state == "covered"
    # One batched read; one commit of fact, contribution and balances; one commit of the mark.
    assert (costs.documents_read, costs.documents_written, costs.waits) == (1, 3 + 1, 3)


def test_a_duplicate_webhook_reads_one_document_and_writes_none(
    charged: Charged, firestore_client: Client
) -> None:
    command = charged.world.command("system:test")
    settle_contribution.record_collection(charged.world.ctx, command, charged.collection)
    event = charged.world.thin_event("payment_intent.succeeded", charged.collection.reference)

    with counting(firestore_client) as costs:
        process_payment_event.process(charged.world.ctx, event)

    assert (costs.documents_read, costs.documents_written) == (1, 0)


@pytest.fixture
def payable(charged: Charged) -> Charged:
    """That circle on the day of its first pot, all five contributions settled and cleared."""
    world, circle = charged.world, charged.circle
    world.control("POST", "webhooks/release", {})
    world.settle()
    world.advance_to(circle.pays_out(1) - timedelta(days=1))
    world.clock.moment = opening_of(circle.pays_out(1))
    return charged


def reserve(payable: Charged, payout: Payout) -> str:
    answer = reserve_payout.reserve_payout(payable.world.ctx, payable.world.command("system:test"), payout)
    return str(answer["state"])


def send(payable: Charged, payout: Payout) -> str:
    command = payable.world.command("system:test")
    answer = send_payout.send_payout(payable.world.ctx, command, payout.group, payout.id)
    return str(answer["state"])


def test_a_reservation_waits_three_times_for_the_fraud_checks_and_three_times_for_itself(
    payable: Charged, firestore_client: Client
) -> None:
    payout = payable.circle.payout(1)
    with counting(firestore_client) as costs:
        assert reserve(payable, payout) == "reserved"

    # The fraud checks: 4 requests for what is the recipient's own, beside the group; 3 for the circle and for
    # who shows the same; 1 for the others in it. Then one batched read, one commit, and one of the mark.
    assert (costs.requests, costs.waits) == (4 + 3 + 1 + 3, 1 + 1 + 1 + 3)
    assert (costs.documents_read, costs.documents_written) == (10 + 3 + 8 + 9, 10 + 1)


def test_a_payout_that_is_sent_waits_once_to_find_it_and_for_each_of_its_steps(
    payable: Charged, firestore_client: Client
) -> None:
    payout = payable.circle.payout(1)
    reserve(payable, payout)
    with counting(firestore_client) as costs:
        assert send(payable, payout) == "sent"

    # The payout; the fraud checks, with the recipient's account; begun, sent and on its way to the bank, each
    # with a batched read, a commit and the mark; and between, the account as the processor tells of it.
    assert (costs.requests, costs.waits) == (1 + 8 + 3 + 3 + 1 + 3, 1 + 3 + 3 + 3 + 1 + 3)
    assert (costs.documents_read, costs.documents_written) == (1 + 20 + 1 + 1 + 1 + 1, 10)


def test_a_payout_that_is_not_to_be_sent_now_costs_one_read(
    payable: Charged, firestore_client: Client
) -> None:
    payout = payable.circle.payout(1)
    reserve(payable, payout)
    payable.world.clock.moment -= timedelta(days=1)
    with counting(firestore_client) as costs:
        assert send(payable, payout) == "reserved"
    assert (costs.documents_read, costs.documents_written, costs.waits) == (1, 0, 1)


def test_a_tick_of_the_relay_with_nothing_to_do_asks_once_what_to_publish_and_once_what_to_seal(
    firestore_client: Client,
) -> None:
    world = World(store=FirestoreStore(lambda: firestore_client))
    with counting(firestore_client) as costs:
        command = world.command("system:relay")
        told = relay.relay(world.ctx, command) | seal_facts.seal_facts(world.ctx, command)

    assert told == {"published": 0, "sealed": 0, "tail_seconds": 0}
    assert (costs.documents_read, costs.documents_written, costs.waits) == (2, 0, 2)
