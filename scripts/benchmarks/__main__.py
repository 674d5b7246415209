"""What the money path costs: each figure a ratio of two things measured in turn, on one emulator."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from infra.local.emulators import firestore_emulator
from scripts.benchmarks import due_scan, imports, money, peers, scoring
from shared.adapters.firestore_client import Client

SCANS = (1_000, 100_000)


@contextmanager
def client() -> Iterator[Client]:
    """A client of a project of its own: no part sees the documents of another."""
    made = Client(project=f"benchmark-{uuid4().hex[:12]}")
    yield made
    made._firestore_api.transport.close()


def measure(parts: set[str]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if "money" in parts:
        with client() as one:
            settle = money.settle_vs_bare(one)
        with client() as one:
            reserve = money.reserve_vs_bare(one)
        told |= {
            "settle_vs_bare_commit_p50": round(settle.p50, 3),
            "settle_vs_bare_commit_p95": round(settle.p95, 3),
            "settle_ms": {"ours": round(settle.ours_ms, 2), "bare": round(settle.bare_ms, 2)},
            "reserve_payout_vs_bare_commit_p50": round(reserve.p50, 3),
            "reserve_payout_ms": {"ours": round(reserve.ours_ms, 2), "bare": round(reserve.bare_ms, 2)},
        }
    if "writers" in parts:
        with client() as one:
            told |= money.writers(one)
    if "billed" in parts:
        with client() as one:
            told["billed"] = money.billed(one)
    if "scan" in parts:
        told["due_scan_reads_per_due_item"] = {}
        for count in SCANS:
            with client() as one:
                told["due_scan_reads_per_due_item"][str(count)] = due_scan.reads_per_due_item(one, count)
    if "imports" in parts:
        told["import_vs_floor"] = imports.import_vs_floor()
    if "peers" in parts:
        told["peers"] = peers.peers()
    if "scores" in parts:
        told["scores"] = scoring.scores()
    return told


PARTS = ("money", "writers", "billed", "scan", "imports", "peers", "scores")


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/benchmark", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument("--only", metavar="a,b", default=",".join(PARTS), help=f"some of {', '.join(PARTS)}")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    with firestore_emulator() as host:
        os.environ["FIRESTORE_EMULATOR_HOST"] = host
        told = measure(set(options.only.split(",")))
    if options.json:
        print(json.dumps(told))
    else:
        _print(told)
    return 0


def _print(told: dict[str, Any], indent: str = "") -> None:
    for name, value in told.items():
        if isinstance(value, dict) and any(isinstance(part, dict) for part in value.values()):
            print(f"{indent}{name}")
            _print(value, f"{indent}  ")
        else:
            parts = value.items() if isinstance(value, dict) else []
            shown = ", ".join(f"{key} {part}" for key, part in parts) or value
            print(f"{indent}{name:{38 - len(indent)}} {shown}")


if __name__ == "__main__":
    sys.exit(main())
