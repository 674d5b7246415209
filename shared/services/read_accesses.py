"""Read who of staff looked into a circle, and why: open to its people and to auditors."""

from __future__ import annotations

from typing import Any

from shared.domain.groups import group_ref, roles_in
from shared.domain.permissions import Action, allows, require
from shared.ports import Query
from shared.services.access_log import Access, sealed_as
from shared.services.context import Context, Reader
from shared.services.transact import read


def of_group(ctx: Context, reader: Reader, gid: str, cursor: str | None, limit: int) -> dict[str, Any]:
    """One page of staff's looks at a circle, the latest first; for its people also those at their own data.

    Changes are no part of this: each is a fact of the journal, with its actor.
    Raises NoSuchThing, NotAllowed.
    """
    group = read(ctx, group_ref(gid)).get(group_ref(gid))
    own = roles_in(group, reader.uid)
    require(Action.READ_ACCESSES, own | reader.roles)
    about = [gid, reader.uid] if allows(Action.READ_ACCESSES, own) else [gid]
    page = ctx.store.query(
        Query("access", where=[("about", "in", about)], order_by=["-at"], limit=limit, after=cursor)
    )
    sealers = {one: ctx.vault.sealer(one) for one in about}
    found = [one.document(Access) for one in page.documents]
    items = [
        {
            "id": one.id,
            "at": one.at.isoformat(),
            "staff": one.staff,
            "action": one.action,
            "about": one.about,
            "reason": sealers[one.about].open(one.reason, sealed_as(one.id)),
        }
        for one in found
    ]
    return {"items": items, "next_cursor": page.cursor}
