"""Submit: what one task of the queue does: one look at one contribution or payout."""

from __future__ import annotations

from typing import Any

from shared.domain.errors import Broken, InvalidRequest
from shared.services.context import Command, Context
from shared.services.quarantine import park


def submit(ctx: Context, command: Command, body: dict[str, Any]) -> dict[str, Any]:
    """Carry out one task: {"kind": "contribution" | "payout", "group", "id"}.

    What must never happen is parked and not tried again; what may succeed later raises (ProcessorUnavailable,
    TryAgainLater), so that the queue tries again. Raises InvalidRequest for a task that is none of ours.
    """
    kind, group, id_ = body.get("kind"), body.get("group"), body.get("id")
    if kind not in {"contribution", "payout"} or not isinstance(group, str) or not isinstance(id_, str):
        raise InvalidRequest(errors=[{"field": "kind", "code": "unknown_task", "message": "no such task"}])
    try:
        if kind == "contribution":
            from shared.services.collect_contribution import collect_contribution

            return collect_contribution(ctx, command, group, id_)
        from shared.services.send_payout import send_payout

        return send_payout(ctx, command, group, id_)
    except Broken as broken:
        where = park(ctx, f"{kind}:{id_}:{broken.code}", kind, broken, {"group": group, "id": id_})
        return {"quarantined": where}
