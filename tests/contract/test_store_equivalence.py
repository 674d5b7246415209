"""Memory and Firestore, given the same random batches and asked the same random queries, never differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from shared.adapters.documents import LISTS
from shared.adapters.firestore_client import Client
from shared.adapters.firestore_store import FirestoreStore
from shared.adapters.memory_store import MemoryStore
from shared.ports import (
    AlreadyExists,
    Create,
    Delete,
    Increment,
    Operator,
    Put,
    Query,
    Snapshot,
    Stale,
    Store,
    Update,
    Write,
)

# The fixtures hold for all examples on purpose: each example has a collection of its own.
examples = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])

NAMES = st.sampled_from(["a", "b", "cash:stripe", "a.b", "`\\", "é"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.integers(-(2**63), 2**63 - 1),
    st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - naive by its API
    st.text(st.characters(codec="utf-8"), max_size=3),
)


def held_by(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Maps and lists of values; a list never stands directly in a list."""
    maps = st.dictionaries(NAMES, values, max_size=3)
    return maps | st.lists(SCALARS | maps, max_size=3)


VALUES = SCALARS | held_by(SCALARS | held_by(SCALARS))
FIELDS = st.dictionaries(NAMES, VALUES, min_size=1, max_size=3)
AMOUNTS = st.dictionaries(
    st.sampled_from([("a",), ("b", "é"), ("b", "cash:stripe"), ("cash:stripe",), ("a.b", "`\\")]),
    st.integers(-3, 3) | st.integers(-(2**63), 2**63 - 1),
    min_size=1,
)
DOCUMENTS = ["a", "b", "c:d"]


@pytest.fixture
def stores(firestore_client: Client) -> tuple[Store, Store]:
    return MemoryStore(), FirestoreStore(lambda: firestore_client)


@pytest.fixture
def roots() -> Iterator[str]:
    """A new place for each example."""
    return (f"examples/{number}" for number in count())


# --- batches ---------------------------------------------------------------------------------------------

VersionOf = Callable[[str, int], object]
Draft = Callable[[str, VersionOf], Write]
"""A write that still lacks its root and its version: of those that its document has had, it says which."""


@st.composite
def draft(draw: st.DrawFn, name: str) -> Draft:
    kind = draw(st.sampled_from([Create, Update, Update, Increment, Increment, Put, Delete]))
    age = draw(st.sampled_from([0, 0, 0, 0, 1, 2]))
    guarded = draw(st.booleans())
    fields = draw(FIELDS)
    amounts = draw(AMOUNTS)

    def write(root: str, version_of: VersionOf) -> Write:
        path = f"{root}/documents/{name}"
        version = version_of(path, age) if guarded or kind is Update else None
        if kind is Update:
            return Update(path, fields, version)
        if kind is Increment:
            return Increment(path, amounts, version)
        if kind is Delete:
            return Delete(path, version)
        return Put(path, fields) if kind is Put else Create(path, fields)

    return write


BATCHES = st.lists(st.sampled_from(DOCUMENTS), min_size=1, unique=True).flatmap(
    lambda names: st.tuples(*map(draft, names))
)


class Side:
    """One of the stores, and the versions of each document as they followed one another in it."""

    def __init__(self, store: Store, root: str) -> None:
        self.store = store
        self.root = root
        self._paths = [f"{root}/documents/{name}" for name in DOCUMENTS]
        self.history: dict[str, list[object]] = {path: [] for path in self._paths}

    def version(self, path: str, age: int) -> object:
        versions = self.history[path]
        return versions[-1 - min(age, len(versions) - 1)] if versions else None

    def commit(self, drafts: Sequence[Draft]) -> str:
        try:
            self.store.commit([one(self.root, self.version) for one in drafts])
            return "committed"
        except (AlreadyExists, Stale, ValueError) as error:
            return "ValueError" if isinstance(error, ValueError) else type(error).__name__

    def look(self) -> list[tuple[str, Any, int]]:
        """What every document holds, and how many versions it has had."""
        snapshots = self.store.load(*self._paths)
        for found in snapshots:
            versions = self.history[found.path]
            if found.exists and (not versions or found.version != versions[-1]):
                versions.append(found.version)
        return [(found.path, exact(found.data), len(self.history[found.path])) for found in snapshots]


