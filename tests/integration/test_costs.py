"""What a settlement costs at Firestore, counted at the client's own wire (DESIGN.md § 3, issue 2)."""

from __future__ import annotations

import dataclasses

import pytest
from google.cloud.firestore import Client

from shared.adapters.firestore_store import FirestoreStore
from shared.domain.contributions import Contribution
from shared.ports import Collection
from shared.services import process_payment_event, settle_contribution
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
