"""Reconciliation names whatever was taken away or altered by hand, in any place of either side."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from infra.local.stripe import charges
from tests.simulation.walk import FIELDS, Deed, FinishedCircle, one_of_each
from tests.worked_examples.page import Page


@pytest.fixture(scope="module")
def finished() -> FinishedCircle:
    return FinishedCircle()


def drawn(finished: FinishedCircle) -> list[Deed]:
    """Another object and another fact of each kind than the walk's first."""
    deeds = list(finished.deeds())
    random.Random(4).shuffle(deeds)
    return one_of_each(deeds)


def test_books_in_order_have_no_difference(finished: FinishedCircle) -> None:
    assert finished.told() == "[]"


def test_each_field_of_each_kind_of_object_at_stripe(finished: FinishedCircle) -> None:
    at_stripe = [deed for deed in drawn(finished) if deed.kind in FIELDS]
    assert {deed.kind for deed in at_stripe} == FIELDS.keys()
    assert finished.unnamed(at_stripe) == []


def test_each_type_of_fact_taken_away_and_altered(finished: FinishedCircle) -> None:
    """One part of each type, each part once; `python -m tests.simulation.walk` alters every part of all."""
    facts = [deed for deed in drawn(finished) if deed.kind not in FIELDS]
    by_type = {deed.kind: deed for deed in facts}
    by_part = {deed.what: deed for deed in facts}
    removed = [deed for deed in facts if deed.what == "removed"]
    assert (
        finished.unnamed({str(one): one for one in [*by_type.values(), *by_part.values(), *removed]}.values())
        == []
    )


def test_what_it_finds_it_tells_with_its_age_and_what_to_do(finished: FinishedCircle) -> None:
    stripe, circle = finished.world.stripe.world, finished.circle
    before = stripe.dump()
    line = circle.contribution(1, circle.recipient(1)).attempts[-1].movement
    assert line is not None
    stripe.remove(line)
    told = {one["kind"]: one for one in finished.world.reconcile()["differences"]}
    stripe.load(before)
    assert {"missing_movement", "cover", "object"} <= told.keys()
    assert told["missing_movement"]["where"] == line
    assert told["missing_movement"]["age_hours"] > 24 * 90
    assert told["missing_movement"]["todo"].startswith("stop payouts of this group")


def test_a_debit_under_way_is_no_difference_and_neither_is_one_that_failed() -> None:
    """Stripe books it when it is submitted, and takes that back where it fails: each night all of them were
    money that nobody knew, and payouts were to be stopped for it."""
    page = Page(method="pm_bacsDebit_success")
    page.bank_refuses("E")
    page.until(page.circle.due(1) - timedelta(days=2))
    assert [one.state for one in page.contribution("E", 1).attempts] == ["processing"]
    assert page.world.ctx.gateway.balance().pending_pence > 0
    report = page.world.reconcile()
    assert (report["differences"], report["unexplained_pence"]) == ([], 0)

    page.until(page.circle.due(1) + timedelta(days=1))
    assert [one.state for one in page.contribution("E", 1).attempts] == ["failed", "processing"]
    report = page.world.reconcile()
    assert (report["differences"], report["unexplained_pence"]) == ([], 0)


def test_what_a_failed_debit_cost_is_named() -> None:
    page = Page(method="pm_bacsDebit_success")
    page.bank_refuses("E")
    page.until(page.circle.due(1) + timedelta(days=1))
    reference = page.contribution("E", 1).attempts[0].reference
    charge = page.world.control("GET", f"objects/{reference}")["latest_charge"]
    line = page.world.control("GET", f"objects/{charge}")["failure_balance_transaction"]
    page.world.control("POST", f"objects/{line}", {"fee": 2_00, "net": -102_00})
    report = page.world.reconcile()
    assert [(one["kind"], one["where"]) for one in report["differences"]] == [
        ("fee", line),
        ("cover", "balance"),
    ]


def test_money_of_a_charge_that_we_hold_for_settled_and_that_fails_is_named() -> None:
    page = Page(method="pm_bacsDebit_success")
    page.due(1)
    reference = page.contribution("E", 1).attempts[0].reference
    charge = page.world.control("GET", f"objects/{reference}")["latest_charge"]
    stripe = page.world.stripe.world
    charges.fail(stripe, stripe.platform, stripe.objects[charge], "insufficient_funds", None)
    kinds = {one["kind"] for one in page.world.reconcile()["differences"]}
    assert {"missing_fact", "cover"} <= kinds


def test_a_debit_that_settled_while_nobody_told_us_is_named() -> None:
    page = Page(method="pm_bacsDebit_success")
    page.until(page.circle.due(1) - timedelta(days=2))
    page.world.control("POST", "webhooks/hold")
    page.world.clock.moment += timedelta(days=3)
    page.world.stripe.advance()
    assert [one.state for one in page.contribution("E", 1).attempts] == ["processing"]
    kinds = [one["kind"] for one in page.world.reconcile()["differences"]]
    assert kinds.count("missing_fact") == 5
