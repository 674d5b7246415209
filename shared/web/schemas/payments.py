"""Payment methods, and what a person owes and paid."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from shared.domain.words import AttemptState, ContributionState, MethodKind
from shared.web.schemas.common import Amount, Answer, Currency, Id, Input, PageRequest, ReturnUrl


class NewSetup(Input):
    """Which kind of payment method is set up, and where the browser goes afterwards."""

    kind: MethodKind
    return_url: ReturnUrl


class Setup(Answer):
    """A set-up that the person finishes at the payment company: in an app, or at `url`."""

    setup: str
    client_secret: str | None
    url: str | None


class NewMethod(Input):
    """A payment method that the client tokenised with the payment company. Never card numbers."""

    method: Annotated[str, Field(pattern=r"^pm_[A-Za-z0-9_]{1,120}$")]


class PaymentMethod(Answer):
    """A payment method, as far as a person needs to see it to know which one it is."""

    id: str
    kind: MethodKind
    state: Literal["pending", "active", "inactive"]
    hint: str
    expires: str | None = None
    is_default: bool


class PaymentMethods(Answer):
    """All payment methods of one person."""

    items: list[PaymentMethod]


class ContributionsRequest(PageRequest):
    """Which of one's own contributions: of all groups, or of one."""

    group: Id | None = None


class Attempt(Answer):
    """The latest try at collecting. `action_url` is where the person authenticates it."""

    id: str
    state: AttemptState
    action_url: str | None = None
    failure: str | None = None


class Contribution(Answer):
    """What one owes for one cycle. `timing` reads the due date against today."""

    id: Id
    group: Id
    cycle: int
    amount_pence: Amount
    added_fee_pence: Amount = Field(description="The agreed fee on top, taken with it, once.")
    paid_pence: Amount
    currency: Currency
    due_date: date
    collect_pence: Amount | None = Field(
        default=None,
        description="What was noticed, fee included: at least 30 pence; what is more than owed is credit.",
    )
    collect_on: date | None = None
    state: ContributionState
    timing: Literal["upcoming", "due", "late", "missed", "frozen", "done"]
    attempt: Attempt | None = None
    clears_at: datetime | None = None


class PayContribution(Input):
    """Which group's contribution is paid now."""

    group: Id
