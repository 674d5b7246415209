"""Bacs Direct Debit: mandates, debits that take working days, failures, disputes without end."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import stripe

from infra.local.stripe import test_methods

from .conftest import Shop


def _outcome_day(shop: Shop, intent: str) -> str:
    """The day on which a debit leaves `processing`."""
    for _ in range(20):
        shop.pass_days(1)
        if shop.api.payment_intents.retrieve(intent).status != "processing":
            return shop.clock.at.strftime("%a %d")
    raise AssertionError("still processing")


def _active(shop: Shop, method: str = "pm_bacsDebit_success") -> tuple[str, str]:
    """A customer whose mandate the bank has accepted, on a Monday."""
    customer, saved = shop.customer_with(method)
    shop.pass_days(7)
    return customer, saved


def test_a_new_mandate_is_accepted_after_three_working_days(shop: Shop) -> None:
    _, saved = shop.customer_with("pm_bacsDebit_success")
    mandate = shop.core.world.secret(saved)["mandate"]
    assert shop.api.mandates.retrieve(mandate).status == "pending"
    shop.pass_days(3)
    assert shop.api.mandates.retrieve(mandate).status == "active"
    assert shop.deliver()[-1] == "mandate.updated"


def test_a_debit_takes_four_working_days(shop: Shop) -> None:
    customer, saved = _active(shop)
    debit = shop.debit(customer, saved)
    assert debit.status == "processing"
    charge = shop.api.charges.retrieve(debit.latest_charge)
    booked = shop.api.balance_transactions.retrieve(charge.balance_transaction)
    assert (charge.status, booked.status, shop.balance()) == ("pending", "pending", (0, booked.net))
    assert _outcome_day(shop, debit.id) == "Fri 04"


def test_a_debit_on_a_new_mandate_takes_seven(shop: Shop) -> None:
    customer, saved = shop.customer_with("pm_bacsDebit_success")
    debit = shop.debit(customer, saved)
    assert _outcome_day(shop, debit.id) == "Wed 02"


def test_weekends_and_bank_holidays_do_not_count(shop: Shop) -> None:
    customer, saved = _active(shop)
    shop.clock.at = datetime(2026, 12, 23, 9, 0, tzinfo=UTC)
    debit = shop.debit(customer, saved)
    assert _outcome_day(shop, debit.id) == "Thu 31"


def test_collected_money_is_there_on_the_day_of_its_confirmation(shop: Shop) -> None:
    customer, saved = _active(shop)
    debit = shop.debit(customer, saved, 50_000)
    _outcome_day(shop, debit.id)
    charge = shop.api.charges.retrieve(debit.latest_charge, {"expand": ["balance_transaction"]})
    txn = charge.balance_transaction
    assert (txn.type, txn.fee, txn.status) == ("payment", 400, "available")
    assert charge.id.startswith("py_")
    assert shop.balance() == (49_600, 0)
    assert [t for t in shop.deliver() if not t.startswith(("customer", "setup", "payment_method"))] == [
        "mandate.updated",
        "payment_intent.created",
        "payment_intent.processing",
        "charge.pending",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]


def test_too_little_money_leaves_the_mandate_alone(shop: Shop) -> None:
    customer, saved = _active(shop, "pm_bacsDebit_insufficientFunds")
    debit = shop.debit(customer, saved)
    shop.pass_days(7)
    failed = shop.api.payment_intents.retrieve(debit.id, {"expand": ["latest_charge"]})
    assert failed.status == "requires_payment_method"
    assert failed.last_payment_error.code == "insufficient_funds"
    assert failed.latest_charge.failure_code == "insufficient_funds"
    assert shop.api.mandates.retrieve(shop.core.world.secret(saved)["mandate"]).status == "active"
    assert shop.balance() == (0, 0)
    again = shop.api.payment_intents.confirm(debit.id, {"payment_method": saved, "off_session": True})
    assert again.status == "processing"


def test_an_instruction_cancelled_ends_the_mandate(shop: Shop) -> None:
    customer, saved = _active(shop, "pm_bacsDebit_debitNotAuthorized")
    debit = shop.debit(customer, saved)
    shop.pass_days(7)
    assert shop.api.payment_intents.retrieve(debit.id).last_payment_error.code == "debit_not_authorized"
    assert shop.deliver()[-1] == "mandate.updated"
    with pytest.raises(stripe.InvalidRequestError) as raised:
        shop.debit(customer, saved)
    assert raised.value.code == "payment_intent_mandate_invalid"


def test_a_mandate_revoked_while_a_debit_runs_fails_it(shop: Shop) -> None:
    customer, saved = _active(shop)
    debit = shop.debit(customer, saved)
    shop.control(f"mandates/{saved}/revoke")
    shop.pass_days(7)
    assert shop.api.payment_intents.retrieve(debit.id).last_payment_error.code == "debit_not_authorized"


def test_one_account_has_one_fingerprint_whoever_gives_it(shop: Shop) -> None:
    def account(number: str) -> str:
        details = {"sort_code": "108800", "account_number": number}
        billing = {"name": "Ada", "email": "ada@example.com"}
        given = {"type": "bacs_debit", "bacs_debit": details, "billing_details": billing}
        found = shop.api.payment_methods.create(given).bacs_debit.fingerprint
        assert found
        return str(found)

    assert account("00012345") == account("00012345") != account("22222227")


def test_a_refused_mandate_is_inactive_at_once(shop: Shop) -> None:
    _, saved = shop.customer_with("pm_bacsDebit_mandateRefused")
    mandate = shop.api.mandates.retrieve(shop.core.world.secret(saved)["mandate"])
    details = mandate.payment_method_details.bacs_debit
    assert (mandate.status, details.network_status) == ("inactive", "refused")


def test_failures_can_be_ordered_for_a_good_account(shop: Shop) -> None:
    customer, saved = _active(shop)
    shop.control(f"payment_methods/{saved}/outcomes", failures=["insufficient_funds"])
    first, second = shop.debit(customer, saved), shop.debit(customer, saved)
    shop.pass_days(7)
    assert shop.api.payment_intents.retrieve(first.id).status == "requires_payment_method"
    assert shop.api.payment_intents.retrieve(second.id).status == "succeeded"


def test_what_was_booked_for_a_debit_that_fails_is_taken_back(shop: Shop) -> None:
    customer, saved = _active(shop)
    shop.control(f"payment_methods/{saved}/outcomes", failures=["insufficient_funds"])
    charge = shop.debit(customer, saved).latest_charge
    shop.pass_days(7)
    there, back = reversed(shop.api.balance_transactions.list({"source": charge}).data)
    assert (there.reporting_category, back.reporting_category) == ("charge", "charge_failure")
    assert there.net + back.net == 0
    assert shop.balance() == (0, 0)
    assert shop.api.charges.retrieve(charge).failure_balance_transaction == back.id


def test_a_dispute_comes_with_its_test_account_and_is_final(shop: Shop) -> None:
    customer, saved = _active(shop, "pm_bacsDebit_dispute")
    debit = shop.debit(customer, saved)
    shop.pass_days(7)
    dispute = shop.api.disputes.list({"payment_intent": debit.id}).data[0]
    assert (dispute.status, dispute.reason) == ("lost", "debit_not_authorized")
    assert shop.balance() == (-100 - 2_000, 0)


def test_a_running_debit_cannot_be_cancelled(shop: Shop) -> None:
    customer, saved = _active(shop)
    debit = shop.debit(customer, saved)
    error = shop.refused("POST", f"/v1/payment_intents/{debit.id}/cancel", {})
    assert error["code"] == "payment_intent_unexpected_state"


def test_a_refund_arrives_three_working_days_later(shop: Shop) -> None:
    customer, saved = _active(shop)
    debit = shop.debit(customer, saved)
    shop.pass_days(4)
    refund = shop.api.refunds.create({"payment_intent": debit.id})
    assert (refund.status, refund.id[:4]) == ("pending", "pyr_")
    shop.pass_days(5)
    assert shop.api.refunds.retrieve(refund.id).status == "succeeded"


def test_both_spellings_of_the_names_are_known() -> None:
    for name, method in test_methods.METHODS.items():
        if name.startswith("pm_bacsDebit_"):
            assert test_methods.METHODS[name.replace("pm_bacsDebit_", "pm_bacs_debit_")] is method
    assert test_methods.METHODS[test_methods.BY_NUMBER["00012345"]].kind == "bacs_debit"


def test_bank_details_make_a_payment_method(shop: Shop) -> None:
    made = shop.api.payment_methods.create(
        {"type": "bacs_debit", "bacs_debit": {"sort_code": "108800", "account_number": "22222227"}}
    )
    assert made.bacs_debit.last4 == "2227"
    wrong = {"type": "bacs_debit", "bacs_debit": {"sort_code": "108800", "account_number": "00044444"}}
    assert shop.refused("POST", "/v1/payment_methods", wrong)["code"] == "account_number_invalid"
