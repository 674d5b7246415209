"""Fraud: deterministic rules over what people did, each with a typed finding, points, and at most a hold.

A finding is a question to a person, never a verdict: holds are lifted or confirmed by staff, or end by
themselves where `until` says so. Findings are for staff; the person is told that details are being checked,
and never which rule asked. Fingerprints (device, address, account, card) are keyed hashes: nothing here
holds personal data, and no rule reads a name, an age, a nationality or a place.

There is no public data on fraud in rotating savings. The thresholds are reasoned, and measured on simulated
typologies and simulated honest members (tests/unit/assessments/fraud_world.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import AwareDatetime, Field

from shared.domain.documents import Value
from shared.domain.money import Pence, pounds
from shared.domain.record import record
from shared.domain.users import COOLING_OFF

# --- facts --------------------------------------------------------------------------------------------------

Id = Annotated[str, Field(min_length=1, max_length=128)]
Fingerprint = Annotated[str, Field(min_length=1, max_length=128)]


class _Fact(Value):
    person: Id
    at: AwareDatetime


class SignedUp(_Fact):
    kind: Literal["signed_up"] = "signed_up"
    device: Fingerprint | None = None
    address: Fingerprint | None = None


class DeviceSeen(_Fact):
    kind: Literal["device_seen"] = "device_seen"
    device: Fingerprint


class IncomeSeen(_Fact):
    """What the person stated for a month, and what documents or the bank showed."""

    kind: Literal["income_seen"] = "income_seen"
    stated_pence: Pence
    shown_pence: Pence


class MethodAdded(_Fact):
    """A means to pay contributions with."""

    kind: Literal["method_added"] = "method_added"
    method: Fingerprint
    method_kind: Literal["card", "bank"]


class PayoutAccountSet(_Fact):
    """Where this person's pot shall go: the first time, or changed."""

    kind: Literal["payout_account_set"] = "payout_account_set"
    account: Fingerprint
    changed: bool


class Joined(_Fact):
    kind: Literal["joined"] = "joined"
    group: Id


class PayoutDue(_Fact):
    """`at`: when the pot is to be sent."""

    kind: Literal["payout_due"] = "payout_due"
    group: Id


class PaidOut(_Fact):
    kind: Literal["paid_out"] = "paid_out"
    group: Id


class Defaulted(_Fact):
    kind: Literal["defaulted"] = "defaulted"
    group: Id


class MandateCancelled(_Fact):
    kind: Literal["mandate_cancelled"] = "mandate_cancelled"


class Disputed(_Fact):
    """The person had a contribution taken back by their bank."""

    kind: Literal["disputed"] = "disputed"
    group: Id


Fact = Annotated[
    SignedUp
    | DeviceSeen
    | IncomeSeen
    | MethodAdded
    | PayoutAccountSet
    | Joined
    | PayoutDue
    | PaidOut
    | Defaulted
    | MandateCancelled
    | Disputed,
    Field(discriminator="kind"),
]

# --- findings -----------------------------------------------------------------------------------------------


class FraudCode(StrEnum):
    SIGN_UPS_ON_DEVICE = "sign_ups_on_device"
    SHARED_DEVICE = "shared_device"
    SHARED_ACCOUNT = "shared_account"
    SHARED_CARD = "shared_card"
    SHARED_ADDRESS = "shared_address"
    MANY_METHODS = "many_methods"
    MANY_GROUPS = "many_groups"
    INCOME_OUT_OF_LINE = "income_out_of_line"
    DEFAULT_AFTER_PAYOUT = "default_after_payout"
    LINKED_TO_DEFAULT = "linked_to_default"
    LEAVING_AFTER_PAYOUT = "leaving_after_payout"
    ACCOUNT_CHANGED_BEFORE_PAYOUT = "account_changed_before_payout"
    ACCOUNT_CHANGED_ON_NEW_DEVICE = "account_changed_on_new_device"
    RING = "ring"


class Severity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


POINTS: Final[Mapping[Severity, int]] = {Severity.LOW: 10, Severity.MEDIUM: 30, Severity.HIGH: 60}
"""Two medium findings weigh as much as a high one; six low ones do."""

HOLD_FROM_POINTS: Final = 60


class Hold(StrEnum):
    """What has to wait for a person."""

    JOINING = "joining"
    PAYING_OUT = "paying_out"
    ADDING_METHODS = "adding_methods"


