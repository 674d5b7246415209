"""Each invariant is broken on purpose inside a run, and the auditor names that one."""

from __future__ import annotations

import pytest

from tests.simulation.auditor import INVARIANTS
from tests.simulation.lifecycle import Lifecycle


@pytest.mark.parametrize("invariant", INVARIANTS)
def test_the_auditor_names_what_was_broken(invariant: str) -> None:
    for seed in range(5):
        life = Lifecycle(seed, only=frozenset(), sabotage=invariant)
        outcome = life.run()
        if life.sabotage is not None and life.sabotage.struck:
            break
    assert [violation.invariant for violation in outcome.violations] == [invariant]


def test_without_sabotage_the_same_runs_hold() -> None:
    assert Lifecycle(0, only=frozenset()).run().violations == []
