"""The store in memory, with Firestore's semantics: for unit tests and for the simulation."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from operator import ge, gt, itemgetter, le, lt
from threading import Lock
from typing import Any

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

WITH_DATA = (Create, Update, Put)
WITH_VERSION = (Update, Increment, Delete)

TornReads = Callable[[Sequence[str]], Iterable[str]]
"""Yields the paths of one read in the order in which they shall be read, each once.

Between two of them it may let others commit: each document is whole, but together they were never true.
"""


COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


class MemoryStore(Store):
    """Documents in dictionaries; a version is the number of the commit that last changed the document.

    Deterministic and safe under threads and greenlets; no lock is held while `torn_reads` runs. What a
    simulator wants to happen around a call, it does in a subclass: a commit whose answer is lost is one that
    raises OutcomeUnknown after `super().commit(writes)`.
    """

    def __init__(self, torn_reads: TornReads | None = None) -> None:
        # A snapshot is never changed, so that readers need no lock: a write puts another in its place.
        self._documents: dict[str, Snapshot] = {}
        self._collections: dict[str, dict[str, Snapshot]] = {}
        self._groups: defaultdict[str, list[dict[str, Snapshot]]] = defaultdict(list)
        self._indexes: defaultdict[str, dict[FieldPath, _Index]] = defaultdict(dict)
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
            start = [*map(_rank, asked.after.values), asked.after.path.split("/")]
            found = [one for one in found if _is_after(_standing(asked, one), start, asked.descending)]
        page = [self._shown(one) for one in found[: query.limit]]
        if len(found) <= query.limit:
            return Page(page)
        last = found[query.limit - 1]
        return Page(page, cursor_after(asked, last.path, last.data or {}))

    def gather(self, paths: Sequence[str], *queries: Query) -> tuple[list[Snapshot], list[Page]]:
        return self.load(*paths), [self.query(query) for query in queries]

    def read_consistently(self, *queries: Query) -> list[list[Snapshot]]:
        asked = [(query, plan(query)) for query in queries]
        with self._lock:
            found = [_find(self._candidates(query, its_plan), its_plan) for query, its_plan in asked]
        return [[self._shown(one) for one in result] for result in found]

    def count(self, query: Query) -> int:
        return len(self._find(query, plan(query)))

    # --- reading ---

    def _read(self, path: str) -> Snapshot:
        document = self._documents.get(path)
        return Snapshot(path) if document is None else self._shown(document)

    def _shown(self, document: Snapshot) -> Snapshot:
        """As a reader gets it, who may do with the fields as they please."""
        return Snapshot(document.path, _copy(document.data), document.version)

    def _candidates(self, query: Query, asked: Plan) -> Iterable[Snapshot]:
        """What may match: by the index of the narrowest condition, as Firestore looks for it."""
        narrowest = next((one for one in asked.where if one[1] == "=="), None)
        narrowest = narrowest or next((one for one in asked.where if one[1] in COMPARE), None)
        if narrowest is None:
            return self._all_of(query)
        names, operator, wanted = narrowest
        indexes = self._indexes[query.collection if query.group else f"{query.collection}/"]
        if names not in indexes:
            indexes[names] = _Index(names, self._all_of(query))
        return [self._documents[path] for path in indexes[names].paths(operator, wanted)]

    def _all_of(self, query: Query) -> Iterable[Snapshot]:
        if not query.group:
            return self._collections.get(query.collection, {}).values()
        return (one for collection in self._groups[query.collection] for one in collection.values())

    def _find(self, query: Query, asked: Plan) -> list[Snapshot]:
        with self._lock:
            return _find(self._candidates(query, asked), asked)

    def _read_again(self, found: list[Snapshot], asked: Plan, torn_reads: TornReads) -> list[Snapshot]:
        """Each document as it is at a moment of its own, without those that no longer match."""
        read = [self._documents.get(path) for path in torn_reads([one.path for one in found])]
        return _find((document for document in read if document), asked)

    # --- writing ---

    def _given(self, write: Write) -> dict[str, Any]:
        return normalised_fields(write.data) if isinstance(write, WITH_DATA) else {}

    def _outcome(self, write: Write, data: dict[str, Any]) -> dict[str, Any] | None:
        """What the document will hold (None: nothing). Raises what the write is refused with."""
        stored = self._documents.get(write.path)
        if isinstance(write, Create) and stored:
            raise AlreadyExists(f"{write.path} exists.")
        guard = write.version if isinstance(write, WITH_VERSION) else None
        if guard is not None and (stored is None or stored.version != guard):
            raise Stale(f"{write.path} has changed since it was read.")
        if isinstance(write, Delete):
            return None
        before: Mapping[str, Any] = stored.data or {} if stored else {}
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
        stored = self._documents.get(path)
        if data is None:
            if stored:
                self._put(path, stored, None)
        elif stored is None or not _same(stored.data, data):
            self._put(path, stored, Snapshot(path, data, self._commits))

    def _put(self, path: str, before: Snapshot | None, after: Snapshot | None) -> None:
        """One document in place of another, in its collection and in every index of it."""
        parent = path.rpartition("/")[0]
        name = parent.rpartition("/")[2]
        if after is None:
            del self._documents[path], self._collections[parent][path]
        else:
            if parent not in self._collections:
                self._collections[parent] = {}
                self._groups[name].append(self._collections[parent])
            self._documents[path] = self._collections[parent][path] = after
        for scope in (name, f"{parent}/"):
            if scope in self._indexes:
                for index in self._indexes[scope].values():
                    index.put(path, before.data if before else None, after.data if after else None)


_rank_of = itemgetter(0)


class _Index:
    """The documents of a collection, or of all of one name, by what they hold in one field, in order."""

    def __init__(self, names: FieldPath, documents: Iterable[Snapshot]) -> None:
        self._names = names
        self._rows: list[tuple[Any, str]] = []
        for one in documents:
            self.put(one.path, None, one.data)

    def put(self, path: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> None:
        """Move a document to where its field now stands; one without the field is in no index."""
        there, was = self._held(before)
        here, held = self._held(after)
        if there and here and was is held:  # most writes leave it as it is
            return
        if there:
            del self._rows[bisect_left(self._rows, (_rank(was), path))]
        if here:
            insort(self._rows, (_rank(held), path))

    def paths(self, operator: Operator, wanted: Any) -> list[str]:
        """Those that meet a condition, and at worst those that hold its very value."""
        rank, rows = _rank(wanted), self._rows
        first, beyond = (rank[0],), (rank[0] + 1,)  # of this type, and of the next
        low = bisect_left(rows, first if operator in ("<", "<=") else rank, key=_rank_of)
        if operator in (">", ">="):
            high = bisect_left(rows, beyond, low, key=_rank_of)
        else:
            high = bisect_right(rows, rank, low, key=_rank_of)
        return [path for _, path in rows[low:high]]

    def _held(self, data: Mapping[str, Any] | None) -> tuple[bool, Any]:
        return value_at(data, self._names) if data is not None else (False, None)


# --- values ----------------------------------------------------------------------------------------------


def _copy(value: Any) -> Any:
    """`copy.deepcopy` for what documents hold, twenty times as fast."""
    if type(value) is dict:
        return {name: _copy(part) if type(part) in (dict, list) else part for name, part in value.items()}
    return [_copy(part) if type(part) in (dict, list) else part for part in value]


def _incremented(before: Mapping[str, Any], write: Increment) -> dict[str, Any]:
    """As Firestore does it: what is no integer counts as 0, what is no map makes way, sums saturate."""
    data = dict(before)
    for names, amount in write.amounts.items():
        holder = data
        for name in names[:-1]:  # what was read stays as it was: only what changes is copied
            held = holder.get(name)
            holder[name] = holder = dict(held) if type(held) is dict else {}
        held = holder.get(names[-1])
        total = amount + (held if type(held) is int else 0)
        holder[names[-1]] = max(INTEGER_MIN, min(total, INTEGER_MAX))
    return data


def _same(one: Mapping[str, Any] | None, other: dict[str, Any]) -> bool:
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

Standing = list[Any]
"""Where a document stands in a query's order: a key for each order field, then one for its path."""


