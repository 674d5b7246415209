"""One spelling for one value, for whatever is hashed: payloads, bodies of requests, the audit chain."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime


def canonical_json(value: object) -> bytes:
    """One spelling for one value: sorted keys, no spaces, moments in UTC with microseconds."""
    return _ENCODER.encode(value).encode()


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        moment = value if value.tzinfo is UTC else value.astimezone(UTC)
        return moment.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no canonical form")


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)
