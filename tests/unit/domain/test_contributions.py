"""Contributions: what the lock leaves, how far ahead of its date each is collected, and the retry ladder."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.contributions import (
    LIVE,
    LOOK_UP_AFTER,
    METHOD_RECHECK,
    RETRY_AFTER_DAYS,
    Attempt,
    Contribution,
    FailureKind,
    contribution_ref,
    due_contribution,
    is_new,
    lead_working_days,
    next_attempt,
    retry_at,
    waits_for_another_method,
)
from shared.domain.ids import attempt_id, contribution_id, shard_of
from shared.domain.words import AttemptState
from tests.unit.domain.things import AMOUNT, DAY, NOW, attempt, contribution, paid, settled, tried

GOOD_FRIDAY, EASTER_MONDAY = date(2027, 3, 26), date(2027, 3, 29)


def test_how_long_what_waits_for_a_method_waits_where_no_news_comes() -> None:
    assert timedelta(days=7) == METHOD_RECHECK


def test_the_lock_leaves_a_contribution_that_is_first_looked_at_eight_working_days_ahead() -> None:
    made = due_contribution("grp", 3, "ada", "ben", 5_000, date(2027, 4, 5), {GOOD_FRIDAY, EASTER_MONDAY})
    own_id = contribution_id("grp", 3, "ada")
    assert made == Contribution(
        id=own_id,
        shard=shard_of(own_id),
        group="grp",
        cycle=3,
        uid="ada",
        recipient="ben",
        amount_pence=5_000,
        due_date=date(2027, 4, 5),
        act_at=datetime(2027, 3, 22, 9, 0, tzinfo=UTC),  # Easter is not counted
    )
    assert (made.state, made.in_pot_pence, made.counted_in, made.left_pence) == ("due", 0, None, 5_000)


def test_a_contribution_has_its_address() -> None:
    made = contribution()
    assert made.path == contribution_ref(made.group, made.id).path
    assert made.path == f"groups/grp_1/contributions/{made.id}"
    assert contribution_ref(made.group, made.id).read(made.data()) == made


@pytest.mark.parametrize(
    ("kind", "new", "days"),
    [("card", True, 0), ("card", False, 0), ("bacs_debit", False, 4), ("bacs_debit", True, 7)],
)
def test_a_debit_is_submitted_ahead_of_its_date(kind: str, new: bool, days: int) -> None:
    assert lead_working_days(kind, mandate_is_new=new) == days  # type: ignore[arg-type]


def test_a_mandate_is_new_for_two_weeks_of_london_days() -> None:
    added = datetime(2027, 6, 30, 23, 30, tzinfo=UTC)  # in London it is July
    assert is_new(added, date(2027, 7, 14))
    assert not is_new(added, date(2027, 7, 15))


def test_what_its_pot_lacks() -> None:
    assert contribution(in_pot_pence=4_000).left_pence == AMOUNT - 4_000
    assert paid().left_pence == 0
    assert contribution(apart=True).left_pence == 0  # its pot lacks nothing of it


# --- attempts -----------------------------------------------------------------------------------------------


def test_attempts_are_found_and_replaced_in_their_order() -> None:
    failed, live = attempt(1, state="failed"), attempt(2)
    both = contribution().with_attempt(live).with_attempt(failed)
    assert both.attempts == [failed, live]
    assert both.live_attempt == live
    assert (both.attempt("att_1"), both.attempt("att_2"), both.attempt("att_3")) == (failed, live, None)
    over = both.with_attempt(live.moved("failed"))
    assert over.attempts == [failed, live.with_(state="failed")]
    assert over.live_attempt is None


@pytest.mark.parametrize("state", ["submitting", "requires_action", "processing", "settled", "failed", "won"])
def test_an_attempt_is_live_while_it_may_bring_money(state: AttemptState) -> None:
    assert attempt(state=state).is_live is (state in LIVE)


def test_each_live_state_is_looked_up_in_the_end() -> None:
    assert {
        "submitting": timedelta(minutes=10),
        "processing": timedelta(days=10),
        "requires_action": timedelta(days=1),
    } == LOOK_UP_AFTER


def test_the_next_attempt_has_the_next_number_and_its_own_key() -> None:
    second = contribution(attempts=[attempt(1, state="failed")])
    made = next_attempt(second, "pm_2", "bacs_debit", 7_000, NOW)
    assert made == Attempt(
        id=attempt_id(second.id, 2),
        number=2,
        amount_pence=7_000,
        method="pm_2",
        method_kind="bacs_debit",
        started_at=NOW,
    )
    assert next_attempt(contribution(), "pm_2", "card", 1, NOW).id == attempt_id(contribution().id, 1)


def test_a_contribution_clears_with_the_last_of_its_money() -> None:
    assert contribution().clears_at() is None
    first, last = settled(1, clears_at=NOW), settled(2, clears_at=NOW + DAY)
    assert contribution(attempts=[last, first]).clears_at() == NOW + DAY
    taken_back = last.with_(in_pot_pence=0)
    assert contribution(attempts=[first, taken_back]).clears_at() == NOW
    assert contribution(attempts=[first, settled(3, clears_at=None)]).clears_at() == NOW
    assert contribution(attempts=[taken_back]).clears_at() is None
    assert contribution(attempts=[first], credit_clears_at=NOW + 2 * DAY).clears_at() == NOW + 2 * DAY
    assert contribution(credit_clears_at=NOW).clears_at() == NOW


def test_the_fee_on_top_is_asked_for_until_it_came() -> None:
    due = due_contribution("grp", 1, "ada", "ben", 5_000, date(2027, 4, 5), frozenset(), 30)
    assert (due.added_fee_pence, due.fee_left_pence) == (30, 30)
    first = next_attempt(due, "pm_1", "card", 5_000, NOW)
    assert (first.amount_pence, first.added_fee_pence) == (5_030, 30)
    part = due.with_attempt(first.with_(state="settled", fee_held_pence=20))
    assert part.fee_left_pence == 10
    second = next_attempt(part, "pm_1", "card", 100, NOW)
    assert (second.amount_pence, second.added_fee_pence) == (110, 10)
    assert part.with_attempt(second.with_(fee_held_pence=11)).fee_left_pence == 0


# --- the ladder ---------------------------------------------------------------------------------------------


def after_failures(count: int, **changes: Any) -> Contribution:
    return contribution(
        attempts=[attempt(number, state="failed") for number in range(1, count + 1)], **changes
    )


@pytest.mark.parametrize("failure", ["soft_decline", "processor_error"])
@pytest.mark.parametrize(("failed", "days"), [(1, 1), (2, 3), (3, 5)])
def test_what_may_pass_is_tried_again_on_a_ladder(failure: FailureKind, failed: int, days: int) -> None:
    assert retry_at(after_failures(failed), failure, NOW) == NOW + timedelta(days=days)


@pytest.mark.parametrize("failure", ["soft_decline", "processor_error"])
def test_the_ladder_ends(failure: FailureKind) -> None:
    assert retry_at(after_failures(len(RETRY_AFTER_DAYS) + 1), failure, NOW) is None


def test_only_failures_are_rungs_of_the_ladder() -> None:
    mixed = after_failures(1).with_attempt(attempt(9, state="cancelled"))
    assert retry_at(mixed, "soft_decline", NOW) == NOW + DAY


@pytest.mark.parametrize(
    "failure", ["hard_decline", "authentication_required", "mandate_cancelled", "method_invalid", None]
)
def test_what_needs_the_person_is_never_tried_again_by_ourselves(failure: FailureKind | None) -> None:
    assert retry_at(after_failures(1), failure, NOW) is None


@tried
@given(st.integers(1, 8), st.sampled_from(["soft_decline", "processor_error", "hard_decline"]))
def test_the_ladder_is_bounded_and_ahead_of_now(failed: int, failure: FailureKind) -> None:
    again = retry_at(after_failures(failed), failure, NOW)
    assert again is None or NOW < again <= NOW + 5 * DAY
    assert (again is None) == (failure == "hard_decline" or failed > 3)


@pytest.mark.parametrize(
    ("last", "waits"),
    [
        (attempt(state="failed", failure="mandate_cancelled"), True),
        (attempt(state="failed", failure="hard_decline"), True),
        (attempt(state="failed", failure="soft_decline"), False),  # on the ladder
        (attempt(state="failed", failure="hard_decline", method="pm_2"), False),  # they have another by now
        (attempt(state="cancelled"), True),
        (attempt(state="cancelled", method="pm_2"), False),
        (attempt(state="processing"), False),
        (settled(), False),
        (settled(state="refunded", taken_back_pence=AMOUNT), True),  # its money went back
        (settled(state="won"), False),
    ],
)
def test_a_method_that_failed_for_good_waits_for_another(last: Attempt, waits: bool) -> None:
    assert waits_for_another_method(contribution(attempts=[last]), "pm_1") is waits
    assert not waits_for_another_method(contribution(attempts=[last], pay_now=True), "pm_1")


def test_the_latest_attempt_says_whether_another_method_is_needed() -> None:
    good, bad = attempt(1, state="failed", failure="soft_decline"), attempt(2, state="cancelled")
    assert waits_for_another_method(contribution(attempts=[good, bad]), "pm_1")
    assert not waits_for_another_method(contribution(), "pm_1")


def test_a_ladder_that_has_ended_waits_for_the_person() -> None:
    soft = [attempt(number, state="failed", failure="soft_decline") for number in range(1, 5)]
    assert not waits_for_another_method(contribution(attempts=soft[:3]), "pm_1")
    assert waits_for_another_method(contribution(attempts=soft), "pm_1")


@pytest.mark.parametrize(
    ("last", "waits"),
    [
        (attempt(state="failed", failure="soft_decline"), False),
        (attempt(state="failed", failure="processor_error"), False),
        (attempt(state="failed", failure="hard_decline"), True),
        (attempt(state="failed", failure="mandate_cancelled"), True),
        (attempt(state="cancelled", failure="authentication_required"), True),
        (settled(state="disputed", taken_back=["txn_2"], taken_back_pence=AMOUNT), False),
    ],
)
def test_a_plan_tries_once_more_what_failed_for_want_of_money(last: Attempt, waits: bool) -> None:
    planned = contribution(attempts=[last], planned_at=last.started_at + DAY)
    assert waits_for_another_method(planned, "pm_1") is waits
    again = attempt(2, state="failed", failure="soft_decline", started_at=last.started_at + 2 * DAY)
    assert not waits_for_another_method(planned.with_attempt(again), "pm_1")


def test_a_plan_has_a_ladder_of_its_own() -> None:
    before = [attempt(number, state="failed", failure="soft_decline") for number in range(1, 5)]
    planned = contribution(attempts=before, planned_at=before[0].started_at + DAY)
    after = [one.with_(number=one.number + 4, id=f"{one.id}_", started_at=NOW + 2 * DAY) for one in before]
    for count, days in ((1, 1), (2, 3), (3, 5)):
        tried_again = planned.with_(attempts=before + after[:count])
        assert retry_at(tried_again, "soft_decline", NOW) == NOW + days * DAY
    assert retry_at(planned.with_(attempts=before + after), "soft_decline", NOW) is None
    assert waits_for_another_method(planned.with_(attempts=before + after), "pm_1")


@tried
@given(st.permutations([1, 2, 3, 4]))
def test_attempts_stand_in_their_order_however_they_come(numbers: list[int]) -> None:
    made = contribution()
    for number in numbers:
        made = made.with_attempt(attempt(number))
    assert [one.number for one in made.attempts] == [1, 2, 3, 4]
