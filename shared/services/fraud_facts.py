"""Facts for the fraud checks: what a person did with us, and who shares their bank account. No names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time

from shared.domain.fraud import Defaulted, Fact, Joined, MethodAdded, PaidOut, PayoutAccountSet, SignedUp
from shared.domain.members import Member
from shared.domain.payouts import Payout
from shared.domain.users import PaymentMethods, User, payment_methods_ref, user_ref
from shared.ports import Query
from shared.services.context import Context
from shared.services.transact import read

PEOPLE_MAX = 50
"""More people on one bank account change nothing: three are held already."""


def facts_of(ctx: Context, uid: str) -> list[Fact]:
    """All that is known, in any order. Fingerprints are the processor's own."""
    loaded = read(ctx, user_ref(uid), payment_methods_ref(uid))
    user, methods = loaded.find(user_ref(uid)), loaded.find(payment_methods_ref(uid))
    facts: list[Fact] = [*_account(user), *_methods(methods)] if user else []
    facts += _circles(ctx, uid)
    for other in _on_the_same_account(ctx, user):
        facts += _account(other)
    return facts


def _account(user: User) -> Iterator[Fact]:
    yield SignedUp(person=user.uid, at=user.created_at)
    account = user.payout_account
    if account is not None and account.bank is not None:
        changed_at = account.bank_changed_at
        at = changed_at or user.created_at
        yield PayoutAccountSet(person=user.uid, at=at, account=account.bank, changed=changed_at is not None)


def _methods(methods: PaymentMethods | None) -> Iterator[Fact]:
    if methods is None:
        return
    for one in methods.methods:
        yield MethodAdded(
            person=methods.uid,
            at=one.added_at,
            method=one.reference,
            method_kind="card" if one.kind == "card" else "bank",
        )


def _circles(ctx: Context, uid: str) -> Iterator[Fact]:
    """Places taken, pots received, promises broken. When one was broken is not kept: it counts as now, which
    is after any pot."""
    places = ctx.store.query(
        Query("members", where=[("uid", "==", uid)], order_by=["-joined_at"], group=True)
    )
    for one in places.documents:
        place = Member.model_validate(dict(one.data or {}))
        yield Joined(person=uid, at=place.joined_at, group=place.group)
        if place.state == "defaulted":
            yield Defaulted(person=uid, at=ctx.clock.now(), group=place.group)
    pots = ctx.store.query(
        Query("payouts", where=[("recipient", "==", uid)], order_by=["pay_date"], group=True)
    )
    for one in pots.documents:
        pot = Payout.model_validate(dict(one.data or {}))
        if pot.kind == "turn" and pot.received_at is not None:
            yield PaidOut(person=uid, at=datetime.combine(pot.pay_date, time(), UTC), group=pot.group)


def _on_the_same_account(ctx: Context, user: User | None) -> Iterator[User]:
    bank = user.payout_account.bank if user and user.payout_account else None
    if user is None or bank is None:
        return
    page = ctx.store.query(Query("users", where=[("payout_account.bank", "==", bank)], limit=PEOPLE_MAX))
    for one in page.documents:
        other = User.model_validate(dict(one.data or {}))
        if other.uid != user.uid:
            yield other
