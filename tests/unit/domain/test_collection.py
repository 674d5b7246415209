"""Collecting: what the scheduler's look at a contribution comes to, one step at a time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.calendar import add_working_days, is_working_day, opening_of
from shared.domain.collection import (
    LEAST_CHARGE_PENCE,
    Plan,
    due_pence,
    may_owe,
    may_use,
    next_step,
    part_due,
    plan,
)
from shared.domain.contributions import (
    BROUGHT_RECHECK,
    METHOD_RECHECK,
    Contribution,
    Instalment,
    Notice,
    first_look_at,
    next_attempt,
)
from shared.domain.decision import Decision
from shared.domain.journal import News
from shared.domain.ledger import HOUSE
from shared.domain.members import Member
from shared.domain.users import PaymentMethod
from shared.domain.words import MethodKind
from tests.unit.domain.things import AMOUNT, DAY, DUE, NOW, attempt, contribution, debt, member, paid, tried

NONE: frozenset[date] = frozenset()
TODAY = NOW.date()
OLD = NOW - 60 * DAY


def method(kind: MethodKind = "card", **changes: Any) -> PaymentMethod:
    made = PaymentMethod(reference="pm_1", kind=kind, state="active", hint="4242", added_at=OLD)
    return made.with_(**changes)


def noticed(of: Contribution, kind: MethodKind = "card", **changes: Any) -> Contribution:
    """Its member was told just this."""
    told = Notice(amount_pence=AMOUNT, collect_on=DUE, method_kind=kind, given_at=OLD)
    return of.with_(notice=told.with_(**changes))


def step(of: Contribution, by: PaymentMethod | None = None, who: Member | None = None, **more: Any) -> Any:
    return next_step(of, who, method() if by is None else by, more.get("now", NOW), NONE)


# --- when ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "today", "submit_on", "collect_on"),
    [
        (method(), TODAY, DUE, DUE),
        (method(), DUE + 2 * DAY, DUE + 2 * DAY, DUE + 2 * DAY),
        (method("bacs_debit"), TODAY, date(2027, 2, 2), DUE),
        (method("bacs_debit"), date(2027, 2, 4), date(2027, 2, 4), date(2027, 2, 10)),
        (method("bacs_debit", added_at=NOW), date(2027, 1, 20), date(2027, 1, 28), DUE),
        (method("bacs_debit", added_at=NOW), TODAY, TODAY, date(2027, 2, 10)),
    ],
)
def test_a_debit_keeps_its_due_date_and_its_lead_or_is_taken_as_soon_as_can_be(
    by: PaymentMethod, today: date, submit_on: date, collect_on: date
) -> None:
    assert plan(contribution(), by, today, NONE) == Plan(submit_on, collect_on)


def test_who_asks_to_pay_now_is_debited_at_once() -> None:
    asked = contribution(pay_now=True)
    assert plan(asked, method(), TODAY, NONE) == Plan(TODAY, TODAY)
    assert plan(asked, method("bacs_debit"), TODAY, NONE) == Plan(TODAY, date(2027, 2, 5))


@tried
@given(st.dates(date(2027, 1, 1), date(2027, 12, 31)), st.sampled_from(["card", "bacs_debit"]))
def test_nothing_is_taken_before_its_date_or_submitted_in_the_past(today: date, kind: MethodKind) -> None:
    found = plan(contribution(), method(kind), today, NONE)
    assert found.submit_on >= today
    assert found.collect_on >= DUE
    if kind == "bacs_debit":
        assert found.collect_on >= add_working_days(found.submit_on, 4, NONE)
        assert is_working_day(found.collect_on, NONE)


# --- how much -----------------------------------------------------------------------------------------------


def test_what_is_due_of_a_contribution() -> None:
    owing = member("ada", debt("ben", 700), debt(HOUSE, 200), debt("ben", 90, cycle=2))
    assert due_pence(contribution(in_pot_pence=4_000), None) == 6_000
    assert due_pence(contribution(state="short"), owing) == 900
    assert due_pence(contribution(state="short"), None) == 0
    assert due_pence(paid(), owing) == 0  # taken back after its pot was paid: only where they ask for it
    assert due_pence(paid(pay_now=True), owing) == 900
    assert due_pence(paid(planned_at=NOW), owing) == 900
    assert due_pence(contribution(state="waived", pay_now=True), owing) == 0
    assert may_owe(contribution(state="short"))
    assert not may_owe(contribution(pay_now=True))


def test_by_a_plan_it_is_taken_in_parts() -> None:
    parts = [Instalment(pence=400, due_date=DUE + 30 * DAY), Instalment(pence=600, due_date=DUE + 60 * DAY)]
    planned = contribution(state="short", instalments=parts)
    assert part_due(planned, 1_000) == (400, DUE + 30 * DAY)
    assert part_due(planned, 700) == (100, DUE + 30 * DAY)
    assert part_due(planned, 500) == (500, DUE + 60 * DAY)
    assert part_due(contribution(), 700) == (700, DUE)
    assert part_due(planned.with_(pay_now=True), 1_000) == (1_000, DUE)
    assert part_due(planned.with_(state="due"), 1_000) == (1_000, DUE)  # what its pot is to have


@tried
@given(st.integers(1, 3 * LEAST_CHARGE_PENCE), st.integers(0, 2 * LEAST_CHARGE_PENCE))
def test_no_debit_is_smaller_than_the_processor_takes(pence: int, fee_pence: int) -> None:
    """A debt of 2 pence was refused each day, for ever (seed 909): the rest of 30 is its payer's credit."""
    due = contribution(in_pot_pence=AMOUNT - pence, added_fee_pence=fee_pence)
    notice = step(due, now=opening_of(DUE))[1].changed[0].notice
    assert notice.amount_pence == max(pence + fee_pence, LEAST_CHARGE_PENCE)
    charged = step(due.with_(notice=notice), now=opening_of(DUE))[1].changed[0].attempts[0]
    assert (charged.amount_pence, charged.added_fee_pence) == (notice.amount_pence, fee_pence)


