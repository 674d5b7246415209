"""The schedule of a circle that somebody left: pots as they will be, and what each pays on which day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import icalendar

from shared.services import accept_agreement, read_group
from shared.services.context import Reader
from shared.web.statement_sheets import schedule_calendar
from tests.worked_examples.page import Page


def schedule(page: Page, letter: str) -> list[dict[str, Any]]:
    cycles: list[dict[str, Any]] = read_group.schedule(
        page.world.ctx, Reader(page.uid[letter]), page.circle.id
    )["cycles"]
    return cycles


def pots(page: Page, letter: str = "A") -> list[int]:
    return [one["pot_pence"] // 100 for one in schedule(page, letter)]


def pays(page: Page, letter: str) -> list[list[int]]:
    return [[part["amount_pence"] // 100 for part in one["own_payments"]] for one in schedule(page, letter)]


def entries(page: Page, letter: str) -> dict[str, Any]:
    """The calendar of one member, as a calendar reads it: summary and status by the entry's name."""
    reader = Reader(page.uid[letter])
    group = read_group.group(page.world.ctx, reader, page.circle.id)
    found = read_group.schedule(page.world.ctx, reader, page.circle.id)
    text = schedule_calendar(group, found, reader.uid)
    prefix = f"{page.circle.id}-"
    return {
        str(one["UID"]).removeprefix(prefix).removesuffix("@ajo"): one
        for one in icalendar.Calendar.from_ical(text).walk("VEVENT")
    }


def test_as_agreed_every_pot_is_full_and_everybody_pays_every_time() -> None:
    page = Page(added_fee_pence=50)
    assert pots(page) == [500] * 5
    cycles = schedule(page, "C")
    assert [one["own_payments"] for one in cycles] == [
        [{"due_date": one["due_date"], "amount_pence": 100_50}] for one in cycles
    ]


def test_after_a_leaver_the_pots_to_come_are_smaller() -> None:
    page = Page()
    page.paid_out(2, days_more=3)
    page.leaves("D")
    assert pots(page) == [500, 500, 400, 0, 400]
    assert [one["payout_state"] for one in schedule(page, "A")][3] == "void"
    assert pays(page, "A") == [[100], [100], [100], [100], [100]]  # on the leaver's date: D's money back
    assert pays(page, "C") == [[100], [100], [100], [], [100]]
    page.to_the_end()
    assert pots(page) == [500, 500, 400, 0, 400]
    assert page.got() == {"A": 500, "B": 500, "C": 400, "D": 200, "E": 400}


def test_the_leavers_entries_are_cancelled_not_left_out() -> None:
    page = Page()
    page.paid_out(2, days_more=3)
    before = entries(page, "C")
    assert len(before) == 10
    page.leaves("D")
    after = entries(page, "C")
    assert before.keys() == after.keys()
    cancelled = {key for key, one in after.items() if one["STATUS"] == "CANCELLED"}
    assert cancelled == {"4-due", "4-payout"}
    assert all(int(after[key]["SEQUENCE"]) > int(before[key]["SEQUENCE"]) for key in after)
    assert str(after["5-payout"]["DESCRIPTION"]).startswith("A full pot is £400.00.")
    assert str(entries(page, "A")["4-due"]["SUMMARY"]) == "Test circle, cycle 4: £100.00 is due"


def test_what_the_open_pot_holds_of_a_leaver_stays_in_it() -> None:
    page = Page()
    page.due(3)
    page.leaves("D")
    assert pots(page) == [500, 500, 500, 0, 400]


def test_after_ones_turn_what_is_owed_stands_beside_the_pots() -> None:
    page = Page()
    page.paid_out(1, days_more=3)
    page.leaves("A")
    assert pots(page, "B") == [500, 400, 400, 400, 400]
    first = page.world.clock.moment.date() + timedelta(days=60)
    parts = [{"pence": 50_00, "due_date": (first + timedelta(weeks=n)).isoformat()} for n in range(8)]
    page.agreed("A", "plan", page.organiser, instalments=parts)
    assert pays(page, "A") == [[100], [50, 50], [50, 50], [50, 50], [50, 50]]
    dates = [
        one["DTSTART"].dt for key, one in entries(page, "A").items() if key.startswith(("2-due", "3-due"))
    ]
    assert dates == [first + timedelta(weeks=n) for n in range(4)]


def test_a_substitute_fills_the_pots_again() -> None:
    page = Page()
    page.paid_out(2, days_more=3)
    page.world.person("Zoe")
    page.uid["Z"], page.letter["Zoe"] = "Zoe", "Z"
    read = accept_agreement.read(page.world.ctx, Reader(page.circle.group.organiser), page.circle.id)
    request = page.asks("D", "substitution", other="Zoe")
    page.consents("Z", request, read["hash"])
    if page.organiser != "D":
        page.consents(page.organiser, request)
    assert pots(page) == [500] * 5
    assert pays(page, "Z") == [[100]] * 5


def test_a_wound_up_circle_has_no_pots_to_come() -> None:
    page = Page()
    page.due(3)
    page.agreed(page.organiser, "wind_up", page.member())
    assert pots(page) == [500, 500, 0, 0, 0]
    page.days(200)
    assert pots(page) == [500, 500, 0, 0, 0]
