"""Withdraw a model's version: its scores decide nothing, and what was decided by them is looked at anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.domain.decision import Decision
from shared.domain.withdrawn_models import WITHDRAWN, Withdrawal, WithdrawnModels
from shared.services.context import Command, Context
from shared.services.transact import Loaded, read, transact


def withdraw(ctx: Context, command: Command, version: str, reason: str) -> dict[str, Any]:
    """Take a version out of service. Raises NoSuchThing for what is no version."""
    taken = Withdrawal(version=version, at=ctx.clock.now(), by=command.actor, reason=reason)
    return _changed(ctx, command, lambda known: known.with_withdrawn(taken))


def restore(ctx: Context, command: Command, version: str) -> dict[str, Any]:
    """Put a version back in service. Raises NoSuchThing."""
    return _changed(ctx, command, lambda known: known.with_restored(version))


def withdrawn(ctx: Context) -> frozenset[str]:
    """The versions out of service. Raises TryAgainLater."""
    known = read(ctx, WITHDRAWN).find(WITHDRAWN)
    return known.versions if known else frozenset()


def _changed(
    ctx: Context, command: Command, change: Callable[[WithdrawnModels], WithdrawnModels]
) -> dict[str, Any]:
    def decide(loaded: Loaded) -> Decision:
        known = loaded.find(WITHDRAWN)
        after = change(known or WithdrawnModels())
        answer = {"withdrawn": [one.model_dump(mode="json") for one in after.withdrawals]}
        if known is None:
            return Decision(answer=answer, created=[after])
        return Decision(answer=answer, changed=[] if after == known else [after])

    return transact(ctx, command, [], decide, peek=[WITHDRAWN])
