"""Bringing a running circle here: its file, checked whole; and its past, entered when all have attested it.

The file is a CSV with a row for each member:

    email,turn,paid_1,paid_2,received
    ada@example.com,1,100,100,500
    ben@example.com,2,100,100,450

`paid_n` is what they paid in cycle n, in pounds, for each cycle that is done; `received` is what they got,
if their turn is over. No money of the past was ever held here, so none enters the members' book: what is
entered is what is still owed (infra/decisions/0014-an-imported-past-enters-as-claims.md).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from shared.domain import ledger
from shared.domain.contributions import Contribution
from shared.domain.documents import Document
from shared.domain.errors import ImportRefused
from shared.domain.groups import SIZE_MAX, SIZE_MIN, Cycle, Group, PastTurn
from shared.domain.ids import contribution_id, payout_id, shard_of
from shared.domain.journal import News
from shared.domain.ledger import Rows
from shared.domain.members import Member
from shared.domain.payouts import Counted, Payout
from shared.domain.record import record
from shared.domain.shortfalls import new_debt, with_debts
from shared.domain.words import FILE_BYTES_MAX, ContributionState

ERRORS_MAX: Final = 50
"""Nobody mends more at once."""

BROUGHT: Final = "brought_in"
"""The cause of a payout that was made before the circle came here: by nobody that we know of."""

_FORMULA: Final = re.compile(r"^\s*[=+\-@]")
_EMAIL: Final = re.compile(r"^[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]{1,190}\.[^@\s.]{2,24}$")
_POUNDS: Final = re.compile(r"^£?([0-9]{1,7}|[0-9]{1,3}(?:,[0-9]{3}){1,2})(?:\.([0-9]{1,2}))?$")
_PAID: Final = re.compile(r"^paid_([1-9])$")


@record
class Row:
    """One member of the file."""

    email: str
    turn: int
    paid_pence: list[int]
    received_pence: int


class _Faults:
    """What is wrong with a file, by row; raised all at once, before anything is written."""

    def __init__(self) -> None:
        self.errors: list[dict[str, str]] = []

    def add(self, where: str, code: str, message: str) -> None:
        self.errors.append({"field": where, "code": code, "message": message})

    def check(self) -> None:
        if self.errors:
            raise ImportRefused(errors=self.errors[:ERRORS_MAX])


def read_file(content: bytes, amount_pence: int) -> list[Row]:
    """The members of a file, by their turns. Raises ImportRefused with every fault, by row and column."""
    faults = _Faults()
    table = _table(_text(content, faults), faults)
    header, *body = table
    cycles_done = _cycles_done(header, faults)
    if not SIZE_MIN <= len(body) <= SIZE_MAX:
        faults.add("file", "wrong_size", f"has {len(body)} rows; a circle has 5 to 10 members")
    elif cycles_done >= len(body):
        faults.add("row 1", "nothing_left", "every cycle is done: there is nothing left to run")
    faults.check()
    rows = [_row(number, header, cells, cycles_done, amount_pence, faults) for number, cells in body]
    faults.check()
    read = [row for row in rows if row is not None]
    _check_together(read, [number for number, _ in body], faults)
    faults.check()
    return sorted(read, key=lambda row: row.turn)


def _text(content: bytes, faults: _Faults) -> str:
    if len(content) > FILE_BYTES_MAX:
        faults.add("file", "too_large", f"is larger than {FILE_BYTES_MAX} bytes")
    elif content.startswith((b"\xff\xfe", b"\xfe\xff")):
        faults.add("file", "wrong_encoding", "is UTF-16; save it as CSV in UTF-8")
    elif (lines := content.count(b"\n")) > 100:
        faults.add("file", "too_many_rows", f"has {lines} lines; a circle has 5 to 10 members")
    elif b"\x00" in content:
        faults.add("file", "wrong_encoding", "is no text; save it as CSV in UTF-8")
    faults.check()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        faults.add(f"row {row}", "wrong_encoding", "is not UTF-8; save the file as CSV in UTF-8")
    faults.check()
    return ""


def _table(text: str, faults: _Faults) -> list[Any]:
    """The header's cells, then (row number, cells) of every row that holds anything."""
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        faults.add("file", "not_csv", "is not CSV: a quotation mark is not closed, or a line breaks off")
        lines = []
    faults.check()
    if not lines:
        faults.add("file", "empty", "is empty")
        faults.check()
    header = [cell.strip().lower() for cell in lines[0]]
    body = [
        (number, [cell.strip() for cell in cells])
        for number, cells in enumerate(lines[1:], start=2)
        if any(cell.strip() for cell in cells)
    ]
    return [header, *body]


