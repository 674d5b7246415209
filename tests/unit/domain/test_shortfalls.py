"""Shortfalls: debts with one debtor and one creditor, and money that pays them, the oldest first."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.ids import debt_id, shard_of, top_up_id
from shared.domain.ledger import HOUSE, RESERVE, Balances, Rows, discrepancies, post
from shared.domain.members import Debt, Member
from shared.domain.payouts import Payout
from shared.domain.shortfalls import (
    Allocation,
    Held,
    LateMoney,
    OwnPot,
    Source,
    new_debt,
    pay_debts,
    top_up_for,
    with_debts,
    without_debts,
)
from tests.unit.domain.things import DAY, DUE, GROUP, NOW, debt, member, posted, tried


def test_a_debt_is_one_cause() -> None:
    assert new_debt("con_1", "pay_1:ben", "ben", 2, DUE, 70) == Debt(
        id=debt_id("con_1", "pay_1:ben"),
        creditor="ben",
        cycle=2,
        contribution="con_1",
        due_date=DUE,
        original_pence=70,
        left_pence=70,
        parts_paid=0,
    )


def test_debts_are_added_replaced_and_taken_away_by_their_id() -> None:
    first, second = debt("ben", 70), debt(HOUSE, 30)
    owing = with_debts(member(), [first, second])
    assert owing == member("ada", first, second)
    smaller = first.with_(left_pence=20)
    assert with_debts(owing, [smaller]) == member("ada", smaller, second)
    assert without_debts(owing, [first.id]) == member("ada", second)
    assert without_debts(owing, iter([second.id, "dbt_other"])) == member("ada", first)
    assert without_debts(owing, []) == owing


def test_a_top_up_brings_a_part_of_a_debt_to_its_creditor() -> None:
    owed = debt("ben", 100, cycle=2, left_pence=40, parts_paid=3)
    own_id = top_up_id(owed.id, 3)
    assert top_up_for(GROUP, owed, 60, NOW) == Payout(
        id=own_id,
        shard=shard_of(own_id),
        group=GROUP,
        kind="top_up",
        cycle=2,
        number=3,
        recipient="ben",
        state="reserved",
        amount_pence=60,
        pay_date=owed.due_date,
        act_at=NOW,
        cause=owed.id,
    )


# --- paying debts -------------------------------------------------------------------------------------------

OLD = debt(HOUSE, 50, cycle=1)
MIDDLE = debt("ben", 100, cycle=2)
NEW = debt(RESERVE, 30, cycle=3)


def test_money_pays_the_oldest_debt_first_whomever_it_is_owed_to() -> None:
    owing = member("ada", NEW, MIDDLE, OLD)
    after_middle = MIDDLE.with_(left_pence=10, parts_paid=1)
    top_up = top_up_for(GROUP, after_middle, 90, NOW + DAY)
    assert pay_debts(owing, 140, LateMoney("stripe"), act_at=NOW + DAY) == Allocation(
        member=member("ada", NEW, after_middle, OLD.with_(left_pence=0, parts_paid=1)),
        paid={OLD.id: 50, MIDDLE.id: 90},
        rows=[
            (HOUSE, "debt:ada", 50),
            ("cash:stripe", f"payable:{top_up.id}", 90),
            ("owed:ben", "debt:ada", 90),
        ],
        top_ups=[top_up],
        left_pence=0,
    )


def test_what_no_debt_takes_is_left_over() -> None:
    paid = pay_debts(member("ada", NEW, MIDDLE, OLD), 200, LateMoney("stripe"), act_at=NOW)
    assert (paid.left_pence, paid.member.owes_pence()) == (20, 0)
    assert paid.paid == {OLD.id: 50, MIDDLE.id: 100, NEW.id: 30}
    assert paid.rows[-2:] == [("cash:stripe", RESERVE, 30), ("owed:reserve", "debt:ada", 30)]
    nothing = pay_debts(member(), 70, LateMoney("stripe"), act_at=NOW)
    assert nothing == Allocation(member=member(), left_pence=70)


def test_no_money_pays_nothing() -> None:
    owing = member("ada", OLD)
    assert pay_debts(owing, 0, LateMoney("stripe"), act_at=NOW) == Allocation(member=owing)


def test_each_part_of_a_debt_has_a_top_up_of_its_own() -> None:
    first = pay_debts(member("ada", MIDDLE), 60, LateMoney("stripe"), act_at=NOW)
    second = pay_debts(first.member, 60, LateMoney("stripe"), act_at=NOW)
    assert [one.amount_pence for one in (*first.top_ups, *second.top_ups)] == [60, 40]
    assert first.top_ups[0].id == top_up_id(MIDDLE.id, 1)
    assert second.top_ups[0].id == top_up_id(MIDDLE.id, 2)
    assert second.left_pence == 20


@pytest.mark.parametrize(
    ("source", "creditor", "expected"),
    [
        (LateMoney("stripe"), HOUSE, {"house": "debit", "debt:ada": "credit"}),
        (
            LateMoney("stripe"),
            RESERVE,
            {"cash:stripe": "debit", "reserve": "credit", "owed:reserve": "debit", "debt:ada": "credit"},
        ),
        (
            LateMoney("stripe"),
            "ben",
            {"cash:stripe": "debit", "payable:T": "credit", "owed:ben": "debit", "debt:ada": "credit"},
        ),
        (
            OwnPot("stripe", 4),
            HOUSE,
            {"pot:4": "debit", "cash:stripe": "credit", "house": "debit", "debt:ada": "credit"},
        ),
        (
            OwnPot("stripe", 4),
            RESERVE,
            {"pot:4": "debit", "reserve": "credit", "owed:reserve": "debit", "debt:ada": "credit"},
        ),
        (
            OwnPot("stripe", 4),
            "ben",
            {"pot:4": "debit", "payable:T": "credit", "owed:ben": "debit", "debt:ada": "credit"},
        ),
        (
            Held("stripe", "credit:ada"),
            HOUSE,
            {"credit:ada": "debit", "cash:stripe": "credit", "house": "debit", "debt:ada": "credit"},
        ),
        (
            Held("stripe", "credit:ada"),
            RESERVE,
            {"credit:ada": "debit", "reserve": "credit", "owed:reserve": "debit", "debt:ada": "credit"},
        ),
        (
            Held("stripe", "credit:ada"),
            "ben",
            {"credit:ada": "debit", "payable:T": "credit", "owed:ben": "debit", "debt:ada": "credit"},
        ),
        (Held("stripe", RESERVE), RESERVE, {"owed:reserve": "debit", "debt:ada": "credit"}),
    ],
)
def test_each_source_has_a_row_for_each_kind_of_creditor(
    source: Source, creditor: str, expected: dict[str, str]
) -> None:
    paid = pay_debts(member("ada", debt(creditor, 25)), 25, source, act_at=NOW)
    top_up = paid.top_ups[0].id if paid.top_ups else "none"
    named = {account.replace("T", top_up): (side, 25) for account, side in expected.items()}
    assert posted(paid.rows) == named


SOURCES: list[tuple[Source, Rows]] = [
    (LateMoney("stripe"), []),
    (OwnPot("stripe", 4), [("cash:stripe", "pot:4", 10**6)]),
    (Held("stripe", "credit:ada"), [("cash:stripe", "credit:ada", 10**6)]),
]
owed_rows = st.lists(
    st.tuples(
        st.sampled_from([HOUSE, RESERVE, "ben", "cy"]),
        st.integers(1, 5_000),
        st.dates(date(2027, 1, 1), date(2027, 3, 1)),
    ),
    max_size=6,
)


def owing_these(rows: list[tuple[str, int, date]]) -> Member:
    debts = [
        debt(creditor, pence, cause=str(place), due_date=due)
        for place, (creditor, pence, due) in enumerate(rows)
    ]
    return member("ada", *debts)


@tried
@given(owed_rows, st.integers(0, 20_000), st.sampled_from(SOURCES))
def test_every_penny_pays_the_oldest_debt_that_is_left(
    rows: list[tuple[str, int, date]], pence: int, source: tuple[Source, Rows]
) -> None:
    owing = owing_these(rows)
    done = pay_debts(owing, pence, source[0], act_at=NOW)
    assert sum(done.paid.values()) + done.left_pence == pence
    assert done.member.owes_pence() == owing.owes_pence() - sum(done.paid.values())
    whole = [one.id for one in owing.open_debts() if done.paid.get(one.id) == one.left_pence]
    order = [one.id for one in owing.open_debts()]
    assert order[: len(whole)] == whole  # an older debt is never left while a newer one is paid
    assert list(done.paid) == order[: len(done.paid)]
    assert len(done.paid) - len(whole) <= 1
    if done.member.open_debts():
        assert done.left_pence == 0
    to_members = [one for one in owing.open_debts() if one.creditor not in {HOUSE, RESERVE}]
    assert sum(one.amount_pence for one in done.top_ups) == sum(
        done.paid.get(one.id, 0) for one in to_members
    )


@tried
@given(owed_rows, st.integers(0, 20_000), st.sampled_from(SOURCES))
def test_the_books_hold_whoever_is_paid_from_whatever(
    rows: list[tuple[str, int, date]], pence: int, source: tuple[Source, Rows]
) -> None:
    owing = owing_these(rows)
    owed: Rows = [
        ("debt:ada", HOUSE if one.creditor == HOUSE else f"owed:{one.creditor}", one.left_pence)
        for one in owing.debts
    ]
    before = Balances().after(post(owed, source[1]))
    done = pay_debts(owing, pence, source[0], act_at=NOW)
    after = before.after(post(done.rows))
    assert discrepancies(after) == []
    assert after.of("debt:ada") == done.member.owes_pence()
    for creditor in (RESERVE, "ben", "cy"):
        left = sum(one.left_pence for one in done.member.debts if one.creditor == creditor)
        assert after.of(f"owed:{creditor}") == left


@tried
@given(owed_rows, st.integers(0, 9_000), st.integers(0, 9_000))
def test_money_in_two_parts_pays_what_it_would_have_paid_at_once(
    rows: list[tuple[str, int, date]], first: int, second: int
) -> None:
    owing = owing_these(rows)
    source = LateMoney("stripe")
    one = pay_debts(owing, first, source, act_at=NOW)
    two = pay_debts(one.member, second, source, act_at=NOW)
    once = pay_debts(owing, first + second, source, act_at=NOW)
    assert [debt.left_pence for debt in two.member.debts] == [debt.left_pence for debt in once.member.debts]
    assert one.left_pence + two.left_pence == once.left_pence
