"""The relay: publishes facts whose publication failed or was cut off. Consumers dedupe by fact id."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from shared.domain.journal import Fact
from shared.ports import Query
from shared.services.context import Command, Context
from shared.services.transact import publish

UNMARKED_FOR: Final = timedelta(seconds=60)
"""Whoever commits a fact publishes and marks it within seconds; after a minute nobody will (§ 4)."""


def relay(ctx: Context, command: Command) -> dict[str, Any]:
    """Publish up to 500 facts that nobody marked. Two relays at once publish twice, which harms nobody."""
    query = Query(
        "journal",
        where=[("published", "==", 0), ("committed_at", "<=", ctx.clock.wall() - UNMARKED_FOR)],
        order_by=["committed_at"],
        limit=500,
        group=True,
    )
    facts = [found.document(Fact) for found in ctx.store.query(query).documents]
    for fact in facts:
        publish(ctx, [fact])
    return {"published": len(facts)}