class Finding(Value):
    """`holds` until staff decide, or until `until` where it is set. `others`: whom it connects, by id;
    `about`: in which groups, or with which new account, so that what staff have looked at is known again."""

    code: FraudCode
    severity: Severity
    sentence: str
    holds: tuple[Hold, ...] = ()
    until: AwareDatetime | None = None
    others: tuple[str, ...] = ()
    about: tuple[str, ...] = ()

    @property
    def points(self) -> int:
        return POINTS[self.severity]


class FraudCheck(Value):
    person: str
    at: AwareDatetime
    rules_version: str
    findings: tuple[Finding, ...]
    points: int
    holds: tuple[Hold, ...]

    @property
    def is_clear(self) -> bool:
        return not self.holds


# --- rules --------------------------------------------------------------------------------------------------


@record
class FraudRules:
    """House thresholds, each with what honest life it leaves room for."""

    version: str = "fraud-1"

    sign_ups_on_device: int = 3
    sign_ups_within: timedelta = timedelta(hours=24)
    """A couple signs up on one telephone in one evening; three people in a day is somebody at work."""

    device_people: int = 3
    device_people_hold: int = 5
    """Three who do not live together are a question; five on one device are a shop's counter or a farm, even
    at one address."""

    account_people: int = 2
    account_people_hold: int = 3
    """Couples have joint accounts: two people at one address are nothing, apart they are a question."""

    address_people: int = 6
    """Shared houses and large families are honest: points alone, and few."""

    methods: int = 4
    methods_within: timedelta = timedelta(hours=24)
    """Three tries at one's own cards happen; the fourth in a day is card testing."""

    groups: int = 4
    groups_hold: int = 6
    groups_within: timedelta = timedelta(days=7)
    """Nobody saves in four circles by accident in one week."""

    income_percent: int = 150
    income_percent_hold: int = 300
    """Stated ÷ shown: overtime and rounding explain a third more, not half as much again."""

    leaving_within: timedelta = timedelta(days=30)
    """After one's own pot: a month, in which the next contribution would have been due."""

    replaced_before: timedelta = timedelta(days=3)
    """Who changes banks adds the new mandate first, or later: then the old one's end says nothing."""

    changed_before_pot: timedelta = timedelta(days=7)
    """A change of payout account so shortly before a pot is a question to staff."""

    cooling_off: timedelta = COOLING_OFF
    """It holds the pot for as long as nothing is paid to new bank details in any case, for the owner to see
    our messages; longer only where a new device was in use."""

    new_device: timedelta = timedelta(days=3)
    """A device first seen so shortly before a change of account is not yet the owner's."""

    ring_people: int = 3
    ring_sign_up_within: timedelta = timedelta(days=3)
    """People of one group that share devices, accounts or cards. A family may; hence three, and a person
    looks. By shared address alone only when at least half of the group signed up within three days."""


RULES: Final = FraudRules()

F = TypeVar("F", bound=_Fact)


@record
class _Scene:
    """The facts known at a moment, seen from one person."""

    person: str
    at: datetime
    facts: tuple[Fact, ...]
    rules: FraudRules

    @cached_property
    def _by_kind(self) -> Mapping[type[_Fact], list[Any]]:
        """A dozen rules ask, each for a kind or two."""
        kinds: defaultdict[type[_Fact], list[Any]] = defaultdict(list)
        for fact in self.facts:
            kinds[type(fact)].append(fact)
        return kinds

    def all(self, kind: type[F]) -> list[F]:
        return self._by_kind.get(kind, [])

    def own(self, kind: type[F]) -> list[F]:
        return [fact for fact in self.all(kind) if fact.person == self.person]

    def people_by(self, read: Callable[[Any], str | None], *kinds: type[_Fact]) -> dict[str, set[str]]:
        """Fingerprint → people, by what reads a fingerprint off a fact of these kinds."""
        people: defaultdict[str, set[str]] = defaultdict(set)
        for fact in self.facts:
            if isinstance(fact, kinds) and (fingerprint := read(fact)):
                people[fingerprint].add(fact.person)
        return people

    @cached_property
    def by_device(self) -> dict[str, set[str]]:
        return self.people_by(_device, SignedUp, DeviceSeen)

    @cached_property
    def by_account(self) -> dict[str, set[str]]:
        return self.people_by(_account, PayoutAccountSet, MethodAdded)

    @cached_property
    def by_card(self) -> dict[str, set[str]]:
        return self.people_by(_card, MethodAdded)

    @cached_property
    def by_address(self) -> dict[str, set[str]]:
        return self.people_by(_address, SignedUp)

    def most(self, people_by: Mapping[str, set[str]]) -> set[str]:
        """The largest set of people that this person is in, themselves included."""
        return max((people for people in people_by.values() if self.person in people), key=len, default=set())

    def live_together(self, people: set[str]) -> bool:
        return any(people <= household for household in self.by_address.values())

    def others(self, people: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(set(people) - {self.person}))


