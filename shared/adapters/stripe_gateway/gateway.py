"""`StripeGateway`: money in and out through Stripe (docs.stripe.com/api), with our ids as metadata."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from shared.adapters.stripe_gateway import news, readings
from shared.adapters.stripe_gateway.api import Declined, Object, StripeApi, at, looking_up
from shared.domain.errors import AjoError
from shared.domain.words import MethodKind
from shared.ports import (
    BankPayout,
    Collection,
    CollectionRequest,
    Dispute,
    IdentitySession,
    Method,
    MethodSetup,
    Movement,
    Payer,
    PaymentRefused,
    ProcessorBalance,
    ProcessorNews,
    Recipient,
    Refund,
    Secrets,
    ThinEvent,
    Transfer,
    TransferRequest,
    Unreadable,
)

if TYPE_CHECKING:
    import stripe

Reading = TypeVar("Reading")


class StripeGateway:
    """`PaymentGateway` on Stripe.

    `live` says which mode the key must be of. `return_url` is where a person comes back to after
    authenticating at the bank. `api_base` and `http_client` put a stand-in in Stripe's place.
    """

    name = "stripe"

    def __init__(
        self,
        secrets: Secrets,
        *,
        live: bool,
        return_url: str,
        api_base: str | None = None,
        http_client: stripe.HTTPClient | None = None,
    ) -> None:
        self._secrets = secrets
        self._live = live
        self._return_url = return_url
        self._api = StripeApi(secrets, live=live, base=api_base, http_client=http_client)

    @property
    def live(self) -> bool:
        return self._live

    # --- people -------------------------------------------------------------------------------------------

    def open_payer(self, uid: str, email: str | None) -> str:
        params: Object = {"metadata": {"uid": uid}, **({"email": email} if email else {})}
        customer = self._api.make("customers", params, key=_key_of("payer", params))
        return str(customer["id"])

    def start_method_setup(self, uid: str, payer: str, kind: MethodKind, return_url: str) -> MethodSetup:
        """Stripe's own page: it authenticates a card, and takes a bank account's mandate by Bacs' rules."""
        params = {
            "mode": "setup",
            "customer": payer,
            "payment_method_types": [kind],
            "success_url": return_url,
            "cancel_url": return_url,
            "metadata": {"uid": uid},
            "setup_intent_data": {"metadata": {"uid": uid}},
        }
        return readings.session(self._api.post("checkout/sessions", params))

    def method_setup(self, reference: str) -> MethodSetup:
        if reference.startswith("cs_"):
            return readings.session(self._get(at("checkout", "sessions", reference), readings.SESSION_EXPAND))
        return readings.setup(self._get(at("setup_intents", reference), readings.SETUP_EXPAND))

    def attach_method(self, uid: str, payer: str, method: str, key: str) -> MethodSetup:
        """A bank account's owner must have accepted the mandate where the client made the method."""
        kind = self._get(at("payment_methods", method))["type"]
        accepted = {"customer_acceptance": {"type": "offline"}}
        params = {
            "customer": payer,
            "payment_method": method,
            "payment_method_types": [kind],
            "usage": "off_session",
            "confirm": True,
            "return_url": self._return_url,
            "metadata": {"uid": uid},
            "expand": readings.SETUP_EXPAND,
            **({"mandate_data": accepted} if kind == "bacs_debit" else {}),
        }
        try:
            return readings.setup(self._api.make("setup_intents", params, key=key))
        except Declined as declined:
            if "setup_intent" not in declined.error:
                raise
            return readings.setup(declined.error["setup_intent"])

    def method(self, reference: str) -> Method:
        found = self._get(at("payment_methods", reference))
        if found["type"] != "bacs_debit":
            return readings.method(found)
        # A payment method does not name its mandate; the newest setup that made one does.
        setups = self._api.every(
            "setup_intents", {"payment_method": reference, "expand": readings.in_list(["mandate"])}
        )
        mandates = [setup["mandate"] for setup in setups if setup["mandate"]]
        return readings.method(found, mandates[0] if mandates else None)

    def detach_method(self, reference: str) -> None:
        self._api.post(at("payment_methods", reference, "detach"), {})

    def open_recipient(self, uid: str, email: str | None) -> Recipient:
        """Payouts are manual, so that each is made by us and carries our id."""
        params: Object = {
            "type": "express",
            "country": "GB",
            "default_currency": readings.CURRENCY,
            "business_type": "individual",
            "capabilities": {"transfers": {"requested": True}},
            "settings": {"payouts": {"schedule": {"interval": "manual"}}},
            "metadata": {"uid": uid},
            **({"email": email} if email else {}),
        }
        account = self._api.make("accounts", params, key=_key_of("recipient", params))
        return readings.recipient(account, live=self._live)

    def recipient(self, reference: str) -> Recipient:
        return readings.recipient(self._get(at("accounts", reference)), live=self._live)

    def onboarding_url(self, recipient: str, return_url: str, refresh_url: str) -> str:
        params = {
            "account": recipient,
            "type": "account_onboarding",
            "return_url": return_url,
            "refresh_url": refresh_url,
        }
        return str(self._api.post("account_links", params)["url"])

    def start_identity_check(self, uid: str, return_url: str, key: str) -> IdentitySession:
        """A picture of a document and a matching face (docs.stripe.com/identity)."""
        params: Object = {
            "type": "document",
            "options": {"document": {"require_matching_selfie": True}},
            "return_url": return_url,
            "metadata": {"uid": uid},
        }
        return readings.identity_session(self._api.make("identity/verification_sessions", params, key=key))

    def identity_check(self, reference: str) -> IdentitySession:
        return readings.identity_session(self._get(at("identity", "verification_sessions", reference)))

    # --- money in -----------------------------------------------------------------------------------------

    def collect(self, request: CollectionRequest) -> Collection:
        params = {
            "amount": request.amount_pence,
            "currency": readings.CURRENCY,
            "customer": request.payer,
            "payment_method": request.method,
            "payment_method_types": [request.method_kind],
            "confirm": True,
            "off_session": True,
            # By default newer versions book the money a moment later; we want it in the answer.
            "capture_method": "automatic",
            "transfer_group": f"{request.group}:{request.cycle}",
            "metadata": _collection_labels(request),
            "expand": readings.INTENT_EXPAND,
        }
        try:
            intent = self._api.make("payment_intents", params, key=request.attempt)
        except Declined as declined:
            # A repeated key repeats this too: read what has come of it since.
            path = _intent_of(declined)
            with looking_up():
                intent = self._get(path, readings.INTENT_EXPAND)
        return readings.collection(self._with_action(intent, request.attempt))

    def _with_action(self, intent: Object, attempt: str) -> Object:
        """Where the bank wants the payer, confirm once more as if present: that gives the link to go to."""
        if not readings.wants_authentication(intent):
            return intent
        params = {
            "payment_method": intent["last_payment_error"]["payment_method"]["id"],
            "return_url": self._return_url,
            "expand": readings.INTENT_EXPAND,
        }
        path = at("payment_intents", intent["id"])
        try:
            return self._api.post(f"{path}/confirm", params, key=f"{attempt}:authenticate")
        except PaymentRefused:  # declined, or the person was quicker
            with looking_up():
                return self._get(path, readings.INTENT_EXPAND)

    def find_collection(self, request: CollectionRequest) -> Collection | None:
        # Listed, not searched: Stripe's search lags by a minute (docs.stripe.com/search#data-freshness).
        wanted = {"customer": request.payer, "expand": readings.in_list(readings.INTENT_EXPAND)}
        for intent in self._made_for(request.attempt, "payment_intents", wanted):
            return readings.collection(self._with_action(intent, request.attempt))
        return None

    def collection(self, reference: str) -> Collection:
        return readings.collection(self._get(at("payment_intents", reference), readings.INTENT_EXPAND))

    def cancel_collection(self, reference: str) -> Collection:
        params = {"expand": readings.INTENT_EXPAND}
        return readings.collection(self._api.post(at("payment_intents", reference, "cancel"), params))

    def refund(self, collection: str, amount_pence: int, key: str, labels: Mapping[str, str]) -> Refund:
        params = {
            "payment_intent": collection,
            "amount": amount_pence,
            "metadata": labels,
            "expand": readings.REFUND_EXPAND,
        }
        made = self._api.make("refunds", params, key=key)
        with looking_up():
            return self.read_refund(made)

    def refunds(self, collection: str) -> list[Refund]:
        """Newest first."""
        params = {"payment_intent": collection, "expand": readings.in_list(readings.REFUND_EXPAND)}
        with looking_up():
            return [self.read_refund(given) for given in self._api.every("refunds", params)]

    def read_refund(self, given: Object) -> Refund:
        """With the line that brought the money back, where it failed: an expansion would ask for it in vain
        of all others."""
        failed = given.get("failure_balance_transaction")
        return readings.refund(given, self._get(at("balance_transactions", failed)) if failed else None)

    def dispute(self, reference: str) -> Dispute:
        return readings.dispute(self._get(at("disputes", reference), readings.DISPUTE_EXPAND))

    # --- money out ----------------------------------------------------------------------------------------

    def send(self, request: TransferRequest) -> Transfer:
        params = {
            "amount": request.amount_pence,
            "currency": readings.CURRENCY,
            "destination": request.recipient,
            "transfer_group": f"{request.group}:{request.cycle}",
            "metadata": _payout_labels(request),
            "expand": readings.TRANSFER_EXPAND,
        }
        return readings.transfer(self._api.make("transfers", params, key=request.attempt))

    def find_transfer(self, request: TransferRequest) -> Transfer | None:
        wanted = {
            "transfer_group": f"{request.group}:{request.cycle}",
            "expand": readings.in_list(readings.TRANSFER_EXPAND),
        }
        return next(map(readings.transfer, self._made_for(request.attempt, "transfers", wanted)), None)

    def transfer(self, reference: str) -> Transfer:
        return readings.transfer(self._get(at("transfers", reference), readings.TRANSFER_EXPAND))

    def reverse_transfer(
        self, transfer: str, amount_pence: int, key: str, labels: Mapping[str, str]
    ) -> Transfer:
        params = {"amount": amount_pence, "metadata": labels}
        self._api.post(at("transfers", transfer, "reversals"), params, key=key)
        with looking_up():
            return self.transfer(transfer)

    def pay_to_bank(self, request: TransferRequest) -> BankPayout:
        params = {
            "amount": request.amount_pence,
            "currency": readings.CURRENCY,
            "metadata": _payout_labels(request),
        }
        payout = self._api.make("payouts", params, key=request.attempt, account=request.recipient)
        return readings.bank_payout(payout, request.recipient)

    def find_bank_payout(self, request: TransferRequest) -> BankPayout | None:
        payouts = self._made_for(request.attempt, "payouts", {}, request.recipient)
        return next((readings.bank_payout(payout, request.recipient) for payout in payouts), None)

    def bank_payout(self, recipient: str, reference: str) -> BankPayout:
        return readings.bank_payout(self._api.get(at("payouts", reference), account=recipient), recipient)

    # --- the books ----------------------------------------------------------------------------------------

    def balance(self) -> ProcessorBalance:
        return readings.balance(self._get("balance"))

    def sweeps_automatically(self) -> bool:
        schedule = self._get("account")["settings"]["payouts"]["schedule"]
        return bool(schedule["interval"] != "manual")

    def movements(self, since: datetime | None = None) -> list[Movement]:
        params: Object = {"expand": readings.in_list(readings.MOVEMENT_EXPAND)}
        if since:
            params["created"] = {"gte": int(since.timestamp())}
        return [readings.movement(line) for line in reversed(self._api.every("balance_transactions", params))]

    def collections(self) -> list[Collection | Unreadable]:
        expand = readings.in_list(readings.INTENT_EXPAND)
        return _read(self._api.every("payment_intents", {"expand": expand}), readings.collection)

    def transfers(self) -> list[Transfer | Unreadable]:
        expand = readings.in_list(readings.TRANSFER_EXPAND)
        return _read(self._api.every("transfers", {"expand": expand}), readings.transfer)

    def disputes(self) -> list[Dispute | Unreadable]:
        expand = readings.in_list(readings.DISPUTE_EXPAND)
        return _read(self._api.every("disputes", {"expand": expand}), readings.dispute)

    def bank_payouts(self, recipient: str) -> list[BankPayout | Unreadable]:
        found = self._api.every("payouts", {}, recipient)
        return _read(found, lambda payout: readings.bank_payout(payout, recipient))

    def payers(self) -> list[Payer]:
        return [readings.payer(customer) for customer in self._api.every("customers", {})]

    def methods(self, payer: str) -> list[Method | Unreadable]:
        return _read(self._api.every(at("customers", payer, "payment_methods"), {}), readings.method)

    def recipients(self) -> list[Recipient]:
        accounts = self._api.every("accounts", {})
        return [readings.recipient(account, live=self._live) for account in accounts]

    # --- news ---------------------------------------------------------------------------------------------

    def verify_webhook(
        self, body: bytes, signature: str, endpoint: Literal["platform", "connect"]
    ) -> ThinEvent:
        return news.verified(body, signature, self._secrets.accepted(news.WEBHOOK_SECRETS[endpoint]))

    def read(self, event: ThinEvent) -> ProcessorNews:
        return news.read(self, self._api, event)

    def events(self, since: datetime, account: str | None = None) -> list[ThinEvent]:
        """At Stripe they can be listed for 30 days. Only what `read` follows."""
        found = self._api.every("events", {"created": {"gte": int(since.timestamp())}}, account)
        return [news.thin(event, account) for event in reversed(found) if news.followed(event["type"])]

    # --- in common ----------------------------------------------------------------------------------------

    def _get(self, path: str, expand: tuple[str, ...] = ()) -> Object:
        return self._api.get(path, {"expand": expand} if expand else None)

    def _made_for(self, attempt: str, path: str, params: Object, account: str | None = None) -> list[Object]:
        """What was made for a try, by its label."""
        with looking_up():
            found = self._api.every(path, params, account)
        return [each for each in found if (each["metadata"] or {}).get("attempt") == attempt]


