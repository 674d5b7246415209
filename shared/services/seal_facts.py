"""Seal: each new fact gets its place in its group's audit chain (DESIGN.md § 4)."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from shared.domain.audit import AuditHead, audit_head_ref, seal
from shared.ports import (
    AlreadyExists,
    Create,
    OutcomeUnknown,
    Query,
    Snapshot,
    Stale,
    StoreUnavailable,
    Update,
    Write,
)
from shared.services.context import Command, Context

log = logging.getLogger(__name__)

UNSEALED_FOR: Final = timedelta(seconds=5)
"""A fact younger than this may still be marked as published by its own request: it is left until the next
tick, so that the two marks do not get in each other's way."""

AT_ONCE: Final = 200
"""Facts of one batch: each is two of Firestore's 500 writes, and the head is one."""

A_TICK: Final = 2_000
"""Facts of one tick: some seconds of work. What is left over waits a minute."""

TRIES: Final = 3

TAIL_MAX: Final = timedelta(hours=1)
"""Sealing runs each minute; a fact that waits for an hour is alarmed."""


def seal_facts(ctx: Context, command: Command) -> dict[str, Any]:
    """Seal what is not sealed yet, oldest first; returns how many, and the age of what is left (seconds).

    Two sealers at once: one moves the head, the other finds it moved and looks again.
    """
    sealed = 0
    while sealed < A_TICK:
        found = _unsealed(ctx, AT_ONCE)
        by_group: dict[str, list[str]] = defaultdict(list)
        for snapshot in found:
            by_group[snapshot.path.split("/")[1]].append(snapshot.path)
        here = sum(_seal_group(ctx, group, paths) for group, paths in by_group.items())
        sealed += here
        if here == len(found) < AT_ONCE:
            return {"sealed": sealed, "tail_seconds": 0}  # all that there was: no need to look again
        if len(found) < AT_ONCE or not here:
            break
    return {"sealed": sealed, "tail_seconds": _tail_seconds(ctx)}


def _unsealed(ctx: Context, limit: int) -> list[Snapshot]:
    query = Query(
        "journal",
        where=[("sealed", "==", None), ("committed_at", "<=", ctx.clock.wall() - UNSEALED_FOR)],
        order_by=["committed_at"],
        limit=limit,
        group=True,
    )
    return ctx.store.query(query).documents


def _seal_group(ctx: Context, group: str, paths: Sequence[str]) -> int:
    """One batch: the records, each fact's mark, and the head; marks and head under what was read."""
    for _ in range(TRIES):
        try:
            head_found, *found = ctx.store.load(audit_head_ref(group).path, *paths)
            facts = [one for one in found if one.data is not None and one.data["sealed"] is None]
            if not facts:
                return 0
            ctx.store.commit(_sealing(ctx, group, head_found, facts))
        except (Stale, AlreadyExists, OutcomeUnknown, StoreUnavailable):
            continue
        return len(facts)
    return 0


def _sealing(ctx: Context, group: str, head_found: Snapshot, facts: Sequence[Snapshot]) -> list[Write]:
    ref = audit_head_ref(group)
    head = AuditHead(group=group) if head_found.data is None else ref.read(head_found.data)
    after, records = seal(head, [fact.data or {} for fact in facts], ctx.clock.wall())
    writes: list[Write] = [Create(record.path, record.data()) for record in records]
    writes += [
        Update(fact.path, {"sealed": record.seq}, fact.version)
        for fact, record in zip(facts, records, strict=True)
    ]
    moved = after.data()
    writes.append(
        Create(ref.path, moved) if head_found.data is None else Update(ref.path, moved, head_found.version)
    )
    return writes


def _tail_seconds(ctx: Context) -> int:
    """How long the oldest unsealed fact has waited; alarmed when that is too long."""
    oldest = _unsealed(ctx, 1)
    if not oldest:
        return 0
    age: timedelta = ctx.clock.wall() - (oldest[0].data or {})["committed_at"]
    if age > TAIL_MAX:
        log.critical("facts are not sealed: %s", oldest[0].path, extra={"alert": "audit"})
    return int(age.total_seconds())
