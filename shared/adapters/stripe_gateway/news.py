"""Webhooks and events: what is genuine, what is published of it, and what it is about now."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from stripe import SignatureVerificationError, WebhookSignature

from shared.adapters.stripe_gateway import readings
from shared.adapters.stripe_gateway.api import Object, StripeApi, at
from shared.domain.errors import BadSignature, UnknownObject
from shared.ports import (
    NothingNew,
    PaymentRefused,
    ProcessorNews,
    RecipientNotReady,
    ThinEvent,
    UnknownEvent,
)

if TYPE_CHECKING:
    from shared.adapters.stripe_gateway.gateway import StripeGateway

# Platform and Connect endpoints sign with secrets of their own (docs.stripe.com/connect/webhooks).
WEBHOOK_SECRETS = {"platform": "stripe-webhook-secret", "connect": "stripe-connect-webhook-secret"}
TOLERANCE_SECONDS = 300  # of wall time: a signature that is older may have been recorded and replayed


def verified(body: bytes, signature: str, secrets: list[bytes]) -> ThinEvent:
    """What a callback says, if it carries Stripe's signature by one of the secrets. Raises BadSignature."""
    if not any(_signed(body, signature, secret.decode()) for secret in secrets):
        raise BadSignature
    try:
        event = json.loads(body)
        return thin(event, event.get("account"))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadSignature from None  # signed, but no event: not what this endpoint is for


def _signed(body: bytes, signature: str, secret: str) -> bool:
    try:
        return bool(WebhookSignature.verify_header(body, signature, secret, TOLERANCE_SECONDS))
    except (SignatureVerificationError, UnicodeDecodeError):
        return False


def thin(event: Object, account: str | None) -> ThinEvent:
    """What may be published of an event."""
    return ThinEvent(
        id=event["id"],
        type=event["type"],
        account=account,
        object_id=event["data"]["object"].get("id") or "",  # a balance has none
        live=event["livemode"],
        created_at=readings.moment(event["created"]),
    )


# --- what an event is about -------------------------------------------------------------------------------


def _collection_of_charge(gateway: StripeGateway, api: StripeApi, event: ThinEvent) -> ProcessorNews:
    """`charge.updated` says that the money of an earlier success is booked now."""
    intent = api.get(at("charges", event.object_id))["payment_intent"]
    return gateway.collection(intent) if intent else UnknownEvent("a charge of no payment intent")


def _newest_refund(gateway: StripeGateway, api: StripeApi, event: ThinEvent) -> ProcessorNews:
    """`charge.refunded` names the charge; each refund of it is news once, when it is the newest."""
    expand = readings.in_list(readings.REFUND_EXPAND)
    found = api.get("refunds", {"charge": event.object_id, "limit": 1, "expand": expand})["data"]
    return gateway.read_refund(found[0]) if found else UnknownEvent("a refunded charge without a refund")


def _refund(gateway: StripeGateway, api: StripeApi, event: ThinEvent) -> ProcessorNews:
    return gateway.read_refund(api.get(at("refunds", event.object_id), {"expand": readings.REFUND_EXPAND}))


def _session(gateway: StripeGateway, api: StripeApi, event: ThinEvent) -> ProcessorNews:
    given = api.get(at("checkout", "sessions", event.object_id), {"expand": readings.SESSION_EXPAND})
    return readings.session(given) if given["mode"] == "setup" else UnknownEvent("a checkout that sells")


def _mandate(gateway: StripeGateway, api: StripeApi, event: ThinEvent) -> ProcessorNews:
    mandate = api.get(at("mandates", event.object_id), {"expand": readings.MANDATE_EXPAND})
    return readings.method(mandate["payment_method"], mandate)


def _recipient(gateway: StripeGateway, api: StripeApi, event: ThinEvent) -> ProcessorNews:
    """Also of a bank account that came or went: the event's object is that, its account the person's."""
    return gateway.recipient(event.account) if event.account else UnknownEvent("our own account")


def _bank_payout(gateway: StripeGateway, api: StripeApi, event: ThinEvent) -> ProcessorNews:
    if event.account is None:
        return UnknownEvent("a payout of our own balance, which nothing of ours makes")
    return gateway.bank_payout(event.account, event.object_id)


Reader = Callable[["StripeGateway", StripeApi, ThinEvent], ProcessorNews]

# By the beginning of the type; the first that fits. docs.stripe.com/api/events/types
_READERS: dict[str, Reader] = {
    "account.": _recipient,
    "charge.dispute.": lambda gateway, api, event: gateway.dispute(event.object_id),
    "charge.refund.": _refund,
    "charge.refunded": _newest_refund,
    "charge.updated": _collection_of_charge,
    "checkout.session.": _session,
    "identity.verification_session.": lambda gateway, api, event: gateway.identity_check(event.object_id),
    "mandate.": _mandate,
    "payment_intent.": lambda gateway, api, event: gateway.collection(event.object_id),
    "payment_method.": lambda gateway, api, event: gateway.method(event.object_id),
    "payout.": _bank_payout,
    "refund.": _refund,
    "setup_intent.": lambda gateway, api, event: gateway.method_setup(event.object_id),
    "transfer.": lambda gateway, api, event: gateway.transfer(event.object_id),
}
# Known, and told by another event as well: a charge by its intent, a capability by its account.
_NOTHING_NEW = (
    "balance.",
    "capability.",
    "charge.",
    "customer.",
    "payment_intent.created",
    "person.",
    "reporting.",
    "setup_intent.created",
    "topup.",
)


def _reader(event_type: str) -> Reader | None:
    if event_type in _NOTHING_NEW:
        return None
    return next((reader for start, reader in _READERS.items() if event_type.startswith(start)), None)


def followed(event_type: str) -> bool:
    """Whether `read` fetches something for events of this type."""
    return _reader(event_type) is not None


def read(gateway: StripeGateway, api: StripeApi, event: ThinEvent) -> ProcessorNews:
    """Fetch anew what an event is about."""
    reader = _reader(event.type)
    if reader is None:
        known = event.type.startswith(_NOTHING_NEW)
        return NothingNew() if known else UnknownEvent(f"the type {event.type} is not known here")
    if event.live != gateway.live:  # live Connect endpoints are sent test events too
        return UnknownEvent(f"an event of {'live' if event.live else 'test'} mode")
    try:
        return reader(gateway, api, event)
    except UnknownObject as unknown:
        return UnknownEvent(str(unknown))
    except RecipientNotReady:
        return UnknownEvent("an account that is not ours to read any more")
    except PaymentRefused as refusal:
        if refusal.code != "resource_missing":
            raise
        return UnknownEvent(f"there is no {event.object_id}")
