"""Money that goes back: refunds by staff, reversals, indemnity claims; nobody has it twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.errors import NothingToGiveBack, ProcessorRefused
from shared.domain.refunds import came_back
from shared.domain.settlement import Money
from shared.services import refund_contribution, reverse_payout
from tests.builders import Circle, World


class Told:
    def __init__(self, method: str = "pm_card_visa", **terms: Any) -> None:
        self.world = World()
        people = self.world.people(5, method)
        if method != "pm_card_visa":
            self.world.advance_to(self.world.clock.moment.date() + timedelta(days=7))
        self.circle: Circle = self.world.circle(people, **terms)
        self.payer, self.first = self.circle.recipient(5), self.circle.recipient(1)

    def refund(self, cycle: int = 1) -> None:
        contribution = self.circle.contribution(cycle, self.payer).id
        command = self.world.command("staff:ines")
        refund_contribution.refund(self.world.ctx, command, self.circle.id, contribution, "duplicate")
        self.world.settle()

    def balanced(self) -> None:
        assert self.world.reconcile()["differences"] == []


def test_a_contribution_is_refunded_once_and_is_due_again() -> None:
    told = Told()
    told.world.advance_to(told.circle.due(1))
    told.refund()
    assert told.circle.balances()["pot:1"] == 400_00
    assert told.circle.contribution(1, told.payer).state == "due"
    with pytest.raises(NothingToGiveBack):
        told.refund()
    assert len(told.circle.facts("contribution_refunded")) == 1
    told.balanced()


def test_a_refund_whose_answer_was_lost_is_found_and_not_made_again() -> None:
    told = Told()
    told.world.advance_to(told.circle.due(1))
    fault = {"kind": "cut_after", "method": "POST", "path": "/v1/refunds", "times": 1}
    told.world.control("POST", "webhooks/hold")
    told.world.control("POST", "faults", fault)
    with pytest.raises(Exception, match="did not answer"):
        told.refund()
    told.world.advance_to(told.circle.pays_out(1))
    assert told.circle.payout(1).state == "scheduled"  # the pot waits for what is about to leave it
    told.refund()
    told.world.control("POST", "webhooks/release")
    told.world.settle()
    assert len(told.circle.facts("contribution_refunded")) == 1
    told.balanced()


def test_what_a_pot_was_paid_with_is_not_refunded() -> None:
    told = Told()
    told.world.advance_to(told.circle.pays_out(1))
    with pytest.raises(NothingToGiveBack):
        told.refund()


def test_a_refund_that_the_processor_refuses_leaves_the_money_in_the_pot() -> None:
    told = Told()
    told.world.advance_to(told.circle.due(1))
    intent = told.circle.contribution(1, told.payer).attempts[-1].reference
    charge = told.world.control("GET", f"objects/{intent}")["latest_charge"]
    told.world.control("POST", f"objects/{charge}", {"amount_refunded": 100_00})
    with pytest.raises(ProcessorRefused):
        told.refund()
    told.world.control("POST", f"objects/{charge}", {"amount_refunded": 0})
    assert not told.circle.contribution(1, told.payer).attempts[-1].refunding
    told.world.advance_to(told.circle.pays_out(1))
    assert told.circle.payout(1).amount_pence == 500_00
    told.balanced()


def test_a_refund_that_fails_brings_the_fee_on_top_again() -> None:
    """Their credit pays the contribution that the fee is for."""
    told = Told(added_fee_pence=1_00)
    told.world.advance_to(told.circle.due(1))
    told.refund()
    contribution = told.circle.contribution(1, told.payer)
    assert (contribution.fee_left_pence, told.circle.balances()["fees:platform"]) == (1_00, 4_00)
    (attempt,) = contribution.attempts
    money = Money(
        processor="stripe",
        collection=attempt.reference or "",
        movement="txn_came_back",
        pence=101_00,
        fee_pence=0,
        clears_at=told.world.clock.moment,
        source="re_1",
    )
    (fact,) = came_back(contribution, attempt.id, money).facts
    assert {(one.account.partition(":")[0], one.side, one.pence) for one in fact.entries} == {
        ("cash", "debit", 100_00),
        ("credit", "credit", 100_00),
        ("house", "debit", 1_00),
        ("fees", "credit", 1_00),
    }


def test_a_refund_that_fails_is_the_payers_credit() -> None:
    told = Told()
    told.world.advance_to(told.circle.due(1))
    contribution = told.circle.contribution(1, told.payer)
    attempt = contribution.attempts[-1]
    money = Money(
        processor="stripe",
        collection=attempt.reference or "",
        movement="txn_came_back",
        pence=100_00,
        fee_pence=0,
        clears_at=told.world.clock.now(),
        source="re_1",
    )
    decision = came_back(contribution, attempt.id, money)
    (fact,) = decision.facts
    assert [(one.account, one.side, one.pence) for one in fact.entries] == [
        ("cash:stripe", "debit", 100_00),
        (f"credit:{told.payer}", "credit", 100_00),
    ]
    (after,) = decision.changed
    assert came_back(after, attempt.id, money).is_empty  # type: ignore[arg-type]


def test_a_payout_is_brought_back_once_whoever_tells() -> None:
    told = Told()
    told.world.advance_to(told.circle.pays_out(1))
    payout = told.circle.payout(1)
    command = told.world.command("staff:ines")
    # The money is on its way to the bank: the account is empty, and the reversal refused.
    with pytest.raises(ProcessorRefused):
        reverse_payout.reverse(told.world.ctx, command, told.circle.id, payout.id, 500_00, "mistake")
    assert [fact.payload["pence"] for fact in told.circle.facts("payout_reversal_refused")] == [500_00]
    told.balanced()

    bank = told.circle.payout(1).bank_payout
    told.world.control("POST", f"payouts/{bank}/fail", {"code": "account_closed"})
    told.world.settle()
    command = told.world.command("staff:ines")
    for _ in range(2):
        reverse_payout.reverse(told.world.ctx, command, told.circle.id, payout.id, 200_00, "mistake")
    told.world.settle()
    after = told.circle.payout(1)
    assert (after.state, after.reversed_pence) == ("partly_reversed", 200_00)
    assert told.circle.balances()[f"payable:{payout.id}"] == 200_00
    told.balanced()
    with pytest.raises(NothingToGiveBack):
        reverse_payout.reverse(told.world.ctx, command, told.circle.id, payout.id, 300_01, "mistake")


def test_an_indemnity_claim_months_later_is_owed_to_the_house_and_paid_once() -> None:
    told = Told("pm_bacsDebit_success")
    told.world.advance_to(told.circle.pays_out(4))
    payer = told.first  # who has had their turn
    attempt = told.circle.contribution(2, payer).attempts[-1]
    told.world.control("POST", f"charges/{attempt.reference}/dispute", {})  # by Bacs it is lost at once
    told.world.settle()
    (debt,) = told.circle.member(payer).open_debts()
    assert (debt.creditor, debt.left_pence) == ("house", 100_00)
    with pytest.raises(NothingToGiveBack):
        refund_contribution.refund(
            told.world.ctx,
            told.world.command("staff:ines"),
            told.circle.id,
            told.circle.contribution(2, payer).id,
            "claimed already",
        )
    told.balanced()
