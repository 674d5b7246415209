"""Roles in a circle: the organiser names deputies, and can hand the circle over."""

from __future__ import annotations

from typing import Any

from shared.domain.decision import Decision
from shared.domain.errors import NotAllowed
from shared.domain.groups import group_ref, roles_in, with_role
from shared.domain.journal import News
from shared.domain.members import member_ref
from shared.domain.permissions import Action, require
from shared.domain.words import GroupRole
from shared.services import views
from shared.services.context import Command, Context
from shared.services.transact import Loaded, transact


def assign(ctx: Context, command: Command, gid: str, uid: str, role: GroupRole) -> dict[str, Any]:
    """Give somebody a role. Whoever is made organiser takes it over, and the former one becomes a member.

    A circle always has one organiser: nobody takes the role from themselves.
    Raises NoSuchThing, NotAllowed, WrongMembershipState.
    """

    def decide(loaded: Loaded) -> Decision:
        group = loaded.get(group_ref(gid))
        require(Action.ASSIGN_ROLE, roles_in(group, command.actor))
        if uid == command.actor:
            raise NotAllowed
        after = with_role(group, uid, role)
        changed = [one for one in after.seated() if one != group.seat(one.uid)]
        refs = {seat.uid: member_ref(gid, seat.uid) for seat in changed}
        loaded.need(*refs.values())
        members = [loaded.get(refs[seat.uid]).with_(role=seat.role) for seat in changed]
        news = News(
            id=f"role_assigned:{uid}:{group.revision}",
            group=gid,
            type="role_assigned",
            payload={"about": uid, "role": role},
        )
        seat = after.seat(uid)
        assert seat is not None  # noqa: S101 - with_role has just found it
        return Decision(
            answer=views.membership(gid, seat),
            facts=[news] if changed else [],
            changed=[after, *members] if changed else [],
        )

    return transact(ctx, command, [group_ref(gid)], decide)