def _cycles_done(header: list[str], faults: _Faults) -> int:
    paid = sorted(int(found[1]) for name in header if (found := _PAID.match(name)))
    wanted = ["email", "turn", *(f"paid_{number}" for number in range(1, len(paid) + 1)), "received"]
    if not paid or sorted(header) != sorted(wanted):
        faults.add("row 1", "wrong_header", "must be email, turn, paid_1 (and so on, one a cycle), received")
    return len(paid)


def _row(
    number: int, header: list[str], cells: list[str], cycles_done: int, amount_pence: int, faults: _Faults
) -> Row | None:
    before = len(faults.errors)
    if len(cells) != len(header):
        faults.add(f"row {number}", "wrong_columns", f"has {len(cells)} cells, not {len(header)}")
        return None
    named = dict(zip(header, cells, strict=True))
    for name, cell in named.items():
        if _FORMULA.match(cell):
            faults.add(
                f"row {number}: {name}", "formula", "begins like a formula; only plain values are read"
            )
    if len(faults.errors) > before:
        return None
    if not _EMAIL.match(named["email"]):
        faults.add(f"row {number}: email", "not_an_email", "is not an e-mail address")
    turn = int(named["turn"]) if named["turn"].isascii() and named["turn"].isdecimal() else 0
    if not turn:
        faults.add(f"row {number}: turn", "not_a_turn", "is not a whole number from 1 on")
    paid = [
        _pence(f"row {number}: paid_{cycle}", named[f"paid_{cycle}"], amount_pence, faults)
        for cycle in range(1, cycles_done + 1)
    ]
    received = _pence(f"row {number}: received", named["received"] or "0", None, faults)
    if len(faults.errors) > before:
        return None
    return Row(named["email"].lower(), turn, paid, received)


def _pence(where: str, cell: str, most_pence: int | None, faults: _Faults) -> int:
    """Pounds as people write them: 100, 100.00, £100, 1,000.50."""
    found = _POUNDS.match(cell)
    if found is None:
        faults.add(where, "not_an_amount", "is not an amount in pounds")
        return 0
    pence = int(found[1].replace(",", "")) * 100 + int((found[2] or "").ljust(2, "0"))
    if most_pence is not None and pence > most_pence:
        faults.add(where, "too_much", "is more than a contribution; enter what was paid for this cycle alone")
    return pence


def _check_together(rows: Sequence[Row], numbers: Sequence[int], faults: _Faults) -> None:
    """What no row can tell by itself: each turn and address once, each pot what was paid into it."""
    turns: dict[int, int] = {}
    emails: dict[str, int] = {}
    cycles_done = len(rows[0].paid_pence)
    for number, row in zip(numbers, rows, strict=True):
        if row.turn > len(rows):
            faults.add(f"row {number}: turn", "not_a_turn", f"is beyond the {len(rows)} turns")
        elif row.turn in turns:
            faults.add(f"row {number}: turn", "turn_taken", f"is that of row {turns[row.turn]}, too")
        if row.email in emails:
            faults.add(f"row {number}: email", "email_taken", f"is that of row {emails[row.email]}, too")
        turns.setdefault(row.turn, number)
        emails.setdefault(row.email, number)
        pot = sum(one.paid_pence[row.turn - 1] for one in rows) if row.turn <= cycles_done else 0
        if row.received_pence != pot:
            what = f"£{pot / 100:.2f} was paid into cycle {row.turn}" if pot else "this turn is still to come"
            faults.add(f"row {number}: received", "wrong_pot", f"does not match: {what}")


# --- the past, entered at the lock --------------------------------------------------------------------------


