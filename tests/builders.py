"""Builders: a whole platform in one process, its people and its circles, for tests that tell stories.

Everything is real but what stands outside: the store is the one in memory, Stripe is the local Stripe's core
behind the real `StripeGateway`, time stands still until it is moved.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

from infra.local.stripe import control
from infra.local.stripe.core import LocalStripe
from infra.local.stripe.in_process import InProcessTransport
from infra.local.stripe.webhooks import signature
from shared.adapters.bank_holidays import EnglandBankHolidays
from shared.adapters.stripe_gateway import StripeGateway
from shared.adapters.stripe_gateway.news import thin
from shared.adapters.vault import AesVault
from shared.domain.calendar import opening_of
from shared.domain.contributions import Contribution, contribution_ref
from shared.domain.documents import Document, Ref
from shared.domain.errors import Refusal
from shared.domain.groups import (
    Draw,
    Group,
    Seat,
    Terms,
    agreement_hash,
    agreement_text,
    draft_schedule,
    group_ref,
    lock,
)
from shared.domain.ids import contribution_id, new_id, payout_id
from shared.domain.journal import Fact
from shared.domain.ledger import Balances, balances_ref
from shared.domain.members import Member, member_ref
from shared.domain.payouts import Payout, payout_ref
from shared.domain.profiles import Address, Details
from shared.domain.rotation import commitment, drawn_order
from shared.ports import Collection, Create, Identity, Mail, MailFailed, Query, Store, ThinEvent
from shared.services import (
    accept_agreement,
    approve_member,
    collect_contributions,
    create_group,
    invite,
    join_group,
    lock_group,
    pay_out,
    payment_methods,
    payout_account,
    process_payment_event,
    profile,
    reconcile,
    relay,
    set_order,
    sign_up,
    submit,
)
from shared.services.context import Command, Context, Reader
from tests.indexes import IndexedStore

D = TypeVar("D", bound=Document)

STARTS = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
RETURN_URL = "https://ajo.test/back"
CAPITAL_PENCE = 1_000_000

NAMES = ("Ada", "Ben", "Cy", "Dee", "Eve", "Fay", "Gus", "Hal", "Ida", "Joe")

SECRETS = {
    "stripe-secret-key": b"sk_test_builders",
    "stripe-webhook-secret": b"whsec_platform",
    "stripe-connect-webhook-secret": b"whsec_connect",
    "invitation-key": b"invitation key of the builders",
    "fingerprint-key": b"fingerprint key of the builders",
    "master-key": b"0123456789abcdef0123456789abcdef",
}


def details(name: str) -> Details:
    """Somebody of this name, grown up and at home in the UK."""
    return Details(
        full_name=f"{name} Adeyemi-Zachary",
        display_name=f"{name} Bellweather",
        date_of_birth=date(1987, 3, 14),
        address=Address(line_1=f"17 {name} Terrace", town="Peckham", postcode="SE15 4QN"),
        phone="+447911123456",
        bank_name="Quillfeather Bank",
    )


FORMER_SECRETS = {"stripe-webhook-secret": [b"whsec_platform_before"]}
"""Secrets that are still accepted while they rotate."""


class StillClock:
    """Time that moves when it is told to."""

    def __init__(self, now: datetime = STARTS) -> None:
        self.moment = now

    def now(self) -> datetime:
        return self.moment

    def wall(self) -> datetime:
        return self.moment


class SeededChance:
    """Chance that repeats itself, and does not wait."""

    def __init__(self, seed: int = 0) -> None:
        self.random = random.Random(seed)

    def token(self, bytes_count: int) -> bytes:
        return self.random.randbytes(bytes_count)

    def jitter_seconds(self, at_most: float) -> float:
        return self.random.uniform(0, at_most)

    def pause(self, seconds: float) -> None:
        """Nobody waits in memory."""


class FixedSecrets:
    """Secrets that stand here."""

    def current(self, name: str) -> bytes:
        return SECRETS[name]

    def accepted(self, name: str) -> list[bytes]:
        return [SECRETS[name], *FORMER_SECRETS.get(name, [])]


class KeptAnchors:
    """A retention-locked bucket in memory."""

    def __init__(self) -> None:
        self.texts: dict[str, bytes] = {}

    def put(self, name: str, text: bytes) -> None:
        self.texts.setdefault(name, text)

    def all(self) -> list[tuple[str, bytes]]:
        return sorted(self.texts.items())


class KeptMails:
    """A mail server in memory, which can be made to fail."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.failure: MailFailed | None = None

    def send(self, mail: Mail) -> None:
        if self.failure is not None:
            raise self.failure
        self.mails.append(mail)


