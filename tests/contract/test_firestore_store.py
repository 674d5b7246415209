"""What the Firestore adapter promises beyond the port: its costs, and what it makes of Firestore's errors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest
from grpc import StatusCode

from shared.adapters import firestore_store
from shared.adapters.firestore_client import Client
from shared.adapters.firestore_messages import Version
from shared.adapters.firestore_store import FirestoreStore
from shared.ports import (
    AlreadyExists,
    Create,
    Delete,
    Increment,
    OutcomeUnknown,
    Put,
    Query,
    Stale,
    StoreUnavailable,
    Update,
    Write,
)
from tests.contract.counting import Costs, Interceptor, counting, intercepted
from tests.contract.faults import failing


@pytest.fixture
def store(firestore_client: Client) -> FirestoreStore:
    return FirestoreStore(lambda: firestore_client)


class Meeting(Interceptor):
    """Lets requests go on only when so many of them have come."""

    def __init__(self, requests: int) -> None:
        self._all_here = Barrier(requests, timeout=30)

    def intercept_unary_stream(self, continuation: Any, details: Any, request: Any) -> Any:
        self._all_here.wait()
        return continuation(details, request)

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        return continuation(details, request)


def costs_of(store: FirestoreStore, work: Callable[[], object]) -> Costs:
    with counting(store.client) as costs:
        work()
    return costs


def test_the_client_is_made_once_and_not_before_it_is_needed(firestore_client: Client) -> None:
    made: list[Client] = []

    def factory() -> Client:
        made.append(firestore_client)
        return firestore_client

    store = FirestoreStore(factory)
    assert store.load() == []
    store.commit([])
    assert made == []
    store.load("c/a")
    store.commit([Put("c/a", {})])
    assert len(made) == 1


# --- costs -----------------------------------------------------------------------------------------------


def test_load_and_commit_cost_one_round_trip_each(store: FirestoreStore) -> None:
    store.commit([Put("c/a", {"n": 1}), Put("c/b", {"n": 1})])
    a, b, _ = store.load("c/a", "c/b", "c/none")

    assert costs_of(store, lambda: store.load("c/b", "c/none", "c/a", "c/b")) == Costs(
        documents_read=3, calls=["BatchGetDocuments"]
    )
    batch: list[Write] = [
        Create("c/new", {"n": 1}),
        Update("c/a", {"n": 2}, a.version),
        Increment("c/balance", {("debits", "cash:stripe"): 1}),
        Delete("c/b", b.version),
    ]
    assert costs_of(store, lambda: store.commit(batch)) == Costs(
        documents_written=3, documents_deleted=1, calls=["Commit"]
    )


def test_a_refused_commit_costs_no_write(store: FirestoreStore) -> None:
    store.commit([Create("c/a", {})])

    def create_again() -> None:
        with pytest.raises(AlreadyExists):
            store.commit([Create("c/a", {}), Put("c/b", {})])

    assert costs_of(store, create_again) == Costs(calls=["Commit"])


def test_a_page_costs_what_it_holds_and_one_to_see_whether_more_follow(store: FirestoreStore) -> None:
    store.commit([Put(f"c/{n}", {"n": n}) for n in range(5)])
    for query, reads in (
        (Query("c", limit=5), 5),
        (Query("c", limit=3), 4),
        (Query("c", [("n", ">", 3)], ["n"]), 1),
        (Query("none"), 1),
    ):
        assert costs_of(store, lambda query=query: store.query(query)) == Costs(  # type: ignore[misc]
            documents_read=reads, calls=["RunQuery"]
        )


def test_what_is_gathered_costs_what_it_would_by_itself_and_one_wait(store: FirestoreStore) -> None:
    store.commit([Put(f"c/{n}", {"n": n}) for n in range(5)])

    def gather() -> None:
        store.gather(["c/0", "c/none"], Query("c", limit=2), Query("none"), Query("c"))

    def in_turn() -> None:
        store.load("c/0", "c/none")
        for query in (Query("c", limit=2), Query("none"), Query("c")):
            store.query(query)

    for work, waits in ((gather, 1), (in_turn, 4)):
        costs = costs_of(store, work)
        assert (costs.documents_read, costs.requests, costs.waits) == (2 + 3 + 1 + 5, 4, waits)

    costs = costs_of(store, lambda: store.gather([], Query("c"), Query("none")))
    assert (costs.documents_read, costs.requests, costs.waits) == (5 + 1, 2, 1)
    assert costs_of(store, lambda: store.gather([])) == Costs()


def test_what_is_gathered_is_asked_for_side_by_side(store: FirestoreStore) -> None:
    """No request goes on before all three have come to the wire."""
    store.commit([Put("c/a", {"n": 1}), Put("d/a", {"n": 2})])
    with intercepted(store.client, Meeting(3)):
        (a,), (c, d) = store.gather(["c/a"], Query("c"), Query("d"))
    assert [one.data for one in (a, *c.documents, *d.documents)] == [{"n": 1}, {"n": 1}, {"n": 2}]


def test_more_is_gathered_than_may_go_side_by_side(
    store: FirestoreStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(firestore_store, "SIDE_BY_SIDE_MAX", 2)
    store.commit([Put(f"c{n}/a", {"n": n}) for n in range(8)])
    _, pages = store.gather([], *(Query(f"c{n}") for n in range(8)))
    assert [one.data for page in pages for one in page.documents] == [{"n": n} for n in range(8)]


def test_counting_costs_one_read_and_no_document(store: FirestoreStore) -> None:
    store.commit([Put(f"c/{n}", {"n": n}) for n in range(5)])
    for query in (Query("c"), Query("none")):
        assert costs_of(store, lambda query=query: store.count(query)) == Costs(  # type: ignore[misc]
            documents_read=1, calls=["RunAggregationQuery"]
        )


def test_consistent_reads_cost_a_transaction_around_their_queries(store: FirestoreStore) -> None:
    store.commit([Put("c/a", {}), Put("c/b", {}), Put("d/a", {})])
    costs = costs_of(store, lambda: store.read_consistently(Query("c"), Query("d")))
    assert costs == Costs(documents_read=3, calls=["BeginTransaction", "RunQuery", "RunQuery", "Commit"])


# --- errors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (StatusCode.ALREADY_EXISTS, AlreadyExists),
        (StatusCode.FAILED_PRECONDITION, Stale),
        (StatusCode.NOT_FOUND, Stale),
        (StatusCode.ABORTED, Stale),
        (StatusCode.INVALID_ARGUMENT, ValueError),
        (StatusCode.RESOURCE_EXHAUSTED, StoreUnavailable),
        (StatusCode.PERMISSION_DENIED, StoreUnavailable),
        (StatusCode.UNAUTHENTICATED, StoreUnavailable),
        (StatusCode.UNAVAILABLE, OutcomeUnknown),
        (StatusCode.DEADLINE_EXCEEDED, OutcomeUnknown),
        (StatusCode.INTERNAL, OutcomeUnknown),
        (StatusCode.UNKNOWN, OutcomeUnknown),
        (StatusCode.CANCELLED, OutcomeUnknown),
        (StatusCode.DATA_LOSS, OutcomeUnknown),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_what_a_failed_commit_means(store: FirestoreStore, code: StatusCode, error: type[Exception]) -> None:
    with (
        failing(store.client, "Commit", code),
        counting(store.client) as costs,
        pytest.raises(error) as raised,
    ):
        store.commit([Create("c/a", {"n": 1})])
    assert type(raised.value) is error
    assert costs.calls == ["Commit"]


@pytest.mark.parametrize("code", [StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED, StatusCode.UNKNOWN])
def test_a_commit_whose_answer_is_lost_is_not_sent_again(store: FirestoreStore, code: StatusCode) -> None:
    """Sent again, our own write would come back as AlreadyExists: as another's."""
    lost = failing(store.client, "Commit", code, applied=True)
    with lost, counting(store.client) as costs, pytest.raises(OutcomeUnknown):
        store.commit([Create("c/fact", {"command_id": "cmd_1"})])
    assert costs.calls == ["Commit"]
    assert store.load("c/fact")[0].data == {"command_id": "cmd_1"}


