"""Reconciliation names whatever was taken away or altered by hand, in any place of either side."""

from __future__ import annotations

import random

import pytest

from tests.simulation.walk import FIELDS, Deed, FinishedCircle, one_of_each


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
