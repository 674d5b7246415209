"""Leave a running circle, or a forming one: by the pairs, as `shared.domain.leaving` says."""

from __future__ import annotations

from typing import Any, Literal

from shared.domain.decision import Decision
from shared.domain.groups import FORMING, give_up_place, group_ref, roles_in
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
        if group.state in FORMING:
            answer = {"group": gid, "uid": uid, "state": "left", "after_turn": False, "claims": []}
            return Decision(answer=answer).then(free_the_place(loaded, gid, uid, "left"))
        return part(ctx, loaded, gid, uid, "left")

    return transact(ctx, command, [group_ref(gid)], decide)


def part(ctx: Context, loaded: Loaded, gid: str, uid: str, reason: Reason) -> Decision:
    """One member of a running circle leaves, is removed or has died. Raises as `leave`."""
    group = loaded.get(group_ref(gid))
    circle = on_the_table(ctx, loaded, gid, pairs_of(group, uid))
    deed = leave_in_circle(circle, uid, reason)
    return deed if deed.answer["after_turn"] else deed.then(released(loaded, uid, gid))


def free_the_place(loaded: Loaded, gid: str, uid: str, to: Literal["left", "removed"]) -> Decision:
    """Somebody who was let into a forming circle is in it no more; what they had promised has ended.

    Raises NoSuchThing, WrongMembershipState, OrganiserNeeded.
    """
    group = loaded.get(group_ref(gid))
    after = give_up_place(group, uid, to)
    member = loaded.get(member_ref(gid, uid))
    fact = News(id=f"{to}:{uid}:{group.revision}", group=gid, type=f"member_{to}", payload={"member": uid})
    freed = Decision(facts=[fact], changed=[after, member.moved(to)])
    return freed.then(released(loaded, uid, gid)) if member.state == "agreed" else freed