class HeldMessages:
    """Pub/Sub and Cloud Tasks in memory: what was sent, until somebody takes it."""

    def __init__(self) -> None:
        self.published: list[tuple[str, dict[str, Any]]] = []
        self.tasks: dict[str, dict[str, Any]] = {}
        self.names_used: set[str] = set()

    def publish(self, topic: str, message: Mapping[str, Any]) -> None:
        self.published.append((topic, dict(message)))

    def enqueue(self, name: str, body: Mapping[str, Any], at: datetime | None = None) -> None:
        if name not in self.names_used:
            self.names_used.add(name)
            self.tasks[name] = dict(body)


@dataclass
class World:
    """The platform in memory. The simulation puts in what can fail, crash and change places."""

    store: Store = field(default_factory=IndexedStore)
    seed: int = 0
    clock: StillClock = field(default_factory=StillClock)
    messages: Any = field(default_factory=HeldMessages)
    wait: Callable[[float], None] = lambda seconds: None
    capital_pence: int = CAPITAL_PENCE

    def __post_init__(self) -> None:
        self.chance = self._chance()
        self.mails = KeptMails()
        self.stripe = LocalStripe(now=self._moment, seed=self.seed, sleep=self.wait)
        self.ctx = Context(
            store=self.store,
            gateway=self._gateway(),
            tasks=self.messages,
            publisher=self.messages,
            clock=self.clock,
            chance=self.chance,
            holidays=EnglandBankHolidays(),
            secrets=FixedSecrets(),
            mailer=self.mails,
            vault=AesVault(self.store, FixedSecrets(), SeededChance(self.seed)),
            anchors=KeptAnchors(),
        )
        if self.capital_pence:
            form = {"amount": str(self.capital_pence), "currency": "gbp"}
            self.stripe_request("POST", "/v1/topups", form)
        self._requests = 0

    def _chance(self) -> SeededChance:
        return SeededChance(self.seed)

    def _gateway(self) -> StripeGateway:
        return StripeGateway(
            FixedSecrets(), live=False, return_url=RETURN_URL, http_client=InProcessTransport(self.stripe)
        )

    def _moment(self) -> datetime:
        """The processor's own clock: no instance of ours is in it."""
        return self.clock.moment

    # --- people and circles ---------------------------------------------------------------------------------

    def command(self, actor: str, key: str | None = None) -> Command:
        self._requests += 1
        return Command(actor=actor, id=f"req_{self._requests}", key=key)

    def person(self, uid: str, method: str = "pm_card_visa") -> str:
        """Somebody who has signed up, saved a payment method and can be paid."""
        identity = Identity(uid, f"{uid}@example.com", True, None, frozenset(), self.clock.now())
        sign_up.sign_up(self.ctx, self.command(uid), identity)
        profile.save(self.ctx, self.command(uid), details(uid))
        payment_methods.attach(self.ctx, self.command(uid), None, method)
        opened = payout_account.open_payout_account(
            self.ctx, self.command(uid), None, "https://ajo.test/done", "https://ajo.test/again"
        )
        self.control("POST", f"accounts/{opened['account']}/onboard")
        payout_account.refresh_payout_account(self.ctx, self.command(uid))
        return uid

    def people(self, count: int, method: str = "pm_card_visa") -> list[str]:
        return [
            self.person(name, method)
            for name in ["Ada", "Ben", "Cy", "Dee", "Eve", "Fay", "Gus", "Hal", "Ida", "Joe"][:count]
        ]

    def circle(self, members: list[str], **terms: Any) -> Circle:
        """A locked circle of these people, the first of them its organiser; in this order, if they set it."""
        group = self.recruiting(members, **terms)
        if terms.get("order_method") == "organiser":
            set_order.set_the_order(self.ctx, self.command(members[0]), group, members)
        return self.locked(group, members)

    def recruiting(self, members: list[str], /, **terms: Any) -> str:
        """A circle whose members are approved, and have not accepted yet."""
        organiser, *others = members
        group: str = create_group.create_group(self.ctx, self.command(organiser), _terms(members, terms))[
            "id"
        ]
        code = invite.invite(self.ctx, self.command(organiser), group, 14)["code"]
        for uid in others:
            join_group.join(self.ctx, self.command(uid), None, code)
            approve_member.approve(self.ctx, self.command(organiser), group, uid)
        return group

    def locked(self, group: str, members: list[str]) -> Circle:
        """That circle, accepted by all of them and locked."""
        for uid in members:
            text = accept_agreement.read(self.ctx, Reader(uid), group)
            accept_agreement.accept(self.ctx, self.command(uid), group, text["hash"])
        lock_group.lock(self.ctx, self.command(members[0]), group)
        return Circle(self, group)

    def planted(self, members: list[str], **terms: Any) -> Circle:
        """A locked circle put into the store in one commit, for tests that need many of them."""
        seed, now = self.chance.token(32), self.clock.now()
        recruiting = Group(
            id=new_id("grp", self.chance.token(13)),
            state="recruiting",
            terms=_terms(members, terms),
            organiser=members[0],
            seats=[],
            draw=Draw(commitment=commitment(seed)),
            created_at=now,
        )
        read = agreement_hash(agreement_text(recruiting, draft_schedule(recruiting.terms, self.ctx.holidays)))
        seats = [Seat(uid=uid, state="agreed", agreed_hash=read, agreed_at=now) for uid in members]
        seats[0] = seats[0].with_(role="organiser")
        recruiting = recruiting.with_(seats=seats)
        order = drawn_order(seed, members)
        locked = lock(recruiting, order, seed, self.ctx.holidays, now.date(), now)
        documents = [
            locked,
            *(
                Member(group=locked.id, uid=seat.uid, state="active", position=seat.position, joined_at=now)
                for seat in locked.seated()
            ),
            *lock_group.calendar(self.ctx, locked),
        ]
        self.store.commit([Create(one.path, one.data()) for one in documents])
        return Circle(self, locked.id)

    # --- what happens by itself -----------------------------------------------------------------------------

    def settle(self) -> None:
        """Let everything under way come to rest: webhooks, events, tasks."""
        while self._deliver_webhooks() + self._deliver_messages() + self._run_tasks():
            pass

    def _deliver_webhooks(self) -> int:
        return self.stripe.pump(self._webhook)

    def _webhook(self, delivery: dict[str, Any], body: bytes) -> int:
        """What the webhook function does: verify, publish, 2xx."""
        endpoint = delivery["endpoint"]
        secret = SECRETS[
            "stripe-webhook-secret" if endpoint == "platform" else "stripe-connect-webhook-secret"
        ]
        signed = signature(body, secret.decode(), int(datetime.now(UTC).timestamp()))
        event = self.ctx.gateway.verify_webhook(body, signed, endpoint)
        self.messages.publish("process_payment_event", {"event": event})
        return 200

    def _deliver_messages(self) -> int:
        taken, self.messages.published = self.messages.published, []
        for topic, message in taken:
            if topic == "process_payment_event":
                self.process(message.get("event") or process_payment_event.as_event(message))
        return len(taken)

    def process(self, event: ThinEvent) -> dict[str, Any]:
        return process_payment_event.process(self.ctx, event)

    def _run_tasks(self) -> int:
        taken, self.messages.tasks = self.messages.tasks, {}
        for name, body in taken.items():
            # Where it is refused, the queue would try again; here the next tick finds it.
            with contextlib.suppress(Refusal):
                submit.submit(self.ctx, Command(actor="system:submit", id=name), body)
        return len(taken)

    def tick(self) -> None:
        """One round of all scheduled jobs, and what they lead to."""
        system = self.command("system:tick")
        collect_contributions.queue_due(self.ctx, system)
        self.settle()
        pay_out.pay_due(self.ctx, system)
        self.settle()
        relay.relay(self.ctx, system)

    def advance_to(self, day: date) -> None:
        """Live through each day until (and with) this one, with a tick at 09:00 in London."""
        while self.clock.moment < opening_of(day):
            tomorrow = self.clock.moment.date() + timedelta(days=1)
            self.clock.moment = opening_of(tomorrow)
            self.tick()

    # --- Stripe, from outside -------------------------------------------------------------------------------

    def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        status, answer = control.handle(self.stripe, method, path, body)
        assert status == 200, answer
        return answer

    def charge_without_recording(self, day: date) -> None:
        """Have every contribution that is due by a day charged, with each answer lost and no webhook yet."""
        self.control("POST", "webhooks/hold")
        fault = {"kind": "cut_after", "method": "POST", "path": "/v1/payment_intents", "always": True}
        self.control("POST", "faults", fault)
        self.advance_to(day)
        self.control("DELETE", "faults")

    def charged(self, contribution: Contribution) -> Collection:
        """What the processor says now of a contribution's latest attempt."""
        query = {"query": f"metadata['attempt']:'{contribution.attempts[-1].id}'"}
        (intent,) = self.stripe_request("GET", "/v1/payment_intents/search", query)["data"]
        return self.ctx.gateway.collection(intent["id"])

    def thin_event(self, type_: str, object_id: str) -> ThinEvent:
        """An event of the processor about an object, as it is published."""
        (event, *_) = self.control("GET", "events", {"type": type_, "object": object_id})
        return thin(event, event.get("account"))

    def stripe_request(self, method: str, path: str, form: dict[str, Any]) -> dict[str, Any]:
        status, body = self.stripe.request(method, path, form, idempotency_key=uuid4().hex)
        assert status == 200, body
        return body

    def reconcile(self) -> dict[str, Any]:
        return reconcile.reconcile(self.ctx)

    def documents(self, collection: str) -> list[dict[str, Any]]:
        (found,) = self.store.read_consistently(Query(collection, group=True))
        return [dict(one.data or {}) for one in found]


