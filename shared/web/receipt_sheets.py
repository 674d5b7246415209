"""Receipts as sheets: what the API's JSON says, for people to keep."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from shared.domain.calendar import london_day
from shared.domain.money import pounds
from shared.web.sheets import Column, Sheet

TITLES: Final = {"contribution": "Receipt for a contribution", "turn": "Receipt for a payout"}
STATES: Final = {
    "covered": "paid",
    "due": "due",
    "short": "paid in part, the rest is owed",
    "waived": "waived",
    "sent": "sent, on its way to your bank",
    "received": "received by your bank",
    "bank_failed": "sent back by your bank",
    "partly_reversed": "brought back in part",
    "reversed": "brought back",
}


def receipt_sheet(receipt: Mapping[str, Any], name: str) -> Sheet:
    """A receipt. `name` is how the person is called."""
    arrived = receipt["received_at"]
    above = [
        ("Reference", receipt["reference"]),
        ("Member", name),
        ("Circle", f"{receipt['group_name']} ({receipt['group']})"),
        ("Cycle", f"{receipt['cycle']} of {receipt['cycles']}"),
        ("Due", receipt["due_date"]),
        ("State", STATES[receipt["state"]] + (f" on {_day(arrived)}" if arrived else "")),
    ]
    rows = [
        [
            _day(line["at"]),
            line["description"],
            line["reference"],
            line["amount_pence"] - line["returned_pence"],
        ]
        for line in receipt["lines"]
    ]
    return Sheet(
        title=TITLES.get(receipt["kind"], "Receipt for a payout outside of a turn"),
        dated=datetime.fromisoformat(receipt["dated"]),
        above=above,
        columns=[
            Column("Date", width=11),
            Column("What", width=36),
            Column("At the payment company", width=32),
            Column("Amount", "pence", 14),
        ],
        rows=[*rows, [None, "In all", None, receipt["total_pence"]]],
        below=[_fee_words(receipt["kind"], receipt["fee_pence"])],
    )


def _fee_words(kind: str, fee_pence: int) -> str:
    if not fee_pence:
        return "No fee was taken from you: the payment company's is borne by the platform."
    if kind == "contribution":
        return f"In this is the agreed fee of {pounds(fee_pence)} on top of the contribution."
    return f"The platform's fee of {pounds(fee_pence)} was kept from the pot."


def _day(moment: str) -> str:
    return london_day(datetime.fromisoformat(moment)).isoformat()
