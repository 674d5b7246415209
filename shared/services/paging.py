"""All that a query finds, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shared.ports import Page, Query, Snapshot
from shared.services.context import Context


def every(ctx: Context, query: Query) -> Iterator[Snapshot]:
    """Each document in turn. The next page is asked for when the one before it has been looked through."""
    yield from onwards(ctx, query, ctx.store.query(query))


def onwards(ctx: Context, query: Query, page: Page) -> Iterator[Snapshot]:
    """`every`, where the first page is there already."""
    yield from page.documents
    while page.cursor is not None:
        page = ctx.store.query(replace(query, after=page.cursor))
        yield from page.documents
