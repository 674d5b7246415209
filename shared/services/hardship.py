"""Hardship: a member asks to be left alone for a while; nobody has to allow it, and staff are told."""

from __future__ import annotations

from datetime import date
from typing import Any

from shared.domain.contributions import contribution_ref
from shared.domain.decision import Decision
from shared.domain.errors import NotRunning
from shared.domain.groups import group_ref, roles_in
from shared.domain.ids import contribution_id
from shared.domain.members import member_ref
from shared.domain.permissions import Action, require
from shared.domain.plans import freeze
from shared.services.context import Command, Context
from shared.services.transact import Loaded, transact


def ask_for_time(ctx: Context, command: Command, gid: str, until: date) -> dict[str, Any]:
    """Freeze what is to be taken from the member until a day. Raises NoSuchThing, NotRunning,
    HardshipTooLong."""
    uid = command.actor

    def decide(loaded: Loaded) -> Decision:
        group = loaded.get(group_ref(gid))
        require(Action.ASK_FOR_TIME, roles_in(group, uid))
        if group.state not in {"locked", "active"}:
            raise NotRunning(state=group.state)
        refs = [contribution_ref(gid, contribution_id(gid, one.number, uid)) for one in group.schedule]
        loaded.need(member_ref(gid, uid), *refs)
        contributions = [loaded.get(ref) for ref in refs]
        decision = freeze(loaded.get(member_ref(gid, uid)), contributions, until, ctx.clock.now())
        return Decision({"group": gid, **decision.answer}, decision.facts, decision.changed)

    return transact(ctx, command, [group_ref(gid)], decide)
