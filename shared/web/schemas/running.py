"""A running circle: places, progress, leaving, hardship, and what needs the consent of several."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from shared.domain.words import ApprovalKind, ApprovalState, MembershipState, OrderMethod
from shared.web.schemas.common import Amount, Answer, Currency, Id, Input


class Ranking(Input):
    """The cycles by number, the most wanted first; each once."""

    ranking: list[Annotated[int, Field(ge=1, le=10)]] = Field(min_length=5, max_length=10)


class NewOrder(Input):
    """The members by their turns; each once."""

    order: list[Id] = Field(min_length=5, max_length=10)


class Place(Answer):
    """The reader's own place in the order, and the reason for it."""

    group: Id
    uid: Id
    order_method: OrderMethod
    position: int | None = None
    because: str | None = None
    ranking: list[int]


class Progress(Answer):
    """How far the open cycle is. `paid_by` is null where the group shows counts alone."""

    group: Id
    cycle: int | None = None
    due_date: date | None = None
    payout_date: date | None = None
    members: int
    members_paid: int
    in_pot_pence: Amount
    currency: Currency
    paid_by: list[Id] | None = None


class OpenDebt(Answer):
    """Something the reader owes: to a member, or to 'reserve' or 'house'."""

    creditor: Id
    cycle: int
    due_date: date
    left_pence: Amount


class LateMark(Answer):
    """A contribution that was not paid in time; forgotten from `ages_off_on` on."""

    cycle: int
    kind: Literal["late", "missed"]
    due_date: date
    ages_off_on: date


class Standing(Answer):
    """Where the reader stands in one circle."""

    group: Id
    uid: Id
    owes_pence: Amount
    debts: list[OpenDebt]
    hardship_until: date | None = None
    marks: list[LateMark]
    currency: Currency


class Claim(Answer):
    """Who owes whom from now on, and when it is due."""

    debtor: Id
    creditor: Id
    pence: Amount
    due_date: date


class Left(Answer):
    """What a leaving came to. After one's own turn the promises that are left are owed."""

    group: Id
    uid: Id
    state: MembershipState
    after_turn: bool
    claims: list[Claim]


class TimeAsked(Input):
    """Until when nothing shall be taken."""

    until: date


class TimeGiven(Answer):
    """How many contributions are left alone, and until when."""

    group: Id
    uid: Id
    until: date
    frozen: int


class Instalment(Input):
    """A part of what is owed, and its day."""

    pence: int = Field(gt=0)
    due_date: date


_NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "swap": ("with_member",),
    "substitution": ("with_member",),
    "removal": ("about",),
    "plan": ("instalments",),
    "wind_up": (),
    "write_off": ("about", "creditor"),
    "payout": ("about",),
    "fee_change": ("fee_pence",),
    "refund": ("about", "pence", "reason"),
    "reversal": ("about", "pence", "reason"),
}
"""Besides the kind: what a request of that kind says, and nothing else."""


_OF_MONEY: Final = ("by_mistake", "fraud", "asked_for")
_REASONS: Final[dict[str, tuple[str, ...]]] = {
    "removal": ("removed", "died", "vulnerable"),
    "refund": _OF_MONEY,
    "reversal": _OF_MONEY,
}


class NewApproval(Input):
    """A request that others must consent to; which fields it has depends on its kind.

    swap: `with_member`. substitution: `with_member`, who takes the asker's place. removal: `about` a member,
    `reason`. plan: `instalments` of all that the asker owes. wind_up: none. write_off: `about` the debtor,
    `creditor` (the asker; staff: 'house' or 'reserve'). payout: `about` the payout. fee_change: `fee_pence`.
    refund: `about` the contribution, `pence`, `reason`; reversal: `about` the payout, `pence`, `reason`.
    """

    kind: ApprovalKind
    about: Id | None = None
    with_member: Id | None = None
    creditor: Id | None = None
    reason: Literal["removed", "died", "vulnerable", "by_mistake", "fraud", "asked_for"] | None = None
    pence: int | None = Field(None, gt=0)
    instalments: list[Instalment] | None = Field(None, min_length=1, max_length=60)
    fee_pence: int | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _fits_its_kind(self) -> NewApproval:
        given = {name for name, value in self if value is not None} - {"kind"}
        needed = set(_NEEDS[self.kind])
        optional = {"reason"} if self.kind == "removal" else set()
        if not needed <= given <= needed | optional:
            raise ValueError(
                f"a {self.kind} has the fields: {', '.join(sorted(needed | optional)) or 'none'}"
            )
        if self.reason is not None and self.reason not in _REASONS[self.kind]:
            raise ValueError(f"a {self.kind} has one of the reasons: {', '.join(_REASONS[self.kind])}")
        return self

    def payload(self) -> dict[str, object]:
        """The request as the use case takes it."""
        parts = [part.model_dump(mode="json") for part in self.instalments or ()]
        found = {
            "about": self.about,
            "other": self.with_member or self.creditor,
            "reason": self.reason,
            "instalments": parts or None,
            "fee_pence": self.fee_pence,
            "pence": self.pence,
        }
        return {name: value for name, value in found.items() if value is not None}


class NeededConsent(Answer):
    """One consent that is needed: from a person by id, or from 'steering', 'another' or 'staff'."""

    from_: str = Field(alias="from")
    given_by: Id | None = None


class Approval(Answer):
    """A request that others must consent to, and how far it is."""

    id: Id
    group: Id
    kind: ApprovalKind
    about: Id
    other: str | None = None
    reason: str | None = None
    state: ApprovalState
    asked_by: Id
    asked_at: datetime
    expires_at: datetime
    consents: list[NeededConsent]


class ConsentGiven(Input):
    """Consent. A substitute also sends the hash of the agreement that they have read."""

    agreement_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
