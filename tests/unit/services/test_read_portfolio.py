"""The portfolio of a running circle: who has had the pot still owes, and nobody else can lose us anything."""

from __future__ import annotations

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
