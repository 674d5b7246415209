"""Finding what is due: as many reads among a hundred thousand contributions as among a thousand."""

from __future__ import annotations

from google.cloud import firestore

from scripts.benchmarks.money import planted_dues, platform
from shared.services.collect_contributions import due
from tests.contract.counting import counting

DUE = 50


def reads_per_due_item(client: firestore.Client, contributions: int) -> float:
    """Documents read to find 50 due ones among so many."""
    world = platform(client)
    planted_dues(client, world, contributions, DUE)
    with counting(client) as costs:
        found = due(world.ctx, "contributions")
    if len(found) != DUE:
        raise AssertionError(f"{len(found)} were found, not {DUE}")
    return costs.documents_read / DUE
