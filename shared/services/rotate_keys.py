"""Rotate keys, without a pause: every data key under the current master key, and new data keys where wanted.

Run it after a new version of the master key is pinned in front of the former, and unpin the former when it
says that nothing was left to do.
"""

from __future__ import annotations

from typing import Any

from shared.domain.profiles import SEALED_AS_PROFILE, Profile, profile_ref
from shared.ports import Query, Snapshot, Stale, Update
from shared.services.context import Context


def rewrap_all(ctx: Context) -> dict[str, int]:
    """Wrap every key with the current master key. Counts what was found, and what was still to do."""
    found = _owners(ctx)
    return {"keys": len(found), "rewrapped": sum(ctx.vault.rewrap(owner) for owner in found)}


def renew_person(ctx: Context, uid: str) -> dict[str, bool]:
    """Give a person a new key, seal their profile with it, and forget the former. Raises Erased.

    Whatever is interrupted between the steps is finished by the next run: until then both keys open.
    """
    ctx.vault.renew(uid)
    (found,) = ctx.store.load(profile_ref(uid).path)
    resealed = found.data is None or _reseal(ctx, uid, found)
    return {"renewed": resealed and ctx.vault.retire(uid)}


def _reseal(ctx: Context, uid: str, found: Snapshot) -> bool:
    profile = Profile.model_validate(dict(found.data or {}))
    sealer = ctx.vault.sealer(uid)
    text = sealer.seal(sealer.open(profile.sealed, SEALED_AS_PROFILE), SEALED_AS_PROFILE)
    new: dict[str, Any] = profile.with_(sealed=text, revision=profile.revision + 1).data()
    try:
        ctx.store.commit([Update(profile.path, new, found.version)])
    except Stale:  # its person has just saved it, with the new key
        return False
    return True


def _owners(ctx: Context) -> list[str]:
    (found,) = ctx.store.read_consistently(Query("keys"))
    return [str(one.data["owner"]) for one in found if one.data and one.data["destroyed_at"] is None]