def exact(value: Any) -> Any:
    """A value with its types, since to Python True is 1."""
    if isinstance(value, dict):
        return {name: exact(part) for name, part in value.items()}
    if isinstance(value, list):
        return [exact(part) for part in value]
    return type(value).__name__, value


@examples
@given(batches=st.lists(BATCHES, min_size=1, max_size=8))
def test_the_same_batches_leave_the_same_documents(
    stores: tuple[Store, Store], roots: Iterator[str], batches: list[Sequence[Draft]]
) -> None:
    root = next(roots)
    memory, firestore = (Side(store, root) for store in stores)
    for side in (memory, firestore):
        side.store.commit([Put(f"{root}/documents/{name}", {"a": 1}) for name in DOCUMENTS[:2]])
        side.look()
    for batch in batches:
        outcome = memory.commit(batch)
        event(outcome)
        assert outcome == firestore.commit(batch)
        assert memory.look() == firestore.look()


# --- queries ---------------------------------------------------------------------------------------------

FIELD = st.sampled_from(["x", "y", "map.x"])
FEW = st.sampled_from(
    [False, True, -1, 0, 1, datetime(2026, 1, 1, tzinfo=UTC), "", "a", "é", [], [1], [True], {}, {"x": 1}]
)
HELD = st.none() | FEW | FEW | VALUES
DOCUMENT = st.fixed_dictionaries(
    {}, optional={"x": HELD, "y": st.integers(-2, 2), "map": st.dictionaries(st.just("x"), HELD)}
)
CONDITIONS: st.SearchStrategy[tuple[str, Any, Any]] = st.one_of(
    st.tuples(FIELD, st.just("=="), st.none() | FEW),
    st.tuples(FIELD, st.sampled_from(["<", "<=", ">", ">="]), FEW),
    st.tuples(FIELD, st.just("in"), st.lists(FEW, min_size=1, max_size=4)),
    st.tuples(FIELD, st.just("array_contains"), st.sampled_from([True, 1, "a"])),
    st.tuples(
        FIELD,
        st.just("array_contains_any"),
        st.lists(st.sampled_from([True, 1, "a"]), min_size=1, max_size=4),
    ),
)


@st.composite
def asking(draw: st.DrawFn) -> Query:
    """A query that Firestore takes: one condition of each kind at most, and a range's field in the order."""
    where: dict[str, tuple[str, Operator, Any]] = {}
    for condition in draw(st.lists(CONDITIONS, max_size=2)):
        operator = condition[1]
        where["range" if operator[0] in "<>" else "list" if operator in LISTS else operator] = condition
    if "list" in where and where["list"][1] == "array_contains_any":
        where.pop("array_contains", None)
    fields = [where["range"][0]] if "range" in where else []
    fields += [field for field in draw(st.lists(FIELD, max_size=2, unique=True)) if field not in fields]
    order = [draw(st.sampled_from(["", "-"])) + field for field in fields]
    return Query("", list(where.values()), order, limit=draw(st.integers(1, 6)), group=draw(st.booleans()))


def pages(store: Store, query: Query) -> Iterator[Snapshot]:
    while True:
        page = store.query(query)
        yield from page.documents
        if page.cursor is None:
            return
        query = replace(query, after=page.cursor)


@examples
@given(
    documents=st.dictionaries(st.tuples(st.sampled_from(["", "-", "/m/a"]), NAMES), DOCUMENT, max_size=12),
    queries=st.lists(asking(), min_size=3, max_size=6),
)
def test_the_same_queries_find_the_same_documents_in_the_same_order(
    stores: tuple[Store, Store],
    roots: Iterator[str],
    documents: dict[tuple[str, str], dict[str, Any]],
    queries: list[Query],
) -> None:
    root = next(roots)
    group = root.replace("/", "-")
    for store in stores:
        store.commit([Put(f"{root}{g}/{group}/{name}", data) for (g, name), data in documents.items()])
    for query in queries:
        asked = replace(query, collection=group if query.group else f"{root}/{group}")
        memory, firestore = (
            [(found.path, exact(found.data)) for found in pages(store, asked)] for store in stores
        )
        event("found" if memory else "found nothing")
        assert memory == firestore
        assert [store.count(asked) for store in stores] == [len(memory)] * 2
        assert [len(store.read_consistently(asked)[0]) for store in stores] == [len(memory)] * 2
