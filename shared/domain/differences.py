"""Differences: what reconciliation found not to be as it must, how old it is, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any, Final, Literal

from shared.domain.record import record

DifferenceKind = Literal[
    "missing_fact",
    "missing_movement",
    "amount",
    "fee",
    "currency",
    "labels",
    "source",
    "clearing",
    "capital",
    "cover",
    "sweep",
    "ledger",
    "altered_fact",
    "chain",
    "missing_object",
    "object",
    "unknown_object",
    "stuck",
]

WHAT_TO_DO: Final[dict[DifferenceKind, str]] = {
    "missing_fact": "replay the event, or catch up by listing; it is booked then, or parked with its reason",
    "missing_movement": "stop payouts of this group; at the processor the line was removed, or never was",
    "amount": "stop payouts of this group and look at both",
    "fee": "record the difference as a fact of the house",
    "currency": "stop payouts of this group: money of another kind was booked as pounds",
    "labels": "look at the processor who changed our ids there, and put them right",
    "source": "look at the processor: what caused this line was removed or altered",
    "clearing": "look at the processor; until then nothing of this is spent before the later of the two days",
    "capital": "ask the owners: money of the house that was there has gone from the list",
    "cover": "stop payouts until it is explained",
    "sweep": "set the payout schedule to manual at the processor, and bring back what was swept",
    "ledger": "stop payouts of this group; fold the journal anew",
    "altered_fact": "stop payouts of this group; restore the fact from its audit record or a backup",
    "chain": "stop payouts of this group; `scripts/ajo audit verify` tells which record is the first bad one",
    "missing_object": "look at the processor: it was removed, or our reference is wrong",
    "object": "fetch it anew by its event; if it stays so, look at both by hand",
    "unknown_object": "find out who made it at the processor: it carries none of our ids, or wrong ones",
    "stuck": "look why it does not move on; what is at the processor decides",
}


@record
class Difference:
    """One difference. `where` names it: a movement, fact, document or object. `since`: when it began."""

    kind: DifferenceKind
    where: str
    what: str
    since: datetime | None = None

    def told(self, now: datetime) -> dict[str, Any]:
        """As the report tells it: with its age in hours, where that is known, and what to do."""
        age = None if self.since is None else max(0, int((now - self.since).total_seconds() // 3600))
        told = asdict(self) | {"age_hours": age, "todo": WHAT_TO_DO[self.kind]}
        told.pop("since")
        return told
