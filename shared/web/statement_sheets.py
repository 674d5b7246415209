"""Statements as sheets, and a schedule as calendar entries: what the API's JSON says, for people to keep."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from shared.domain.calendar import london_day
from shared.domain.money import pounds
from shared.domain.record import record
from shared.web.sheets import Column, Sheet

_OPENING: Final = "Opening balance"
_CLOSING: Final = "Closing balance"


def member_sheet(statement: Mapping[str, Any], name: str) -> Sheet:
    """A member's statement. `name` is how the person is called."""
    opening, closing = statement["opening"], statement["closing"]
    rows = [
        [
            _day(line["at"]),
            line["description"],
            line["paid_in_pence"] or None,
            line["received_pence"] or None,
            line["fees_pence"] or None,
            line["balance_pence"],
            line["owes_pence"] or None,
            line["is_owed_pence"] or None,
        ]
        for line in statement["lines"]
    ]
    return Sheet(
        title=f"Statement: {statement['name']}",
        dated=_last_moment(statement),
        above=[("Member", name), *_frame(statement)],
        columns=[
            Column("Date", width=11),
            Column("Movement", width=42),
            Column("Paid in", "pence", 11),
            Column("Received", "pence", 11),
            Column("Fees", "pence", 8),
            Column("Balance", "pence", 12),
            Column("Owes", "pence", 11),
            Column("Is owed", "pence", 11),
        ],
        rows=[_balance_row(_OPENING, opening), *rows, _balance_row(_CLOSING, closing)],
        sums=[0, len(rows) + 1],
        below=[
            "Balance is what was paid in less what was received. Fees are the platform's: part of what was "
            "paid in, or kept from the pot. Owes and is owed are changes in each line, and the whole in the "
            "first and the last.",
            _audit(statement),
        ],
    )


def _balance_row(label: str, stand: Mapping[str, int]) -> list[str | int | None]:
    return [
        None,
        label,
        stand["paid_in_pence"],
        stand["received_pence"],
        stand["fees_pence"],
        stand["balance_pence"],
        stand["owes_pence"],
        stand["is_owed_pence"],
    ]


def group_sheet(statement: Mapping[str, Any], names: Mapping[str, str]) -> Sheet:
    """A circle's statement: its accounts at the start, every posting, its accounts at the end.

    `names` are those of its people: an account of theirs reads "debt: Ada".
    """
    rows: list[list[str | int | None]] = [
        [None, _OPENING, _account(account, names), None, pence]
        for account, pence in statement["opening"].items()
    ]
    for line in statement["lines"]:
        for entry in line["entries"]:
            debit = entry["pence"] if entry["side"] == "debit" else None
            credit = entry["pence"] if entry["side"] == "credit" else None
            rows.append(
                [_day(line["at"]), line["description"], _account(entry["account"], names), debit, credit]
            )
    rows += [
        [None, _CLOSING, _account(account, names), None, pence]
        for account, pence in statement["closing"].items()
    ]
    return Sheet(
        title=f"Books of {statement['name']}",
        dated=_last_moment(statement),
        above=_frame(statement),
        columns=[
            Column("Date", width=11),
            Column("Movement", width=30),
            Column("Account", width=36),
            Column("Debit", "pence", 13),
            Column("Credit or balance", "pence", 16),
        ],
        rows=rows,
        below=["Balances stand on the side on which their account grows.", _audit(statement)],
    )


def _account(account: str, names: Mapping[str, str]) -> str:
    kind, _, whose = account.partition(":")
    return f"{kind}: {names[whose]}" if whose in names else account