Condition = Callable[[Any], bool]


def _find(candidates: Iterable[Snapshot], asked: Plan) -> list[Snapshot]:
    # What is the cheapest to ask goes first: a document is left at the first condition that it fails.
    asked_first = sorted(asked.where, key=_is_costly)
    passes = [(names, _condition(operator, wanted)) for names, operator, wanted in asked_first]
    found = [one for one in candidates if _matches(one.data or {}, passes, asked.orders)]
    if len(found) > 1:  # sorting is stable: the first field goes last
        *fields, path = asked.descending
        found.sort(key=_segments, reverse=path)
        for names, descending in zip(reversed(asked.orders), reversed(fields), strict=True):
            found.sort(key=partial(_rank_at, names), reverse=descending)
    return found


def _is_costly(condition: tuple[FieldPath, Operator, Any]) -> bool:
    return condition[1] not in COMPARE and condition[1] != "=="


def _segments(document: Snapshot) -> list[str]:
    """Paths are ordered by segment: 'g/1/…' before 'g/1-x/…', though '-' comes before '/'."""
    return document.path.split("/")


def _rank_at(names: FieldPath, document: Snapshot) -> tuple[int, Any]:
    return _rank(value_at(document.data or {}, names)[1])


def _matches(
    data: Mapping[str, Any], conditions: Sequence[tuple[FieldPath, Condition]], orders: Sequence[FieldPath]
) -> bool:
    """A document without one of the fields that it would be ordered by has no place in the order."""
    for names, passes in conditions:
        present, value = value_at(data, names)
        if not (present and passes(value)):
            return False
    return all(value_at(data, names)[0] for names in orders)


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


def _standing(asked: Plan, document: Snapshot) -> Standing:
    return [*(_rank_at(names, document) for names in asked.orders), _segments(document)]


def _is_after(standing: Standing, start: Standing, descending: Sequence[bool]) -> bool:
    for mine, theirs, down in zip(standing, start, descending, strict=True):
        if mine != theirs:
            return bool(mine < theirs if down else mine > theirs)
    return False
