"""What the memory store lets a simulator do beyond the port: torn reads, and commits whose answer is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from shared.adapters.memory_store import MemoryStore
from shared.ports import Create, Increment, OutcomeUnknown, Put, Query, Snapshot, Write


def torn_by(*batches: list[Write]) -> MemoryStore:
    """A store that commits one more batch after each document read, and reads the last asked for first."""
    left = list(batches)

    def torn_reads(paths: Sequence[str]) -> Iterator[str]:
        for path in reversed(paths):
            yield path
            if left:
                store.commit(left.pop(0))

    store = MemoryStore(torn_reads)
    return store


def test_others_may_commit_between_two_documents_of_one_load() -> None:
    store = torn_by([Put("c/a", {"n": 2}), Put("c/b", {"n": 2})])
    store.commit([Put("c/a", {"n": 1}), Put("c/b", {"n": 1})])

    torn = store.load("c/a", "c/b")
    assert [found.data for found in torn] == [{"n": 2}, {"n": 1}]
    assert [found.data for found in store.load("c/a", "c/b")] == [{"n": 2}, {"n": 2}]


def test_a_torn_query_has_whole_documents_that_match_and_never_stood_together() -> None:
    store = torn_by(
        [Put("c/a", {"open": False}), Put("c/b", {"open": True, "n": 2}), Put("c/d", {"open": True})]
    )
    store.commit([Put(f"c/{name}", {"open": True, "n": 1}) for name in "abc"])

    assert store.query(Query("c", [("open", "==", True)])).documents == [
        Snapshot("c/b", {"open": True, "n": 2}, version=2),
        Snapshot("c/c", {"open": True, "n": 1}, version=1),
    ]


def test_consistent_reads_are_never_torn() -> None:
    store = torn_by([Put("c/a", {"n": 2}), Put("d/a", {"n": 2})])
    store.commit([Put("c/a", {"n": 1}), Put("d/a", {"n": 1})])
    ((first,), (second,)) = store.read_consistently(Query("c"), Query("d"))
    assert (first.data, second.data) == ({"n": 1}, {"n": 1})


def test_a_lost_answer_is_a_subclass_that_raises_after_the_commit() -> None:
    class Forgetful(MemoryStore):
        def commit(self, writes: Sequence[Write]) -> None:
            super().commit(writes)
            raise OutcomeUnknown

    store = Forgetful()
    with pytest.raises(OutcomeUnknown):
        store.commit([Create("c/fact", {"command_id": "cmd_1"})])
    assert store.load("c/fact")[0].data == {"command_id": "cmd_1"}


def test_versions_are_the_numbers_of_commits_so_that_runs_of_a_seed_are_alike() -> None:
    def run() -> list[Snapshot]:
        store = MemoryStore()
        for n in range(3):
            store.commit([Increment("c/a", {("n",): n}), Create(f"c/{n}", {"n": n})])
        return [*store.load("c/a", "c/0", "c/2"), *store.query(Query("c")).documents]

    assert run() == run()
    assert [found.version for found in run()[:3]] == [3, 1, 3]
