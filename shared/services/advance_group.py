"""Move groups on by the calendar: locked ones become active, ended ones complete."""

from __future__ import annotations

from shared.domain.decision import Decision
from shared.domain.groups import activate, complete, group_ref
from shared.domain.members import member_ref
from shared.ports import Query
from shared.services.context import Command, Context
from shared.services.transact import Loaded, transact


def advance_due_groups(ctx: Context, command: Command) -> int:
    """Advance every group whose time has come; returns how many were looked at."""
    query = Query("groups", where=[("act_at", "<=", ctx.clock.now())], order_by=["act_at"], limit=500)
    found = ctx.store.query(query).documents
    for snapshot in found:
        advance_group(ctx, command, snapshot.path.partition("/")[2])
    return len(found)


def advance_group(ctx: Context, command: Command, gid: str) -> None:
    """Advance one group: it starts when it is locked, and completes when every cycle is closed and every
    debt is paid."""

    def decide(loaded: Loaded) -> Decision:
        group = loaded.get(group_ref(gid))
        if group.state == "locked":
            return activate(group)
        if group.state != "active":
            return Decision(changed=[group.with_(act_at=None)] if group.act_at else [])
        refs = [member_ref(gid, seat.uid) for seat in group.seated()]
        loaded.need(*refs)
        return complete(group, [loaded.get(ref) for ref in refs], ctx.clock.now())

    transact(ctx, Command(actor=command.actor, id=command.id), [group_ref(gid)], decide)
