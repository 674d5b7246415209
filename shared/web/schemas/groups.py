"""Circles: their terms, members, agreement, schedule, balances and statement."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from shared.domain.words import (
    DefaultPolicy,
    Frequency,
    GroupRole,
    GroupState,
    MembershipState,
    OrderMethod,
    PayoutState,
)
from shared.web.schemas.common import Amount, Answer, Currency, Id, Input, Name, normalised

Visibility = Literal["public", "invited"]
MailState = Literal["sent", "not_sent", "refused"]


Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{6,64}$")]
Purpose = Annotated[str, Field(max_length=200), AfterValidator(lambda text: text and normalised(text))]
Email = Annotated[str, Field(pattern=r"^[^@\s]{1,64}@[^@\s]{1,190}$", max_length=254)]


class GroupTerms(Input):
    """The terms of a circle. Amount, size, frequency and first date are judged by the rules, not here."""

    name: Name
    purpose: Purpose = ""
    amount_pence: int = Field(description="5000, 10000, 50000 or 80000.")
    currency: Currency = "gbp"
    frequency: str = Field(description="weekly or monthly.", max_length=20)
    members: int = Field(description="5 to 10, the organiser counted.")
    first_due_date: date
    order_method: OrderMethod = "random"
    default_policy: DefaultPolicy = "wait"
    wait_days: int = Field(14, ge=0, le=60)
    reserve_pence: int = Field(0, ge=0, le=50_000, description="Kept from each pot; returned at the end.")
    show_payers: Literal["names", "counts"] = "counts"
    visibility: Visibility = "invited"


class NewGroup(GroupTerms):
    """A new circle. As a draft it is its organiser's alone, and can be changed, until it is published."""

    draft: bool = False


class Terms(Answer):
    """What the members promise each other."""

    amount_pence: Amount
    currency: Currency
    frequency: Frequency
    members: int
    first_due_date: date
    order_method: OrderMethod
    default_policy: DefaultPolicy
    wait_days: int
    reserve_pence: Amount
    platform_fee_pence: Amount = Field(description="Kept from each pot.")
    added_fee_pence: Amount = Field(description="Taken on top of each contribution, once.")
    show_payers: Literal["names", "counts"]
    cycles_done: int = Field(description="Cycles that an imported circle had done before it came here.")


class GroupMember(Answer):
    """One place in the circle. `name` is what its holder wants to be called there, once they have said so."""

    uid: Id
    name: str | None = None
    state: MembershipState
    role: GroupRole
    position: int | None = None


class Group(Answer):
    """A circle, as one of its people sees it. `membership` is the reader's own."""

    id: Id
    name: str
    purpose: str
    state: GroupState
    terms: Terms
    visibility: Visibility
    organiser: Id
    members: list[GroupMember]
    membership: GroupMember | None = None
    draw_commitment: str = Field(description="sha256 of the seed of the draw, hex.")
    draw_seed: str | None = Field(None, description="The seed itself, once the group is locked, hex.")
    agreement_hash: str | None = None
    created_at: datetime
    locked_at: datetime | None = None
    revision: int


class GroupSummary(Answer):
    """A circle in the list of one's own."""

    id: Id
    name: str
    state: GroupState
    amount_pence: Amount
    currency: Currency
    frequency: Frequency
    members: int
    role: GroupRole
    membership_state: MembershipState


class NewInvitation(Input):
    """How long the code is good for; with `email`, for whom alone: they have their place at once.

    With `turn`, of an imported circle, in the place of the code that its file brought for that turn: for the
    file's address, and mailed there if it is told again.
    """

    email: Email | None = None
    turn: int | None = Field(None, ge=1, le=10)
    valid_days: int = Field(14, ge=1, le=30)


class Invitation(Answer):
    """A code that lets people in until it expires, and the link that holds it. Shown once.

    `mail` says what became of the e-mail to the address that it is for; the invitation stands in any case.
    `not_sent` may be sent again, with code and address: we keep neither.
    """

    id: str
    code: str
    link: str
    expires_at: datetime
    mail: MailState | None = None


class InvitationMail(Input):
    """An invitation's code, and the address that it was made for."""

    code: Code
    email: Email


class MailedInvitation(Answer):
    """What became of the e-mail."""

    id: str
    mail: MailState


class Join(Input):
    """A public group by its id, or any group by an invitation's code."""

    group: Id | None = None
    code: Code | None = None
    waiting_list: bool = Field(False, description="Wait for a place, where all are taken.")

    @model_validator(mode="after")
    def _names_a_group(self) -> Join:
        if self.group is None and self.code is None:
            raise ValueError("needs a group or a code")
        return self


class Membership(Answer):
    """A person's place in a group, after it changed."""

    group: Id
    uid: Id
    state: MembershipState
    role: GroupRole


class Agreement(Answer):
    """What every member accepts, word for word, and the hash by which they accept it."""

    text: str
    hash: str
    version: int


class Acceptance(Input):
    """The hash of the agreement that was read."""

    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Payment(Answer):
    """What one pays, and on which day; the fee on top included."""

    due_date: date
    amount_pence: Amount


class Cycle(Answer):
    """One round: when each member pays, and who receives.

    `pot_pence` is what comes together once everybody has paid who still pays into it. `own_payments` are the
    reader's own: none where a promise fell away, several by a plan.
    """

    cycle: int
    due_date: date
    payout_date: date
    moved_because: Literal["weekend", "bank holiday"] | None = None
    recipient: Id
    pot_pence: Amount
    payout_state: PayoutState | None = None
    own_payments: list[Payment]


class ScheduleRequest(Input):
    """`ics` is a calendar file, which calendars read again when it changes."""

    format: Literal["json", "ics"] = "json"


class Schedule(Answer):
    """The cycles of a locked circle, in order."""

    group: Id
    amount_pence: Amount
    currency: Currency
    cycles: list[Cycle]


class MemberBalance(Answer):
    """Where one member stands."""

    uid: Id
    paid_in_pence: int
    received_pence: int
    owes_pence: Amount
    is_owed_pence: Amount


class GroupBalances(Answer):
    """Where the circle's money stands; `accounts` are the ledger's, each on its own side."""

    group: Id
    currency: Currency
    accounts: dict[str, int]
    members: list[MemberBalance]
