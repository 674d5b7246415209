"""Notifications: what a person is told, as a template and ids; whoever shows it fills in the words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from shared.domain.contributions import Contribution, waits_for_another_method
from shared.domain.documents import Document, Ref
from shared.domain.ids import derived_id
from shared.domain.payouts import Payout
from shared.domain.retention import expiry
from shared.domain.users import PaymentMethods, PayoutAccount
from shared.domain.words import Template

DUE_SOON_DAYS: Final = 3
METHOD_NEEDED_DAYS: Final = 14
"""A new Bacs mandate needs 3 working days to be accepted and 7 to be debited: two weeks, over a holiday."""

NUDGE_DAYS: Final = (10, 7, 5, 3, 2, 1)
"""Days before the payout date on which a recipient who cannot be paid is told; from then on it is daily."""

LATE_DAYS: Final = (3, 5, 8)
"""Days after the due date: once the grace of two days is over, and twice more. Then the week's reminder."""

MISSED_EVERY_DAYS: Final = 7


class Notification(Document):
    """notifications/{uid}/items/{id}. `subject` is the thing it is about, in `group` if it is in one."""

    id: str
    uid: str
    template: Template
    subject: str
    group: str | None = None
    at: datetime
    seen: bool = False
    expires_at: datetime | None = None

    @property
    def path(self) -> str:
        return notification_ref(self.uid, self.id).path


def notification_ref(uid: str, id_: str) -> Ref[Notification]:
    return Ref(Notification, f"notifications/{uid}/items/{id_}")


def notification(
    uid: str, template: Template, subject: str, occasion: str, at: datetime, group: str | None = None
) -> Notification:
    """What a person is told on one occasion. The same occasion gives the same id: it is told once."""
    own_id = derived_id("ntf", uid, template, subject, occasion)
    return Notification(
        id=own_id,
        uid=uid,
        template=template,
        subject=subject,
        group=group,
        at=at,
        expires_at=expiry("items", at),
    )


def about_contribution(
    contribution: Contribution, methods: PaymentMethods | None, today: date, now: datetime
) -> Iterator[Notification]:
    """What its member is told of a contribution today: at most one thing to do, and what is late."""

    def tell(template: Template, occasion: str) -> Notification:
        return notification(
            contribution.uid, template, contribution.id, occasion, now, group=contribution.group
        )

    days_left = (contribution.due_date - today).days
    live, usable = contribution.live_attempt, methods.usable() if methods else None
    if contribution.state == "short":
        if -days_left % MISSED_EVERY_DAYS == 0:
            yield tell("contribution_missed", today.isoformat())
    elif live is None and -days_left in LATE_DAYS:
        yield tell("contribution_late", today.isoformat())
    if live is not None:
        if live.state == "requires_action":
            yield tell("authenticate_payment", today.isoformat())
    elif usable is None or waits_for_another_method(contribution, usable.reference):
        if days_left <= METHOD_NEEDED_DAYS:
            yield tell("payment_method_needed", today.isoformat())
    elif usable.expires is not None and usable.expires < contribution.due_date.strftime("%Y-%m"):
        yield notification(contribution.uid, "payment_method_expires", usable.reference, usable.expires, now)
    elif days_left == DUE_SOON_DAYS:
        yield tell("contribution_due_soon", contribution.due_date.isoformat())


def about_payout(
    payout: Payout, account: PayoutAccount | None, today: date, now: datetime
) -> Iterator[Notification]:
    """What the recipient is told of a payout today, where something of theirs stands in its way."""

    def tell(template: Template) -> Notification:
        return notification(payout.recipient, template, payout.id, today.isoformat(), now, payout.group)

    if payout.state == "bank_failed":
        yield tell("payout_bank_refused")
    elif account is None or not account.can_receive:
        days_left = (payout.pay_date - today).days
        if days_left <= 0 or days_left in NUDGE_DAYS:
            yield tell("payout_account_needs_attention")


def bank_changed(uid: str, account: PayoutAccount, at: datetime) -> Sequence[Notification]:
    """Told on every change: whoever did not ask for it has until the cooling-off ends to say so."""
    return [notification(uid, "payout_bank_changed", account.reference, account.bank or "none", at)]


EXPIRY_AHEAD: Final = timedelta(days=45)
"""How far ahead contributions are looked at for an expiring method: a new card takes weeks to come."""
