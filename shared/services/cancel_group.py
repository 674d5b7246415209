"""Cancel a group that has not started: nobody has paid yet."""

from __future__ import annotations

from typing import Any

from shared.domain.commitments import commitments_ref
from shared.domain.decision import Decision
from shared.domain.errors import GroupNotOpen
from shared.domain.groups import FORMING, group_ref, roles_in
from shared.domain.journal import News
from shared.domain.permissions import Action, require
from shared.services import views
from shared.services.context import Command, Context
from shared.services.promises import released
from shared.services.transact import Loaded, transact


def cancel(ctx: Context, command: Command, gid: str) -> dict[str, Any]:
    """End a group while it recruits. Raises NoSuchThing, NotAllowed, GroupNotOpen."""

    def decide(loaded: Loaded) -> Decision:
        group = loaded.get(group_ref(gid))
        require(Action.CANCEL_GROUP, roles_in(group, command.actor))
        if group.state not in FORMING:
            raise GroupNotOpen(state=group.state)
        cancelled = group.moved("cancelled")
        decision = Decision(
            answer=views.group(cancelled, command.actor),
            facts=[News(id="group_cancelled", group=gid, type="group_cancelled")],
            changed=[cancelled],
        )
        promising = [seat.uid for seat in group.seated() if seat.state == "agreed"]
        loaded.need(*(commitments_ref(uid) for uid in promising))
        for uid in promising:
            decision = decision.then(released(loaded, uid, gid))
        return decision

    return transact(ctx, command, [group_ref(gid)], decide)
