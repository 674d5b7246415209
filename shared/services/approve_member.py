"""Approve or reject who asked to join; remove who was let in, as long as the circle forms."""

from __future__ import annotations

from typing import Any, Literal

from shared.domain.decision import Decision
from shared.domain.groups import answer_request, group_ref, require_recruiting, roles_in
from shared.domain.journal import News
from shared.domain.members import member_ref
from shared.domain.permissions import Action, require
from shared.domain.users import user_ref
from shared.services import views
from shared.services.context import Command, Context
from shared.services.leave_group import free_the_place
from shared.services.transact import Loaded, transact


def approve(ctx: Context, command: Command, gid: str, uid: str) -> dict[str, Any]:
    """Give a place. Raises NoSuchThing, NotAllowed, GroupNotOpen, GroupFull, WrongMembershipState, and
    AccountClosed for who was erased."""
    return _answer(ctx, command, gid, uid, "approved")


def reject(ctx: Context, command: Command, gid: str, uid: str) -> dict[str, Any]:
    """Refuse a place. Raises as `approve`."""
    return _answer(ctx, command, gid, uid, "rejected")


def remove(ctx: Context, command: Command, gid: str, uid: str) -> dict[str, Any]:
    """Take a place back before the lock, accepted or not: else who never accepts keeps all from starting.

    They may ask anew; the code that named them lets them in no more. Raises NoSuchThing, NotAllowed,
    GroupNotOpen, WrongMembershipState, OrganiserNeeded.
    """

    def decide(loaded: Loaded) -> Decision:
        group = loaded.get(group_ref(gid))
        require(Action.DECIDE_ON_MEMBER, roles_in(group, command.actor))
        require_recruiting(group)
        freed = free_the_place(loaded, gid, uid, "removed")
        seat = group.seat(uid)
        assert seat is not None  # noqa: S101 - free_the_place has just found it
        return Decision(answer=views.membership(gid, seat.with_(state="removed"))).then(freed)

    return transact(ctx, command, [group_ref(gid), member_ref(gid, uid)], decide)


def _answer(
    ctx: Context, command: Command, gid: str, uid: str, to: Literal["approved", "rejected"]
) -> dict[str, Any]:
    def decide(loaded: Loaded) -> Decision:
        group = loaded.get(group_ref(gid))
        require(Action.DECIDE_ON_MEMBER, roles_in(group, command.actor))
        answered = answer_request(group, uid, to)
        if to == "approved":
            loaded.get(user_ref(uid)).require_open()
        member = loaded.get(member_ref(gid, uid)).moved(to)
        seat = next(one for one in reversed(answered.seats) if one.uid == uid)
        return Decision(
            answer=views.membership(gid, seat),
            facts=[News(id=f"{to}:{uid}:{group.revision}", group=gid, type=to, payload={"member": uid})],
            changed=[answered, member],
        )

    # Only looked at: an erasure takes the request back by changing the circle, which is guarded.
    return transact(ctx, command, [group_ref(gid), member_ref(gid, uid)], decide, peek=[user_ref(uid)])
