"""The tick that collects: finds what is due by its index, and queues one named task for each."""

from __future__ import annotations

import hashlib
from typing import Any

from shared.domain.ids import SHARDS
from shared.ports import Query, QueueFailed, Snapshot
from shared.services.context import Command, Context
from shared.services.paging import every

PAGE = 200


def queue_due(ctx: Context, command: Command) -> dict[str, Any]:
    """Queue every contribution that wants a look. A doubled, skipped or late tick changes nothing.

    Carries no work: what is due is read from state, and a task's name says what it is for.
    """
    advanced = _advance_groups(ctx, command)
    queued = 0
    for found in due(ctx, "contributions"):
        queued += queue(ctx, "contribution", found)
    return {"queued": queued, "groups_advanced": advanced}


def _advance_groups(ctx: Context, command: Command) -> int:
    """Advance every group whose time has come; returns how many were looked at."""
    query = Query("groups", where=[("act_at", "<=", ctx.clock.now())], order_by=["act_at"], limit=500)
    found = ctx.store.query(query).documents
    for snapshot in found:
        from shared.services.advance_group import advance_group

        advance_group(ctx, command, snapshot.path.partition("/")[2])
    return len(found)


def due(ctx: Context, collection: str) -> list[Snapshot]:
    """Documents of all groups whose `act_at` has come, oldest first."""
    query = Query(
        collection,
        where=[("shard", "in", list(range(SHARDS))), ("act_at", "<=", ctx.clock.now())],
        order_by=["act_at"],
        limit=PAGE,
        group=True,
    )
    return list(every(ctx, query))


def queue(ctx: Context, kind: str, found: Snapshot) -> int:
    """One named task for one look at one document. The same look is queued once."""
    assert found.data is not None  # noqa: S101 - a query finds only documents that are there
    body = {"kind": kind, "group": found.data["group"], "id": found.data["id"]}
    look = f"{kind}:{found.data['id']}:{found.data['revision']}:{found.data['act_at'].isoformat()}"
    try:
        ctx.tasks.enqueue(hashlib.sha256(look.encode()).hexdigest(), body)
    except QueueFailed:
        return 0  # the next tick finds it again
    return 1