def _device(fact: SignedUp | DeviceSeen) -> str | None:
    return fact.device


def _address(fact: SignedUp) -> str | None:
    return fact.address


def _account(fact: PayoutAccountSet | MethodAdded) -> str | None:
    """Bank accounts, whether money comes from or goes to them."""
    if isinstance(fact, PayoutAccountSet):
        return fact.account
    return fact.method if fact.method_kind == "bank" else None


def _card(fact: MethodAdded) -> str | None:
    return fact.method if fact.method_kind == "card" else None


def check_fraud(person: str, facts: Sequence[Fact], at: datetime, rules: FraudRules = RULES) -> FraudCheck:
    """Every rule over the facts up to `at` (and payouts still due), in any order.

    `facts` are the person's own, those of everybody who shares a fingerprint with them, and those of the
    members of their groups; facts of others than these change nothing.
    """
    known = tuple(fact for fact in facts if fact.at <= at or isinstance(fact, PayoutDue))
    scene = _Scene(person, at, known, rules)
    findings = tuple(finding for rule in _ALL for finding in rule(scene))
    return weigh(person, at, findings, rules)


def weigh(person: str, at: datetime, findings: Sequence[Finding], rules: FraudRules = RULES) -> FraudCheck:
    """What findings come to: their points, and what has to wait for a person, or for a time to pass."""
    points = sum(finding.points for finding in findings)
    holding = [finding for finding in findings if finding.until is None or finding.until > at]
    holds = {hold for finding in holding for hold in finding.holds}
    if points >= HOLD_FROM_POINTS:
        holds.add(Hold.JOINING)
    return FraudCheck(
        person=person,
        at=at,
        rules_version=rules.version,
        findings=tuple(findings),
        points=points,
        holds=tuple(sorted(holds)),
    )


# --- sign-up ------------------------------------------------------------------------------------------------


def _sign_ups_on_device(scene: _Scene) -> Iterable[Finding]:
    sign_ups = scene.all(SignedUp)
    for own in scene.own(SignedUp):
        near = {
            other.person
            for other in sign_ups
            if own.device
            and other.device == own.device
            and abs(other.at - own.at) <= scene.rules.sign_ups_within
        }
        if len(near) >= scene.rules.sign_ups_on_device:
            yield Finding(
                code=FraudCode.SIGN_UPS_ON_DEVICE,
                severity=Severity.HIGH,
                sentence=f"{len(near)} people signed up on one device within a day.",
                holds=(Hold.JOINING,),
                others=scene.others(near),
            )
            return


def _shared_device(scene: _Scene) -> Iterable[Finding]:
    people = scene.most(scene.by_device)
    many = len(people) >= scene.rules.device_people_hold
    apart = len(people) >= scene.rules.device_people and not scene.live_together(people)
    if many or apart:
        yield Finding(
            code=FraudCode.SHARED_DEVICE,
            severity=Severity.HIGH if many else Severity.MEDIUM,
            sentence=f"{len(people)} people use one device.",
            holds=(Hold.JOINING,) if many else (),
            others=scene.others(people),
        )


def _shared_address(scene: _Scene) -> Iterable[Finding]:
    people = scene.most(scene.by_address)
    if len(people) >= scene.rules.address_people:
        yield Finding(
            code=FraudCode.SHARED_ADDRESS,
            severity=Severity.LOW,
            sentence=f"{len(people)} people live at one address.",
            others=scene.others(people),
        )


def _income_out_of_line(scene: _Scene) -> Iterable[Finding]:
    seen = sorted(scene.own(IncomeSeen), key=lambda fact: fact.at)
    if not seen:
        return
    latest, rules = seen[-1], scene.rules
    if latest.stated_pence * 100 > latest.shown_pence * rules.income_percent:
        far = latest.stated_pence * 100 > latest.shown_pence * rules.income_percent_hold
        yield Finding(
            code=FraudCode.INCOME_OUT_OF_LINE,
            severity=Severity.HIGH if far else Severity.MEDIUM,
            sentence=f"Stated {pounds(latest.stated_pence)} a month, shown {pounds(latest.shown_pence)}.",
            holds=(Hold.JOINING,) if far else (),
        )


# --- payment methods and accounts ---------------------------------------------------------------------------


