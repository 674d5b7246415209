"""Sign up: the first request of a person whom Firebase Auth knows."""

from __future__ import annotations

from typing import Any

from shared.domain.decision import Decision
from shared.domain.users import PaymentMethods, User, payment_methods_ref, user_ref
from shared.ports import Identity
from shared.services import views
from shared.services.context import Command, Context
from shared.services.transact import Loaded, transact


def sign_up(ctx: Context, command: Command, identity: Identity) -> dict[str, Any]:
    """Open the person's account with us; a second sign-up finds it as it is."""
    own, methods = user_ref(identity.uid), payment_methods_ref(identity.uid)

    def decide(loaded: Loaded) -> Decision:
        known = loaded.find(own)
        if known is not None:
            return Decision(answer=views.user(known, loaded.find(methods)))
        user = User(uid=identity.uid, created_at=ctx.clock.now())
        empty = PaymentMethods(uid=identity.uid)
        return Decision(answer=views.user(user, empty), created=[user, empty])

    return transact(ctx, command, [], decide, peek=[own, methods])
