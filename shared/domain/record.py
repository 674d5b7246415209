"""Plain immutable values: frozen dataclasses whose methods are generated at their first instance.

`dataclass` writes and compiles some 80 lines of Python for each class: a millisecond of every cold start,
also for the many classes that a function never makes an instance of (infra/decisions/0035).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")

_generating = threading.RLock()  # a field's default may be a record, too


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """`@dataclass(frozen=True)`, and for an instance there is no difference: `replace`, `asdict`, `match`."""

    def first_instance(self: Any, *args: Any, **kwargs: Any) -> None:
        with _generating:
            if vars(cls)["__init__"] is first_instance:
                _generate(cls)
        cls.__init__(self, *args, **kwargs)

    setattr(cls, "__init__", first_instance)  # noqa: B010 - mypy allows no plain assignment
    return cls


def _generate(cls: type[Any]) -> None:
    """Put the methods on, `__init__` as the last: no other thread makes an instance of half a class."""
    dataclass(frozen=True, init=False)(cls)
    heir: type[Any] = type(cls.__name__, (cls,), {"__doc__": cls.__doc__})
    dataclass(frozen=True, eq=False, repr=False)(heir)
    setattr(cls, "__init__", vars(heir)["__init__"])  # noqa: B010