def _shared_account(scene: _Scene) -> Iterable[Finding]:
    people = scene.most(scene.by_account)
    if len(people) < scene.rules.account_people:
        return
    if len(people) >= scene.rules.account_people_hold:
        yield Finding(
            code=FraudCode.SHARED_ACCOUNT,
            severity=Severity.HIGH,
            sentence=f"{len(people)} people use one bank account.",
            holds=(Hold.JOINING, Hold.PAYING_OUT),
            others=scene.others(people),
        )
    elif not scene.live_together(people):
        yield Finding(
            code=FraudCode.SHARED_ACCOUNT,
            severity=Severity.MEDIUM,
            sentence="Two people who do not live together use one bank account.",
            others=scene.others(people),
        )


def _shared_card(scene: _Scene) -> Iterable[Finding]:
    people = scene.most(scene.by_card)
    if len(people) >= scene.rules.account_people_hold:
        yield Finding(
            code=FraudCode.SHARED_CARD,
            severity=Severity.HIGH,
            sentence=f"{len(people)} people pay with one card.",
            holds=(Hold.ADDING_METHODS, Hold.JOINING),
            others=scene.others(people),
        )
    elif len(people) >= scene.rules.account_people and not scene.live_together(people):
        yield Finding(
            code=FraudCode.SHARED_CARD,
            severity=Severity.MEDIUM,
            sentence="Two people who do not live together pay with one card.",
            others=scene.others(people),
        )


def _many_methods(scene: _Scene) -> Iterable[Finding]:
    added = scene.own(MethodAdded)
    most = max((_within(added, first.at, scene.rules.methods_within) for first in added), key=len, default=[])
    methods = {fact.method for fact in most}
    if len(methods) >= scene.rules.methods:
        yield Finding(
            code=FraudCode.MANY_METHODS,
            severity=Severity.HIGH,
            sentence=f"{len(methods)} payment methods were added within a day.",
            holds=(Hold.ADDING_METHODS, Hold.JOINING),
        )


def _within(facts: Iterable[F], start: datetime, span: timedelta) -> list[F]:
    return [fact for fact in facts if start <= fact.at <= start + span]


# --- groups -------------------------------------------------------------------------------------------------


def _many_groups(scene: _Scene) -> Iterable[Finding]:
    joined = scene.own(Joined)
    most = max(
        (_within(joined, first.at, scene.rules.groups_within) for first in joined), key=len, default=[]
    )
    groups = {fact.group for fact in most}
    if len(groups) >= scene.rules.groups:
        many = len(groups) >= scene.rules.groups_hold
        yield Finding(
            code=FraudCode.MANY_GROUPS,
            severity=Severity.HIGH if many else Severity.MEDIUM,
            sentence=f"{len(groups)} groups were joined within a week.",
            holds=(Hold.JOINING,) if many else (),
        )


def _ring(scene: _Scene) -> Iterable[Finding]:
    """Members of one group who hang together: by device, account or card; or by address and hour."""
    for group in sorted({fact.group for fact in scene.own(Joined)}):
        members = {fact.person for fact in scene.all(Joined) if fact.group == group}
        ties = [*scene.by_device.values(), *scene.by_account.values(), *scene.by_card.values()]
        ring = _connected(scene.person, members, ties)
        if len(ring) < scene.rules.ring_people:
            ring = _connected(scene.person, _signed_up_together(scene, members), scene.by_address.values())
            if len(ring) < scene.rules.ring_people or 2 * len(ring) < len(members):
                continue
        yield Finding(
            code=FraudCode.RING,
            severity=Severity.HIGH,
            sentence=f"{len(ring)} of {len(members)} members of one group hang together.",
            holds=(Hold.JOINING, Hold.PAYING_OUT),
            others=scene.others(ring),
            about=(group,),
        )
        return


def _connected(start: str, members: set[str], ties: Iterable[set[str]]) -> set[str]:
    """The members that can be reached from `start` over shared fingerprints."""
    within = [tie & members for tie in ties]
    reached, grown = {start}, True
    while grown:
        wider = reached.union(*(tie for tie in within if tie & reached))
        grown, reached = wider != reached, wider
    return reached


def _signed_up_together(scene: _Scene, members: set[str]) -> set[str]:
    own = scene.own(SignedUp)
    return {
        fact.person
        for fact in scene.all(SignedUp)
        if fact.person in members and own and abs(fact.at - own[0].at) <= scene.rules.ring_sign_up_within
    }


# --- payouts ------------------------------------------------------------------------------------------------


