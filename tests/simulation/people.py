"""Members as they are: late, out of money, at their bank's authentication, with a new card, or with none.

They act as people do, from outside: on the processor's pages, at their bank, and through the platform's own
use cases. What they do follows from the seed.
"""

from __future__ import annotations

import random
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from shared.domain.permissions import Role
from shared.services import fraud_holds, pay_contribution, payment_methods
from shared.services.context import Reader
from tests.simulation.ports import Change

if TYPE_CHECKING:
    from tests.simulation.lifecycle import Lifecycle

PUNCTUAL = 0.7
"""The share of contributions that are simply paid."""

CARD_TROUBLES = (
    ["insufficient_funds"],
    ["insufficient_funds"],
    ["insufficient_funds", "generic_decline"],
    ["insufficient_funds", "do_not_honor", "insufficient_funds", "insufficient_funds", "insufficient_funds"],
    ["stolen_card"],
    ["expired_card"],
    ["authentication_required", "authentication_required"],  # off-session, then with the person asked
    ["authentication_required", "authentication_required", "insufficient_funds"],
    ["processing_error"],
)
"""How the tries at a card end, in turn; the one after the last succeeds."""

BACS_TROUBLES = (
    ["insufficient_funds"],
    ["insufficient_funds"],
    ["insufficient_funds", "insufficient_funds", "insufficient_funds"],
    ["debit_not_authorized"],
    ["account_closed"],
    ["charge_exceeds_source_limit"],
)

RETRIED_BY_THE_LADDER = {"soft_decline", "processor_error"}
NEW_METHOD_WANTED = {"hard_decline", "mandate_cancelled", "method_invalid"}

LIFTED = "The person told us what happened, and their bank confirms it."

CARD, MANDATE = "pm_card_visa", "pm_bacsDebit_success"


class People:
    """Watches every commit, as a member watches their phone, and does something about it after a while."""

    def __init__(self, life: Lifecycle) -> None:
        self._life = life
        self._chance = random.Random(f"people:{life.seed}")
        self._keys = 0
        self.punctual = PUNCTUAL

    def saw(self, change: Change) -> None:
        """A commit changed this."""
        parts = change.path.split("/")
        if len(parts) == 4 and parts[2] == "contributions" and change.before and change.after:
            self._contribution(change.before, change.after)

    def _contribution(self, before: Any, after: Any) -> None:
        known = {one["id"]: (one["state"], one["action_url"]) for one in before["attempts"]}
        for attempt in after["attempts"]:
            was = known.get(attempt["id"])
            if was is None:
                self._tried(after, attempt)
            elif was != (attempt["state"], attempt["action_url"]):
                self._moved(after, attempt)
        if after["state"] != before["state"] and (before["state"], after["state"]) != ("due", "covered"):
            self._owed_again(after)

    # --- what happens to a try ------------------------------------------------------------------------------

    def _tried(self, contribution: Any, attempt: Any) -> None:
        """Before the processor is asked, the seed knows how it will answer to this and the next tries."""
        if attempt["number"] > 1 or self._chance.random() < self.punctual:
            return
        card = attempt["method_kind"] == "card"
        failures = self._chance.choice(CARD_TROUBLES if card else BACS_TROUBLES)
        self._life.control("POST", f"payment_methods/{attempt['method']}/outcomes", {"failures": failures})

    def _moved(self, contribution: Any, attempt: Any) -> None:
        if attempt["state"] == "requires_action":
            self._later(6, "authenticates", lambda: self._authenticate(attempt["reference"]))
        elif attempt["state"] in {"failed", "cancelled"}:
            self._failed(contribution, attempt)

    def _authenticate(self, intent: str) -> None:
        """Most people manage; a link may be too old by then."""
        found = self._life.world.stripe.world.objects[intent]
        if found["status"] == "requires_action":
            succeeds = self._chance.random() < 0.8
            self._life.control("POST", f"intents/{intent}/authenticate", {"succeeds": succeeds})

    def _failed(self, contribution: Any, attempt: Any) -> None:
        """What the ladder does not mend, the member does: with another card, or by paying by themselves."""
        if attempt["failure"] in RETRIED_BY_THE_LADDER and contribution["act_at"] is not None:
            return
        renew = attempt["failure"] in NEW_METHOD_WANTED or self._chance.random() < 0.3
        self._later(20, "pays after all", lambda: self.pays(contribution, renew=renew))

    def _owed_again(self, contribution: Any) -> None:
        """Short, or due once more: paid by hand, sooner or later."""
        if contribution["state"] in {"short", "due"}:
            self._later(30, "pays late", lambda: self.pays(contribution, renew=False))

    # --- what they do ---------------------------------------------------------------------------------------

    def pays(self, contribution: Any, *, renew: bool = False) -> None:
        """By hand, and perhaps with a new method."""
        uid, gid = contribution["uid"], contribution["group"]
        if renew:
            self.new_method(uid)
        command = self._command(uid)
        self._life.cloud.soon(
            f"client: {uid} pays",
            lambda: pay_contribution.pay_now(self._life.world.ctx, command, gid, contribution["id"]),
            tries_max=8,
        )

    def new_method(self, uid: str) -> None:
        """Another card or mandate, taken by default from now on."""
        ctx, command = self._life.world.ctx, self._command(uid)
        method = CARD if self._chance.random() < 0.7 else MANDATE

        def renew() -> None:
            made = payment_methods.attach(ctx, command, None, method)
            payment_methods.make_default(ctx, self._command(uid), made["id"])

        self._life.cloud.soon(f"client: {uid} has a new method", renew, tries_max=8)

    def make_good(self) -> None:
        """The circle is over: whoever still owes pays now, with a card that works."""
        for _, document in self._life.documents("contributions"):
            if document["state"] in {"due", "short"} and not self._is_live(document):
                self.pays(document, renew=self._chance.random() < 0.5)
        self.staff_let_go()

    def staff_let_go(self) -> None:
        """Nobody here is a fraud: staff look at what the checks hold, and lift it."""
        for path, document in self._life.auditor.all_documents().items():
            if path.startswith("fraud/") and document["waits"]:
                self._later(1, "of staff lifts what was found", partial(self._lift, document["uid"]))

    def _lift(self, uid: str) -> None:
        staff = Reader("fin", f"staff:{uid}", frozenset({Role.FINANCE}), "What the fraud checks hold")
        seen = fraud_holds.of_person(self._life.world.ctx, staff, uid)
        for one in seen["findings"]:
            if one["state"] == "open":
                fraud_holds.decide(
                    self._life.world.ctx, self._command("fin"), staff, uid, one["number"], "lifted", LIFTED
                )

    def _is_live(self, contribution: Any) -> bool:
        live = {"submitting", "processing", "requires_action"}
        return any(attempt["state"] in live for attempt in contribution["attempts"])

    def _later(self, days_max: int, what: str, act: Any) -> None:
        after = timedelta(minutes=self._chance.randrange(10, days_max * 1_440))
        self._life.cloud.later(f"somebody {what}", after, act, may_crash=False)

    def _command(self, uid: str) -> Any:
        self._keys += 1
        return self._life.world.command(uid, key=f"client:{self._life.seed}:{self._keys}")
