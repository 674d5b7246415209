"""What people of a circle say to each other: messages, and disputes."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from shared.domain.words import (
    SILENCE_DAYS_MAX,
    TEXT_LETTERS_MAX,
    DisputeKind,
    DisputeOutcome,
    DisputeState,
    ReportReason,
)
from shared.web.schemas.common import Amount, Answer, Id, Input, Page, PageRequest


def _spoken(text: str) -> str:
    """One spelling (NFC), lines kept. Other control characters are refused: they hide what a text says."""
    spoken = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    if any(unicodedata.category(letter) in {"Cc", "Cs", "Co", "Cn"} for letter in spoken.replace("\n", "")):
        raise ValueError("control characters are not allowed")
    if not spoken:
        raise ValueError("must not be blank")
    return spoken


Text = Annotated[str, Field(min_length=1, max_length=TEXT_LETTERS_MAX), AfterValidator(_spoken)]
Evidence = Annotated[list[Id], Field(max_length=10)]


class NewMessage(Input):
    """Up to 2,000 letters."""

    text: Text


class MessageReport(Input):
    """What is wrong with a message."""

    reason: ReportReason


class Moderation(Input):
    """Hide a message, or let it stand."""

    hide: bool


class Mute(Input):
    """See no more of what somebody writes, or see it again."""

    muted: bool


class Silence(Input):
    """For how many days somebody may not write; 0 lets them again."""

    days: int = Field(ge=0, le=SILENCE_DAYS_MAX)


class ReadMark(Input):
    """The last message that was read."""

    message: Id


class MessagesRequest(PageRequest):
    """`reported` is for moderators: what waits for them."""

    reported: bool = False


class MessageState(Answer):
    """A message after it changed. Its text is read with the list."""

    id: Id
    state: Literal["visible", "deleted", "hidden"]
    posted_at: datetime


class Message(Answer):
    """One message. `text` is null where it was taken back or hidden, or its author is muted by the reader."""

    id: Id
    author: Id
    author_name: str | None = None
    text: str | None = None
    state: Literal["visible", "deleted", "hidden"]
    posted_at: datetime
    edited_at: datetime | None = None
    reports: list[ReportReason]


class Messages(Page[Message]):
    """One page of messages, the latest first, with the reader's own mark."""

    read_at: datetime | None = None
    unread: int


class Muted(Answer):
    """Whether the reader sees what somebody writes."""

    uid: Id
    muted: bool


class Silenced(Answer):
    """Until when somebody may not write."""

    uid: Id
    silenced_until: datetime | None = None


class ReadUpTo(Answer):
    """Up to when the reader has read."""

    read_at: datetime


# --- disputes -----------------------------------------------------------------------------------------------


class NewDispute(Input):
    """About a contribution, a payout (by its id), or a person (by their uid). Evidence is named by its id."""

    kind: DisputeKind
    subject: Id
    text: Text
    evidence: Evidence = []


class DisputeEntry(Input):
    """Something more to say."""

    text: Text
    evidence: Evidence = []


class Appeal(Input):
    """Why the decision is wrong."""

    text: Text


class Remedy(Input):
    """`claim`: debtor owes creditor so much. `house_pays`: the house pays what is open of the debt."""

    kind: Literal["claim", "house_pays"]
    debtor: Id
    creditor: Id | None = None
    pence: int | None = Field(None, gt=0, le=1_000_000)
    debt: Id | None = None


class NewDecision(Input):
    """How a dispute ends, why, and what is put right."""

    outcome: DisputeOutcome
    reason: Text
    remedies: Annotated[list[Remedy], Field(max_length=10)] = []


class DisputeSummary(Answer):
    """A dispute without what was said."""

    id: Id
    group: Id
    kind: DisputeKind
    subject: Id
    opened_by: Id
    against: Id | None = None
    state: DisputeState
    opened_at: datetime
    respond_by: datetime
    decide_by: datetime
    answered: bool
    reviewer: Id | None = None
    appeal_of: Id | None = None
    appealed_as: Id | None = None


class WaitingDispute(DisputeSummary):
    """A dispute that waits for a decision."""

    overdue: bool


class SaidInDispute(Answer):
    """What somebody said."""

    number: int
    by: Id
    at: datetime
    text: str
    evidence: list[Id]


class PutRight(Answer):
    """What a decision did."""

    kind: Literal["claim", "house_pays"]
    debtor: Id
    creditor: Id | None = None
    pence: Amount | None = None
    debt: Id | None = None


class Decided(Answer):
    """How a dispute ended."""

    outcome: DisputeOutcome
    by: Id
    at: datetime
    reason: str
    remedies: list[PutRight]


class Dispute(DisputeSummary):
    """A dispute with all that was said."""

    entries: list[SaidInDispute]
    decision: Decided | None = None
    revision: int
