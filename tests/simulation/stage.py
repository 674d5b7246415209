"""A stage for one use case: a circle of five that goes as planned, and one handler that may die at a port."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.calendar import opening_of
from shared.services import pay_contribution, refund_contribution, reverse_payout
from tests.builders import Circle
from tests.simulation.auditor import Violation
from tests.simulation.cloud import Work
from tests.simulation.lifecycle import Lifecycle
from tests.simulation.people import CARD, MANDATE
from tests.simulation.scheduler import Handler

PEOPLE = {"Ada": CARD, "Ben": CARD, "Cy": MANDATE, "Dee": CARD, "Eve": CARD}
MONEY_OBJECTS = ("payment_intent", "charge", "transfer", "payout", "refund", "dispute", "balance_transaction")


class Stage(Lifecycle):
    """No fault but one: the first handler called `victim` dies at its port number `dies_at`."""

    def __init__(self, victim: str, dies_at: int | None) -> None:
        super().__init__(0, only=frozenset(), cases=frozenset())
        self.scheduler.concurrency_max = 1
        self.people.punctual = 1.0
        self.victim: Handler | None = None
        self._name, self._dies_at = victim, dies_at
        self._not_before = self.clock.moment
        self.cloud.dies_at = self._once
        self.cloud.started = self._noted
        for uid, method in PEOPLE.items():
            self.world.person(uid, method)
        self.live(until=self.clock.moment + timedelta(days=8))
        self.circles = [self.world.circle(list(PEOPLE), default_policy="pay_cleared")]

    def _start(self) -> datetime:
        return datetime(2026, 11, 24, 9, tzinfo=UTC)

    @property
    def circle(self) -> Circle:
        return self.circles[0]

    def _once(self, work: Work) -> int | None:
        return self._dies_at if self._is_victim(work) else None

    def _noted(self, work: Work, handler: Handler) -> None:
        if self._is_victim(work):
            self.victim = handler

    def _is_victim(self, work: Work) -> bool:
        return self.victim is None and work.name == self._name and self.clock.moment >= self._not_before

    def on_payday(self) -> None:
        """Only the handlers of the first payout date count: those before it find nothing to do."""
        self._not_before = opening_of(self.circle.pays_out(1))

    def run_until_after_payout(self) -> None:
        """Live through the first cycle, and the days in which its news and late money arrive."""
        self.live(until=datetime(2027, 1, 25, 9, tzinfo=UTC))

    @property
    def violations(self) -> list[Violation]:
        return self.auditor.violations

    def end(self) -> dict[str, Any]:
        """What money came to: balances, states, debts, what was posted, and what exists at the processor."""
        gid, stripe = self.circle.id, self.world.stripe.world
        contributions = [
            (one["uid"], one["cycle"], one["state"], one["in_pot_pence"], _states(one["attempts"]))
            for _, one in self.documents("contributions")
        ]
        payouts = [
            (one["kind"], one["recipient"], one["cycle"], one["number"], one["state"], one["amount_pence"])
            for _, one in self.documents("payouts")
        ]
        posted = Counter(fact["type"] for fact in self.auditor.facts.values() if fact["entries"])
        made = Counter(one["object"] for one in stripe.objects.values() if one["object"] in MONEY_OBJECTS)
        return {
            "balances": self.circle.balances(),
            "contributions": sorted(contributions),
            "payouts": sorted(payouts),
            "debts": {uid: self.circle.member(uid).owes_pence() for uid in PEOPLE},
            "posted": dict(posted),
            "at the processor": dict(made),
            "published": all(fact["published"] for fact in self.auditor.facts.values()),
            "waiting": len(stripe.waiting),
            "group": self.auditor.document(f"groups/{gid}") is not None,
        }

    # --- what may happen in the first cycle -----------------------------------------------------------------

    def on(self, month: int, day: int, what: str, act: Callable[[], Any]) -> None:
        """Something that happens at noon of a day."""
        year = 2026 if month > 6 else 2027
        self.cloud.add(Work(what, act, datetime(year, month, day, 12, tzinfo=UTC), tries_max=8))

    def charge_of(self, uid: str) -> str:
        """Where the processor keeps what a person paid for the first cycle."""
        reference = self.circle.contribution(1, uid).attempts[0].reference
        assert reference is not None
        return reference

    def payer(self) -> str:
        """Somebody who pays by card, and does not receive first."""
        recipient = self.circle.recipient(1)
        return next(uid for uid, method in PEOPLE.items() if uid != recipient and method == CARD)

    def disputes(self, month: int, day: int, ends: str) -> None:
        """A payer takes their money back, and the bank decides a week later."""

        def open_dispute() -> None:
            charge = self.charge_of(self.payer())
            opened = self.control("POST", f"charges/{charge}/dispute", {"reason": "fraudulent"})
            self.cloud.later(
                "outside: bank decides",
                timedelta(days=3),
                lambda: self.control("POST", f"disputes/{opened['id']}", {"status": ends}),
            )

        self.on(month, day, "outside: disputes", open_dispute)

    def pays_late(self) -> None:
        """A payer has no money until after the payout, and then pays by hand."""
        uid = self.payer()
        method = self.auditor.document(f"payment_methods/{uid}") or {}
        self.control(
            "POST",
            f"payment_methods/{method['methods'][0]['reference']}/outcomes",
            {"failures": ["stolen_card"]},
        )
        self.people.punctual = 1.0
        command = self.world.command(uid, key="pays late, by hand")
        contribution = self.circle.contribution(1, uid).id
        self.on(
            1,
            13,
            "client: pays",
            lambda: pay_contribution.pay_now(self.world.ctx, command, self.circle.id, contribution),
        )

    def refunds(self) -> None:
        """Staff give a contribution back before the payout."""
        command = self.world.command("staff:finance", key="a refund by staff")
        contribution = self.circle.contribution(1, self.payer()).id
        self.on(
            1,
            6,
            "staff: refund",
            lambda: refund_contribution.refund(
                self.world.ctx, command, self.circle.id, contribution, "asked for"
            ),
        )

    def reverses(self) -> None:
        """Staff ask for a payout back that has gone to the bank: refused, and nothing is written off."""
        command = self.world.command("staff:finance")
        payout = self.circle.payout(1)
        self.on(
            1,
            20,
            "staff: reverse",
            lambda: reverse_payout.reverse(
                self.world.ctx, command, self.circle.id, payout.id, 50_000, "by mistake"
            ),
        )


def _states(attempts: list[Any]) -> list[str]:
    return [one["state"] for one in attempts]
