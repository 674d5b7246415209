"""Catch up: events whose callbacks never came are listed at the processor, and published as if they had."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from shared.domain.decision import Decision
from shared.domain.documents import Document, Ref
from shared.domain.errors import ProcessorUnavailable, TryAgainLater
from shared.ports import (
    PaymentOutcomeUnknown,
    PaymentRefused,
    PaymentsUnavailable,
    PublishFailed,
    Query,
)
from shared.services.context import Command, Context
from shared.services.paging import every
from shared.services.process_payment_event import EVENTS_TOPIC, as_message
from shared.services.transact import Loaded, read, transact

OVERLAP: Final = timedelta(hours=1)
"""Events are listed by when they happened, and may show in the list a little later (DESIGN.md § 8)."""

LISTED_FOR: Final = timedelta(days=30)
"""How far back the processor lists them; who was away for longer reconciles (docs.stripe.com/api/events)."""

PAGE: Final = 300


class CaughtUp(Document):
    """system/caught_up: up to when everything that happened at the processor has been published."""

    until: datetime

    @property
    def path(self) -> str:
        return CAUGHT_UP.path


CAUGHT_UP: Final = Ref(CaughtUp, "system/caught_up")


def catch_up(ctx: Context, command: Command) -> dict[str, Any]:
    """Publish every event since the last time: our own account's, and those of each person's account.

    What came before is published twice, which changes nothing. The mark moves only when all was published.
    Raises ProcessorUnavailable or TryAgainLater: the next tick begins where this one did.
    """
    began = ctx.clock.now()
    known = read(ctx, CAUGHT_UP).find(CAUGHT_UP)
    since = known.until - OVERLAP if known else began - LISTED_FOR
    published = 0
    for account in [None, *_accounts(ctx)]:
        try:
            events = ctx.gateway.events(since, account)
        except (PaymentOutcomeUnknown, PaymentsUnavailable) as silence:
            raise ProcessorUnavailable() from silence
        except PaymentRefused:
            continue  # a person's account that is no longer ours to read: nothing of it is news
        for event in events:
            try:
                ctx.publisher.publish(EVENTS_TOPIC, as_message(event))
            except PublishFailed as failed:
                raise TryAgainLater() from failed
            published += 1

    def decide(loaded: Loaded) -> Decision:
        before = loaded.find(CAUGHT_UP)
        if before is None:
            return Decision(created=[CaughtUp(until=began)])
        return Decision(changed=[before.with_(until=max(before.until, began))])

    transact(ctx, command, [CAUGHT_UP], decide)
    return {"published": published, "since": since.isoformat()}


def _accounts(ctx: Context) -> Iterator[str]:
    """The account of everybody who can be paid."""
    query = Query(
        "users",
        where=[("payout_account.reference", ">", "")],
        order_by=["payout_account.reference"],
        limit=PAGE,
    )
    return (str((one.data or {})["payout_account"]["reference"]) for one in every(ctx, query))
