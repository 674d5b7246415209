"""What the tests of the local Stripe share: a memory clock, a core on it, and the real client on that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe

from infra.local.stripe import control, in_process
from infra.local.stripe.core import LocalStripe
from infra.local.stripe.server import LocalStripeServer, start_local_stripe
from infra.local.stripe.version import API_VERSION

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@dataclass
class MemoryClock:
    """A clock that stands still until it is moved."""

    at: datetime = MONDAY

    def __call__(self) -> datetime:
        return self.at

    def move(self, by: timedelta) -> None:
        self.at += by


@dataclass
class Shop:
    """A core with what tests do again and again: the names of a circle's money."""

    core: LocalStripe
    clock: MemoryClock
    sent: list[tuple[str, str]] = field(default_factory=list)

    @property
    def api(self) -> Any:
        return in_process.client(self.core).v1

    def control(self, call: str, /, **body: Any) -> Any:
        status, answer = control.handle(self.core, "POST", call, body)
        assert status == 200, answer
        return answer

    def pass_days(self, days: float) -> None:
        self.clock.move(timedelta(days=days))
        self.core.advance()

    def deliver(self, status: int | None = 200) -> list[str]:
        """Make the deliveries due; the types of their events, in order."""
        types: list[str] = []

        def send(delivery: dict[str, Any], _: bytes) -> int | None:
            types.append(delivery["type"])
            return status

        self.core.pump(send)
        return types

    def customer_with(self, method: str = "pm_card_visa") -> tuple[str, str]:
        """A customer with a saved payment method: their ids."""
        customer = self.api.customers.create({"email": "ada@ajo.example"})
        if method.startswith("pm_card"):
            saved = self.api.payment_methods.attach(method, {"customer": customer.id})
            return customer.id, saved.id
        intent = self.api.setup_intents.create(
            {
                "customer": customer.id,
                "payment_method": method,
                "payment_method_types": ["bacs_debit"],
                "mandate_data": {"customer_acceptance": {"type": "offline"}},
                "confirm": True,
            }
        )
        return customer.id, intent.payment_method

    def pay(self, amount: int = 10_000, method: str = "pm_card_visa", **more: Any) -> Any:
        """An off-session payment by a new customer."""
        customer, saved = self.customer_with(method)
        return self.debit(customer, saved, amount, **more)

    def debit(self, customer: str, method: str, amount: int = 10_000, **more: Any) -> Any:
        kind = self.core.world.objects[method]["type"]
        return self.api.payment_intents.create(
            {
                "amount": amount,
                "currency": "gbp",
                "customer": customer,
                "payment_method": method,
                "payment_method_types": [kind],
                "confirm": True,
                "off_session": True,
                **more,
            }
        )

    def recipient(self, **more: Any) -> str:
        """A connected account, onboarded, on manual payouts."""
        account = self.api.accounts.create(
            {
                "type": "express",
                "country": "GB",
                "capabilities": {"transfers": {"requested": True}},
                "settings": {"payouts": {"schedule": {"interval": "manual"}}},
                **more,
            }
        )
        self.control(f"accounts/{account.id}/onboard")
        return str(account.id)

    def top_up(self, amount: int) -> Any:
        return self.api.topups.create({"amount": amount, "currency": "gbp"})

    def balance(self, account: str | None = None) -> tuple[int, int]:
        """What is available and what is pending, in pence."""
        shown = self.api.balance.retrieve(options={"stripe_account": account} if account else {})
        return shown.available[0].amount, shown.pending[0].amount

    def refused(self, method: str, path: str, form: dict[str, Any], **more: Any) -> dict[str, Any]:
        """The error that refuses a request."""
        status, body = self.core.request(method, path, form, **more)
        assert status >= 400, body
        return {**body["error"], "status": status}


@pytest.fixture
def shop() -> Shop:
    clock = MemoryClock()
    return Shop(LocalStripe(now=clock, seed=7), clock)


@pytest.fixture
def server() -> Iterator[LocalStripeServer]:
    with start_local_stripe(seed=7) as running:
        yield running


@pytest.fixture
def client(server: LocalStripeServer) -> stripe.StripeClient:
    return client_of(server)


def client_of(server: LocalStripeServer) -> stripe.StripeClient:
    """The real client on a running server."""
    return stripe.StripeClient(
        "sk_test_contract",
        stripe_version=API_VERSION,
        base_addresses={"api": server.url},
        max_network_retries=0,
    )