def _key_of(purpose: str, params: Object) -> str:
    """The same key for the same person and contents: two calls at once, or a repeated one, make one object,
    and a changed address is no misuse of the key."""
    digest = hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()
    return f"{purpose}:{params['metadata']['uid']}:{digest[:16]}"


def _collection_labels(request: CollectionRequest) -> dict[str, str]:
    return {
        "attempt": request.attempt,
        "group": request.group,
        "contribution": request.contribution,
        "cycle": str(request.cycle),
    }


def _payout_labels(request: TransferRequest) -> dict[str, str]:
    return {
        "attempt": request.attempt,
        "group": request.group,
        "payout": request.payout,
        "cycle": str(request.cycle),
    }


def _read(found: list[Object], reading: Callable[[Object], Reading]) -> list[Reading | Unreadable]:
    """Each object as it is read. One that cannot be is told, and hides none of the others."""
    read: list[Reading | Unreadable] = []
    for given in found:
        try:
            read.append(reading(given))
        except (AjoError, KeyError, TypeError, ValueError) as fault:
            read.append(Unreadable(str(given.get("id")), f"{type(fault).__name__}: {fault}"))
    return read


def _intent_of(declined: Declined) -> str:
    """The path of the payment intent that a refusal is about; the refusal itself where it made none."""
    intent: Any = declined.error.get("payment_intent")
    if not intent:
        raise declined
    return at("payment_intents", intent["id"])
