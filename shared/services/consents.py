"""Consents: each answer of a person to each text, with its version, so that it can be shown later."""

from __future__ import annotations

from typing import Any

from shared.domain.decision import Decision
from shared.domain.privacy import VERSIONS, Consent, Consents, consents_ref, current_version, require_shown
from shared.domain.users import user_ref
from shared.domain.words import ConsentPurpose
from shared.services.context import Command, Context
from shared.services.transact import Loaded, read, transact


def record(
    ctx: Context, command: Command, purpose: ConsentPurpose, version: str, given: bool
) -> dict[str, Any]:
    """Add an answer to the text that was shown. Raises UnknownText, NoSuchThing before the sign-up,
    AccountClosed."""
    require_shown(purpose, version)
    own = consents_ref(command.actor)
    answer = Consent(purpose=purpose, version=version, given=given, at=ctx.clock.now())

    def decide(loaded: Loaded) -> Decision:
        loaded.get(user_ref(command.actor)).require_open()
        known = loaded.find(own) or Consents(uid=command.actor)
        renewed = known.with_(answers=[*known.answers, answer])
        first = not known.answers
        return Decision(
            answer=_view(renewed), created=[renewed] if first else [], changed=[] if first else [renewed]
        )

    return transact(ctx, command, [own, user_ref(command.actor)], decide)


def own(ctx: Context, uid: str) -> dict[str, Any]:
    """Every answer of a person, and which texts stand today."""
    return _view(read(ctx, consents_ref(uid)).find(consents_ref(uid)) or Consents(uid=uid))


def _view(consents: Consents) -> dict[str, Any]:
    return {
        "answers": [answer.model_dump(mode="json") for answer in consents.answers],
        "texts": [
            {"purpose": purpose, "version": current_version(purpose), "stands": consents.stands(purpose)}
            for purpose in VERSIONS
        ],
    }
