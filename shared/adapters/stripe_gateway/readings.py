"""Stripe's objects, read as the port's: pure, from the JSON of docs.stripe.com/api at `api.API_VERSION`.

Each EXPAND names what Stripe must put into its answer for the reading to find all it needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from shared.adapters.stripe_gateway import failures
from shared.domain.errors import Mismatch, UnknownObject
from shared.domain.identity import CheckState
from shared.ports import (
    BankPayout,
    Collection,
    Dispute,
    IdentitySession,
    Method,
    MethodSetup,
    Movement,
    Payer,
    ProcessorBalance,
    Recipient,
    Refund,
    Transfer,
)

Object = dict[str, Any]
State = TypeVar("State")

INTENT_EXPAND = ("latest_charge.balance_transaction",)
REFUND_EXPAND = ("balance_transaction", "payment_intent")
DISPUTE_EXPAND = ("payment_intent",)
TRANSFER_EXPAND = ("balance_transaction", "reversals.data.balance_transaction")
SETUP_EXPAND = ("payment_method", "mandate")
SESSION_EXPAND = ("setup_intent.payment_method", "setup_intent.mandate")
MANDATE_EXPAND = ("payment_method",)
MOVEMENT_EXPAND = ("source",)

CURRENCY = "gbp"


def in_list(expand: Sequence[str]) -> list[str]:
    """The same expansion, for each object of a list."""
    return [f"data.{path}" for path in expand]


def moment(seconds: int) -> datetime:
    """Stripe's seconds since 1970, as UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def _expanded(value: Any) -> Object:
    """An expanded object; an empty one where Stripe gave none, or its id alone."""
    return value if isinstance(value, dict) else {}


def _id_of(value: Any) -> str:
    """The id of an object, expanded or not; '' where there is none."""
    return str(value["id"] if isinstance(value, dict) else value or "")


def _labels(thing: Object) -> dict[str, str]:
    """Our ids on an object: its metadata."""
    return dict(thing.get("metadata") or {})


def _state(states: Mapping[str, State], given: str, what: str) -> State:
    """Ours for Stripe's. A state that we do not know is never passed over."""
    if given not in states:
        raise Mismatch(what=what, theirs=given, ours=f"one of {', '.join(states)}")
    return states[given]


def _intent_of(given: Object) -> Object:
    """The payment intent that a refund or a dispute is of. A charge without one is not ours."""
    intent = _expanded(given["payment_intent"])
    if not intent:
        raise UnknownObject(thing=given["object"], reference=given["id"])
    return intent


# --- the balance ------------------------------------------------------------------------------------------

# docs.stripe.com/reports/reporting-categories; what is not named here is 'other'.
_MOVEMENT_KINDS = {
    "charge": "collection",
    "charge_failure": "collection_failed",
    "refund": "refund",
    "refund_failure": "refund",
    "partial_capture_reversal": "refund",
    "dispute": "dispute",
    "dispute_reversal": "dispute_won",
    "transfer": "transfer",
    "transfer_reversal": "transfer_reversal",
    "topup": "capital",
    "topup_reversal": "capital",
    "fee": "fee",
}


def movement(transaction: Object, labels: dict[str, str] | None = None) -> Movement:
    """A balance transaction. Its labels are given, or those of its source, where that is expanded."""
    source = transaction["source"]
    caused = _expanded(source)
    same_money = caused.get("currency") == transaction["currency"]
    kind = _MOVEMENT_KINDS.get(transaction["reporting_category"], "other")
    if kind == "collection" and caused.get("status") == "pending":
        kind = "collection_pending"  # a debit is booked when it is submitted
    return Movement(
        reference=transaction["id"],
        kind=kind,
        amount_pence=transaction["amount"],
        fee_pence=transaction["fee"],
        currency=transaction["currency"],
        created_at=moment(transaction["created"]),
        available_on=moment(transaction["available_on"]),
        source=_id_of(source),
        labels=_labels(caused) if labels is None else labels,
        source_pence=caused["amount"] if same_money else None,
    )


def _movement_of(value: Any, labels: dict[str, str]) -> Movement | None:
    """Of an expanded balance transaction, where there is one."""
    transaction = _expanded(value)
    return movement(transaction, labels) if transaction else None


def balance(held: Object) -> ProcessorBalance:
    def pence(funds: list[Object]) -> int:
        return sum(fund["amount"] for fund in funds if fund["currency"] == CURRENCY)

    return ProcessorBalance(available_pence=pence(held["available"]), pending_pence=pence(held["pending"]))


# --- money in ---------------------------------------------------------------------------------------------


