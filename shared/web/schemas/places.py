"""People and places of a circle before it starts: drafts, the public list, invitations, roles, imports."""

from __future__ import annotations

import base64
import binascii
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from shared.domain.words import FILE_BYTES_MAX, DefaultPolicy, Frequency, GroupRole, GroupState
from shared.web.schemas.common import Answer, Currency, Id, Input, Name, PageRequest
from shared.web.schemas.groups import Code, Group, MailState, Purpose, Terms


class BrowseRequest(PageRequest):
    """Which public circles to list."""

    amount_pence: int | None = Field(None, ge=0, le=10_000_000)
    frequency: Frequency | None = None


class PublicGroup(Answer):
    """A circle, to who is not in it: its terms, and how many places are left. Nothing of its people."""

    id: Id
    name: str
    purpose: str
    state: GroupState
    terms: Terms
    places_left: int


class PreviewRequest(Input):
    """A public circle by its id, or any by an invitation's code."""

    group: Id | None = None
    code: Code | None = None

    @model_validator(mode="after")
    def _names_one(self) -> PreviewRequest:
        if (self.group is None) == (self.code is None):
            raise ValueError("needs a group or a code")
        return self


class Preview(PublicGroup):
    """A circle with its rules, as every member will accept them."""

    agreement: str


class OpenInvitation(Answer):
    """An invitation, without its code: that is shown once. `turn`: the place of an imported circle that it is
    for. One that another took the place of is revoked."""

    id: str
    invited_by: Id
    expires_at: datetime
    for_one_address: bool
    turn: int | None
    state: Literal["open", "expired", "revoked"]


class RevokedInvitation(Answer):
    """An invitation whose code opens nothing any more."""

    id: str
    state: Literal["revoked"]


class NewRole(Input):
    """What somebody is from now on. A new organiser takes over from the present one."""

    role: GroupRole


class NewImport(Input):
    """A running circle. `file` is a CSV in base64: email, turn, paid_1 (and so on), received.

    `first_due_date` is the next cycle's. Members and done cycles are counted from the file.
    """

    name: Name
    purpose: Purpose = ""
    amount_pence: int = Field(description="5000, 10000, 50000 or 80000.")
    currency: Currency = "gbp"
    frequency: str = Field(description="weekly or monthly.", max_length=20)
    first_due_date: date
    default_policy: DefaultPolicy = "wait"
    wait_days: int = Field(14, ge=0, le=60)
    file: Annotated[str, Field(min_length=1, max_length=FILE_BYTES_MAX * 4 // 3 + 4)]

    @field_validator("file")
    @classmethod
    def _is_base64(cls, text: str) -> str:
        try:
            base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("is not base64") from None
        return text


class TurnInvitation(Answer):
    """The code of one person of an imported circle, for their turn and their address alone."""

    turn: int
    code: str
    expires_at: datetime
    mail: MailState


class ImportedGroup(Group):
    """The circle as it recruits, with a code for each of its people but the organiser."""

    invitations: list[TurnInvitation]
