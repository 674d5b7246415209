"""What a document may hold and what a query may ask: Firestore's rules, by which both stores check.

Checked here and not left to the server, so that what passes on the memory store is not refused by Firestore.
We are stricter in two things: floats, and datetimes without a zone, which the client would take for UTC.
Limits are those of https://firebase.google.com/docs/firestore/quotas.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import accumulate
from typing import Any, NamedTuple, cast

from shared.domain.record import record
from shared.ports import Increment, Operator, Query, Update, Write

WRITES_MAX = 500  # ours: Firestore would take more, but a bigger batch holds up every other writer
DOCUMENT_BYTES_MAX = 1_048_576
DEPTH_MAX = 20
ID_BYTES_MAX = 1_500
INTEGER_MIN, INTEGER_MAX = -(2**63), 2**63 - 1
IN_VALUES_MAX = 30

RANGES = ("<", "<=", ">", ">=")
LISTS = ("in", "array_contains_any")
OPERATORS = ("==", *RANGES, *LISTS, "array_contains")


# --- paths and names -------------------------------------------------------------------------------------


def check_path(path: str) -> None:
    """A document's path is pairs of collection and id (ValueError)."""
    _check_segments(path, remainder=0, what="document")


@lru_cache(maxsize=65_536)  # a document is written and read many times
def _check_segments(path: str, remainder: int, what: str) -> None:
    segments = path.split("/")
    if len(segments) % 2 != remainder:
        raise ValueError(f"{path!r} is not the path of a {what}.")
    for segment in segments:
        if segment in ("", ".", "..") or _is_reserved(segment) or _is_too_long(segment):
            raise ValueError(f"{path!r} is not the path of a {what}: {segment!r} cannot name anything.")


