"""Traces: noted where a person shows a card, a bank account, a device or an address, in the same commit."""

from __future__ import annotations

from shared.domain.decision import Decision
from shared.domain.traces import KEY, Trace, TraceKind, Traces, mark, traces_ref
from shared.services.context import Context
from shared.services.transact import Loaded


def noting(
    ctx: Context, loaded: Loaded, uid: str, decision: Decision, *seen: tuple[TraceKind, str]
) -> Decision:
    """The decision, with what it shows of a person noted; it must have peeked at `traces_ref(uid)`.

    What is known already changes nothing, so a decision that was empty stays so.
    """
    now = ctx.clock.now()
    known = loaded.find(traces_ref(uid))
    after = (known or Traces(uid=uid)).with_seen(
        Trace(kind=kind, mark=mark(ctx.secrets.current(KEY), kind, text), at=now) for kind, text in seen
    )
    if known is None:
        return decision.then(Decision(created=[after] if after.seen else []))
    return decision.then(Decision(changed=[] if after == known else [after]))