# --- the steps ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "what", "wait"),
    [
        ("submitting", "resume", timedelta(minutes=10)),
        ("processing", "look_up", timedelta(days=10)),
        ("requires_action", "look_up", timedelta(days=1)),
    ],
)
def test_an_attempt_that_is_under_way_is_followed(state: str, what: str, wait: timedelta) -> None:
    live = contribution(attempts=[attempt(state=state)])
    assert step(live) == (
        what,
        Decision(changed=[live.with_(act_at=NOW + wait)]),
    )


def test_first_the_member_is_told_how_much_will_be_taken_when_and_how() -> None:
    due = contribution(revision=2, in_pot_pence=1_000, added_fee_pence=30)
    told = Notice(amount_pence=9_030, collect_on=DUE, method_kind="card", given_at=NOW)
    assert step(due) == (
        "notice",
        Decision(
            facts=[
                News(
                    id=f"noticed:{due.id}:2",
                    group=due.group,
                    type="contribution_noticed",
                    payload={
                        "contribution": due.id,
                        "member": "ada",
                        "pence": 9_030,
                        "added_fee_pence": 30,
                        "collect_on": "2027-02-08",
                        "method_kind": "card",
                    },
                )
            ],
            changed=[due.with_(notice=told, act_at=opening_of(DUE))],
        ),
    )


def test_late_money_is_looked_at_again_at_once() -> None:
    late = NOW + 20 * DAY
    assert step(contribution(), now=late)[1].changed[0].act_at == late


@pytest.mark.parametrize(
    "other",
    [{"amount_pence": AMOUNT - 1}, {"collect_on": DUE + DAY}, {"method_kind": "bacs_debit"}],
)
def test_another_amount_day_or_kind_than_told_is_never_debited(other: dict[str, Any]) -> None:
    assert step(noticed(contribution(), **other), now=opening_of(DUE))[0] == "notice"


def test_what_was_told_waits_for_its_day() -> None:
    due = noticed(contribution())
    assert step(due) == ("wait", Decision(changed=[due.with_(act_at=opening_of(DUE))]))


def test_on_its_day_the_attempt_is_saved_before_the_processor_is_asked() -> None:
    due, now = noticed(contribution(pay_now=False, added_fee_pence=0)), opening_of(DUE)
    made = next_attempt(due, "pm_1", "card", AMOUNT, now)
    assert step(due, now=now) == (
        "charge",
        Decision(
            facts=[
                News(
                    id=f"attempt_submitting:{made.id}",
                    group=due.group,
                    type="attempt_submitting",
                    payload={
                        "contribution": due.id,
                        "cycle": 1,
                        "member": "ada",
                        "attempt": made.id,
                        "pence": AMOUNT,
                        "method_kind": "card",
                    },
                )
            ],
            changed=[due.with_(attempts=[made], act_at=now + timedelta(minutes=10))],
        ),
    )


def test_who_asked_to_pay_now_is_asked_once() -> None:
    asked = noticed(contribution(pay_now=True), collect_on=TODAY)
    what, decision = step(asked)
    assert what == "charge"
    assert decision.changed[0].pay_now is False


def test_with_the_fee_on_top_the_attempt_is_for_both() -> None:
    due = noticed(contribution(added_fee_pence=30), amount_pence=AMOUNT + 30)
    what, decision = step(due, now=opening_of(DUE))
    assert what == "charge"
    assert decision.facts[0].payload["pence"] == decision.changed[0].attempts[0].amount_pence == AMOUNT + 30


def test_banks_holidays_are_none_of_the_days_that_a_debit_takes() -> None:
    late = datetime(2027, 2, 4, 9, tzinfo=UTC)
    for holidays, day in ((NONE, date(2027, 2, 10)), ({date(2027, 2, 5)}, date(2027, 2, 11))):
        decision = next_step(contribution(), None, method("bacs_debit"), late, holidays)[1]
        assert decision.changed[0].notice.collect_on == day  # type: ignore[attr-defined]


