"""A circle of the demo: its people signed up, onboarded and agreed, and time that passes for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from infra.local.demo.client import Person, Platform
from infra.local.demo.story import Story
from shared.adapters.bank_holidays import EnglandBankHolidays
from shared.domain.calendar import add_working_days
from shared.domain.groups import LOCK_LEAD_WORKING_DAYS
from shared.domain.ids import payout_id

NAMES = ("Ada", "Ben", "Chidi", "Dayo", "Efua", "Femi", "Grace", "Hanna", "Ike", "Joy")
CARD, BACS = "pm_card_visa", "pm_bacsDebit_success"
MANDATES_ACCEPTED = timedelta(days=7)
"""Banks take three working days to accept a Bacs mandate, over Christmas a week."""
PASSWORD = "correct horse battery staple"  # noqa: S105 - of people who exist for a minute, on this machine
TOP_UP_DAYS = 7
"""Three working days until a card payment clears, two until a bank has it, a weekend between."""

EARLIEST_START = timedelta(days=21)
"""Beyond the nine working days that a lock needs, over any bank holidays."""


def pounds(pence: int) -> str:
    return f"£{pence / 100:,.2f}"


@dataclass
class Circle:
    """One circle on a running platform."""

    platform: Platform
    story: Story
    people: list[Person]
    group: str
    amount_pence: int
    cycles: list[dict[str, Any]] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    progress_seen: list[tuple[int | None, int]] = field(default_factory=list)
    """The open cycle and how many have paid into it, each time that it moved."""

    @property
    def organiser(self) -> Person:
        """Who organises it now: where an organiser leaves, the role passes on."""
        group = self._inside().get(f"/v1/groups/{self.group}")
        return self.person(group["organiser"])

    def _inside(self) -> Person:
        """Somebody who is in it."""
        return next(one for one in self.people if one.uid not in self.gone)

    def person(self, uid: str) -> Person:
        return next(one for one in self.people if one.uid == uid)

    def receiver(self, cycle: int) -> Person:
        """Who has the turn of a cycle."""
        return self.person(self.cycles[cycle - 1]["recipient"])

    def due_date(self, cycle: int) -> date:
        return date.fromisoformat(self.cycles[cycle - 1]["due_date"])

    def payout_date(self, cycle: int) -> date:
        return date.fromisoformat(self.cycles[cycle - 1]["payout_date"])

    def schedule(self) -> list[dict[str, Any]]:
        cycles: list[dict[str, Any]] = self._inside().get(f"/v1/groups/{self.group}/schedule")["cycles"]
        return cycles

    def progress(self) -> tuple[int | None, int]:
        """The open cycle and how many have paid, as a member's app reads it by the security rules."""
        shown = self.platform.document(f"groups/{self.group}/progress/current", self._inside().token)
        return shown["cycle"], shown["members_paid"]

    def contributions(self) -> list[dict[str, Any]]:
        """Everybody's contributions, each read by its own member."""
        return [
            one | {"uid": person.uid}
            for person in self.people
            for one in person.pages("/v1/contributions", group=self.group, limit=100)
        ]

    def live_until(self, day: date, days_more: int = 0) -> None:
        """Live through each day until (and with) this one, telling what happens."""
        day += timedelta(days=days_more)
        while self.platform.now().date() < day:
            tomorrow = self.platform.now().date() + timedelta(days=1)
            # 09:05 in London is 08:05 or 09:05 UTC: the jobs of 09:00 have run by 09:30 either way.
            self.platform.go_to(datetime.combine(tomorrow, time(9, 30), UTC))
            self._tell_news()

    def leaves(self, person: Person) -> list[dict[str, Any]]:
        """Somebody leaves; returns the claims that come of it."""
        left = person.post(f"/v1/groups/{self.group}/leave")
        if not left["after_turn"]:
            self.gone.add(person.uid)
        claims: list[dict[str, Any]] = left["claims"]
        for claim in claims:
            debtor, creditor = self.person(claim["debtor"]).name, self.person(claim["creditor"]).name
            day, amount = claim["due_date"], pounds(claim["pence"])
            self.story.tell(f"{debtor} owes {creditor} {amount}, due on {day}")
        self.platform.rest()
        return claims

    def agree(self, asking: Person, consenting: list[Person], **request: Any) -> None:
        """Somebody asks for what others must consent to, and all of them do."""
        path = f"/v1/groups/{self.group}/approvals"
        asked = asking.post(path, request)
        state = asked["state"]
        body = {}
        if request["kind"] == "substitution":
            body = {"agreement_hash": self.organiser.get(f"/v1/groups/{self.group}/agreement")["hash"]}
        for person in consenting:
            state = person.post(f"{path}/{asked['id']}/approve", body)["state"]
            self.story.tell(f"{person.name} consents to {asking.name}'s {request['kind'].replace('_', ' ')}")
        if state != "carried_out":
            raise AssertionError(f"{request['kind']} is {state}")
        self.platform.rest()

    def live_until_all_paid(self, person: Person, days_max: int = 400) -> None:
        """Live on until somebody owes nothing any more, and what they paid has arrived.

        Raises AssertionError if it takes too long.
        """
        for _ in range(days_max):
            if not person.get(f"/v1/groups/{self.group}/statement")["owes_pence"]:
                self.live_until(self.platform.now().date(), days_more=TOP_UP_DAYS)
                return
            self.live_until(self.platform.now().date() + timedelta(days=1))
        raise AssertionError(f"after {days_max} days {person.name} still owes")

    def live_to_the_end(self) -> None:
        """Live until every pot has arrived."""
        self.live_until(self.payout_date(len(self.cycles)))
        self.live_until_all_received()

    def live_until_all_received(self, days_max: int = 30) -> None:
        """Live on until every pot has arrived. Raises AssertionError if that takes longer than it may."""
        for _ in range(days_max):
            if all(one["payout_state"] in {"received", "void"} for one in self.schedule()):
                return
            self.live_until(self.platform.now().date() + timedelta(days=1))
        raise AssertionError(f"after {days_max} days a payout has not arrived: {self.schedule()}")

    def _tell_news(self) -> None:
        known = {one["cycle"]: one["payout_state"] for one in self.cycles}
        self.cycles = self.schedule()
        progress = self.progress()
        if progress not in self.progress_seen[-1:]:
            self.progress_seen.append(progress)
        today = self.platform.now().date().isoformat()
        for cycle in self.cycles:
            if cycle["due_date"] == today and cycle["payout_state"] != "void":
                self.story.tell(
                    f"{today}  cycle {cycle['cycle']}: everyone's {pounds(self.amount_pence)} is taken"
                )
            before, state = known.get(cycle["cycle"]), cycle["payout_state"]
            if before is not None and before != state:
                self.story.tell(_SENTENCES[state].format(day=today, name=self._name(cycle), **cycle))

    def _name(self, cycle: dict[str, Any]) -> str:
        return self.person(cycle["recipient"]).name


