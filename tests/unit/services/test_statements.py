"""Statements: opening and closing balance, every movement, and totals that are the ledger's own."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
import pytest
from pypdf import PdfReader

from shared.domain.errors import NoSuchThing, NotAllowed, ReasonMissing
from shared.domain.ledger import FEES_PAID, HOUSE, Balances
from shared.domain.permissions import Role
from shared.domain.statements import change_of, group_statement, member_statement, moved_by
from shared.services import read_group, seal_facts, statements
from shared.services.context import Reader
from shared.web import sheets, statement_sheets
from shared.web.sheets import Column, Sheet
from tests.builders import Circle
from tests.worked_examples.page import Page

WHY = "The member asked us to look."


@pytest.fixture(name="story", scope="module")
def _story() -> Page:
    """Two cycles with all that a statement can show: a shortfall, late money, a dispute after the payout."""
    story = Page("pay_cleared")
    story.bank_refuses("E", times=4)
    story.paid_out(1, days_more=5)
    story.pays("E", 1)
    story.disputes("B", 1)
    story.paid_out(2)
    story.world.clock.moment += timedelta(minutes=1)
    seal_facts.seal_facts(story.world.ctx, story.world.command("system:relay"))
    return story


def statement(story: Page, uid: str, since: Any = None, until: Any = None) -> dict[str, Any]:
    return statements.of_member(story.world.ctx, Reader(uid), story.circle.id, uid, since, until)


def everyone(circle: Circle) -> list[str]:
    return [seat.uid for seat in circle.group.seated()]


def test_totals_equal_the_ledger(story: Page) -> None:
    circle, stand = story.circle, story.circle.balances()
    closing = {uid: member_statement(circle.facts(), uid, None, None).closing for uid in everyone(circle)}
    for uid, position in closing.items():
        assert position.owes_pence == stand.get(f"debt:{uid}", 0) == circle.member(uid).owes_pence()
        assert position.is_owed_pence == stand.get(f"owed:{uid}", 0)
        assert position.credit_pence == stand.get(f"credit:{uid}", 0)
    # What people put in beyond what they got out is the cash, less what the house has put into it.
    assert sum(one.balance_pence for one in closing.values()) == (
        sum(pence for account, pence in stand.items() if account.startswith("cash"))
        - (stand[HOUSE] - stand[FEES_PAID])
    )


def test_each_fact_moves_one_persons_money_or_nobodys(story: Page) -> None:

    for fact in story.circle.facts():
        moved = moved_by(Balances().after(fact.entries))
        told = sum(
            change.paid_in_pence - change.received_pence
            for change in (change_of(fact, uid) for uid in everyone(story.circle))
        )
        assert told == moved, fact.type


def test_a_period_begins_where_the_one_before_it_ended(story: Page) -> None:
    facts = story.circle.facts()
    cut = story.circle.pays_out(1)
    for uid in everyone(story.circle):
        whole = member_statement(facts, uid, None, None)
        first = member_statement(facts, uid, None, cut)
        second = member_statement(facts, uid, cut + timedelta(days=1), None)
        assert second.opening == first.closing
        assert second.closing == whole.closing
        assert [*first.movements, *second.movements] == list(whole.movements)
        assert second.opening.plus(second.change) == second.closing
    first_half = group_statement(facts, None, cut)
    second_half = group_statement(facts, cut + timedelta(days=1), None)
    assert second_half.opening == first_half.closing
    closing = second_half.closing
    assert {one: closing.of(one) for one in closing.accounts() if closing.of(one)} == story.circle.balances()


def test_a_statement_names_every_movement(story: Page) -> None:
    lines = [
        (line["description"], line["paid_in_pence"], line["owes_pence"])
        for line in statement(story, story.uid["B"])["lines"]
    ]
    assert ("Contribution to cycle 1", 10_000, 0) in lines
    assert ("Taken back by the bank, cycle 1", -10_000, 10_000) in lines
    found = statement(story, story.uid["A"])
    assert found["received_pence"] == 50_000  # 400 at the turn, and the late 100
    assert found["audit_seq"] == len([fact for fact in story.circle.facts() if fact.sealed])


def test_claims_read_as_they_are_meant_to_each() -> None:
    """Where no money moved for a member, the line says what it means to them, not what the fact is called."""
    page = Page()
    page.bank_refuses("E", 4)
    page.paid_out(2, days_more=3)
    page.leaves("D")
    page.to_the_end()

    def lines(letter: str) -> list[str]:
        uid = page.uid[letter]
        found = statements.of_member(page.world.ctx, Reader(uid), page.circle.id, uid, None, None)
        return [str(line["description"]) for line in found["lines"]]

    assert lines("A") == [
        "Contribution to cycle 1",
        "Missing from your pot of cycle 1: owed to you",
        "Pot of cycle 1",
        "Contribution to cycle 2",
        "A member left: what you had of them is owed",
        "Contribution to cycle 3",
        "Contribution to cycle 4, for what you owed",
        "Contribution to cycle 5",
        "Kept for you from the pot of cycle 5",
        "What had been missing, cycle 1",
    ]
    assert {
        "Not paid into the pot of cycle 1: you owe it",
        "Kept from your pot of cycle 5, for what you owed",
    } <= set(lines("E"))
    assert "You left: what others had of you is owed to you" in lines("D")
    assert "Paid for cycle 4, on its way to you" in lines("D")


def test_who_reads_whose(story: Page) -> None:
    ctx, gid = story.world.ctx, story.circle.id

    def read(reader: Reader, about: str = story.uid["A"]) -> Any:
        return statements.of_member(ctx, reader, gid, about, None, None)

    with pytest.raises(NotAllowed):
        read(Reader(story.uid["E"]))
    with pytest.raises(NoSuchThing):
        read(Reader("a stranger"))
    finance = Reader("flo", "req_1", frozenset({Role.FINANCE}), None)
    with pytest.raises(ReasonMissing):
        read(finance)
    with pytest.raises(NotAllowed):
        read(Reader("sue", "req_2", frozenset({Role.SUPPORT}), WHY))
    assert read(Reader("flo", "req_3", frozenset({Role.FINANCE}), WHY))["uid"] == story.uid["A"]
    (access,) = [one for one in story.world.documents("access") if one["request_id"] == "req_3"]
    assert (access["staff"], access["about"], access["action"]) == ("flo", story.uid["A"], "read_statement")
    member = next(uid for uid in everyone(story.circle) if uid != story.circle.group.organiser)
    with pytest.raises(NotAllowed):
        statements.of_group(ctx, Reader(member), gid, None, None)
    assert statements.of_group(ctx, Reader(story.circle.group.organiser), gid, None, None)["lines"]


# --- files --------------------------------------------------------------------------------------------------


def test_the_pdf_is_the_same_byte_for_byte_and_says_what_the_json_says(story: Page) -> None:
    sheet = statement_sheets.member_sheet(statement(story, story.uid["B"]), "Ọláolúwa Adé")
    first = sheets.as_pdf(sheet)
    assert first == sheets.as_pdf(sheet)
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(first)).pages)
    for words in (
        "Ọláolúwa Adé",
        "Opening balance",
        "Taken back by the bank, cycle 1",
        "-£100.00",
        "Closing",
    ):
        assert words in text


def test_the_csv_is_safe_to_open_in_a_spreadsheet() -> None:
    names = ["=HYPERLINK(1)", "+1", "-1", "@sum", "\tx", "plain", "a, b\n"]
    columns = [Column("Name"), Column("Amount", "pence")]
    rows: list[list[str | int | None]] = [[name, -1_234] for name in names]
    text = sheets.as_csv(Sheet("t", date_of(), [], columns, rows)).decode("utf-8-sig")
    found = list(csv.reader(io.StringIO(text, newline="")))
    assert [row[0] for row in found[1:]] == [
        "'=HYPERLINK(1)",
        "'+1",
        "'-1",
        "'@sum",
        "'\tx",
        "plain",
        "a, b\n",
    ]
    assert {row[1] for row in found[1:]} == {"-12.34"}


def test_the_csv_sums_to_the_closing_balance(story: Page) -> None:
    sheet = statement_sheets.member_sheet(statement(story, story.uid["B"]), story.uid["B"])
    rows = list(csv.DictReader(io.StringIO(sheets.as_csv(sheet).decode("utf-8-sig"), newline="")))
    lines = [row for row in rows if row["Date"]]
    paid = sum(float(row["Paid in"] or 0) for row in lines)
    assert f"{paid:.2f}" == rows[-1]["Paid in"]


def test_a_circles_books_list_every_entry(story: Page) -> None:
    ctx, organiser = story.world.ctx, story.circle.group.organiser
    found = statements.of_group(ctx, Reader(organiser), story.circle.id, None, None)
    sheet = statement_sheets.group_sheet(found, {story.uid["B"]: "Zoë =1+1"})
    entries = sum(len(fact.entries) for fact in story.circle.facts())
    assert len([row for row in sheet.rows if row[0]]) == entries
    assert "debt: Zoë =1+1" in {row[2] for row in sheet.rows}
    assert sheets.as_pdf(sheet).startswith(b"%PDF")


def test_the_schedule_as_a_calendar(story: Page) -> None:
    reader = Reader(story.uid["A"])
    group = read_group.group(story.world.ctx, reader, story.circle.id)
    schedule = read_group.schedule(story.world.ctx, reader, story.circle.id)
    text = statement_sheets.schedule_calendar(group, schedule, story.uid["A"])
    assert text == statement_sheets.schedule_calendar(group, schedule, story.uid["A"])
    events = icalendar.Calendar.from_ical(text).walk("VEVENT")
    assert len({str(event["UID"]) for event in events}) == len(events) == 10
    days = {event.decoded("dtstart") for event in events}
    assert {date.fromisoformat(cycle["due_date"]) for cycle in schedule["cycles"]} <= days
    assert [str(one["SUMMARY"]) for one in events if "your pot" in str(one["SUMMARY"])] == [
        "Test circle, cycle 1: your pot is paid out"
    ]


def date_of() -> datetime:

    return datetime(2026, 11, 24, tzinfo=UTC)
