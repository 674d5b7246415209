"""Finding what is due: as many reads among a hundred thousand contributions as among a thousand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from scripts.benchmarks.money import planted_dues, platform
from shared.adapters import firestore_store
from shared.adapters.firestore_client import Client
from shared.services.collect_contributions import due
from tests.contract.counting import counting

DUE = 50

PATIENCE_SECONDS = 120.0
"""The emulator has no index: it looks through all that there is, for longer than Firestore is given."""


@contextmanager
def _patiently() -> Iterator[None]:
    retry = firestore_store.READ_RETRY.with_timeout(PATIENCE_SECONDS)
    with (
        patch.object(firestore_store, "READ_TIMEOUT_S", PATIENCE_SECONDS),
        patch.object(firestore_store, "READ_RETRY", retry),
    ):
        yield


def reads_per_due_item(client: Client, contributions: int) -> float:
    """Documents read to find 50 due ones among so many."""
    world = platform(client)
    planted_dues(client, world, contributions, DUE)
    with counting(client) as costs, _patiently():
        found = due(world.ctx, "contributions")
    if len(found) != DUE:
        raise AssertionError(f"{len(found)} were found, not {DUE}")
    return costs.documents_read / DUE
