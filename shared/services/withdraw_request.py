"""Withdraw: who asked to join, and was not let in yet, asks no more."""

from __future__ import annotations

from typing import Any

from shared.domain.decision import Decision
from shared.domain.errors import NoSuchThing, WrongMembershipState
from shared.domain.groups import group_ref
from shared.domain.journal import News
from shared.domain.members import ASKING, member_ref
from shared.services import views
from shared.services.context import Command, Context
from shared.services.transact import Loaded, transact


def withdraw(ctx: Context, command: Command, gid: str) -> dict[str, Any]:
    """Take one's own request back. Raises NoSuchThing, WrongMembershipState (a place was given: leave it)."""
    uid = command.actor

    def decide(loaded: Loaded) -> Decision:
        return withdrawn(loaded, gid, uid)

    return transact(ctx, command, [group_ref(gid), member_ref(gid, uid)], decide)


def withdrawn(loaded: Loaded, gid: str, uid: str) -> Decision:
    """Somebody's request taken back. Raises as `withdraw`."""
    group = loaded.get(group_ref(gid))
    seat = group.seat(uid)
    if seat is None:
        raise NoSuchThing(thing="request to join")
    if seat.state not in ASKING:
        raise WrongMembershipState(needed="requested", state=seat.state)
    gone = seat.with_(state="left")
    member = loaded.get(member_ref(gid, uid)).moved("left")
    news = News(
        id=f"request_withdrawn:{uid}:{group.revision}",
        group=gid,
        type="request_withdrawn",
        payload={"member": uid},
    )
    return Decision(answer=views.membership(gid, gone), facts=[news], changed=[group.with_seat(gone), member])