def past_of(rows: Sequence[Row]) -> list[PastTurn]:
    """What of a file stands in the group, for its members to attest: no address."""
    return [
        PastTurn(turn=row.turn, paid_pence=row.paid_pence, received_pence=row.received_pence) for row in rows
    ]


def brought_order(group: Group) -> tuple[list[str], dict[str, str]]:
    """The order that an imported circle came with. Everybody who joined has one of its turns."""
    seats = sorted(group.seated(), key=lambda seat: seat.brought_turn or 0)
    reason = "the place that you had before the circle came here"
    return [seat.uid for seat in seats], {seat.uid: reason for seat in seats}


@dataclass
class Past:
    """An imported past, as the lock enters it."""

    members: list[Member]
    facts: list[News] = field(default_factory=list)
    created: list[Document] = field(default_factory=list)


def bring_in(locked: Group, members: list[Member]) -> Past:
    """The past of a locked circle: nothing where it was not imported.

    One fact, whose entries are the claims that are still open; each contribution and payout of the past as it
    was attested, so that leaving, statements and arrears find them where they look.
    """
    if not locked.past:
        return Past(members)
    by_turn = {seat.brought_turn: seat.uid for seat in locked.seated()}
    paid = {by_turn[one.turn]: one.paid_pence for one in locked.past}
    done = Past(members)
    rows: Rows = []
    claims: list[dict[str, Any]] = []
    debtors = {member.uid: member for member in members}
    for cycle in locked.schedule[: locked.terms.cycles_done]:
        recipient = cycle.recipient or ""
        in_pot = {uid: amounts[cycle.number - 1] for uid, amounts in paid.items()}
        done.created.append(_paid_out(locked, cycle, in_pot))
        for uid, pence in in_pot.items():
            missing_pence = locked.terms.amount_pence - pence
            owes = bool(missing_pence) and uid != recipient
            done.created.append(_contributed(locked, cycle, uid, pence, owes=owes))
            if not owes:
                continue
            own_id = contribution_id(locked.id, cycle.number, uid)
            debt = new_debt(own_id, BROUGHT, recipient, cycle.number, cycle.due_date, missing_pence)
            debtors[uid] = with_debts(debtors[uid], [debt])
            rows += ledger.shortfall(uid, recipient, missing_pence)
            claims.append(
                {"debtor": uid, "creditor": recipient, "cycle": cycle.number, "pence": missing_pence}
            )
    done.members = [debtors[member.uid] for member in members]
    payload = {"cycles_done": locked.terms.cycles_done, "paid_pence": paid, "claims": claims}
    done.facts.append(
        News(
            id="circle_brought_in",
            group=locked.id,
            type="circle_brought_in",
            payload=payload,
            entries=ledger.post(rows),
        )
    )
    return done


def _paid_out(locked: Group, cycle: Cycle, in_pot: dict[str, int]) -> Payout:
    own_id = payout_id(locked.id, cycle.number, 1)
    return Payout(
        id=own_id,
        shard=shard_of(own_id),
        group=locked.id,
        kind="turn",
        cycle=cycle.number,
        recipient=cycle.recipient or "",
        state="received",
        amount_pence=sum(in_pot.values()),
        pay_date=cycle.payout_date,
        act_at=None,
        cause=BROUGHT,
        counted=[
            Counted(contribution=contribution_id(locked.id, cycle.number, uid), uid=uid, pence=pence)
            for uid, pence in in_pot.items()
            if pence
        ],
    )


def _contributed(locked: Group, cycle: Cycle, uid: str, pence: int, *, owes: bool) -> Contribution:
    own_id = contribution_id(locked.id, cycle.number, uid)
    full = pence == locked.terms.amount_pence
    state: ContributionState = "covered" if full else "short" if owes else "waived"
    return Contribution(
        id=own_id,
        shard=shard_of(own_id),
        group=locked.id,
        cycle=cycle.number,
        uid=uid,
        recipient=cycle.recipient or "",
        amount_pence=locked.terms.amount_pence,
        due_date=cycle.due_date,
        state=state,
        in_pot_pence=pence,
        counted_in=payout_id(locked.id, cycle.number, 1),
        brought=True,
        act_at=locked.locked_at if owes else None,
    )
