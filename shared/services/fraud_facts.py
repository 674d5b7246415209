"""Facts for the fraud checks: what a person did with us, who shares a card, an account, a device or an
address with them, and who is in their circles. Ids and keyed hashes; no names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final, ParamSpec, TypeVar, cast

from shared.domain.calendar import opening_of
from shared.domain.contributions import Contribution
from shared.domain.documents import Ref
from shared.domain.errors import TryAgainLater
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
from shared.ports import Page, Query, Snapshot, StoreUnavailable
from shared.services.context import Context
from shared.services.paging import onwards
from shared.services.transact import Loaded

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
    """All that is known, in any order. Raises TryAgainLater."""
    return facts_beside(ctx, uid)[0]


def facts_beside(ctx: Context, uid: str, *beside: Ref[Any]) -> tuple[list[Fact], Loaded]:
    """`facts_of`, and these documents, read beside what is asked for first. Raises TryAgainLater.

    Asked in three waits, each for all that those before it told of: what is the person's own; their circles,
    and who shows the same; all these people. A fourth, where any of these hangs together with the person, is
    for their circles.
    """
    try:
        return _looked_up(ctx, uid, beside)
    except StoreUnavailable as trouble:
        raise TryAgainLater() from trouble


def _looked_up(ctx: Context, uid: str, beside: Iterable[Ref[Any]]) -> tuple[list[Fact], Loaded]:
    first, (in_circles, pots, debits) = _all(
        ctx, [*_shown_by(uid), *beside], _places_of(uid), _pots_of(uid), _debits_of(uid)
    )
    own, places = _people(first, [uid]), _places(in_circles)
    groups, alike = _around(ctx, own, places)
    seats = [(group.id, seat.uid) for group in groups for seat in group.seated() if seat.uid != uid]
    seated = sorted({one for _, one in seats})
    others, _ = _gather(ctx, [ref for one in (*alike, *seated) for ref in _shown_by(one)])
    sharing = _people(others, alike)
    circles = _circles_of_tied(ctx, own, sharing)

    standing = [place for place in places if place.group not in _called_off(groups)]
    facts: list[Fact] = [fact for person in own for fact in _account(ctx, person)]
    facts += [*_circles(ctx, uid, standing, pots), *_taken_back(ctx, debits)]
    for other in sharing:
        facts += [*_account(ctx, other), *circles.get(other.user.uid, [])]
    known = {other.user.uid for other in sharing}
    facts += _companions(ctx, _people(others, (one for one in seated if one not in known)), seats)
    return facts, first


def _gather(ctx: Context, refs: Iterable[Ref[Any]], *queries: Query) -> tuple[Loaded, list[Page]]:
    """Documents, each once, and a page of each query: one wait."""
    found, pages = ctx.store.gather([*dict.fromkeys(ref.path for ref in refs)], *queries)
    return Loaded(found), pages


def _all(ctx: Context, refs: Iterable[Ref[Any]], *queries: Query) -> tuple[Loaded, list[list[Snapshot]]]:
    """Documents, and all that each query finds: one wait, and one for each page that follows a first one."""
    loaded, pages = _gather(ctx, refs, *queries)
    return loaded, [[*onwards(ctx, query, page)] for query, page in zip(queries, pages, strict=True)]


def _shown_by(uid: str) -> tuple[Ref[User], Ref[Traces]]:
    return user_ref(uid), traces_ref(uid)


def _people(loaded: Loaded, uids: Iterable[str]) -> list[_Person]:
    """Those of them who have signed up, with their traces."""
    return [
        _Person(user, loaded.find(traces_ref(uid)) or Traces(uid=uid))
        for uid in uids
        if (user := loaded.find(user_ref(uid))) is not None
    ]


def _around(ctx: Context, own: Iterable[_Person], places: Iterable[Member]) -> tuple[list[Group], list[str]]:
    """The circles of these places, and who else shows what the person does, each once."""
    refs = [group_ref(gid) for gid in dict.fromkeys(place.group for place in places)]
    loaded, pages = _gather(ctx, refs, *(query for person in own for query in _alike(ctx, person)))
    found = [str((one.data or {})["uid"]) for page in pages for one in page.documents]
    known = {person.user.uid for person in own}
    groups = [group for ref in refs if (group := loaded.find(ref)) is not None]
    return groups, [uid for uid in dict.fromkeys(found) if uid not in known]


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


def _places(found: Iterable[Snapshot]) -> list[Member]:
    """Places that are held or asked for: who withdrew, or was turned down, is in no circle by that. Nor is an
    organiser in a circle of their own before they accept it: starting circles is what they are there for."""
    places = [one.document(Member) for one in found]
    started = {place.group for place in places if (place.role, place.state) == ("organiser", "approved")}
    return [place for place in places if place.state in SEATED | ASKING and place.group not in started]


def _circles(ctx: Context, uid: str, places: Iterable[Member], pots: Iterable[Snapshot]) -> Iterator[Fact]:
    """Places taken, pots to come and received, promises broken. When one was broken is not kept: it counts as
    now, which is after any pot."""
    for place in places:
        yield _joined(person=uid, at=place.joined_at, group=place.group)
        if place.state == "defaulted":
            yield Defaulted(person=uid, at=ctx.clock.now(), group=place.group)
    for one in pots:
        pot = one.document(Payout)
        if pot.kind == "turn" and pot.received_at is not None:
            yield PaidOut(person=uid, at=_midnight(pot.pay_date), group=pot.group)
        elif pot.kind == "turn" and pot.state in BEFORE_SENDING:
            due_at = max(opening_of(pot.pay_date), ctx.clock.now())
            yield PayoutDue(person=uid, at=due_at, group=pot.group)


def _taken_back(ctx: Context, debits: Iterable[Snapshot]) -> Iterator[Fact]:
    """Debits that the person's bank took back. The day is not kept: an open dispute counts as now, one that
    was lost as of its debit."""
    for one in debits:
        contribution = one.document(Contribution)
        for attempt in contribution.attempts:
            if attempt.state in {"disputed", "lost"}:
                at = ctx.clock.now() if attempt.state == "disputed" else attempt.started_at
                yield Disputed(person=contribution.uid, at=at, group=contribution.group)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _alike(ctx: Context, person: _Person) -> Iterator[Query]:
    """For who has shown the same card, account, device or address, or has pots go to the same account."""
    account = person.user.payout_account
    marks = [*person.traces.marks, *([_bank(ctx, account.bank)] if account and account.bank else [])]
    if marks:
        yield Query("traces", [("marks", "array_contains_any", marks[-ASKED_MAX:])], limit=PEOPLE_MAX)
    if account and account.bank:
        yield Query("users", [("payout_account.bank", "==", account.bank)], limit=PEOPLE_MAX)


def _circles_of_tied(
    ctx: Context, own: Sequence[_Person], sharing: Iterable[_Person]
) -> dict[str, list[Fact]]:
    """What those of them show in their circles who hang together with the person."""
    ties = {tie for person in own for tie in _ties(ctx, person)}
    tied = [other.user.uid for other in sharing if _ties(ctx, other) & ties]
    if not tied:
        return {}
    _, found = _all(ctx, [], *(ask(uid) for uid in tied for ask in (_places_of, _pots_of)))
    return {
        uid: [*_circles(ctx, uid, _places(in_circles), pots)]
        for uid, in_circles, pots in zip(tied, found[::2], found[1::2], strict=True)
    }


def _companions(ctx: Context, people: Iterable[_Person], seats: Sequence[tuple[str, str]]) -> Iterator[Fact]:
    """Who sits in the same circles, and what each of them has shown: rings show there."""
    for other in people:
        yield from _account(ctx, other)
        for gid, uid in seats:
            if uid == other.user.uid:
                yield _joined(person=uid, at=other.user.created_at, group=gid)


def _places_of(uid: str) -> Query:
    return _whole("members", "uid", uid, "-joined_at")


def _pots_of(uid: str) -> Query:
    return _whole("payouts", "recipient", uid, "pay_date")


def _debits_of(uid: str) -> Query:
    return _whole("contributions", "uid", uid, "due_date")


def _whole(collection: str, field: str, uid: str, order: str) -> Query:
    """For everything of one person in all circles."""
    return Query(collection, [(field, "==", uid)], [order], limit=200, group=True)
