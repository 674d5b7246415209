"""Giving back: each share pays what its owner owes, and the rest is on its way once it has cleared."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.decision import Decision
from shared.domain.giving_back import Share, credit_shares, give_back, reserve_shares
from shared.domain.ids import derived_id, shard_of
from shared.domain.journal import News
from shared.domain.ledger import HOUSE, RESERVE, Balances, discrepancies, overdrawn, post
from shared.domain.members import Member
from shared.domain.payouts import Payout
from shared.domain.shortfalls import top_up_for
from tests.unit.domain.things import (
    DAY,
    GROUP,
    NOW,
    PEOPLE,
    balances,
    debt,
    entered,
    member,
    running,
    tidy,
    tried,
)

GROUP_NOW = running(5).group.with_(revision=7)


def returned(uid: str, what: Any, pence: int, act_at: datetime = NOW) -> Payout:
    own_id = derived_id("pay", GROUP, "return", uid, what, 7)
    return Payout(
        id=own_id,
        shard=shard_of(own_id),
        group=GROUP,
        kind="return",
        cycle=5,
        recipient=uid,
        state="reserved",
        amount_pence=pence,
        pay_date=act_at.date(),
        act_at=act_at,
        cause=what,
    )


def given_back(*shares: Share, people: tuple[Member, ...] = (), cleared_at: datetime = NOW - DAY) -> Decision:
    members = {uid: member(uid) for uid in PEOPLE} | {one.uid: one for one in people}
    return give_back(GROUP_NOW, members, shares, "stripe", cleared_at, NOW)


def test_a_share_of_who_owes_nothing_is_theirs_whole() -> None:
    credit, reserve = returned("ada", "credit", 70), returned("ben", "reserve", 30)
    told = [
        {"member": "ada", "what": "credit", "pence": 70, "returned_pence": 70},
        {"member": "ben", "what": "reserve", "pence": 30, "returned_pence": 30},
    ]
    assert tidy(given_back(("ada", "credit", 70), ("cy", "credit", 0), ("ben", "reserve", 30))) == tidy(
        Decision(
            answer={"shares": told},
            facts=[
                News(
                    id=f"given_back:{GROUP}:7",
                    group=GROUP,
                    type="given_back",
                    payload={"shares": told},
                    entries=post(
                        [
                            ("credit:ada", f"payable:{credit.id}", 70),
                            (RESERVE, f"payable:{reserve.id}", 30),
                        ]
                    ),
                )
            ],
            created=[credit, reserve],
        )
    )


def test_a_share_pays_first_what_its_owner_owes_the_oldest_first() -> None:
    old, new = debt("ben", 50, uid="ada"), debt(HOUSE, 100, uid="ada", cycle=2)
    owing = member("ada", new, old)
    decision = given_back(("ada", "credit", 70), ("ada", "reserve", 90), people=(owing,))
    paid_old = old.with_(left_pence=0, parts_paid=1)
    top_up = top_up_for(GROUP, paid_old, 50, NOW)
    rest = returned("ada", "reserve", 10)
    assert decision.created == [top_up, rest]
    assert decision.changed == [member("ada", new.with_(left_pence=0, parts_paid=2), paid_old)]
    assert decision.answer["shares"] == [
        {"member": "ada", "what": "credit", "pence": 70, "returned_pence": 0},
        {"member": "ada", "what": "reserve", "pence": 90, "returned_pence": 10},
    ]
    assert entered(decision) == {
        "credit:ada": ("debit", 70),
        RESERVE: ("debit", 90),
        f"payable:{top_up.id}": ("credit", 50),
        f"payable:{rest.id}": ("credit", 10),
        "cash:stripe": ("credit", 100),
        "owed:ben": ("debit", 50),
        HOUSE: ("debit", 100),
        "debt:ada": ("credit", 150),
    }


def test_it_goes_when_all_of_it_has_cleared() -> None:
    owing = member("ada", debt("ben", 50, uid="ada"))
    for cleared_at, act_at in ((NOW - DAY, NOW), (NOW + 3 * DAY, NOW + 3 * DAY)):
        decision = given_back(("ada", "credit", 70), people=(owing,), cleared_at=cleared_at)
        assert [one.act_at for one in decision.created] == [act_at, act_at]  # type: ignore[attr-defined]
        assert decision.created[1] == returned("ada", "credit", 20, act_at)


def test_nothing_to_give_decides_nothing() -> None:
    assert given_back(("ada", "credit", 0)) == given_back() == Decision()


def test_each_credit_that_stands_is_its_owners_share() -> None:
    stands = balances(("cash:stripe", "credit:ada", 70), ("cash:stripe", "credit:cy", 5))
    assert credit_shares(["ada", "ben"], stands) == [("ada", "credit", 70), ("ben", "credit", 0)]


def reserve_of(pence: int) -> Balances:
    return balances(("cash:stripe", RESERVE, pence))


def test_the_reserve_is_shared_to_the_penny_the_left_over_to_the_earliest_turns() -> None:
    assert reserve_shares(running(5).group, reserve_of(102)) == [
        ("ada", "reserve", 21),
        ("ben", "reserve", 21),
        ("cy", "reserve", 20),
        ("dee", "reserve", 20),
        ("eve", "reserve", 20),
    ]


def test_only_those_whose_pots_it_was_withheld_from_have_a_share() -> None:
    group = running(5).group
    group = group.with_(terms=group.terms.with_(cycles_done=1))
    schedule = list(group.schedule)
    schedule[1] = schedule[1].with_(fell_away=True)
    schedule[4] = schedule[4].with_(recipient=None)
    shared = reserve_shares(group.with_(schedule=schedule), reserve_of(7))
    assert shared == [("cy", "reserve", 4), ("dee", "reserve", 3)]


def test_an_empty_reserve_or_a_circle_without_pots_shares_nothing() -> None:
    assert reserve_shares(running(5).group, Balances()) == []
    assert reserve_shares(running(5).group.with_(schedule=[]), reserve_of(7)) == []


@tried
@given(
    st.lists(
        st.tuples(st.sampled_from(PEOPLE), st.integers(0, 9_000)), max_size=5, unique_by=lambda one: one[0]
    ),
    st.integers(0, 30_000),
    st.dictionaries(st.sampled_from(PEOPLE), st.integers(1, 9_000)),
)
def test_every_penny_of_the_shares_is_paid_or_returned_and_the_books_hold(
    credits_: list[tuple[str, int]], reserve: int, owed: dict[str, int]
) -> None:
    people = tuple(member(uid, debt(HOUSE, pence, uid=uid)) for uid, pence in owed.items())
    rows = [("cash:stripe", f"credit:{uid}", pence) for uid, pence in credits_]
    rows += [(f"debt:{uid}", HOUSE, pence) for uid, pence in owed.items()]
    before = balances(*rows, ("cash:stripe", RESERVE, reserve))
    shares = [*credit_shares([uid for uid, _ in credits_], before), *reserve_shares(GROUP_NOW, before)]
    decision = given_back(*shares, people=people)
    after = before
    for fact in decision.facts:
        after = before.after(fact.entries)
    assert discrepancies(after) == []
    assert overdrawn(after) == []
    assert (after.of(RESERVE), after.total("credit")) == (0, 0)
    sent = sum(one.amount_pence for one in decision.created if isinstance(one, Payout))
    assert after.total("payable") == sent
    repaid = sum(owed.values()) - after.total("debt")
    assert sum(pence for _, _, pence in shares) == sent + repaid


def test_the_parts_of_all_are_different_documents() -> None:
    decision = given_back(*((uid, what, 5) for uid in PEOPLE for what in ("credit", "reserve")))
    assert len({one.path for one in decision.created}) == 10


@pytest.mark.parametrize("what", ["credit", "reserve"])
def test_a_return_says_what_it_is_of(what: Any) -> None:
    (made,) = given_back(("ada", what, 5)).created
    assert made == returned("ada", what, 5)
