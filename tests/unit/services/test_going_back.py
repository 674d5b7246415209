"""Money that goes back: refunds by staff, reversals, indemnity claims; nobody has it twice."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain import refunds
from shared.domain.errors import (
    NothingToGiveBack,
    OwnRequest,
    ProcessorRefused,
    ProcessorUnavailable,
    TwoPeopleNeeded,
)
from shared.domain.permissions import Role
from shared.domain.words import ApprovalKind
from shared.ports import Refund
from shared.services import approvals, pay_contribution, receipts, refund_contribution, reverse_payout
from tests.builders import Circle, World


class Told:
    def __init__(self, method: str = "pm_card_visa", **terms: Any) -> None:
        self.world = World()
        people = self.world.people(5, method)
        if method != "pm_card_visa":
            self.world.advance_to(self.world.clock.moment.date() + timedelta(days=7))
        self.circle: Circle = self.world.circle(people, **terms)
        self.payer, self.first = self.circle.recipient(5), self.circle.recipient(1)

    def refund(self, cycle: int = 1, approval: str | None = None) -> None:
        contribution = self.circle.contribution(cycle, self.payer).id
        command = self.world.command("staff:ines")
        refund_contribution.refund(
            self.world.ctx, command, self.circle.id, contribution, "duplicate", approval
        )
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


@contextlib.contextmanager
def unrefundable(told: Told) -> Iterator[None]:
    intent = told.circle.contribution(1, told.payer).attempts[-1].reference
    charge = told.world.control("GET", f"objects/{intent}")["latest_charge"]
    told.world.control("POST", f"objects/{charge}", {"amount_refunded": 100_00})
    yield
    told.world.control("POST", f"objects/{charge}", {"amount_refunded": 0})


@pytest.fixture
def refused() -> Told:
    """A refund that the processor would not make, and would now."""
    told = Told()
    told.world.advance_to(told.circle.due(1))
    with unrefundable(told), pytest.raises(ProcessorRefused):
        told.refund()
    return told


def test_a_refund_that_the_processor_refuses_leaves_the_money_in_the_pot(refused: Told) -> None:
    assert not refused.circle.contribution(1, refused.payer).attempts[-1].refunding
    refused.world.advance_to(refused.circle.pays_out(1))
    assert refused.circle.payout(1).amount_pence == 500_00
    refused.balanced()


def test_what_was_refused_may_be_asked_for_again(refused: Told) -> None:
    """The fact of the first asking stood in the way: "try again later", for ever. And then its key did: for a
    day the processor repeated its refusal."""
    refused.refund()
    assert refused.circle.contribution(1, refused.payer).in_pot_pence == 0
    refused.balanced()


def test_who_dies_between_a_refusal_and_its_record_asks_by_the_same_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was not recorded as refused is one asking still: the processor repeats what it said."""
    told = Told()
    told.world.advance_to(told.circle.due(1))
    with monkeypatch.context() as dying, unrefundable(told):
        dying.setattr(refunds, "give_up", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            told.refund()
    with pytest.raises(ProcessorRefused):
        told.refund()
    told.refund()
    assert len(told.circle.facts("refund_asked")) == 2
    assert [fact.payload["pence"] for fact in told.circle.facts("contribution_refunded")] == [100_00]
    told.balanced()


def without_funds(told: Told) -> None:
    """Our balance is too low to refund anything."""
    held = told.world.ctx.gateway.balance()
    told.world.control("POST", "connect_fees", {"amount": held.available_pence + held.pending_pence})


def test_a_refund_for_which_the_balance_is_too_low_is_made_once_it_is_there() -> None:
    told = Told()
    told.world.advance_to(told.circle.due(1))
    without_funds(told)
    told.refund()
    told.refund()
    assert told.circle.contribution(1, told.payer).in_pot_pence == 100_00
    told.world.advance_to(told.circle.pays_out(1))
    assert told.circle.payout(1).state == "scheduled"  # the pot waits for what is about to leave it
    told.world.stripe_request("POST", "/v1/topups", {"amount": "1000000", "currency": "gbp"})
    told.world.advance_to(told.circle.pays_out(1) + timedelta(days=2))
    assert [fact.payload["pence"] for fact in told.circle.facts("contribution_refunded")] == [100_00]
    told.balanced()


@pytest.fixture
def failed() -> Told:
    """A refund that failed before any of its money had moved."""
    told = Told()
    told.world.advance_to(told.circle.due(1))
    without_funds(told)
    told.refund()
    told.world.stripe_request("POST", "/v1/topups", {"amount": "1000000", "currency": "gbp"})
    told.world.control("POST", f"refunds/{refunds_of(told)[0].reference}/fail")
    told.world.settle()
    return told


def refunds_of(told: Told) -> list[Refund]:
    collection = told.circle.contribution(1, told.payer).attempts[-1].reference
    return told.world.ctx.gateway.refunds(collection or "")


def test_a_refund_that_failed_before_it_moved_money_leaves_it_in_the_pot(failed: Told) -> None:
    """The pot waited for it hour by hour, for ever: nothing said that it was over."""
    assert failed.circle.contribution(1, failed.payer).attempts[-1].refunding is None
    failed.world.advance_to(failed.circle.pays_out(1))
    assert failed.circle.payout(1).amount_pence == 500_00
    failed.balanced()


def test_after_a_failed_refund_another_asking_gives_the_money_back_once(failed: Told) -> None:
    """By the key of the first the processor repeated it, failed as it was. Whoever dies in between asks again
    by the key of the second."""
    fault = {"kind": "cut_after", "method": "POST", "path": "/v1/refunds", "times": 1}
    failed.world.control("POST", "webhooks/hold")
    failed.world.control("POST", "faults", fault)
    with pytest.raises(ProcessorUnavailable):
        failed.refund()
    failed.refund()
    failed.world.control("POST", "webhooks/release")
    failed.world.settle()
    assert [one.state for one in refunds_of(failed)] == ["done", "failed"]
    assert len(failed.circle.facts("refund_asked")) == 2
    assert [fact.payload["pence"] for fact in failed.circle.facts("contribution_refunded")] == [100_00]
    failed.balanced()


def test_a_part_that_went_back_on_the_processors_own_page_is_not_the_refund_that_we_ask_for() -> None:
    """It was taken for ours: the rest never went back, and the pot waited for it hour by hour (seed 291)."""
    told = Told()
    told.world.advance_to(told.circle.due(1))
    intent = told.circle.contribution(1, told.payer).attempts[-1].reference
    told.world.stripe_request("POST", "/v1/refunds", {"payment_intent": intent, "amount": "4000"})
    told.world.settle()
    told.refund()
    after = told.circle.contribution(1, told.payer)
    assert (after.in_pot_pence, after.attempts[0].refunding) == (0, None)
    given_back = {fact.payload["pence"] for fact in told.circle.facts("contribution_refunded")}
    assert given_back == {40_00, 60_00}
    told.balanced()


def test_a_refund_that_fails_brings_the_fee_on_top_again() -> None:
    """Their credit pays the contribution that the fee is for."""
    told = Told(added_fee_pence=1_00)
    told.world.advance_to(told.circle.due(1))
    told.refund()
    contribution = told.circle.contribution(1, told.payer)
    assert (contribution.fee_left_pence, told.circle.balances()["fees:platform"]) == (1_00, 4_00)
    told.world.control("POST", f"refunds/{refunds_of(told)[0].reference}/fail")
    told.world.settle()
    contribution = told.circle.contribution(1, told.payer)
    assert (contribution.fee_left_pence, told.circle.balances()["fees:platform"]) == (0, 5_00)
    told.balanced()


def test_a_refund_that_fails_is_the_payers_credit_and_pays_the_contribution_again() -> None:
    """Told twice it is credit once."""
    told = Told()
    told.world.advance_to(told.circle.due(1))
    told.refund()
    fault = {"kind": "webhook_twin", "event": "refund.updated", "times": 1}
    told.world.control("POST", "faults", fault)
    told.world.control("POST", f"refunds/{refunds_of(told)[0].reference}/fail")
    told.world.settle()
    assert told.circle.balances()[f"credit:{told.payer}"] == 100_00
    told.balanced()
    told.world.advance_to(told.circle.pays_out(1))
    assert told.circle.payout(1).amount_pence == 500_00
    assert len(told.circle.contribution(1, told.payer).attempts) == 1
    told.balanced()


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


@pytest.mark.parametrize("then", ["arrives", "fails"])
def test_what_the_bank_says_of_a_payout_that_was_brought_back_in_part_is_recorded(then: str) -> None:
    """The account held more than this pot, so that a part could be reversed while it was on its way to the
    bank: what came of it was parked."""
    told = Told()
    told.world.advance_to(told.circle.pays_out(1))
    payout = told.circle.payout(1)
    (user,) = told.world.store.load(f"users/{told.first}")
    account = (user.data or {})["payout_account"]["reference"]
    form = {"amount": "20000", "currency": "gbp", "destination": account}
    told.world.stripe_request("POST", "/v1/transfers", form)
    command = told.world.command("staff:ines")
    reverse_payout.reverse(told.world.ctx, command, told.circle.id, payout.id, 200_00, "mistake")
    if then == "fails":
        told.world.control("POST", f"payouts/{payout.bank_payout}/fail", {"code": "account_closed"})
    told.world.settle()
    told.world.advance_to(told.circle.pays_out(1) + timedelta(days=8))
    after = told.circle.payout(1)
    assert (after.state, after.reversed_pence) == ("partly_reversed", 200_00)
    told_of = {"arrives": "payout_received", "fails": "payout_bank_failed"}[then]
    assert [fact.payload["bank_payout"] for fact in told.circle.facts(told_of)] == [payout.bank_payout]
    parked = [one for one in told.world.documents("quarantine") if one["kind"] == "event"]
    assert [one["reason"] for one in parked if "transition" in one["reason"]] == []


def test_money_of_another_kind_is_never_booked_whatever_its_object_says() -> None:
    """The line of a refund, in the currency that the account settles in."""
    told = Told()
    told.world.advance_to(told.circle.due(1))
    told.world.control("POST", "webhooks/hold")
    intent = told.circle.contribution(1, told.payer).attempts[0].reference
    told.world.stripe_request("POST", "/v1/refunds", {"payment_intent": intent})
    line = told.world.ctx.gateway.refunds(intent or "")[0].movement
    assert line is not None
    told.world.control("POST", f"objects/{line.reference}", {"currency": "eur"})
    told.world.control("POST", "webhooks/release")
    told.world.settle()
    assert told.circle.facts("contribution_refunded") == []
    assert {one["kind"] for one in told.world.documents("quarantine")} == {"event"}


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


# --- refunds and disputes of the same money -----------------------------------------------------------------


def refunded(method: str = "pm_card_visa") -> Told:
    told = Told(method)
    told.world.advance_to(told.circle.due(1))
    told.refund()
    return told


def disputes(told: Told, pence: int = 100_00, cycle: int = 1) -> str:
    attempt = told.circle.contribution(cycle, told.payer).attempts[0]
    opened = told.world.control("POST", f"charges/{attempt.reference}/dispute", {"amount": pence})
    told.world.settle()
    return str(opened["id"])


def disputes_in_parts(told: Told) -> tuple[str, str]:
    """Two disputes of one payment, of £40 and of £60."""
    told.world.advance_to(told.circle.due(1))
    first = disputes(told, 40_00)
    charge = told.world.control("GET", f"objects/{first}")["charge"]
    told.world.control("POST", f"objects/{charge}", {"disputed": False})
    return first, disputes(told, 60_00)


def decided(told: Told, dispute: str, status: str) -> None:
    told.world.control("POST", f"disputes/{dispute}", {"status": status})
    told.world.settle()


def test_who_has_a_refund_and_claims_it_at_the_bank_too_owes_it_to_the_house() -> None:
    """Stripe warns of it (bank debits): the claim was parked, for a refunded attempt was at its end."""
    told = refunded("pm_bacsDebit_success")
    disputes(told)
    (debt,) = told.circle.member(told.payer).open_debts()
    assert (debt.creditor, debt.left_pence) == ("house", 100_00)
    found = told.circle.contribution(1, told.payer)
    assert found.attempts[0].state == "lost"
    told.balanced()
    # Of this payment no more went back than came: the rest is what they owe.
    receipt = receipts.of_contribution(told.world.ctx, told.payer, told.circle.id, found.id)
    assert (receipt["amount_pence"], receipt["total_pence"]) == (100_00, 0)


def test_a_refund_that_failed_is_credit_and_a_dispute_of_its_money_takes_that() -> None:
    told = refunded()
    told.world.control("POST", f"refunds/{refunds_of(told)[0].reference}/fail")
    told.world.settle()
    assert told.circle.balances()[f"credit:{told.payer}"] == 100_00
    assert told.circle.contribution(1, told.payer).attempts[0].taken_back_pence == 0
    disputes(told)
    assert told.circle.balances().get(f"credit:{told.payer}", 0) == 0
    assert told.circle.member(told.payer).open_debts() == []
    told.balanced()


@pytest.mark.parametrize("order", ["given", "reverse"])
def test_a_dispute_that_makes_a_refund_fail_is_recorded_whichever_is_told_first(order: str) -> None:
    """The refund took what the dispute had taken already: it was parked, and its lines were nobody's."""
    told = Told()
    told.world.advance_to(told.circle.due(1))
    told.world.control("POST", "webhooks/hold")
    told.refund()
    opened = disputes(told)
    told.world.control("POST", f"refunds/{refunds_of(told)[0].reference}/fail")
    told.world.control("POST", "webhooks/release", {"order": order})
    told.world.settle()
    assert told.circle.contribution(1, told.payer).attempts[0].state == "disputed"
    told.balanced()
    decided(told, opened, "lost")
    assert told.circle.contribution(1, told.payer).attempts[0].state == "lost"
    told.balanced()


def test_what_a_dispute_gave_back_may_be_refunded() -> None:
    told = Told()
    told.world.advance_to(told.circle.due(1))
    decided(told, disputes(told), "won")
    attempt = told.circle.contribution(1, told.payer).attempts[0]
    charge = told.world.control("GET", f"objects/{attempt.reference}")["latest_charge"]
    told.world.control("POST", f"objects/{charge}", {"disputed": False})
    told.refund()
    assert told.circle.contribution(1, told.payer).attempts[0].state == "refunded"
    assert told.circle.balances()["pot:1"] == 400_00


def test_a_dispute_that_was_lost_may_be_won_yet_and_lost_again() -> None:
    """By arbitration, months later: its money came back, and was nobody's."""
    told = Told()
    told.world.advance_to(told.circle.pays_out(1))
    opened = disputes(told)
    for status, owed in (("lost", 100_00), ("won", 0), ("lost", 100_00), ("won", 0)):
        decided(told, opened, status)
        assert told.circle.contribution(1, told.payer).attempts[0].state == status
        assert told.circle.member(told.payer).owes_pence() == owed
        told.balanced()
    assert len(told.circle.facts("dispute_lost")) == 2


def test_a_payment_may_be_disputed_in_parts() -> None:
    """A second one was parked while the first was open, or lost."""
    told = Told()
    first, second = disputes_in_parts(told)
    assert told.circle.contribution(1, told.payer).in_pot_pence == 0
    decided(told, first, "lost")
    decided(told, second, "won")
    assert told.circle.contribution(1, told.payer).in_pot_pence == 60_00
    told.balanced()


def test_an_inquiry_moves_no_money_and_is_no_difference() -> None:
    """Each was one, night after night: the processor said open, or won, of what nobody had disputed."""
    told = Told()
    told.world.advance_to(told.circle.due(1))
    intent = told.circle.contribution(1, told.payer).attempts[0].reference
    opened = told.world.control("POST", f"charges/{intent}/dispute", {"inquiry": True})
    told.world.settle()
    told.balanced()
    decided(told, opened["id"], "warning_closed")
    told.balanced()
    disputes(told)  # and after it the bank takes the money all the same
    told.balanced()


def test_of_two_disputes_of_a_payment_either_may_be_the_one_that_is_heard() -> None:
    told = Told()
    first, _ = disputes_in_parts(told)
    decided(told, first, "lost")
    told.balanced()


@pytest.fixture(name="watched")
def _watched() -> Told:
    """Above £50 staff need each other."""
    told = Told()
    told.world.ctx = replace(told.world.ctx, two_people_above_pence=50_00)
    return told


def agreed(told: Told, kind: ApprovalKind, about: str, pence: int) -> str:
    """Asked for by one of the house's finance people, consented to by another."""
    staff, payload = frozenset({Role.FINANCE}), {"about": about, "pence": pence, "reason": "by_mistake"}
    ctx, gid = told.world.ctx, told.circle.id
    asked = approvals.ask(ctx, told.world.command("staff:ines"), staff, gid, kind, payload)
    with pytest.raises(OwnRequest):
        approvals.approve(ctx, told.world.command("staff:ines"), staff, gid, asked["id"])
    done = approvals.approve(ctx, told.world.command("staff:otto"), staff, gid, asked["id"])
    assert done["state"] == "carried_out"
    return str(asked["id"])


def test_a_large_refund_takes_two_of_staff_and_says_who_and_why(watched: Told) -> None:
    watched.world.advance_to(watched.circle.due(1))
    contribution = watched.circle.contribution(1, watched.payer).id
    too_small = agreed(watched, "refund", contribution, 99_99)
    for approval in (None, too_small):
        with pytest.raises(TwoPeopleNeeded):
            watched.refund(approval=approval)
    assert watched.circle.balances()["pot:1"] == 500_00

    approval = agreed(watched, "refund", contribution, 100_00)
    watched.refund(approval=approval)
    assert watched.circle.balances()["pot:1"] == 400_00
    (asked,) = watched.circle.facts("refund_asked")
    assert (asked.actor, asked.payload["reason"], asked.payload["approval"]) == (
        "staff:ines",
        "duplicate",
        approval,
    )
    watched.balanced()


def test_one_consent_gives_back_one_payment(watched: Told) -> None:
    """Paid again, it was given back again by the consent to the first."""
    watched.world.advance_to(watched.circle.due(1))
    contribution = watched.circle.contribution(1, watched.payer).id
    approval = agreed(watched, "refund", contribution, 100_00)
    with unrefundable(watched), pytest.raises(ProcessorRefused):
        watched.refund(approval=approval)
    watched.refund(approval=approval)  # the processor had refused: it is good still
    ctx, command = watched.world.ctx, watched.world.command(watched.payer)
    pay_contribution.pay_now(ctx, command, watched.circle.id, contribution)
    watched.world.settle()
    assert watched.circle.balances()["pot:1"] == 500_00
    with pytest.raises(TwoPeopleNeeded):
        watched.refund(approval=approval)
    assert watched.circle.balances()["pot:1"] == 500_00


def test_a_large_reversal_takes_two_of_staff_and_one_consent_is_good_once(watched: Told) -> None:
    let_go = agreed(watched, "payout", watched.circle.payout(1).id, 0)
    watched.world.advance_to(watched.circle.pays_out(1))
    payout = watched.circle.payout(1)
    assert (payout.state, payout.approval) == ("sent", let_go)
    watched.world.control("POST", f"payouts/{payout.bank_payout}/fail", {"code": "account_closed"})
    watched.world.settle()

    def reverse(pence: int, approval: str | None) -> None:
        command = watched.world.command("staff:otto")
        reverse_payout.reverse(
            watched.world.ctx, command, watched.circle.id, payout.id, pence, "mistake", approval
        )
        watched.world.settle()

    with pytest.raises(TwoPeopleNeeded):
        reverse(200_00, None)
    with pytest.raises(TwoPeopleNeeded):
        reverse(200_00, let_go)  # consent to something else
    approval = agreed(watched, "reversal", payout.id, 200_00)
    for _ in range(2):
        reverse(200_00, approval)
        watched.world.clock.moment += timedelta(days=2)  # Stripe has forgotten the key by then
    with pytest.raises(NothingToGiveBack):
        reverse(100_00, approval)
    assert watched.circle.payout(1).reversed_pence == 200_00
    (asked,) = watched.circle.facts("payout_reversal_asked")
    assert (asked.actor, asked.payload["reason"], asked.payload["approval"]) == (
        "staff:otto",
        "mistake",
        approval,
    )
    watched.balanced()
