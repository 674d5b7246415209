"""Many seeds, one report: what `scripts/simulate` prints, and what CI asserts."""

from __future__ import annotations

import argparse
import gc
import json
import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from typing import Any

from tests.simulation import cases
from tests.simulation.auditor import ALSO, INVARIANTS, SABOTAGED, Violation
from tests.simulation.faults import NAMES, NOT_HERE
from tests.simulation.lifecycle import Lifecycle

EVERY_FAULT_FROM = 30
"""From so many seeds on, a fault that never struck fails the run: fewer cannot hold them all for certain."""

EVERY_CASE_FROM = 60
"""The same for a case that never came about: a seed has a fifth of them, and not each finds its occasion."""


SLICE = 2
"""Seeds that a process takes at a time: one may take long, and the others go on."""


@dataclass
class Report:
    """The sum of many seeds."""

    seeds: int = 0
    lifecycles: int = 0
    facts: int = 0
    steps: int = 0
    invariants_checked: int = 0
    faults_injected: Counter[str] = field(default_factory=Counter)
    cases: Counter[str] = field(default_factory=Counter)
    violated: list[tuple[int, Violation]] = field(default_factory=list)
    cpu_seconds: float = 0.0

    def add(self, other: Report) -> None:
        """Count another's seeds, too."""
        self.seeds += other.seeds
        self.lifecycles += other.lifecycles
        self.facts += other.facts
        self.steps += other.steps
        self.invariants_checked += other.invariants_checked
        self.faults_injected.update(other.faults_injected)
        self.cases.update(other.cases)
        self.violated += other.violated
        self.cpu_seconds += other.cpu_seconds

    @property
    def facts_per_second(self) -> int:
        """Facts per second of CPU time, on one core: on an idle one that is per second, and on a busy one the
        time that others take is not counted. All counts, from the first sign-up to the last check and the
        garbage collection after it."""
        return round(self.facts / self.cpu_seconds) if self.cpu_seconds else 0

    def never_struck(self) -> list[str]:
        return [name for name in NAMES if not self.faults_injected[name]]

    def never_came_about(self) -> list[str]:
        return [name for name in cases.NAMES if not self.cases[name]]

    def as_json(self) -> dict[str, Any]:
        return {
            "seeds": self.seeds,
            "lifecycles": self.lifecycles,
            "facts": self.facts,
            "steps": self.steps,
            "faults_injected": {name: self.faults_injected[name] for name in NAMES},
            "faults_per_seed": round(self.faults_injected.total() / max(self.seeds, 1), 1),
            "cases": {name: self.cases[name] for name in cases.NAMES},
            "invariants_checked": self.invariants_checked,
            "violations": len(self.violated),
            "violated": sorted({violation.invariant for _, violation in self.violated}),
            "facts_per_second": self.facts_per_second,
        }


@contextmanager
def _garbage_kept() -> Iterator[None]:
    """Collect garbage once, after it all: a world keeps nearly all that it makes until it ends, and looking
    through it again and again takes a twentieth of the time. What was there before (the libraries, above all)
    is no garbage of this world's, and is not looked through either."""
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.collect()
        gc.enable()
        gc.unfreeze()


def simulate(
    seeds: Iterable[int],
    only: frozenset[str] | None = None,
    sabotage: str | None = None,
    cases: frozenset[str] | None = None,
    told: Callable[[int, Report], None] = lambda seed, report: None,
) -> Report:
    """Run seed after seed; `told` hears of each before it begins."""
    report = Report()
    for seed in seeds:
        told(seed, report)
        began = time.process_time()
        with _garbage_kept():
            outcome = Lifecycle(seed, only, sabotage, cases).run()
        report.cpu_seconds += time.process_time() - began
        report.seeds += 1
        report.lifecycles += outcome.lifecycles
        report.facts += outcome.facts
        report.steps += outcome.steps
        report.invariants_checked += outcome.checks
        report.faults_injected.update(outcome.struck)
        report.cases.update(outcome.came_about)
        report.violated += [(seed, violation) for violation in outcome.violations]
    return report


def simulate_on(
    jobs: int,
    seeds: range,
    only: frozenset[str] | None = None,
    sabotage: str | None = None,
    cases: frozenset[str] | None = None,
    told: Callable[[int, Report], None] = lambda seed, report: None,
) -> Report:
    """The same by so many processes, a few seeds at a time; a seed is the same in whichever it runs."""
    slices = [seeds[at : at + SLICE] for at in range(0, len(seeds), SLICE)]
    one = partial(simulate, only=only, sabotage=sabotage, cases=cases)
    report = Report()
    with ProcessPoolExecutor(jobs, get_context("spawn"), _silence) as pool:
        for done, part in zip(slices, pool.map(one, slices), strict=True):
            report.add(part)
            told(done[-1], report)
    return report


def _silence() -> None:
    """What handlers log of the faults is not news here."""
    logging.disable(logging.CRITICAL)


