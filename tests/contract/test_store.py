"""The promises of the store's port, held against both adapters: memory, and Firestore on its emulator."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import pytest

from shared.adapters.firestore_store import FirestoreStore
from shared.adapters.memory_store import MemoryStore
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

NOON = datetime(2026, 3, 29, 12, 0, 0, 123456, tzinfo=UTC)
WRITERS = 8

Condition = tuple[str, Operator, Any]
Amounts = dict[tuple[str, ...], int]


@pytest.fixture(params=["memory", "firestore"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        return MemoryStore()
    client = request.getfixturevalue("firestore_client")
    return FirestoreStore(lambda: client)


def read(store: Store, path: str) -> dict[str, Any] | None:
    (snapshot,) = store.load(path)
    return None if snapshot.data is None else dict(snapshot.data)


def version(store: Store, path: str) -> object:
    (snapshot,) = store.load(path)
    assert snapshot.exists
    return snapshot.version


def put(store: Store, documents: Mapping[str, Mapping[str, Any]]) -> None:
    store.commit([Put(path, data) for path, data in documents.items()])


# --- load ------------------------------------------------------------------------------------------------


def test_load_answers_in_the_order_asked_and_for_absent_documents_too(store: Store) -> None:
    put(store, {"groups/b": {"n": 2}, "groups/a": {"n": 1}})

    snapshots = store.load("groups/b", "groups/none", "groups/a", "groups/b")

    assert [snapshot.path for snapshot in snapshots] == ["groups/b", "groups/none", "groups/a", "groups/b"]
    assert [snapshot.data for snapshot in snapshots] == [{"n": 2}, None, {"n": 1}, {"n": 2}]
    assert snapshots[1] == Snapshot("groups/none", None, None)
    assert [snapshot.exists for snapshot in snapshots] == [True, False, True, True]


def test_load_of_nothing_is_nothing(store: Store) -> None:
    assert store.load() == []


@pytest.mark.parametrize(
    "path",
    ["", "groups", "groups/g/members", "groups//members/m", "groups/.", "groups/..", "groups/__g__", "/g"],
)
def test_what_is_not_a_documents_path_is_refused(store: Store, path: str) -> None:
    with pytest.raises(ValueError, match="not the path of a document"):
        store.load(path)
    with pytest.raises(ValueError, match="not the path of a document"):
        store.commit([Put(path, {"n": 1})])


def test_values_come_back_as_they_went_in_datetimes_in_utc(store: Store) -> None:
    class State(StrEnum):
        DUE = "due"

    new_york_noon = NOON.astimezone(timezone(timedelta(hours=-5)))
    put(
        store,
        {
            "c/d": {
                "text": "£ and \U0001f600",
                "state": State.DUE,
                "whole": -(2**63),
                "yes": True,
                "nothing": None,
                "first": datetime.min.replace(tzinfo=UTC),
                "last": datetime.max.replace(tzinfo=UTC),
                "at": new_york_noon,
                "list": (1, None, {"at": new_york_noon, "inner": [0]}),
                "map": MappingProxyType({"cash:stripe": {"a.b": {}, "`c\\": []}}),
            }
        },
    )

    data = read(store, "c/d")

    assert data == {
        "text": "£ and \U0001f600",
        "state": "due",
        "whole": -(2**63),
        "yes": True,
        "nothing": None,
        "first": datetime.min.replace(tzinfo=UTC),
        "last": datetime.max.replace(tzinfo=UTC),
        "at": NOON,
        "list": [1, None, {"at": NOON, "inner": [0]}],
        "map": {"cash:stripe": {"a.b": {}, "`c\\": []}},
    }
    assert data is not None
    for at in (data["at"], data["list"][2]["at"]):
        assert type(at) is datetime
        assert at.tzinfo is UTC
    assert [type(data[name]) for name in ("text", "state", "whole", "yes", "list", "map")] == [
        str,
        str,
        int,
        bool,
        list,
        dict,
    ]


def test_neither_writer_nor_reader_can_reach_what_is_stored(store: Store) -> None:
    given: dict[str, Any] = {"list": [{"n": 1}], "map": {"n": 1}}
    put(store, {"c/d": given})
    given["list"][0]["n"] = given["map"]["n"] = 2

    for snapshot in (store.load("c/d")[0], store.query(Query("c")).documents[0]):
        assert snapshot.data is not None
        snapshot.data["list"][0]["n"] = snapshot.data["map"]["n"] = 3

    assert read(store, "c/d") == {"list": [{"n": 1}], "map": {"n": 1}}


def nested(levels: int) -> dict[str, Any]:
    return {"m": nested(levels - 1)} if levels else {}


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        Decimal(1),
        NOON.replace(tzinfo=None),
        date(2026, 3, 29),
        b"bytes",
        {1, 2},
        [[1]],
        [(1,)],
        2**63,
        -(2**63) - 1,
        {"inner": 0.0},
        [{"inner": NOON.replace(tzinfo=None)}],
        {"": 1},
        {"__inner__": 1},
        {1: 1},
        nested(20),
        "\ud800",
        object(),
    ],
    ids=lambda value: re.sub(" object at .*", "", repr(value))[:30],
)
def test_what_no_document_can_hold_is_refused(store: Store, value: Any) -> None:
    put(store, {"c/there": {"n": 1}})
    there = version(store, "c/there")
    for write in (
        Create("c/d", {"f": value}),
        Put("c/d", {"f": value}),
        Update("c/there", {"f": value}, there),
    ):
        with pytest.raises(ValueError):  # noqa: PT011 - each value has its own words
            store.commit([Put("c/other", {"n": 1}), write])
    assert [read(store, path) for path in ("c/d", "c/other", "c/there")] == [None, None, {"n": 1}]


@pytest.mark.parametrize("name", ["", "__name__", 1, "x" * 1501])
def test_what_cannot_name_a_field_is_refused(store: Store, name: Any) -> None:
    with pytest.raises(ValueError, match="field"):
        store.commit([Create("c/d", {name: 1})])


def test_documents_go_as_deep_as_twenty_levels(store: Store) -> None:
    put(store, {"c/d": {"f": nested(19)}})
    assert read(store, "c/d") == {"f": nested(19)}


def test_a_document_is_one_mebibyte_at_most_also_when_it_grows_there(store: Store) -> None:
    half = "x" * 600_000
    put(store, {"c/d": {"one": half}})
    with pytest.raises(ValueError):  # noqa: PT011 - Firestore has its own words
        store.commit([Create("c/e", {"one": half, "two": half})])
    with pytest.raises(ValueError):  # noqa: PT011 - Firestore has its own words
        store.commit([Update("c/d", {"two": half}, version(store, "c/d"))])
    assert read(store, "c/d") == {"one": half}


# --- commit: the batch -----------------------------------------------------------------------------------


def test_a_batch_of_nothing_does_nothing(store: Store) -> None:
    store.commit([])


def test_a_batch_has_500_writes_at_most(store: Store) -> None:
    store.commit([Create(f"c/{n}", {"n": n}) for n in range(500)])
    assert store.count(Query("c")) == 500
    with pytest.raises(ValueError, match="501"):
        store.commit([Create(f"d/{n}", {"n": n}) for n in range(501)])
    assert store.count(Query("d")) == 0


def test_a_document_stands_once_in_a_batch(store: Store) -> None:
    with pytest.raises(ValueError, match="once"):
        store.commit([Create("c/d", {"n": 1}), Increment("c/d", {("n",): 1})])
    assert read(store, "c/d") is None


def failing_writes(store: Store) -> dict[type[Exception], Write]:
    """A write for each way to fail, against `c/there`, which was changed since it was read."""
    put(store, {"c/there": {"n": 1}})
    old = version(store, "c/there")
    put(store, {"c/there": {"n": 2}})
    return {AlreadyExists: Create("c/there", {"n": 3}), Stale: Update("c/there", {"n": 3}, old)}


@pytest.mark.parametrize("error", [AlreadyExists, Stale])
@pytest.mark.parametrize("first", [True, False])
def test_a_batch_is_written_whole_or_not_at_all(store: Store, error: type[Exception], first: bool) -> None:
    failing = failing_writes(store)[error]
    put(store, {"c/kept": {"n": 1}})
    batch: list[Write] = [
        Create("c/new", {"n": 1}),
        Increment("c/balance", {("n",): 1}),
        Put("c/put", {}),
        Delete("c/kept"),
    ]
    batch.insert(0 if first else len(batch), failing)

    with pytest.raises(error):
        store.commit(batch)

    assert [snapshot.data for snapshot in store.load("c/new", "c/balance", "c/put", "c/kept", "c/there")] == [
        None,
        None,
        None,
        {"n": 1},
        {"n": 2},
    ]


def test_where_several_writes_fail_the_first_speaks(store: Store) -> None:
    put(store, {"c/fact": {"n": 1}})
    stale = failing_writes(store)[Stale]
    exists = Create("c/fact", {"n": 2})

    with pytest.raises(AlreadyExists):
        store.commit([exists, stale])
    with pytest.raises(Stale):
        store.commit([stale, exists])
    with pytest.raises(ValueError, match="float"):  # seen before the store is asked
        store.commit([stale, exists, Put("c/d", {"n": 1.5})])


# --- commit: each write ----------------------------------------------------------------------------------


def test_create_writes_what_was_not_there(store: Store) -> None:
    store.commit([Create("c/d", {"n": 1}), Create("c/empty", {})])
    assert read(store, "c/d") == {"n": 1}
    assert store.load("c/empty")[0].exists

    with pytest.raises(AlreadyExists):
        store.commit([Create("c/d", {"n": 1})])

    store.commit([Delete("c/d")])
    store.commit([Create("c/d", {"n": 2})])
    assert read(store, "c/d") == {"n": 2}


def test_update_replaces_whole_fields_and_leaves_the_others(store: Store) -> None:
    put(store, {"c/d": {"keep": 1, "map": {"a": 1, "b": 1}, "list": [1, 2], "a.b": 1}})
    store.commit(
        [Update("c/d", {"map": {"c": 2}, "list": [], "a.b": None, "cash:`1\\": 3}, version(store, "c/d"))]
    )
    assert read(store, "c/d") == {"keep": 1, "map": {"c": 2}, "list": [], "a.b": None, "cash:`1\\": 3}


def test_update_wants_the_document_as_it_was_read(store: Store) -> None:
    put(store, {"c/d": {"n": 1}})
    read_as = version(store, "c/d")
    store.commit([Update("c/d", {"n": 2}, read_as)])

    with pytest.raises(Stale):
        store.commit([Update("c/d", {"n": 3}, read_as)])
    with pytest.raises(Stale):
        store.commit([Update("c/none", {"n": 3}, read_as)])
    assert read(store, "c/d") == {"n": 2}

    store.commit([Update("c/d", {"n": 3}, version(store, "c/d"))])
    assert read(store, "c/d") == {"n": 3}


def test_a_document_made_anew_is_not_the_one_that_was_read(store: Store) -> None:
    put(store, {"c/d": {"n": 1}})
    read_as = version(store, "c/d")
    store.commit([Delete("c/d")])
    with pytest.raises(Stale):
        store.commit([Update("c/d", {"n": 2}, read_as)])
    put(store, {"c/d": {"n": 1}})
    with pytest.raises(Stale):
        store.commit([Update("c/d", {"n": 2}, read_as)])


def test_update_without_a_version_or_a_field_is_refused(store: Store) -> None:
    put(store, {"c/d": {"n": 1}})
    with pytest.raises(ValueError, match="version"):
        store.commit([Update("c/d", {"n": 2}, None)])
    with pytest.raises(ValueError, match="no field"):
        store.commit([Update("c/d", {}, version(store, "c/d"))])


def test_writes_that_change_nothing_keep_the_version(store: Store) -> None:
    """The trap that DESIGN.md warns of: a second guard of the same version passes."""
    fields = {"n": 1, "yes": True, "map": {"at": NOON}}
    put(store, {"c/d": fields})
    read_as = version(store, "c/d")

    store.commit([Update("c/d", {"n": 1, "map": {"at": NOON}}, read_as)])
    store.commit([Put("c/d", fields)])
    store.commit([Increment("c/d", {("n",): 0})])
    assert version(store, "c/d") == read_as

    store.commit([Update("c/d", {"n": 2}, read_as)])
    assert version(store, "c/d") != read_as


def test_true_is_not_one(store: Store) -> None:
    put(store, {"c/d": {"f": {"yes": 1}}})
    read_as = version(store, "c/d")
    store.commit([Update("c/d", {"f": {"yes": True}}, read_as)])
    data = read(store, "c/d")
    assert data is not None
    assert data["f"]["yes"] is True
    assert version(store, "c/d") != read_as


def test_documents_that_a_commit_does_not_touch_keep_their_version(store: Store) -> None:
    put(store, {"c/d": {"n": 1}, "c/e": {"n": 1}})
    read_as = version(store, "c/d")
    put(store, {"c/e": {"n": 2}})
    store.commit([Update("c/d", {"n": 2}, read_as)])


def test_increment_makes_document_and_fields_and_adds_to_them(store: Store) -> None:
    path = "groups/g/ledger/balances"
    first: Amounts = {("debits", "cash:stripe"): 10_000, ("credits", "pot:1"): 10_000, ("facts",): 1}
    store.commit([Increment(path, first)])
    store.commit([Increment(path, {("debits", "cash:stripe"): -4_000, ("debits", "a.`b\\"): 0})])
    assert read(store, path) == {
        "debits": {"cash:stripe": 6_000, "a.`b\\": 0},
        "credits": {"pot:1": 10_000},
        "facts": 1,
    }


def test_increment_changes_the_version_and_so_guards_against_it_fail(store: Store) -> None:
    put(store, {"c/d": {"n": 1}})
    read_as = version(store, "c/d")
    store.commit([Increment("c/d", {("n",): 1})])
    with pytest.raises(Stale):
        store.commit([Update("c/d", {"n": 5}, read_as)])


def test_guarded_increment_is_for_debits_that_must_see_the_balance(store: Store) -> None:
    put(store, {"c/d": {"debits": {"cash:stripe": 1}, "credits": {"credit:usr_1": 50, "reserve": 7}}})
    debit: Amounts = {("debits", "credit:usr_1"): 50, ("credits", "reserve"): 1}
    read_as = version(store, "c/d")
    store.commit([Increment("c/d", debit, read_as)])
    assert read(store, "c/d") == {
        "debits": {"cash:stripe": 1, "credit:usr_1": 50},
        "credits": {"credit:usr_1": 50, "reserve": 8},
    }
    with pytest.raises(Stale):
        store.commit([Increment("c/d", debit, read_as)])
    with pytest.raises(Stale):
        store.commit([Increment("c/none", debit, read_as)])
    assert read(store, "c/none") is None


def test_increment_of_what_is_no_number_begins_at_zero_and_sums_saturate(store: Store) -> None:
    """As Firestore documents its increment transform."""
    put(store, {"c/d": {"text": "x", "yes": True, "number": 1, "top": 2**63 - 2, "bottom": -(2**63)}})
    store.commit(
        [Increment("c/d", {("text",): 2, ("yes",): 3, ("number", "a"): 4, ("top",): 5, ("bottom",): -5})]
    )
    assert read(store, "c/d") == {
        "text": 2,
        "yes": 3,
        "number": {"a": 4},
        "top": 2**63 - 1,
        "bottom": -(2**63),
    }


@pytest.mark.parametrize(
    "amounts",
    [
        {},
        {(): 1},
        {"names": 1},
        {("n", 1): 1},
        {("n",): 1.5},
        {("n",): True},
        {("n",): 2**63},
        {("n", ""): 1},
        {("n",): 1, ("n", "inner"): 1},
    ],
    ids=repr,
)
def test_increments_that_make_no_sense_are_refused(store: Store, amounts: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each has its own words
        store.commit([Increment("c/d", amounts)])
    assert read(store, "c/d") is None


def test_put_writes_a_document_whole(store: Store) -> None:
    put(store, {"c/d": {"a": 1, "b": {"c": 1}}})
    put(store, {"c/d": {"b": {"d": 1}}})
    assert read(store, "c/d") == {"b": {"d": 1}}
    put(store, {"c/d": {}})
    assert store.load("c/d")[0].data == {}


def test_delete_removes_guarded_where_a_version_is_given(store: Store) -> None:
    put(store, {"c/d": {"n": 1}, "c/d/below/e": {"n": 1}})
    old = version(store, "c/d")
    put(store, {"c/d": {"n": 2}})
    with pytest.raises(Stale):
        store.commit([Delete("c/d", old)])
    store.commit([Delete("c/d", version(store, "c/d")), Delete("c/none")])
    assert read(store, "c/d") is None
    assert read(store, "c/d/below/e") == {"n": 1}
    with pytest.raises(Stale):
        store.commit([Delete("c/d", old)])


# --- query -----------------------------------------------------------------------------------------------


def ids(page: Page) -> list[str]:
    return [snapshot.path.rpartition("/")[2] for snapshot in page.documents]


def test_query_finds_a_collections_documents_by_path_and_none_of_its_neighbours(store: Store) -> None:
    put(
        store,
        {
            "g/1/m/b": {"n": 1},
            "g/1/m/a": {"n": 2},
            "g/1/m/a/m/x": {},
            "g/2/m/c": {},
            "m/d": {},
            "g/1/mm/e": {},
        },
    )
    page = store.query(Query("g/1/m"))
    assert page.cursor is None
    assert [(found.path, found.data) for found in page.documents] == [
        ("g/1/m/a", {"n": 2}),
        ("g/1/m/b", {"n": 1}),
    ]
    assert store.query(Query("g/3/m")) == Page([], None)


@pytest.mark.parametrize("group", [False, True])
def test_what_a_query_read_can_be_guarded_like_what_was_loaded(store: Store, group: bool) -> None:
    put(store, {"c/d": {"n": 1}})
    (found,) = store.query(Query("c", group=group)).documents
    assert found == store.load("c/d")[0]
    store.commit([Update("c/d", {"n": 2}, found.version)])
    with pytest.raises(Stale):
        store.commit([Update("c/d", {"n": 3}, found.version)])


VALUES = {
    "null": None,
    "false": False,
    "true": True,
    "minus": -1,
    "one": 1,
    "three": 3,
    "noon": NOON,
    "later": NOON + timedelta(microseconds=1),
    "empty": "",
    "a": "a",
    "high": "\uffee",
    "emoji": "\U0001f600",
    "list": [1],
    "longer": [1, True],
    "map": {"a": 1},
    "more": {"a": 1, "b": None},
}
"""A document for each, in the order in which Firestore has them."""


@pytest.fixture
def values(store: Store) -> Store:
    put(store, {f"c/{name}": {"v": value} for name, value in VALUES.items()} | {"c/absent": {"w": 1}})
    return store


@pytest.mark.parametrize(
    ("operator", "value", "found"),
    [
        ("==", 1, ["one"]),
        ("==", True, ["true"]),
        ("==", None, ["null"]),
        ("==", NOON.astimezone(timezone(timedelta(hours=3))), ["noon"]),
        ("==", [1, True], ["longer"]),
        ("==", [1, 1], []),
        ("==", {"a": 1}, ["map"]),
        ("<", 3, ["minus", "one"]),
        ("<=", 3, ["minus", "one", "three"]),
        (">", False, ["true"]),
        (">=", NOON, ["noon", "later"]),
        (">", "a", ["high", "emoji"]),
        (">=", [1], ["list", "longer"]),
        ("<", {"b": 0}, ["map", "more"]),
        ("in", [1, "a", [1], {"a": 1}, 77], ["one", "a", "list", "map"]),
        ("array_contains", 1, ["list", "longer"]),
        ("array_contains", True, ["longer"]),
        ("array_contains_any", [True, 77], ["longer"]),
        ("array_contains_any", [1, "a"], ["list", "longer"]),
        ("array_contains_any", ["a"], []),
    ],
)
def test_conditions_and_the_order_of_values(
    values: Store, operator: Any, value: Any, found: list[str]
) -> None:
    assert ids(values.query(Query("c", [("v", operator, value)], ["v"]))) == found
    assert ids(values.query(Query("c", [("v", operator, value)], ["-v"]))) == found[::-1]
    assert values.count(Query("c", [("v", operator, value)], ["v"])) == len(found)


def test_documents_without_the_field_have_no_place_in_its_order(values: Store) -> None:
    assert ids(values.query(Query("c", order_by=["v"]))) == list(VALUES)
    assert ids(values.query(Query("c", order_by=["-v"]))) == list(VALUES)[::-1]
    assert values.count(Query("c", order_by=["v"])) == len(VALUES)
    assert values.count(Query("c")) == len(VALUES) + 1


def test_equals_are_ordered_by_path_the_way_of_the_last_field(store: Store) -> None:
    put(store, {f"c/{name}": {"x": int(name[0]), "y": int(name[1])} for name in ("12a", "12b", "11c", "21d")})
    assert ids(store.query(Query("c", order_by=["x", "y"]))) == ["11c", "12a", "12b", "21d"]
    assert ids(store.query(Query("c", order_by=["x", "-y"]))) == ["12b", "12a", "11c", "21d"]
    assert ids(store.query(Query("c", order_by=["-x", "y"]))) == ["21d", "11c", "12a", "12b"]


def test_conditions_add_up_and_reach_into_maps(store: Store) -> None:
    put(
        store,
        {
            "c/a": {"state": "due", "payload": {"amount_pence": 1}, "due_at": 1},
            "c/b": {"state": "due", "payload": {"amount_pence": 2}, "due_at": 2},
            "c/c": {"state": "paid", "payload": {"amount_pence": 2}, "due_at": 3},
            "c/d": {"state": "due", "payload": 2, "due_at": 4},
        },
    )
    due: Condition = ("state", "==", "due")
    assert ids(store.query(Query("c", [due, ("payload.amount_pence", "==", 2)]))) == ["b"]
    assert ids(store.query(Query("c", [due, ("due_at", ">", 1), ("due_at", "<=", 4)], ["due_at"]))) == [
        "b",
        "d",
    ]
    assert ids(store.query(Query("c", [due], ["-payload.amount_pence"]))) == ["b", "a"]


def test_a_group_of_collections_is_every_collection_of_the_name_in_order_of_path(store: Store) -> None:
    paths = ["g/1/m/b", "g/1/m/z/m/a", "g/1-x/m/a", "m/top"]
    put(store, {path: {"n": 1} for path in [*paths, "g/1/mm/a", "mm/a"]})
    asked = Query("m", [("n", "==", 1)], group=True)
    assert [found.path for found in store.query(asked).documents] == paths
    assert store.count(asked) == 4
    assert [found.path for found in pages(store, Query("m", order_by=["-n"], group=True, limit=1))] == paths[
        ::-1
    ]


def pages(store: Store, query: Query) -> Iterator[Snapshot]:
    """Every document of a query, page by page; no page but the last is short, and none is empty."""
    cursor: str | None = None
    while True:
        page = store.query(
            Query(query.collection, query.where, query.order_by, query.limit, cursor, query.group)
        )
        yield from page.documents
        cursor = page.cursor
        if cursor is None:
            return
        assert len(page.documents) == query.limit


@pytest.mark.parametrize("limit", [1, 2, 4, 8, 15, 16, 17])
@pytest.mark.parametrize("order", ["v", "-v"])
def test_pages_follow_one_another_without_gap_or_repetition(values: Store, limit: int, order: str) -> None:
    found = [snapshot.path for snapshot in pages(values, Query("c", order_by=[order], limit=limit))]
    expected = [f"c/{name}" for name in VALUES]
    assert found == (expected if order == "v" else expected[::-1])


def test_the_cursor_ends_with_the_last_document(store: Store) -> None:
    put(store, {f"c/{n}": {"n": 1} for n in range(4)})
    first = store.query(Query("c", order_by=["n"], limit=2))
    assert first.cursor is not None
    last = store.query(Query("c", order_by=["n"], limit=2, after=first.cursor))
    assert (ids(first), ids(last), last.cursor) == (["0", "1"], ["2", "3"], None)


def test_a_cursor_is_safe_in_a_url_and_outlives_its_document(store: Store) -> None:
    put(store, {f"c/{n}": {"at": NOON, "text": "?&/+ £", "n": n} for n in range(4)})
    cursor = store.query(Query("c", order_by=["at", "text"], limit=2)).cursor
    assert cursor is not None
    assert cursor.replace("-", "").replace("_", "").isalnum()

    store.commit([Delete("c/1"), Put("c/0", {"at": NOON - timedelta(1), "text": ""})])
    assert ids(store.query(Query("c", order_by=["at", "text"], after=cursor))) == ["2", "3"]


def test_a_cursor_that_is_not_one_of_the_query_is_refused(store: Store) -> None:
    put(store, {f"c/{n}": {"n": n} for n in range(3)} | {f"d/{n}": {"n": n} for n in range(3)})
    bare = store.query(Query("c", limit=1)).cursor
    ordered = store.query(Query("c", order_by=["n"], limit=1)).cursor
    elsewhere = store.query(Query("d", order_by=["n"], limit=1)).cursor
    garbage = ["", "x", "ä", "*", "bnVsbA", "WzEsMl0", "eyJhIjoxfQ", "W10", "WyJjL2QiLFsxLjVdXQ", "W" * 9999]
    deep = "W1tb" * 5_000
    for cursor in (bare, elsewhere, ordered and ordered[:-2], *garbage, deep):
        with pytest.raises(ValueError, match="cursor"):
            store.query(Query("c", order_by=["n"], after=cursor))


@pytest.mark.parametrize(
    "query",
    [
        Query("c/d"),
        Query(""),
        Query("g/1/m", group=True),
        Query("c", limit=0),
        Query("c", [("v", ">", 1)]),
        Query("c", [("v", ">", 1)], ["w"]),
        Query("c", order_by=["v", "-v"]),
        Query("c", order_by=[""]),
        Query("c", [("v", "<", None)], ["v"]),
        Query("c", [("v", "array_contains", None)]),
        Query("c", [("v", "in", [])]),
        Query("c", [("v", "in", "text")]),
        Query("c", [("v", "in", [None])]),
        Query("c", [("v", "in", list(range(31)))]),
        Query("c", [("v", "in", [1]), ("w", "in", [1])]),
        Query("c", [("v", "array_contains", 1), ("w", "array_contains", 1)]),
        Query("c", [("v", "array_contains", 1), ("w", "array_contains_any", [1])]),
        Query("c", [("v", "array_contains_any", [None])]),
        Query("c", [("v", "in", [1]), ("w", "array_contains_any", [1])]),
        Query("c", [("v", "==", 1.5)]),
        Query("c", [("v", "!=", 1)]),  # type: ignore[list-item]
    ],
    ids=repr,
)
def test_queries_that_firestore_would_refuse_are_refused(store: Store, query: Query) -> None:
    for ask in (store.query, store.count, store.read_consistently, lambda one: store.gather([], one)):
        with pytest.raises(ValueError):  # noqa: PT011 - each has its own words
            ask(query)


# --- gather ----------------------------------------------------------------------------------------------


def test_gather_answers_as_load_and_query_would_in_the_order_asked(store: Store) -> None:
    put(store, {f"c/{n}": {"n": n} for n in range(5)} | {"g/1/m/a": {"n": 1}, "g/2/m/b": {"n": 2}})
    paths = ["c/3", "c/none", "c/0", "c/3"]
    queries = [
        Query("c", order_by=["-n"], limit=2),
        Query("none"),
        Query("m", group=True),
        Query("c", [("n", "<", 2)], ["n"]),
        Query("c", order_by=["n"], limit=2, after=store.query(Query("c", order_by=["n"], limit=3)).cursor),
    ]

    documents, pages = store.gather(paths, *queries)

    assert documents == store.load(*paths)
    assert pages == [store.query(query) for query in queries]
    assert [ids(page) for page in pages] == [["4", "3"], [], ["a", "b"], ["0", "1"], ["3", "4"]]
    assert [page.cursor is None for page in pages] == [False, True, True, True, True]


def test_gather_of_documents_of_queries_or_of_nothing(store: Store) -> None:
    put(store, {"c/a": {"n": 1}})
    assert store.gather([]) == ([], [])
    assert store.gather(["c/a"]) == (store.load("c/a"), [])
    assert store.gather([], Query("c")) == ([], [store.query(Query("c"))])


def test_what_is_gathered_can_be_guarded_like_what_was_loaded(store: Store) -> None:
    put(store, {"c/d": {"n": 1}})
    (loaded,), (page,) = store.gather(["c/d"], Query("c"))
    store.commit([Update("c/d", {"n": 2}, loaded.version)])
    with pytest.raises(Stale):
        store.commit([Update("c/d", {"n": 3}, page.documents[0].version)])


def test_what_load_or_query_would_refuse_refuses_the_whole_gathering(store: Store) -> None:
    with pytest.raises(ValueError, match="not the path of a document"):
        store.gather(["c/a", "c"], Query("c"))
    with pytest.raises(ValueError, match="cursor"):
        store.gather(["c/a"], Query("c"), Query("c", after="x"), Query("d"))


# --- counts and consistent reads -------------------------------------------------------------------------


def test_count_and_consistent_reads_heed_no_page(store: Store) -> None:
    put(store, {f"c/{n}": {"n": n} for n in range(5)} | {"d/0": {"n": 9}})
    cursor = store.query(Query("c", limit=2)).cursor
    page = Query("c", order_by=["-n"], limit=2)
    assert store.count(page) == 5
    assert store.count(Query("c", limit=2, after=cursor)) == 5
    assert store.count(Query("none")) == 0

    in_turn, all_of_it, other, nothing = store.read_consistently(
        page, Query("c", limit=2, after=cursor), Query("d"), Query("none")
    )
    assert [found.data for found in in_turn] == [{"n": n} for n in (4, 3, 2, 1, 0)]
    assert [found.path for found in all_of_it] == [f"c/{n}" for n in range(5)]
    assert other == store.load("d/0")
    assert nothing == []
    assert store.read_consistently() == []


def test_consistent_reads_see_one_moment_while_others_write(store: Store) -> None:
    """A writer moves a pound to and fro between collections; together they always hold the same.

    The emulator breaks this once in 300 reads (in a read-only transaction as at a stated `read_time`), where
    Firestore promises that it never does. Reads that are not of one moment differ in every second.
    """
    torn_max = 2 if isinstance(store, FirestoreStore) else 0
    put(store, {"left/purse": {"pence": 100}, "right/purse": {"pence": 0}})
    enough = threading.Event()

    def move() -> None:
        amount = 100
        while not enough.is_set():
            store.commit(
                [
                    Increment("left/purse", {("pence",): -amount}),
                    Increment("right/purse", {("pence",): amount}),
                ]
            )
            amount = -amount

    writer = threading.Thread(target=move)
    writer.start()
    try:
        read = [store.read_consistently(Query("left"), Query("right")) for _ in range(30)]
        sums = [sum((found.data or {})["pence"] for (found,) in one) for one in read]
        assert len([pence for pence in sums if pence != 100]) <= torn_max
    finally:
        enough.set()
        writer.join()


# --- races -----------------------------------------------------------------------------------------------


def at_once(work: Callable[[int], Any], workers: int = WRITERS) -> list[Any]:
    """What each of the workers, let go together, returned or raised."""
    gate = threading.Barrier(workers)
    outcomes: list[Any] = [None] * workers

    def run(worker: int) -> None:
        gate.wait()
        try:
            outcomes[worker] = work(worker)
        except Exception as error:
            outcomes[worker] = error

    threads = [threading.Thread(target=run, args=(worker,)) for worker in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def until_done(store: Store, decide: Callable[[], Sequence[Write]]) -> None:
    """As the services do it: load, decide, commit; stale, and all over again."""
    while True:
        try:
            store.commit(decide())
        except Stale:
            continue
        return


def test_of_eight_writers_of_one_fact_one_wins_and_its_entries_alone_count(store: Store) -> None:
    def settle(worker: int) -> None:
        for turn in range(10):
            fact = Create(f"groups/g/journal/txn_{turn}", {"by": worker})
            balances = Increment("groups/g/ledger/balances", {("debits", "cash:stripe"): 100})
            won[turn].append(attempt(fact, balances))

    def attempt(*writes: Write) -> type[Exception] | None:
        """Contention may stall a commit on Firestore: that it came to nothing says nothing of the winner."""
        while True:
            try:
                store.commit(writes)
            except Stale:
                continue
            except AlreadyExists:
                return AlreadyExists
            return None

    won: list[list[type[Exception] | None]] = [[] for _ in range(10)]
    assert at_once(settle) == [None] * WRITERS

    for outcomes in won:
        assert sorted(outcomes, key=str) == [*[AlreadyExists] * (WRITERS - 1), None]
    assert read(store, "groups/g/ledger/balances") == {"debits": {"cash:stripe": 1_000}}


def test_increments_by_eight_writers_are_exact(store: Store) -> None:
    def pay(worker: int) -> None:
        for _ in range(20):
            until_done(store, lambda: [Increment("c/d", {("all",): 3, ("by", f"usr:{worker}"): 1})])

    assert at_once(pay) == [None] * WRITERS
    assert read(store, "c/d") == {"all": 480, "by": {f"usr:{worker}": 20 for worker in range(WRITERS)}}


def test_guarded_updates_by_eight_writers_lose_none(store: Store) -> None:
    put(store, {"c/d": {"n": 0, "by": []}})

    def add(worker: int) -> None:
        def decide() -> list[Write]:
            (found,) = store.load("c/d")
            assert found.data is not None
            return [
                Update("c/d", {"n": found.data["n"] + 1, "by": [*found.data["by"], worker]}, found.version)
            ]

        for _ in range(5):
            until_done(store, decide)

    assert at_once(add) == [None] * WRITERS
    data = read(store, "c/d")
    assert data is not None
    assert data["n"] == 40
    assert sorted(data["by"]) == sorted([*range(WRITERS)] * 5)


def test_a_reserve_debited_by_eight_under_guard_never_falls_below_zero(store: Store) -> None:
    put(store, {"c/d": {"credits": {"reserve": 100}, "debits": {"reserve": 0}}})

    def debit(worker: int) -> int:
        taken = 0
        while True:
            (found,) = store.load("c/d")
            assert found.data is not None
            if found.data["credits"]["reserve"] - found.data["debits"]["reserve"] < 30:
                return taken
            try:
                store.commit([Increment("c/d", {("debits", "reserve"): 30}, found.version)])
            except Stale:
                continue
            taken += 1

    assert sum(at_once(debit)) == 3
    assert read(store, "c/d") == {"credits": {"reserve": 100}, "debits": {"reserve": 90}}


def test_of_two_decisions_on_one_document_the_second_must_look_again(store: Store) -> None:
    """The race that matters (DESIGN.md, the ledger): settling and reserving both change the contribution."""
    put(store, {"con/1": {"state": "due"}, "pay/1": {"state": "planned"}})
    contribution, payout = store.load("con/1", "pay/1")

    store.commit(
        [
            Create("journal/reserved", {"short": ["1"]}),
            Update("pay/1", {"state": "reserved"}, payout.version),
            Update("con/1", {"state": "short"}, contribution.version),
        ]
    )
    with pytest.raises(Stale):
        store.commit(
            [Create("journal/settled", {}), Update("con/1", {"state": "covered"}, contribution.version)]
        )
    assert [found.data for found in store.load("con/1", "journal/settled")] == [{"state": "short"}, None]
