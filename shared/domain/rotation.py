"""Rotation: who takes the pot in which cycle, drawn so that anyone can check it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from shared.domain.documents import Document, Ref


def commitment(seed: bytes) -> str:
    """What is shown of a seed before the draw: it fixes the seed and tells nothing of it."""
    return hashlib.sha256(seed).hexdigest()


def drawn_order(seed: bytes, uids: Iterable[str]) -> list[str]:
    """The members in the order of sha256(seed ‖ uid): fair for a seed that was fixed before they came."""
    return sorted(uids, key=lambda uid: hashlib.sha256(seed + uid.encode()).digest())


def verify_draw(commitment_shown: str, seed: bytes, order: list[str]) -> bool:
    """Whether the revealed seed is the committed one, and gives this order."""
    return commitment(seed) == commitment_shown and drawn_order(seed, order) == order


class DrawSeed(Document):
    """The secret seed of a group, until its lock reveals it. No client can read it."""

    group: str
    seed: str

    @property
    def path(self) -> str:
        return draw_seed_ref(self.group).path


def draw_seed_ref(group: str) -> Ref[DrawSeed]:
    return Ref(DrawSeed, f"groups/{group}/draw/seed")
