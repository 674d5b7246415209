"""Lists, page by page. A cursor is the store's own, opaque to clients, and checked when it comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from shared.domain.errors import InvalidRequest
from shared.web.schemas.common import PageRequest


def page(asked: PageRequest, read: Callable[[str | None, int], Mapping[str, Any]]) -> Mapping[str, Any]:
    """One page by `read(cursor, limit)`. Raises InvalidRequest for a cursor that the store did not give."""
    try:
        return read(asked.cursor, asked.limit)
    except ValueError as error:
        if asked.cursor is None or isinstance(error, ValidationError):
            raise
        fault = {"field": "cursor", "code": "bad_cursor", "message": "Not a cursor of this list"}
        raise InvalidRequest(errors=[fault]) from None