def _is_reserved(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _is_too_long(name: str) -> bool:
    return len(name) * 4 > ID_BYTES_MAX and len(name.encode()) > ID_BYTES_MAX


@lru_cache(maxsize=4096)  # the same few names, over and over
def _checked_name(name: object) -> str:
    if not isinstance(name, str):
        raise ValueError(f"A field is named by a string, not by {type(name).__name__}.")
    if not name or _is_reserved(name) or _is_too_long(name):
        raise ValueError(f"{name!r} cannot name a field.")
    return str.__str__(name)


# --- documents -------------------------------------------------------------------------------------------


def normalised(value: Any, name: str = "value", depth: int = 0) -> Any:
    """A deep copy in plain types, datetimes in UTC. ValueError for what a document cannot hold."""
    kind = type(value)
    if value is None or kind is str or kind is bool:
        return value
    if isinstance(value, int):
        if not INTEGER_MIN <= value <= INTEGER_MAX:
            raise ValueError(f"{name} does not fit into 64 bits.")
        return int(value)
    if isinstance(value, datetime):
        return _utc(value, name)
    if isinstance(value, str):  # an enum's member
        return str.__str__(value)
    if depth == DEPTH_MAX and isinstance(value, Mapping | list | tuple):
        raise ValueError(f"{name} lies deeper than {DEPTH_MAX} levels.")
    if isinstance(value, Mapping):
        return {_checked_name(key): normalised(part, key, depth + 1) for key, part in value.items()}
    if isinstance(value, list | tuple):
        if any(isinstance(part, list | tuple) for part in value):
            raise ValueError(f"{name} has a list directly in a list, which Firestore cannot hold.")
        return [normalised(part, name, depth + 1) for part in value]
    raise ValueError(f"{name} is of type {kind.__name__}, which a document cannot hold.")


def normalised_fields(data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a document, as `normalised`."""
    return {_checked_name(name): normalised(value, name) for name, value in data.items()}


def _utc(value: datetime, name: str) -> datetime:
    if value.tzinfo is UTC and type(value) is datetime:
        return value
    if value.utcoffset() is None:
        raise ValueError(f"{name} is a datetime without a time zone.")
    value = value.astimezone(UTC)
    return datetime.combine(value.date(), value.time(), UTC)  # plain, whatever subclass it was


def size_bytes(path: str, data: Mapping[str, Any]) -> int:
    """A document's size as Firestore counts it (https://firebase.google.com/docs/firestore/storage-size)."""
    return sum(map(_text_bytes, path.split("/"))) + 16 + _map_bytes(data) + 32


def _text_bytes(text: str) -> int:
    return (len(text) if text.isascii() else len(text.encode())) + 1


def _map_bytes(fields: Mapping[str, Any]) -> int:
    total = 0  # loops, not sums of generators: the memory store weighs every document that it writes
    for name, value in fields.items():
        total += _text_bytes(name) + _value_bytes(value)
    return total


def _value_bytes(value: Any) -> int:
    kind = type(value)
    if kind is str:
        return _text_bytes(value)
    if kind is dict:
        return _map_bytes(value)
    if kind is list:
        return sum(map(_value_bytes, value))
    return 1 if value is None or kind is bool else 8


# --- batches ---------------------------------------------------------------------------------------------


def check_batch(writes: Sequence[Write]) -> None:
    """What can be said of a batch before looking at the store (ValueError)."""
    if len(writes) > WRITES_MAX:
        raise ValueError(f"A batch of {len(writes)} writes is more than {WRITES_MAX}.")
    if len({write.path for write in writes}) < len(writes):
        raise ValueError("A document stands once in a batch.")
    for write in writes:
        check_path(write.path)
        if isinstance(write, Update):
            _check_update(write)
        elif isinstance(write, Increment):
            _check_amounts(write.amounts)


def _check_update(write: Update) -> None:
    if write.version is None:
        raise ValueError(f"An update of {write.path} needs the version that was read.")
    if not write.data:
        raise ValueError(f"An update of {write.path} names no field.")


def _check_amounts(amounts: Mapping[tuple[str, ...], int]) -> None:
    if not amounts or not all(amounts):
        raise ValueError("An increment names its fields.")
    for names, amount in amounts.items():
        if not isinstance(names, tuple):
            raise ValueError(f"{names!r} is no tuple of names.")
        for name in names:
            _checked_name(name)
        if type(amount) is not int or not INTEGER_MIN <= amount <= INTEGER_MAX:
            raise ValueError(f"{'.'.join(names)} can be incremented by an integer of 64 bits alone.")
        if any(parent in amounts for parent in accumulate((name,) for name in names[:-1])):
            raise ValueError(f"{'.'.join(names)} and a field that holds it cannot both be incremented.")


# --- queries ---------------------------------------------------------------------------------------------

FieldPath = tuple[str, ...]


@record
class Position:
    """What a cursor says: the values of the order fields, and the path, of the last document of a page."""

    values: list[Any]
    path: str


class Plan(NamedTuple):
    """A query, checked and taken apart. `descending` has one more item than `orders`, for the path."""

    where: list[tuple[FieldPath, Operator, Any]]
    orders: list[FieldPath]
    descending: list[bool]
    after: Position | None


def plan(query: Query) -> Plan:
    """Take a query apart; ValueError where Firestore would refuse it or the cursor is not one of its own."""
    _check_collection(query)
    descending = [order.startswith("-") for order in query.order_by]
    orders = [field_path(order.removeprefix("-")) for order in query.order_by]
    if len(set(orders)) < len(orders):
        raise ValueError("A query is ordered by a field once.")
    where = [
        (field_path(field), operator, _wanted(operator, value)) for field, operator, value in query.where
    ]
    _check_filters(where, orders)
    after = None if query.after is None else _read_cursor(query.after)
    if after and not (len(after.values) == len(orders) and _contains(query, after.path)):
        raise ValueError("The cursor belongs to another query.")
    # The path goes the way of the last field, as Firestore's own index has it: any other way would
    # need a composite index for every query.
    return Plan(where, orders, [*descending, bool(descending) and descending[-1]], after)


def _wanted(operator: Operator, value: Any) -> Any:
    if operator == "in" and isinstance(value, list | tuple):
        return [normalised(one) for one in value]  # one by one: here a list may stand in the list
    return normalised(value)


@lru_cache(maxsize=1024)  # the same few queries, over and over
def field_path(field: str) -> FieldPath:
    """The names in a dotted field path."""
    return tuple(_checked_name(name) for name in field.split("."))


def value_at(data: Mapping[str, Any], names: FieldPath) -> tuple[bool, Any]:
    """Whether a document has the field, and what it holds."""
    value: Any = data
    for name in names:
        if type(value) is not dict or name not in value:
            return False, None
        value = value[name]
    return True, value


def _check_collection(query: Query) -> None:
    if query.limit < 1:
        raise ValueError("A page has room for at least one document.")
    if query.group and "/" in query.collection:
        raise ValueError("Collections of a group share a name, not a path.")
    _check_segments(query.collection, remainder=1, what="collection")


def _check_filters(where: list[tuple[FieldPath, Operator, Any]], orders: list[FieldPath]) -> None:
    for names, operator, value in where:
        field = ".".join(names)
        if operator not in OPERATORS:
            raise ValueError(f"{operator!r} is no operator of a query.")
        if operator in RANGES and names not in orders:
            raise ValueError(f"A range of {field} needs {field} in `order_by`.")
        if operator in LISTS and not (isinstance(value, list) and 0 < len(value) <= IN_VALUES_MAX):
            raise ValueError(f"`{operator}` takes a list of 1 to {IN_VALUES_MAX} values.")
        if operator != "==" and (value is None or (operator in LISTS and None in value)):
            raise ValueError(f"None can be asked for with == alone, not with {operator}.")
    operators = [operator for _, operator, _ in where]
    lists = sum(operator in LISTS for operator in operators)
    arrays = sum(operator.startswith("array_contains") for operator in operators)
    if lists > 1 or arrays > 1:
        raise ValueError("A query has one list of values and one condition on an array at most.")


def _contains(query: Query, path: str) -> bool:
    collection = path.rpartition("/")[0]
    return (collection.rpartition("/")[2] if query.group else collection) == query.collection


# --- cursors ---------------------------------------------------------------------------------------------


def cursor_after(asked: Plan, path: str, data: Mapping[str, Any]) -> str:
    """The cursor of the page that follows a document. Opaque to callers, and safe in a URL."""
    values = [_to_json(value_at(data, names)[1]) for names in asked.orders]
    text = json.dumps([path, values], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> Position:
    """Cursors come back through clients: whatever is wrong with one is a ValueError."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        path, values = json.loads(text)
        check_path(path)
        return Position([normalised(_from_json(value)) for value in values], path)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("Not a cursor.") from error


def _to_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    if isinstance(value, Mapping):
        return {"map": {name: _to_json(part) for name, part in value.items()}}
    return [_to_json(part) for part in value] if isinstance(value, list) else value


def _from_json(value: Any) -> Any:
    if isinstance(value, list):
        return [_from_json(part) for part in value]
    if not isinstance(value, dict):
        return value
    ((tag, content),) = value.items()
    if tag == "at":
        return datetime.fromisoformat(content)
    if tag == "map":
        return {name: _from_json(part) for name, part in cast("dict[str, Any]", content).items()}
    raise ValueError(tag)
