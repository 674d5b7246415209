"""Each invariant is broken on purpose inside a run, and the auditor names that one."""

from __future__ import annotations

import pytest

from tests.simulation.auditor import SABOTAGED
from tests.simulation.lifecycle import Lifecycle

NEEDS = {"two-people": ["fee-change"], "open-cycle": ["swap"], "left-alone": ["hardship"]}
"""What has to come about for there to be anything to break."""


@pytest.mark.parametrize("invariant", SABOTAGED)
def test_the_auditor_names_what_was_broken(invariant: str) -> None:
    for seed in range(12):
        life = Lifecycle(seed, frozenset(), invariant, frozenset(NEEDS.get(invariant, ())))
        outcome = life.run()
        if outcome.violations:
            break
    assert [violation.invariant for violation in outcome.violations] == [invariant]


def test_without_sabotage_the_same_runs_hold() -> None:
    assert Lifecycle(0, only=frozenset()).run().violations == []
