"""Messages in a circle: its people's own words, sealed; rules for editing, reporting, muting and moderating.

The text is sealed with the circle's key before it comes here: nothing in this module can read it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

from shared.domain.documents import Document, Ref, Value
from shared.domain.errors import (
    AlreadyReported,
    MessageGone,
    NotAllowed,
    Silenced,
    TooLateToEdit,
    TooManyRequests,
)
from shared.domain.words import ReportReason

EDIT_WITHIN: Final = timedelta(minutes=15)
"""Long enough for a slip of the finger; after that, others may have answered what stood there."""

POSTS_MAX: Final = 10
POSTS_WITHIN: Final = timedelta(minutes=5)
"""People in a lively talk stay far below two a minute, floods do not."""


class Report(Value):
    """Somebody's word that a message should not stand."""

    by: str
    at: datetime
    reason: ReportReason


class Message(Document):
    """groups/{group}/messages/{message}. `sealed` is None once nobody needs the text any more."""

    id: str
    group: str
    author: str
    sealed: str | None
    posted_at: datetime
    expires_at: datetime | None = None
    edited_at: datetime | None = None
    state: Literal["visible", "deleted", "hidden"] = "visible"
    hidden_by: str | None = None
    reports: list[Report] = []
    reported: bool = False

    @property
    def path(self) -> str:
        return message_ref(self.group, self.id).path

    def edited(self, by: str, sealed: str, now: datetime) -> Message:
        """With another text. Raises NotAllowed, MessageGone, TooLateToEdit."""
        self._require_author(by)
        if now - self.posted_at > EDIT_WITHIN:
            raise TooLateToEdit(minutes=int(EDIT_WITHIN.total_seconds() // 60))
        return self.with_(sealed=sealed, edited_at=now)

    def deleted(self, by: str) -> Message:
        """Taken back by its author. What was reported stays readable for moderators: it is evidence.

        Raises NotAllowed, MessageGone.
        """
        self._require_author(by)
        return self.with_(state="deleted", sealed=self.sealed if self.reported else None)

    def reported_by(self, by: str, reason: ReportReason, now: datetime) -> Message:
        """Raises MessageGone, AlreadyReported, and NotAllowed for one's own."""
        self._require_visible()
        if by == self.author:
            raise NotAllowed
        if any(report.by == by for report in self.reports):
            raise AlreadyReported
        report = Report(by=by, at=now, reason=reason)
        return self.with_(reports=[*self.reports, report], reported=True)

    def moderated(self, by: str, *, hide: bool) -> Message:
        """Hidden from the circle, or found to be in order: either way its reports are dealt with.

        Raises MessageGone, and NotAllowed for a message of one's own.
        """
        if by == self.author:
            raise NotAllowed
        if self.state == "deleted":
            raise MessageGone
        if hide:
            return self.with_(state="hidden", hidden_by=by, reported=False)
        return self.with_(state="visible", hidden_by=None, reported=False)

    def _require_author(self, by: str) -> None:
        if by != self.author:
            raise NotAllowed
        self._require_visible()

    def _require_visible(self) -> None:
        if self.state != "visible":
            raise MessageGone


def message_ref(group: str, message: str) -> Ref[Message]:
    return Ref(Message, f"groups/{group}/messages/{message}")


class Chat(Document):
    """groups/{group}/chats/{uid}: one person's side of the talk: what they read, whom they muted, whether
    they may write now."""

    group: str
    uid: str
    read_at: datetime | None = None
    muted: list[str] = []
    posted: list[datetime] = []
    silenced_until: datetime | None = None

    @property
    def path(self) -> str:
        return chat_ref(self.group, self.uid).path

    def with_post(self, now: datetime) -> Chat:
        """With one more message written now. Raises Silenced, TooManyRequests."""
        if self.silenced_until is not None and now < self.silenced_until:
            raise Silenced(until=self.silenced_until.isoformat())
        recent = [at for at in self.posted if now - at < POSTS_WITHIN]
        if len(recent) >= POSTS_MAX:
            wait = recent[0] + POSTS_WITHIN - now
            raise TooManyRequests(retry_after_seconds=int(wait.total_seconds()) + 1)
        return self.with_(posted=[*recent, now], read_at=now)

    def with_read(self, up_to: datetime) -> Chat:
        """With everything read until `up_to`. A read mark never goes back."""
        return self if self.read_at is not None and self.read_at >= up_to else self.with_(read_at=up_to)

    def with_muted(self, uid: str, *, muted: bool) -> Chat:
        others = [one for one in self.muted if one != uid]
        return self.with_(muted=[*others, uid] if muted else others)


def chat_ref(group: str, uid: str) -> Ref[Chat]:
    return Ref(Chat, f"groups/{group}/chats/{uid}")


def message_sealed_as(mid: str) -> str:
    """What a text is sealed as: it opens nowhere else."""
    return f"message:{mid}"
