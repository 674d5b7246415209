"""Plans and hardship: what is owed in parts, the oldest first, or left alone for a while."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.calendar import opening_of
from shared.domain.contributions import Contribution, Instalment
from shared.domain.decision import Decision
from shared.domain.errors import HardshipTooLong, NothingOwed, PlanDoesNotFit
from shared.domain.journal import News
from shared.domain.plans import INSTALMENTS_MAX, agree_plan, freeze, next_instalment
from tests.unit.domain.things import (
    DAY,
    DUE,
    NOW,
    attempt,
    contribution,
    debt,
    due_date,
    member,
    paid,
    settled,
    tried,
)

TODAY = NOW.date()


def part(pence: int, days: int) -> Instalment:
    return Instalment(pence=pence, due_date=TODAY + timedelta(days=days))


def short(cycle: int) -> Contribution:
    return contribution(cycle=cycle, state="short")


def test_a_plan_spreads_what_is_owed_the_oldest_debt_first() -> None:
    first, second = short(1), short(2)
    owing = member("ada", debt("cy", 500, cycle=2), debt("ben", 300, cycle=1), debt("eve", 100, cycle=1))
    parts = [part(300, 60), part(350, 30), part(250, 90)]
    in_order = sorted(parts, key=lambda one: one.due_date)
    assert agree_plan(owing, {one.id: one for one in (first, second)}, parts, "apr_1", NOW) == Decision(
        answer={"owed_pence": 900},
        facts=[
            News(
                id="plan_agreed:apr_1",
                group=owing.group,
                type="plan_agreed",
                payload={
                    "member": "ada",
                    "approval": "apr_1",
                    "instalments": [one.model_dump() for one in in_order],
                },
            )
        ],
        changed=[
            first.with_(instalments=[part(350, 30), part(50, 60)], planned_at=NOW, act_at=NOW),
            second.with_(instalments=[part(250, 60), part(250, 90)], planned_at=NOW, act_at=NOW),
        ],
    )


def test_parts_of_one_day_for_one_contribution_are_one() -> None:
    owing = member("ada", debt("ben", 300), debt("eve", 100))
    first = short(1)
    planned = agree_plan(owing, {first.id: first}, [part(200, 10), part(200, 20)], "apr", NOW).changed[0]
    assert isinstance(planned, Contribution)
    assert planned.instalments == [part(200, 10), part(200, 20)]


@pytest.mark.parametrize(
    "parts",
    [
        [part(99, 1)],
        [part(101, 1)],
        [part(50, 0), part(50, 1)],
        [part(50, -1), part(50, 1)],
        [],
    ],
    ids=["too little", "too much", "today", "yesterday", "nothing"],
)
def test_a_plan_comes_to_what_is_owed_in_days_to_come(parts: list[Instalment]) -> None:
    with pytest.raises(PlanDoesNotFit) as refused:
        agree_plan(member("ada", debt("ben", 100)), {}, parts, "apr", NOW)
    planned = sum(one.pence for one in parts)
    assert refused.value.facts == {"planned_pence": planned, "owed_pence": 100}
    assert refused.value.field == "instalments"


def test_a_plan_is_at_most_five_years_of_months() -> None:
    assert INSTALMENTS_MAX == 60
    first = short(1)

    def months(count: int) -> Decision:
        owing = member("ada", debt("ben", count))
        parts = [part(1, number) for number in range(1, count + 1)]
        return agree_plan(owing, {first.id: first}, parts, "apr", NOW)

    assert months(60).changed
    with pytest.raises(PlanDoesNotFit):
        months(61)


def test_who_owes_nothing_has_nothing_to_plan() -> None:
    with pytest.raises(NothingOwed):
        agree_plan(member("ada", debt("ben", 5, left_pence=0)), {}, [], "apr", NOW)


@tried
@given(
    st.lists(st.integers(1, 900), min_size=1, max_size=4),
    st.lists(st.integers(1, 900), min_size=1, max_size=4),
)
def test_every_penny_that_is_owed_stands_in_one_part_and_no_day_takes_more_than_its_part(
    owed: list[int], days: list[int]
) -> None:
    total = sum(owed)
    weights = days[: min(len(days), total)]
    parts = [part(1, number) for number in range(1, len(weights))]
    parts.append(part(total - len(parts), len(weights)))
    if parts[-1].pence < 1:
        return
    debts = [debt("ben", pence, cycle=cycle) for cycle, pence in enumerate(owed, start=1)]
    contributions = {one.contribution: short(one.cycle) for one in debts}
    changed = agree_plan(member("ada", *debts), contributions, parts, "apr", NOW).changed
    by_day: dict[date, int] = {}
    for one, owing in zip(changed, debts, strict=True):
        assert isinstance(one, Contribution)
        assert sum(instalment.pence for instalment in one.instalments) == owing.left_pence
        for instalment in one.instalments:
            by_day[instalment.due_date] = by_day.get(instalment.due_date, 0) + instalment.pence
    assert by_day == {one.due_date: one.pence for one in parts}


def test_what_was_paid_ahead_shortens_the_plan() -> None:
    parts = [part(100, 1), part(200, 2), part(300, 3)]
    assert next_instalment(parts, 600) == part(100, 1)
    assert next_instalment(parts, 501) == part(1, 1)
    assert next_instalment(parts, 500) == part(200, 2)
    assert next_instalment(parts, 10) == part(10, 3)
    assert next_instalment(parts, 0) is None
    assert next_instalment([], 5) is None


# --- hardship -----------------------------------------------------------------------------------------------


def test_a_freeze_leaves_what_is_due_by_its_end_alone() -> None:
    until = due_date(2)
    live = contribution(cycle=1, attempts=[attempt(state="processing")], added_fee_pence=30)
    due, owed = contribution(cycle=2, added_fee_pence=30), short(5)
    with_fee = short(1).with_(added_fee_pence=30, attempts=[settled(fee_held_pence=20)])
    untouched = [contribution(cycle=3), paid(), contribution(state="waived")]
    who = member("ada", revision=4)
    decision = freeze(who, [live, due, owed, with_fee, *untouched], until, NOW)
    opens = opening_of(until)
    assert decision == Decision(
        answer={"uid": "ada", "until": until.isoformat(), "frozen": 4},
        facts=[
            News(
                id="hardship:ada:4",
                group=who.group,
                type="hardship_opened",
                payload={
                    "member": "ada",
                    "until": until.isoformat(),
                    "contributions": [live.id, due.id, owed.id, with_fee.id],
                },
            )
        ],
        changed=[
            who.with_(hardship_until=until),
            live.with_(frozen_until=until, added_fee_pence=0),
            due.with_(frozen_until=until, act_at=opens, added_fee_pence=0),
            owed.with_(frozen_until=until, act_at=opens),
            with_fee.with_(frozen_until=until, act_at=opens, added_fee_pence=20),
        ],
    )


@pytest.mark.parametrize("days", [0, -1, 61])
def test_a_freeze_ends_after_today_and_within_sixty_days(days: int) -> None:
    with pytest.raises(HardshipTooLong) as refused:
        freeze(member(), [], TODAY + days * DAY, NOW)
    assert refused.value.facts == {"latest": TODAY + 60 * DAY}
    assert refused.value.field == "until"


@pytest.mark.parametrize("days", [1, 60])
def test_the_first_and_the_last_day_of_a_freeze(days: int) -> None:
    assert freeze(member(), [], TODAY + days * DAY, NOW).answer["until"] == (TODAY + days * DAY).isoformat()


def test_a_freeze_is_for_what_falls_due_in_it() -> None:
    assert due_date(1) == DUE
    for until, frozen in ((DUE, 1), (DUE - DAY, 0)):
        assert freeze(member(), [contribution()], until, NOW).answer["frozen"] == frozen
