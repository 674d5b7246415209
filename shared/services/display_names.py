"""Display names: what the people of a circle call each other, sealed with the circle's key.

A reading of the profile that decides nothing: written after what gave the seat, and again with each change.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from shared.domain.errors import Erased
from shared.domain.profiles import DisplayName, display_name_ref, profile_ref
from shared.ports import Put, Query
from shared.services.context import Context
from shared.services.paging import every
from shared.services.sealed_profile import opened
from shared.services.transact import read

CIRCLES_MAX: Final = 100
"""A person is in a handful of circles; who is in more is told of in the first hundred."""


def names(ctx: Context, group: str, uids: Collection[str]) -> dict[str, str]:
    """The names of these people in a circle; who has not told one, or erased it, is left out."""
    refs = {uid: display_name_ref(group, uid) for uid in dict.fromkeys(uids)}
    if not refs:
        return {}
    loaded = read(ctx, *refs.values())
    found = {uid: name for uid, ref in refs.items() if (name := loaded.find(ref)) is not None}
    if not found:
        return {}
    sealer = ctx.vault.sealer(group)
    return {uid: sealer.open(one.sealed, sealed_as(uid)) for uid, one in found.items()}


def share(ctx: Context, group: str, uid: str) -> None:
    """Let a circle know the name of somebody who has come into it, if they have told one."""
    found = read(ctx, profile_ref(uid)).find(profile_ref(uid))
    if found is None:
        return
    try:
        _put(ctx, [group], uid, opened(ctx, found).display_name)
    except Erased:
        return


def share_everywhere(ctx: Context, uid: str, name: str) -> None:
    """Let the circles of a person know their name: the latest hundred."""
    _put(ctx, circles_of(ctx, uid)[:CIRCLES_MAX], uid, name)


def circles_of(ctx: Context, uid: str) -> list[str]:
    """All circles that a person is in, was in, or has asked to join; the latest first."""
    query = Query(
        "members", where=[("uid", "==", uid)], order_by=["-joined_at"], limit=CIRCLES_MAX, group=True
    )
    return [str((one.data or {})["group"]) for one in every(ctx, query)]


def _put(ctx: Context, groups: list[str], uid: str, name: str) -> None:
    shared = [
        DisplayName(group=group, uid=uid, sealed=ctx.vault.sealer(group).seal(name, sealed_as(uid)))
        for group in groups
    ]
    if shared:
        ctx.store.commit([Put(one.path, one.data()) for one in shared])


def sealed_as(uid: str) -> str:
    return f"name:{uid}"
