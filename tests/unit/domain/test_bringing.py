"""The file of an imported circle: read whole, or refused with every fault by row and column."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from shared.domain.bringing import read_file
from shared.domain.errors import GroupNotOpen, ImportRefused, InvitationForAnother
from shared.domain.groups import Terms, ask_to_join
from shared.services import import_circle, join_group
from tests.builders import World
from tests.worked_examples.test_brought_in import FILE, BroughtIn

HEADER = "email,turn,paid_1,paid_2,received"
ROWS = [
    "a@example.com,1,100,100,500",
    "b@example.com,2,100,100,450",
    "c@example.com,3,100,50,",
    "d@example.com,4,100,100,0",
    "e@example.com,5,100,100,",
]


def file(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *(rows or ROWS)]).encode()


def faults(content: bytes) -> set[tuple[str, str]]:
    with pytest.raises(ImportRefused) as refused:
        read_file(content, 10_000)
    return {(error["field"], error["code"]) for error in refused.value.errors}


def changed(number: int, row: str) -> bytes:
    """The file with one of its rows (2 to 6) another."""
    rows = list(ROWS)
    rows[number - 2] = row
    return file(*rows)


def test_a_good_file_is_read() -> None:
    rows = read_file(FILE, 10_000)
    assert [(row.turn, row.paid_pence, row.received_pence) for row in rows] == [
        (1, [10_000, 10_000], 50_000),
        (2, [10_000, 10_000], 45_000),
        (3, [10_000, 5_000], 0),
        (4, [10_000, 10_000], 0),
        (5, [10_000, 10_000], 0),
    ]
    assert rows[0].email == "ada@example.com"


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + FILE,
        FILE.replace(b"\n", b"\r\n"),
        FILE.replace(b",", b";"),
        FILE.replace(b"100,", b"\xc2\xa3100.00,"),
        FILE + b"\n,,,,\n",
        b"\n".join([FILE.splitlines()[0], *reversed(FILE.splitlines()[1:])]),
    ],
    ids=["byte-order mark", "CRLF", "semicolons", "pounds", "blank rows", "another order"],
)
def test_what_spreadsheets_make_of_it_is_read_alike(content: bytes) -> None:
    assert read_file(content, 10_000) == read_file(FILE, 10_000)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", ("file", "empty")),
        (b"\xff\xfee\x00m\x00", ("file", "wrong_encoding")),
        (b"email\x00", ("file", "wrong_encoding")),
        (
            file(*ROWS[:3], "d\xe4@example.com,4,100,100,").decode().encode("latin-1"),
            ("row 5", "wrong_encoding"),
        ),
        (b"x\n" * 100_000, ("file", "too_many_rows")),
        (b"x" * 700_001, ("file", "too_large")),
        (b'email,turn\n"never closed', ("file", "not_csv")),
        (file(header="email,turn,received"), ("row 1", "wrong_header")),
        (file(header="email,turn,paid_1,paid_3,received"), ("row 1", "wrong_header")),
        (file(header="email,turn,paid_1,paid_1,received"), ("row 1", "wrong_header")),
        (file(header="name,turn,paid_1,paid_2,received"), ("row 1", "wrong_header")),
        (file(*ROWS[:4]), ("file", "wrong_size")),
        (file(*[row.replace("@", f"{n}@") for n in range(3) for row in ROWS]), ("file", "wrong_size")),
        (changed(2, "a@example.com,1,100,100"), ("row 2", "wrong_columns")),
        (changed(2, "a@example.com,1,100,100,500,"), ("row 2", "wrong_columns")),
        (changed(3, "=cmd|' /C calc'!A0,2,100,100,450"), ("row 3: email", "formula")),
        (changed(3, "b@example.com,2,100,-100,450"), ("row 3: paid_2", "formula")),
        (changed(3, "b@example.com,@SUM(1),100,100,450"), ("row 3: turn", "formula")),
        (changed(4, "nobody,3,100,50,"), ("row 4: email", "not_an_email")),
        (changed(4, "c@example.com,0,100,50,"), ("row 4: turn", "not_a_turn")),
        (changed(4, "c@example.com,3rd,100,50,"), ("row 4: turn", "not_a_turn")),
        (changed(4, "c@example.com,6,100,50,"), ("row 4: turn", "not_a_turn")),
        (changed(4, "c@example.com,2,100,50,450"), ("row 4: turn", "turn_taken")),
        (changed(4, "B@example.com,3,100,50,"), ("row 4: email", "email_taken")),
        (changed(5, "d@example.com,4,100,ten,"), ("row 5: paid_2", "not_an_amount")),
        (changed(5, "d@example.com,4,100,99.999,"), ("row 5: paid_2", "not_an_amount")),
        (changed(5, "d@example.com,4,NaN,100,"), ("row 5: paid_1", "not_an_amount")),
        (changed(5, "d@example.com,4,1e999999999,100,"), ("row 5: paid_1", "not_an_amount")),
        (changed(5, "d@example.com,4,100,200,"), ("row 5: paid_2", "too_much")),
        (changed(2, "a@example.com,1,100,100,400"), ("row 2: received", "wrong_pot")),
        (changed(6, "e@example.com,5,100,100,500"), ("row 6: received", "wrong_pot")),
    ],
    ids=range(31),
)
def test_a_fault_is_named_by_row_and_column(content: bytes, expected: tuple[str, str]) -> None:
    assert expected in faults(content)


def test_every_fault_is_told_at_once() -> None:
    rows = ["nobody,x,y,100,500", "b@example.com,2,100,=1,450", "c,3,100,50,", *ROWS[3:]]
    assert {where for where, _ in faults(file(*rows))} == {
        "row 2: email",
        "row 2: turn",
        "row 2: paid_1",
        "row 3: paid_2",
        "row 4: email",
    }


def test_a_file_with_a_fault_writes_nothing() -> None:
    world = World()
    world.person("Ada")
    before = world.documents("groups"), world.documents("invitations"), world.documents("journal")
    terms: dict[str, Any] = {
        "name": "Paper circle",
        "amount_pence": 10_000,
        "frequency": "monthly",
        "members": 0,
        "first_due_date": date(2027, 1, 4),
    }
    for content, email in ((changed(2, "x"), "a@example.com"), (FILE, "someone@example.com"), (FILE, None)):
        with pytest.raises(ImportRefused):
            import_circle.import_circle(world.ctx, world.command("Ada"), Terms(**terms), content, email)
    assert (world.documents("groups"), world.documents("invitations"), world.documents("journal")) == before


def test_a_code_opens_its_own_place_to_its_own_address_alone() -> None:
    story = BroughtIn()
    world, codes = story.world, {one["turn"]: one["code"] for one in story.made["invitations"]}
    assert set(codes) == {2, 3, 4, 5}
    for email in (None, "cy@example.com"):
        with pytest.raises(InvitationForAnother):
            join_group.join(world.ctx, world.command("Cy"), None, codes[2], email=email)
    with pytest.raises(GroupNotOpen):
        ask_to_join(story.circle.group, "Fay")
    story.join()
    assert {seat.uid: seat.brought_turn for seat in story.circle.group.seated()} == {
        uid: turn for turn, uid in enumerate(story.people, start=1)
    }
    text = str(world.documents("invitations")) + str(world.documents("groups"))
    assert "@example.com" not in text