@contextmanager
def _silenced() -> Iterator[None]:
    before = logging.root.manager.disable
    _silence()
    try:
        yield
    finally:
        logging.disable(before)


def replay_command(seed: int, faults: str | None, sabotage: str | None, cases: str | None = None) -> str:
    """The command that shows a violation again."""
    options = {"faults": faults, "cases": cases, "sabotage": sabotage}
    chosen = "".join(f" --{name} {value}" for name, value in options.items() if value is not None)
    return f"scripts/simulate --seed {seed} --seeds 1{chosen}"


def _names(listed: str | None) -> frozenset[str] | None:
    """What was asked for by name; None for all that a seed has."""
    return None if listed is None else frozenset(listed.split(",")) - {"none", ""}


@_silenced()
def main(arguments: Sequence[str] | None = None) -> int:
    """Exits 1 where an invariant was violated, or a fault never struck, or a case never came about, in a run
    that has all."""
    options = _options(arguments)
    if options.sabotage == "list":
        print("\n".join(SABOTAGED))
        return 0
    if options.faults == "list":
        print("\n".join(NAMES))
        return 0
    if options.cases == "list":
        print("\n".join(cases.NAMES))
        return 0
    only, chosen = _names(options.faults), _names(options.cases)
    seeds = range(options.seed, options.seed + options.seeds)
    asked = (seeds, only, options.sabotage, chosen, _progress)
    report = simulate(*asked) if options.jobs == 1 else simulate_on(options.jobs, *asked)
    missing: list[str] = []
    if only is None and report.seeds >= EVERY_FAULT_FROM:
        missing += [f"The fault {name} never struck." for name in report.never_struck()]
    if chosen is None and report.seeds >= EVERY_CASE_FROM:
        missing += [f"The case {name} never came about." for name in report.never_came_about()]
    if options.json:
        print(json.dumps(report.as_json()))
    else:
        _print(report)
    _tell_violations(report, options)
    for line in missing:
        print(line, file=sys.stderr)
    return 1 if report.violated or missing else 0


def _progress(seed: int, report: Report) -> None:
    """A line that is written over, where somebody watches."""
    if sys.stderr.isatty():
        told = f"seed {seed}: {report.facts} facts, {len(report.violated)} violations"
        print(f"\r{told} ", end="", file=sys.stderr, flush=True)


def _print(report: Report) -> None:
    told = report.as_json()
    print(
        f"{told['lifecycles']} lifecycles in {told['seeds']} seeds, {told['facts']} facts, "
        f"{told['invariants_checked']} checks, {told['facts_per_second']} facts per CPU second"
    )
    print(f"faults: {told['faults_per_seed']} a seed")
    for name, count in told["faults_injected"].items():
        if count:
            print(f"  {name:20} {count}")
    print("cases:")
    for name, count in told["cases"].items():
        if count:
            print(f"  {name:20} {count}")
    for name, why in NOT_HERE.items():
        print(f"  {name:20} not here: {why}")
    print(f"{len(report.violated)} violations")


def _tell_violations(report: Report, options: argparse.Namespace) -> None:
    """Each with what it takes to see it again, whatever form the report has."""
    for seed, violation in report.violated:
        meaning = (INVARIANTS | ALSO)[violation.invariant]
        print(f"\nVIOLATED {violation.invariant} ({meaning})", file=sys.stderr)
        print(f"  seed {seed}, step {violation.step}: {violation.what}", file=sys.stderr)
        print("  last facts:", *violation.last_facts, sep="\n    ", file=sys.stderr)
        again = replay_command(seed, options.faults, options.sabotage, options.cases)
        print(f"  again: {again}", file=sys.stderr)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, metavar="N", help="how many seeds (20)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="the first of them (0)")
    parser.add_argument("--faults", metavar="a,b", help="only these faults; 'none', or 'list'")
    parser.add_argument("--cases", metavar="a,b", help="only these cases of people; 'none', or 'list'")
    parser.add_argument("--sabotage", metavar="NAME", help="break this invariant on purpose, or 'list'")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="how many processes (1)")
    parser.add_argument("--json", action="store_true", help="the report as one line of JSON")
    options = parser.parse_args(arguments)
    names = {*NAMES, "none", "list"}
    if options.faults is not None and (unknown := set(options.faults.split(",")) - names - {""}):
        parser.error(f"no fault is called {', '.join(sorted(unknown))}; --faults list names them")
    known = {*cases.NAMES, "none", "list"}
    if options.cases is not None and (unknown := set(options.cases.split(",")) - known - {""}):
        parser.error(f"no case is called {', '.join(sorted(unknown))}; --cases list names them")
    if options.sabotage is not None and options.sabotage not in {*SABOTAGED, "list"}:
        parser.error(f"no sabotage is called {options.sabotage}; --sabotage list names them")
    if options.seeds < 1 or options.jobs < 1:
        parser.error("--seeds and --jobs want one at least")
    return options


if __name__ == "__main__":
    sys.exit(main())
