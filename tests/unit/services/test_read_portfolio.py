"""The portfolio of a running circle: who has had the pot still owes, and nobody else can lose us anything."""

from __future__ import annotations

from datetime import timedelta

from shared.domain.permissions import Role
from shared.services import read_portfolio
from shared.services.context import Reader
from tests.builders import World

FINANCE = Reader("fin", "req-portfolio", frozenset({Role.FINANCE}), "The month's look at all circles")


def test_exposure_is_what_is_owed_after_ones_own_turn() -> None:
    world = World()
    world.circle(world.people(5))
    seen = read_portfolio.of_all(world.ctx, FINANCE)
    assert seen["total"]["seats"] == seen["without_score"] == 5
    assert seen["total"]["exposure_pence"] == 10_000 * (4 + 3 + 2 + 1 + 0)
    assert seen["total"]["expected_loss_pence"] > 0
    assert [line["name"] for line in seen["by_band"]] == ["unscored"]


def test_one_circle_is_seen_seat_by_seat_with_the_reserve_that_covers_it() -> None:
    world = World()
    circle = world.circle(world.people(5))
    seen = read_portfolio.of_one(world.ctx, FINANCE, circle.id)
    by_position = sorted(seen["seats"], key=lambda seat: seat["position"])
    assert [seat["exposure_pence"] for seat in by_position] == [40_000, 30_000, 20_000, 10_000, 0]
    assert [seat["is_open"] for seat in by_position] == [False, False, False, True, True]
    assert {seat["basis"] for seat in by_position} == {"neutral_and_history"}
    assert seen["expected_loss_pence"] == seen["advice"]["expected_loss_pence"] == 22_120
    assert 22_120 <= seen["advice"]["reserve_pence"] <= seen["advice"]["worst_pence"] == 100_000
    assert seen["advice"]["per_payout_pence"] * 5 >= seen["advice"]["reserve_pence"]


def test_a_running_circle_is_judged_by_the_member_models() -> None:
    world = World()
    circle = world.circle(world.people(5))
    world.advance_to(circle.pays_out(3) + timedelta(days=20))
    seen = read_portfolio.of_one(world.ctx, FINANCE, circle.id)
    assert {seat["basis"] for seat in seen["seats"]} == {"model"}
    assert all(seat["pd_ppm"] < 221_200 for seat in seen["seats"])
    assert seen["exposure_pence"] == 10_000 * (2 * 3 + 1 + 0)
