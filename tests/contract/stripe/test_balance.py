"""Balances are the sum of balance transactions; fees and settlement times are Stripe's published ones."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.stripe import fees
from infra.local.stripe.core import LocalStripe

from .conftest import MemoryClock, Shop


def _day(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%a %d %H:%M")


@pytest.mark.parametrize(
    ("price", "amount", "fee"),
    [
        (fees.CARD, 10_000, 170),
        (fees.CARD, 5_000, 95),
        (fees.CARD, 50_000, 770),
        (fees.CARD, 80_000, 1_220),
        (fees.CARD, 33, 20),
        (fees.CARD, 34, 21),
        (fees.BACS, 1_000, 20),
        (fees.BACS, 10_000, 100),
        (fees.BACS, 5_050, 51),
        (fees.BACS, 50_000, 400),
        (fees.BACS, 80_000, 400),
        (fees.DISPUTE, 10_000, 2_000),
        (fees.TRANSFER, 50_000, 0),
        (fees.CONNECT_PAYOUT, 50_000, 135),
        (fees.CONNECT_ACCOUNT, 50_000, 200),
    ],
)
def test_prices(price: fees.Price, amount: int, fee: int) -> None:
    assert price.of(amount) == fee


def test_every_price_has_its_source() -> None:
    prices = [value for value in vars(fees).values() if isinstance(value, fees.Price)]
    assert len(prices) == 6
    assert all("stripe.com" in price.source for price in prices)


def test_card_money_is_pending_until_the_third_working_day(shop: Shop) -> None:
    paid = shop.pay(10_000, expand=["latest_charge.balance_transaction"])
    txn = paid.latest_charge.balance_transaction
    assert (txn.amount, txn.fee, txn.net, txn.type) == (10_000, 170, 9_830, "charge")
    assert [detail.amount for detail in txn.fee_details] == [170]
    assert _day(txn.available_on) == "Thu 26 00:00"
    assert shop.balance() == (0, 9_830)
    shop.pass_days(2)
    assert shop.balance() == (0, 9_830)
    assert shop.api.balance_transactions.retrieve(txn.id).status == "pending"
    shop.pass_days(1)
    assert shop.balance() == (9_830, 0)
    assert shop.api.balance_transactions.retrieve(txn.id).status == "available"


def test_bank_holidays_and_weekends_do_not_count(shop: Shop) -> None:
    shop.clock.at = datetime(2026, 12, 24, 12, 0, tzinfo=UTC)
    paid = shop.pay(expand=["latest_charge.balance_transaction"])
    assert _day(paid.latest_charge.balance_transaction.available_on) == "Thu 31 00:00"


def test_money_that_bypasses_pending_is_there_at_once(shop: Shop) -> None:
    shop.pay(10_000, "pm_card_bypassPending")
    assert shop.balance() == (9_830, 0)


def test_a_top_up_is_there_at_once(shop: Shop) -> None:
    shop.top_up(250_000)
    assert shop.balance() == (250_000, 0)


def test_stripe_keeps_its_fee_when_money_goes_back(shop: Shop) -> None:
    paid = shop.pay(10_000)
    shop.api.refunds.create({"payment_intent": paid.id})
    assert shop.balance() == (0, -170)


def test_transactions_are_filtered(shop: Shop) -> None:
    paid = shop.pay(10_000)
    shop.top_up(500)
    refund = shop.api.refunds.create({"payment_intent": paid.id, "amount": 100})
    rows = shop.api.balance_transactions
    assert [row.type for row in rows.list().data] == ["refund", "topup", "charge"]
    assert [row.amount for row in rows.list({"type": "topup"}).data] == [500]
    assert [row.amount for row in rows.list({"source": refund.id}).data] == [-100]
    assert rows.list({"created": {"gt": shop.core.world.now}}).data == []
    assert rows.list({"type": "charge", "expand": ["data.source"]}).data[0].source.payment_intent == paid.id
    page = rows.list({"limit": 2})
    assert (len(page.data), page.has_more) == (2, True)
    assert [row.type for row in page.auto_paging_iter()] == ["refund", "topup", "charge"]


_KINDS = [
    *("pay", "bacs", "refund", "dispute", "win", "top_up"),
    *("transfer", "reverse", "payout", "fail", "days"),
]
_STEPS = st.lists(st.tuples(st.sampled_from(_KINDS), st.integers(30, 30_000)), max_size=25)


@settings(max_examples=25, deadline=None)
@given(_STEPS)
def test_the_balance_is_the_sum_of_its_transactions_whatever_happens(steps: list[tuple[str, int]]) -> None:
    clock = MemoryClock()
    shop = Shop(LocalStripe(now=clock, seed=1), clock)
    recipient = shop.recipient()
    for step, amount in steps:
        _do(shop, step, amount, recipient)
        for account in (None, recipient):
            rows = shop.core.world.all(account or shop.core.world.platform, "balance_transaction")
            available, pending = shop.balance(account)
            assert available + pending == sum(row["net"] for row in rows)
            assert all(row["net"] == row["amount"] - row["fee"] for row in rows)
            assert all(row["fee"] == sum(d["amount"] for d in row["fee_details"]) for row in rows)
    sent = sum(
        t["amount"] - t["amount_reversed"] for t in shop.core.world.all(shop.core.world.platform, "transfer")
    )
    paid_out = [
        p for p in shop.core.world.all(recipient, "payout") if p["status"] not in {"failed", "canceled"}
    ]
    held = sum(row["net"] for row in shop.core.world.all(recipient, "balance_transaction"))
    assert held == sent - sum(payout["amount"] for payout in paid_out)


def _do(shop: Shop, step: str, amount: int, recipient: str) -> None:
    """One step, which Stripe may refuse."""
    world = shop.core.world
    form = {"amount": amount, "currency": "gbp"}
    charges = [c for c in world.all(world.platform, "charge") if c["status"] == "succeeded"]
    match step:
        case "pay" | "bacs":
            shop.pay(amount, "pm_card_visa" if step == "pay" else "pm_bacsDebit_success")
        case "refund" if charges:
            shop.core.request("POST", "/v1/refunds", {"charge": charges[0]["id"], "amount": min(amount, 50)})
        case "dispute" if charges and not charges[-1]["disputed"] and not charges[-1]["refunded"]:
            shop.control(f"charges/{charges[-1]['id']}/dispute")
        case "win":
            for dispute in world.all(world.platform, "dispute"):
                if dispute["status"] == "needs_response":
                    shop.control(f"disputes/{dispute['id']}", status="won")
        case "top_up":
            shop.top_up(amount)
        case "transfer":
            shop.core.request("POST", "/v1/transfers", {**form, "destination": recipient})
        case "reverse":
            for transfer in world.all(world.platform, "transfer")[-1:]:
                shop.core.request("POST", f"/v1/transfers/{transfer['id']}/reversals", {"amount": amount})
        case "payout":
            shop.core.request("POST", "/v1/payouts", form, account=recipient)
        case "fail":
            for payout in world.all(recipient, "payout")[-1:]:
                if payout["status"] != "failed":
                    shop.control(f"payouts/{payout['id']}/fail")
                    shop.control(f"accounts/{recipient}/bank")
        case "days":
            shop.pass_days(1 + amount % 7)
