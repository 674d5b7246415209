"""What every stored document has in common, and how it is addressed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Generic, NamedTuple, Self, TypeVar

from pydantic import BaseModel, ConfigDict, PlainSerializer

from shared.domain.errors import UnknownTransition

Day = Annotated[date, PlainSerializer(date.isoformat, return_type=str)]
"""A calendar day, stored as ISO 8601 text: the store knows moments, not days."""


_set = object.__setattr__  # values are frozen for everybody else


class Value(BaseModel):
    """An immutable part of a document. Unknown fields are refused: they would be silently lost."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    def with_(self, **changes: Any) -> Self:
        """A copy with some fields changed. The caller vouches for the types, as in any constructor.

        What `model_copy(update=…)` does for a value without extra or private attributes, in a third of its
        time: a decision is made of copies.
        """
        kind = type(self)
        copied = kind.__new__(kind)
        _set(copied, "__dict__", {**self.__dict__, **changes})
        _set(copied, "__pydantic_fields_set__", self.__pydantic_fields_set__ | changes.keys())
        _set(copied, "__pydantic_extra__", None)
        _set(copied, "__pydantic_private__", None)
        return copied


class Document(Value):
    """A document as the domain sees it. `revision` rises with every change, so no change is a no-op."""

    revision: int = 0

    @property
    def path(self) -> str:
        raise AttributeError(f"{type(self).__name__} has no path")

    @classmethod
    def called(cls) -> str:
        """What people would call it: "payment methods"."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", cls.__name__).lower()

    def data(self) -> dict[str, Any]:
        """The fields as the store keeps them."""
        return self.model_dump()

    def next_revision(self, before: Self) -> dict[str, Any]:
        """The fields that are not those of `before`, as the store keeps them, and the revision after its."""
        known = before.__dict__
        changed = {name for name, value in self.__dict__.items() if value is not known[name]}
        return self.model_dump(include=changed) | {"revision": self.revision + 1}


D = TypeVar("D", bound=Document)


class Ref(NamedTuple, Generic[D]):
    """The address of a document and what it holds."""

    kind: type[D]
    path: str

    def read(self, data: Mapping[str, Any]) -> D:
        return self.kind.model_validate(dict(data))


class States:
    """One state table (DESIGN.md § 6). No transition outside it; an unknown state raises."""

    def __init__(self, thing: str, table: Mapping[str, str]) -> None:
        self._thing = thing
        self._table = {state: frozenset(followers.split()) for state, followers in table.items()}

    def allows(self, state: str, to: str) -> bool:
        if state not in self._table or to not in self._table:
            raise UnknownTransition(thing=self._thing, state=state, to=to)
        return to in self._table[state]

    def check(self, state: str, to: str) -> str:
        """`to`, if `state` may go there. Raises UnknownTransition."""
        if not self.allows(state, to):
            raise UnknownTransition(thing=self._thing, state=state, to=to)
        return to

    def __iter__(self) -> Any:
        return iter(self._table)

    def pairs(self) -> set[tuple[str, str]]:
        return {(state, to) for state, followers in self._table.items() for to in followers}
