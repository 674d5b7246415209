"""A circle's invitations: which are open, and taking one back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shared.domain.decision import Decision
from shared.domain.errors import NoSuchThing
from shared.domain.groups import Group, group_ref, is_spent, roles_in
from shared.domain.invitations import Invitation, invitation_ref
from shared.domain.journal import News
from shared.domain.permissions import Action, require
from shared.ports import Query
from shared.services.context import Command, Context
from shared.services.transact import Loaded, read, transact


def of_group(ctx: Context, uid: str, gid: str, cursor: str | None, limit: int) -> dict[str, Any]:
    """One page of a circle's invitations, the one that lasts longest first. No code: nobody keeps them.

    Raises NoSuchThing, NotAllowed.
    """
    group = _steered(ctx, uid, gid)
    page = ctx.store.query(
        Query(
            "invitations",
            where=[("group", "==", gid)],
            order_by=["-expires_at"],
            limit=limit,
            after=cursor,
        )
    )
    found = [one.document(Invitation) for one in page.documents]
    now = ctx.clock.now()
    items = [
        {
            "id": one.fingerprint,
            "invited_by": one.invited_by,
            "expires_at": one.expires_at.isoformat(),
            "for_one_address": one.address is not None,
            "turn": one.turn,
            "state": _state(group, one, now),
        }
        for one in found
    ]
    return {"items": items, "next_cursor": page.cursor}


def _state(group: Group, one: Invitation, now: datetime) -> str:
    if one.revoked or is_spent(group, one.fingerprint, one.turn):
        return "revoked"
    return "expired" if now >= one.expires_at else "open"


def revoke(ctx: Context, command: Command, gid: str, iid: str) -> dict[str, Any]:
    """Take an invitation back: its code opens nothing any more. Raises NoSuchThing, NotAllowed."""
    _steered(ctx, command.actor, gid)
    ref = invitation_ref(iid)

    def decide(loaded: Loaded) -> Decision:
        found = loaded.get(ref)
        if found.group != gid:
            raise NoSuchThing(thing="invitation")
        answer = {"id": iid, "state": "revoked"}
        if found.revoked:
            return Decision(answer=answer)
        news = News(id=f"invitation_revoked:{iid}", group=gid, type="invitation_revoked")
        return Decision(answer=answer, facts=[news], changed=[found.with_(revoked=True)])

    return transact(ctx, command, [ref], decide)


def _steered(ctx: Context, uid: str, gid: str) -> Group:
    group = read(ctx, group_ref(gid)).get(group_ref(gid))
    require(Action.INVITE, roles_in(group, uid))
    return group
