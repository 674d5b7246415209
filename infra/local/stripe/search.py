"""Search by Stripe's query language: `metadata['key']:'value' AND status:'succeeded'`.

Stripe's index lags by about a minute; this one does not, so look-ups must not rely on finding nothing.
"""

from __future__ import annotations

import re

from infra.local.stripe.errors import InvalidParams, Object
from infra.local.stripe.lists import within
from infra.local.stripe.params import EXPAND, Kind, Text, Whole
from infra.local.stripe.world import World

SEARCH: dict[str, Kind] = {
    "query": Text(),
    "limit": Whole(least=1, most=100),
    "page": Text(),
    "expand": EXPAND,
}
_QUOTED = r"""(?:'(?P<single>(?:[^'\\]|\\.)*)'|"(?P<double>(?:[^"\\]|\\.)*)"|(?P<bare>[\w.-]+))"""
_CLAUSE = re.compile(
    rf"""(?P<no>-)?(?P<field>\w+)(?:\[(?P<q>['"])(?P<key>.+?)(?P=q)\])?\s*(?P<by>:|>=|<=|>|<)\s*{_QUOTED}$"""
)
_BOUNDS = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
_FIELDS = {"amount", "created", "currency", "customer", "metadata", "status"}


def answer(world: World, things: list[Object], params: Object, url: str) -> Object:
    """The objects that meet a query, newest first."""
    clauses = [_clause(part.strip()) for part in re.split(r"\s+AND\s+", params["query"])]
    found = [thing for thing in reversed(things) if all(_meets(thing, clause) for clause in clauses)]
    page = params.get("page", "0")
    if not page.isdigit():
        raise InvalidParams(f"Invalid page: {page}", param="page")
    start, limit = int(page), params.get("limit", 10)
    more = len(found) > start + limit
    return {
        "object": "search_result",
        "data": [world.show(thing) for thing in found[start : start + limit]],
        "has_more": more,
        "next_page": str(start + limit) if more else None,
        "url": url,
    }


def _clause(text: str) -> dict[str, str | None]:
    match = _CLAUSE.match(text)
    if match is None or match["field"] not in _FIELDS or (match["field"] == "metadata") != bool(match["key"]):
        raise InvalidParams(
            f"We were unable to parse your search query: {text}. See "
            "https://stripe.com/docs/search#search-query-language",
            param="query",
        )
    return match.groupdict()


def _meets(thing: Object, clause: dict[str, str | None]) -> bool:
    field, by = clause["field"] or "", clause["by"] or ""
    value = next(v for v in (clause["single"], clause["double"], clause["bare"]) if v is not None)
    value = re.sub(r"\\(.)", r"\1", value)
    actual = thing["metadata"].get(clause["key"]) if field == "metadata" else thing[field]
    met = str(actual) == value if by == ":" else within(int(actual), {_BOUNDS[by]: int(value)})
    return met != bool(clause["no"])
