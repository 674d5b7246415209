"""The store on Google Cloud Firestore: one round trip to read, one to write, and what its errors mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, cast

from google.api_core import exceptions
from google.api_core.retry import Retry, if_exception_type
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from google.cloud.firestore_v1.batch import WriteBatch
from google.cloud.firestore_v1.field_path import FieldPath
from google.cloud.firestore_v1.types import Write as WriteMessage
from google.protobuf.timestamp_pb2 import Timestamp

from shared.adapters.documents import (
    Plan,
    check_batch,
    check_path,
    cursor_after,
    normalised,
    normalised_fields,
    plan,
)
from shared.ports import (
    AlreadyExists,
    Create,
    Delete,
    Increment,
    OutcomeUnknown,
    Page,
    Put,
    Query,
    Snapshot,
    Stale,
    Store,
    StoreUnavailable,
    Update,
    Write,
)

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

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

    def __init__(self, client_factory: Callable[[], firestore.Client]) -> None:
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
        references = [self.client.document(path) for path in paths]
        with _read_errors():
            answer = self.client.get_all(references, retry=READ_RETRY, timeout=READ_TIMEOUT_S)
            found = {snapshot.path: snapshot for snapshot in map(_snapshot, answer)}
        return [found[path] for path in paths]  # they come in any order, and each once

    def commit(self, writes: Sequence[Write]) -> None:
        check_batch(writes)
        if not writes:
            return
        batch = _Batch(self.client)
        for write in writes:
            batch.add(write)
        with _commit_errors():
            # No retry: the client would send a batch again whose answer was lost, and if the first had
            # applied, our own write would come back as AlreadyExists or Stale, as if it were another's.
            batch.commit(retry=None, timeout=COMMIT_TIMEOUT_S)

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
            found = found.where(filter=FieldFilter(_quoted(*names), operator, value))
        fields = [*(_quoted(*names) for names in asked.orders), FieldPath.document_id()]
        for field, descending in zip(fields, asked.descending, strict=True):
            found = found.order_by(field, direction="DESCENDING" if descending else "ASCENDING")
        return found


def _quoted(*names: str) -> str:
    """A field path as Firestore writes it: an account's name has a ':', and so wants quoting."""
    return FieldPath(*names).to_api_repr()


# --- reading ---------------------------------------------------------------------------------------------


def _snapshot(found: Any) -> Snapshot:
    data = found.to_dict()
    if data is None:
        return Snapshot(found.reference.path)
    _make_plain(data, data.items())
    return Snapshot(found.reference.path, data, found.update_time)


def _make_plain(holder: Any, parts: Iterable[tuple[Any, Any]]) -> None:
    """The client's datetimes are of a kind of its own, with nanoseconds: replace them where they stand."""
    for key, value in parts:
        if type(value) is dict:
            _make_plain(value, value.items())
        elif type(value) is list:
            _make_plain(value, enumerate(value))
        elif isinstance(value, datetime):
            holder[key] = normalised(value)


# --- writing ---------------------------------------------------------------------------------------------


class _Batch(WriteBatch):
    """The client's batch, filled with the same messages without the client's encoder.

    That one wraps each value of each field and looks for transforms among them: 0.7 ms for the three writes
    of a settlement where this takes 0.1, of the 4 ms that the whole commit and its load take.
    """

    def add(self, write: Write) -> None:
        name = f"{self._client._database_string}/documents/{write.path}"
        message = WriteMessage.pb()()
        if isinstance(write, Delete):
            message.delete = name
        else:
            message.update.name = name
        match write:
            case Create(data=data):
                message.current_document.exists = False
                _encode_fields(data, message.update.fields)
            case Put(data=data):
                _encode_fields(data, message.update.fields)
            case Update(data=data):
                _encode_fields(data, message.update.fields)
                message.update_mask.field_paths.extend(map(_quoted, message.update.fields))
            case Increment(amounts=amounts):
                message.update_mask.SetInParent()  # an empty mask: nothing but the increments
                for names, amount in amounts.items():
                    transform = message.update_transforms.add(field_path=_quoted(*names))
                    transform.increment.integer_value = amount
        if isinstance(write, Update | Increment | Delete) and write.version is not None:
            message.current_document.update_time.CopyFrom(_timestamp(write.version))
        self._add_write_pbs([WriteMessage.wrap(message)])


def _timestamp(version: object) -> Timestamp:
    """A version is what `_snapshot` gave out: Firestore's update time, to the nanosecond."""
    timestamp: Timestamp = cast(Any, version).timestamp_pb()
    return timestamp


def _encode_fields(data: Mapping[str, Any], fields: Any) -> None:
    for name, value in normalised_fields(data).items():
        _encode(value, fields[name])


def _encode(value: Any, message: Any) -> None:
    """Write a normalised value into a protobuf `Value`."""
    kind = type(value)
    if kind is str:
        message.string_value = value
    elif kind is bool:
        message.boolean_value = value
    elif kind is int:
        message.integer_value = value
    elif value is None:
        message.null_value = 0
    elif kind is datetime:
        message.timestamp_value.FromDatetime(value)
    elif kind is dict:
        message.map_value.SetInParent()  # else an empty map would be no value at all
        for name, part in value.items():
            _encode(part, message.map_value.fields[name])
    else:
        message.array_value.SetInParent()
        for part in value:
            _encode(part, message.array_value.values.add())


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
