"""The tick that pays out: reserves each pot that is ready, and queues what is to be sent."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Any

from shared.domain.errors import Broken, TryAgainLater
from shared.ports import Snapshot
from shared.services.collect_contributions import due, queue
from shared.services.context import Command, Context
from shared.services.processor import asking
from shared.services.quarantine import park

if TYPE_CHECKING:
    from shared.domain.payouts import Payout

log = logging.getLogger(__name__)


def pay_due(ctx: Context, command: Command) -> dict[str, Any]:
    """Look at every payout whose time has come. A doubled, skipped or late tick changes nothing.

    Nothing is paid out while the processor would sweep the pots away by itself (DESIGN.md § 5).
    """
    done = Counter(reserved=0, queued=0, quarantined=0)
    looks = due(ctx, "payouts")
    if looks and not _swept(ctx):
        for found in looks:
            done.update(_take_up(ctx, command, found))
    return dict(done)


def _take_up(ctx: Context, command: Command, found: Snapshot) -> dict[str, int]:
    """Reserve or queue one payout. What decides on it is imported with the first that is found."""
    from shared.domain.payouts import Payout
    from shared.services.reserve_payout import reserve_payout

    payout = found.document(Payout)
    if payout.state not in {"scheduled", "parked"}:
        return {"queued": queue(ctx, "payout", found)}
    try:
        state = reserve_payout(ctx, command, payout)["state"]
    except TryAgainLater:
        return {}  # the next tick finds it again
    except Broken as broken:
        park(ctx, f"payout:{payout.id}", "payout", broken, {"group": payout.group, "id": payout.id})
        return {"quarantined": 1}
    if state != "reserved":
        return {}
    return {"reserved": 1, "queued": queue(ctx, "payout", _again(ctx, payout))}


def _swept(ctx: Context) -> bool:
    """Whether the processor pays our balance out by itself. Raises ProcessorUnavailable: it did not say."""
    with asking("payout schedule"):
        sweeps = ctx.gateway.sweeps_automatically()
    if sweeps:
        log.error("the processor sweeps our balance: set it to manual", extra={"alert": "automatic_payouts"})
    return sweeps


def _again(ctx: Context, payout: Payout) -> Snapshot:
    (snapshot,) = ctx.store.load(payout.path)
    return snapshot
