"""Receipts: for a contribution that was paid, and for a payout that was sent."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from shared.web.schemas.common import Amount, Answer, Currency, Id, Input


class ReceiptRequest(Input):
    """How the receipt is written."""

    format: Literal["json", "pdf"] = "json"


class ReceiptLine(Answer):
    """One payment, or one part of a payout. `reference` names it at the payment company."""

    at: datetime
    description: str
    reference: str | None
    state: str
    clears_at: datetime | None
    amount_pence: int
    returned_pence: Amount


class Receipt(Answer):
    """What was paid, or paid out; `dated` is when its money last moved."""

    reference: Id
    kind: Literal["contribution", "turn", "top_up", "return"]
    about: Id
    group: Id
    group_name: str
    member: Id
    cycle: int
    cycles: int
    currency: Currency
    dated: datetime
    due_date: date
    received_at: datetime | None
    state: str
    amount_pence: Amount
    total_pence: Amount
    fee_pence: Amount
    lines: list[ReceiptLine]
