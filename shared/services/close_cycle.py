"""Close a cycle once its pot has arrived, and the group once its last cycle has."""

from __future__ import annotations

from shared.domain.decision import Decision
from shared.domain.groups import close, group_ref
from shared.domain.journal import News
from shared.domain.payouts import Payout
from shared.services.context import Command, Context
from shared.services.transact import Loaded, transact


def close_cycle(ctx: Context, command: Command, payout: Payout) -> None:
    """Mark a turn's cycle as closed: a fact, as from then on another cycle is the open one.

    Top-ups and returns close none; a closed cycle stays closed.
    """
    if payout.kind != "turn" or payout.state != "received":
        return

    def decide(loaded: Loaded) -> Decision:
        group = loaded.get(group_ref(payout.group))
        closed = close(group, payout.cycle, ctx.clock.now())
        if closed == group:
            return Decision()
        news = News(
            id=f"cycle_closed:{payout.cycle}",
            group=group.id,
            type="cycle_closed",
            payload={"cycle": payout.cycle},
        )
        return Decision(facts=[news], changed=[closed])

    transact(ctx, command.keyless, [group_ref(payout.group)], decide)
