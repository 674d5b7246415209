"""Connected accounts, transfers and reversals, payouts to the bank."""

from __future__ import annotations

import pytest
import stripe

from .conftest import Shop


@pytest.fixture
def recipient(shop: Shop) -> str:
    shop.top_up(100_000)
    return shop.recipient()


def _send(shop: Shop, recipient: str, amount: int = 50_000, **more: object) -> stripe.Transfer:
    sent: stripe.Transfer = shop.api.transfers.create(
        {"amount": amount, "currency": "gbp", "destination": recipient, **more}
    )
    return sent


def _pay_out(shop: Shop, recipient: str, amount: int = 50_000) -> stripe.Payout:
    paid: stripe.Payout = shop.api.payouts.create(
        {"amount": amount, "currency": "gbp"}, {"stripe_account": recipient}
    )
    return paid


def _payout(shop: Shop, recipient: str, payout: str) -> stripe.Payout:
    found: stripe.Payout = shop.api.payouts.retrieve(payout, options={"stripe_account": recipient})
    return found


def test_an_account_begins_with_requirements(shop: Shop) -> None:
    account = shop.api.accounts.create(
        {"type": "express", "capabilities": {"transfers": {"requested": True}}}
    )
    assert (account.details_submitted, account.payouts_enabled) == (False, False)
    assert account.capabilities.transfers == "inactive"
    assert "external_account" in account.requirements.currently_due
    shop.control(f"accounts/{account.id}/onboard")
    done = shop.api.accounts.retrieve(account.id)
    assert (done.details_submitted, done.payouts_enabled, done.capabilities.transfers) == (
        True,
        True,
        "active",
    )
    assert done.requirements.currently_due == []
    assert shop.deliver() == ["account.external_account.created", "capability.updated", "account.updated"]


def test_a_transfer_moves_available_money_at_once(shop: Shop, recipient: str) -> None:
    sent = _send(shop, recipient, metadata={"payout": "pay_1"}, transfer_group="grp:1")
    assert shop.balance() == (50_000, 0)
    assert shop.balance(recipient) == (50_000, 0)
    assert shop.api.transfers.list({"transfer_group": "grp:1"}).data[0].id == sent.id
    assert shop.api.transfers.list({"destination": recipient}).data[0].metadata["payout"] == "pay_1"
    paid = shop.api.charges.retrieve(sent.destination_payment, options={"stripe_account": recipient})
    assert (paid.amount, paid.source_transfer) == (50_000, sent.id)


def test_a_transfer_of_a_charge_waits_for_its_money(shop: Shop) -> None:
    recipient = shop.recipient()
    paid = shop.pay(10_000)
    sent = _send(shop, recipient, 9_000, source_transaction=paid.latest_charge)
    assert sent.source_transaction == paid.latest_charge
    assert shop.balance() == (0, 9_830 - 9_000)
    assert shop.balance(recipient) == (0, 9_000)
    error = shop.refused(
        "POST",
        "/v1/transfers",
        {
            "amount": 1_001,
            "currency": "gbp",
            "destination": recipient,
            "source_transaction": paid.latest_charge,
        },
    )
    assert error["param"] == "amount"
    shop.pass_days(4)
    assert shop.balance(recipient) == (9_000, 0)


def test_a_reversal_takes_it_back_in_parts(shop: Shop, recipient: str) -> None:
    sent = _send(shop, recipient)
    shop.api.transfers.reversals.create(sent.id, {"amount": 20_000})
    partly = shop.api.transfers.retrieve(sent.id)
    assert (partly.amount_reversed, partly.reversed, len(partly.reversals.data)) == (20_000, False, 1)
    shop.api.transfers.reversals.create(sent.id)
    assert shop.api.transfers.retrieve(sent.id).reversed
    assert shop.balance() == (100_000, 0)
    assert shop.balance(recipient) == (0, 0)
    assert "fully reversed" in shop.refused("POST", f"/v1/transfers/{sent.id}/reversals", {})["message"]


def test_a_reversal_needs_the_recipients_money(shop: Shop, recipient: str) -> None:
    sent = _send(shop, recipient)
    _pay_out(shop, recipient, 40_000)
    error = shop.refused("POST", f"/v1/transfers/{sent.id}/reversals", {"amount": 10_001})
    assert error["code"] == "balance_insufficient"
    assert shop.balance(recipient) == (10_000, 0)
    shop.api.transfers.reversals.create(sent.id, {"amount": 10_000})


