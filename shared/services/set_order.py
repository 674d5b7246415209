"""The order before the lock: a member ranks the cycles, or the organiser sets who comes when."""

from __future__ import annotations

from typing import Any

from shared.domain.decision import Decision
from shared.domain.groups import Group, group_ref, roles_in
from shared.domain.journal import News
from shared.domain.ordering import rank, set_order
from shared.domain.permissions import Action, require
from shared.services import views
from shared.services.context import Command, Context
from shared.services.transact import Loaded, read, transact


def rank_cycles(ctx: Context, command: Command, gid: str, ranking: list[int]) -> dict[str, Any]:
    """Say which cycles one wants most. Raises NoSuchThing, NotAllowed, GroupNotOpen, OrderNotByThisMethod,
    NotAPermutation."""

    def decide(loaded: Loaded) -> Decision:
        group = loaded.get(group_ref(gid))
        require(Action.RANK_CYCLES, roles_in(group, command.actor))
        return _decided(rank(group, command.actor, ranking), command.actor, "cycles_ranked")

    return transact(ctx, command, [group_ref(gid)], decide)


def set_the_order(ctx: Context, command: Command, gid: str, order: list[str]) -> dict[str, Any]:
    """Set the order as its organiser. Raises as `rank_cycles`, and OrderNotReady."""

    def decide(loaded: Loaded) -> Decision:
        group = loaded.get(group_ref(gid))
        require(Action.SET_ORDER, roles_in(group, command.actor))
        return _decided(set_order(group, order), command.actor, "order_set")

    return transact(ctx, command, [group_ref(gid)], decide)


def _decided(after: Group, uid: str, type_: str) -> Decision:
    fact = News(id=f"{type_}:{uid}:{after.revision}", group=after.id, type=type_, payload={"member": uid})
    return Decision(answer=views.group(after, uid), facts=[fact], changed=[after])


def read_place(ctx: Context, uid: str, gid: str) -> dict[str, Any]:
    """One's own place in the order, and why one has it. Nobody else is shown it. Raises NoSuchThing."""
    group = read(ctx, group_ref(gid)).get(group_ref(gid))
    require(Action.READ_PLACE, roles_in(group, uid))
    seat = group.seat(uid)
    return {
        "group": gid,
        "uid": uid,
        "order_method": group.terms.order_method,
        "position": seat.position if seat else None,
        "because": seat.placed_because if seat else None,
        "ranking": seat.ranking if seat else [],
    }
