"""One seed: a platform, its people and their circles, from the first idea to the last pot.

Everything is real but what stands outside. Time jumps to whatever is due next, so months pass in
milliseconds; the auditor looks after every step.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from shared.adapters.stripe_gateway import StripeGateway, news
from shared.domain.calendar import LONDON, opening_of
from shared.domain.groups import Terms
from shared.services import (
    approve_member,
    catch_up,
    collect_contributions,
    create_group,
    invite,
    join_group,
    pay_out,
    process_payment_event,
    reconcile,
    relay,
    submit,
)
from shared.services.context import Command
from tests.builders import RETURN_URL, Circle, FixedSecrets, SeededChance, World
from tests.simulation.aftermath import Aftermath
from tests.simulation.auditor import Auditor, Violation
from tests.simulation.calamities import CLOCK_SKEW_SECONDS, SPECIAL_DATES, Calamities, Poison
from tests.simulation.cases import Cases
from tests.simulation.cloud import Cloud
from tests.simulation.faults import Faults
from tests.simulation.founding import AMOUNTS_PENCE, STARTS_AFTER_DAYS, Bringing, Founding, draw_terms
from tests.simulation.people import CARD, MANDATE, People
from tests.simulation.ports import (
    Change,
    SimulatedChance,
    SimulatedClock,
    SimulatedLine,
    SimulatedMessages,
    SimulatedStore,
)
from tests.simulation.sabotage import Sabotage
from tests.simulation.scheduler import Scheduler
from tests.simulation.strangers import Strangers

STEPS_MAX = 400_000
"""A lifecycle has some thousands of steps: one that has so many never comes to rest."""

SECOND = timedelta(seconds=1)
SIZES = (5, 6, 7, 8, 9, 10)
BESIDE = 0.6
"""The chance that the same people, or five of them, found a second circle while the first one runs: one
mandate, one account to be paid to and one fraud file serve both."""

BROUGHT = 0.3
"""The chance that a second circle ran on paper before, and comes here in the middle."""

CARDS = 0.7
NAMES = ["Ada", "Ben", "Cy", "Dee", "Eve", "Fay", "Gus", "Hal", "Ida", "Joe"]

ROUND = timedelta(days=3)
ROUNDS_MAX = 40
"""After the last payout date everybody makes good; what is not at rest after four months is stuck."""

RESOLVED = frozenset({"received", "void", "reversed", "partly_reversed"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one seed came to."""

    seed: int
    lifecycles: int
    facts: int
    steps: int
    checks: int
    struck: dict[str, int]
    came_about: dict[str, int]
    violations: list[Violation] = field(default_factory=list)


class SimulatedWorld(World):
    """The platform in memory, with ports that can fail and change places."""

    def __init__(
        self, scheduler: Scheduler, clock: SimulatedClock, faults: Faults, seed: int, capital_pence: int
    ) -> None:
        chance = self._ports_chance = random.Random(f"ports:{seed}")
        self._scheduler, self._faults = scheduler, faults
        self.simulated_store = SimulatedStore(scheduler, faults, chance)

        super().__init__(
            store=self.simulated_store,
            seed=seed,
            clock=clock,
            messages=SimulatedMessages(scheduler, clock, faults, chance),
            wait=lambda seconds: scheduler.boundary("stripe is slow"),
            capital_pence=capital_pence,
        )

    def _chance(self) -> SeededChance:
        return SimulatedChance(self._scheduler, self.seed)

    def _gateway(self) -> StripeGateway:
        tell = self.stripe.world.announce
        # An endpoint is registered for the types that are followed.
        self.stripe.world.announce = lambda event: tell(event) if news.followed(event["type"]) else None
        self.line = SimulatedLine(self.stripe, self._scheduler, self._faults, self._ports_chance)
        gateway = StripeGateway(FixedSecrets(), live=False, return_url=RETURN_URL)
        gateway._api = self.line
        return gateway


