"""Lists with cursors, created filters, and `expand`, as every Stripe list has them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from infra.local.stripe.errors import InvalidParams, Object, missing
from infra.local.stripe.world import World

_BOUNDS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
_EXPAND_DEPTH = 4
_NEVER_EXPANDABLE = {"id", "object"}


def page(world: World, things: list[Object], params: Object, url: str) -> Object:
    """One page of objects given oldest first; Stripe lists newest first."""
    if "created" in params:
        things = [thing for thing in things if within(thing["created"], params["created"])]
    newest = things[::-1]
    if params.get("starting_after") and params.get("ending_before"):
        raise InvalidParams("You can only specify one of these parameters: starting_after, ending_before.")
    backwards = "ending_before" in params
    if backwards:
        newest = newest[::-1]
    cursor = params.get("ending_before") or params.get("starting_after")
    if cursor is not None:
        at = next((at for at, thing in enumerate(newest) if thing["id"] == cursor), None)
        if at is None:
            raise missing("object", cursor, "ending_before" if backwards else "starting_after")
        newest = newest[at + 1 :]
    limit = params.get("limit", 10)
    shown = newest[:limit]
    return {
        "object": "list",
        "data": [world.show(thing) for thing in (shown[::-1] if backwards else shown)],
        "has_more": len(newest) > limit,
        "url": url,
    }


def within(value: int, bounds: Any) -> bool:
    """Whether a moment is within a filter: one moment, or bounds."""
    if isinstance(bounds, int):
        return value == bounds
    return all(_BOUNDS[name](value, bound) for name, bound in bounds.items())


def expand(world: World, answer: Object, paths: list[str]) -> Object:
    """Replace ids by their objects along each dotted path."""
    for path in paths:
        steps = path.split(".")
        if len(steps) - (steps[0] == "data") > _EXPAND_DEPTH:
            raise InvalidParams(
                f"You cannot expand more than {_EXPAND_DEPTH} levels of a property: {path}.", param="expand"
            )
        _expand(world, answer, steps, path)
    return answer


def _expand(world: World, thing: Any, steps: list[str], path: str) -> None:
    if not steps or thing is None:
        return
    if isinstance(thing, list):
        for part in thing:
            _expand(world, part, steps, path)
        return
    name, rest = steps[0], steps[1:]
    if not isinstance(thing, dict) or name not in thing or name in _NEVER_EXPANDABLE:
        raise InvalidParams(f"This property cannot be expanded ({name}).", param="expand")
    value = thing[name]
    if isinstance(value, str):
        if value not in world.objects and value not in world.removed:
            raise InvalidParams(f"This property cannot be expanded ({name}).", param="expand")
        thing[name] = world.show(world.objects[value]) if value in world.objects else None
    elif isinstance(value, int | float):
        raise InvalidParams(f"This property cannot be expanded ({name}).", param="expand")
    elif isinstance(value, list):
        thing[name] = [
            world.show(world.objects[part]) if isinstance(part, str) and part in world.objects else part
            for part in value
        ]
    _expand(world, thing[name], rest, path)
