"""A seeded town: honest households as they live, and ten kinds of fraud among them, some of it careful.

No data on fraud in rotating savings is public, so this is a simulation and its rates are assumptions, each
written beside its line. It was drawn up from how the frauds work, with intensities on both sides of the
rules' thresholds, so that recall is not one by construction. Run it for the figures:
`python -m tests.unit.assessments.fraud_world [SEED]`.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from shared.domain.fraud import (
    Defaulted,
    DeviceSeen,
    Disputed,
    FraudCheck,
    Hold,
    IncomeSeen,
    Joined,
    MandateCancelled,
    MethodAdded,
    PaidOut,
    PayoutAccountSet,
    PayoutDue,
    Severity,
    SignedUp,
    check_fraud,
)

YEAR_START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@dataclass
class World:
    """Facts, who is what (None: honest), and when each person is looked at."""

    random: Random
    facts: list[Any] = field(default_factory=list)
    typology: dict[str, str | None] = field(default_factory=dict)
    looked_at: dict[str, datetime] = field(default_factory=dict)
    count: int = 0

    def name(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def some_day(self, latest: int = 240) -> datetime:
        return YEAR_START + self.random.uniform(0, latest) * DAY

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def person(
        self,
        at: datetime,
        *,
        device: str = "",
        address: str = "",
        account: str = "",
        typology: str | None = None,
    ) -> str:
        """Signs up, shows income near what was stated, adds a way to pay and to be paid."""
        person = self.name("p")
        self.typology[person] = typology
        self.looked_at[person] = YEAR_START + 365 * DAY
        account = account or self.name("acc")
        income = self.random.randint(90_000, 450_000)
        self.facts += [
            SignedUp(
                person=person, at=at, device=device or self.name("dev"), address=address or self.name("adr")
            ),
            IncomeSeen(
                person=person,
                at=at + HOUR,
                stated_pence=round(
                    income * self.random.uniform(0.85, 1.25)
                ),  # rounding, overtime, a bad month
                shown_pence=income,
            ),
            MethodAdded(person=person, at=at + HOUR, method=account, method_kind="bank"),
            PayoutAccountSet(person=person, at=at + HOUR, account=account, changed=False),
        ]
        return person

    def join(self, person: str, group: str, at: datetime) -> None:
        self.facts.append(Joined(person=person, at=at, group=group))

    def take_pot(self, person: str, group: str, at: datetime) -> None:
        self.facts.append(PaidOut(person=person, at=at, group=group))


def a_town(seed: int, honest: int = 2_000, each: int = 60) -> World:
    """About `honest` honest people in households and circles, and `each` people of every kind of fraud."""
    world = World(Random(seed))
    _honest_people(world, honest)
    for typology, commit in TYPOLOGIES.items():
        target = sum(kind == typology for kind in world.typology.values()) + each
        while sum(kind == typology for kind in world.typology.values()) < target:
            commit(world)
    return world


# --- honest life --------------------------------------------------------------------------------------------


def _honest_people(world: World, how_many: int) -> None:
    random = world.random
    people: list[str] = []
    while len(people) < how_many:
        people += _household(world)
    for person in people:
        _honest_year(world, person)
    open_places = [person for person in people for _ in range(random.choices([1, 2, 3], [70, 22, 8])[0])]
    random.shuffle(open_places)
    for start in range(0, len(open_places), 8):  # circles of mixed people
        _honest_circle(world, sorted(set(open_places[start : start + 8])))
    for _ in range(how_many // 100):  # circles of friends who know one another, households among them
        first = random.randrange(len(people) - 8)
        _honest_circle(world, people[first : first + 8])


def _household(world: World) -> list[str]:
    """Sizes as households are; couples share telephones and accounts, families a tablet."""
    size = world.random.choices([1, 2, 3, 4, 5, 7], [45, 33, 11, 7, 3, 1])[0]
    address, first = world.name("adr"), world.some_day()
    one_device = world.name("dev") if size > 1 and world.chance(0.15) else ""
    joint = world.name("acc") if size > 1 and world.chance(0.35) else ""
    people: list[str] = []
    for place in range(size):
        spread = world.random.expovariate(1 / 20)  # the second of a household follows within weeks
        people.append(
            world.person(
                first + (spread if place else 0) * DAY,
                address=address if world.chance(0.97) else "",  # some write it differently
                device=one_device if place < 4 else "",
                account=joint if place < 2 else "",
            )
        )
    return people


def _honest_year(world: World, person: str) -> None:
    if world.chance(0.30):  # a card beside the bank account
        world.facts.append(
            MethodAdded(person=person, at=world.some_day(), method=world.name("c"), method_kind="card")
        )
    if world.chance(0.01):  # three cards tried in an evening
        at = world.some_day()
        for tries in range(3):
            card = MethodAdded(
                person=person, at=at + tries * HOUR, method=world.name("c"), method_kind="card"
            )
            world.facts.append(card)
    if world.chance(0.25):  # a new telephone
        world.facts.append(DeviceSeen(person=person, at=world.some_day(330), device=world.name("dev")))
    if world.chance(0.05):  # another bank: mandate and payout account move together
        at = world.some_day(330)
        account = world.name("acc")
        world.facts += [
            MandateCancelled(person=person, at=at),
            MethodAdded(
                person=person, at=at + world.random.uniform(-2, 3) * DAY, method=account, method_kind="bank"
            ),
            PayoutAccountSet(person=person, at=at + DAY, account=account, changed=True),
        ]
    if world.chance(0.01):  # an enthusiast: four circles in a week
        at = world.some_day()
        for step in range(4):
            world.join(person, world.name("g"), at + step * DAY)


def _honest_circle(world: World, members: list[str]) -> None:
    group, start = world.name("g"), YEAR_START + world.random.uniform(245, 300) * DAY
    for turn, person in enumerate(members):
        world.join(person, group, start + world.random.uniform(-5, 0) * DAY)
        pot = start + (turn + 1) * 14 * DAY
        world.take_pot(person, group, pot)
        if world.chance(0.015):  # hardship after the pot; it looks like fraud and is not
            world.facts.append(Defaulted(person=person, at=pot + 60 * DAY, group=group))
        if world.chance(0.003):  # a debit disputed by mistake
            world.facts.append(Disputed(person=person, at=world.some_day(340), group=group))


# --- fraud --------------------------------------------------------------------------------------------------


def _account_farm(world: World) -> None:
    """One device, many names."""
    device, at = world.name("dev"), world.some_day()
    for _ in range(world.random.randint(2, 8)):
        world.person(at, device=device, typology="account_farm")
        at += world.random.uniform(1, 40) * HOUR


def _mule_account(world: World) -> None:
    """Several people whose pots go to one account; the careful keep to two."""
    account = world.name("acc")
    for _ in range(world.random.randint(2, 6)):
        world.person(world.some_day(), account=account, typology="mule_account")


def _one_card(world: World) -> None:
    """A stolen card pays for several members."""
    card = world.name("c")
    for _ in range(world.random.randint(2, 6)):
        person = world.person(world.some_day(), typology="one_card")
        world.facts.append(MethodAdded(person=person, at=world.some_day(), method=card, method_kind="card"))


def _serial_default(world: World) -> None:
    """Takes a pot, stops paying, joins elsewhere: under the same name or a fresh one."""
    device, account, at = world.name("dev"), world.name("acc"), world.some_day(120)
    person = world.person(at, device=device, account=account, typology="serial_default")
    group = world.name("g")
    world.join(person, group, at + DAY)
    world.take_pot(person, group, at + 30 * DAY)
    world.facts.append(Defaulted(person=person, at=at + 60 * DAY, group=group))
    if world.chance(0.5):
        keeps_device, keeps_account = world.chance(0.6), world.chance(0.5)
        world.person(
            at + 90 * DAY,
            device=device if keeps_device else "",
            account=account if keeps_account else "",
            typology="serial_default",
        )


def _takeover(world: World) -> None:
    """Somebody else's sign-in: a new account for the pot, mostly from a new device, days before it is due."""
    at = world.some_day()
    person = world.person(at, typology="takeover")
    group = world.name("g")
    world.join(person, group, at + DAY)
    due = at + 100 * DAY
    change = due - world.random.uniform(0.2, 9) * DAY
    if world.chance(0.75):
        seen = change - world.random.uniform(0, 2) * DAY
        world.facts.append(DeviceSeen(person=person, at=seen, device=world.name("dev")))
    world.facts += [
        PayoutAccountSet(person=person, at=change, account=world.name("acc"), changed=True),
        PayoutDue(person=person, at=due, group=group),
    ]
    world.looked_at[person] = due - HOUR


