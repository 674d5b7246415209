"""A query for which Firestore has no index fails in every test that asks it (tests/indexes.py)."""

from __future__ import annotations

from typing import Any

import pytest

from shared.ports import Operator, Query
from tests.builders import World
from tests.indexes import IndexedStore, require_index

Where = list[tuple[str, Operator, Any]]

BOTH: Where = [("uid", "==", "Ada"), ("due_date", ">", "2026-12-01")]


def test_the_services_are_tested_on_a_store_that_wants_indexes() -> None:
    assert isinstance(World().store, IndexedStore)


@pytest.mark.parametrize(
    "query",
    [
        Query("groups/g/journal"),
        Query("journal", group=True),
        Query("users", [("payer", "==", "cus_1")]),
        Query("groups/g/members", [("uid", "==", "Ada"), ("state", "in", ["left"])]),
        Query("groups", [("act_at", "<=", 1)], ["act_at"]),
        Query("contributions", BOTH, ["due_date"], group=True),
        Query("contributions", BOTH, ["-due_date"], group=True),
    ],
)
def test_what_an_index_serves_is_asked(query: Query) -> None:
    require_index(query)


@pytest.mark.parametrize(
    "query",
    [
        Query("contributions", [("uid", "==", "Ada")], group=True),
        Query("journal", order_by=["at"], group=True),
        Query("groups/g/journal", order_by=["committed_at"]),
        Query("groups/g/contributions", BOTH),
        Query("contributions", [*BOTH, ("state", "==", "due")], ["due_date"], group=True),
        Query("access", [("about", "==", "Ada")], ["at", "by"]),
    ],
)
def test_what_no_index_serves_is_refused(query: Query) -> None:
    with pytest.raises(AssertionError, match="no index"):
        require_index(query)
    with pytest.raises(AssertionError, match="no index"):
        IndexedStore().query(query)
