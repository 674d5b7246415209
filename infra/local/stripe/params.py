"""Form parameters: what an operation takes, and Stripe's refusals of anything else.

A specification maps each name to a kind. `read` turns decoded form values (text, or the same as Python
values) into typed ones, or refuses them as Stripe does before execution begins.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.local.stripe.errors import InvalidParams, Object

_WHOLE = re.compile(r"-?\d+$")


@dataclass(frozen=True, slots=True)
class Text:
    """Text; one of `choices` where they are given; '' unsets it where `may_unset`."""

    choices: tuple[str, ...] = ()
    most: int = 5000
    may_unset: bool = False

    def read(self, value: Any, name: str) -> str:
        if isinstance(value, dict | list):
            raise InvalidParams(f"Invalid string: {value}", param=name)
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if not text and not self.may_unset:
            raise InvalidParams(
                f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a "
                f"parameter; however '{name}' cannot be unset. You should remove '{name}' from your request "
                "or supply a non-empty value.",
                code="parameter_invalid_empty",
                param=name,
            )
        if len(text) > self.most:
            raise InvalidParams(
                f"Invalid string: {text[:20]}...; must be at most {self.most} characters",
                param=name,
            )
        if self.choices and text and text not in self.choices:
            *most, last = self.choices
            listed = f"{', '.join(most)}, or {last}" if len(most) > 1 else " or ".join(self.choices)
            raise InvalidParams(f"Invalid {name}: must be one of {listed}", param=name)
        return text


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number."""

    least: int | None = None
    most: int | None = None

    def read(self, value: Any, name: str) -> int:
        if isinstance(value, bool) or not _WHOLE.match(str(value)):
            raise InvalidParams(f"Invalid integer: {value}", code="parameter_invalid_integer", param=name)
        number = int(value)
        if self.least is not None and number < self.least:
            raise InvalidParams(
                f"This value must be greater than or equal to {self.least}.",
                code="parameter_invalid_integer",
                param=name,
            )
        if self.most is not None and number > self.most:
            raise InvalidParams(
                f"This value must be less than or equal to {self.most}.",
                code="parameter_invalid_integer",
                param=name,
            )
        return number


@dataclass(frozen=True, slots=True)
class Flag:
    """A boolean."""

    def read(self, value: Any, name: str) -> bool:
        if str(value).lower() not in {"true", "false"}:
            raise InvalidParams(f"Invalid boolean: {value}", param=name)
        return str(value).lower() == "true"


@dataclass(frozen=True, slots=True)
class Metadata:
    """Free keys and text values; '' for a key or for all unsets (docs.stripe.com/api/metadata)."""

    def read(self, value: Any, name: str) -> dict[str, str]:
        if value == "":
            return {"": ""}
        if not isinstance(value, Mapping):
            raise InvalidParams("Invalid hash", param=name)
        if len(value) > 50:
            raise InvalidParams("Metadata cannot have more than 50 keys.", param=name)
        for key, text in value.items():
            if len(key) > 40:
                raise InvalidParams(f"Metadata keys can't be longer than 40 characters: {key}", param=name)
            if isinstance(text, dict | list):
                raise InvalidParams("Metadata values must be strings", param=f"{name}[{key}]")
            if len(str(text)) > 500:
                raise InvalidParams(
                    "Metadata values can have up to 500 characters, but you passed in a value that is "
                    f"{len(str(text))} characters.",
                    param=f"{name}[{key}]",
                )
        return {key: str(text) for key, text in value.items()}


@dataclass(frozen=True, slots=True)
class Hash:
    """Nested parameters."""

    fields: Mapping[str, Kind]
    required: tuple[str, ...] = ()

    def read(self, value: Any, name: str) -> Object:
        if not isinstance(value, Mapping):
            raise InvalidParams("Invalid object", param=name)
        return read(value, self.fields, self.required, inside=name)


@dataclass(frozen=True, slots=True)
class Many:
    """A list."""

    of: Kind

    def read(self, value: Any, name: str) -> list[Any]:
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise InvalidParams("Invalid array", param=name)
        return [self.of.read(part, f"{name}[{at}]") for at, part in enumerate(value)]


@dataclass(frozen=True, slots=True)
class Either:
    """The first kind that takes the value; the last one's refusal where none does."""

    kinds: tuple[Kind, ...]

    def read(self, value: Any, name: str) -> Any:
        for kind in self.kinds[:-1]:
            try:
                return kind.read(value, name)
            except InvalidParams:
                continue
        return self.kinds[-1].read(value, name)


Kind = Text | Whole | Flag | Metadata | Hash | Many | Either

EXPAND = Many(Text())
RANGE = Either((Whole(), Hash({bound: Whole() for bound in ("gt", "gte", "lt", "lte")})))
PAGE: dict[str, Kind] = {
    "limit": Whole(least=1, most=100),
    "starting_after": Text(),
    "ending_before": Text(),
    "expand": EXPAND,
}
CURRENCY = Text(most=3)


def read(
    values: Mapping[str, Any], fields: Mapping[str, Kind], required: Sequence[str] = (), inside: str = ""
) -> Object:
    """Typed parameters, or the refusal of the first one that is unknown, missing or malformed."""

    def full(name: str) -> str:
        return f"{inside}[{name}]" if inside else name

    for name in values:
        if name not in fields:
            raise InvalidParams(
                f"Received unknown parameter: {full(name)}", code="parameter_unknown", param=full(name)
            )
    for name in required:
        if values.get(name) is None:
            raise InvalidParams(
                f"Missing required param: {full(name)}.", code="parameter_missing", param=full(name)
            )
    return {name: fields[name].read(value, full(name)) for name, value in values.items() if value is not None}


def merge_metadata(thing: Object, params: Object) -> None:
    """Set and unset metadata as Stripe does: '' unsets a key, '' for all of it unsets everything."""
    given = params.get("metadata")
    if given is None:
        return
    if given == {"": ""}:
        thing["metadata"] = {}
        return
    kept = {**thing.get("metadata", {}), **given}
    thing["metadata"] = {key: value for key, value in kept.items() if value != ""}


def new_metadata(params: Object) -> dict[str, str]:
    """The metadata of a new object."""
    return {key: value for key, value in params.get("metadata", {}).items() if key and value != ""}
