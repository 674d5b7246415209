"""Notifications: kept once each, and listed for whom they are for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shared.domain.notifications import Notification
from shared.ports import AlreadyExists, Create, Query
from shared.services.context import Context


def keep(ctx: Context, notifications: Iterable[Notification]) -> int:
    """Keep what a person is told, each once however often it is said; how many were new."""
    told = {one.path: one for one in notifications}
    if not told:
        return 0
    known = {one.path for one in ctx.store.load(*told) if one.exists}
    new = 0
    for path, one in told.items():
        if path in known:
            continue
        try:
            ctx.store.commit([Create(path, one.data())])
        except AlreadyExists:
            continue  # another tick was quicker
        new += 1
    return new


def own(ctx: Context, uid: str, cursor: str | None, limit: int) -> dict[str, Any]:
    """One page of what the person was told, newest first."""
    page = ctx.store.query(Query(f"notifications/{uid}/items", order_by=["-at"], limit=limit, after=cursor))
    found = [one.document(Notification) for one in page.documents]
    return {
        "items": [
            {
                "id": one.id,
                "template": one.template,
                "subject": one.subject,
                "group": one.group,
                "at": one.at.isoformat(),
                "seen": one.seen,
            }
            for one in found
        ],
        "next_cursor": page.cursor,
    }
