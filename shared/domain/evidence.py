"""Evidence: what staff were shown of a household's month, by whom it was seen, and how far it carries.

A person's own word is a statement; it becomes documented, or open banking, where somebody here has seen what
bears it out (FCA CONC 5.2A.15 to 5.2A.17: not on the customer's word alone). Evidence is of one thing, the
latest of it counts, and it carries a statement only as far as what was shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from shared.domain.documents import Document, Ref, Value
from shared.domain.financial_statement import MONTHLY_PENCE_MAX, Evidence, Statement
from shared.domain.fraud import IncomeSeen

VALID_FOR: Final = timedelta(days=180)
"""As an assessment: payslips older than half a year say little about next month."""

KEPT_MAX: Final = 100

About = Literal["income", "costs", "savings"]

DocumentKind = Literal[
    "payslip",
    "award_letter",
    "pension_letter",
    "tax_return",
    "bill",
    "tenancy_agreement",
    "bank_statement",
    "savings_statement",
    "open_banking",
    "nothing",
]
"""`nothing`: it was asked for and could not be shown, or was wrong: what stood before has ended."""


class Seen(Value):
    """One thing that somebody of staff has seen. `shown_pence`: a month; of savings, in all."""

    about: About
    document: DocumentKind
    shown_pence: Annotated[int, Field(strict=True, ge=0, le=12 * MONTHLY_PENCE_MAX)]
    seen_by: str
    seen_at: AwareDatetime

    @property
    def level(self) -> Evidence:
        if self.document == "nothing":
            return Evidence.STATED
        return Evidence.OPEN_BANKING if self.document == "open_banking" else Evidence.DOCUMENTED

    @property
    def expires_at(self) -> datetime:
        return self.seen_at + VALID_FOR


class EvidenceFile(Document):
    """evidence/{uid}: what was seen of a person, oldest first, as one sealed text."""

    uid: str
    sealed: str

    @property
    def path(self) -> str:
        return evidence_ref(self.uid).path


def evidence_ref(uid: str) -> Ref[EvidenceFile]:
    return Ref(EvidenceFile, f"evidence/{uid}")


def in_force(seen: Iterable[Seen], at: datetime) -> dict[About, Seen]:
    """The latest of each, as long as it has not expired."""
    latest: dict[About, Seen] = {}
    for one in sorted(seen, key=lambda one: one.seen_at):
        latest[one.about] = one
    return {about: one for about, one in latest.items() if at < one.expires_at and one.document != "nothing"}


def with_evidence(statement: Statement, seen: Sequence[Seen], at: datetime) -> Statement:
    """The statement with each level that evidence in force bears out: income and savings up to what was
    shown, costs from what was shown on. What goes beyond it stays the person's word."""
    found = in_force(seen, at)
    stated: dict[About, int] = {
        "income": sum(line.monthly_pence for line in statement.income),
        "costs": sum(line.monthly_pence for line in (*statement.fixed_costs, *statement.flexible_costs)),
        "savings": statement.savings_pence,
    }
    levels: dict[str, Evidence] = {}
    for about, pence in stated.items():
        one = found.get(about)
        borne_out = one is not None and (
            pence >= one.shown_pence if about == "costs" else pence <= one.shown_pence
        )
        levels[f"{about}_evidence"] = one.level if one is not None and borne_out else Evidence.STATED
    return statement.with_(**levels)


def income_seen(person: str, statement: Statement, seen: Sequence[Seen], at: datetime) -> list[IncomeSeen]:
    """For the fraud checks: what is stated against what was shown."""
    shown = in_force(seen, at).get("income")
    if shown is None:
        return []
    stated_pence = sum(line.monthly_pence for line in statement.income)
    return [IncomeSeen(person=person, at=at, stated_pence=stated_pence, shown_pence=shown.shown_pence)]
