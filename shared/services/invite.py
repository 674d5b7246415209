"""Invite: a code that lets people ask to join a group."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any

from shared.domain.decision import Decision
from shared.domain.groups import group_ref, require_recruiting, roles_in
from shared.domain.invitations import Invitation, address_fingerprint, fingerprint
from shared.domain.journal import News
from shared.domain.permissions import Action, require
from shared.services import mail_invitation, throttle
from shared.services.context import Command, Context
from shared.services.transact import Loaded, read, transact


def invite(
    ctx: Context,
    command: Command,
    gid: str,
    valid_days: int,
    email: str | None = None,
    public_url: str = "",
) -> dict[str, Any]:
    """Make a code for the group; only its fingerprint is kept, and that of the address that it is for.

    A code that is for an address lets its holder in without another word, and is mailed there once it stands:
    `mail` says what became of that. The same request again mails it again. Any other code lets people ask.

    Raises NoSuchThing, NotAllowed, GroupNotOpen, TooManyRequests.
    """
    found = read(ctx, group_ref(gid)).get(group_ref(gid))
    require(Action.INVITE, roles_in(found, command.actor))
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

    made = transact(ctx, command, [group_ref(gid)], decide)
    state = None
    if email is not None:
        expires_at = datetime.fromisoformat(made["expires_at"])
        state = mail_invitation.mail(ctx, found.terms.name, made["code"], expires_at, email, public_url)
    return made | {"link": mail_invitation.link_to(public_url, made["code"]), "mail": state}
