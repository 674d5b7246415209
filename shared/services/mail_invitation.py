"""Mail an invitation to the address that it is for, while both are at hand: neither is kept (domain
`invitations`), so what could not be sent is sent again by whoever still has them."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any, Final, Literal

from shared.domain.calendar import london_day
from shared.domain.errors import InvitationForAnother, InvitationInvalid
from shared.domain.groups import group_ref, is_spent, require_recruiting, roles_in
from shared.domain.invitations import address_fingerprint, fingerprint, invitation_ref
from shared.domain.permissions import Action, require
from shared.ports import Mail, MailFailed
from shared.services import throttle
from shared.services.context import Command, Context
from shared.services.transact import read

log = logging.getLogger(__name__)

MailState = Literal["sent", "not_sent", "refused"]
"""`not_sent`: it may be sent again. `refused`: not to this address. The invitation stands in any case."""

SUBJECT: Final = "You are invited to a savings circle"

_TEXT: Final = """Hello,

you are invited to the savings circle "{circle}" on Ajo. You are asked by one of its members,
who gave us this address for this one message; we do not keep it.

Look at the circle's rules, and take your place, here:

    {link}

Sign in with this address: the invitation is for it alone. It ends on {day}.
If you do not know who invites you, do nothing: nobody is told, and no more comes.
"""


def link_to(public_url: str, code: str) -> str:
    """After the #, a code stays in the browser: no server on the way writes it into a log."""
    return f"{public_url}/join#{code}"


def mail(
    ctx: Context, circle: str, code: str, expires_at: datetime, email: str, public_url: str
) -> MailState:
    """Send an invitation that stands already. What becomes of it changes nothing about the invitation."""
    text = _TEXT.format(
        circle=" ".join(circle.split()),
        link=link_to(public_url, code),
        day=f"{london_day(expires_at):%-d %B %Y}",
    )
    try:
        ctx.mailer.send(Mail(to=email, subject=SUBJECT, text=text))
    except MailFailed as failed:
        log.warning("an invitation was not mailed: %s", failed)
        return "refused" if failed.refused else "not_sent"
    return "sent"


def resend(
    ctx: Context, command: Command, gid: str, code: str, email: str, public_url: str
) -> dict[str, Any]:
    """Send an invitation again, with the code and the address that it was made with.

    Raises NoSuchThing, NotAllowed, GroupNotOpen, InvitationInvalid, InvitationForAnother, TooManyRequests.
    """
    key = ctx.secrets.current("invitation-key")
    ref = invitation_ref(fingerprint(key, code))
    loaded = read(ctx, group_ref(gid), ref)
    group = loaded.get(group_ref(gid))
    require(Action.INVITE, roles_in(group, command.actor))
    throttle.count(ctx, throttle.INVITATIONS, command.actor)
    require_recruiting(group)
    found = loaded.find(ref)
    if found is None or found.group != gid:
        raise InvitationInvalid()
    found.check(ctx.clock.now())
    if is_spent(group, found.fingerprint, found.turn):
        raise InvitationInvalid()
    if found.address is None:
        raise InvitationForAnother()
    found.check_address([address_fingerprint(one, email) for one in ctx.secrets.accepted("invitation-key")])
    state = mail(ctx, group.terms.name, code, found.expires_at, email, public_url)
    return {"id": found.fingerprint, "mail": state}
