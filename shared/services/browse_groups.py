"""Look at circles before joining: the public ones, and the rules of any that one may ask to join."""

from __future__ import annotations

from typing import Any

from shared.domain.errors import InvitationInvalid, NoSuchThing
from shared.domain.groups import Group, agreement_text, draft_schedule, group_ref, is_spent
from shared.ports import Query
from shared.services import throttle, views
from shared.services.context import Command, Context
from shared.services.join_group import invitation_of
from shared.services.transact import read


def public(
    ctx: Context, amount_pence: int | None, frequency: str | None, cursor: str | None, limit: int
) -> dict[str, Any]:
    """One page of the public circles that recruit, by their first date. Says nothing of their people."""
    where: list[tuple[str, Any, Any]] = [("terms.visibility", "==", "public"), ("state", "==", "recruiting")]
    if amount_pence is not None:
        where.append(("terms.amount_pence", "==", amount_pence))
    if frequency is not None:
        where.append(("terms.frequency", "==", frequency))
    page = ctx.store.query(
        Query("groups", where=where, order_by=["terms.first_due_date"], limit=limit, after=cursor)
    )
    groups = [one.document(Group) for one in page.documents]
    return {"items": [_listed(one) for one in groups], "next_cursor": page.cursor}


def preview(
    ctx: Context, command: Command, gid: str | None, code: str | None, email: str | None
) -> dict[str, Any]:
    """The rules of a circle, word for word, for who may ask to join it: a public one, or one by its code.

    Raises NoSuchThing, InvitationInvalid, InvitationForAnother, and TooManyRequests for who guesses codes.
    """
    invitation = None
    if code is not None:
        throttle.count(ctx, throttle.CODE_GUESSES, command.actor)
        invitation = invitation_of(ctx, code, email)
        gid = invitation.group
    if gid is None:
        raise NoSuchThing(thing="group")
    group = read(ctx, group_ref(gid)).get(group_ref(gid))
    if invitation is not None and is_spent(group, invitation.fingerprint, invitation.turn):
        raise InvitationInvalid()
    if code is None and (group.terms.visibility != "public" or group.state == "draft"):
        raise NoSuchThing(thing="group")
    return _listed(group) | {"agreement": agreement_text(group, draft_schedule(group.terms, ctx.holidays))}


def _listed(group: Group) -> dict[str, Any]:
    return {
        "id": group.id,
        "name": group.terms.name,
        "purpose": group.terms.purpose,
        "state": group.state,
        "terms": views.terms_of(group.terms),
        "places_left": max(0, group.terms.members - len(group.seated())),
    }
