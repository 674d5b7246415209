"""Import: a circle that runs on paper comes here in the middle, once its file is right and all attest it."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any, Final

from shared.domain.bringing import Row, past_of, read_file
from shared.domain.calendar import london_day
from shared.domain.decision import Decision
from shared.domain.errors import ImportRefused
from shared.domain.groups import Draw, Group, Seat, Terms, check_terms, with_invitation
from shared.domain.ids import new_id
from shared.domain.invitations import Invitation, address_fingerprint, fingerprint
from shared.domain.journal import News
from shared.domain.members import Member
from shared.domain.rotation import DrawSeed, commitment
from shared.domain.users import user_ref
from shared.services import display_names, mail_invitation, throttle, views
from shared.services.context import Command, Context
from shared.services.transact import Loaded, transact

INVITED_FOR: Final = timedelta(days=30)
"""People of a running circle know each other: a month is enough for the slowest to sign up."""


def import_circle(
    ctx: Context, command: Command, terms: Terms, content: bytes, email: str | None, public_url: str = ""
) -> dict[str, Any]:
    """Start recruiting for an imported circle: its organiser is seated, and everybody else gets a code of
    their own, bound to the address in the file, for the turn that they have, and mailed there.

    `terms` hold the next cycle's due date as their first one; how many members and how many cycles are done,
    the file says. `email` is the caller's verified address: one of the rows is theirs. Nothing is written
    unless the whole file is right. Raises NoSuchThing before the sign-up, AccountClosed, ImportRefused,
    WrongAmount, WrongFrequency, WrongStartDate, TooManyRequests.
    """
    throttle.count(ctx, throttle.INVITATIONS, command.actor)
    now = ctx.clock.now()
    check_terms(terms.with_(members=5), london_day(now))
    rows = read_file(content, terms.amount_pence)
    own = next((row for row in rows if email is not None and row.email == email.strip().lower()), None)
    if own is None:
        fault = {"field": "file", "code": "organiser_missing", "message": "none of its addresses is yours"}
        raise ImportRefused(errors=[fault])
    group, member, seed = _founded(ctx, command.actor, terms, rows, own.turn, now)
    invitations = {row.turn: _invited(ctx, command.actor, group.id, row, now) for row in rows if row != own}
    for turn, (_, invitation) in invitations.items():
        group = with_invitation(group, turn, invitation.fingerprint)
    answer = views.group(group, command.actor) | {
        "invitations": [
            {"turn": turn, "code": code, "expires_at": invitation.expires_at.isoformat()}
            for turn, (code, invitation) in invitations.items()
        ]
    }
    fact = News(
        id="group_created",
        group=group.id,
        type="group_created",
        payload={
            "organiser": command.actor,
            "amount_pence": terms.amount_pence,
            "members": len(rows),
            "frequency": terms.frequency,
            "cycles_done": group.terms.cycles_done,
        },
    )

    def decide(loaded: Loaded) -> Decision:
        loaded.get(user_ref(command.actor)).require_open()
        return Decision(
            answer=answer,
            facts=[fact],
            created=[group, member, seed, *(invitation for _, invitation in invitations.values())],
        )

    made = transact(ctx, command, [user_ref(command.actor)], decide)
    display_names.share(ctx, made["id"], command.actor)
    return made | {"invitations": _mailed(ctx, terms.name, rows, made["invitations"], public_url)}


def _mailed(
    ctx: Context, circle: str, rows: list[Row], invitations: list[dict[str, Any]], public_url: str
) -> list[dict[str, Any]]:
    """The invitations with what became of their mails. Once one is not sent, the others are not tried: each
    would wait as long for a server that is not there."""
    addresses = {row.turn: row.email for row in rows}
    done = []
    reachable = True
    for one in invitations:
        state = "not_sent"
        if reachable:
            expires_at = datetime.fromisoformat(one["expires_at"])
            state = mail_invitation.mail(
                ctx, circle, one["code"], expires_at, addresses[one["turn"]], public_url
            )
            reachable = state != "not_sent"
        done.append(one | {"mail": state})
    return done


def _founded(
    ctx: Context, uid: str, terms: Terms, rows: list[Row], turn: int, now: datetime
) -> tuple[Group, Member, DrawSeed]:
    gid, seed = new_id("grp", ctx.chance.token(13)), ctx.chance.token(32)
    key = ctx.secrets.current("invitation-key")
    whose = {row.turn: address_fingerprint(key, row.email) for row in rows}
    group = Group(
        id=gid,
        state="recruiting",
        terms=terms.with_(members=len(rows), cycles_done=len(rows[0].paid_pence), visibility="invited"),
        organiser=uid,
        seats=[Seat(uid=uid, state="approved", role="organiser", brought_turn=turn)],
        draw=Draw(commitment=commitment(seed)),
        past=[one.with_(address=whose[one.turn]) for one in past_of(rows)],
        created_at=now,
    )
    member = Member(group=gid, uid=uid, state="approved", role="organiser", joined_at=now)
    return group, member, DrawSeed(group=gid, seed=seed.hex())


def _invited(ctx: Context, uid: str, gid: str, row: Row, now: datetime) -> tuple[str, Invitation]:
    key = ctx.secrets.current("invitation-key")
    code = base64.b32encode(ctx.chance.token(10)).decode().lower()
    return code, Invitation(
        fingerprint=fingerprint(key, code),
        group=gid,
        invited_by=uid,
        expires_at=now + INVITED_FOR,
        address=address_fingerprint(key, row.email),
        turn=row.turn,
    )
