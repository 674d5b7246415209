"""Some hundred seeds with every fault and case: no invariant is violated, and each strikes or comes about."""

from __future__ import annotations

import json

import pytest

from tests.simulation import cases
from tests.simulation.faults import NAMES
from tests.simulation.lifecycle import Lifecycle
from tests.simulation.report import SLICE, main, simulate, simulate_on

SEEDS = 150
"""What a minute and a half holds on two quiet cores; the nightly run has more (README)."""

BRINGS_ALONG = {"stale-retry": ["crash"]}
"""A try is a day late only where the process that made it died."""


GOES_WITH = {
    "leaver-agrees-plan": ["leaves-after-turn"],  # who left after their turn
    "plan": ["leaver-agrees-plan"],
    "floor-refused": ["mediation"],  # who is owed complains, and the house may not pay
    "swap": ["swap-races-payout"],  # one that comes too late
    "swap-races-payout": ["swap"],  # one that is in time
    "approval-withdrawn": ["swap"],  # one that is consented to before
    "dispute-withdrawn": ["mediation"],  # one that is decided before
    "appeal": ["mediation"],
}


@pytest.mark.timeout(900)  # the machine is shared, and a slow hour of it is no fault
def test_no_invariant_is_violated_under_any_fault() -> None:
    report = simulate_on(2, range(SEEDS))
    assert [(seed, violation.invariant, violation.what) for seed, violation in report.violated] == []
    assert report.lifecycles >= 1.5 * SEEDS, "most seeds have a second circle of the same people"
    assert report.never_struck() == []
    assert report.never_came_about() == []


@pytest.mark.parametrize("fault", NAMES)
def test_each_fault_can_be_had_by_itself(fault: str) -> None:
    report = simulate(range(1), only=frozenset({fault}), cases=frozenset())
    assert report.violated == []
    assert set(report.faults_injected) <= {fault, *BRINGS_ALONG.get(fault, ())}


@pytest.mark.parametrize("case", cases.BEGUN + cases.SECOND_THOUGHTS)
def test_each_case_can_be_had_by_itself(case: str) -> None:
    report = simulate(range(6, 7), only=frozenset(), cases=frozenset({case}))
    assert report.violated == []
    begun = {name for name in report.cases if name in cases.BEGUN + cases.SECOND_THOUGHTS}
    assert begun <= {case, *GOES_WITH.get(case, ())}


def test_a_seed_repeats_itself() -> None:
    one, other = Lifecycle(7).run(), Lifecycle(7).run()
    assert one == other


def test_processes_share_the_seeds_and_find_the_same() -> None:
    seeds = range(SLICE + 1)
    alone = simulate(seeds, only=frozenset()).as_json()
    shared = simulate_on(2, seeds, only=frozenset()).as_json()
    assert {**alone, "facts_per_second": 0} == {**shared, "facts_per_second": 0}


def test_the_report_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "1", "--faults", "none", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["lifecycles"] in {1, 2}
    assert report["violations"] == 0
    assert report["violated"] == []
    assert report["facts"] > 100
    assert report["invariants_checked"] > report["facts"]
    assert set(report["faults_injected"]) == set(NAMES)
    assert set(report["cases"]) == set(cases.NAMES)


def test_a_violation_is_told_with_the_command_that_shows_it_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "1", "--faults", "none", "--sabotage", "entries-balance"]) == 1
    told = capsys.readouterr().err
    assert "VIOLATED entries-balance" in told
    assert "scripts/simulate --seed 0 --seeds 1 --faults none --sabotage entries-balance" in told
