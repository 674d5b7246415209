"""The store on Google Cloud Firestore: one round trip to read, one to write, and what its errors mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from google.api_core import exceptions
from google.api_core.retry import Retry, if_exception_type
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from google.cloud.firestore_v1.field_path import FieldPath
from google.protobuf.timestamp_pb2 import Timestamp

from shared.adapters.documents import (
    Plan,
    check_batch,
    check_path,
    cursor_after,
    normalised,
    plan,
)
from shared.adapters.firestore_messages import Version, decoded, quoted, write_message
from shared.ports import (
    AlreadyExists,
    OutcomeUnknown,
    Page,
    Query,
    Snapshot,
    Stale,
    Store,
    StoreUnavailable,
    Write,
)

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from shared.adapters.firestore_client import Client

# Ten times what a slow answer takes, and less than our callers wait: they hear of trouble from us.
READ_TIMEOUT_S = 10.0
COMMIT_TIMEOUT_S = 10.0
WHOLE_READ_TIMEOUT_S = 60.0  # a consistent read has no pages

# Requests beside those that callers make themselves, in all of an instance: three for each of five use cases
# at once, and one more. The others wait for their turn.
SIDE_BY_SIDE_MAX = 16

# Reading twice does no harm.
READ_RETRY = Retry(
    predicate=if_exception_type(
        exceptions.ServiceUnavailable, exceptions.InternalServerError, exceptions.DeadlineExceeded
    ),
    initial=0.05,
    maximum=1.0,
    multiplier=2.0,
    timeout=READ_TIMEOUT_S,
)


class FirestoreStore(Store):
    """Firestore through Google's client, made at the first call: gRPC does not survive the server's fork."""

    def __init__(self, client_factory: Callable[[], Client]) -> None:
        self._client_factory = client_factory

    @cached_property
    def client(self) -> Any:
        """The one client of this instance."""
        return self._client_factory()

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        """Threads for requests side by side; the client is one that several may use at once."""
        from concurrent.futures import ThreadPoolExecutor  # not at a cold start: most use cases ask in turn

        return ThreadPoolExecutor(SIDE_BY_SIDE_MAX, thread_name_prefix="store")

    def load(self, *paths: str) -> list[Snapshot]:
        if not paths:
            return []
        for path in paths:
            check_path(path)
        names = [self.client.name(path) for path in paths]
        with _read_errors():
            answers = self.client.batch_get(dict.fromkeys(names), READ_RETRY, READ_TIMEOUT_S)
            found = {answer.missing or answer.found.name: answer for answer in answers}
        return [_loaded(path, found[name]) for path, name in zip(paths, names, strict=True)]

    def commit(self, writes: Sequence[Write]) -> None:
        check_batch(writes)
        if not writes:
            return
        messages = [write_message(write, self.client.name(write.path)) for write in writes]
        with _commit_errors():
            # Not sent again if its answer was lost: if the first had applied, our own write would come back
            # as AlreadyExists or Stale, as if it were another's.
            self.client.commit(messages, COMMIT_TIMEOUT_S)

    def query(self, query: Query) -> Page:
        asked = plan(query)
        pages = self._query(query, asked).limit(query.limit + 1)  # one more tells whether there is more
        if asked.after:
            pages = pages.start_after([*asked.after.values, self.client.document(asked.after.path)])
        with _read_errors():
            found = [_snapshot(one) for one in pages.stream(retry=READ_RETRY, timeout=READ_TIMEOUT_S)]
        if len(found) <= query.limit:
            return Page(found)
        last = found[query.limit - 1]
        return Page(found[: query.limit], cursor_after(asked, last.path, last.data or {}))

    def gather(self, paths: Sequence[str], *queries: Query) -> tuple[list[Snapshot], list[Page]]:
        requests: list[Callable[[], Any]] = [partial(self.query, query) for query in queries]
        if paths:
            requests.insert(0, partial(self.load, *paths))
        answers = self._side_by_side(requests)
        return (answers.pop(0) if paths else []), answers

    def _side_by_side(self, requests: Sequence[Callable[[], Any]]) -> list[Any]:
        """What each request answers; raises the first error among them, once none is under way any more."""
        if not requests:
            return []
        here, *elsewhere = requests  # who waits anyway makes one of them
        under_way = [self._threads.submit(request) for request in elsewhere]
        try:
            first = here()
        finally:
            for one in under_way:
                one.exception()
        return [first, *(one.result() for one in under_way)]

    def read_consistently(self, *queries: Query) -> list[list[Snapshot]]:
        asked = [self._query(query, plan(query)) for query in queries]

        @firestore.transactional
        def read(transaction: firestore.Transaction) -> list[list[Snapshot]]:
            answers = (query.stream(transaction=transaction, timeout=WHOLE_READ_TIMEOUT_S) for query in asked)
            return [[_snapshot(one) for one in answer] for answer in answers]

        with _read_errors():
            found: list[list[Snapshot]] = read(self.client.transaction(read_only=True))
        return found

    def count(self, query: Query) -> int:
        counting = self._query(query, plan(query)).count()
        with _read_errors():
            ((result,),) = counting.get(retry=READ_RETRY, timeout=READ_TIMEOUT_S)
        return int(result.value)

    def _query(self, query: Query, asked: Plan) -> Any:
        """The client's query, without the page."""
        collection = self.client.collection_group if query.group else self.client.collection
        found = collection(query.collection)
        for names, operator, value in asked.where:
            found = found.where(filter=FieldFilter(quoted(*names), operator, value))
        fields = [*(quoted(*names) for names in asked.orders), FieldPath.document_id()]
        for field, descending in zip(fields, asked.descending, strict=True):
            found = found.order_by(field, direction="DESCENDING" if descending else "ASCENDING")
        return found