class Lifecycle:
    """Runs one seed, until nothing is under way any more or the auditor objects."""

    def __init__(
        self,
        seed: int,
        only: frozenset[str] | None = None,
        sabotage: str | None = None,
        cases: frozenset[str] | None = None,
    ) -> None:
        self.seed = seed
        self.chance = random.Random(f"lifecycle:{seed}")
        self.faults = Faults(seed, only)
        self.scheduler = Scheduler(random.Random(f"scheduler:{seed}"))
        self.scheduler.concurrency_max = self.chance.choice([1, 1, 2, 4, 8])
        self.first_due_date: date | None = None
        self.clock = SimulatedClock(self.scheduler, self._start())
        self.cases = Cases(self, cases)
        capital_pence = 0 if self.faults.is_due("low-balance") else self.cases.capital_pence
        self.world = SimulatedWorld(self.scheduler, self.clock, self.faults, seed, capital_pence)
        self.auditor = Auditor(self.world.stripe.world, self.clock.now)
        self.cloud = Cloud(
            self.scheduler,
            self.clock,
            self.faults,
            random.Random(f"cloud:{seed}"),
            self._unhandled,
        )
        if self.first_due_date is not None:
            self.cloud.skew_seconds_max = CLOCK_SKEW_SECONDS
        self.scheduler.look = self.auditor.look
        self.world.simulated_store.watch = self._committed
        self.world.messages.send = self.sent
        self.world.messages.run = self._queued
        self._looks: dict[str, list[tuple[datetime, str]]] = {"collect": [], "pay out": []}
        self._unpublished: dict[str, datetime] = {}
        self._ticked_at = self.clock.moment
        self._clients = 0
        self._arrived: tuple[int, datetime] | None = None
        self._last_night: dict[str, Any] | None = None
        self.circles: list[Circle] = []
        self._foundings: list[Founding] = []
        self.people = People(self)
        self.calamities = Calamities(self)
        self.strangers = Strangers(self)
        self.world.line.answered = self.calamities.answered
        self.sabotage = Sabotage(self, sabotage) if sabotage else None

    # --- what others see and do -----------------------------------------------------------------------------

    def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """What people and banks do outside of the platform."""
        return self.world.control(method, path, body)

    def top_up(self, pence: int) -> None:
        """The house puts in more capital."""
        self.world.stripe_request("POST", "/v1/topups", {"amount": str(pence), "currency": "gbp"})

    def catch_up(self) -> None:
        """A tick that lists what webhooks did not bring."""
        self.cloud.soon("tick: catch up", lambda: self._system(catch_up.catch_up))

    def reconcile(self) -> None:
        """A tick that holds the books against the processor's, and says what the house has left."""
        self.cloud.soon("tick: reconcile", lambda: reconcile.reconcile(self.world.ctx))

    @property
    def cloud_is_quiet(self) -> bool:
        """Whether everything that is due has been done, but for those who wait for just that."""
        due = self.cloud.next_due
        waiting = any(one["due"] <= self.world.stripe.world.now for one in self.world.stripe.deliveries_due())
        return self.scheduler.only_waiters and not waiting and (due is None or due > self.clock.moment)

    def documents(self, kind: str) -> list[tuple[str, Any]]:
        """All documents of a kind in all groups, as the last commits left them."""
        return self.auditor.documents(kind)

    def _start(self) -> datetime:
        if self.faults.strikes("calendar"):
            self.first_due_date = self.chance.choice(SPECIAL_DATES)
            day = self.first_due_date - timedelta(days=45)
            return datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
        day = date(2026, 1, 5) + timedelta(days=self.chance.randrange(1_000))
        return datetime(day.year, day.month, day.day, self.chance.randrange(7, 20), tzinfo=UTC)

    # --- the run --------------------------------------------------------------------------------------------

    def run(self) -> Outcome:
        """Live through it all."""
        self.form_circles()
        if self._is_over():
            return self.outcome()
        night = self.chance.choice(self.circles[0].group.schedule).payout_date
        self.live(until=opening_of(night) - timedelta(hours=5))
        if "restore" in self.faults.active:
            self._last_night = dict(self.auditor.all_documents())
        while not self._is_over() and (self._ends() > self.clock.moment or self.is_founding):
            self.live(until=max(self._ends(), self.clock.moment + ROUND))
        self._come_to_rest()
        aftermath = Aftermath(self)
        if self.faults.active & {"tampered", "restore"}:
            self._seal_everything(aftermath)
        if not self.auditor.violations:
            self.auditor.at_rest({})
        if self.faults.active & {"tampered", "restore"} and not self.auditor.violations:
            aftermath.look(self._last_night)
        return self.outcome()

    def _ends(self) -> datetime:
        """When the last pot of all circles is to be paid out."""
        groups = [self.auditor.document(f"groups/{circle.id}") or {} for circle in self.circles]
        days = [cycle["payout_date"] for group in groups for cycle in group["schedule"]]
        return opening_of(date.fromisoformat(max(days)))

    @property
    def is_founding(self) -> bool:
        """Whether any circle still forms."""
        return any(founding.is_open for founding in self._foundings)

    def _come_to_rest(self) -> None:
        for _ in range(ROUNDS_MAX):
            if self._is_at_rest() or self._is_over():
                break
            self.people.make_good()
            self.live(until=self.clock.moment + ROUND)

    def _seal_everything(self, aftermath: Aftermath) -> None:
        """Tick until no fact is added any more: what came late may still be given back meanwhile."""
        known = -1
        while known != len(self.auditor.facts) and not self._is_over():
            known = len(self.auditor.facts)
            for _ in range(2):  # a fact of the last seconds is too young for the first tick
                aftermath.seal()
                self.live(until=self.clock.moment + timedelta(hours=3))
            self._come_to_rest()

    def _is_at_rest(self) -> bool:
        """Nothing is planned any more, and nobody waits for money."""
        return (
            self.cloud.next_due is None
            and not self._unpublished
            and not self.world.stripe.world.waiting
            and all(_is_done(one) for _, one in self.documents("contributions"))
            and all(one["state"] in RESOLVED for _, one in self.documents("payouts"))
        )

    def outcome(self) -> Outcome:
        return Outcome(
            seed=self.seed,
            lifecycles=sum(self._is_whole(circle) for circle in self.circles),
            facts=len(self.auditor.facts),
            steps=self.scheduler.steps,
            checks=self.auditor.checks,
            struck=dict(self.faults.struck),
            came_about=dict(self.cases.came_about),
            violations=self.auditor.violations,
        )

    def _is_whole(self, circle: Circle) -> bool:
        group = circle.group
        return len(group.schedule) >= 5 and all(cycle.closed for cycle in group.schedule)

    def form_circles(self) -> None:
        """People sign up; once their mandates stand, they start a circle, or two."""
        members = self.chance.choice(SIZES)
        people = [
            self.world.person(name, CARD if self.chance.random() < CARDS else MANDATE)
            for name in NAMES[:members]
        ]
        for name in self.cases.newcomers:
            self.world.person(name, CARD)
        while not all(self._can_pay(uid) for uid in people):
            self.live(until=self.clock.moment + timedelta(days=4))
        if self._is_over():
            return
        if self.faults.strikes("people-race"):
            self._race_for_places(people)
        starts = self.first_due_date or self.clock.moment.date() + timedelta(
            days=self.chance.randrange(21, 45)
        )
        Founding(self, people, draw_terms(self, members, starts, AMOUNTS_PENCE)).at_once()
        if (self.chance.random() < BESIDE or self.cases.needs_second) and not self._is_over():
            members = self.chance.choice([5, members])
            others = [*people[1:], people[0]][:members]
            half = (self._ends() - self.clock.moment) / 2
            after = timedelta(minutes=self.chance.randrange(int(half.total_seconds()) // 60))
            self.cloud.later("somebody: has an idea", after, partial(self._found, others), may_crash=False)

    def _found(self, people: list[str], amounts_pence: Sequence[int] = AMOUNTS_PENCE) -> None:
        """Found one more circle, beside what runs; where it is called off, a smaller one."""
        starts = self.clock.moment.date() + timedelta(days=self.chance.randrange(*STARTS_AFTER_DAYS))
        terms = draw_terms(self, len(people), starts, amounts_pence)
        again = partial(self._found, people, AMOUNTS_PENCE[:2])
        kind = Bringing if self.chance.random() < BROUGHT else Founding
        founding = kind(self, people, terms, again if amounts_pence == AMOUNTS_PENCE else lambda: None)
        self._foundings.append(founding)
        founding.begin()

    def locked(self, gid: str) -> None:
        """A circle is locked: its people's lives in it begin."""
        self.circles.append(Circle(self.world, gid))
        self.cases.locked(gid)

    def _race_for_places(self, people: list[str]) -> None:
        """One more than there are places asks at once, and is let in at once: all but one get in."""
        organiser, *others = [*people, self.world.person("Kim")]
        ctx, places = self.world.ctx, len(people)
        terms = Terms(
            name="A race",
            amount_pence=5_000,
            frequency="weekly",
            members=places,
            first_due_date=self.clock.moment.date() + timedelta(days=60),
        )
        gid = create_group.create_group(ctx, self.world.command(organiser), terms)["id"]
        code = invite.invite(ctx, self.world.command(organiser), gid, 14)["code"]
        self.scheduler.concurrency_max = max(self.scheduler.concurrency_max, 4)
        for uid in others:
            self.client(uid, partial(join_group.join, ctx, gid=None, code=code))
        self.live(until=self.clock.moment + timedelta(hours=2))
        for uid in others:
            self.client(organiser, partial(approve_member.approve, ctx, gid=gid, uid=uid))
        self.live(until=self.clock.moment + timedelta(hours=2))
        group = self.auditor.document(f"groups/{gid}") or {"seats": ()}
        self.auditor.places(gid, sum(one["state"] == "approved" for one in group["seats"]), places)

    def client(self, uid: str, use_case: Callable[..., Any]) -> None:
        """Somebody asks for something, and again if the answer does not come."""
        self._clients += 1
        command = self.world.command(uid, key=f"client:{self.seed}:{self._clients}:of a circle that forms")
        self.cloud.soon(f"client: {uid}", lambda: use_case(command=command), tries_max=8)

    def _can_pay(self, uid: str) -> bool:
        """Whether a mandate stands, so far as the platform knows."""
        methods = self.auditor.document(f"payment_methods/{uid}") or {"methods": ()}
        return self._is_over() or any(one["state"] == "active" for one in methods["methods"])

    def live(self, until: datetime) -> None:
        """Do what is due, then jump to what is due next."""
        while not self._is_over():
            self.scheduler.steps += 1  # a moment at which nothing happens is a step, too
            self.cloud.settle(self._arrivals, self._is_over)
            moment = self._next_moment()
            if moment is not None and self.calamities.down_until is not None:
                moment, self.calamities.down_until = max(moment, self.calamities.down_until), None
                self.cloud.is_down = False
            if moment is None or moment > until:
                self.clock.moment = max(until, self.clock.moment)
                return
            self.clock.moment = max(moment, self.clock.moment)
            self._tick()

    def _is_over(self) -> bool:
        if self.scheduler.steps > STEPS_MAX:
            self.auditor.never_rests(STEPS_MAX)
        return bool(self.auditor.violations)

    # --- time -----------------------------------------------------------------------------------------------

    def _next_moment(self) -> datetime | None:
        """When something happens next: work, a webhook tried again, a job at the processor, a tick."""
        stripe = self.world.stripe.world
        moments = [self.cloud.next_due, self._next_tick()]
        due = [one["due"] for one in stripe.deliveries.values() if one["state"] == "pending"]
        due += [at for at, _, job, _ in stripe.jobs if job != "sweep_payouts"]
        if due:
            moments.append(_moment(min(due)))
        return min((one for one in moments if one is not None), default=None)

    def _next_tick(self) -> datetime | None:
        """The next tick that would find anything: ticks in between change nothing."""
        moments = []
        for looks in self._looks.values():
            while looks and not self._is_due(*looks[0]):
                heapq.heappop(looks)
            if looks:
                moments.append(_next_hour(max(looks[0][0], self._ticked_at + SECOND, self.clock.moment)))
        if self._unpublished:
            oldest = min(self._unpublished.values()) + timedelta(seconds=61)
            moments.append(max(oldest, self.clock.moment + timedelta(seconds=60)))
        return min(moments, default=None)

    def _is_due(self, act_at: datetime, path: str) -> bool:
        """Whether a document still wants the look that was noted."""
        document = self.auditor.document(path)
        return document is not None and document["act_at"] == act_at

    def _tick(self) -> None:
        now = self.clock.moment
        if self._ticked_at < now == _next_hour(now):
            self._ticked_at = now
            if self._wanted("collect"):
                self._scheduled("collect", collect_contributions.queue_due)
            if self._wanted("pay out") and 8 <= now.astimezone(LONDON).hour <= 18:
                self._scheduled("pay out", pay_out.pay_due)
        if self._unpublished:
            self._scheduled("relay", relay.relay)

    def _wanted(self, job: str) -> bool:
        """Whether a tick would find anything: one that does not changes nothing."""
        return bool(self._looks[job]) and self._looks[job][0][0] <= self.clock.moment

    def _scheduled(self, job: str, use_case: Callable[[Any, Command], Any]) -> None:
        """A tick: one message, or, where the scheduler has its day, none, several or a late one."""
        for delay in self.calamities.ticks():
            self.cloud.later(f"tick: {job}", delay, lambda: self._system(use_case))

    def _system(self, use_case: Callable[[Any, Command], Any]) -> None:
        use_case(self.world.ctx, self.world.command("system:tick"))

    # --- what happens by itself -----------------------------------------------------------------------------

    def _committed(self, changes: list[Change]) -> None:
        self.auditor.committed(changes)
        for change in changes:
            self.people.saw(change)
            self.cases.saw(change)
            self.calamities.saw(change)
            after = change.after
            if after is None:
                continue
            if after.get("act_at") is not None:
                job = "pay out" if "/payouts/" in change.path else "collect"
                heapq.heappush(self._looks[job], (after["act_at"], change.path))
            if "/journal/" in change.path:
                if after["published"]:
                    self._unpublished.pop(change.path, None)
                elif change.before is None:
                    self._unpublished[change.path] = after["committed_at"]

    def sent(self, topic: str, message: dict[str, Any]) -> None:
        """The topic has it: each subscriber gets it at least once."""
        if topic == "facts":
            self.auditor.published.add(f"{message['group']}/{message['fact']}")
            return
        event = process_payment_event.as_event(message)

        def work() -> None:
            self.calamities.poison(event.id)
            process_payment_event.process(self.world.ctx, event)

        self.cloud.soon(f"event: {event.type}", work, given_up=lambda: self._dead_letter(message))

    def _unhandled(self, name: str, raised: Exception) -> None:
        if not isinstance(raised, Poison):
            self.auditor.unhandled(name, raised)

    def _dead_letter(self, message: dict[str, Any]) -> None:
        """Parked after so many tries. The alarm rings; two days later a new version is deployed."""
        self.cloud.later("outside: mended", timedelta(days=2), lambda: self._replay(message), may_crash=False)

    def _replay(self, message: dict[str, Any]) -> None:
        self.calamities.mend()
        self.sent(process_payment_event.EVENTS_TOPIC, message)

    def _queued(self, name: str, body: dict[str, Any]) -> None:
        command = Command(actor="system:submit", id=f"submit:{name}")
        for _ in range(self.calamities.copies_of(body)):
            self.cloud.soon(f"task: {body['kind']}", lambda: submit.submit(self.world.ctx, command, body))

    def _arrivals(self) -> None:
        """Webhooks that the processor sends now."""
        stripe = self.world.stripe
        now = (stripe.world.counter, self.clock.moment)
        if now == self._arrived:
            return
        self._arrived = now
        for delivery in self.calamities.deliveries(stripe.deliveries_due()):
            delivery["state"] = "sending"
            self.cloud.soon(
                f"webhook: {delivery['type']}",
                partial(self._webhook, delivery),
                done=partial(stripe.delivered, delivery["id"], 200),
                failed=partial(stripe.delivered, delivery["id"], None),
                tries_max=1,  # whoever tries again is the processor
            )

    def _webhook(self, delivery: dict[str, Any]) -> None:
        """What the webhook function does: verify, publish, 2xx."""
        stripe = self.world.stripe
        if (signed := self.calamities.signed(delivery)) is None:
            sent = stripe.world.objects[delivery["event"]]
            event = news.thin(sent, sent.get("account"))
        else:
            body, signature = signed
            event = self.world.ctx.gateway.verify_webhook(body, signature, delivery["endpoint"])
        self.world.messages.publish(
            process_payment_event.EVENTS_TOPIC, process_payment_event.as_message(event)
        )


def _is_done(contribution: Any) -> bool:
    live = {"submitting", "processing", "requires_action"}
    under_way = any(attempt["state"] in live for attempt in contribution["attempts"])
    return contribution["state"] in {"covered", "waived"} and not under_way


def _moment(unix: int) -> datetime:
    return datetime.fromtimestamp(unix, UTC)


def _next_hour(moment: datetime) -> datetime:
    """The full hour at or after a moment: when the scheduler ticks."""
    floor = moment.replace(minute=0, second=0, microsecond=0)
    return floor if floor == moment else floor + timedelta(hours=1)
