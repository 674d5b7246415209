"""Quarantine: what must not be booked and must not be lost, parked with its reason until a person looks."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from shared.domain.errors import Broken
from shared.ports import AlreadyExists, Create, Put
from shared.services.context import Context

log = logging.getLogger(__name__)


def park(ctx: Context, key: str, kind: str, reason: Broken | str, what: Mapping[str, Any]) -> str:
    """Park something once, and raise the alarm; returns where it lies. `what` holds ids, nothing personal.

    What was replayed and breaks again is parked again. `scripts/ajo replay` takes it up.
    """
    path = f"quarantine/{sha256(key.encode()).hexdigest()[:40]}"
    code = reason.code if isinstance(reason, Broken) else "unknown_event"
    document = {
        "key": key,
        "kind": kind,
        "code": code,
        "reason": str(reason),
        "what": dict(what),
        "at": ctx.clock.wall(),
        "state": "parked",
    }
    try:
        ctx.store.commit([Create(path, document)])
    except AlreadyExists:
        (known,) = ctx.store.load(path)
        if known.data is None or known.data["state"] == "parked":
            return path  # parked and alerted before
        ctx.store.commit([Put(path, document)])
    log.error("quarantined %s %s: %s", kind, key, code, extra={"alert": "quarantine"})
    return path
