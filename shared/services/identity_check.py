"""The identity check: a look at a document, at the processor, where the account alone is not enough."""

from __future__ import annotations

from typing import Any

from shared.domain.decision import Decision
from shared.domain.identity import ALLOWS, IdentityCheck
from shared.domain.users import User, user_ref
from shared.ports import IdentitySession
from shared.services.context import Command, Context
from shared.services.processor import asking
from shared.services.transact import Loaded, read, transact


def start(ctx: Context, command: Command, return_url: str) -> dict[str, Any]:
    """Begin a check, or go on with the one that is open. Raises NoSuchThing before the sign-up."""
    uid = command.actor
    known = read(ctx, user_ref(uid)).get(user_ref(uid)).identity_check
    with asking("identity check"):
        if known is None or known.state in {"verified", "cancelled"}:
            session = ctx.gateway.start_identity_check(uid, return_url, f"identity:{command.id}")
        else:
            session = ctx.gateway.identity_check(known.reference)
    return record_check(ctx, command, uid, session) | {"url": session.url}


def record_check(ctx: Context, command: Command, uid: str, session: IdentitySession) -> dict[str, Any]:
    """Keep what the processor says of a check; news of one that another has replaced changes nothing."""

    def decide(loaded: Loaded) -> Decision:
        user = loaded.get(user_ref(uid))
        known = user.identity_check
        by_webhook = command.actor != uid
        replaced = by_webhook and known is not None and known.reference != session.reference
        same = known is not None and (known.reference, known.state) == (session.reference, session.state)
        if replaced or same:
            return Decision(answer=standing(user))
        check = IdentityCheck(reference=session.reference, state=session.state, at=ctx.clock.now())
        renewed = user.noting_identity(user.with_(identity_check=check), ctx.clock.now())
        return Decision(answer=standing(renewed), changed=[renewed])

    return transact(ctx, command, [user_ref(uid)], decide)


def own(ctx: Context, uid: str) -> dict[str, Any]:
    """Where a person stands. Raises NoSuchThing before the sign-up."""
    return standing(read(ctx, user_ref(uid)).get(user_ref(uid)))


def standing(user: User) -> dict[str, Any]:
    """Where a person stands, and what that allows."""
    return {"state": user.identity, "allows": sorted(ALLOWS[user.identity])}
