"""Standing: how a member has paid, as marks that age off. Late and missed are readings, not states (§ 6)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final, Literal

from shared.domain.calendar import london_day
from shared.domain.contributions import BROUGHT_MONEY, Contribution
from shared.domain.documents import Day, Value
from shared.domain.member_risk import History
from shared.domain.scoring.member import MONTHS, Month

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


def went_bad(
    contributions: Iterable[Contribution], start: date, end: date, today: date, grace_days: int
) -> bool | None:
    """Whether a promise that fell due after `start` and until `end` was missed and is unpaid. None while that
    cannot be said: the time is not over, something is open still, or nothing fell due."""
    due = [one for one in contributions if start < one.due_date <= end and one.state != "waived"]
    seen = [kept(one, today, grace_days) for one in due if not one.apart]
    if "missed" in seen:
        return True
    return False if seen and None not in seen and today > end else None


def months(contributions: Iterable[Contribution], today: date, grace_days: int) -> list[Month]:
    """The same month by month, newest first, for the member models: what fell due in each whole month that is
    over, what of it had come in by its end, and how many months the oldest arrears were late then.

    Hardship that was granted is no lateness, and what fell away was never due.
    """
    asked = [one for one in contributions if one.state != "waived" and not one.apart]
    if not asked:
        return []
    first = min(one.due_date for one in asked).replace(day=1)
    found: list[Month] = []
    start = today.replace(day=1)
    while start > first and len(found) < MONTHS[-1]:
        end, start = start - timedelta(days=1), (start - timedelta(days=1)).replace(day=1)
        due = [one for one in asked if start <= one.due_date <= end]
        late = [_months_between(one.due_date, end) for one in asked if _is_late(one, end, grace_days)]
        found.append(
            Month(
                due_pence=sum(one.amount_pence for one in due),
                paid_pence=sum(one.amount_pence for one in due if _was_paid_by(one, end)),
                months_late=max(late, default=0),
            )
        )
    return found


def _months_between(due: date, end: date) -> int:
    """Of something due in the month that ends then: one."""
    return (end.year - due.year) * 12 + end.month - due.month + 1


def _is_late(contribution: Contribution, day: date, grace_days: int) -> bool:
    excused_until = contribution.due_date + timedelta(days=grace_days)
    if contribution.frozen_until is not None:
        excused_until = max(excused_until, contribution.frozen_until)
    return day > excused_until and not _was_paid_by(contribution, day)


def _was_paid_by(contribution: Contribution, day: date) -> bool:
    """By when its money set out; what is covered without a try was covered by credit, on time."""
    if contribution.state != "covered":
        return False
    paid = [one.started_at for one in contribution.attempts if one.state in BROUGHT_MONEY]
    return not paid or london_day(min(paid)) <= day
