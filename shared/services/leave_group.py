"""Leave a running circle, or a forming one: by the pairs, as `shared.domain.leaving` says."""

from __future__ import annotations

from typing import Any

from shared.domain.decision import Decision
from shared.domain.errors import OrganiserNeeded
from shared.domain.groups import group_ref, roles_in
from shared.domain.journal import News
from shared.domain.leaving import Reason
from shared.domain.leaving import leave as leave_in_circle
from shared.domain.members import member_ref
from shared.domain.permissions import Action, require
from shared.services.context import Command, Context
from shared.services.promises import released
from shared.services.running import on_the_table, pairs_of
from shared.services.transact import Loaded, transact


def leave(ctx: Context, command: Command, gid: str) -> dict[str, Any]:
    """Leave by oneself. Before the lock the place is free again; after it each pair is settled.

    Raises NoSuchThing, NotRunning, WrongMembershipState, AlreadyHadTurn, OrganiserNeeded.
    """
    uid = command.actor

    def decide(loaded: Loaded) -> Decision:
        group = loaded.get(group_ref(gid))
        require(Action.LEAVE_GROUP, roles_in(group, uid))
        if group.state in {"draft", "recruiting"}:
            return _free_the_place(loaded, gid, uid)
        return part(ctx, loaded, gid, uid, "left")

    return transact(ctx, command, [group_ref(gid)], decide)


def part(ctx: Context, loaded: Loaded, gid: str, uid: str, reason: Reason) -> Decision:
    """One member of a running circle leaves, is removed or has died. Raises as `leave`."""
    group = loaded.get(group_ref(gid))
    circle = on_the_table(ctx, loaded, gid, pairs_of(group, uid))
    deed = leave_in_circle(circle, uid, reason)
    return deed if deed.answer["after_turn"] else deed.then(released(loaded, uid, gid))


def _free_the_place(loaded: Loaded, gid: str, uid: str) -> Decision:
    """Nobody has promised anything yet."""
    group = loaded.get(group_ref(gid))
    member = loaded.get(member_ref(gid, uid)).moved("left")
    seat = group.seat(uid)
    assert seat is not None  # noqa: S101 - the permission rests on it
    if seat.role == "organiser":
        raise OrganiserNeeded()
    after = group.with_seat(seat.with_(state="left"))
    fact = News(id=f"left:{uid}:{group.revision}", group=gid, type="member_left", payload={"member": uid})
    answer = {"group": gid, "uid": uid, "state": "left", "after_turn": False, "claims": []}
    return Decision(answer=answer, facts=[fact], changed=[after, member]).then(released(loaded, uid, gid))
