"""The examples of DESIGN.md § 5, 5 × £100 a month: each step, and every balance after it.

A card payment of £100 costs the house £1.70 (1.5 % + 20p): `fees` and `house` grow by it with each one.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.services import payment_methods
from tests.builders import Circle, World
from tests.worked_examples.book import Book

FEE = 1_70


class Story:
    """A circle in its first cycle: `first` receives, `late` is somebody else."""

    def __init__(self, policy: str) -> None:
        self.world = World()
        self.people = self.world.people(5)
        self.circle: Circle = self.world.circle(self.people, default_policy=policy)
        self.book = Book(self.circle)
        self.first, self.second = self.circle.recipient(1), self.circle.recipient(2)
        self.late = self.circle.recipient(5)

    def decline(self, uid: str, times: int) -> None:
        """The person's bank says 'insufficient funds' to the next debits."""
        method = payment_methods.list_methods(self.world.ctx, uid)["items"][0]["id"]
        failures = ["insufficient_funds"] * times
        self.world.control("POST", f"payment_methods/{method}/outcomes", {"failures": failures})

    def dispute(self, cycle: int, uid: str) -> str:
        """The person's bank takes a settled contribution back; returns the dispute."""
        attempt = self.circle.contribution(cycle, uid).attempts[-1]
        made = self.world.control("POST", f"charges/{attempt.reference}/dispute", {})
        self.world.settle()
        return str(made["id"])

    def close_dispute(self, dispute: str, status: str) -> None:
        self.world.control("POST", f"disputes/{dispute}", {"status": status})
        self.world.settle()

    def pay(self, cycle: int, uid: str) -> None:
        """The person pays by themselves."""
        from shared.services import pay_contribution

        contribution = self.circle.contribution(cycle, uid)
        command = self.world.command(uid)
        pay_contribution.pay_now(self.world.ctx, command, self.circle.id, contribution.id)
        self.world.settle()

    def live_until(self, day: Any, days_more: int = 0) -> None:
        self.world.advance_to(day + timedelta(days=days_more))

    def balanced(self) -> None:
        found = self.world.reconcile()
        assert found["differences"] == []
        assert self.world.documents("quarantine") == []


def test_a_full_pot_leaves_nothing_behind_but_the_fees_that_the_house_bore() -> None:
    story = Story("wait")
    story.book.stands()

    story.live_until(story.circle.due(1))
    story.book.stands(cash=500_00, pot_1=500_00, fees=5 * FEE, house=5 * FEE)

    story.live_until(story.circle.pays_out(1))
    story.book.stands(fees=5 * FEE, house=5 * FEE)
    assert story.circle.payout(1).amount_pence == 50_000
    story.balanced()


def test_what_is_missing_is_owed_to_who_received_less_and_reaches_them_when_it_comes() -> None:
    story = Story("pay_cleared")
    story.decline(story.late, times=4)

    story.live_until(story.circle.due(1))
    story.book.stands(cash=400_00, pot_1=400_00, fees=4 * FEE, house=4 * FEE)

    story.live_until(story.circle.pays_out(1))
    owed = {f"debt_{story.late}": 100_00, f"owed_{story.first}": 100_00}
    story.book.stands(**owed, fees=4 * FEE, house=4 * FEE)
    assert story.circle.payout(1).amount_pence == 40_000

    story.live_until(story.circle.pays_out(1), days_more=5)
    story.pay(1, story.late)
    story.book.stands(cash=100_00, payable=100_00, fees=5 * FEE, house=5 * FEE)

    story.live_until(story.circle.pays_out(1), days_more=12)
    story.book.stands(fees=5 * FEE, house=5 * FEE)
    assert story.circle.contribution(1, story.late).state == "covered"
    story.balanced()


def test_money_disputed_before_the_reservation_is_due_again() -> None:
    story = Story("wait")
    story.live_until(story.circle.due(1))

    story.dispute(1, story.late)
    dispute_fee = story.circle.balances()["fees:processor"] - 5 * FEE
    assert dispute_fee > 0
    story.book.stands(cash=400_00, pot_1=400_00, fees=5 * FEE + dispute_fee, house=5 * FEE + dispute_fee)
    assert story.circle.contribution(1, story.late).state == "due"
    story.balanced()


@pytest.mark.parametrize("ending", ["lost", "won"])
def test_money_disputed_after_the_payout_is_the_houses_to_carry(ending: str) -> None:
    story = Story("wait")
    story.live_until(story.circle.pays_out(1))

    dispute = story.dispute(1, story.late)
    fees = story.circle.balances()["fees:processor"]
    story.book.stands(**{f"debt_{story.late}": 100_00}, fees=fees, house=fees + 100_00)
    assert story.circle.payout(1).state in {"sent", "received"}

    story.close_dispute(dispute, ending)
    fees = story.circle.balances()["fees:processor"]
    if ending == "lost":
        story.book.stands(**{f"debt_{story.late}": 100_00}, fees=fees, house=fees + 100_00)
    else:
        story.book.stands(fees=fees, house=fees)
    story.balanced()


def test_arrears_are_netted_at_ones_own_turn_and_reach_the_member_they_were_kept_from() -> None:
    story = Story("pay_cleared")
    story.decline(story.second, times=4)
    story.live_until(story.circle.pays_out(1))
    owed = {f"debt_{story.second}": 100_00, f"owed_{story.first}": 100_00}
    story.book.stands(**owed, fees=4 * FEE, house=4 * FEE)

    story.live_until(story.circle.pays_out(2), days_more=8)
    assert story.circle.payout(2).amount_pence == 40_000
    story.book.stands(fees=9 * FEE, house=9 * FEE)
    top_up = [one for one in story.world.documents("payouts") if one["kind"] == "top_up"]
    assert [(one["recipient"], one["amount_pence"], one["state"]) for one in top_up] == [
        (story.first, 10_000, "received")
    ]
    story.balanced()
