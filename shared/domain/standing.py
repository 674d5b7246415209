"""Standing: how a member has paid, as marks that age off. Late and missed are readings, not states (§ 6)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final, Literal

from shared.domain.calendar import london_day
from shared.domain.contributions import BROUGHT_MONEY, Contribution
from shared.domain.documents import Day, Value
from shared.domain.member_risk import History

MARKS_KEPT: Final = timedelta(days=365)
"""A late mark is shown, and counts in an order by trust, for a year from the due date; then it is gone."""

Kept = Literal["on_time", "late", "missed"]
Timing = Literal["upcoming", "due", "late", "missed", "frozen", "done"]


class Mark(Value):
    """One contribution that was not paid in time."""

    contribution: str
    cycle: int
    due_date: Day
    kind: Literal["late", "missed"]
    ages_off_on: Day


def timing(contribution: Contribution, today: date, grace_days: int) -> Timing:
    """Where a contribution stands against its dates. Never 'missed' before the deadline; never late while
    hardship freezes it. A debt that stands in its place, due on an old date, is read by that date."""
    if contribution.state in {"covered", "waived"}:
        return "done"
    if today < contribution.due_date:
        return "upcoming"
    if contribution.frozen_until is not None and today < contribution.frozen_until:
        return "frozen"
    if today <= contribution.due_date + timedelta(days=grace_days):
        return "due"
    return "missed" if contribution.state == "short" else "late"


def kept(contribution: Contribution, today: date, grace_days: int) -> Kept | None:
    """How a promise was kept; None while it is open, or where nothing was asked of the member."""
    now = timing(contribution, today, grace_days)
    if now in {"late", "missed"}:
        return "missed" if now == "missed" else "late"
    if contribution.state != "covered":
        return None
    paid = [one.started_at for one in contribution.attempts if one.state in BROUGHT_MONEY]
    last_day = contribution.due_date + timedelta(days=grace_days)
    if contribution.frozen_until is not None:
        last_day = max(last_day, contribution.frozen_until)
    return "late" if paid and london_day(min(paid)) > last_day else "on_time"


def marks(contributions: Iterable[Contribution], today: date, grace_days: int) -> list[Mark]:
    """Late and missed contributions of the last year, oldest first."""
    found = []
    for one in sorted(contributions, key=lambda one: (one.due_date, one.id)):
        how = kept(one, today, grace_days)
        if how in {"late", "missed"} and today < one.due_date + MARKS_KEPT:
            found.append(
                Mark(
                    contribution=one.id,
                    cycle=one.cycle,
                    due_date=one.due_date,
                    kind="late" if how == "late" else "missed",
                    ages_off_on=one.due_date + MARKS_KEPT,
                )
            )
    return found


def history(contributions: Iterable[Contribution], today: date, grace_days: int) -> History:
    """The same as numbers, for an order by trust; promises older than a year are forgotten either way."""
    seen = [kept(one, today, grace_days) for one in contributions if today < one.due_date + MARKS_KEPT]
    return History(on_time=seen.count("on_time"), late=seen.count("late"), missed=seen.count("missed"))
