"""A thousand webhooks, each sent twice, eight at once, over twenty circles on a Firestore that has its day.

The auditor is the simulation's own: it folds the journal anew and looks at the local Stripe's objects.
"""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from grpc import StatusCode

from shared.adapters.firestore_client import Client
from shared.adapters.firestore_store import FirestoreStore
from shared.adapters.stripe_gateway.news import thin
from shared.domain.calendar import opening_of
from shared.domain.contributions import Contribution, next_attempt
from shared.domain.errors import Busy
from shared.domain.users import payment_methods_ref, user_ref
from shared.ports import CollectionRequest, Query, ThinEvent, Update
from shared.services import relay
from tests.builders import World
from tests.contract.faults import failing
from tests.simulation.auditor import Auditor

CIRCLES, MEMBERS, CYCLES = 20, 10, 5
WEBHOOKS = CIRCLES * MEMBERS * CYCLES
AT_ONCE = 8
TRIES_MAX = 10
"""As often as Pub/Sub would bring a message again."""


def charged_and_unrecorded(world: World) -> list[ThinEvent]:
    """The news of every contribution of the first cycles: each is charged, and nothing is recorded of it."""
    people = world.people(MEMBERS)
    first = world.clock.moment.date() + timedelta(days=40)
    circles = [world.planted(people, first_due_date=first) for _ in range(CIRCLES)]
    world.clock.moment = opening_of(circles[0].due(CYCLES))
    for circle in circles:
        for cycle in range(1, CYCLES + 1):
            charge(world, [circle.contribution(cycle, uid) for uid in people])
    events = world.control("GET", "events", {"type": "payment_intent.succeeded"})
    return [thin(event, None) for event in events]


def charge(world: World, contributions: list[Contribution]) -> None:
    for one in contributions:
        found = world.store.load(payment_methods_ref(one.uid).path, user_ref(one.uid).path, one.path)
        methods, user, contribution = ((snapshot.data or {}) for snapshot in found)
        assert contribution["state"] == "due"
        method = methods["methods"][0]["reference"]
        attempt = next_attempt(one, method, "card", one.amount_pence, world.clock.now())
        request = CollectionRequest(
            attempt=attempt.id,
            group=one.group,
            contribution=one.id,
            cycle=one.cycle,
            payer=user["payer"],
            method=method,
            method_kind="card",
            amount_pence=one.amount_pence,
        )
        world.ctx.gateway.collect(request)
        world.store.commit([Update(one.path, one.with_attempt(attempt).data(), found[2].version)])


def process(world: World, event: ThinEvent) -> None:
    """What Pub/Sub does with a message, without its pauses."""
    for _ in range(TRIES_MAX):
        try:
            answer = world.process(event)
        except Busy:
            continue
        assert "quarantined" not in answer
        return
    raise AssertionError(f"{event.id} was never taken")


def audited(world: World) -> Auditor:
    kinds = ("journal", "ledger", "members", "contributions", "payouts")
    found = world.store.read_consistently(*(Query(kind, group=True) for kind in kinds))
    auditor = Auditor(world.stripe.world, lambda: datetime.now(UTC))
    auditor.take_over({one.path: dict(one.data or {}) for documents in found for one in documents})
    auditor.look(1)
    return auditor


def test_each_is_booked_once_and_every_invariant_holds(firestore_client: Client) -> None:
    world = World(store=FirestoreStore(lambda: firestore_client))
    events = charged_and_unrecorded(world)
    assert len(events) == WEBHOOKS
    twice = [*events, *events]
    random.Random(2).shuffle(twice)

    with (
        failing(firestore_client, "Commit", StatusCode.ABORTED, times=60),
        failing(firestore_client, "Commit", StatusCode.UNAVAILABLE, times=20),
        failing(firestore_client, "Commit", StatusCode.DEADLINE_EXCEEDED, times=20, applied=True),
        failing(firestore_client, "BatchGetDocuments", StatusCode.UNAVAILABLE, times=20),
        ThreadPoolExecutor(AT_ONCE) as threads,
    ):
        list(threads.map(lambda event: process(world, event), twice))

    world.clock.moment += timedelta(minutes=2)
    while relay.relay(world.ctx, world.command("system:relay"))["published"]:
        pass  # what lost its mark to the trouble
    auditor = audited(world)
    assert [violation.what for violation in auditor.violations] == []
    assert Counter(fact["type"] for fact in auditor.facts.values()) == {"contribution_settled": WEBHOOKS}
    assert all(fact["published"] for fact in auditor.facts.values())
