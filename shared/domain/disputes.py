"""Disputes between people of a circle: about a contribution, a payout or a person.

Decided once, appealed once. An appeal is a dispute of its own, about the same thing, decided by somebody
else: DESIGN.md § 6 knows no way back from a decision. What people write is sealed before it comes here.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

from pydantic import Field

from shared.domain.documents import Document, Ref, States, Value
from shared.domain.errors import (
    AppealNotPossible,
    DisputeClosed,
    DisputeNotReady,
    NotAllowed,
    ReviewerNotIndependent,
    TooManyEntries,
)
from shared.domain.retention import expiry
from shared.domain.words import DisputeKind, DisputeOutcome, DisputeState

DISPUTE: Final = States(
    "dispute",
    {
        "open": "under_review withdrawn",
        "under_review": "upheld rejected withdrawn",
        "upheld": "",
        "rejected": "",
        "withdrawn": "",
    },
)

RESPOND_WITHIN: Final = timedelta(days=7)
"""For the other side to answer: a week holds a weekend and a day off."""

DECIDE_WITHIN: Final = timedelta(days=28)
"""Half of the eight weeks that the FCA gives a firm for a final response (DISP 1.6.2R), so that an appeal
fits into the other half."""

APPEAL_WITHIN: Final = timedelta(days=14)

ENTRIES_MAX: Final = 50
"""Messages of one dispute: beyond that nobody listens any more, and a document has its limits."""


class Entry(Value):
    """What somebody said, sealed, and the documents they point at."""

    number: int
    by: str
    at: datetime
    sealed: str
    evidence: list[str] = []


class Remedy(Value):
    """What a decision does, as a row of the ledger.

    `claim`: `debtor` owes `creditor` these pence. `house_pays`: the house pays what is open of a debt, and is
    owed instead.
    """

    kind: Literal["claim", "house_pays"]
    debtor: str
    creditor: str | None = None
    pence: int | None = Field(None, gt=0, le=1_000_000)
    debt: str | None = None


class Verdict(Value):
    """How a dispute ended, by whom, and why (sealed)."""

    outcome: DisputeOutcome
    by: str
    at: datetime
    sealed: str
    remedies: list[Remedy] = []


class Dispute(Document):
    """groups/{group}/disputes/{dispute}."""

    id: str
    group: str
    kind: DisputeKind
    subject: str
    cycle: int | None
    opened_by: str
    against: str | None
    state: DisputeState = "open"
    opened_at: datetime
    respond_by: datetime
    decide_by: datetime
    expires_at: datetime | None = None
    entries: list[Entry]
    reviewer: str | None = None
    verdict: Verdict | None = None
    appeal_of: str | None = None
    appealed_as: str | None = None

    @property
    def path(self) -> str:
        return dispute_ref(self.group, self.id).path

    @property
    def is_open(self) -> bool:
        return self.state in {"open", "under_review"}

    @property
    def parties(self) -> frozenset[str]:
        return frozenset({self.opened_by} | ({self.against} if self.against else set()))

    @property
    def answered(self) -> bool:
        """Whether the other side has been heard, or there is none."""
        return self.against is None or any(entry.by == self.against for entry in self.entries)

    def moved(self, to: DisputeState) -> Dispute:
        """The dispute in its next state. Raises UnknownTransition."""
        DISPUTE.check(self.state, to)
        return self.with_(state=to)

    def with_entry(self, by: str, sealed: str, evidence: list[str], now: datetime) -> Dispute:
        """With something more said by a party or by its reviewer. Raises DisputeClosed, TooManyEntries."""
        self._require_open()
        if len(self.entries) >= ENTRIES_MAX:
            raise TooManyEntries(entries=ENTRIES_MAX)
        entry = Entry(number=len(self.entries) + 1, by=by, at=now, sealed=sealed, evidence=evidence)
        return self.with_(entries=[*self.entries, entry])

    def taken_up(self, by: str, former: Dispute | None) -> Dispute:
        """Under review by somebody who has no part in it, and has not decided it before.

        Raises DisputeClosed, ReviewerNotIndependent.
        """
        self._require_open()
        decided_before = former is not None and former.verdict is not None and former.verdict.by == by
        if by in self.parties or decided_before:
            raise ReviewerNotIndependent
        return (
            self.with_(reviewer=by)
            if self.state == "under_review"
            else self.moved("under_review").with_(reviewer=by)
        )

    def withdrawn(self, by: str) -> Dispute:
        """Raises DisputeClosed, NotAllowed."""
        self._require_open()
        if by != self.opened_by:
            raise NotAllowed
        return self.moved("withdrawn")

    def decided(self, verdict: Verdict) -> Dispute:
        """Decided by its reviewer, once the other side was heard or had its time.

        Raises DisputeClosed, NotAllowed, DisputeNotReady.
        """
        self._require_open()
        if self.reviewer != verdict.by:
            raise NotAllowed
        if not self.answered and verdict.at < self.respond_by:
            raise DisputeNotReady(respond_by=self.respond_by.isoformat())
        return self.moved(verdict.outcome).with_(verdict=verdict)

    def can_be_appealed(self, now: datetime) -> bool:
        return (
            self.verdict is not None
            and not self.appeal_of
            and not self.appealed_as
            and now <= self.verdict.at + APPEAL_WITHIN
        )

    def appealed(self, by: str, id_: str, sealed: str, now: datetime) -> tuple[Dispute, Dispute]:
        """The decided dispute with its appeal named, and the appeal. Raises AppealNotPossible, NotAllowed."""
        if by not in self.parties:
            raise NotAllowed
        if not self.can_be_appealed(now):
            raise AppealNotPossible(days=APPEAL_WITHIN.days)
        other = self.against if by == self.opened_by else self.opened_by
        appeal = opened(
            id_, self.group, self.kind, self.subject, self.cycle, by, other, sealed, [], now
        ).with_(appeal_of=self.id)
        return self.with_(appealed_as=id_), appeal

    def _require_open(self) -> None:
        if not self.is_open:
            raise DisputeClosed(state=self.state)


def opened(
    id_: str,
    group: str,
    kind: DisputeKind,
    subject: str,
    cycle: int | None,
    by: str,
    against: str | None,
    sealed: str,
    evidence: list[str],
    now: datetime,
) -> Dispute:
    """A new dispute with its first entry and its deadlines."""
    return Dispute(
        id=id_,
        group=group,
        kind=kind,
        subject=subject,
        cycle=cycle,
        opened_by=by,
        against=against if against != by else None,
        opened_at=now,
        respond_by=now + RESPOND_WITHIN,
        decide_by=now + DECIDE_WITHIN,
        expires_at=expiry("disputes", now),
        entries=[Entry(number=1, by=by, at=now, sealed=sealed, evidence=evidence)],
    )


def dispute_ref(group: str, dispute: str) -> Ref[Dispute]:
    return Ref(Dispute, f"groups/{group}/disputes/{dispute}")


def dispute_sealed_as(did: str, number: int) -> str:
    """What a text is sealed as: its place in its dispute; 0 is the decision's reason."""
    return f"dispute:{did}:{number}"
