"""Many circles at once on one platform, with everything going wrong by chance; then every penny is asked for.

`scripts/demo --circles 20 --seed 4`: cards are declined, banks want to be asked, payers dispute, accounts are
restricted, bank accounts closed, answers of Stripe's cut off, webhooks dropped, doubled and delayed. Troubles
end two weeks before the end, everybody pays what they owe, and reconciliation names what is not explained.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from infra.local.demo import circle as circles
from infra.local.demo.circle import BACS, CARD, Circle
from infra.local.demo.client import CallFailed, Person, Platform
from infra.local.demo.story import Story

REQUEST_FAULTS: Final = ("cut_before", "cut_after", "error_before", "error_after", "conflict", "rate_limit")
WEBHOOK_FAULTS: Final = ("webhook_drop", "webhook_duplicate", "webhook_twin", "webhook_delay")
CARD_DECLINES: Final = (
    ["insufficient_funds"],
    ["insufficient_funds", "insufficient_funds"],
    ["stolen_card"],
    ["processing_error"],
    ["authentication_required", "authentication_required"],
)
BACS_DECLINES: Final = (["insufficient_funds"], ["debit_not_authorized"])
AFTERMATH: Final = timedelta(days=42)
QUIET: Final = timedelta(days=28)


class Troubles:
    """What goes wrong, day by day; the same seed orders the same."""

    def __init__(self, platform: Platform, seed: int) -> None:
        self.platform = platform
        self.chance = random.Random(seed)
        self.struck: Counter[str] = Counter()
        self._cures: list[tuple[datetime, Callable[[], object]]] = []

    def day(self, running: list[Circle], now: datetime) -> None:
        """Order the troubles of one day; those of before are cured when their time has come."""
        self._cure(now)
        if self.chance.random() < 0.6:
            kind = self.chance.choice(REQUEST_FAULTS)
            self._fault(kind, {"kind": kind, "method": "POST", "path": "/v1/*", "times": 2})
        if self.chance.random() < 0.6:
            kind = self.chance.choice(WEBHOOK_FAULTS)
            self._fault(kind, {"kind": kind, "event": "*", "times": 3})
        for circle in running:
            if self.chance.random() < 0.12:
                person = self.chance.choice(circle.people)
                by_card = person.default_method()["kind"] == "card"
                person.bank_says(*self.chance.choice(CARD_DECLINES if by_card else BACS_DECLINES))
                self.struck["declined"] += 1
            if self.chance.random() < 0.04:
                self._restrict(self.chance.choice(circle.people), now)
            if self.chance.random() < 0.04:
                self._close_bank(self.chance.choice(circle.people), now)
            if self.chance.random() < 0.04:
                self._dispute(circle, now)

    def end(self) -> None:
        """Nothing goes wrong any more, and what did is cured."""
        self.platform.stripe("DELETE", "faults")
        self._cure(None)

    def _cure(self, now: datetime | None) -> None:
        due = [one for one in self._cures if now is None or one[0] <= now]
        self._cures = [one for one in self._cures if one not in due]
        for _, cure in due:
            cure()

    def _fault(self, name: str, body: dict[str, Any]) -> None:
        self.platform.stripe("POST", "faults", body)
        self.struck[name] += 1

    def _later(self, now: datetime, days: int, path: str, body: dict[str, Any]) -> None:
        def cure() -> object:
            return self.platform.stripe("POST", path, body)

        self._cures.append((now + timedelta(days=days), cure))

    def _restrict(self, person: Person, now: datetime) -> None:
        self.platform.stripe("POST", f"accounts/{person.payout_account}/disable", {})
        self._later(now, 4, f"accounts/{person.payout_account}/cure", {})
        self.struck["restricted"] += 1

    def _close_bank(self, person: Person, now: datetime) -> None:
        path = f"accounts/{person.payout_account}/bank"
        self.platform.stripe("POST", path, {"account_number": "11111113"})
        self._later(now, 6, path, {})  # back to one of their own
        self.struck["bank closed"] += 1

    def _dispute(self, circle: Circle, now: datetime) -> None:
        person = self.chance.choice(circle.people)
        mine = person.pages("/v1/contributions", group=circle.group, limit=100)
        paid = [one for one in mine if one["attempt"] and one["attempt"]["state"] == "settled"]
        if not paid:
            return
        charge = self.platform.charge_of(self.chance.choice(paid)["attempt"]["id"])
        dispute = self.platform.stripe("POST", f"charges/{charge}/dispute", {})
        status = self.chance.choice(["won", "lost"])
        if dispute["status"] != "lost":  # by Bacs it is lost at once
            self._later(now, 5, f"disputes/{dispute['id']}", {"status": status})
        self.struck["disputed"] += 1


def live(platform: Platform, story: Story, count: int, seed: int) -> dict[str, Any]:
    """Run `count` circles of 5 × £100 a week to their end, and reconcile. A seed fixes the troubles."""
    troubles = Troubles(platform, seed)
    quiet = Story(quiet=True)
    running = []
    for number in range(count):
        running.append(
            circles.start(
                platform,
                quiet,
                frequency="weekly",
                method=BACS if number == 0 else CARD,
                default_policy=troubles.chance.choice(["wait", "pay_cleared"]),
            )
        )
        story.tell(f"circle {number + 1} of {count} is locked")
    last = max(circle.payout_date(len(circle.cycles)) for circle in running)
    ends = datetime.combine(last, time(9, 30), UTC) + AFTERMATH
    while (now := platform.now()) < ends - QUIET:
        troubles.day(running, now)
        platform.go_to(min(now + timedelta(days=1), ends))
    troubles.end()
    story.tell(f"no more troubles after {sum(troubles.struck.values())}: {dict(troubles.struck)}")
    while (now := platform.now()) < ends:
        for circle in running:
            _make_good(circle)
        platform.go_to(min(now + timedelta(days=7), ends))
    return _asked(platform, running, troubles.struck)


def _make_good(circle: Circle) -> None:
    """Whoever owes pays, with a card that works; whoever is asked by their bank confirms."""
    for person in circle.people:
        for one in person.pages("/v1/contributions", group=circle.group, limit=100):
            attempt = one["attempt"] or {}
            if attempt.get("state") == "requires_action" and attempt.get("action_url"):
                circle.platform.submit_page(attempt["action_url"], succeeds="true")
            elif one["state"] in {"due", "short"} and attempt.get("state") not in {
                "submitting",
                "processing",
            }:
                person.replace_method(CARD)
                try:
                    person.pay(circle.group, one["id"])
                except CallFailed as refused:
                    if refused.status != 409:  # paid meanwhile, by the ladder
                        raise


def _asked(platform: Platform, running: list[Circle], struck: Counter[str]) -> dict[str, Any]:
    from infra.local.demo.__main__ import operator

    platform.fire("catch-up")
    platform.rest()
    books = operator(platform, "reconcile", "--json")
    states = Counter(one["state"] for circle in running for one in circle.contributions())
    payouts = Counter(one["payout_state"] for circle in running for one in circle.schedule())
    return {
        "circles": len(running),
        "members": sum(len(circle.people) for circle in running),
        "troubles": dict(sorted(struck.items())),
        "contributions": dict(states),
        "payouts": dict(payouts),
        "facts": books["facts"],
        "movements": books["movements"],
        "house_pence": books["house_pence"],
        "ledger": books["ledger"],
        "unexplained_pence": books["unexplained_pence"],
        "reconciliation_differences": len(books["differences"]),
        "differences": books["differences"][:20],
    }
