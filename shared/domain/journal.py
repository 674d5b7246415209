"""The journal: one document per business fact; dedup, ledger, outbox and audit in one (DESIGN.md § 4)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.domain.canonical import canonical_json
from shared.domain.documents import Document, Ref, Value
from shared.domain.ledger import Entry, check


def payload_hash(type_: str, payload: Mapping[str, Any], entries: list[Entry]) -> str:
    """What makes two recordings of a fact the same: its type, payload and entries; not who came first."""
    return hashlib.sha256(
        canonical_json([type_, payload, [entry.model_dump() for entry in entries]])
    ).hexdigest()


class Fact(Document):
    """A business fact. Written once, with an id derived from what it states; only its two marks move.

    `at` is the circle's time, `committed_at` wall time. `published` counts confirmed publications;
    `sealed` is the place in the audit chain, once it has one. Ids only: no personal data, ever.
    """

    id: str
    group: str
    type: str
    at: datetime
    committed_at: datetime
    actor: str
    command_id: str
    payload: dict[str, Any]
    payload_hash: str
    entries: list[Entry] = []
    published: int = 0
    sealed: int | None = None

    @property
    def path(self) -> str:
        return fact_path(self.group, self.id)


def fact_path(group: str, fact: str) -> str:
    return f"groups/{group}/journal/{fact}"


def fact_ref(group: str, fact: str) -> Ref[Fact]:
    return Ref(Fact, fact_path(group, fact))


class News(Value):
    """A fact before it is committed: what happened, and what it posts. `id` comes from the fact itself."""

    id: str
    group: str
    type: str
    payload: dict[str, Any] = {}
    entries: list[Entry] = []

    def recorded(self, at: datetime, committed_at: datetime, actor: str, command_id: str) -> Fact:
        """The fact as it is committed. Raises Unbalanced or BadEntry."""
        check(self.entries)
        return Fact(
            id=self.id,
            group=self.group,
            type=self.type,
            at=at,
            committed_at=committed_at,
            actor=actor,
            command_id=command_id,
            payload=self.payload,
            payload_hash=payload_hash(self.type, self.payload, self.entries),
            entries=self.entries,
        )
