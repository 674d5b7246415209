"""Each invariant is broken on purpose inside a run, and the auditor names that one."""

from __future__ import annotations

import pytest

from tests.simulation.auditor import SABOTAGED
from tests.simulation.founding import METHODS
from tests.simulation.lifecycle import Lifecycle

NEEDS = {
    "two-people": ["fee-change"],
    "open-cycle": ["swap"],
    "left-alone": ["hardship"],
    "forgotten": ["leaves-after-turn"],
    "one-organiser": ["hand-over"],
    "caps": ["cap-refused"],
    "floor": ["floor-refused"],
}
"""What has to come about for there to be anything to break."""


@pytest.mark.parametrize("invariant", SABOTAGED)
def test_the_auditor_names_what_was_broken(invariant: str) -> None:
    for seed in range(12):
        life = Lifecycle(seed, frozenset(), invariant, frozenset(NEEDS.get(invariant, ())))
        outcome = life.run()
        if outcome.violations:
            break
    assert [violation.invariant for violation in outcome.violations] == [invariant]


@pytest.mark.parametrize("method", METHODS)
def test_a_wrong_order_of_each_kind_is_named(method: str) -> None:
    for seed in range(24):
        life = Lifecycle(seed, frozenset(), "order", frozenset())
        outcome = life.run()
        if outcome.came_about.get(f"order-{method}"):
            break
    assert [violation.invariant for violation in outcome.violations] == ["order"]
    assert f"({method})" in outcome.violations[0].what


def test_without_sabotage_the_same_runs_hold() -> None:
    assert Lifecycle(0, only=frozenset()).run().violations == []
