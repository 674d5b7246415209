"""Scores: the first of a process ÷ starting Python, a warm one ÷ writing and reading its answers as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from scripts.benchmarks.timing import in_turn, percentile, seconds_of
from shared.domain.scoring import artefact
from shared.domain.scoring.applicant import REFERENCE, score_applicant

ROOT = Path(__file__).parents[2]
FIRST = "from shared.domain.scoring.applicant import REFERENCE, score_applicant; score_applicant(REFERENCE)"
BARE = "import json, dataclasses, datetime, typing"
PROCESSES = 25
WARM = 5_000


def _process(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def scores() -> dict[str, Any]:
    first = in_turn([(lambda: _process(FIRST), lambda: _process(BARE))] * PROCESSES)
    answers = asdict(REFERENCE)
    score_applicant(REFERENCE)
    warm = in_turn([(lambda: score_applicant(REFERENCE), lambda: json.loads(json.dumps(answers)))] * WARM)
    taken = [seconds_of(lambda: score_applicant(REFERENCE)) for _ in range(WARM)]
    return {
        "first_score_vs_python_start_p50": round(first.p50, 3),
        "first_score_ms": {"ours": round(first.ours_ms, 2), "bare": round(first.bare_ms, 2)},
        "warm_score_vs_json_p50": round(warm.p50, 3),
        "warm_score_us": {
            "p50": round(percentile(taken, 0.5) * 1e6, 1),
            "p95": round(percentile(taken, 0.95) * 1e6, 1),
        },
        "artefact_bytes_max": max(file.stat().st_size for file in artefact.FOLDER.glob("*.json")),
    }
