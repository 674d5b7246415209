"""The profile: told and corrected by its person, sealed with their key, read by nobody else."""

from __future__ import annotations

from typing import Any

from shared.domain.calendar import london_day
from shared.domain.decision import Decision
from shared.domain.errors import NoSuchThing
from shared.domain.profiles import Details, Profile, checked, profile_ref
from shared.domain.traces import TraceKind, one_spelling, traces_ref
from shared.domain.users import user_ref
from shared.services import display_names
from shared.services.context import Command, Context
from shared.services.sealed_profile import opened, sealed
from shared.services.traces import noting
from shared.services.transact import Loaded, read, transact


def save(ctx: Context, command: Command, details: Details) -> dict[str, Any]:
    """Keep what a person tells of themselves, in the place of what they told before.

    Raises NoSuchThing before the sign-up, AccountClosed, TooYoung, WrongBirthDate, WrongPostcode.
    """
    uid, now = command.actor, ctx.clock.now()
    told = checked(details, london_day(now))
    text = sealed(ctx, uid, told)
    own = profile_ref(uid)

    def decide(loaded: Loaded) -> Decision:
        user = loaded.get(user_ref(uid))
        user.require_open()
        known = loaded.find(own)
        new = Profile(uid=uid, sealed=text, updated_at=now, revision=known.revision if known else 0)
        renewed = user.with_(profile_at=now)
        if known is not None and _is_somebody_else(opened(ctx, known), told):
            renewed = renewed.with_(identity_changed_at=now)
        changed = [renewed, *([new] if known else [])]
        home: tuple[TraceKind, str] = ("address", one_spelling(told.address))
        # The record of this command holds no more than that it was done: an answer is kept in the clear.
        saved = Decision(answer={"saved": True}, changed=changed, created=[] if known else [new])
        return noting(ctx, loaded, uid, saved, home)

    transact(ctx, command, [user_ref(uid), own], decide, peek=[traces_ref(uid)])
    display_names.share_everywhere(ctx, uid, told.display_name)
    return own_profile(ctx, uid)


def _is_somebody_else(was: Details, now: Details) -> bool:
    """Another name or birth date: a marriage gives one as well as a stranger; either way one looks again."""
    return (was.full_name.casefold(), was.date_of_birth) != (now.full_name.casefold(), now.date_of_birth)


def own_profile(ctx: Context, uid: str) -> dict[str, Any]:
    """The profile as its person reads it. Raises NoSuchThing before it was told, Erased after erasure."""
    found = read(ctx, profile_ref(uid)).find(profile_ref(uid))
    if found is None:
        raise NoSuchThing(thing="profile; save one first")
    details = opened(ctx, found)
    return details.model_dump(mode="json") | {
        "updated_at": found.updated_at.isoformat(),
        "revision": found.revision,
    }
