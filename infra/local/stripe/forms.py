"""Stripe's form encoding: `metadata[key]=v`, `expand[]=a`, `items[0][price]=b`, decoded to nested values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from infra.local.stripe.errors import InvalidParams, Object

_STEP = re.compile(r"\[([^\[\]]*)\]")


def decode(pairs: Iterable[tuple[str, str]]) -> Object:
    """Nested values of decoded form pairs."""
    root: Object = {}
    for name, value in pairs:
        head, bracket, rest = name.partition("[")
        steps = [head, *_STEP.findall(bracket + rest)] if bracket else [name]
        _put(root, steps, value, name)
    return {name: _lists(value) for name, value in root.items()}


def _put(into: Object, steps: list[str], value: str, name: str) -> None:
    step = steps[0] or str(len(into))
    if len(steps) == 1:
        into[step] = value
        return
    inner = into.setdefault(step, {})
    if not isinstance(inner, dict):
        raise InvalidParams(f"Invalid parameter: {name}", param=name)
    _put(inner, steps[1:], value, name)


def _lists(value: Any) -> Any:
    """Numbered keys from 0 on are a list."""
    if not isinstance(value, dict):
        return value
    if value and list(value) == [str(at) for at in range(len(value))]:
        return [_lists(part) for part in value.values()]
    return {name: _lists(part) for name, part in value.items()}
