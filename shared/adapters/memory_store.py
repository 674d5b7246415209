"""The store in memory, with Firestore's semantics: for unit tests and for the simulation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from operator import ge, gt, le, lt
from threading import Lock
from typing import Any, NamedTuple

from shared.adapters.documents import (
    DOCUMENT_BYTES_MAX,
    INTEGER_MAX,
    INTEGER_MIN,
    FieldPath,
    Plan,
    check_batch,
    check_path,
    cursor_after,
    normalised_fields,
    plan,
    size_bytes,
    value_at,
)
from shared.ports import (
    AlreadyExists,
    Create,
    Delete,
    Increment,
    Operator,
    Page,
    Put,
    Query,
    Snapshot,
    Stale,
    Store,
    Update,
    Write,
)

TornReads = Callable[[Sequence[str]], Iterable[str]]
"""Yields the paths of one read in the order in which they shall be read, each once.

Between two of them it may let others commit: each document is whole, but together they were never true.
"""


COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


class _Document(NamedTuple):
    """Never changed once stored, so that readers need no lock: a write puts another in its place."""

    data: dict[str, Any]
    version: int


class MemoryStore(Store):
    """Documents in dictionaries; a version is the number of the commit that last changed the document.

    Deterministic and safe under threads and greenlets; no lock is held while `torn_reads` runs. What a
    simulator wants to happen around a call, it does in a subclass: a commit whose answer is lost is one that
    raises OutcomeUnknown after `super().commit(writes)`.
    """

    def __init__(self, torn_reads: TornReads | None = None) -> None:
        self._collections: dict[str, dict[str, _Document]] = {}
        self._groups: defaultdict[str, list[dict[str, _Document]]] = defaultdict(list)
        self._commits = 0
        self._lock = Lock()
        self._torn_reads = torn_reads

    def load(self, *paths: str) -> list[Snapshot]:
        for path in paths:
            check_path(path)
        if self._torn_reads:
            found = {path: self._read(path) for path in self._torn_reads(paths)}
            return [found[path] for path in paths]
        with self._lock:
            return [self._read(path) for path in paths]

    def commit(self, writes: Sequence[Write]) -> None:
        check_batch(writes)
        given = [self._given(write) for write in writes]
        with self._lock:
            outcomes = list(map(self._outcome, writes, given))
            self._commits += 1
            for write, data in zip(writes, outcomes, strict=True):
                self._apply(write.path, data)

    def query(self, query: Query) -> Page:
        asked = plan(query)
        found = self._find(query, asked)
        if self._torn_reads:
            found = self._read_again(found, asked, self._torn_reads)
        if asked.after:
            start = _standing_of(asked.after.values, asked.after.path)
            found = [one for one in found if _is_after(one.standing, start, asked.descending)]
        page = [self._snapshot(one.path, one.document) for one in found[: query.limit]]
        if len(found) <= query.limit:
            return Page(page)
        last = found[query.limit - 1]
        return Page(page, cursor_after(asked, last.path, last.document.data))

    def read_consistently(self, *queries: Query) -> list[list[Snapshot]]:
        asked = [(query, plan(query)) for query in queries]
        with self._lock:
            found = [_find(self._candidates(query), its_plan) for query, its_plan in asked]
        return [[self._snapshot(one.path, one.document) for one in result] for result in found]

    def count(self, query: Query) -> int:
        return len(self._find(query, plan(query)))

    # --- reading ---

    def _get(self, path: str) -> _Document | None:
        collection = self._collections.get(path.rpartition("/")[0])
        return None if collection is None else collection.get(path)

    def _read(self, path: str) -> Snapshot:
        document = self._get(path)
        return Snapshot(path) if document is None else self._snapshot(path, document)

    def _snapshot(self, path: str, document: _Document) -> Snapshot:
        return Snapshot(path, _copy(document.data), document.version)

    def _candidates(self, query: Query) -> Iterable[tuple[str, _Document]]:
        if not query.group:
            return self._collections.get(query.collection, {}).items()
        return (item for collection in self._groups[query.collection] for item in collection.items())

    def _find(self, query: Query, asked: Plan) -> list[_Found]:
        with self._lock:
            return _find(self._candidates(query), asked)

    def _read_again(self, found: list[_Found], asked: Plan, torn_reads: TornReads) -> list[_Found]:
        """Each document as it is at a moment of its own, without those that no longer match."""
        read = [(path, self._get(path)) for path in torn_reads([one.path for one in found])]
        return _find(((path, document) for path, document in read if document), asked)

    # --- writing ---

    def _given(self, write: Write) -> dict[str, Any]:
        return normalised_fields(write.data) if isinstance(write, Create | Update | Put) else {}

    def _outcome(self, write: Write, data: dict[str, Any]) -> dict[str, Any] | None:
        """What the document will hold (None: nothing). Raises what the write is refused with."""
        stored = self._get(write.path)
        if isinstance(write, Create) and stored:
            raise AlreadyExists(f"{write.path} exists.")
        guard = write.version if isinstance(write, Update | Increment | Delete) else None
        if guard is not None and (stored is None or stored.version != guard):
            raise Stale(f"{write.path} has changed since it was read.")
        if isinstance(write, Delete):
            return None
        before = stored.data if stored else {}
        if isinstance(write, Update):
            data = {**before, **data}
        elif isinstance(write, Increment):
            data = _incremented(before, write)
        self._check_size(write.path, data)
        return data

    def _check_size(self, path: str, data: dict[str, Any]) -> None:
        if size_bytes(path, data) > DOCUMENT_BYTES_MAX:
            raise ValueError(f"{path} would be larger than 1 MiB.")

    def _apply(self, path: str, data: dict[str, Any] | None) -> None:
        stored = self._get(path)
        if data is None:
            if stored:
                del self._collections[path.rpartition("/")[0]][path]
        elif stored is None or not _same(stored.data, data):
            self._collection(path.rpartition("/")[0])[path] = _Document(data, self._commits)

    def _collection(self, path: str) -> dict[str, _Document]:
        if path not in self._collections:
            self._collections[path] = {}
            self._groups[path.rpartition("/")[2]].append(self._collections[path])
        return self._collections[path]


# --- values ----------------------------------------------------------------------------------------------


def _copy(value: Any) -> Any:
    """`copy.deepcopy` for what documents hold, twenty times as fast."""
    if type(value) is dict:
        return {name: _copy(part) if type(part) in (dict, list) else part for name, part in value.items()}
    return [_copy(part) if type(part) in (dict, list) else part for part in value]


def _incremented(before: dict[str, Any], write: Increment) -> dict[str, Any]:
    """As Firestore does it: what is no integer counts as 0, what is no map makes way, sums saturate."""
    data: dict[str, Any] = _copy(before)
    for names, amount in write.amounts.items():
        holder = data
        for name in names[:-1]:
            if type(holder.get(name)) is not dict:
                holder[name] = {}
            holder = holder[name]
        held = holder.get(names[-1])
        total = amount + (held if type(held) is int else 0)
        holder[names[-1]] = max(INTEGER_MIN, min(total, INTEGER_MAX))
    return data


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Equal for Firestore, to which True is not 1."""
    return one == other and _rank(one) == _rank(other)


