"""Reconcile, fourth part: what stands in a state that it should have left by now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from shared.domain.calendar import opening_of
from shared.domain.contributions import Contribution
from shared.domain.differences import Difference
from shared.domain.journal import Fact
from shared.domain.payouts import Payout

ATTEMPT_STUCK_AFTER: Final[Mapping[str, timedelta]] = {
    "submitting": timedelta(hours=2),  # a task is tried again within minutes
    "processing": timedelta(days=14),  # Bacs on a new mandate over Christmas
    "requires_action": timedelta(days=14),  # two weeks of reminders
}

PAYOUT_STUCK_AFTER: Final[Mapping[str, timedelta]] = {
    "reserved": timedelta(days=1),
    "submitting": timedelta(hours=2),
    "unknown": timedelta(hours=2),  # a look-up ends it
    "failed": timedelta(days=3),
    "sent": timedelta(days=7),  # banks take one to three working days
    "parked": timedelta(days=14),
    "bank_failed": timedelta(days=14),
    "partly_reversed": timedelta(days=14),  # what was brought back waits for a person to decide
    "reversed": timedelta(days=14),
}

UNPUBLISHED_AFTER: Final = timedelta(hours=1)
"""The relay runs each minute."""


def stuck(
    contributions: Iterable[Contribution],
    payouts: Iterable[Payout],
    facts: Iterable[Fact],
    quarantine: Iterable[Mapping[str, Any]],
    now: datetime,
) -> Iterator[Difference]:
    """Everything that waits longer than it ever should, since when."""
    facts = list(facts)
    for one in contributions:
        for attempt in one.attempts:
            limit = ATTEMPT_STUCK_AFTER.get(attempt.state)
            if limit is not None and now - attempt.started_at > limit:
                what = f"{attempt.id} has been {attempt.state} since {attempt.started_at:%F}"
                yield Difference("stuck", one.id, what, attempt.started_at)
    moved = _last_moves(facts)
    for payout in payouts:
        since = moved.get(payout.id, opening_of(payout.pay_date))
        if payout.state == "reserved" and payout.act_at is not None:
            since = max(since, payout.act_at)  # a top-up's money clears first: until then nothing is late
        limit = PAYOUT_STUCK_AFTER.get(payout.state)
        if limit is not None and now - since > limit:
            because = f" ({payout.parked_because})" if payout.parked_because else ""
            yield Difference("stuck", payout.id, f"{payout.state}{because} since {since:%F}", since)
    for fact in facts:
        if not fact.published and now - fact.at > UNPUBLISHED_AFTER:
            yield Difference("stuck", fact.id, "the fact was never published", fact.at)
    for parked in quarantine:
        yield Difference("stuck", str(parked["key"]), f"in quarantine: {parked['reason']}", parked["at"])


def _last_moves(facts: Iterable[Fact]) -> dict[str, datetime]:
    """When each payout last moved, by its facts."""
    moved: dict[str, datetime] = {}
    for fact in facts:
        payout = fact.payload.get("payout")
        if isinstance(payout, str) and fact.type.startswith("payout_"):
            moved[payout] = max(fact.at, moved.get(payout, fact.at))
    return moved