_SENTENCES = {
    "scheduled": "{day}  cycle {cycle}: the pot is on the calendar again",
    "parked": "{day}  cycle {cycle}: the pot waits for {name}",
    "reserved": "{day}  cycle {cycle}: the pot is reserved for {name}",
    "submitting": "{day}  cycle {cycle}: the pot is being sent to {name}",
    "sent": "{day}  cycle {cycle}: the pot is on its way to {name}'s bank",
    "failed": "{day}  cycle {cycle}: the pot could not be sent to {name}; it will be tried again",
    "unknown": "{day}  cycle {cycle}: no answer; we look before we send again",
    "received": "{day}  cycle {cycle}: {name} has the pot",
    "bank_failed": "{day}  cycle {cycle}: {name}'s bank refused the pot",
    "partly_reversed": "{day}  cycle {cycle}: part of the pot came back",
    "reversed": "{day}  cycle {cycle}: the pot came back",
    "void": "{day}  cycle {cycle}: takes place no more",
}


def profile(name: str) -> dict[str, Any]:
    """What somebody of this name tells of themselves; nothing of it may be found in the clear afterwards."""
    return {
        "full_name": f"{name} Adeyemi-Zachary",
        "display_name": name,
        "date_of_birth": "1987-03-14",
        "address": {"line_1": f"17 {name} Terrace", "town": "Peckham", "postcode": "SE15 4QN"},
        "phone": "07911 123456",
        "bank_name": "Quillfeather Bank",
    }


