"""A circle's books: statements, the audit chain, and who of staff looked into them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field, model_validator

from shared.web.schemas.common import Amount, Answer, Currency, Id, Input


class Period(Input):
    """From which day to which, London days, both counted; and how the statement is written."""

    since: date | None = None
    until: date | None = None
    format: Literal["json", "csv", "pdf"] = "json"

    @model_validator(mode="after")
    def _runs_forward(self) -> Period:
        if self.since is not None and self.until is not None and self.until < self.since:
            raise ValueError("until is before since")
        return self


class MemberPeriod(Period):
    """`member` is for staff, who read another's statement with an Access-Reason."""

    member: Id | None = None


class Position(Answer):
    """Where a member stands. `balance_pence` is what they paid in, less what they received."""

    paid_in_pence: int
    received_pence: int
    fees_pence: int = Field(description="The platform's: on top of what was paid in, or from the pot.")
    balance_pence: int
    credit_pence: int
    owes_pence: int
    is_owed_pence: int


class StatementLine(Answer):
    """One movement: what it changed, and the balance after it. Negative where money went back."""

    at: datetime
    fact: str
    description: str
    cycle: int | None = None
    paid_in_pence: int
    received_pence: int
    fees_pence: int
    credit_pence: int
    owes_pence: int
    is_owed_pence: int
    balance_pence: int


class Statement(Answer):
    """One member's statement: opening balance, every movement, closing balance; with the period's sums."""

    group: Id
    name: str
    uid: Id
    currency: Currency
    since: date | None = None
    until: date | None = None
    opening: Position
    lines: list[StatementLine]
    closing: Position
    paid_in_pence: int
    received_pence: int
    owes_pence: Amount
    audit_seq: int = Field(description="How far the circle's audit chain reached, and its hash there.")
    audit_hash: str


class LedgerEntry(Answer):
    """One side of a posting."""

    account: str
    side: Literal["debit", "credit"]
    pence: Amount


class Posting(Answer):
    """One fact that moved money or claims."""

    at: datetime
    fact: str
    description: str
    cycle: int | None = None
    entries: list[LedgerEntry]


class GroupStatement(Answer):
    """A circle's statement: every account before, every posting, every account after."""

    group: Id
    name: str
    currency: Currency
    since: date | None = None
    until: date | None = None
    opening: dict[str, int]
    lines: list[Posting]
    closing: dict[str, int]
    audit_seq: int
    audit_hash: str


class AuditRequest(Input):
    """`json` verifies the chain; `jsonl` exports it, one fact a line, for whoever verifies it themselves."""

    format: Literal["json", "jsonl"] = "json"


class AuditFault(Answer):
    """Something that is not as it was sealed; `seq` is null for the balances."""

    seq: int | None = None
    what: str


class AuditReport(Answer):
    """How a circle's audit chain stands by itself."""

    group: Id
    audit: Literal["verified", "broken"]
    sealed: int
    unsealed: int
    head: str
    first_bad_seq: int | None = None
    faults: list[AuditFault]


class AccessEntry(Answer):
    """One look of staff: `about` is the circle's id, or the uid of the person whose data was looked at."""

    id: Id
    at: datetime
    staff: Id
    action: str
    about: Id
    reason: str
