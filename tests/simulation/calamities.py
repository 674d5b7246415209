"""What befalls a platform from outside: disputes, disabled accounts, outages, strangers, broken messages.

Each is a fault of FAULTS.md. It watches every commit for its opportunity, and strikes then or later.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from infra.local.stripe.webhooks import signature
from shared.domain.errors import BadSignature
from shared.services import reverse_payout
from tests.builders import FORMER_SECRETS, SECRETS
from tests.simulation.ports import MOVES_MONEY, Change

if TYPE_CHECKING:
    from tests.simulation.lifecycle import Lifecycle

SPECIAL_DATES = (
    date(2026, 3, 14),  # over the night to summer time
    date(2026, 10, 10),  # over the night to winter time
    date(2027, 12, 6),  # Christmas, with its substitute days
    date(2027, 3, 8),  # Easter
    date(2028, 2, 12),  # a leap day
    date(2026, 12, 31),  # the 31st, in shorter months
    date(2027, 1, 29),  # the 29th, in a February that has none
)
CLOCK_SKEW_SECONDS = 90
"""Instances keep time by NTP; a minute and a half is a machine in trouble."""

RESTED = frozenset({"received", "void", "scheduled"})
PLATFORM_DOWN = timedelta(hours=25)
WEBHOOKS_OUT_DAYS = (3.2, 6.0)
COPIES = 10


class Poison(Exception):
    """A message that our code cannot take, until it is mended."""


class Calamities:
    """Watches for opportunities, and strikes."""

    def __init__(self, life: Lifecycle) -> None:
        self._life = life
        self._faults = life.faults
        self._chance = random.Random(f"calamities:{life.seed}")
        self._banks = random.Random(f"banks:{life.seed}")
        self._poisoned: set[str] = set()
        self._mended = False
        self._cycles: set[tuple[str, int]] = set()
        self.down_until: datetime | None = None

    # --- opportunities that a commit brings -----------------------------------------------------------------

    def saw(self, change: Change) -> None:
        """A commit changed this."""
        parts = change.path.split("/")
        if len(parts) != 4 or change.after is None:
            return
        if parts[2] == "journal" and change.before is None:
            if change.after["type"] == "payout_reversal_refused":
                self._faults.count("reversal-refused")
            return
        if parts[2] == "contributions" and change.before is not None:
            self._contribution(change.before, change.after)
        elif parts[2] == "payouts" and change.before is not None:
            self._payout(change.before, change.after)

    def _contribution(self, before: Any, after: Any) -> None:
        known = {one["id"]: one["state"] for one in before["attempts"]}
        gone = {one["id"]: len(one["taken_back"]) for one in before["attempts"]}
        for attempt in after["attempts"]:
            is_refund = attempt["state"] in {"refunded", "settled"}
            if is_refund and len(attempt["taken_back"]) > gone.get(attempt["id"], 0):
                self._refunded(attempt["reference"])
            has_settled = attempt["state"] == "settled" and known.get(attempt["id"]) != "settled"
            if has_settled and self._faults.is_due("dispute"):
                self._dispute_later(attempt)
        notice = after["notice"] if after["notice"] != before["notice"] else None
        by_mandate = notice is not None and notice["method_kind"] == "bacs_debit"
        if by_mandate and self._faults.is_due("mandate-revoked"):
            self._later(7, "mandate revoked", lambda: self._revoke(after["uid"]))
        if after["notice"] is not None and before["notice"] is None:
            self._cycle_begins(after)

    def _payout(self, before: Any, after: Any) -> None:
        if before["state"] == after["state"]:
            return
        if after["state"] in {"reserved", "sent", "submitting"} and self._faults.is_due("account-disabled"):
            self._soon("account disabled", lambda: self._disable(after["recipient"]))
        if after["state"] == "received" and self._faults.is_due("reversal-refused"):
            self._later(20, "staff want it back", lambda: self._reverse(after))
        if after["state"] == "bank_failed":
            self._bank_refused(after["recipient"])
        if after["state"] == "failed" and after["parked_because"] == "balance_too_low":
            self._faults.count("low-balance")
            self._later(3, "capital comes", lambda: self._life.top_up(1_000_000))

    def _cycle_begins(self, contribution: Any) -> None:
        key = (contribution["group"], contribution["cycle"])
        if key in self._cycles:
            return
        self._cycles.add(key)
        if self._faults.is_due("webhook-outage"):
            self._later(20, "webhooks out", self._webhooks_out)
        if self._faults.is_due("mismatch"):
            self._later(20, "a stranger pays", lambda: self._life.strangers.come(contribution))
        if self._faults.is_due("bank-change"):
            self._later(30, "bank changed", lambda: self._change_bank(contribution["recipient"]))

    # --- money taken back -----------------------------------------------------------------------------------

    def _dispute_later(self, attempt: Any) -> None:
        """Before the payout, while it is reserved or under way, or long after it."""
        days = self._chance.choice([2, 5, 10, 60, 120])
        self._later(days, "disputes", lambda: self._dispute(attempt["reference"]))

    def _dispute(self, intent: str, pence: int | None = None) -> None:
        what = {"reason": "fraudulent"} | ({"amount": pence} if pence else {})
        try:
            opened = self._life.control("POST", f"charges/{intent}/dispute", what)
        except AssertionError:
            return  # disputed already, or refunded in full
        self._faults.count("dispute")
        if opened["status"] != "lost":
            ends = self._chance.choice(["won", "lost"])
            self._later(40, f"dispute {ends}", lambda: self._close(opened["id"], ends))
            if ends == "lost" and self._banks.random() < 0.4:
                self._later(70, "dispute won yet", lambda: self._close(opened["id"], "won"))

    def _refunded(self, intent: str) -> None:
        """Its bank may send a refund back; who has it may claim the money there as well; or both."""
        if "dispute" not in self._faults.active:
            return
        if self._banks.random() < 0.4:
            self._later(self._banks.choice([1, 4, 30]), "refund fails", lambda: self._fail_refund(intent))
        if self._banks.random() < 0.4:
            self._later(self._banks.choice([2, 5, 40]), "claims it too", lambda: self._dispute(intent, 10_00))

    def _fail_refund(self, intent: str) -> None:
        listed = self._life.world.stripe.request("GET", "/v1/refunds", {"payment_intent": intent})[1]
        for one in [each for each in listed["data"] if each["status"] != "failed"][:1]:
            self._life.control("POST", f"refunds/{one['id']}/fail")
            self._faults.count("dispute")

    def _close(self, dispute: str, ends: str) -> None:
        self._life.control("POST", f"disputes/{dispute}", {"status": ends})

    # --- accounts, banks, mandates --------------------------------------------------------------------------

    def _disable(self, uid: str) -> None:
        account = self._account(uid)
        self._faults.count("account-disabled")
        self._life.control("POST", f"accounts/{account}/disable", {"transfers": self._chance.random() < 0.7})
        self._later(9, "account cured", lambda: self._life.control("POST", f"accounts/{account}/cure"))

    def _change_bank(self, uid: str) -> None:
        self._faults.count("bank-change")
        number = self._chance.choice(["00067890", "11111113"])
        self._life.control("POST", f"accounts/{self._account(uid)}/bank", {"account_number": number})

    def _bank_refused(self, uid: str) -> None:
        """The member learns of it, and gives details that work."""

        def new_details() -> None:
            self._life.control("POST", f"accounts/{self._account(uid)}/bank", {"account_number": "00012345"})

        self._later(6, "new bank details", new_details)

    def _revoke(self, uid: str) -> None:
        methods = self._life.auditor.document(f"payment_methods/{uid}") or {}
        for method in methods.get("methods", ()):
            if method["kind"] == "bacs_debit" and method["state"] == "active":
                self._faults.count("mandate-revoked")
                self._life.control("POST", f"mandates/{method['reference']}/revoke")
        self._later(8, "has a new method", lambda: self._life.people.new_method(uid))

    def _reverse(self, payout: Any) -> None:
        """The recipient has the money: the processor refuses, and what is owed stays owed."""
        others = [
            one for _, one in self._life.documents("payouts") if one["recipient"] == payout["recipient"]
        ]
        if any(one["state"] not in RESTED for one in others):
            return  # what is on its way to the same account would be taken instead
        command = self._life.world.command("staff:finance")
        self._life.cloud.soon(
            "staff: reverse",
            lambda: reverse_payout.reverse(
                self._life.world.ctx, command, payout["group"], payout["id"], payout["amount_pence"], "test"
            ),
        )

    def _account(self, uid: str) -> str:
        user = self._life.auditor.document(f"users/{uid}") or {}
        return str(user["payout_account"]["reference"])

    # --- webhooks and messages ------------------------------------------------------------------------------

    def _webhooks_out(self) -> None:
        self._faults.count("webhook-outage")
        self._life.control("POST", "webhooks/outage", {"on": True})
        days = self._chance.uniform(*WEBHOOKS_OUT_DAYS)
        self._life.cloud.later("webhooks back", timedelta(days=days), self._webhooks_back, may_crash=False)

    def _webhooks_back(self) -> None:
        self._life.control("POST", "webhooks/outage", {"on": False})
        self._life.catch_up()

    def deliveries(self, due: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The order in which the processor's webhooks arrive, after it has sent some of them again."""
        stripe = self._life.world.stripe.world
        for delivery in due:
            if self._faults.strikes("duplicate-event"):
                self._life.control("POST", f"events/{delivery['event']}/resend", {"copies": COPIES - 1})
            if self._faults.strikes("twin-events"):
                self._life.control("POST", f"events/{delivery['event']}/resend", {"twin": True})
        if len(due) > 1 and self._faults.strikes("reordered-events"):
            due = due[::-1] if self._chance.random() < 0.5 else self._chance.sample(due, len(due))
            for delivery in due[self._chance.randrange(len(due)) :]:
                delivery["due"] = stripe.now + self._chance.choice([60, 3_600, 40_000, 200_000])
            due = [delivery for delivery in due if delivery["due"] <= stripe.now]
        return due

    def poison(self, name: str) -> None:
        """Our code fails on this message, each time, until it is mended."""
        if self._mended:
            return
        if name in self._poisoned or self._faults.strikes("poison"):
            self._poisoned.add(name)
            raise Poison(name)

    def mend(self) -> None:
        """A new version is deployed: dead letters can be sent again."""
        self._mended = True

    def ticks(self) -> list[timedelta]:
        """When the ticks that are due now come: at once; or none, twice, thrice at once, or late."""
        once = timedelta()
        if not self._faults.strikes("ticks"):
            return [once]
        self._life.scheduler.concurrency_max = max(self._life.scheduler.concurrency_max, 3)
        late = timedelta(minutes=self._chance.randrange(5, 1_500))
        return self._chance.choice([[], [once, once], [once, once, once], [late], [once, late]])

    def copies_of(self, task: dict[str, Any]) -> int:
        """How often a task arrives. Where three come at once, its member pays by hand at the same moment."""
        document = self._life.auditor.document(f"groups/{task['group']}/contributions/{task['id']}")
        if document is None or document["notice"] is None or not self._faults.strikes("three-at-once"):
            return 1
        self._life.scheduler.concurrency_max = max(self._life.scheduler.concurrency_max, 4)
        self._life.people.pays(document)
        return 2

    def signed(self, delivery: Any) -> tuple[bytes, str] | None:
        """A webhook's body with its signature; None where nobody tampers, for checking takes its time.

        Before it, somebody tries with wrong ones, which nobody must believe.
        """
        if not self._faults.strikes("bad-request"):
            return None
        body, endpoint = self._life.world.stripe.payload(delivery), delivery["endpoint"]
        name = "stripe-webhook-secret" if endpoint == "platform" else "stripe-connect-webhook-secret"
        secret, now = SECRETS[name].decode(), int(datetime.now(UTC).timestamp())
        gateway = self._life.world.ctx.gateway
        for forged in (
            signature(body, "whsec_guessed", now),
            signature(body, secret, now - 301),
            signature(body + b" ", secret, now),
            "t=1,v1=",
            "",
        ):
            try:
                gateway.verify_webhook(body, forged, endpoint)
            except BadSignature:
                continue
            self._life.auditor.unhandled("webhook", AssertionError(f"{forged} was believed"))
        former = FORMER_SECRETS.get(name, [SECRETS[name]])[-1]
        return body, signature(body, former.decode(), now)  # while a secret rotates, both are good

    # --- the processor's answers ----------------------------------------------------------------------------

    def answered(self, path: str) -> None:
        """The processor has done something that moves money; its caller does not know yet."""
        if f"/v1/{path}" not in MOVES_MONEY:
            return
        handler = self._life.scheduler.current
        if handler is None:
            return
        if self._faults.strikes("webhook-first"):
            self._life.scheduler.wait(handler, until=lambda: self._life.cloud_is_quiet)
        elif self._faults.strikes("stale-retry"):
            self.down_until = self._life.clock.moment + PLATFORM_DOWN
            self._life.cloud.is_down = True
            self._life.scheduler.kill_all()

    # --- in common ------------------------------------------------------------------------------------------

    def _soon(self, what: str, strike: Callable[[], Any]) -> None:
        self._life.cloud.soon(f"outside: {what}", strike, may_crash=False)

    def _later(self, days_max: float, what: str, strike: Callable[[], Any]) -> None:
        after = timedelta(minutes=self._chance.randrange(1, int(days_max * 1_440)))
        self._life.cloud.later(f"outside: {what}", after, strike, may_crash=False)
