"""The house's own money: borne fees, the floor under which no circle starts, Bacs' limit of a week."""

from __future__ import annotations

import logging
from datetime import date, timedelta

import pytest

from shared.domain.errors import HouseTooThin
from shared.ports import Put
from tests.builders import CAPITAL_PENCE, World

FEE = 1_70


def test_no_circle_starts_while_the_house_has_less_than_its_floor() -> None:
    world = World()
    people = world.people(5)
    world.reconcile()
    world.circle(people)  # with £10,000 of its own it may
    (house,) = world.store.load("system/house")
    assert house.data is not None
    assert house.data["capital_pence"] == CAPITAL_PENCE
    world.store.commit([Put("system/house", {**house.data, "borne_pence": CAPITAL_PENCE - 999_99})])
    with pytest.raises(HouseTooThin):
        world.circle(people, amount_pence=5_000)


def test_fees_are_borne_by_the_house_and_stand_in_the_report() -> None:
    world = World()
    circle = world.circle(world.people(5))
    world.advance_to(circle.due(1))
    found = world.reconcile()
    assert (found["house_pence"], found["unexplained_pence"]) == (5 * FEE, 0)


def test_the_platforms_fee_is_told_before_and_kept_from_each_pot() -> None:
    world = World()
    circle = world.circle(world.people(5), platform_fee_pence=2_50)
    world.advance_to(circle.pays_out(1) + timedelta(days=3))
    assert circle.payout(1).amount_pence == 500_00 - 2_50
    assert circle.balances()["fees:platform"] == 2_50
    assert world.reconcile()["differences"] == []


def test_bacs_of_a_week_is_watched(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    people = world.people(10, "pm_bacsDebit_success")
    world.advance_to(world.clock.moment.date() + timedelta(days=7))
    world.circle(people, amount_pence=80_000)
    world.circle(people, amount_pence=5_000)
    world.advance_to(date(2026, 12, 28))  # submitted on Christmas Eve, four working days ahead
    with caplog.at_level(logging.ERROR):
        assert world.reconcile()["bacs_week_pence"] == 8_500_00
    assert [getattr(record, "alert", None) for record in caplog.records] == ["bacs_week"]
