"""Receipts as sheets: what the API's JSON says, for people to keep."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
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
        ("Due", _written(date.fromisoformat(receipt["due_date"]))),
        ("State", STATES[receipt["state"]] + (f" on {_day(arrived)}" if arrived else "")),
    ]
    rows = [row for line in receipt["lines"] for row in _rows(line)]
    if receipt["kind"] == "contribution" or receipt["lines"][-1]["amount_pence"] != receipt["total_pence"]:
        rows.append([None, "In all", None, receipt["total_pence"]])  # else the last line is what came of all
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
        rows=rows,
        sums=[len(rows) - 1],
        below=[_fee_words(receipt["kind"], receipt["fee_pence"])],
    )


def _fee_words(kind: str, fee_pence: int) -> str:
    if not fee_pence:
        return "No fee was taken from you: the payment company's is borne by the platform."
    if kind == "contribution":
        return f"In this is the agreed fee of {pounds(fee_pence)} on top of the contribution."
    return f"The platform's fee of {pounds(fee_pence)} was kept from the pot."


def _rows(line: Mapping[str, Any]) -> list[list[Any]]:
    """A payment or a part of a payout; what went back of it is a row of its own."""
    day, returned_pence = _day(line["at"]), line["returned_pence"]
    rows = [[day, line["description"], line["reference"], line["amount_pence"]]]
    if returned_pence:
        how = "Given back to you" if line["state"] in {"settled", "refunded"} else "Taken back by your bank"
        rows.append([None, how, line["reference"], -returned_pence])
    return rows


def _day(moment: str) -> str:
    return _written(london_day(datetime.fromisoformat(moment)))


def _written(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
