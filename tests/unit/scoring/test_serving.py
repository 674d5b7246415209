"""Serving is fast, small, and free of what training needs. Times are of whole processes, the best of several:
this machine has other work."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FIRST = "from shared.domain.scoring.applicant import REFERENCE, score_applicant; score_applicant(REFERENCE)"
TRAINING = ("sklearn", "numpy", "scipy", "pandas", "joblib", "pydantic", "scripts")


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60, stdout=subprocess.PIPE, text=True
    ).stdout


def seconds(code: str) -> float:
    start = time.perf_counter()
    run(code)
    return time.perf_counter() - start


def test_the_first_score_costs_little_beside_starting_python() -> None:
    """A ratio, measured in turn: a shared machine's seconds are nobody's promise."""
    floor, first = 60.0, 60.0
    for _ in range(8):
        floor = min(floor, seconds("import json, dataclasses, datetime, typing"))
        first = min(first, seconds(FIRST))
    assert first / floor <= 6


def test_a_score_takes_less_than_a_millisecond() -> None:
    timed = f"""
import time
{FIRST}
taken = []
for _ in range(2_000):
    start = time.perf_counter()
    score_applicant(REFERENCE)
    taken.append(time.perf_counter() - start)
print(sorted(taken)[1_900])
"""
    assert min(float(run(timed)) for _ in range(3)) <= 0.001


def test_nothing_that_training_needs_is_imported() -> None:
    both = FIRST + "\nfrom shared.domain.scoring.member import score_member, REFERENCE as M; score_member(M)"
    modules = json.loads(run(f"{both}\nimport json, sys; print(json.dumps(sorted(sys.modules)))"))
    assert "shared.domain.scoring.score" in modules
    assert not [name for name in modules if name.partition(".")[0] in TRAINING]
