"""Invite: a code that lets people ask to join a group."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

from shared.domain.decision import Decision
from shared.domain.groups import group_ref, require_recruiting, roles_in
from shared.domain.invitations import Invitation, address_fingerprint, fingerprint
from shared.domain.journal import News
from shared.domain.permissions import Action, require
from shared.services import throttle
from shared.services.context import Command, Context
from shared.services.transact import Loaded, read, transact


def invite(
    ctx: Context, command: Command, gid: str, valid_days: int, email: str | None = None
) -> dict[str, Any]:
    """Make a code for the group; only its fingerprint is kept, and that of the address that it is for.

    A code that is for an address lets its holder in without another word; any other lets people ask.

    Raises NoSuchThing, NotAllowed, GroupNotOpen, TooManyRequests.
    """
    require(Action.INVITE, roles_in(read(ctx, group_ref(gid)).get(group_ref(gid)), command.actor))
    throttle.count(ctx, throttle.INVITATIONS, command.actor)
    code = base64.b32encode(ctx.chance.token(10)).decode().lower()
    invitation = Invitation(
        fingerprint=fingerprint(ctx.secrets.current("invitation-key"), code),
        group=gid,
        invited_by=command.actor,
        expires_at=ctx.clock.now() + timedelta(days=valid_days),
        address=address_fingerprint(ctx.secrets.current("invitation-key"), email) if email else None,
    )

    def decide(loaded: Loaded) -> Decision:
        group = loaded.get(group_ref(gid))
        require(Action.INVITE, roles_in(group, command.actor))
        require_recruiting(group)
        fact = News(
            id=f"invited:{invitation.fingerprint}",
            group=gid,
            type="invited",
            payload={"expires_at": invitation.expires_at.isoformat()},
        )
        return Decision(
            answer={
                "id": invitation.fingerprint,
                "code": code,
                "expires_at": invitation.expires_at.isoformat(),
            },
            facts=[fact],
            created=[invitation],
        )

    return transact(ctx, command, [group_ref(gid)], decide)
