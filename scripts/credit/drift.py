"""Drift of a shipped model: who is scored now against who was learnt from; probabilities against outcomes.

Scores that were served come as JSON lines, oldest first: {"readings": {feature: value}, "bad": true}; `bad`
is left out while nothing is known yet. What comes out is a report, which is the champion-challenger record,
and, where outcomes ask for it, the model with its intercept moved: a new version, for a person to put in
place.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shared.domain.assessments import MILLION
from shared.domain.member_risk import (
    Distributions,
    Observed,
    Recalibration,
    population_stability,
    recalibrate,
)
from shared.domain.scoring import artefact
from shared.domain.scoring.artefact import Artefact, Reading
from shared.domain.scoring.score import Scored, score, sigmoid

SHARE_MIN: Final = 0.05
"""Of training, in each bin: with less, PSI follows single people."""

LEARNT: Final = 2 / 3
"""The oldest outcomes give the offset that is tried on the newest, so that the challenger has to earn it."""


@dataclass(frozen=True)
class Served:
    """One score that was given, and what came of it, where that is known."""

    readings: Mapping[str, Reading]
    bad: bool | None = None


def report(model: Artefact, served: Sequence[Served]) -> dict[str, Any]:
    """PSI of the score and of each feature; with outcomes, what they say of the probabilities."""
    results = [score(model, one.readings) for one in served]
    known = [(one, result) for one, result in zip(served, results, strict=True) if isinstance(result, Scored)]
    observed = [
        Observed(pd_ppm=round(result.pd * MILLION), defaulted=one.bad)
        for one, result in known
        if one.bad is not None
    ]
    found = recalibrate(observed)
    return {
        "champion": model.version,
        "scores": len(served),
        "unscored": len(served) - len(known),
        "score": _stability(*_score_counts(model, [result.pd for _, result in known])),
        "features": {
            shape.feature: _stability(*_feature_counts(model, shape, served)) for shape in model.shapes
        },
        "outcomes": len(observed),
        "recalibration": found.model_dump() if found else None,
        "trial": _trial(observed),
    }


def advises_change(found: Mapping[str, Any]) -> bool:
    """The offset is more than chance, and an earlier one did better on outcomes that it had not seen."""
    trial, moved = found["trial"], found["recalibration"]
    return bool(moved and moved["is_warranted"] and trial and trial["challenger"] < trial["champion"])


def moved(document: Mapping[str, Any], change: Recalibration) -> dict[str, Any]:
    """The model with the offset on its log-odds. The scale and the bands move along: points, bands and
    reasons stay what they were. Probabilities change, and with them losses, reserves, and what is decided at
    a probability."""
    offset = change.offset_micro / MILLION

    def shifted(pd: float) -> float:
        return pd if pd in (0.0, 1.0) else sigmoid(math.log(pd / (1 - pd)) + offset)

    bins = document["about"]["pd_bins"]
    whole, _, times = str(document["revision"]).partition(".")
    return {
        **document,
        "revision": f"{whole}.{int(times or 0) + 1}",
        "intercept": document["intercept"] + offset,
        "scale": {**document["scale"], "base_log_odds": document["scale"]["base_log_odds"] + offset},
        "bands": [{**band, "pd_below": shifted(band["pd_below"])} for band in document["bands"]],
        "about": {
            **document["about"],
            "pd_bins": {**bins, "edges": [shifted(edge) for edge in bins["edges"]]},
            "recalibrated": {"from": document["sha256"], **change.model_dump()},
        },
    }


def read_served(lines: Sequence[str]) -> list[Served]:
    """Raises SystemExit with one sentence that names the first line that cannot be read."""
    served = []
    for number, line in enumerate(lines, start=1):
        try:
            one = json.loads(line)
            bad = one.get("bad")
            if not isinstance(one["readings"], dict) or bad not in (None, True, False):
                raise TypeError
            served.append(Served(one["readings"], None if bad is None else bool(bad)))
        except (ValueError, KeyError, TypeError, AttributeError):
            sys.exit(f"Line {number} is not a score that was served: {line[:60].strip()}")
    return served


def _score_counts(model: Artefact, pds: Sequence[float]) -> tuple[list[int], list[int]]:
    bins = model.about["pd_bins"]
    actual = [0] * len(bins["counts"])
    for pd in pds:
        actual[sum(pd >= edge for edge in bins["edges"])] += 1
    return bins["counts"], actual


def _feature_counts(
    model: Artefact, shape: artefact.Shape, served: Sequence[Served]
) -> tuple[list[int], list[int]]:
    """Neighbouring cells are put together until each holds a twentieth of training; what is missing or cannot
    be read stands by itself."""
    cells = model.about["cells"][shape.feature]
    actual = [0] * len(cells)
    for one in served:
        cell = shape.cell(one.readings.get(shape.feature))
        actual[-1 if cell is None else cell] += 1
    expected_bins, actual_bins = [0], [0]
    least = SHARE_MIN * sum(cells)
    for there, here in zip(cells[:-1], actual[:-1], strict=True):
        if expected_bins[-1] >= least:
            expected_bins.append(0)
            actual_bins.append(0)
        expected_bins[-1] += there
        actual_bins[-1] += here
    return [*expected_bins, cells[-1]], [*actual_bins, actual[-1]]


def _stability(expected: Sequence[int], actual: Sequence[int]) -> dict[str, Any] | None:
    """None where nobody was scored."""
    if not sum(actual):
        return None
    return population_stability(Distributions(expected=tuple(expected), actual=tuple(actual))).model_dump()


def _trial(observed: Sequence[Observed]) -> dict[str, Any] | None:
    """Log loss of the newest third, by the model as it is and with the offset of the two thirds before."""
    until = round(len(observed) * LEARNT)
    earlier, later = observed[:until], observed[until:]
    learnt = recalibrate(earlier)
    if learnt is None or not later:
        return None
    losses = {
        name: math.fsum(_loss(case, offset / MILLION) for case in later) / len(later)
        for name, offset in (("champion", 0), ("challenger", learnt.offset_micro))
    }
    return {"tried_on": len(later), **losses}


def _loss(case: Observed, offset: float) -> float:
    inside = min(MILLION - 1, max(1, case.pd_ppm))
    log_odds = math.log(inside / (MILLION - inside)) + offset
    return -math.log(max(1e-12, sigmoid(log_odds if case.defaulted else -log_odds)))


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/credit_drift", description=__doc__)
    parser.add_argument("--model", default="applicant", help="a shipped model, or the file of one")
    parser.add_argument("--scores", type=Path, required=True, help="JSON lines of scores that were served")
    parser.add_argument("--out", type=Path, help="folder for the record, and for a new version of the model")
    asked = parser.parse_args()
    path = Path(asked.model)
    file = path if path.suffix == ".json" else artefact.FOLDER / f"{asked.model}.json"
    text = file.read_text(encoding="utf-8")
    model = artefact.read(text, file.stem)
    found = report(model, read_served(asked.scores.read_text(encoding="utf-8").splitlines()))
    found["advice"] = "keep"
    if advises_change(found):
        new = artefact.write(moved(json.loads(text), Recalibration(**found["recalibration"])))
        found |= {"advice": "recalibrate", "challenger": artefact.read(new, file.stem).version}
        if asked.out:
            asked.out.mkdir(parents=True, exist_ok=True)
            (asked.out / file.name).write_text(new, encoding="utf-8")
    record = json.dumps(found, indent=1)
    if asked.out:
        asked.out.mkdir(parents=True, exist_ok=True)
        (asked.out / "record.json").write_text(record + "\n", encoding="utf-8")
    print(record)
    return 0


if __name__ == "__main__":
    sys.exit(main())