# --- reading ---------------------------------------------------------------------------------------------


def _loaded(path: str, answer: Any) -> Snapshot:
    """A document that was asked for, of Firestore's message."""
    if answer.missing:
        return Snapshot(path)
    return Snapshot(path, decoded(answer.found.fields), Version.of(answer.found.update_time))


def _snapshot(found: Any) -> Snapshot:
    """A document that a query found, of the client's snapshot."""
    data, moment = found.to_dict(), found.update_time
    _make_plain(data, data.items())
    # Of a query in all collections the client gives out the message's own time, of one in a single collection
    # a datetime with nanoseconds.
    version = Version.of(moment if isinstance(moment, Timestamp) else moment.timestamp_pb())
    return Snapshot(found.reference.path, data, version)


def _make_plain(holder: Any, parts: Iterable[tuple[Any, Any]]) -> None:
    """The client's datetimes are of a kind of its own, with nanoseconds: replace them where they stand."""
    for key, value in parts:
        if type(value) is dict:
            _make_plain(value, value.items())
        elif type(value) is list:
            _make_plain(value, enumerate(value))
        elif isinstance(value, datetime):
            holder[key] = normalised(value)


# --- errors ----------------------------------------------------------------------------------------------


@contextmanager
def _read_errors() -> Iterator[None]:
    try:
        yield
    except exceptions.InvalidArgument as error:
        raise ValueError(str(error)) from error
    except exceptions.GoogleAPIError as error:
        raise StoreUnavailable(str(error)) from error
    except ValueError as error:
        # The client rolls back a transaction even if it never began, and the ValueError of that hides why.
        if isinstance(error.__context__, exceptions.GoogleAPIError):
            raise StoreUnavailable(str(error.__context__)) from error
        raise


@contextmanager
def _commit_errors() -> Iterator[None]:
    """What Firestore said of a commit. What it did not surely refuse may have been applied."""
    try:
        yield
    except exceptions.AlreadyExists as error:
        raise AlreadyExists(str(error)) from error
    except (exceptions.FailedPrecondition, exceptions.NotFound, exceptions.Aborted) as error:
        raise Stale(str(error)) from error
    except exceptions.InvalidArgument as error:
        raise ValueError(str(error)) from error
    except (exceptions.ResourceExhausted, exceptions.Forbidden, exceptions.Unauthorized) as error:
        raise StoreUnavailable(str(error)) from error
    except exceptions.GoogleAPIError as error:
        # Also UNAVAILABLE: the line can break after the batch was applied and before we hear of it.
        raise OutcomeUnknown(str(error)) from error