READS: dict[str, Callable[[FirestoreStore], Any]] = {
    "BatchGetDocuments": lambda store: store.load("c/a"),
    "RunQuery": lambda store: store.query(Query("c")),
    "RunAggregationQuery": lambda store: store.count(Query("c")),
    "BeginTransaction": lambda store: store.read_consistently(Query("c")),
}


@pytest.mark.parametrize("method", READS)
def test_reads_are_tried_again_in_passing_trouble(store: FirestoreStore, method: str) -> None:
    store.commit([Put("c/a", {"n": 1})])
    expected = READS[method](store)
    with failing(store.client, method, StatusCode.UNAVAILABLE, times=2):
        assert READS[method](store) == expected


@pytest.mark.parametrize("method", READS)
@pytest.mark.parametrize(
    "code",
    [StatusCode.PERMISSION_DENIED, StatusCode.FAILED_PRECONDITION, StatusCode.ABORTED],
)
def test_reads_that_fail_for_good_are_an_unavailable_store(
    store: FirestoreStore, method: str, code: StatusCode
) -> None:
    with failing(store.client, method, code), pytest.raises(StoreUnavailable):
        READS[method](store)


@pytest.mark.parametrize("method", ["BatchGetDocuments", "RunQuery"])
def test_of_what_is_gathered_all_comes_or_none(store: FirestoreStore, method: str) -> None:
    def gather() -> object:
        return store.gather(["c/a"], Query("c"), Query("d"))

    store.commit([Put("c/a", {"n": 1})])
    expected = gather()
    with (
        failing(store.client, method, StatusCode.PERMISSION_DENIED),
        counting(store.client) as costs,
        pytest.raises(StoreUnavailable),
    ):
        gather()
    assert sorted(costs.calls) == ["BatchGetDocuments", "RunQuery", "RunQuery"]
    with failing(store.client, method, StatusCode.UNAVAILABLE):
        assert gather() == expected


@pytest.mark.parametrize("method", ["BatchGetDocuments", "RunQuery", "RunAggregationQuery"])
def test_reads_give_up_in_the_end(
    store: FirestoreStore, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(firestore_store, "READ_RETRY", firestore_store.READ_RETRY.with_timeout(0.2))
    with failing(store.client, method, StatusCode.UNAVAILABLE, times=1_000), pytest.raises(StoreUnavailable):
        READS[method](store)


def test_what_firestore_alone_refuses_is_a_value_error(store: FirestoreStore) -> None:
    """A value of 1 MiB less 80 bytes fits the document, not a field."""
    with pytest.raises(ValueError, match="longer than"):
        store.commit([Put("c/a", {"f": "x" * (1_048_576 - 80)})])


def test_versions_are_firestores_own_update_times(store: FirestoreStore) -> None:
    before = datetime.now(UTC)
    store.commit([Put("c/a", {})])
    (found,) = store.load("c/a")
    assert isinstance(found.version, Version)
    assert abs(found.version.seconds - before.timestamp()) < 60


def test_a_kind_of_value_that_we_never_write_is_refused_and_not_guessed_at(
    store: FirestoreStore, firestore_client: Client
) -> None:
    firestore_client.document("c/a").set({"share": 0.5})
    with pytest.raises(ValueError, match="double_value"):
        store.load("c/a")