def wants_authentication(intent: Object) -> bool:
    """The bank wants the payer to authenticate, and nobody has asked the payer yet.

    Off-session Stripe declines at once instead of waiting: docs.stripe.com/payments/save-and-reuse.
    """
    error = intent.get("last_payment_error") or {}
    return intent["status"] == "requires_payment_method" and error.get("code") == "authentication_required"


def _collection_state(
    intent: Object, has_movement: bool
) -> Literal["processing", "requires_action", "settled", "failed", "cancelled"]:
    match intent["status"]:
        case "succeeded":
            # The money is booked a moment after the success where Stripe captures asynchronously.
            return "settled" if has_movement else "processing"
        case "processing":
            return "processing"
        case "requires_action":
            return "requires_action"
        case "requires_payment_method":
            return "requires_action" if wants_authentication(intent) else "failed"
        case "canceled":
            return "cancelled"
        case status:
            raise Mismatch(what="payment intent's state", theirs=status, ours="one after confirmation")


def collection(intent: Object) -> Collection:
    labels = _labels(intent)
    charge = _expanded(intent["latest_charge"])
    booked = charge.get("balance_transaction") if intent["status"] == "succeeded" else None
    moved = _movement_of(booked, labels)
    state = _collection_state(intent, moved is not None)
    error = intent["last_payment_error"] if state == "failed" else None
    redirect = (intent["next_action"] or {}).get("redirect_to_url") or {}
    return Collection(
        reference=intent["id"],
        labels=labels,
        state=state,
        amount_pence=intent["amount"],
        currency=intent["currency"],
        live=intent["livemode"],
        movement=moved,
        failure=failures.kind_of(error) if error else None,
        failure_code=failures.code_of(error) if error else None,
        action_url=redirect.get("url"),
    )


_REFUND_STATES: dict[str, Literal["processing", "done", "failed"]] = {
    "pending": "processing",
    "requires_action": "processing",
    "succeeded": "done",
    "failed": "failed",
    "canceled": "failed",
}


def refund(given: Object, came_back: Object | None = None) -> Refund:
    """A refund, and the balance transaction of its failure, where it failed. It has no mark of its own mode:
    it is its payment's."""
    intent = _intent_of(given)
    labels = _labels(intent)
    return Refund(
        reference=given["id"],
        collection=intent["id"],
        labels=labels,
        state=_state(_REFUND_STATES, given["status"], "refund's state"),
        amount_pence=given["amount"],
        currency=given["currency"],
        live=intent["livemode"],
        movement=_movement_of(given["balance_transaction"], labels),
        failure_movement=_movement_of(came_back, labels),
        asking=_labels(given).get("refund"),
    )


# An inquiry ('warning') moves no money. One that a refund prevented is the payer's.
_DISPUTE_STATES: dict[str, Literal["open", "won", "lost"]] = {
    "needs_response": "open",
    "under_review": "open",
    "warning_needs_response": "open",
    "warning_under_review": "open",
    "won": "won",
    "warning_closed": "won",
    "lost": "lost",
    "prevented": "lost",
}


def _first_taken(transaction: Object) -> tuple[int, bool]:
    """Oldest first; of the same second, what was taken before what came back."""
    return transaction["created"], transaction["amount"] > 0


def dispute(given: Object) -> Dispute:
    intent = _intent_of(given)
    labels = _labels(intent)
    return Dispute(
        reference=given["id"],
        collection=intent["id"],
        labels=labels,
        state=_state(_DISPUTE_STATES, given["status"], "dispute's state"),
        amount_pence=given["amount"],
        currency=given["currency"],
        live=given["livemode"],
        movements=tuple(
            movement(transaction, labels)
            for transaction in sorted(given["balance_transactions"], key=_first_taken)
        ),
    )


def payer(customer: Object) -> Payer:
    return Payer(
        reference=customer["id"],
        currency=customer.get("currency"),
        live=customer["livemode"],
        labels=_labels(customer),
    )


# --- methods ----------------------------------------------------------------------------------------------

_MANDATE_STATES: dict[str, Literal["pending", "active", "inactive"]] = {
    "pending": "pending",
    "active": "active",
    "inactive": "inactive",
}


def method(given: Object, mandate: Object | None = None) -> Method:
    """A bank account is what its mandate is; a card is active while it is attached."""
    kind: Literal["card", "bacs_debit"] = given["type"]
    state: Literal["pending", "active", "inactive"] = "active"
    if kind == "bacs_debit":
        state = _state(_MANDATE_STATES, mandate["status"], "mandate's state") if mandate else "pending"
    details = given[kind]
    card = kind == "card"
    return Method(
        reference=given["id"],
        payer=_id_of(given["customer"]) or None,
        kind=kind,
        state=state if given["customer"] else "inactive",
        hint=f"{str(details['brand']).title() if card else 'Bank account'} •••• {details['last4']}",
        mandate=mandate["id"] if mandate else None,
        expires=f"{details['exp_year']}-{details['exp_month']:02}" if card else None,
        live=given["livemode"],
        fingerprint=details.get("fingerprint"),
        revoked=mandate is not None and _is_revoked(mandate),
    )