def _inflated_income(world: World) -> None:
    at = world.some_day()
    person = world.person(at, typology="inflated_income")
    shown = world.random.randint(60_000, 250_000)
    stated = round(shown * world.random.uniform(1.4, 5))
    world.facts.append(IncomeSeen(person=person, at=at + DAY, stated_pence=stated, shown_pence=shown))


def _ring(world: World) -> None:
    """A group filled with its organiser's own names, over a few devices, accounts and days."""
    group, at, size = world.name("g"), world.some_day(), world.random.randint(5, 10)
    own = world.random.randint(max(3, size // 2), size)
    devices = [world.name("dev") for _ in range(world.random.randint(1, 3))]
    accounts = [world.name("acc") for _ in range(world.random.randint(1, 4))]
    for place in range(size):
        if place < own:
            person = world.person(
                at + world.random.uniform(0, 6) * DAY,
                device=world.random.choice(devices) if world.chance(0.8) else "",
                account=world.random.choice(accounts) if world.chance(0.6) else "",
                typology="ring",
            )
        else:
            person = world.person(world.some_day())
        world.join(person, group, at + 8 * DAY)


def _card_tester(world: World) -> None:
    at = world.some_day()
    person = world.person(at, typology="card_tester")
    for _ in range(world.random.randint(3, 12)):
        at += world.random.uniform(0.02, 5) * HOUR
        world.facts.append(MethodAdded(person=person, at=at, method=world.name("c"), method_kind="card"))


def _group_hopper(world: World) -> None:
    """As many circles as possible before the first contribution fails."""
    at = world.some_day()
    person = world.person(at, typology="group_hopper")
    for _ in range(world.random.randint(4, 10)):
        at += world.random.uniform(0.1, 2) * DAY
        world.join(person, world.name("g"), at)


def _take_and_leave(world: World) -> None:
    """The pot, then no mandate, or the debits taken back."""
    at = world.some_day(120)
    person = world.person(at, typology="take_and_leave")
    group = world.name("g")
    world.join(person, group, at + DAY)
    world.take_pot(person, group, at + 30 * DAY)
    leaves = at + 30 * DAY + world.random.uniform(0.5, 36) * DAY
    if world.chance(0.5):
        world.facts.append(MandateCancelled(person=person, at=leaves))
    else:
        world.facts.append(Disputed(person=person, at=leaves, group=group))


TYPOLOGIES: dict[str, Callable[[World], None]] = {
    "account_farm": _account_farm,
    "mule_account": _mule_account,
    "one_card": _one_card,
    "serial_default": _serial_default,
    "takeover": _takeover,
    "inflated_income": _inflated_income,
    "ring": _ring,
    "card_tester": _card_tester,
    "group_hopper": _group_hopper,
    "take_and_leave": _take_and_leave,
}

# --- measuring ----------------------------------------------------------------------------------------------


def checks(world: World) -> dict[str, FraudCheck]:
    """Each person checked on the facts that a service would load for them."""
    own: defaultdict[str, list[Any]] = defaultdict(list)
    sharing: defaultdict[str, set[str]] = defaultdict(set)
    for fact in world.facts:
        own[fact.person].append(fact)
        for key in _keys(fact):
            sharing[key].add(fact.person)
    found = {}
    for person, facts in own.items():
        near = {other for fact in facts for key in _keys(fact) for other in sharing[key]}
        further = {
            other for one in near for fact in own[one] for key in _keys(fact) for other in sharing[key]
        }
        known = [
            fact for other in sorted(near | (further if len(further) < 60 else set())) for fact in own[other]
        ]
        found[person] = check_fraud(person, known, world.looked_at[person])
    return found


def _keys(fact: Any) -> Iterable[str]:
    for name in ("device", "address", "method", "account", "group"):
        if getattr(fact, name, None):
            yield getattr(fact, name)


def caught(check: FraudCheck) -> bool:
    """A person will look: something is held, or a finding is more than low."""
    return bool(check.holds) or any(finding.severity is not Severity.LOW for finding in check.findings)


@dataclass(frozen=True)
class Figures:
    """Shares of people: recall per kind of fraud; among the honest, those held from joining, those whose
    pot is held, and those with any finding above low."""

    recall: dict[str, float]
    recall_all: float
    honest: int
    honest_joining_held: float
    honest_payout_held: float
    honest_looked_at: float


def measure(world: World) -> Figures:
    found = checks(world)
    by_kind: defaultdict[str, list[bool]] = defaultdict(list)
    honest = [check for person, check in found.items() if world.typology[person] is None]
    for person, check in found.items():
        kind = world.typology[person]
        if kind:
            by_kind[kind].append(caught(check))
    fraud = [hit for hits in by_kind.values() for hit in hits]
    return Figures(
        recall={kind: _share(hits) for kind, hits in by_kind.items()},
        recall_all=_share(fraud),
        honest=len(honest),
        honest_joining_held=_share([Hold.JOINING in check.holds for check in honest]),
        honest_payout_held=_share([Hold.PAYING_OUT in check.holds for check in honest]),
        honest_looked_at=_share([caught(check) for check in honest]),
    )


def _share(hits: list[bool]) -> float:
    return sum(hits) / len(hits)


if __name__ == "__main__":
    town = a_town(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    figures = measure(town)
    for kind, recall in figures.recall.items():
        print(f"{kind:16} recall {recall:6.1%}")
    print(f"{'all fraud':16} recall {figures.recall_all:6.1%}")
    print(f"{figures.honest} honest: joining held {figures.honest_joining_held:.2%},", end=" ")
    print(f"pot held {figures.honest_payout_held:.2%}, looked at {figures.honest_looked_at:.2%}")
    reasons: defaultdict[str, int] = defaultdict(int)
    for who, result in checks(town).items():
        if town.typology[who] is None:
            for finding in result.findings:
                reasons[f"{finding.code} ({finding.severity})"] += 1
    print("honest findings:", dict(sorted(reasons.items(), key=lambda item: -item[1])))
