"""Stripe's test payment methods, under Stripe's own names, and what becomes of a payment with each.

Cards: docs.stripe.com/testing. Bacs: docs.stripe.com/payments/bacs-debit/accept-a-payment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Method:
    """How a test payment method looks and behaves. `failure` and `decline` are Stripe's codes."""

    kind: str
    last4: str
    brand: str = "visa"
    number: str = ""
    failure: str | None = None
    decline: str | None = None
    attachable: bool = True
    authentication: str = "never"
    """'always'; 'unless_set_up': only until it has been authenticated once, at set-up; 'never'."""
    disputed: bool = False
    bypass_pending: bool = False
    mandate_refused: bool = False
    mandate_lost: bool = False


def _card(number: str, brand: str = "visa") -> Method:
    return Method("card", number[-4:], brand=brand, number=number)


def _declined(number: str, failure: str, decline: str | None = None) -> Method:
    return replace(_card(number), failure=failure, decline=decline, attachable=False)


def _bacs(number: str) -> Method:
    return Method("bacs_debit", number[-4:], brand="", number=number)


METHODS: dict[str, Method] = {
    "pm_card_visa": _card("4242424242424242"),
    "pm_card_visa_debit": _card("4000056655665556"),
    "pm_card_mastercard": _card("5555555555554444", "mastercard"),
    "pm_card_gb": _card("4000008260000000"),
    "pm_card_gb_debit": _card("4000058260000005"),
    "pm_card_bypassPending": replace(_card("4000000000000077"), bypass_pending=True),
    "pm_card_createDispute": replace(_card("4000000000000259"), disputed=True),
    "pm_card_chargeCustomerFail": replace(
        _card("4000000000000341"), failure="card_declined", decline="generic_decline"
    ),
    "pm_card_chargeDeclined": _declined("4000000000000002", "card_declined", "generic_decline"),
    "pm_card_visa_chargeDeclined": _declined("4000000000000002", "card_declined", "generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": _declined(
        "4000000000009995", "card_declined", "insufficient_funds"
    ),
    "pm_card_visa_chargeDeclinedInsufficientFunds": _declined(
        "4000000000009995", "card_declined", "insufficient_funds"
    ),
    "pm_card_chargeDeclinedLostCard": _declined("4000000000009987", "card_declined", "lost_card"),
    "pm_card_chargeDeclinedStolenCard": _declined("4000000000009979", "card_declined", "stolen_card"),
    "pm_card_chargeDeclinedExpiredCard": _declined("4000000000000069", "expired_card"),
    "pm_card_chargeDeclinedIncorrectCvc": _declined("4000000000000127", "incorrect_cvc"),
    "pm_card_chargeDeclinedProcessingError": _declined("4000000000000119", "processing_error"),
    "pm_card_authenticationRequired": replace(_card("4000002760003184"), authentication="always"),
    "pm_card_authenticationRequiredOnSetup": replace(
        _card("4000002500003155"), authentication="unless_set_up"
    ),
    "pm_card_threeDSecure2Required": replace(_card("4000000000003220"), authentication="always"),
    "pm_bacsDebit_success": _bacs("00012345"),
    "pm_bacsDebit_successDelayed": _bacs("90012345"),
    "pm_bacsDebit_debitNotAuthorized": replace(
        _bacs("33333335"), failure="debit_not_authorized", mandate_lost=True
    ),
    "pm_bacsDebit_debitNotAuthorizedDelayed": replace(
        _bacs("93333335"), failure="debit_not_authorized", mandate_lost=True
    ),
    "pm_bacsDebit_insufficientFunds": replace(_bacs("22222227"), failure="insufficient_funds"),
    "pm_bacsDebit_insufficientFundsDelayed": replace(_bacs("92222227"), failure="insufficient_funds"),
    "pm_bacsDebit_dispute": replace(_bacs("55555559"), disputed=True),
    "pm_bacsDebit_mandateRefused": replace(_bacs("00033333"), mandate_refused=True),
    "pm_bacsDebit_exceedsWeeklyLimit": replace(_bacs("34343434"), failure="charge_exceeds_source_limit"),
    "pm_bacsDebit_exceedsTransactionLimit": replace(
        _bacs("12121212"), failure="charge_exceeds_transaction_limit"
    ),
}
METHODS |= {
    name.replace("pm_bacsDebit_", "pm_bacs_debit_"): method
    for name, method in METHODS.items()
    if name.startswith("pm_bacsDebit_")
}
"""The second spelling is ours, for those who look for the name of the payment method type."""

BY_NUMBER = {method.number: name for name, method in reversed(METHODS.items()) if "bacs_debit_" not in name}
TOKENS = {name.replace("pm_card", "tok"): name for name in METHODS if name.startswith("pm_card_")}

FAILURE_MESSAGES = {
    "card_declined": "Your card was declined.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
    "insufficient_funds": "The customer's account has insufficient funds to cover this payment.",
    "debit_not_authorized": "The customer has notified their bank that this payment was unauthorized.",
    "account_closed": "The bank account has been closed.",
    "bank_ownership_changed": "The account has been transferred to a new payment service provider.",
    "invalid_account_number": "The account number is invalid.",
    "generic_could_not_process": "This payment could not be processed.",
    "charge_exceeds_source_limit": "The payment exceeds the account's weekly volume limit.",
    "charge_exceeds_transaction_limit": "The payment exceeds the account's transaction volume limit.",
}
BACS_FAILURES_ENDING_THE_MANDATE = frozenset(
    {"debit_not_authorized", "account_closed", "bank_ownership_changed"}
)


def failure_message(failure: str, decline: str | None) -> str:
    """Stripe's sentence for a failure."""
    if decline == "insufficient_funds":
        return "Your card has insufficient funds."
    return FAILURE_MESSAGES.get(failure, "The payment failed.")
