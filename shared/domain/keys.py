"""Keys: what personal data is sealed with, one per person and one per group, themselves wrapped."""

from __future__ import annotations

from datetime import datetime

from shared.domain.documents import Document, Ref


class Key(Document):
    """keys/{owner}: the owner's data keys by version, each wrapped by the master key that `master` names.

    New text is sealed with `current`; older versions open what was sealed before. A destroyed key leaves
    this document behind, empty: what it sealed is noise, and no new key takes its place.
    """

    owner: str
    versions: dict[str, str]
    current: int
    master: str
    renewed_at: datetime | None = None
    destroyed_at: datetime | None = None

    @property
    def path(self) -> str:
        return key_ref(self.owner).path

    def destroyed(self, now: datetime) -> Key:
        """The key without its material: erasure, in the commit that decides it."""
        return self.with_(versions={}, destroyed_at=now)


def key_ref(owner: str) -> Ref[Key]:
    """`owner` is a uid or a group's id; the two never meet, for ours begin with grp_."""
    return Ref(Key, f"keys/{owner}")
