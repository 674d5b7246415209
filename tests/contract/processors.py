"""A processor as the interface suite of `PaymentGateway` sees it: a gateway, and what happens outside it.

A second gateway joins by a class like `LocalStripeProcessor`, and the suite stays as it is.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol

from infra.local.stripe import control, webhooks
from infra.local.stripe.core import LocalStripe
from infra.local.stripe.in_process import InProcessTransport
from infra.local.stripe.server import start_local_stripe
from shared.adapters.stripe_gateway import StripeGateway
from shared.domain.words import MethodKind
from shared.ports import Method, PaymentGateway
from tests.contract.stripe import conformity
from tests.simulation.faults import Faults
from tests.simulation.ports import SimulatedLine
from tests.simulation.scheduler import Scheduler

Behaviour = Literal[
    "pays",
    "pays_after_authentication",
    "cannot_be_saved",
    "lacks_funds",
    "instruction_cancelled",
]
Endpoint = Literal["platform", "connect"]
Callback = tuple[Endpoint, bytes, str]


class Processor(Protocol):
    """What people, banks and the processor do, which no gateway can make them do."""

    gateway: PaymentGateway

    def now(self) -> datetime: ...
    def pass_days(self, days: float) -> None: ...

    def token(self, kind: MethodKind, behaviour: Behaviour) -> str:
        """A method as a client tokenised it with the processor."""
        ...

    def decline_next(self, method: str, reason: str) -> None:
        """The bank declines the next payment with a saved card."""
        ...

    def finish_setup(self, setup: str, kind: MethodKind) -> None:
        """The person finishes a set-up on the processor's page."""
        ...

    def authenticate(self, reference: str, *, succeeds: bool = True) -> None:
        """The person authenticates a collection or a set-up at the bank, or fails to."""
        ...

    def cancel_instruction(self, method: str) -> None: ...
    def onboard(self, recipient: str) -> None: ...
    def change_bank(self, recipient: str) -> None: ...
    def disable(self, recipient: str) -> None: ...
    def cure(self, recipient: str) -> None: ...
    def send_back(self, bank_payout: str) -> None: ...
    def dispute(self, collection: str) -> str: ...
    def close_dispute(self, dispute: str, outcome: Literal["won", "lost"]) -> None: ...
    def collect_by_hand(self, method: Method, amount_pence: int) -> None:
        """Somebody collects on the processor's own pages."""
        ...

    def add_capital(self, amount_pence: int) -> None: ...
    def lose_next_answer(self) -> None:
        """Do what the next call asks, and cut the line before the answer."""
        ...

    def be_busy_once(self) -> None:
        """Turn the next call away: too many."""
        ...

    def sweep(self, interval: Literal["manual", "daily", "weekly"]) -> None:
        """How often it pays our own balance out."""
        ...

    def callbacks(self) -> list[Callback]:
        """What it told our endpoints so far, oldest first: endpoint, body, signature."""
        ...

    def objects_made(self, kind: Literal["collection", "transfer", "bank_payout", "refund"]) -> int:
        """How many of a kind there are, whoever made them."""
        ...


class Secrets:
    """The keys of a local Stripe."""

    _values = {
        "stripe-secret-key": "sk_test_local",
        "stripe-webhook-secret": "whsec_platform",
        "stripe-connect-webhook-secret": "whsec_connect",
    }

    def current(self, name: str) -> bytes:
        return self._values[name].encode()

    def accepted(self, name: str) -> list[bytes]:
        return [self.current(name)]


class MovedClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self._now = datetime(2026, 11, 24, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self._now

    def move(self, by: timedelta) -> None:
        self._now += by


TOKENS: dict[tuple[MethodKind, Behaviour], str] = {
    ("card", "pays"): "pm_card_visa",
    ("card", "pays_after_authentication"): "pm_card_authenticationRequired",
    ("card", "cannot_be_saved"): "pm_card_chargeDeclined",
    ("bacs_debit", "pays"): "pm_bacs_debit_success",
    ("bacs_debit", "lacks_funds"): "pm_bacs_debit_insufficientFunds",
    ("bacs_debit", "instruction_cancelled"): "pm_bacs_debit_debitNotAuthorized",
}
RETURN_URL = "https://ajo.example/authenticated"
KINDS = {
    "collection": "payment_intent",
    "transfer": "transfer",
    "bank_payout": "payout",
    "refund": "refund",
}


class LocalStripeProcessor:
    """`StripeGateway` on the local Stripe. Each call is held to Stripe's OpenAPI document at the end."""

    def __init__(self, core: LocalStripe, gateway: PaymentGateway, clock: MovedClock) -> None:
        self.core = core
        self.gateway = gateway
        self.now = clock

    def _control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        status, answer = control.handle(self.core, method, path, body)
        assert status == 200, answer
        return answer

    def pass_days(self, days: float) -> None:
        self.now.move(timedelta(days=days))
        self.core.advance()

    def token(self, kind: MethodKind, behaviour: Behaviour) -> str:
        return TOKENS[kind, behaviour]

    def decline_next(self, method: str, reason: str) -> None:
        self._control("POST", f"payment_methods/{method}/outcomes", {"failures": [reason]})

    def finish_setup(self, setup: str, kind: MethodKind) -> None:
        method = TOKENS[kind, "pays"]
        self._control("POST", f"checkout_sessions/{setup}/complete", {"payment_method": method})

    def authenticate(self, reference: str, *, succeeds: bool = True) -> None:
        self._control("POST", f"intents/{reference}/authenticate", {"succeeds": succeeds})

    def cancel_instruction(self, method: str) -> None:
        self._control("POST", f"mandates/{method}/revoke")

    def onboard(self, recipient: str) -> None:
        self._control("POST", f"accounts/{recipient}/onboard")

    def change_bank(self, recipient: str) -> None:
        self._control("POST", f"accounts/{recipient}/bank", {"account_number": "00012346"})

    def disable(self, recipient: str) -> None:
        self._control("POST", f"accounts/{recipient}/disable")

    def cure(self, recipient: str) -> None:
        self._control("POST", f"accounts/{recipient}/cure")

    def send_back(self, bank_payout: str) -> None:
        self._control("POST", f"payouts/{bank_payout}/fail", {"code": "account_closed"})

    def dispute(self, collection: str) -> str:
        return str(self._control("POST", f"charges/{collection}/dispute")["id"])

    def close_dispute(self, dispute: str, outcome: Literal["won", "lost"]) -> None:
        self._control("POST", f"disputes/{dispute}", {"status": outcome})

    def collect_by_hand(self, method: Method, amount_pence: int) -> None:
        form = {"amount": amount_pence, "currency": "gbp", "customer": method.payer, "confirm": "true"}
        form |= {"payment_method": method.reference, "off_session": "true"}
        form |= {"payment_method_types": [method.kind]}
        status, answer = self.core.request("POST", "/v1/payment_intents", form)
        assert status == 200, answer

    def add_capital(self, amount_pence: int) -> None:
        status, answer = self.core.request("POST", "/v1/topups", {"amount": amount_pence, "currency": "gbp"})
        assert status == 200, answer

    def lose_next_answer(self) -> None:
        self._control("POST", "faults", {"kind": "cut_after"})

    def be_busy_once(self) -> None:
        self._control("POST", "faults", {"kind": "rate_limit"})

    def sweep(self, interval: Literal["manual", "daily", "weekly"]) -> None:
        settings = self._control("GET", f"objects/{self.core.world.platform}")["settings"]
        settings["payouts"]["schedule"]["interval"] = interval
        self._control("POST", f"objects/{self.core.world.platform}", {"settings": settings})

    def callbacks(self) -> list[Callback]:
        told: list[Callback] = []
        for event in self._control("GET", "events"):
            endpoint: Endpoint = "connect" if "account" in event else "platform"
            body = json.dumps(event).encode()
            told.append((endpoint, body, webhooks.signature(body, f"whsec_{endpoint}", int(time.time()))))
        return told

    def objects_made(self, kind: Literal["collection", "transfer", "bank_payout", "refund"]) -> int:
        return sum(thing["object"] == KINDS[kind] for thing in self.core.world.objects.values())

    def assert_conformity(self) -> None:
        """Every request and every answer was valid by Stripe's own document."""
        for call in self.core.requests:
            faults = conformity.check(
                call["method"], call["path"], call["params"], call["status"], call["body"]
            )
            assert not faults, faults


def stripe_in_process() -> LocalStripeProcessor:
    """Without sockets, as the simulation has it."""
    clock = MovedClock()
    core = LocalStripe(now=clock)
    gateway = StripeGateway(
        Secrets(), live=False, return_url=RETURN_URL, http_client=InProcessTransport(core)
    )
    return LocalStripeProcessor(core, gateway, clock)


def stripe_as_simulated() -> LocalStripeProcessor:
    """By the simulation's own line: without forms, HTTP and stripe-python, and no fault strikes in it."""
    clock = MovedClock()
    core = LocalStripe(now=clock)
    gateway = StripeGateway(Secrets(), live=False, return_url=RETURN_URL)
    chance = random.Random(0)
    gateway._api = SimulatedLine(core, Scheduler(chance), Faults(0, only=()), chance)
    return LocalStripeProcessor(core, gateway, clock)


@contextmanager
def stripe_over_http() -> Iterator[LocalStripeProcessor]:
    """Over HTTP, as the local platform has it."""
    clock = MovedClock()
    with start_local_stripe(now=clock) as server:
        gateway = StripeGateway(Secrets(), live=False, return_url=RETURN_URL, api_base=server.url)
        yield LocalStripeProcessor(server.core, gateway, clock)
