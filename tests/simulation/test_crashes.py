"""Each use case that moves money dies at each of its ports in turn, and comes to the same end.

The ports are counted by running the use case once. After the crash the cloud does what it does: the message
or task comes again, ticks go on. Compared is all that money came to, ours and the processor's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from tests.simulation.stage import Stage

Story = Callable[[Stage], None]

PLAIN: Story = lambda stage: None  # noqa: E731

USE_CASES: dict[str, tuple[str, Story]] = {
    "collects by card": ("task: contribution", PLAIN),
    "settles by event": ("event: payment_intent.succeeded", PLAIN),
    "reserves": ("tick: pay out", Stage.on_payday),
    "sends": ("task: payout", PLAIN),
    "learns that it arrived": ("event: payout.paid", PLAIN),
    "takes back before the payout": ("event: charge.dispute.created", lambda one: one.disputes(1, 6, "lost")),
    "takes back after the payout": ("event: charge.dispute.created", lambda one: one.disputes(1, 14, "lost")),
    "wins back": ("event: charge.dispute.funds_reinstated", lambda one: one.disputes(1, 14, "won")),
    "takes late money": ("client: pays", Stage.pays_late),
    "refunds": ("staff: refund", Stage.refunds),
    "reverses": ("staff: reverse", Stage.reverses),
}


def acted(name: str, dies_at: int | None) -> Stage:
    victim, story = USE_CASES[name]
    stage = Stage(victim, dies_at)
    story(stage)
    stage.run_until_after_payout()
    return stage


@cache
def undisturbed(name: str) -> tuple[int, dict[str, Any]]:
    """How many ports the use case touches, and what it comes to."""
    stage = acted(name, None)
    assert stage.victim is not None, f"{name} never ran"
    assert stage.violations == []
    return stage.victim.boundaries, stage.end()


@pytest.mark.parametrize("name", USE_CASES)
def test_it_comes_to_the_same_end_wherever_it_dies(name: str) -> None:
    ports, end = undisturbed(name)
    assert ports > 3
    for port in range(1, ports + 1):
        stage = acted(name, port)
        assert stage.scheduler.crashes == 1, f"{name} did not die at port {port}"
        where = f"{name} died at port {port} of {ports}: {stage.victim}"
        assert stage.violations == [], where
        assert stage.end() == end, where