RANKS = {type(None): 0, bool: 1, int: 2, datetime: 3, str: 4, list: 5, dict: 6}


def _rank(value: Any) -> tuple[int, Any]:
    """A key that compares as Firestore orders values: by type, then within it."""
    kind = type(value)
    if kind is list:
        value = tuple(map(_rank, value))
    elif kind is dict:
        value = tuple((name, _rank(value[name])) for name in sorted(value))
    return RANKS[kind], value


# --- queries ---------------------------------------------------------------------------------------------

Standing = list[tuple[Any, ...]]
"""Where a document stands in a query's order: a key for each order field, then one for its path."""


Condition = Callable[[Any], bool]


class _Found(NamedTuple):
    standing: Standing
    path: str
    document: _Document


def _find(candidates: Iterable[tuple[str, _Document]], asked: Plan) -> list[_Found]:
    passes = [(names, _condition(operator, wanted)) for names, operator, wanted in asked.where]
    found = []
    for path, document in candidates:
        if _matches(document.data, passes):
            standing = _standing(asked, path, document.data)
            if standing:
                found.append(_Found(standing, path, document))
    for column in reversed(range(len(asked.descending))):  # sorting is stable: the first field goes last
        found.sort(key=partial(_key, column), reverse=asked.descending[column])
    return found


def _key(column: int, one: _Found) -> Any:
    return one.standing[column]


def _matches(data: Mapping[str, Any], conditions: Sequence[tuple[FieldPath, Condition]]) -> bool:
    for names, passes in conditions:
        present, value = value_at(data, names)
        if not (present and passes(value)):
            return False
    return True


def _condition(operator: Operator, wanted: Any) -> Condition:
    rank = _rank(wanted)
    match operator:
        case "==":
            return lambda value: value == wanted and _rank(value) == rank
        case "in":
            ranks = frozenset(rank[1])
            return lambda value: _rank(value) in ranks
        case "array_contains":
            return lambda value: type(value) is list and rank in map(_rank, value)
        case "array_contains_any":
            asked = frozenset(rank[1])
            return lambda value: type(value) is list and not asked.isdisjoint(map(_rank, value))
        case _:
            compare = COMPARE[operator]
            return lambda value: RANKS[type(value)] == rank[0] and compare(_rank(value), rank)


def _standing(asked: Plan, path: str, data: Mapping[str, Any]) -> Standing | None:
    """None for a document without one of the fields: it has no place in the order."""
    values = []
    for names in asked.orders:
        present, value = value_at(data, names)
        if not present:
            return None
        values.append(value)
    return _standing_of(values, path)


def _standing_of(values: Iterable[Any], path: str) -> Standing:
    # Paths are ordered by segment: 'g/1/…' before 'g/1-x/…', though '-' comes before '/'.
    return [*map(_rank, values), tuple(path.split("/"))]


def _is_after(standing: Standing, start: Standing, descending: Sequence[bool]) -> bool:
    for mine, theirs, down in zip(standing, start, descending, strict=True):
        if mine != theirs:
            return mine < theirs if down else mine > theirs
    return False
