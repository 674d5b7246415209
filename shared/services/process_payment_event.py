"""Process one event of the processor: fetch what it is about anew, decide, commit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from shared.domain.errors import Broken, MalformedBody, NoSuchThing, ProcessorUnavailable, UnknownObject
from shared.ports import (
    BankPayout,
    Collection,
    Dispute,
    IdentitySession,
    Method,
    MethodSetup,
    NothingNew,
    PaymentOutcomeUnknown,
    PaymentRefused,
    PaymentsUnavailable,
    ProcessorNews,
    Recipient,
    Refund,
    ThinEvent,
    Transfer,
)
from shared.services.context import Command, Context
from shared.services.quarantine import park

EVENTS_TOPIC: Final = "process_payment_event"


def process(ctx: Context, event: ThinEvent) -> dict[str, Any]:
    """Take up one event. Twice, late and out of order it changes things once.

    What is genuine but unknown, or does not match ours, is parked with its reason, never booked. Raises
    ProcessorUnavailable or TryAgainLater: the message comes again.
    """
    command = Command(actor="system:processor", id=event.id)
    try:
        if event.live != ctx.gateway.live:
            raise UnknownObject(thing="event with another livemode", reference=event.id)
        return _take_up(ctx, command, ctx.gateway.read(event), event)
    except (PaymentOutcomeUnknown, PaymentsUnavailable) as silence:
        raise ProcessorUnavailable() from silence
    except (Broken, NoSuchThing, PaymentRefused) as broken:
        where = park(ctx, event.id, "event", _as_broken(broken, event), as_message(event))
        return {"quarantined": where}


def _take_up(ctx: Context, command: Command, news: ProcessorNews, event: ThinEvent) -> dict[str, Any]:
    """Each kind of news goes to the one use case that records it, imported when it is needed."""
    match news:
        case Collection():
            from shared.services.settle_contribution import record_collection

            return record_collection(ctx, command, news)
        case Transfer():
            from shared.services.send_payout import record_transfer

            return {"state": record_transfer(ctx, command, news).state}
        case BankPayout():
            from shared.services.send_payout import record_bank_payout

            return {"state": record_bank_payout(ctx, command, news).state}
        case Dispute():
            from shared.services.take_back_contribution import record_dispute

            return record_dispute(ctx, command, news)
        case Refund():
            from shared.services.take_back_contribution import record_refund

            return record_refund(ctx, command, news)
        case Recipient():
            from shared.services.payout_account import take_up_recipient

            return take_up_recipient(ctx, command, _uid(news.labels, news.reference), news)
        case IdentitySession():
            from shared.services.identity_check import record_check

            return record_check(ctx, command, _uid(news.labels, news.reference), news)
        case MethodSetup():
            from shared.services.payment_methods import record_setup

            return record_setup(ctx, command, news)
        case Method():
            from shared.services.payment_methods import record_known_method

            return record_known_method(ctx, command, news)
        case NothingNew():
            return {}
        case _:
            return {"quarantined": park(ctx, event.id, "event", news.reason, as_message(event))}


def _uid(labels: Any, reference: str) -> str:
    uid = labels.get("uid")
    if not uid:
        raise UnknownObject(thing="account", reference=reference)
    return str(uid)


def _as_broken(reason: Exception, event: ThinEvent) -> Broken:
    if isinstance(reason, Broken):
        return reason
    return UnknownObject(thing=event.type, reference=event.object_id)


def as_message(event: ThinEvent) -> dict[str, Any]:
    """A thin event as it is published, and as it lies in quarantine."""
    return {
        "id": event.id,
        "type": event.type,
        "account": event.account,
        "object_id": event.object_id,
        "live": event.live,
        "created_at": event.created_at.isoformat(),
    }


def as_event(message: Mapping[str, Any]) -> ThinEvent:
    """The thin event that a message holds. Fields that a later version adds are passed over.

    Raises MalformedBody.
    """
    match message:
        case {
            "id": str(id_),
            "type": str(type_),
            "account": str() | None as account,
            "object_id": str(object_id),
            "live": bool(live),
            "created_at": str(created_at),
        }:
            try:
                return ThinEvent(id_, type_, account, object_id, live, datetime.fromisoformat(created_at))
            except ValueError as error:
                raise MalformedBody from error
    raise MalformedBody
