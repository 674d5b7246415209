"""Facts for the fraud checks: what a person did with us, who shares their bank account, and who is in their
circles. Ids and the processor's own fingerprints; no names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from typing import Any

from shared.domain.calendar import opening_of
from shared.domain.contributions import Contribution
from shared.domain.fraud import (
    Defaulted,
    Disputed,
    Fact,
    Joined,
    MethodAdded,
    PaidOut,
    PayoutAccountSet,
    PayoutDue,
    SignedUp,
)
from shared.domain.groups import Group, group_ref
from shared.domain.members import ASKING, SEATED, Member
from shared.domain.payouts import BEFORE_SENDING, Payout
from shared.domain.users import PaymentMethods, User, payment_methods_ref, user_ref
from shared.ports import Query
from shared.services.context import Context
from shared.services.transact import read

PEOPLE_MAX = 50
"""More people on one bank account change nothing: three are held already."""


def facts_of(ctx: Context, uid: str) -> list[Fact]:
    """All that is known, in any order."""
    loaded = read(ctx, user_ref(uid), payment_methods_ref(uid))
    user, methods = loaded.find(user_ref(uid)), loaded.find(payment_methods_ref(uid))
    facts: list[Fact] = [*_account(user), *_methods(methods)] if user else []
    places = _places(ctx, uid)
    groups = _groups(ctx, places)
    standing = [place for place in places if place.group not in _called_off(groups)]
    facts += [*_circles(ctx, uid, standing), *_taken_back(ctx, uid)]
    sharing = list(_on_the_same_account(ctx, user))
    for other in sharing:
        facts += [*_account(other), *_circles(ctx, other.uid, _places(ctx, other.uid))]
    facts += _companions(ctx, {uid, *(other.uid for other in sharing)}, groups)
    return facts


def _groups(ctx: Context, places: Iterable[Member]) -> list[Group]:
    refs = [group_ref(gid) for gid in dict.fromkeys(place.group for place in places)]
    loaded = read(ctx, *refs) if refs else None
    return [found for ref in refs if loaded is not None and (found := loaded.find(ref)) is not None]


def _called_off(groups: Iterable[Group]) -> set[str]:
    return {group.id for group in groups if group.state == "cancelled"}


def _account(user: User) -> Iterator[Fact]:
    yield SignedUp(person=user.uid, at=user.created_at)
    account = user.payout_account
    if account is not None and account.bank is not None:
        changed_at = account.bank_changed_at
        at = changed_at or user.created_at
        yield PayoutAccountSet(person=user.uid, at=at, account=account.bank, changed=changed_at is not None)


def _methods(methods: PaymentMethods | None) -> Iterator[Fact]:
    """By reference: the processor's fingerprint of a card is not kept, so a shared one is not seen."""
    if methods is None:
        return
    for one in methods.methods:
        yield MethodAdded(
            person=methods.uid,
            at=one.added_at,
            method=one.reference,
            method_kind="card" if one.kind == "card" else "bank",
        )


def _places(ctx: Context, uid: str) -> list[Member]:
    """Places that are held or asked for: who withdrew, or was turned down, is in no circle by that. Nor is an
    organiser in a circle of their own before they accept it: starting circles is what they are there for."""
    found = [Member.model_validate(one) for one in _all(ctx, "members", ("uid", uid), "-joined_at")]
    started = {place.group for place in found if (place.role, place.state) == ("organiser", "approved")}
    return [place for place in found if place.state in SEATED | ASKING and place.group not in started]


def _circles(ctx: Context, uid: str, places: Iterable[Member]) -> Iterator[Fact]:
    """Places taken, pots to come and received, promises broken. When one was broken is not kept: it counts as
    now, which is after any pot."""
    for place in places:
        yield Joined(person=uid, at=place.joined_at, group=place.group)
        if place.state == "defaulted":
            yield Defaulted(person=uid, at=ctx.clock.now(), group=place.group)
    for one in _all(ctx, "payouts", ("recipient", uid), "pay_date"):
        pot = Payout.model_validate(one)
        if pot.kind == "turn" and pot.received_at is not None:
            yield PaidOut(person=uid, at=_midnight(pot.pay_date), group=pot.group)
        elif pot.kind == "turn" and pot.state in BEFORE_SENDING:
            due_at = max(opening_of(pot.pay_date), ctx.clock.now())
            yield PayoutDue(person=uid, at=due_at, group=pot.group)


def _taken_back(ctx: Context, uid: str) -> Iterator[Fact]:
    """Debits that the person's bank took back. The day is not kept: an open dispute counts as now, one that
    was lost as of its debit."""
    for one in _all(ctx, "contributions", ("uid", uid), "due_date"):
        contribution = Contribution.model_validate(one)
        for attempt in contribution.attempts:
            if attempt.state in {"disputed", "lost"}:
                at = ctx.clock.now() if attempt.state == "disputed" else attempt.started_at
                yield Disputed(person=uid, at=at, group=contribution.group)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _on_the_same_account(ctx: Context, user: User | None) -> Iterator[User]:
    bank = user.payout_account.bank if user and user.payout_account else None
    if user is None or bank is None:
        return
    page = ctx.store.query(Query("users", where=[("payout_account.bank", "==", bank)], limit=PEOPLE_MAX))
    for one in page.documents:
        other = User.model_validate(dict(one.data or {}))
        if other.uid != user.uid:
            yield other


def _companions(ctx: Context, known: set[str], groups: Iterable[Group]) -> Iterator[Fact]:
    """Who sits in the same circles, and which bank account each of them has: rings show there."""
    seats = [(group.id, seat.uid) for group in groups for seat in group.seated() if seat.uid not in known]
    others = sorted({uid for _, uid in seats})
    people = read(ctx, *(user_ref(uid) for uid in others)) if others else None
    for other in others:
        user = people.find(user_ref(other)) if people else None
        if user is not None:
            yield from _account(user)
            for gid, uid in seats:
                if uid == other:
                    yield Joined(person=other, at=user.created_at, group=gid)


def _all(ctx: Context, collection: str, who: tuple[str, str], order: str) -> Iterator[dict[str, Any]]:
    """Everything of one person in all circles, page by page."""
    cursor: str | None = None
    while True:
        field, uid = who
        page = ctx.store.query(
            Query(collection, [(field, "==", uid)], [order], limit=200, after=cursor, group=True)
        )
        yield from (dict(one.data or {}) for one in page.documents)
        cursor = page.cursor
        if cursor is None:
            return
