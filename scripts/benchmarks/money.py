"""Settling and reserving beside bare commits, writers at once on one group, and what use cases are billed."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from scripts.benchmarks.bare import reads_and_commits
from scripts.benchmarks.timing import Ratio, in_turn, median_run, seconds_of
from shared.adapters.firestore_client import Client
from shared.adapters.firestore_store import FirestoreStore
from shared.domain.calendar import opening_of
from shared.domain.contributions import Contribution, next_attempt
from shared.domain.ledger import discrepancies
from shared.domain.payouts import payout_ref
from shared.ports import Collection, Create, Movement, Snapshot, Update, Write
from shared.services import process_payment_event, reserve_payout, send_payout, settle_contribution
from shared.services.collect_contribution import collect_contribution
from tests.builders import Circle, World
from tests.contract.counting import counting

MEMBERS = 10
RUNS = 5
WRITERS = 8
WRITER_RUNS = 9
"""A run is a fifth of a second, and swings by a third: the median of five still did by a tenth."""


class Recorder(FirestoreStore):
    """Firestore, remembering what was read and written last."""

    def __init__(self, client: Client) -> None:
        super().__init__(lambda: client)
        self.read: list[str] = []
        self.batches: list[list[Write]] = []

    def load(self, *paths: str) -> list[Snapshot]:
        self.read += paths
        return super().load(*paths)

    def commit(self, writes: Sequence[Write]) -> None:
        self.batches.append(list(writes))
        super().commit(writes)


def platform(client: Client) -> World:
    return World(store=Recorder(client))


def circles(world: World, count: int) -> list[Circle]:
    """Circles of the same ten people, weekly, every contribution with an attempt that the processor has."""
    people = world.people(MEMBERS)
    first = world.clock.moment.date() + timedelta(days=40)
    made = [
        world.planted(people, frequency="weekly", first_due_date=first, default_policy="pay_cleared")
        for _ in range(count)
    ]
    for circle in made:
        waiting = [
            contribution.with_attempt(_attempt(contribution)) for contribution in contributions(circle)
        ]
        found = world.store.load(*(one.path for one in waiting))
        world.store.commit(
            [Update(one.path, one.data(), was.version) for one, was in zip(waiting, found, strict=True)]
        )
    return made


def contributions(circle: Circle) -> list[Contribution]:
    """Every contribution of a circle, cycle by cycle."""
    group = circle.group
    return [
        circle.contribution(cycle.number, seat.uid) for cycle in group.schedule for seat in group.seated()
    ]


def _attempt(contribution: Contribution) -> Any:
    due = opening_of(contribution.due_date)
    return next_attempt(contribution, "pm_benchmark", "card", contribution.amount_pence, due)


def collected(contribution: Contribution) -> Collection:
    """What the processor says of that attempt: settled, and cleared by the payout's day."""
    attempt, due = contribution.attempts[-1], opening_of(contribution.due_date)
    return Collection(
        reference=f"pi_{attempt.id}",
        labels={"group": contribution.group, "contribution": contribution.id, "attempt": attempt.id},
        state="settled",
        amount_pence=contribution.amount_pence,
        currency="gbp",
        live=False,
        movement=Movement(
            reference=f"txn_{attempt.id}",
            kind="collection",
            amount_pence=contribution.amount_pence,
            fee_pence=170,
            currency="gbp",
            created_at=due,
            available_on=due,
            source=f"ch_{attempt.id}",
        ),
    )


def settling(world: World, contribution: Contribution) -> Callable[[], object]:
    command, collection = world.command("system:benchmark"), collected(contribution)
    return lambda: settle_contribution.record_collection(world.ctx, command, collection)


# --- beside bare commits ------------------------------------------------------------------------------------


def settle_vs_bare(client: Client) -> Ratio:
    """Settling a contribution ÷ the same reads and commits by the bare client, on the circle beside."""
    world = platform(client)
    ours, theirs = circles(world, 2)
    pairs = list(zip(contributions(ours), contributions(theirs), strict=True))
    pattern, *pairs = pairs
    shape = _recorded(world, settling(world, pattern[0]))
    runs = []
    for run in range(RUNS):
        some = pairs[run::RUNS]
        runs.append(
            in_turn([(settling(world, our), _bare(client, shape, pattern[0], their)) for our, their in some])
        )
    return median_run(runs)


def reserve_vs_bare(client: Client) -> Ratio:
    """Reserving a full pot ÷ the same reads and commits by the bare client, on the circle beside."""
    world = platform(client)
    ours, theirs = circles(world, 2)
    for contribution in [*contributions(ours), *contributions(theirs)]:
        settling(world, contribution)()
    world.clock.moment = opening_of(ours.pays_out(MEMBERS))
    command = world.command("system:benchmark")
    (first, reserve), *rest = [
        (cycle, partial(reserve_payout.reserve_payout, world.ctx, command, ours.payout(cycle)))
        for cycle in range(1, MEMBERS + 1)
    ]
    shape = _recorded(world, reserve)
    timed = []
    for cycle, reserve in rest:
        names = _twins(ours, theirs, first, cycle)
        timed.append((reserve, _renamed(client, shape, names)))
    return in_turn(timed)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a use case read and wrote."""

    read: list[str]
    batches: list[list[Write]]


def _recorded(world: World, work: Callable[[], object]) -> Shape:
    store: Any = world.store  # a Recorder: see `platform`
    store.read, store.batches = [], []
    work()
    return Shape(list(dict.fromkeys(store.read)), list(store.batches))


def _bare(client: Client, shape: Shape, ours: Contribution, theirs: Contribution) -> Callable[[], None]:
    attempts = (ours.attempts[-1].id, theirs.attempts[-1].id)
    return _renamed(client, shape, {ours.group: theirs.group, ours.id: theirs.id, attempts[0]: attempts[1]})


def _twins(ours: Circle, theirs: Circle, first: int, cycle: int) -> dict[str, str]:
    """The names of what was reserved first, and of the same things in the twin's other cycle."""
    names = {ours.id: theirs.id, ours.payout(first).id: theirs.payout(cycle).id}
    for seat in ours.group.seated():
        names[ours.contribution(first, seat.uid).id] = theirs.contribution(cycle, seat.uid).id
    return names


