"""Where and how a person is reached: their devices and preferences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.domain.decision import Decision
from shared.domain.devices import Device, Preferences, Reach, reach_ref
from shared.domain.traces import TraceKind, traces_ref
from shared.domain.users import user_ref
from shared.services.context import Command, Context
from shared.services.traces import noting
from shared.services.transact import Loaded, read, transact


def add_device(ctx: Context, command: Command, device: Device) -> dict[str, Any]:
    """Reach the person on this device, too. Raises NoSuchThing before the sign-up, AccountClosed."""
    return _changed(ctx, command, lambda reach: reach.with_device(device), ("device", device.token))


def remove_device(ctx: Context, command: Command, token: str) -> dict[str, Any]:
    """Reach the person on this device no longer; an unknown one changes nothing."""
    return _changed(ctx, command, lambda reach: reach.without_device(token))


def prefer(ctx: Context, command: Command, preferences: Preferences) -> dict[str, Any]:
    """Reach the person in this way from now on."""
    return _changed(ctx, command, lambda reach: reach.with_(preferences=preferences))


def own(ctx: Context, uid: str) -> dict[str, Any]:
    """How a person is reached."""
    return _view(read(ctx, reach_ref(uid)).find(reach_ref(uid)) or Reach(uid=uid))


def _changed(
    ctx: Context, command: Command, change: Callable[[Reach], Reach], *seen: tuple[TraceKind, str]
) -> dict[str, Any]:
    ref = reach_ref(command.actor)

    def decide(loaded: Loaded) -> Decision:
        loaded.get(user_ref(command.actor)).require_open()
        known = loaded.find(ref)
        changed = change(known or Reach(uid=command.actor))
        kept = Decision(
            answer=_view(changed), created=[] if known else [changed], changed=[changed] if known else []
        )
        return noting(ctx, loaded, command.actor, kept, *seen)

    return transact(ctx, command, [ref, user_ref(command.actor)], decide, peek=[traces_ref(command.actor)])


def _view(reach: Reach) -> dict[str, Any]:
    """Tokens stay with us: who reads this knows their own devices by platform and day."""
    return {
        "devices": [{"platform": one.platform, "seen_at": one.seen_at.isoformat()} for one in reach.devices],
        "preferences": reach.preferences.model_dump(mode="json"),
    }
