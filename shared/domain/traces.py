"""Traces: a person's cards, bank accounts, devices and addresses, as keyed hashes that tell who shares one.

Nothing can be read from a hash, and without our key none can be made: a stolen database names no card and no
street. They are for the fraud checks alone, and go with their person.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal

from shared.domain.documents import Document, Ref, Value
from shared.domain.profiles import Address

TraceKind = Literal["card", "bank", "device", "address", "mandate_revoked"]

TRACES_MAX: Final = 60
"""Somebody with more has used them up long ago: the oldest give way. A day of card testing fits in."""

ASKED_MAX: Final = 30
"""As many values as Firestore takes in one question: the newest."""

KEY: Final = "fingerprint-key"
"""The secret's name. Who changes it starts afresh: old hashes match no new ones."""


def mark(key: bytes, kind: TraceKind, text: str) -> str:
    """What is kept of a card, an account, a device, an address or a mandate."""
    return hmac.new(key, f"{kind}:{text}".encode(), hashlib.sha256).hexdigest()[:40]


def one_spelling(address: Address) -> str:
    """An address as its postcode, letters and digits: "Flat 2, 17 High St." is "flat 2 17 HIGH ST"."""
    lines = f"{address.postcode} {address.line_1} {address.line_2 or ''}"
    return re.sub(r"[^a-z0-9]", "", lines.lower())


class Trace(Value):
    """One thing that a person had, and when we first saw it."""

    kind: TraceKind
    mark: str
    at: datetime


class Traces(Document):
    """traces/{uid}, oldest first. `marks`: the newest of those that others may share, to ask who does."""

    uid: str
    seen: list[Trace] = []
    marks: list[str] = []

    @property
    def path(self) -> str:
        return traces_ref(self.uid).path

    def with_seen(self, new: Iterable[Trace]) -> Traces:
        """With what was not known before; what is known keeps its first day."""
        known = {(one.kind, one.mark) for one in self.seen}
        added = [one for one in new if (one.kind, one.mark) not in known]
        if not added:
            return self
        seen = [*self.seen, *added][-TRACES_MAX:]
        shared = [one.mark for one in seen if one.kind != "mandate_revoked"]
        return self.with_(seen=seen, marks=shared[-ASKED_MAX:])


def traces_ref(uid: str) -> Ref[Traces]:
    return Ref(Traces, f"traces/{uid}")
