"""Strangers: what reaches our account at the processor, or our endpoint, and is not ours to book."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.ports import ThinEvent
from shared.services.process_payment_event import EVENTS_TOPIC, as_message

if TYPE_CHECKING:
    from tests.simulation.lifecycle import Lifecycle


class Strangers:
    """Payments of others, events of tomorrow, news of the wrong mode or account."""

    def __init__(self, life: Lifecycle) -> None:
        self._life = life
        self._chance = random.Random(f"strangers:{life.seed}")
        self._parked: set[str] = set()  # ids of events and objects that belong in quarantine
        life.auditor.quarantine_expected = self._belongs_there

    @property
    def came(self) -> bool:
        """Whether there is anything that the platform cannot explain."""
        return bool(self._parked)

    def come(self, contribution: Any) -> None:
        """One of them turns up. `contribution` is one of ours, for those who pretend to know us."""
        self._life.faults.count("mismatch")
        comes = self._chance.choice(
            [
                self._unknown_payment,
                self._other_amount,
                self._unknown_attempt,
                self._unknown_type,
                self._other_mode,
                self._other_account,
            ]
        )
        comes(contribution)

    # --- payments -------------------------------------------------------------------------------------------

    def _unknown_payment(self, contribution: Any) -> None:
        """Somebody pays by a link that the platform never made."""
        self._pays(self._chance.randrange(100, 90_000), {})

    def _other_amount(self, contribution: Any) -> None:
        """All our ids, and another amount."""
        attempts = contribution["attempts"]
        attempt = attempts[-1]["id"] if attempts else "att_none"
        self._pays(contribution["amount_pence"] - 1, self._labels(contribution, attempt))

    def _unknown_attempt(self, contribution: Any) -> None:
        self._pays(contribution["amount_pence"], self._labels(contribution, "att_unknown"))

    def _labels(self, contribution: Any, attempt: str) -> dict[str, str]:
        return {
            "attempt": attempt,
            "group": contribution["group"],
            "contribution": contribution["id"],
            "cycle": str(contribution["cycle"]),
        }

    def _pays(self, pence: int, labels: dict[str, str]) -> None:
        form = {
            "amount": str(pence),
            "currency": "gbp",
            "confirm": "true",
            "payment_method": "pm_card_visa",
            "metadata": labels,
        }
        world = self._life.world.stripe.world
        before = set(world.objects)
        self._life.world.stripe_request("POST", "/v1/payment_intents", form)
        made = world.objects.keys() - before
        self._parked |= made
        self._life.auditor.strangers |= made

    # --- events ---------------------------------------------------------------------------------------------

    def _unknown_type(self, contribution: Any) -> None:
        self._event("treasury.something_new", "obj_unknown")

    def _other_mode(self, contribution: Any) -> None:
        self._event("payment_intent.succeeded", "pi_unknown", live=True)

    def _other_account(self, contribution: Any) -> None:
        self._event("payout.paid", "po_unknown", account="acct_unknown")

    def _event(self, kind: str, object_id: str, *, live: bool = False, account: str | None = None) -> None:
        """Genuine, by its signature: it goes the way of all events."""
        event_id = f"evt_{UUID(int=self._chance.getrandbits(128)).hex}"
        self._parked.add(event_id)
        now = self._life.clock.moment.astimezone(UTC)
        event = ThinEvent(
            event_id, kind, account, object_id, live, datetime.fromtimestamp(int(now.timestamp()), UTC)
        )
        self._life.world.messages.send(EVENTS_TOPIC, as_message(event))

    def _belongs_there(self, parked: Any) -> bool:
        what = parked["what"]
        return bool({what.get("id"), what.get("object_id")} & self._parked)
