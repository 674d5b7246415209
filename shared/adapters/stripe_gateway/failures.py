"""Why a collection failed: Stripe's codes in the port's kinds.

Cards: docs.stripe.com/declines/codes; which of them are never tried again, with docs.stripe.com/billing/
revenue-recovery/smart-retries. Bacs: docs.stripe.com/payments/payment-methods/bacs-debit and
docs.stripe.com/error-codes; the reasons behind them are the ARUDD codes of the Bacs scheme.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.contributions import FailureKind

_BY_KIND: dict[FailureKind, tuple[str, ...]] = {
    "authentication_required": (
        "authentication_required",
        "authentication_not_handled",
        "payment_intent_authentication_failure",  # the person tried, and the bank did not believe it
        "setup_intent_authentication_failure",
    ),
    "hard_decline": (
        "fraudulent",
        "highest_risk_level",
        "lost_card",
        "merchant_blacklist",
        "not_permitted",
        "pickup_card",
        "restricted_card",
        "revocation_of_all_authorizations",
        "revocation_of_authorization",
        "security_violation",
        "service_not_allowed",
        "stolen_card",
        "stop_payment_order",
        "transaction_not_allowed",
        "charge_exceeds_transaction_limit",  # Bacs: more than one debit may be, at any time
        "refer_to_customer",  # Bacs: the payer stopped this payment at the bank
    ),
    "mandate_cancelled": (
        "debit_not_authorized",  # Bacs ARUDD 1, 'instruction cancelled', and disputed advance notice
        "payment_intent_mandate_invalid",
        "setup_intent_mandate_invalid",
    ),
    "method_invalid": (
        "card_not_supported",
        "currency_not_supported",
        "expired_card",
        "expired_payment_method",
        "incorrect_number",
        "invalid_account",
        "invalid_cvc",
        "invalid_expiry_month",
        "invalid_expiry_year",
        "invalid_number",
        "new_account_information_available",
        "payment_method_unactivated",
        "payment_method_unexpected_state",
        # Bacs: the account is gone, moved to another bank, or takes no debits.
        "account_closed",
        "account_number_invalid",
        "bank_account_closed",
        "bank_account_restricted",
        "bank_account_unusable",
        "bank_ownership_changed",
        "invalid_account_number",
        "no_account",
        "payment_method_bank_account_blocked",
    ),
    "processor_error": (
        "charge_exceeds_source_limit",  # Stripe's weekly Bacs limit for a young platform: next week will do
        "issuer_not_available",
        "payment_method_provider_timeout",
        "processing_error",
        "reenter_transaction",
        "try_again_later",
    ),
    "soft_decline": (
        "approve_with_id",
        "call_issuer",
        "card_declined",
        "card_velocity_exceeded",
        "could_not_process",
        "do_not_honor",
        "generic_could_not_process",
        "generic_decline",
        "insufficient_funds",  # Bacs: ARUDD 0, 'refer to payer'
        "no_action_taken",
        "payment_intent_payment_attempt_failed",
        "withdrawal_count_limit_exceeded",
    ),
}

KINDS: dict[str, FailureKind] = {code: kind for kind, codes in _BY_KIND.items() for code in codes}


def code_of(error: Mapping[str, Any]) -> str | None:
    """The most telling of an error's codes: the issuer's reason before Stripe's 'card_declined'."""
    code: str | None = error.get("decline_code") or error.get("code") or error.get("type")
    return code


def kind_of(error: Mapping[str, Any]) -> FailureKind:
    """Of an error object. A code that we do not know goes up the ladder: that ends, at a person."""
    kind = KINDS.get(error.get("decline_code") or "") or KINDS.get(error.get("code") or "") or "soft_decline"
    # The card networks' own advice outweighs the code (docs.stripe.com/declines/card, advice codes).
    if kind == "soft_decline" and error.get("advice_code") == "do_not_try_again":
        return "hard_decline"
    return kind