def _terms(members: list[str], terms: dict[str, Any]) -> Terms:
    usual = {
        "name": "Test circle",
        "amount_pence": 10_000,
        "frequency": "monthly",
        "members": len(members),
        "first_due_date": date(2027, 1, 4),
    }
    return Terms(**(usual | terms))


@dataclass
class Circle:
    """A circle under test: its documents by name, its balances by account."""

    world: World
    id: str

    @property
    def group(self) -> Group:
        return self._get(group_ref(self.id))

    def recipient(self, cycle: int) -> str:
        uid = self.group.cycle(cycle).recipient
        assert uid is not None
        return uid

    def contribution(self, cycle: int, uid: str) -> Contribution:
        return self._get(contribution_ref(self.id, contribution_id(self.id, cycle, uid)))

    def payout(self, cycle: int, number: int = 1) -> Payout:
        return self._get(payout_ref(self.id, payout_id(self.id, cycle, number)))

    def member(self, uid: str) -> Member:
        return self._get(member_ref(self.id, uid))

    def stand(self) -> Balances:
        """The balances document."""
        return self._find(balances_ref(self.id)) or Balances()

    def balances(self) -> dict[str, int]:
        """What stands on each account that is not empty, in pence."""
        stand = self.stand()
        return {account: stand.of(account) for account in stand.accounts() if stand.of(account)}

    def facts(self, type_: str | None = None) -> list[Fact]:
        (found,) = self.world.store.read_consistently(Query(f"groups/{self.id}/journal"))
        facts = [Fact.model_validate(dict(one.data or {})) for one in found]
        return [fact for fact in facts if type_ in {None, fact.type}]

    def due(self, cycle: int) -> date:
        return self.group.cycle(cycle).due_date

    def pays_out(self, cycle: int) -> date:
        return self.group.cycle(cycle).payout_date

    def _find(self, ref: Ref[D]) -> D | None:
        (snapshot,) = self.world.store.load(ref.path)
        return None if snapshot.data is None else ref.read(snapshot.data)

    def _get(self, ref: Ref[D]) -> D:
        found = self._find(ref)
        assert found is not None, ref.path
        return found
