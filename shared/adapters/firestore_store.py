"""The store on Google Cloud Firestore: one round trip to read, one to write, and what its errors mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, reduce
from typing import Any

from google.api_core import exceptions
from google.api_core.retry import Retry, if_exception_type
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from google.cloud.firestore_v1.field_path import FieldPath

from shared.adapters.documents import (
    Plan,
    check_batch,
    check_path,
    cursor_after,
    normalised_fields,
    plan,
    position,
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

# Shorter than callers wait (Stripe about 20 s), so that they hear of trouble from us, not from a cut line.
READ_TIMEOUT_S = 10.0
COMMIT_TIMEOUT_S = 10.0

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
        batch = self.client.batch()
        for write in writes:
            self._add(batch, write)
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
        return Page(found[: query.limit], cursor_after(position(asked, last.path, last.data or {})))

    def read_consistently(self, *queries: Query) -> list[list[Snapshot]]:
        asked = [self._query(query, plan(query)) for query in queries]

        @firestore.transactional
        def read(transaction: firestore.Transaction) -> list[list[Snapshot]]:
            return [[_snapshot(one) for one in query.stream(transaction=transaction)] for query in asked]

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
        client = self.client
        found = (
            client.collection_group(query.collection) if query.group else client.collection(query.collection)
        )
        for names, operator, value in asked.where:
            found = found.where(filter=FieldFilter(_quoted(*names), operator, value))
        fields = [*(_quoted(*names) for names in asked.orders), FieldPath.document_id()]
        for field, descending in zip(fields, asked.descending, strict=True):
            found = found.order_by(field, direction="DESCENDING" if descending else "ASCENDING")
        return found

    def _add(self, batch: Any, write: Write) -> None:
        reference = self.client.document(write.path)
        match write:
            case Create(data=data):
                batch.create(reference, normalised_fields(data))
            case Put(data=data):
                batch.set(reference, normalised_fields(data))
            case Update(data=data, version=version):
                fields = {_quoted(name): value for name, value in normalised_fields(data).items()}
                batch.update(reference, fields, self._unchanged_since(version))
            case Increment(amounts=amounts, version=None):
                batch.set(reference, _nested(amounts), merge=True)
            case Increment(amounts=amounts, version=version):
                added = {_quoted(*names): firestore.Increment(amount) for names, amount in amounts.items()}
                batch.update(reference, added, self._unchanged_since(version))
            case Delete(version=None):
                batch.delete(reference)
            case Delete(version=version):
                batch.delete(reference, self._unchanged_since(version))

    def _unchanged_since(self, version: object) -> Any:
        return self.client.write_option(last_update_time=version)


def _snapshot(found: Any) -> Snapshot:
    data = found.to_dict()
    path = found.reference.path
    return Snapshot(path) if data is None else Snapshot(path, normalised_fields(data), found.update_time)


def _quoted(*names: str) -> str:
    """A field path as Firestore writes it: an account's name has a ':', and so wants quoting."""
    return FieldPath(*names).to_api_repr()


def _nested(amounts: Mapping[tuple[str, ...], int]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for names, amount in amounts.items():
        holder = reduce(lambda held, name: held.setdefault(name, {}), names[:-1], fields)
        holder[names[-1]] = firestore.Increment(amount)
    return fields


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
