"""Replay: take up again what was parked in quarantine, once its reason is gone."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from shared.domain.errors import NoSuchThing
from shared.ports import Stale, Update
from shared.services.context import Command, Context
from shared.services.process_payment_event import as_event, process
from shared.services.submit import submit


def replay(ctx: Context, command: Command, path: str) -> dict[str, Any]:
    """Do again what `path` (quarantine/…) holds; it counts as resolved once that passes.

    Whatever it is, it was never booked, and doing it again is safe. Raises NoSuchThing, ProcessorUnavailable,
    TryAgainLater.
    """
    (parked,) = ctx.store.load(path)
    if parked.data is None or not path.startswith("quarantine/"):
        raise NoSuchThing(thing="parked thing")
    if parked.data["state"] != "parked":
        return {"state": parked.data["state"]}
    what = dict(parked.data["what"])
    if parked.data["kind"] == "event":
        answer = process(ctx, as_event(what))
    else:
        answer = submit(ctx, command, {"kind": parked.data["kind"], **what})
    if "quarantined" in answer:
        return {"state": "parked", "reason": parked.data["reason"]}
    resolved = {"state": "resolved", "resolved_by": command.actor, "resolved_at": ctx.clock.wall()}
    with suppress(Stale):  # somebody else replayed it at the same time, with the same end
        ctx.store.commit([Update(path, resolved, parked.version)])
    return {"state": "resolved"}
