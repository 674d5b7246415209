"""Access log: staff who look at what is other people's, each time with a reason, before they see it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from shared.domain.documents import Document, Ref
from shared.domain.errors import ReasonMissing
from shared.domain.groups import Group, roles_in
from shared.domain.ids import derived_id
from shared.domain.permissions import Action, allows, require
from shared.domain.retention import expiry
from shared.ports import AlreadyExists, Create
from shared.services.context import Context, Reader

REASON_LETTERS_MIN: Final = 10
REASON_LETTERS_MAX: Final = 200


class Access(Document):
    """access/{id}: who looked at whose. The reason may name people, so it is sealed with `about`'s key."""

    id: str
    at: datetime
    staff: str
    action: str
    about: str
    request_id: str
    reason: str
    expires_at: datetime | None = None

    @property
    def path(self) -> str:
        return access_ref(self.id).path


def access_ref(id_: str) -> Ref[Access]:
    return Ref(Access, f"access/{id_}")


def sealed_as(id_: str) -> str:
    return f"access:{id_}"


def require_in_group(ctx: Context, reader: Reader, group: Group, action: Action) -> None:
    """Let a reader see a circle: its own people as they are, staff by role, noted with their reason.

    Raises NotAllowed, NoSuchThing, ReasonMissing.
    """
    own = roles_in(group, reader.uid)
    if allows(action, own):
        return
    require(action, own | reader.roles)
    record(ctx, reader, action, group.id)


def record(ctx: Context, reader: Reader, action: Action, about: str) -> None:
    """Note that staff look at what belongs to a circle or a person (`about`). Raises ReasonMissing."""
    reason = " ".join((reader.reason or "").split())
    if not REASON_LETTERS_MIN <= len(reason) <= REASON_LETTERS_MAX:
        raise ReasonMissing(field="Access-Reason")
    id_ = derived_id("acc", reader.uid, action, about, reader.request_id)
    now = ctx.clock.wall()
    entry = Access(
        id=id_,
        at=now,
        staff=reader.uid,
        action=action,
        about=about,
        request_id=reader.request_id,
        reason=ctx.vault.sealer(about).seal(reason, sealed_as(id_)),
        expires_at=expiry("access", now),
    )
    try:
        ctx.store.commit([Create(entry.path, entry.data())])
    except AlreadyExists:  # the same request once more
        return
