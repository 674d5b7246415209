"""Two things timed in turn, so that whatever else the machine does falls on both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ratio:
    """How much longer ours takes than the bare thing, at the median and at the 95th percentile."""

    p50: float
    p95: float
    ours_ms: float
    bare_ms: float


def seconds_of(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of all lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def in_turn(pairs: Sequence[tuple[Callable[[], object], Callable[[], object]]]) -> Ratio:
    """Ours and the bare thing of each pair, one after the other, each first in every second pair."""
    ours: list[float] = []
    bare: list[float] = []
    for at, (our, their) in enumerate(pairs):
        if at % 2:
            bare.append(seconds_of(their))
            ours.append(seconds_of(our))
        else:
            ours.append(seconds_of(our))
            bare.append(seconds_of(their))
    return Ratio(
        p50=percentile(ours, 0.5) / percentile(bare, 0.5),
        p95=percentile(ours, 0.95) / percentile(bare, 0.95),
        ours_ms=percentile(ours, 0.5) * 1000,
        bare_ms=percentile(bare, 0.5) * 1000,
    )


def median_run(runs: Sequence[Ratio]) -> Ratio:
    """The median of each figure over several runs."""
    return Ratio(
        *(statistics.median(getattr(run, name) for run in runs) for name in Ratio.__dataclass_fields__)
    )
