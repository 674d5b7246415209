"""The control endpoint: time, the log of requests, objects altered by hand, and the same run twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.local.stripe import control
from infra.local.stripe.clocks import FileClock, OwnClock
from infra.local.stripe.core import LocalStripe

from .conftest import MemoryClock, Shop


def test_the_clock_moves_forward(shop: Shop) -> None:
    assert shop.control("advance", days=1)["now"] == "2026-11-24T09:00:00+00:00"
    assert shop.control("advance", to="2026-12-01T00:00:00+00:00")["now"].startswith("2026-12-01")
    assert control.handle(shop.core, "GET", "time")[1]["unix"] == int(
        datetime(2026, 12, 1, tzinfo=UTC).timestamp()
    )
    assert control.handle(shop.core, "POST", "advance", {"days": -1})[0] == 400


def test_a_clock_that_is_not_its_own_is_not_moved() -> None:
    core = LocalStripe(now=lambda: datetime(2026, 11, 24, tzinfo=UTC))
    assert control.handle(core, "POST", "advance", {"days": 1})[0] == 400


def test_own_clock() -> None:
    clock = OwnClock()
    before = clock()
    clock.move(timedelta(days=3))
    assert timedelta(days=3) <= clock() - before < timedelta(days=3, minutes=5)


def test_clock_file(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    clock = FileClock(file)
    assert abs(clock() - datetime.now(UTC)) < timedelta(minutes=5)
    file.write_text("86400\n")
    assert abs(clock() - datetime.now(UTC) - timedelta(days=1)) < timedelta(minutes=5)
    file.write_text("")
    assert abs(clock() - datetime.now(UTC) - timedelta(days=1)) < timedelta(minutes=5)


def test_due_things_happen_in_order_at_their_own_moments(shop: Shop) -> None:
    customer, saved = shop.customer_with("pm_bacsDebit_success")
    shop.debit(customer, saved)
    shop.pass_days(25)
    created = [event.created for event in shop.api.events.list({"limit": 100}).data]
    assert created == sorted(created, reverse=True)
    succeeded = shop.api.events.list({"type": "payment_intent.succeeded"}).data[0]
    assert datetime.fromtimestamp(succeeded.created, UTC) == datetime(2026, 12, 2, 6, tzinfo=UTC)
    assert succeeded.request.id is None


def test_requests_are_logged(shop: Shop) -> None:
    shop.core.request("POST", "/v1/customers", {"metadata": {"uid": "u1"}}, idempotency_key="k")
    shop.core.request("POST", "/v1/customers", {"metadata": {"uid": "u1"}}, idempotency_key="k")
    shop.refused("POST", "/v1/customers", {"nonsense": "1"})
    _, log = control.handle(shop.core, "GET", "requests")
    assert [(e["status"], e["replayed"]) for e in log] == [(200, False), (200, True), (400, False)]
    assert (log[0]["method"], log[0]["path"]) == ("POST", "/v1/customers")
    assert log[0]["params"] == {"metadata": {"uid": "u1"}}
    assert len(control.handle(shop.core, "GET", "requests", {"since": "2"})[1]) == 1
    control.handle(shop.core, "DELETE", "requests")
    assert control.handle(shop.core, "GET", "requests")[1] == []


def test_an_object_is_altered_and_removed_by_hand(shop: Shop) -> None:
    paid = shop.pay(10_000)
    row = shop.api.balance_transactions.list().data[0].id
    shop.control(f"objects/{row}", amount=9_000, net=8_830)
    assert shop.balance() == (0, 8_830)
    control.handle(shop.core, "DELETE", f"objects/{row}")
    assert shop.balance() == (0, 0)
    control.handle(shop.core, "DELETE", f"objects/{paid.id}")
    assert shop.refused("GET", f"/v1/payment_intents/{paid.id}", {})["code"] == "resource_missing"
    assert control.handle(shop.core, "GET", f"objects/{paid.id}")[0] == 404


def test_idle_says_whether_webhooks_wait(shop: Shop) -> None:
    assert control.handle(shop.core, "GET", "idle")[1]["idle"]
    shop.api.customers.create()
    waiting = control.handle(shop.core, "GET", "idle")[1]
    assert (waiting["idle"], waiting["due"]) == (False, 1)
    shop.deliver(status=500)
    waiting = control.handle(shop.core, "GET", "idle")[1]
    assert waiting["idle"]
    assert waiting["next_due"] > shop.core.world.now


def test_connect_fees_leave_the_balance(shop: Shop) -> None:
    shop.top_up(1_000)
    assert shop.control("connect_fees", amount=335)["type"] == "stripe_fee"
    assert shop.balance() == (665, 0)


def test_nonsense_is_refused(shop: Shop) -> None:
    assert control.handle(shop.core, "GET", "nonsense")[0] == 404
    assert control.handle(shop.core, "POST", "disputes/du_none", {"status": "won"})[0] == 404
    assert control.handle(shop.core, "POST", "webhooks/outage", {})[0] == 400


def _run(seed: int) -> str:
    clock = MemoryClock()
    shop = Shop(LocalStripe(now=clock, seed=seed), clock)
    shop.top_up(100_000)
    recipient = shop.recipient()
    for method in ("pm_card_visa", "pm_bacsDebit_success", "pm_card_createDispute", "pm_bacsDebit_dispute"):
        shop.pay(10_000, method)
        shop.deliver()
    shop.pass_days(12)
    shop.api.transfers.create({"amount": 5_000, "currency": "gbp", "destination": recipient})
    shop.api.payouts.create({"amount": 5_000, "currency": "gbp"}, {"stripe_account": recipient})
    shop.pass_days(3)
    shop.deliver(status=500)
    return shop.core.dump()


def test_the_same_seed_and_calls_give_the_same_bytes() -> None:
    assert _run(5) == _run(5)
    assert _run(5) != _run(6)


def test_a_state_is_taken_on_whole(shop: Shop) -> None:
    shop.pay(10_000)
    other = Shop(LocalStripe(now=shop.clock, seed=99), shop.clock)
    other.core.load(shop.core.dump())
    assert other.core.dump() == shop.core.dump()
    other.pass_days(5)
    assert other.balance() == (9_830, 0)
    assert other.deliver()[-1] == "payment_intent.succeeded"


@pytest.mark.parametrize("path", ["reset", "advance"])
def test_time_goes_on_after(shop: Shop, path: str) -> None:
    shop.pay()
    shop.control(path)
    shop.pass_days(400)
    assert shop.balance()[1] == 0
