"""A card that ends between two cycles: its holder is warned, gives another over HTTP, and misses none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest

from shared import bootstrap
from tests.builders import FixedSecrets, World
from tests.entrypoints.platform import Platform

CYCLES = 5


@dataclass
class WithMoney(Platform):
    """The functions over a world in memory where money moves."""

    world: World = field(default_factory=World)

    def parts(self) -> dict[str, Any]:
        world = self.world
        return super().parts() | {
            "store": world.store,
            "gateway": world.ctx.gateway,
            "publisher": world.messages,
            "tasks": world.messages,
            "clock": world.clock,
            "chance": world.chance,
            "secrets": FixedSecrets(),
            "vault": world.ctx.vault,
        }

    def live_until(self, day: date) -> None:
        """Each day with its jobs, the reminders by their own function."""
        while self.world.clock.moment.date() < day:
            self.world.advance_to(self.world.clock.moment.date() + timedelta(days=1))
            assert self.push("remind").status_code == 200


@pytest.fixture(name="platform")
def _platform() -> Iterator[WithMoney]:
    made = WithMoney()
    with bootstrap.override(**made.parts()):
        yield made


@pytest.mark.parametrize("replaced", [True, False])
def test_a_card_that_ends_is_warned_of_and_replaced_without_missing_a_cycle(
    platform: WithMoney, *, replaced: bool
) -> None:
    world = platform.world
    circle = world.circle(world.people(CYCLES))
    holder = platform.people.add(circle.recipient(4))
    platform.live_until(circle.due(1))

    (card,) = platform.get("/v1/payment-methods", who=holder).json["items"]
    last_month = circle.due(2)
    ends = {"year": last_month.year, "month": last_month.month}
    world.control("POST", f"payment_methods/{card['id']}/expires", ends)
    world.settle()
    platform.live_until(circle.due(2) + timedelta(days=1))
    warnings = [
        one
        for one in platform.get("/v1/users/me/notifications", who=holder).json["items"]
        if one["template"] == "payment_method_expires"
    ]
    assert [one["subject"] for one in warnings] == [card["id"]]
    assert date.fromisoformat(warnings[0]["at"][:10]) < circle.due(3) - timedelta(days=20)

    if replaced:
        another = platform.post("/v1/payment-methods", {"method": "pm_card_mastercard"}, who=holder).json
        assert platform.post(f"/v1/payment-methods/{another['id']}/default", who=holder).status_code == 200
        assert platform.post(f"/v1/payment-methods/{card['id']}/remove", who=holder).status_code == 200
    platform.live_until(circle.pays_out(CYCLES) + timedelta(days=20))

    attempts = {
        cycle: [
            (one.method_kind, one.state, one.failure) for one in circle.contribution(cycle, holder).attempts
        ]
        for cycle in range(1, CYCLES + 1)
    }
    paid = [("card", "settled", None)]
    if replaced:
        assert attempts == dict.fromkeys(range(1, CYCLES + 1), paid)
        assert all(circle.payout(cycle).amount_pence == 500_00 for cycle in range(1, CYCLES + 1))
        assert world.reconcile()["differences"] == []
    else:  # the card that ended is declined, and never tried again by itself
        assert (attempts[2], attempts[3]) == (paid, [("card", "failed", "method_invalid")])