def test_a_payout_arrives_on_the_next_working_day(shop: Shop, recipient: str) -> None:
    _send(shop, recipient)
    payout = _pay_out(shop, recipient)
    assert (payout.status, payout.automatic) == ("pending", False)
    assert shop.balance(recipient) == (0, 0)
    shop.pass_days(1)
    assert _payout(shop, recipient, payout.id).status == "paid"
    assert shop.deliver()[-2:] == ["payout.created", "payout.paid"]


def test_a_bank_refuses_days_after_paid(shop: Shop, recipient: str) -> None:
    _send(shop, recipient)
    payout = _pay_out(shop, recipient)
    shop.pass_days(3)
    shop.control(f"payouts/{payout.id}/fail", code="account_closed")
    failed = _payout(shop, recipient, payout.id)
    assert (failed.status, failed.failure_code) == ("failed", "account_closed")
    assert shop.balance(recipient) == (50_000, 0)
    account = shop.api.accounts.retrieve(recipient)
    assert account.payouts_enabled is False
    assert account.requirements.currently_due == ["external_account"]
    error = shop.refused("POST", "/v1/payouts", {"amount": 1, "currency": "gbp"}, account=recipient)
    assert error["code"] == "payouts_not_allowed"
    shop.control(f"accounts/{recipient}/bank")
    again = _pay_out(shop, recipient)
    shop.pass_days(1)
    assert _payout(shop, recipient, again.id).status == "paid"


def test_a_test_account_number_fails_by_itself(shop: Shop, recipient: str) -> None:
    shop.control(f"accounts/{recipient}/bank", account_number="11111113")
    _send(shop, recipient)
    payout = _pay_out(shop, recipient)
    shop.pass_days(1)
    assert _payout(shop, recipient, payout.id).failure_code == "account_closed"


def test_a_disabled_account_neither_receives_nor_pays_out(shop: Shop, recipient: str) -> None:
    _send(shop, recipient)
    shop.control(f"accounts/{recipient}/disable", due=["individual.verification.document"])
    form = {"amount": 100, "currency": "gbp", "destination": recipient}
    assert shop.refused("POST", "/v1/transfers", form)["code"] == "insufficient_capabilities_for_transfer"
    error = shop.refused("POST", "/v1/payouts", {"amount": 1, "currency": "gbp"}, account=recipient)
    assert "individual.verification.document" in error["message"]
    shop.control(f"accounts/{recipient}/cure")
    _send(shop, recipient, 100)
    _pay_out(shop, recipient, 100)


def test_payouts_can_stop_while_transfers_go_on(shop: Shop, recipient: str) -> None:
    shop.control(f"accounts/{recipient}/disable", transfers=False)
    _send(shop, recipient)
    assert shop.api.accounts.retrieve(recipient).payouts_enabled is False


def test_manual_payouts_wait_and_daily_ones_sweep(shop: Shop, recipient: str) -> None:
    _send(shop, recipient)
    shop.pass_days(3)
    assert shop.balance(recipient) == (50_000, 0)
    shop.api.accounts.update(recipient, {"settings": {"payouts": {"schedule": {"interval": "daily"}}}})
    shop.pass_days(2)
    assert shop.balance(recipient) == (0, 0)
    there = {"stripe_account": recipient}
    swept = shop.api.payouts.list(options=there).data[0]
    assert (swept.automatic, swept.amount) == (True, 50_000)
    rows = shop.api.balance_transactions.list({"payout": swept.id}, there).data
    assert sorted(row.amount for row in rows) == [-50_000, 50_000]


def test_the_platform_is_on_manual_payouts(shop: Shop) -> None:
    account = shop.api.accounts.retrieve_current()
    assert account.settings.payouts.schedule.interval == "manual"
    shop.top_up(1_000)
    shop.pass_days(10)
    assert shop.balance() == (1_000, 0)


def test_express_bank_details_are_not_the_platforms_to_change(shop: Shop, recipient: str) -> None:
    bank = {"bank_account": {"account_number": "00012345", "routing_number": "108800", "country": "GB"}}
    assert shop.refused("POST", f"/v1/accounts/{recipient}/external_accounts", bank)["status"] == 403


def test_a_foreign_account_is_not_told_from_none(shop: Shop) -> None:
    error = shop.refused("GET", "/v1/balance", {}, account="acct_someone")
    assert (error["status"], error["code"]) == (403, "account_invalid")


def test_objects_are_seen_by_their_account_alone(shop: Shop, recipient: str) -> None:
    _send(shop, recipient)
    payout = _pay_out(shop, recipient)
    assert shop.refused("GET", f"/v1/payouts/{payout.id}", {})["code"] == "resource_missing"
    events = shop.api.events.list(options={"stripe_account": recipient}).data
    assert {event.account for event in events} == {recipient}
    assert all("account" not in event for event in shop.api.events.list().data)
