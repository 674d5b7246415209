"""What a circle saw of a member, month by month, as the member models read it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from shared.domain.contributions import Attempt, Contribution
from shared.domain.scoring.member import Month, score_member
from shared.domain.scoring.score import Scored
from shared.domain.standing import months

TODAY = date(2027, 5, 10)


def due(day: date, paid: date | None = None, **changes: object) -> Contribution:
    attempt = Attempt(
        id=f"att_{day}",
        number=1,
        amount_pence=10_000,
        method="pm_1",
        method_kind="card",
        state="settled",
        started_at=datetime.combine(paid or day, time(12), UTC),
    )
    made = Contribution(
        id=f"con_{day}",
        group="grp_1",
        cycle=1,
        uid="ada",
        recipient="ben",
        amount_pence=10_000,
        due_date=day,
        state="covered" if paid else "short",
        attempts=[attempt] if paid else [],
        act_at=None,
        shard=0,
    )
    return made.with_(**changes)


def test_months_run_from_the_latest_whole_one_back_to_the_first() -> None:
    paid = [due(date(2027, month, 4), date(2027, month, 4)) for month in (2, 3, 4, 5)]
    assert months(paid, TODAY, 2) == [Month(10_000, 10_000, 0)] * 3
    assert months(paid[3:], TODAY, 2) == []
    assert months([], TODAY, 2) == []


def test_what_came_late_is_late_in_its_month_and_made_good_in_the_next() -> None:
    late = due(date(2027, 2, 20), date(2027, 4, 2))
    on_time = [due(date(2027, 3, 20), date(2027, 3, 20)), due(date(2027, 4, 20), date(2027, 4, 22))]
    first = due(date(2027, 1, 20), date(2027, 1, 20))
    assert months([first, late, *on_time], TODAY, 2) == [
        Month(10_000, 10_000, 0),
        Month(10_000, 10_000, 2),
        Month(10_000, 0, 1),
        Month(10_000, 10_000, 0),
    ]


def test_what_is_missed_stays_late_and_several_fall_due_in_a_month() -> None:
    weekly = [due(date(2027, 4, day), date(2027, 4, day)) for day in (5, 12, 19)] + [due(date(2027, 4, 26))]
    first = due(date(2027, 3, 1), date(2027, 3, 1))
    assert months([first, *weekly], TODAY, 2) == [Month(40_000, 30_000, 1), Month(10_000, 10_000, 0)]
    assert months([first, *weekly], date(2027, 6, 1), 2)[0] == Month(0, 0, 2)


def test_hardship_and_what_fell_away_are_no_lateness() -> None:
    first = due(date(2027, 3, 1), date(2027, 3, 1))
    frozen = due(date(2027, 4, 5), frozen_until=date(2027, 6, 1))
    waived = due(date(2027, 4, 6), state="waived")
    assert months([first, frozen, waived], TODAY, 2)[0] == Month(10_000, 0, 0)


def test_the_models_take_every_history_and_missing_costs() -> None:
    kept = [due(date(2026, month, 4), date(2026, month, 4)) for month in range(4, 13)]
    missed = [*kept[:-1], due(date(2026, 12, 4))]
    good, bad = (score_member(months(one, date(2027, 1, 10), 2)) for one in (kept, missed))
    assert isinstance(good, Scored)
    assert isinstance(bad, Scored)
    assert good.version.startswith("member_6m")
    assert good.pd < bad.pd
