"""The one door to Stripe's API: plain JSON in and out, and every error in the port's words.

Calls go through `StripeClient.raw_request`: its typed services build an object for each field, which takes
twice the time of all the rest (561 µs a call against 186 µs, without network), and a simulation makes many.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import stripe

from shared.adapters.lazily import once
from shared.adapters.stripe_gateway import failures
from shared.ports import (
    InsufficientBalance,
    PaymentOutcomeUnknown,
    PaymentRefused,
    PaymentsUnavailable,
    RecipientNotReady,
    Secrets,
)

Object = dict[str, Any]
"""An object as Stripe's API shows it."""

# The newest version that Stripe's published OpenAPI document describes, to which the local Stripe is held.
API_VERSION = "2022-11-15"

KEY_SECRET = "stripe-secret-key"  # noqa: S105 - its name
# To connect: a retransmission is due after 3 s. To read: banks have taken 20 s to authorise; who waits longer
# finds the outcome by looking it up.
TIMEOUTS_SECONDS = (3.05, 25.0)
PAGE_SIZE = 100  # the most that Stripe gives


class Declined(PaymentRefused):
    """A card's issuer said no (402). `error` is Stripe's error object, with the intent that it is about."""

    def __init__(self, error: Object) -> None:
        self.error = error
        code = failures.code_of(error) or "card_declined"
        super().__init__(code, f"The card was declined: {code}.", failures.kind_of(error))


@contextmanager
def looking_up() -> Iterator[None]:
    """For a read of what was made, or may have been: whoever may not look does not know.

    A refusal of the read is none of what it looks for. Raises PaymentsUnavailable for it.
    """
    try:
        yield
    except PaymentRefused as refusal:
        raise PaymentsUnavailable(f"It could not be looked up ({refusal.code}).") from None


_NAME_OR_ID = re.compile(r"[A-Za-z0-9_]+")


def at(*parts: str) -> str:
    """The path of an object. Ids come from clients too: one that could lead elsewhere is no object's."""
    if not all(map(_NAME_OR_ID.fullmatch, parts)):
        raise PaymentRefused("resource_missing", "Stripe has no object of that id.")
    return "/".join(parts)


class StripeApi:
    """GET and POST, as the platform or for one connected `account`.

    Nothing is retried here: who retries is the service, with the same key. No message of Stripe's is passed
    on, for they quote what was sent.
    """

    def __init__(
        self, secrets: Secrets, *, live: bool, base: str | None, http_client: stripe.HTTPClient | None
    ) -> None:
        self._secrets = secrets
        self._live = live
        self._base = base
        self._http_client = http_client
        self._client = once(self._connect)

    def _connect(self) -> stripe.StripeClient:
        key = self._secrets.current(KEY_SECRET).decode()
        if not key.startswith(("sk_live_", "rk_live_") if self._live else ("sk_test_", "rk_test_")):
            mode = "live" if self._live else "test"
            raise PaymentsUnavailable(f"The secret {KEY_SECRET} is not of Stripe's {mode} mode.")
        logging.getLogger("stripe").setLevel(logging.WARNING)  # at INFO it logs Stripe's error messages
        return stripe.StripeClient(
            key,
            stripe_version=API_VERSION,
            base_addresses={"api": self._base} if self._base else {},
            max_network_retries=0,
            # One session per thread, as requests needs it.
            http_client=self._http_client or stripe.RequestsClient(timeout=TIMEOUTS_SECONDS),
        )

    def get(self, path: str, params: Mapping[str, Any] | None = None, account: str | None = None) -> Object:
        """Read. Raises PaymentsUnavailable where no answer came: there is no outcome to be unsure of."""
        try:
            return _body(self._request("get", path, params, {"stripe_account": account}))
        except PaymentOutcomeUnknown as unknown:
            raise PaymentsUnavailable(str(unknown)) from None

    def post(
        self, path: str, params: Mapping[str, Any], key: str | None = None, account: str | None = None
    ) -> Object:
        """Change. Without a key, a repetition does it again: for what moves no money alone."""
        options = {"stripe_account": account, "idempotency_key": key}
        return _body(self._request("post", path, params, options))

    def make(self, path: str, params: Mapping[str, Any], key: str, account: str | None = None) -> Object:
        """Make an object, one for each key. For a key that was used before Stripe repeats its first answer:
        then the object is read as it is now."""
        options = {"stripe_account": account, "idempotency_key": key}
        answer = self._request("post", path, params, options)
        made = _body(answer)
        if answer.headers.get("Idempotent-Replayed") != "true":
            return made
        expand = {"expand": params["expand"]} if "expand" in params else None
        with looking_up():
            return self.get(f"{path}/{made['id']}", expand, account)

    def every(self, path: str, params: Mapping[str, Any], account: str | None = None) -> list[Object]:
        """All pages of a list, newest first, as Stripe sorts them."""
        found: list[Object] = []
        page: Object = {"has_more": True}
        while page["has_more"]:
            after = {"starting_after": found[-1]["id"]} if found else {}
            page = self.get(path, {**params, "limit": PAGE_SIZE, **after}, account)
            found += page["data"]
        return found

    def _request(
        self, method: str, path: str, params: Mapping[str, Any] | None, options: Mapping[str, Any]
    ) -> stripe.StripeResponse:
        try:
            answer: stripe.StripeResponse = self._client().raw_request(
                method, f"/v1/{path}", **(params or {}), **options
            )
        except stripe.StripeError as error:
            # Without the cause: it holds the body that Stripe sent, and that may quote personal data.
            raise _in_our_words(error) from None
        return answer


def _body(answer: stripe.StripeResponse) -> Object:
    body: Any = answer.data
    return dict(body)


# Statuses and codes: docs.stripe.com/api/errors, docs.stripe.com/error-codes. A wrong key (401) is
# ours to mend, and what was asked can be asked again then.
_NOT_DONE = frozenset({401, 409, 429})
_TRY_LATER = frozenset({"idempotency_key_in_use", "lock_timeout", "rate_limit"})
_REFUSALS: dict[str, type[PaymentRefused]] = {
    "balance_insufficient": InsufficientBalance,
    "insufficient_funds": InsufficientBalance,
    "account_invalid": RecipientNotReady,
    "account_closed": RecipientNotReady,
    "insufficient_capabilities_for_transfer": RecipientNotReady,
    "no_account": RecipientNotReady,
    "payouts_not_allowed": RecipientNotReady,
    "transfers_not_allowed": RecipientNotReady,
}


def _in_our_words(fault: stripe.StripeError) -> Exception:
    """The error table."""
    status = fault.http_status
    body = fault.json_body if isinstance(fault.json_body, dict) else {}
    error = body.get("error")
    if status is None or status >= 500 or not isinstance(error, dict):
        return PaymentOutcomeUnknown(f"No answer that says what happened ({type(fault).__name__}, {status}).")
    if status == 400 and error.get("type") == "idempotency_error":
        # The key asked for something else before, which may have been made: by another release of ours, say.
        return PaymentOutcomeUnknown("Its key was used with other parameters.")
    code = error.get("code") or error.get("type") or "unknown"
    if status in _NOT_DONE or code in _TRY_LATER:
        return PaymentsUnavailable(f"Stripe did not do it ({status}, {code}).")
    if status == 402:
        return Declined(error)
    sentence = f"Stripe refused: {code} ({error.get('param') or 'no parameter'})."
    return _REFUSALS.get(code, PaymentRefused)(code, sentence, failures.KINDS.get(code))