def _frame(statement: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Without an end the period reaches to the last line, not to the day of asking: who asks twice gets the
    same file."""
    since = statement["since"] or "the start"
    until = statement["until"] or (_day(statement["lines"][-1]["at"]) if statement["lines"] else "now")
    return [("Circle", statement["group"]), ("Period", f"{since} to {until}")]


def _audit(statement: Mapping[str, Any]) -> str:
    if not statement["audit_seq"]:
        return "Nothing of this is sealed into the circle's audit chain yet."
    return f"Audit chain at number {statement['audit_seq']}: {statement['audit_hash']}"


def _day(moment: str) -> str:
    return london_day(datetime.fromisoformat(moment)).isoformat()


def _last_moment(statement: Mapping[str, Any]) -> datetime:
    lines = statement["lines"]
    return datetime.fromisoformat(lines[-1]["at"]) if lines else datetime(2026, 1, 1, tzinfo=UTC)


@record
class _Entry:
    """One all-day entry of a calendar. `key` stays the same for as long as the entry is about the same."""

    key: str
    day: str
    summary: str
    description: str = ""
    takes_place: bool = True


def schedule_calendar(group: Mapping[str, Any], schedule: Mapping[str, Any], uid: str) -> bytes:
    """The cycles as all-day entries of an iCalendar file (RFC 5545): what one pays, when a pot is paid out.

    Their names stay the same, so that a calendar which reads the file again moves entries, and adds none.
    What takes place no more is named as cancelled: one that was left out would stay in a calendar.
    """
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("prodid", "-//Ajo//Schedule//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", group["name"])
    stamp = datetime.fromisoformat(group["locked_at"] or group["created_at"])
    for cycle in schedule["cycles"]:
        for entry in [*_payments(group, cycle), _pot(group, cycle, uid)]:
            calendar.add_component(_event(group, entry, stamp))
    return bytes(calendar.to_ical())


def _payments(group: Mapping[str, Any], cycle: Mapping[str, Any]) -> list[_Entry]:
    """What the reader pays for a cycle. The first of several keeps the name of the one that was agreed."""
    key, name = f"{cycle['cycle']}-due", f"{group['name']}, cycle {cycle['cycle']}"
    if not cycle["own_payments"]:
        nothing = "What you promised here fell away with a member who left."
        return [_Entry(key, cycle["due_date"], f"{name}: nothing is due", nothing, takes_place=False)]
    moved = f"Moved because of a {cycle['moved_because']}." if cycle["moved_because"] else ""
    several = len(cycle["own_payments"]) > 1
    return [
        _Entry(
            f"{key}-{number}" if number > 1 else key,
            payment["due_date"],
            f"{name}: {pounds(payment['amount_pence'])} is due" + (f", part {number}" if several else ""),
            moved if payment["due_date"] == cycle["due_date"] else "",
        )
        for number, payment in enumerate(cycle["own_payments"], start=1)
    ]


def _pot(group: Mapping[str, Any], cycle: Mapping[str, Any], uid: str) -> _Entry:
    key, name = f"{cycle['cycle']}-payout", f"{group['name']}, cycle {cycle['cycle']}"
    if cycle["payout_state"] == "void":
        summary = f"{name}: takes place no more"
        return _Entry(key, cycle["payout_date"], summary, "Its member left.", takes_place=False)
    whose = "your pot" if cycle["recipient"] == uid else "the pot"
    description = f"A full pot is {pounds(cycle['pot_pence'])}. It waits for money that has not cleared."
    return _Entry(key, cycle["payout_date"], f"{name}: {whose} is paid out", description)


def _event(group: Mapping[str, Any], entry: _Entry, stamp: datetime) -> Any:
    from icalendar import Event

    event = Event()
    event.add("uid", f"{group['id']}-{entry.key}@ajo")
    event.add("dtstamp", stamp)
    event.add("sequence", group["revision"])  # whoever has an older one takes this in its place
    event.add("status", "CONFIRMED" if entry.takes_place else "CANCELLED")
    day = date.fromisoformat(entry.day)
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    event.add("summary", entry.summary)
    event.add("transp", "TRANSPARENT")
    if entry.description:
        event.add("description", entry.description)
    return event
