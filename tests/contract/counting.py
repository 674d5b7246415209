"""Counts, at the wire of a Firestore client, what a use case costs: documents read and written, waits.

with counting(store.client) as costs:
    settle(...)
assert (costs.documents_read, costs.documents_written, costs.waits) == (2, 3, 2)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from threading import Lock, get_ident
from typing import Any

import grpc
from google.cloud import firestore
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport

ENTRIES_PER_READ = 1_000  # an aggregation is billed as one read for so many index entries


@dataclass(slots=True)
class Costs:
    """As Firestore bills it: a missing document is a read, and so is a query that finds nothing.

    `requests` are all that were sent, retries included. `waits` are the round trips one after another: what
    is asked side by side is one. They are told by the thread, as by the clock each run would have others: of
    requests side by side, the thread that waits for them all sends one, and other threads send one each
    (`FirestoreStore.gather`). What those send again in trouble is a request, and no wait.
    """

    documents_read: int = 0
    documents_written: int = 0
    documents_deleted: int = 0
    calls: list[str] = field(default_factory=list)
    waits: int = field(default=0, compare=False)
    _thread: int = field(default_factory=get_ident, repr=False, compare=False)
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    @property
    def requests(self) -> int:
        return len(self.calls)

    def sent(self, method: str) -> None:
        self.calls.append(method)
        self.waits += get_ident() == self._thread

    def add(self, read: int = 0, written: int = 0, deleted: int = 0) -> None:
        with self._lock:  # several threads may share the client
            self.documents_read += read
            self.documents_written += written
            self.documents_deleted += deleted


class Interceptor(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):  # type: ignore[type-arg]
    """Sees both kinds of calls that the client makes. (Generic in gRPC's type stubs alone.)"""


@contextmanager
def counting(client: firestore.Client) -> Iterator[Costs]:
    """Count what goes over the wire of this client meanwhile, retries included."""
    costs = Costs()
    with intercepted(client, _Counter(costs)):
        yield costs


@contextmanager
def intercepted(client: firestore.Client, interceptor: Interceptor) -> Iterator[None]:
    """Let an interceptor see every call of the client meanwhile. Blocks can be nested."""
    api = client._firestore_api
    channel = grpc.intercept_channel(api.transport.grpc_channel, interceptor)
    client._firestore_api_internal = FirestoreClient(transport=FirestoreGrpcTransport(channel=channel))
    try:
        yield
    finally:
        client._firestore_api_internal = api


def method_of(details: grpc.ClientCallDetails) -> str:
    """`Commit` of `/google.firestore.v1.Firestore/Commit`."""
    return str(details.method).rpartition("/")[2]


class _Counter(Interceptor):
    def __init__(self, costs: Costs) -> None:
        self._costs = costs

    def intercept_unary_unary(self, continuation: Any, details: grpc.ClientCallDetails, request: Any) -> Any:
        self._costs.sent(method_of(details))
        call = continuation(details, request)
        if method_of(details) == "Commit" and call.exception() is None:
            deletes = sum(bool(write.delete) for write in request.writes)
            self._costs.add(written=len(request.writes) - deletes, deleted=deletes)
        return call

    def intercept_unary_stream(self, continuation: Any, details: grpc.ClientCallDetails, request: Any) -> Any:
        self._costs.sent(method_of(details))
        reads_at_least = 0 if method_of(details) == "BatchGetDocuments" else 1
        return _Answers(continuation(details, request), self._costs, reads_at_least)


class _Answers:
    """A stream of answers that counts the reads in it as they pass."""

    def __init__(self, call: Any, costs: Costs, reads_at_least: int) -> None:
        self._call = call
        self._costs = costs
        self._reads_at_least = reads_at_least

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            answer = next(self._call)
        except StopIteration:
            self._count(self._reads_at_least)
            raise
        self._count(_reads(answer))
        return answer

    def _count(self, reads: int) -> None:
        self._reads_at_least -= min(reads, self._reads_at_least)
        self._costs.add(read=reads)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)


def _reads(answer: Any) -> int:
    count: Callable[[Any], int] = {
        "BatchGetDocumentsResponse": lambda got: int(got._pb.WhichOneof("result") is not None),
        "RunQueryResponse": lambda found: int(found._pb.HasField("document")),
        "RunAggregationQueryResponse": lambda counted: sum(
            ceil(value.integer_value / ENTRIES_PER_READ) for value in counted.result.aggregate_fields.values()
        ),
    }[type(answer).__name__]
    return count(answer)
