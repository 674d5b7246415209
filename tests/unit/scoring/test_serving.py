"""Serving is fast, small, and free of what training needs. Times are ratios of two things measured in turn:
a shared machine's seconds are nobody's promise."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FIRST = "from shared.domain.scoring.applicant import REFERENCE, score_applicant; score_applicant(REFERENCE)"
JSON_ROUNDS_MAX = 10
"""2.5 were measured, where a round took 9 µs: the 1 ms that a score may take is a hundred of them."""
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


def test_a_score_costs_little_beside_reading_its_answers() -> None:
    """Measured in turn, too: a score beside writing what it is of as JSON and reading it back."""
    timed = f"""
import json, time
from dataclasses import asdict
{FIRST}
answers, score, read = asdict(REFERENCE), [], []
for _ in range(2_000):
    start = time.perf_counter()
    score_applicant(REFERENCE)
    middle = time.perf_counter()
    json.loads(json.dumps(answers))
    score.append(middle - start)
    read.append(time.perf_counter() - middle)
print(sorted(score)[1_000] / sorted(read)[1_000])
"""
    assert float(run(timed)) <= JSON_ROUNDS_MAX


def test_nothing_that_training_needs_is_imported() -> None:
    both = FIRST + "\nfrom shared.domain.scoring.member import score_member, REFERENCE as M; score_member(M)"
    modules = json.loads(run(f"{both}\nimport json, sys; print(json.dumps(sorted(sys.modules)))"))
    assert "shared.domain.scoring.score" in modules
    assert not [name for name in modules if name.partition(".")[0] in TRAINING]