def test_a_part_of_a_plan_is_taken_on_its_own_date() -> None:
    parts = [Instalment(pence=400, due_date=DUE + 28 * DAY), Instalment(pence=9_600, due_date=DUE + 56 * DAY)]
    short = contribution(state="short", instalments=parts)
    notice = step(short, who=member("ada", debt("ben", AMOUNT)))[1].changed[0].notice
    assert (notice.amount_pence, notice.collect_on) == (400, DUE + 28 * DAY)


def test_without_a_method_news_is_waited_for_and_a_look_a_week_makes_good_for_what_was_lost() -> None:
    for due, by in (
        (contribution(), None),
        (contribution(attempts=[attempt(state="failed", failure="method_invalid")]), method()),
    ):
        assert next_step(due, None, by, NOW, NONE) == (
            "no_method",
            Decision(changed=[due.with_(act_at=NOW + METHOD_RECHECK)]),
        )


def test_what_was_left_open_on_paper_is_taken_only_where_its_member_asks() -> None:
    brought, owes = contribution(state="short", brought=True), member("ada", debt("ben", 700))
    assert step(brought, who=owes) == (
        "wait",
        Decision(changed=[brought.with_(act_at=NOW + BROUGHT_RECHECK)]),
    )
    assert step(brought.with_(pay_now=True), who=owes)[0] == "notice"
    assert step(brought.with_(planned_at=NOW), who=owes)[0] == "notice"


def test_what_was_left_open_on_paper_is_covered_once_a_pot_of_its_members_has_paid_it() -> None:
    what, decision = step(
        contribution(state="short", brought=True), who=member("ada", debt("ben", 700, left_pence=0))
    )
    assert (what, [one.state for one in decision.changed]) == ("rest", ["covered"])


# --- news of a method ---------------------------------------------------------------------------------------

FIRST_LOOK = first_look_at(DUE, NONE)
WAITS: dict[str, Any] = {"act_at": NOW + METHOD_RECHECK}


@pytest.mark.parametrize(
    ("of", "wants"),
    [
        (contribution(**WAITS), True),
        (contribution(act_at=None), False),  # nothing is planned for it any more
        (contribution(act_at=NOW), False),  # its look is due by itself
        (contribution(act_at=NOW + DAY / 24), True),
        (contribution(state="short", **WAITS), True),
        (contribution(state="waived", **WAITS), False),
        (contribution(state="covered", **WAITS), False),
        (contribution(state="covered", planned_at=NOW, **WAITS), True),
        (contribution(state="covered", pay_now=True, **WAITS), True),
        (contribution(attempts=[attempt(state="processing", method="pm_0")], **WAITS), False),
        (contribution(attempts=[attempt(state="failed", method="pm_0")], **WAITS), True),
        (contribution(attempts=[attempt(state="failed")], **WAITS), False),  # it waits for its day
        (contribution(attempts=[attempt(state="failed")], planned_at=NOW, **WAITS), True),  # before the plan
        (
            contribution(
                attempts=[attempt(1, state="failed"), attempt(2, method="pm_0", state="failed")], **WAITS
            ),
            False,
        ),
    ],
)
def test_news_of_a_method_wakes_what_it_may_pay_for(of: Contribution, wants: bool) -> None:
    assert may_use(of, method(), NOW, NONE) is wants


def test_news_of_a_method_wakes_nothing_before_its_first_look() -> None:
    waits = contribution(act_at=FIRST_LOOK + DAY)
    assert may_use(waits, method(), FIRST_LOOK, NONE)
    assert not may_use(waits, method(), FIRST_LOOK - timedelta(seconds=1), NONE)


def test_hardship_freezes_until_its_day_unless_they_ask_to_pay() -> None:
    frozen = contribution(frozen_until=TODAY + DAY)
    assert step(frozen) == ("frozen", Decision(changed=[frozen.with_(act_at=opening_of(TODAY + DAY))]))
    assert step(frozen.with_(pay_now=True))[0] == "notice"
    assert step(frozen.with_(frozen_until=TODAY))[0] == "notice"


def test_where_nothing_is_owed_it_rests() -> None:
    had = paid(act_at=NOW)
    assert step(had) == ("rest", Decision(changed=[had.with_(act_at=None)]))
    assert step(paid())[1].is_empty
    asked = paid(pay_now=True)
    assert step(asked) == ("rest", Decision(changed=[paid()]))


def test_what_other_money_paid_is_covered() -> None:
    short = contribution(state="short", revision=3)
    assert step(short, who=member()) == (
        "rest",
        Decision(
            facts=[
                News(
                    id=f"contribution_covered:{short.id}:3",
                    group=short.group,
                    type="contribution_covered",
                    payload={"contribution": short.id, "cycle": 1, "member": "ada"},
                )
            ],
            changed=[short.with_(state="covered", act_at=None)],
        ),
    )
