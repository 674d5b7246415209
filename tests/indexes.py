"""Which queries Firestore has an index for: it refuses the others, and its emulator does not.

By the rules of https://firebase.google.com/docs/firestore/query-data/index-overview.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from shared.adapters.documents import RANGES
from shared.adapters.memory_store import MemoryStore
from shared.ports import Page, Query, Snapshot

FILE = Path(__file__).parents[1] / "infra" / "firestore.indexes.json"


class IndexedStore(MemoryStore):
    """The store in memory, but for queries that would fail in Firestore for want of an index."""

    def query(self, query: Query) -> Page:
        require_index(query)
        return super().query(query)

    def read_consistently(self, *queries: Query) -> list[list[Snapshot]]:
        for query in queries:
            require_index(query)
        return super().read_consistently(*queries)

    def count(self, query: Query) -> int:
        require_index(query)
        return super().count(query)


def require_index(query: Query) -> None:
    """Raises AssertionError: the query requires an index."""
    shape = tuple((field, operator) for field, operator, _ in query.where)
    collection = query.collection.rpartition("/")[2]
    if not _is_served(collection, query.group, shape, tuple(query.order_by)):
        scope = "all collections" if query.group else "the collection"
        raise AssertionError(f"no index of {scope} {collection} for {shape}, ordered by {query.order_by}")


@cache
def _is_served(
    collection: str, group: bool, where: Sequence[tuple[str, str]], order_by: Sequence[str]
) -> bool:
    equal = {field for field, operator in where if operator not in RANGES}
    orders = list(order_by) or sorted({field for field, operator in where if operator in RANGES})
    fields = equal | {order.removeprefix("-") for order in orders}
    if not fields:
        return True  # by name
    if len(fields) == 1 or not orders:  # Firestore merges the indexes of equalities by itself
        return all(_has_own_index(collection, group, field) for field in fields)
    return any(_fits(index, equal, orders) for index in _composite(collection, group))


def _has_own_index(collection: str, group: bool, field: str) -> bool:
    """Made by itself for one collection, unless that is switched off; never for all of a name."""
    override = next(
        (
            one
            for one in _declared()["fieldOverrides"]
            if (one["collectionGroup"], one["fieldPath"]) == (collection, field)
        ),
        None,
    )
    if override is None:
        return not group
    scope = "COLLECTION_GROUP" if group else "COLLECTION"
    return any(index.get("queryScope", "COLLECTION") == scope for index in override["indexes"])


def _composite(collection: str, group: bool) -> list[list[tuple[str, str]]]:
    scope = "COLLECTION_GROUP" if group else "COLLECTION"
    return [
        [(field["fieldPath"], field["order"]) for field in index["fields"]]
        for index in _declared()["indexes"]
        if (index["collectionGroup"], index["queryScope"]) == (collection, scope)
    ]


def _fits(index: list[tuple[str, str]], equal: set[str], orders: list[str]) -> bool:
    """Its first fields are those that are equal, in any order; the others are as ordered, or all reversed."""
    first, rest = index[: len(equal)], index[len(equal) :]
    wanted = [(order.removeprefix("-"), "DESCENDING" if order[0] == "-" else "ASCENDING") for order in orders]
    other = {"ASCENDING": "DESCENDING", "DESCENDING": "ASCENDING"}
    return {field for field, _ in first} == equal and rest in (
        wanted,
        [(field, other[way]) for field, way in wanted],
    )


@cache
def _declared() -> dict[str, Any]:
    declared: dict[str, Any] = json.loads(FILE.read_text())
    return declared
