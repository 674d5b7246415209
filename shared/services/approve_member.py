"""Approve or reject who asked to join."""

from __future__ import annotations

from typing import Any, Literal

from shared.domain.decision import Decision
from shared.domain.groups import answer_request, group_ref, roles_in
from shared.domain.journal import News
from shared.domain.members import member_ref
from shared.domain.permissions import Action, require
from shared.services import views
from shared.services.context import Command, Context
from shared.services.transact import Loaded, transact


def approve(ctx: Context, command: Command, gid: str, uid: str) -> dict[str, Any]:
    """Give a place. Raises NoSuchThing, NotAllowed, GroupNotOpen, GroupFull, WrongMembershipState."""
    return _answer(ctx, command, gid, uid, "approved")


def reject(ctx: Context, command: Command, gid: str, uid: str) -> dict[str, Any]:
    """Refuse a place. Raises as `approve`."""
    return _answer(ctx, command, gid, uid, "rejected")


def _answer(
    ctx: Context, command: Command, gid: str, uid: str, to: Literal["approved", "rejected"]
) -> dict[str, Any]:
    def decide(loaded: Loaded) -> Decision:
        group = loaded.get(group_ref(gid))
        require(Action.DECIDE_ON_MEMBER, roles_in(group, command.actor))
        answered = answer_request(group, uid, to)
        member = loaded.get(member_ref(gid, uid)).moved(to)
        seat = next(one for one in reversed(answered.seats) if one.uid == uid)
        return Decision(
            answer=views.membership(gid, seat),
            facts=[News(id=f"{to}:{uid}:{group.revision}", group=gid, type=to, payload={"member": uid})],
            changed=[answered, member],
        )

    return transact(ctx, command, [group_ref(gid), member_ref(gid, uid)], decide)