def _renamed(client: Client, shape: Shape, names: dict[str, str]) -> Callable[[], None]:
    """The same reads and writes, of other documents."""

    def renamed(path: str) -> str:
        for old, new in names.items():
            path = path.replace(old, new)
        return path

    batches = [[replace(one, path=renamed(one.path)) for one in batch] for batch in shape.batches]
    return reads_and_commits(client, [renamed(path) for path in shape.read], batches)


# --- writers at once ----------------------------------------------------------------------------------------


def writers(client: Client) -> dict[str, Any]:
    """Settlements a second of one group, by eight writers ÷ by one; and what its balances lost (0)."""
    world = platform(client)
    ratios, lost = [], 0
    for alone, together in zip(*[iter(circles(world, 2 * WRITER_RUNS))] * 2, strict=True):
        one = _rate(1, world, alone)
        many = _rate(WRITERS, world, together)
        ratios.append(many / one)
        lost += sum(_lost_updates(circle) for circle in (alone, together))
    return {"writers8_vs_1_throughput": round(statistics.median(ratios), 2), "lost_updates": lost}


def _rate(threads: int, world: World, circle: Circle) -> float:
    jobs = [settling(world, contribution) for contribution in contributions(circle)]
    with ThreadPoolExecutor(threads) as pool:
        return len(jobs) / seconds_of(lambda: list(pool.map(lambda job: job(), jobs)))


def _lost_updates(circle: Circle) -> int:
    """Settlements that the balances do not show."""
    paid = sum(one.amount_pence for one in contributions(circle))
    stand = circle.stand()
    missing = paid - stand.total("cash") + sum(map(len, discrepancies(stand)))
    return abs(missing)


# --- billed -------------------------------------------------------------------------------------------------


def billed(client: Client) -> dict[str, dict[str, int]]:
    """What each use case of the money path costs at Firestore, as `Costs` counts it."""
    world = platform(client)
    circle = world.circle(world.people(5))
    told: dict[str, dict[str, int]] = {}

    def bill(name: str, work: Callable[[], object]) -> None:
        with counting(client) as costs:
            work()
        told[name] = {
            "read": costs.documents_read,
            "written": costs.documents_written,
            "requests": costs.requests,
            "waits": costs.waits,
        }

    system = world.command("system:benchmark")
    owed = circle.contribution(1, circle.recipient(2))
    world.clock.moment = owed.act_at or world.clock.moment
    bill("notice", lambda: collect_contribution(world.ctx, system, circle.id, owed.id))
    world.charge_without_recording(circle.due(1))
    collection = world.charged(circle.contribution(1, owed.uid))
    bill("settle", lambda: settle_contribution.record_collection(world.ctx, system, collection))
    event = world.thin_event("payment_intent.succeeded", collection.reference)
    bill("duplicate_webhook", lambda: process_payment_event.process(world.ctx, event))
    world.control("POST", "webhooks/release", {})
    world.settle()
    world.advance_to(circle.pays_out(1) - timedelta(days=1))
    world.clock.moment = opening_of(circle.pays_out(1))
    payout = circle.payout(1)
    bill("reserve_payout", lambda: reserve_payout.reserve_payout(world.ctx, system, payout))
    bill("send_payout", lambda: send_payout.send_payout(world.ctx, system, circle.id, payout.id))
    world.advance_to(circle.due(2) - timedelta(days=1))
    world.clock.moment = opening_of(circle.due(2))
    next_one = circle.contribution(2, owed.uid)
    bill("collect by card", lambda: collect_contribution(world.ctx, system, circle.id, next_one.id))
    return told


def planted_dues(client: Client, world: World, count: int, due: int) -> None:
    """So many contributions that are nothing but their index, some of them due."""
    store = FirestoreStore(lambda: client)
    moment = world.clock.now()
    writes: list[Write] = []
    for at in range(count):
        act_at = moment - timedelta(hours=1) if at < due else moment + timedelta(days=30 + at % 300)
        group, contribution = f"grp_{at % 500}", f"con_{at}"
        path = payout_ref(group, contribution).path.replace("payouts", "contributions")
        data = {"id": contribution, "group": group, "shard": at % 8, "act_at": act_at, "revision": 0}
        writes.append(Create(path, data))
    for batch in _in_batches(writes):
        store.commit(batch)


def _in_batches(writes: list[Write], size: int = 500) -> Iterable[list[Write]]:
    return (writes[at : at + size] for at in range(0, len(writes), size))