def _took_and_defaulted(scene: _Scene) -> dict[str, set[str]]:
    """Person → groups in which they defaulted after they had the pot."""
    paid = {(fact.person, fact.group): fact.at for fact in scene.all(PaidOut)}
    found: defaultdict[str, set[str]] = defaultdict(set)
    for default in scene.all(Defaulted):
        paid_at = paid.get((default.person, default.group))
        if paid_at and paid_at <= default.at:
            found[default.person].add(default.group)
    return found


def _default_after_payout(scene: _Scene) -> Iterable[Finding]:
    defaulted = _took_and_defaulted(scene)
    if defaulted.get(scene.person):
        yield Finding(
            code=FraudCode.DEFAULT_AFTER_PAYOUT,
            severity=Severity.HIGH,
            sentence="Defaulted in a group after taking the pot there.",
            holds=(Hold.JOINING, Hold.PAYING_OUT),
            about=tuple(sorted(defaulted[scene.person])),
        )
    tied: set[str] = set()
    for people_by in (scene.by_device, scene.by_account, scene.by_card):
        tied |= {other for people in people_by.values() if scene.person in people for other in people}
    linked = scene.others(tied & set(defaulted))
    if linked:
        yield Finding(
            code=FraudCode.LINKED_TO_DEFAULT,
            severity=Severity.MEDIUM,
            sentence="Shares a device, an account or a card with somebody who took a pot and defaulted.",
            others=linked,
        )


def _leaving_after_payout(scene: _Scene) -> Iterable[Finding]:
    """The mandate cancelled and none put in its place, or a contribution taken back, soon after the pot."""
    for paid in scene.own(PaidOut):
        cancelled = _within(scene.own(MandateCancelled), paid.at, scene.rules.leaving_within)
        replaced = any(
            added.at >= fact.at - scene.rules.replaced_before
            for fact in cancelled
            for added in scene.own(MethodAdded)
        )
        disputed = _within(scene.own(Disputed), paid.at, scene.rules.leaving_within)
        if (cancelled and not replaced) or disputed:
            how = "a contribution was taken back" if disputed else "the mandate was cancelled"
            yield Finding(
                code=FraudCode.LEAVING_AFTER_PAYOUT,
                severity=Severity.HIGH,
                sentence=f"Within a month of taking the pot, {how}.",
                holds=(Hold.JOINING, Hold.PAYING_OUT),
                about=(paid.group,),
            )
            return


def _account_changed_before_payout(scene: _Scene) -> Iterable[Finding]:
    changes = [fact for fact in scene.own(PayoutAccountSet) if fact.changed]
    due = [fact for fact in scene.own(PayoutDue) if fact.at >= scene.at]
    close = [
        change
        for change in changes
        if any(change.at <= payout.at <= change.at + scene.rules.changed_before_pot for payout in due)
    ]
    if not close:
        return
    latest = max(close, key=lambda change: change.at)
    if _on_new_device(scene, latest.at):
        yield Finding(
            code=FraudCode.ACCOUNT_CHANGED_ON_NEW_DEVICE,
            severity=Severity.HIGH,
            sentence="The payout account was changed shortly before a pot, and a new device was in use.",
            holds=(Hold.PAYING_OUT,),
            about=(latest.account,),
        )
    else:
        yield Finding(
            code=FraudCode.ACCOUNT_CHANGED_BEFORE_PAYOUT,
            severity=Severity.MEDIUM,
            sentence="The payout account was changed shortly before a pot.",
            holds=(Hold.PAYING_OUT,),
            until=latest.at + scene.rules.cooling_off,
            about=(latest.account,),
        )


def _on_new_device(scene: _Scene, at: datetime) -> bool:
    """Whether a device other than that of the sign-up was first seen shortly before."""
    known = {fact.device for fact in scene.own(SignedUp)}
    first_seen: dict[str, datetime] = {}
    for fact in sorted(scene.own(DeviceSeen), key=lambda fact: fact.at):
        if fact.device not in known:
            first_seen.setdefault(fact.device, fact.at)
    return any(at - scene.rules.new_device <= seen <= at for seen in first_seen.values())


_ALL: Final[tuple[Callable[[_Scene], Iterable[Finding]], ...]] = (
    _sign_ups_on_device,
    _shared_device,
    _shared_address,
    _income_out_of_line,
    _shared_account,
    _shared_card,
    _many_methods,
    _many_groups,
    _ring,
    _default_after_payout,
    _leaving_after_payout,
    _account_changed_before_payout,
)
