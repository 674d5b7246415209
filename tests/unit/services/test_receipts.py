"""Receipts: what one paid, what one was sent, and the same bytes for whoever asks twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.errors import NoSuchThing, NothingReceived
from shared.services import receipts, refund_contribution
from shared.web.receipt_sheets import receipt_sheet
from shared.web.sheets import as_pdf
from tests.builders import Circle, World
from tests.worked_examples.page import Page


@pytest.fixture(scope="module")
def circle() -> Circle:
    world = World()
    circle = world.circle(world.people(5))
    world.advance_to(circle.pays_out(2) + timedelta(days=5))
    return circle


def test_a_contribution_has_its_receipt_once_it_is_paid(circle: Circle) -> None:
    ctx, uid = circle.world.ctx, circle.recipient(3)
    receipt = receipts.of_contribution(ctx, uid, circle.id, circle.contribution(1, uid).id)
    assert (receipt["state"], receipt["total_pence"], receipt["fee_pence"]) == ("covered", 100_00, 0)
    (line,) = receipt["lines"]
    assert (line["description"], line["state"]) == ("Card payment", "settled")
    with pytest.raises(NothingReceived):
        receipts.of_contribution(ctx, uid, circle.id, circle.contribution(5, uid).id)
    with pytest.raises(NoSuchThing):
        receipts.of_contribution(ctx, circle.recipient(4), circle.id, circle.contribution(1, uid).id)


def test_a_payout_has_its_receipt_once_it_is_sent(circle: Circle) -> None:
    ctx, uid = circle.world.ctx, circle.recipient(1)
    receipt = receipts.of_payout(ctx, uid, circle.id, circle.payout(1).id)
    assert (receipt["state"], receipt["total_pence"]) == ("received", 500_00)
    assert [(line["description"], line["amount_pence"]) for line in receipt["lines"]] == [
        ("Collected by the members", 500_00),
        ("Sent to your bank", 500_00),
    ]
    with pytest.raises(NothingReceived):
        receipts.of_payout(ctx, circle.recipient(5), circle.id, circle.payout(5).id)
    with pytest.raises(NoSuchThing):
        receipts.of_payout(ctx, circle.recipient(2), circle.id, circle.payout(1).id)


def test_the_same_receipt_is_the_same_file_byte_for_byte(circle: Circle) -> None:
    ctx, uid = circle.world.ctx, circle.recipient(1)

    def paper() -> bytes:
        receipt = receipts.of_payout(ctx, uid, circle.id, circle.payout(1).id)
        return as_pdf(receipt_sheet(receipt, "Ọláolúwa"))

    first = paper()
    circle.world.clock.moment += timedelta(days=1)
    assert paper() == first
    assert first.startswith(b"%PDF-")


def test_what_was_given_back_is_a_line_of_its_own_and_the_last_line_sums_up() -> None:
    page = Page("reserve", reserve_pence=20_00, added_fee_pence=1_00)
    ctx, gid, uid = page.world.ctx, page.circle.id, page.uid["D"]
    page.due(1)
    contribution = page.contribution("D", 1).id
    refund_contribution.refund(ctx, page.world.command("staff:ines"), gid, contribution, "by mistake")
    page.world.settle()
    page.pays("D", 1)
    page.paid_out(1)

    paid = receipt_sheet(receipts.of_contribution(ctx, uid, gid, contribution), "Dayo")
    assert [(row[0], row[1], row[3]) for row in paid.rows] == [
        ("4 Jan 2027", "Card payment", 101_00),
        (None, "Given back to you", -101_00),
        ("4 Jan 2027", "Card payment", 101_00),
        (None, "In all", 101_00),
    ]
    got = receipt_sheet(receipts.of_payout(ctx, page.uid["A"], gid, page.circle.payout(1).id), "Ada")
    assert [(row[1], row[3]) for row in got.rows] == [
        ("Collected by the members", 500_00),
        ("Kept for the group's reserve", -20_00),
        ("Sent to your bank", 480_00),
    ]
    assert (paid.sums, got.sums) == ([3], [2])