def _is_revoked(mandate: Object) -> bool:
    """By the payer or their bank: a mandate that the bank never took is refused, which is another thing."""
    return bool(mandate["payment_method_details"]["bacs_debit"]["network_status"] == "revoked")


def setup(intent: Object) -> MethodSetup:
    """A setup intent. One that was declined can be tried again with another method, but not this one."""
    status = intent["status"]
    failed = status == "canceled" or (status == "requires_payment_method" and intent["last_setup_error"])
    redirect = (intent["next_action"] or {}).get("redirect_to_url") or {}
    done = status == "succeeded"
    return MethodSetup(
        reference=intent["id"],
        state="complete" if done else "failed" if failed else "open",
        client_secret=intent["client_secret"],
        url=redirect.get("url"),
        method=method(intent["payment_method"], _expanded(intent["mandate"]) or None) if done else None,
        labels=_labels(intent),
    )


def session(given: Object) -> MethodSetup:
    """A Checkout session in setup mode: Stripe's own page, which also takes a bank account's mandate."""
    intent = _expanded(given["setup_intent"])
    made = setup(intent) if given["status"] == "complete" and intent else None
    return MethodSetup(
        reference=given["id"],
        state=made.state if made else "failed" if given["status"] == "expired" else "open",
        client_secret=None,
        url=given["url"],
        method=made.method if made else None,
        labels=_labels(given),
    )


# --- money out --------------------------------------------------------------------------------------------


def recipient(account: Object, *, live: bool) -> Recipient:
    """A connected account. It has no mark of its own mode: it is that of the key which could read it."""
    requirements = account.get("requirements") or {}
    needs = [*(requirements.get("past_due") or []), *(requirements.get("currently_due") or [])]
    transfers = (account.get("capabilities") or {}).get("transfers")
    return Recipient(
        reference=account["id"],
        can_receive=transfers == "active" and bool(account["payouts_enabled"]),
        details_submitted=bool(account["details_submitted"]),
        needs=tuple(dict.fromkeys(needs)),
        disabled_reason=requirements.get("disabled_reason"),
        bank=_bank_of(account),
        live=live,
        labels=_labels(account),
    )


_CHECK_STATES: Mapping[str, CheckState] = {
    "requires_input": "open",
    "processing": "processing",
    "verified": "verified",
    "canceled": "cancelled",
}


def identity_session(given: Object) -> IdentitySession:
    """A look at a document. One that did not convince asks for another picture, under the same address."""
    state = _state(_CHECK_STATES, given["status"], "verification session")
    return IdentitySession(
        reference=given["id"],
        state="failed" if state == "open" and given.get("last_error") else state,
        url=given.get("url"),
        live=bool(given["livemode"]),
        labels=_labels(given),
    )


def _bank_of(account: Object) -> str | None:
    """What tells the bank account that payouts go to from another."""
    banks = _expanded(account.get("external_accounts")).get("data") or []
    default = next((bank for bank in banks if bank["default_for_currency"]), None)
    return (default.get("fingerprint") or default["id"]) if default else None


def transfer(given: Object) -> Transfer:
    labels = _labels(given)
    newest_first = given["reversals"]["data"]
    moved_back = [_movement_of(each["balance_transaction"], _labels(each)) for each in reversed(newest_first)]
    return Transfer(
        reference=given["id"],
        labels=labels,
        amount_pence=given["amount"],
        reversed_pence=given["amount_reversed"],
        currency=given["currency"],
        recipient=_id_of(given["destination"]),
        live=given["livemode"],
        movement=_movement_of(given["balance_transaction"], labels),
        reversals=tuple(each for each in moved_back if each),
    )


_PAYOUT_STATES: dict[str, Literal["on_its_way", "received", "failed", "cancelled"]] = {
    "pending": "on_its_way",
    "in_transit": "on_its_way",
    "paid": "received",
    "failed": "failed",
    "canceled": "cancelled",
}


def bank_payout(given: Object, account: str) -> BankPayout:
    return BankPayout(
        reference=given["id"],
        recipient=account,
        labels=_labels(given),
        state=_state(_PAYOUT_STATES, given["status"], "payout's state"),
        amount_pence=given["amount"],
        currency=given["currency"],
        live=given["livemode"],
        arrives_on=moment(given["arrival_date"]),
        failure_code=given["failure_code"],
        destination=_id_of(given["destination"]) or None,
    )
