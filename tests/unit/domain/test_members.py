"""Members: what is owed in a group, oldest first."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.members import member_ref
from tests.unit.domain.things import debt, member, tried


def test_the_oldest_debt_is_first_then_the_lower_cycle_then_the_id() -> None:
    old = debt("ben", 5, cycle=3, due_date=date(2027, 1, 1))
    lower, higher = (
        debt("ben", 5, cycle=1),
        debt("ben", 5, cycle=2, due_date=debt("ben", 5, cycle=1).due_date),
    )
    a, b = lower.with_(id="dbt_a"), lower.with_(id="dbt_b")
    over = debt("ben", 5, cycle=1, due_date=date(2026, 1, 1), left_pence=0)
    owing = member("ada", higher, b, over, a, old)
    assert owing.open_debts() == [old, a, b, higher]
    assert owing.owes_pence() == 20


def test_who_owes_nothing() -> None:
    assert member().owes_pence() == 0
    assert member("ada", debt("ben", 5, left_pence=0)).open_debts() == []


def test_a_membership_has_its_address() -> None:
    owing = member("ada", debt("ben", 5))
    assert owing.path == member_ref("grp_1", "ada").path == "groups/grp_1/members/ada"
    assert member_ref("grp_1", "ada").read(owing.data()) == owing


@tried
@given(st.lists(st.tuples(st.dates(date(2027, 1, 1), date(2027, 2, 1)), st.integers(0, 3)), max_size=8))
def test_open_debts_are_all_that_is_owed_in_the_order_of_their_dates(rows: list[tuple[date, int]]) -> None:
    debts = [
        debt("ben", 5, cause=str(place), due_date=day, left_pence=left)
        for place, (day, left) in enumerate(rows)
    ]
    owing = member("ada", *debts)
    found = owing.open_debts()
    assert [one.due_date for one in found] == sorted(day for day, left in rows if left)
    assert sum(one.left_pence for one in found) == owing.owes_pence() == sum(left for _, left in rows)
