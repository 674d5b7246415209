"""Anchor: the heads of all audit chains are written down outside the store, once a day."""

from __future__ import annotations

import json
from typing import Any

from shared.domain.audit import Anchor, AuditHead
from shared.domain.calendar import london_day
from shared.domain.canonical import canonical_json
from shared.ports import Query
from shared.services.context import Command, Context


def anchor_heads(ctx: Context, command: Command) -> dict[str, Any]:
    """Write every chain's head down outside the store, once a day. Raises AnchorsUnavailable."""
    (heads,) = ctx.store.read_consistently(Query("audit_head", group=True))
    day = london_day(ctx.clock.wall()).isoformat()
    found = [head.document(AuditHead) for head in heads]
    lines = [canonical_json({"group": one.group, "seq": one.seq, "hash": one.hash}) for one in found]
    ctx.anchors.put(f"{day}.jsonl", b"".join(line + b"\n" for line in lines))
    return {"anchored": len(found), "day": day}


def anchors(ctx: Context) -> list[Anchor]:
    """Every head that was anchored. Raises AnchorsUnavailable."""
    return [
        Anchor(**json.loads(line), anchored_on=name.removesuffix(".jsonl"))
        for name, text in ctx.anchors.all()
        for line in text.splitlines()
    ]
