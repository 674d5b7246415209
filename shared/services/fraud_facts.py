"""Facts for the fraud checks: what a person did with us, who shares a card, an account, a device or an
address with them, and who is in their circles. Ids and keyed hashes; no names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, ParamSpec, TypeVar, cast

from shared.domain.calendar import opening_of
from shared.domain.contributions import Contribution
from shared.domain.fraud import (
    Defaulted,
    DeviceSeen,
    Disputed,
    Fact,
    Joined,
    MandateCancelled,
    MethodAdded,
    PaidOut,
    PayoutAccountSet,
    PayoutDue,
    SignedUp,
)
from shared.domain.groups import Group, group_ref
from shared.domain.members import ASKING, SEATED, Member
from shared.domain.payouts import BEFORE_SENDING, Payout
from shared.domain.traces import ASKED_MAX, KEY, Traces, mark, traces_ref
from shared.domain.users import User, user_ref
from shared.ports import Query, Snapshot
from shared.services.context import Context
from shared.services.paging import every
from shared.services.transact import read

P = ParamSpec("P")
F = TypeVar("F", bound=Fact)

PEOPLE_MAX: Final = 50
"""More people on one card or bank account change nothing: three are held already."""

SIGNING_UP: Final = timedelta(days=1)
"""The device that registers within a day of the sign-up is the one that it was made on."""


@dataclass(frozen=True, slots=True)
class _Person:
    """Somebody, and what they have shown."""

    user: User
    traces: Traces


def _remembered(kind: Callable[P, F]) -> Callable[P, F]:
    """Whoever sits in a circle is told of at each look at anybody in it: the same few facts."""
    return cast("Callable[P, F]", lru_cache(maxsize=2048)(kind))


_signed_up = _remembered(SignedUp)
_device_seen = _remembered(DeviceSeen)
_method_added = _remembered(MethodAdded)
_account_set = _remembered(PayoutAccountSet)
_joined = _remembered(Joined)


def facts_of(ctx: Context, uid: str) -> list[Fact]:
    """All that is known, in any order."""
    own = _people(ctx, [uid])
    facts: list[Fact] = [fact for person in own for fact in _account(ctx, person)]
    places = _places(ctx, uid)
    groups = _groups(ctx, places)
    standing = [place for place in places if place.group not in _called_off(groups)]
    facts += [*_circles(ctx, uid, standing), *_taken_back(ctx, uid)]
    sharing = _sharing(ctx, own[0]) if own else []
    for other in sharing:
        facts += _account(ctx, other)
        if _ties(ctx, other) & _ties(ctx, own[0]):
            facts += _circles(ctx, other.user.uid, _places(ctx, other.user.uid))
    facts += _companions(ctx, {uid, *(other.user.uid for other in sharing)}, groups)
    return facts


def _people(ctx: Context, uids: Iterable[str]) -> list[_Person]:
    """Those of them who have signed up, with their traces, by one read."""
    known = list(dict.fromkeys(uids))
    if not known:
        return []
    loaded = read(ctx, *(user_ref(uid) for uid in known), *(traces_ref(uid) for uid in known))
    return [
        _Person(user, loaded.find(traces_ref(uid)) or Traces(uid=uid))
        for uid in known
        if (user := loaded.find(user_ref(uid))) is not None
    ]


def _groups(ctx: Context, places: Iterable[Member]) -> list[Group]:
    refs = [group_ref(gid) for gid in dict.fromkeys(place.group for place in places)]
    loaded = read(ctx, *refs) if refs else None
    return [found for ref in refs if loaded is not None and (found := loaded.find(ref)) is not None]


def _called_off(groups: Iterable[Group]) -> set[str]:
    return {group.id for group in groups if group.state == "cancelled"}


def _account(ctx: Context, person: _Person) -> Iterator[Fact]:
    """What somebody has signed up with, pays with and is paid to. An address is that of now."""
    user, uid = person.user, person.user.uid
    homes = [one.mark for one in person.traces.seen if one.kind == "address"]
    devices = [one for one in person.traces.seen if one.kind == "device"]
    first = next((one.mark for one in devices if one.at - user.created_at <= SIGNING_UP), None)
    yield _signed_up(person=uid, at=user.created_at, device=first, address=homes[-1] if homes else None)
    for one in devices:
        yield _device_seen(person=uid, at=one.at, device=one.mark)
    for one in person.traces.seen:
        if one.kind in ("card", "bank"):
            yield _method_added(person=uid, at=one.at, method=one.mark, method_kind=one.kind)
        elif one.kind == "mandate_revoked":
            yield MandateCancelled(person=uid, at=one.at)
    account = user.payout_account
    if account is not None and account.bank is not None:
        changed_at = account.bank_changed_at
        yield _account_set(
            person=uid,
            at=changed_at or user.created_at,
            account=_bank(ctx, account.bank),
            changed=changed_at is not None,
        )


def _bank(ctx: Context, fingerprint: str) -> str:
    """A payout account as a trace would name it: money may come from where it goes to."""
    return _bank_mark(ctx.secrets.current(KEY), fingerprint)


@lru_cache(maxsize=2048)
def _bank_mark(key: bytes, fingerprint: str) -> str:
    return mark(key, "bank", fingerprint)


def _ties(ctx: Context, person: _Person) -> set[str]:
    """By what two people hang together, more than by living in one house."""
    account = person.user.payout_account
    banks = {_bank(ctx, account.bank)} if account and account.bank else set()
    return banks | {one.mark for one in person.traces.seen if one.kind in ("card", "bank", "device")}


def _places(ctx: Context, uid: str) -> list[Member]:
    """Places that are held or asked for: who withdrew, or was turned down, is in no circle by that. Nor is an
    organiser in a circle of their own before they accept it: starting circles is what they are there for."""
    found = [one.document(Member) for one in _all(ctx, "members", ("uid", uid), "-joined_at")]
    started = {place.group for place in found if (place.role, place.state) == ("organiser", "approved")}
    return [place for place in found if place.state in SEATED | ASKING and place.group not in started]


def _circles(ctx: Context, uid: str, places: Iterable[Member]) -> Iterator[Fact]:
    """Places taken, pots to come and received, promises broken. When one was broken is not kept: it counts as
    now, which is after any pot."""
    for place in places:
        yield _joined(person=uid, at=place.joined_at, group=place.group)
        if place.state == "defaulted":
            yield Defaulted(person=uid, at=ctx.clock.now(), group=place.group)
    for one in _all(ctx, "payouts", ("recipient", uid), "pay_date"):
        pot = one.document(Payout)
        if pot.kind == "turn" and pot.received_at is not None:
            yield PaidOut(person=uid, at=_midnight(pot.pay_date), group=pot.group)
        elif pot.kind == "turn" and pot.state in BEFORE_SENDING:
            due_at = max(opening_of(pot.pay_date), ctx.clock.now())
            yield PayoutDue(person=uid, at=due_at, group=pot.group)


def _taken_back(ctx: Context, uid: str) -> Iterator[Fact]:
    """Debits that the person's bank took back. The day is not kept: an open dispute counts as now, one that
    was lost as of its debit."""
    for one in _all(ctx, "contributions", ("uid", uid), "due_date"):
        contribution = one.document(Contribution)
        for attempt in contribution.attempts:
            if attempt.state in {"disputed", "lost"}:
                at = ctx.clock.now() if attempt.state == "disputed" else attempt.started_at
                yield Disputed(person=uid, at=at, group=contribution.group)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _sharing(ctx: Context, person: _Person) -> list[_Person]:
    """Who else has shown the same card, account, device or address, or has pots go to the same account."""
    account = person.user.payout_account
    marks = [*person.traces.marks, *([_bank(ctx, account.bank)] if account and account.bank else [])]
    questions = []
    if marks:
        questions.append(Query("traces", [("marks", "array_contains_any", marks[-ASKED_MAX:])]))
    if account and account.bank:
        questions.append(Query("users", [("payout_account.bank", "==", account.bank)]))
    found = [
        str((one.data or {})["uid"])
        for question in questions
        for one in ctx.store.query(replace(question, limit=PEOPLE_MAX)).documents
    ]
    return _people(ctx, [uid for uid in found if uid != person.user.uid])


def _companions(ctx: Context, known: set[str], groups: Iterable[Group]) -> Iterator[Fact]:
    """Who sits in the same circles, and what each of them has shown: rings show there."""
    seats = [(group.id, seat.uid) for group in groups for seat in group.seated() if seat.uid not in known]
    for other in _people(ctx, sorted({uid for _, uid in seats})):
        yield from _account(ctx, other)
        for gid, uid in seats:
            if uid == other.user.uid:
                yield _joined(person=uid, at=other.user.created_at, group=gid)


def _all(ctx: Context, collection: str, who: tuple[str, str], order: str) -> Iterator[Snapshot]:
    """Everything of one person in all circles, page by page."""
    field, uid = who
    return every(ctx, Query(collection, [(field, "==", uid)], [order], limit=200, group=True))
