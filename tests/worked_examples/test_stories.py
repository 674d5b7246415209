"""The demo's stories, each a circle of 5 × £100 a month to its end: who has what, and what the books say.

`infra/local/demo/scenarios/` tells the same stories over HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from shared.adapters.bank_holidays import EnglandBankHolidays
from shared.domain.calendar import add_working_days
from shared.services import catch_up, pay_contribution, payment_methods
from tests.builders import Circle, World

LATE = timedelta(days=7)
LAST_DAYS = timedelta(days=30)


class Story:
    """A circle that lives to its end. `receiver` has the first turn, `other` the last."""

    def __init__(self, method: str = "pm_card_visa", **terms: Any) -> None:
        self.world = World()
        self.people = self.world.people(5, method)
        if method != "pm_card_visa":
            self.world.advance_to(date(2026, 11, 30))  # the banks have accepted the mandates
        self.circle: Circle = self.world.circle(self.people, **terms)
        self.receiver, self.other = self.circle.recipient(1), self.circle.recipient(5)

    def outcomes(self, uid: str, *failures: str) -> None:
        """How the bank answers to the person's next debits."""
        self.control(f"payment_methods/{self.default(uid)}/outcomes", {"failures": list(failures)})

    def control(self, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self.world.control("POST", path, body or {})
        self.world.settle()
        return answer

    def default(self, uid: str) -> str:
        methods = payment_methods.list_methods(self.world.ctx, uid)["items"]
        return str(next(one["id"] for one in methods if one["is_default"]))

    def new_method(self, uid: str, method: str) -> str:
        made = payment_methods.attach(self.world.ctx, self.world.command(uid), None, method)
        payment_methods.make_default(self.world.ctx, self.world.command(uid), made["id"])
        self.world.settle()
        return str(made["id"])

    def pay(self, cycle: int, uid: str) -> None:
        contribution = self.circle.contribution(cycle, uid).id
        pay_contribution.pay_now(self.world.ctx, self.world.command(uid), self.circle.id, contribution)
        self.world.settle()

    def account(self, uid: str) -> str:
        """The person's account at the processor."""
        (user,) = self.world.store.load(f"users/{uid}")
        assert user.data is not None
        return str(user.data["payout_account"]["reference"])

    def to_the_end(self) -> None:
        self.world.advance_to(self.circle.pays_out(5) + LAST_DAYS)

    # --- how it ended ---------------------------------------------------------------------------------------

    def received(self) -> dict[str, int]:
        """What has arrived at each person's bank, in pence."""
        found = dict.fromkeys(self.people, 0)
        for payout in self.world.documents("payouts"):
            if payout["state"] == "received":
                found[payout["recipient"]] += payout["amount_pence"]
        return found

    def open_debts(self) -> list[tuple[str, str, int]]:
        return [
            (uid, debt.creditor, debt.left_pence)
            for uid in self.people
            for debt in self.circle.member(uid).open_debts()
        ]

    def ends_well(self, *debts: tuple[str, str, int]) -> None:
        """£500 each, these debts and no others, and not a penny unexplained."""
        assert self.received() == dict.fromkeys(self.people, 500_00)
        assert self.open_debts() == list(debts)
        found = self.world.reconcile()
        assert (found["differences"], found["ledger"]) == ([], "balanced")
        assert self.world.documents("quarantine") == []
        assert self.circle.group.state == ("active" if debts else "completed")


def late_payer() -> Story:
    """One pays a week after the payout; the person short-changed is topped up."""
    story = Story(default_policy="pay_cleared")
    story.outcomes(story.other, *["insufficient_funds"] * 4)
    story.world.advance_to(story.circle.pays_out(1) + LATE)
    assert story.received()[story.receiver] == 400_00
    story.pay(1, story.other)
    return story


def failed_debit() -> Story:
    """A soft decline; the ladder brings the money before the payout date."""
    story = Story()
    story.outcomes(story.other, "insufficient_funds")
    story.world.advance_to(story.circle.due(1))
    assert story.circle.contribution(1, story.other).attempts[0].state == "failed"
    story.world.advance_to(story.circle.pays_out(1))
    assert len(story.circle.contribution(1, story.other).attempts) == 2
    return story


def needs_authentication() -> Story:
    """The bank wants the person: they authenticate by the link."""
    story = Story()
    # Off session it is declined; asked again as if present, the bank gives the link.
    story.outcomes(story.other, "authentication_required", "authentication_required")
    story.world.advance_to(story.circle.due(1))
    attempt = story.circle.contribution(1, story.other).attempts[0]
    assert (attempt.state, attempt.action_url is not None) == ("requires_action", True)
    story.control(f"intents/{attempt.reference}/authenticate")
    assert story.circle.contribution(1, story.other).state == "covered"
    return story


def new_mandate_bacs() -> Story:
    """All by Bacs on new mandates; one instruction is cancelled, and a new one given in time."""
    story = Story("pm_bacsDebit_success", first_due_date=date(2026, 12, 14))
    story.world.advance_to(story.circle.due(1))
    submitted = story.circle.contribution(1, story.other).attempts[0].started_at.date()
    assert submitted == add_working_days(story.circle.due(1), -7, EnglandBankHolidays())
    story.control(f"mandates/{story.default(story.other)}/revoke")
    story.world.advance_to(story.circle.pays_out(1) + timedelta(days=1))
    story.new_method(story.other, "pm_bacsDebit_success")
    return story


def instruction_cancelled_in_flight() -> Story:
    """The bank answers a Bacs debit with 'instruction cancelled': never again, until there is a new one."""
    story = Story("pm_bacsDebit_success")
    story.outcomes(story.other, "debit_not_authorized")
    story.world.advance_to(story.circle.due(1) + timedelta(days=1))
    assert [one.failure for one in story.circle.contribution(1, story.other).attempts] == [
        "mandate_cancelled"
    ]
    story.new_method(story.other, "pm_bacsDebit_success")
    return story


def webhooks_down_three_days() -> Story:
    """No webhook for more than three days; what was missed is caught up by listing."""
    story = Story("pm_bacsDebit_success")
    begins = story.circle.due(1) - timedelta(days=1)
    story.world.advance_to(begins)
    story.control("webhooks/outage", {"on": True})
    story.world.advance_to(begins + timedelta(days=5))
    story.control("webhooks/outage", {"on": False})
    assert story.circle.contribution(1, story.other).attempts[0].state == "processing"
    catch_up.catch_up(story.world.ctx, story.world.command("system:tick"))
    story.world.settle()
    assert story.circle.contribution(1, story.other).state == "covered"
    return story


def restricted_recipient() -> Story:
    """The processor restricts the recipient: the pot is parked, they are told, it is cured and paid."""
    story = Story()
    story.world.advance_to(story.circle.due(1))
    story.control(f"accounts/{story.account(story.receiver)}/disable")
    story.world.advance_to(story.circle.pays_out(1) + timedelta(days=2))
    assert story.circle.payout(1).state == "parked"
    story.control(f"accounts/{story.account(story.receiver)}/cure")
    return story


def bank_payout_fails() -> Story:
    """The bank sends the pot back; new details, cooling off, received."""
    story = Story()
    story.control(f"accounts/{story.account(story.receiver)}/bank", {"account_number": "11111113"})
    story.world.advance_to(story.circle.pays_out(1) + timedelta(days=6))
    assert story.circle.payout(1).state == "bank_failed"
    story.control(f"accounts/{story.account(story.receiver)}/bank", {"account_number": "00012345"})
    return story


def dispute_after_payout() -> Story:
    """A contribution is disputed after its pot was paid, and lost: the house stands in, the payer owes it.

    The payer had their turn before: nothing is left to net it from.
    """
    story = Story()
    story.world.advance_to(story.circle.pays_out(2) + timedelta(days=2))
    attempt = story.circle.contribution(2, story.receiver).attempts[-1]
    dispute = story.control(f"charges/{attempt.reference}/dispute")
    story.control(f"disputes/{dispute['id']}", {"status": "lost"})
    return story


STORIES: list[Callable[[], Story]] = [
    late_payer,
    failed_debit,
    needs_authentication,
    new_mandate_bacs,
    instruction_cancelled_in_flight,
    webhooks_down_three_days,
    restricted_recipient,
    bank_payout_fails,
]


@pytest.mark.parametrize("tell", STORIES)
def test_everybody_has_their_pot_in_the_end(tell: Callable[[], Story]) -> None:
    story = tell()
    story.to_the_end()
    story.ends_well()


def test_what_was_disputed_after_the_payout_is_owed_to_the_house() -> None:
    story = dispute_after_payout()
    story.to_the_end()
    story.ends_well((story.receiver, "house", 100_00))
