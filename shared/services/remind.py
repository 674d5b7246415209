"""The tick that reminds: what is due, late or in the way of a payout, told once a day at most."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

from shared.domain.calendar import london_day
from shared.domain.contributions import Contribution
from shared.domain.notifications import EXPIRY_AHEAD, NUDGE_DAYS, about_contribution, about_payout
from shared.domain.payouts import Payout
from shared.domain.users import payment_methods_ref, user_ref
from shared.ports import Query, Snapshot
from shared.services import notifications
from shared.services.context import Context
from shared.services.transact import read

PAGE: Final = 100
UNPAID: Final = ["due", "short"]
IN_THE_WAY: Final = ["scheduled", "parked", "bank_failed"]


def remind(ctx: Context) -> dict[str, Any]:
    """Tell everybody what the day asks of them. A doubled tick tells nobody twice, a skipped one is made up
    for by the next: what is said follows from dates and states alone."""
    today, now = london_day(ctx.clock.now()), ctx.clock.now()
    told = 0
    for page in _pages(ctx, "contributions", UNPAID, "due_date", today + EXPIRY_AHEAD):
        contributions = [one.document(Contribution) for one in page]
        methods = read(ctx, *{one.uid: payment_methods_ref(one.uid) for one in contributions}.values())
        told += notifications.keep(
            ctx,
            [
                said
                for one in contributions
                for said in about_contribution(one, methods.find(payment_methods_ref(one.uid)), today, now)
            ],
        )
    for page in _pages(ctx, "payouts", IN_THE_WAY, "pay_date", today + timedelta(days=max(NUDGE_DAYS))):
        payouts = [one.document(Payout) for one in page]
        users = read(ctx, *{one.recipient: user_ref(one.recipient) for one in payouts}.values())
        told += notifications.keep(
            ctx,
            [
                said
                for one in payouts
                if (user := users.find(user_ref(one.recipient))) is not None
                for said in about_payout(one, user.payout_account, today, now)
            ],
        )
    return {"told": told}


def _pages(
    ctx: Context, collection: str, states: list[str], date_field: str, until: date
) -> Iterator[list[Snapshot]]:
    """Documents of all groups in one of these states whose date has come, or comes until a day."""
    cursor: str | None = None
    while True:
        page = ctx.store.query(
            Query(
                collection,
                where=[("state", "in", states), (date_field, "<=", until.isoformat())],
                order_by=[date_field],
                limit=PAGE,
                after=cursor,
                group=True,
            )
        )
        if page.documents:
            yield page.documents
        cursor = page.cursor
        if cursor is None:
            return
