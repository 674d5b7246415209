"""Invite: a code that lets people ask to join a group."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any

from shared.domain.decision import Decision
from shared.domain.errors import GroupNotOpen, InvitationForAnother
from shared.domain.groups import (
    Group,
    free_place,
    group_ref,
    require_recruiting,
    roles_in,
    with_invitation,
)
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
    turn: int | None = None,
) -> dict[str, Any]:
    """Make a code for the group; only its fingerprint is kept, and that of the address that it is for.

    A code that is for an address lets its holder in without another word, and is mailed there once it stands:
    `mail` says what became of that. The same request again mails it again. Any other code lets people ask.

    An imported circle is for the people that it came with: `turn` names one, who has not come yet and whose
    code is lost, has expired or was revoked. The new one is for the address of the file, whether or not that
    is told again to be mailed to, and the old one opens nothing any more.

    Raises NoSuchThing, NotAllowed, GroupNotOpen, PlaceTaken, InvitationForAnother (it is not their address),
    TooManyRequests.
    """
    found = read(ctx, group_ref(gid)).get(group_ref(gid))
    require(Action.INVITE, roles_in(found, command.actor))
    throttle.count(ctx, throttle.INVITATIONS, command.actor)
    code = base64.b32encode(ctx.chance.token(10)).decode().lower()
    print_ = fingerprint(ctx.secrets.current("invitation-key"), code)
    expires_at = ctx.clock.now() + timedelta(days=valid_days)

    def decide(loaded: Loaded) -> Decision:
        group = loaded.get(group_ref(gid))
        require(Action.INVITE, roles_in(group, command.actor))
        require_recruiting(group)
        invitation = Invitation(
            fingerprint=print_,
            group=gid,
            invited_by=command.actor,
            expires_at=expires_at,
            address=_address(ctx, group, turn, email),
            turn=turn,
        )
        payload = {"expires_at": expires_at.isoformat()}
        return Decision(
            answer={"id": print_, "code": code, "expires_at": expires_at.isoformat()},
            facts=[News(id=f"invited:{print_}", group=gid, type="invited", payload=payload)],
            changed=[] if turn is None else [with_invitation(group, turn, print_)],
            created=[invitation],
        )

    made = transact(ctx, command, [group_ref(gid)], decide)
    state = None
    if email is not None:
        until = datetime.fromisoformat(made["expires_at"])
        state = mail_invitation.mail(ctx, found.terms.name, made["code"], until, email, public_url)
    return made | {"link": mail_invitation.link_to(public_url, made["code"]), "mail": state}


def _address(ctx: Context, group: Group, turn: int | None, email: str | None) -> str | None:
    """The fingerprint of the address that a code is for: of an imported place its holder's, and no other.

    Raises GroupNotOpen, NoSuchThing, PlaceTaken, InvitationForAnother.
    """
    if turn is None:
        if group.past:
            raise GroupNotOpen(state="for the people that it came with")
        return None if email is None else address_fingerprint(ctx.secrets.current("invitation-key"), email)
    place = free_place(group, turn)
    keys = ctx.secrets.accepted("invitation-key")
    if email is not None and place.address not in [address_fingerprint(key, email) for key in keys]:
        raise InvitationForAnother()
    return place.address