def sign_up(platform: Platform, story: Story, name: str, method: str) -> Person:
    """One person, from the first sign-in to a saved payment method and an open payout account."""
    email = f"{name.lower()}.{uuid4().hex[:8]}@example.com"
    account = platform.sign_in(email, PASSWORD)
    person = Person(platform, name, email, account["localId"], account["idToken"])
    person.post("/v1/users")
    person.post("/v1/users/me/profile", profile(name))
    saved = person.post("/v1/payment-methods", {"method": method})
    opened = person.post(
        "/v1/users/me/payout-account",
        {"return_url": "https://example.com/done", "refresh_url": "https://example.com/again"},
    )
    person.payout_account = opened["account"]
    platform.stripe("POST", f"accounts/{opened['account']}/onboard", {})
    ready = person.post("/v1/users/me/payout-account/refresh")
    story.tell(f"{name} signs up, saves {saved['hint']}, and can be paid: {ready['can_receive']}")
    return person


def _let_large_pots_go(circle: Circle) -> None:
    """Pots above the threshold wait for two of the platform's staff: here both look at them at once."""
    large = [cycle for cycle in circle.cycles if cycle["pot_pence"] > circle.platform.two_people_above_pence]
    if not large:
        return
    asks, consents = (circle.platform.staff(name, "finance") for name in ("Ines", "Otto"))
    for cycle in large:
        about = payout_id(circle.group, cycle["cycle"], 1)
        circle.agree(asks, [consents], kind="payout", about=about)


def start(
    platform: Platform,
    story: Story,
    *,
    members: int = 5,
    amount_pence: int = 10_000,
    frequency: str = "monthly",
    method: str = CARD,
    **terms: Any,
) -> Circle:
    """A locked circle of new people, with its first date as early as a lock allows where all pay by Bacs."""
    story.chapter("People")
    people = [sign_up(platform, story, name, method) for name in NAMES[:members]]
    if method == BACS:
        platform.go_to(platform.now() + MANDATES_ACCEPTED)
        story.tell("a week later the banks have accepted the mandates")
    story.chapter("The circle")
    organiser, *others = people
    today = platform.now().date()
    first_due = today + EARLIEST_START
    if method == BACS:
        first_due = add_working_days(today, LOCK_LEAD_WORKING_DAYS, EnglandBankHolidays())
    created = organiser.post(
        "/v1/groups",
        {
            "name": "Sunday Esusu",
            "amount_pence": amount_pence,
            "frequency": frequency,
            "members": members,
            "first_due_date": first_due.isoformat(),
            **terms,
        },
    )
    group = created["id"]
    story.tell(f"{organiser.name} starts a circle of {members} × {pounds(amount_pence)} {frequency}: {group}")
    code = organiser.post(f"/v1/groups/{group}/invitations")["code"]
    for person in others:
        person.post("/v1/groups/join", {"code": code})
        organiser.post(f"/v1/groups/{group}/members/{person.uid}/approve")
    story.tell(f"{', '.join(person.name for person in others)} join by the code, and are approved")
    for person in people:
        agreement = person.get(f"/v1/groups/{group}/agreement")
        person.post(f"/v1/groups/{group}/agreement", {"hash": agreement["hash"]})
    story.tell("everyone accepts the same agreement")
    locked = organiser.post(f"/v1/groups/{group}/lock")
    circle = Circle(platform, story, people, group, amount_pence)
    circle.cycles = circle.schedule()
    order = ", ".join(circle.person(cycle["recipient"]).name for cycle in circle.cycles)
    story.tell(f"locked: the order is drawn ({order}); its seed is {locked['draw_seed'][:16]}…")
    _let_large_pots_go(circle)
    platform.rest()
    return circle
