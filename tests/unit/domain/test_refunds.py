"""Refunds: a contribution is given back whole while its pot is there, and a failed one is credit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.domain.approvals import Approval
from shared.domain.contributions import Contribution
from shared.domain.decision import Decision
from shared.domain.errors import NothingToGiveBack, TwoPeopleNeeded, UnknownObject
from shared.domain.journal import News
from shared.domain.ledger import HOUSE, post
from shared.domain.members import Member
from shared.domain.refunds import ask, came_back, give_up
from tests.unit.domain.things import (
    AMOUNT,
    NOW,
    contribution,
    debt,
    entered,
    member,
    money,
    nobody,
    paid,
    posted,
    same,
    settled,
    tidy,
)


@pytest.mark.parametrize("state", ["settled", "won"])
def test_a_refund_is_recorded_before_the_processor_is_asked(state: str) -> None:
    had = paid(attempts=[settled(1, in_pot_pence=0), settled(2, state=state)])
    assert ask(had, "moved away") == Decision(
        answer={"attempt": "att_2", "asking": "refund_asked:att_2:0"},
        facts=[
            News(
                id="refund_asked:att_2:0",
                group=had.group,
                type="refund_asked",
                payload={
                    "contribution": had.id,
                    "member": "ada",
                    "attempt": "att_2",
                    "pence": AMOUNT,
                    "reason": "moved away",
                    "approval": None,
                },
            )
        ],
        changed=[
            had.with_(
                attempts=[
                    settled(1, in_pot_pence=0),
                    settled(2, state=state, refunding="refund_asked:att_2:0"),
                ]
            )
        ],
    )


def test_the_fee_on_top_goes_back_with_all_that_it_came_with() -> None:
    brought = settled(settled_pence=AMOUNT + 30, fee_held_pence=30)
    assert ask(paid(attempts=[brought]), "x").facts[0].payload["pence"] == AMOUNT + 30
    part = brought.with_(settled_pence=AMOUNT + 31)  # a penny of it is credit
    assert ask(paid(attempts=[part]), "x").facts[0].payload["pence"] == AMOUNT


def consent(**changes: Any) -> Approval:
    made = Approval(
        id="apr_1",
        group="grp_1",
        kind="refund",
        about=paid().id,
        payload={"pence": AMOUNT},
        asked_by="una",
        asked_at=NOW,
        expires_at=NOW,
        state="carried_out",
        consents=[],
    )
    return made.with_(**changes)


def test_above_a_threshold_two_people_give_back() -> None:
    below = AMOUNT - 1
    assert ask(paid(), "x", consent(), below).facts[0].payload["approval"] == "apr_1"
    assert ask(paid(), "x", None, AMOUNT).facts
    for given in (
        None,
        consent(kind="reversal"),
        consent(about="con_2"),
        consent(state="open"),
        consent(payload={"pence": below}),
    ):
        with pytest.raises(TwoPeopleNeeded) as refused:
            ask(paid(), "x", given, below)
        assert refused.value.facts == {"pence": AMOUNT, "above_pence": below}


def test_a_consent_is_good_once_and_again_where_nothing_came_of_it() -> None:
    below = AMOUNT - 1
    (asked,) = ask(paid(), "x", consent(), below).changed
    assert isinstance(asked, Contribution)
    (over,) = give_up(asked, "att_1", asked.attempts[0].refunding or "").changed
    assert over == paid()
    gone = asked.attempts[0].with_(number=0, id="att_0", state="refunded", in_pot_pence=0, refunding=None)
    with pytest.raises(TwoPeopleNeeded):
        ask(paid(attempts=[gone, settled()]), "x", consent(), below)


def test_a_refund_that_failed_pays_the_fee_on_top_anew() -> None:
    whole = AMOUNT + 30
    gone = settled(state="refunded", settled_pence=whole, added_fee_pence=30, taken_back_pence=whole)
    had = contribution(added_fee_pence=30, attempts=[gone])
    decision = came_back(had, "att_1", money(AMOUNT + 30, fee_pence=0), member, nobody, NOW)
    assert entered(decision) == posted(
        [("cash:stripe", "credit:ada", AMOUNT), ("house", "fees:platform", 30)]
    )
    back = gone.with_(won_back=["txn_9"], fee_held_pence=30, taken_back_pence=0)
    assert decision.changed == [had.with_(attempts=[back]), member()]


def test_a_refund_that_failed_covers_the_older_contribution_that_it_pays() -> None:
    older = contribution(cycle=1, state="short", counted_in="pay_1")
    had = contribution(cycle=2, attempts=[settled(state="refunded", taken_back_pence=AMOUNT)])
    owing = member("ada", debt("ben", AMOUNT, cycle=1))
    decision = came_back(had, "att_1", money(fee_pence=0), lambda: owing, {older.id: older}.__getitem__, NOW)
    assert decision.changed[0] == older.with_(state="covered", act_at=None)


def test_a_refund_that_failed_of_what_the_bank_took_as_well_brings_no_fee() -> None:
    gone = settled(
        state="disputed", settled_pence=AMOUNT + 30, added_fee_pence=30, taken_back_pence=2 * (AMOUNT + 30)
    )
    had = contribution(added_fee_pence=30, attempts=[gone])
    decision = came_back(had, "att_1", money(AMOUNT + 30, fee_pence=0), member, nobody, NOW)
    assert entered(decision) == posted([("cash:stripe", "credit:ada", AMOUNT + 30)])


def test_a_refund_that_failed_pays_what_its_payer_owes_first() -> None:
    """The bank had taken the same money before: they owed it to the house, and had it as credit."""
    gone = settled(state="disputed", taken_back_pence=2 * AMOUNT)
    had = contribution(attempts=[gone])
    decision = came_back(
        had, "att_1", money(fee_pence=0), lambda: member("ada", debt(HOUSE, 4_000)), nobody, NOW
    )
    assert entered(decision) == posted(
        [("house", "debt:ada", 4_000), ("cash:stripe", "credit:ada", AMOUNT - 4_000)]
    )
    (after, owing) = decision.changed
    assert isinstance(after, Contribution)
    assert isinstance(owing, Member)
    assert (after.attempts[0].taken_back_pence, owing.owes_pence()) == (AMOUNT, 0)


def test_who_asks_twice_is_told_the_same() -> None:
    asked = paid(attempts=[settled(refunding="refund_asked:att_1:3")])
    assert ask(asked, "again") == Decision(answer={"attempt": "att_1", "asking": "refund_asked:att_1:3"})


def test_what_a_pot_was_given_with_is_not_taken_back_from_its_recipient() -> None:
    with pytest.raises(NothingToGiveBack) as refused:
        ask(paid(counted_in="pay_1"), "late")
    assert refused.value.facts == {"why": "the pot was given to its recipient"}


@pytest.mark.parametrize(
    "empty",
    [
        contribution(),
        contribution(attempts=[settled(in_pot_pence=0)]),
        paid(attempts=[settled(state="disputed")]),
    ],
    ids=["nothing paid", "nothing in the pot", "disputed"],
)
def test_nothing_in_the_pot_cannot_be_given_back(empty: object) -> None:
    with pytest.raises(NothingToGiveBack) as refused:
        ask(empty, "x")  # type: ignore[arg-type]
    assert refused.value.facts == {"why": "no money of this contribution is in the pot"}


def test_where_the_processor_refused_the_money_stays() -> None:
    had = paid(attempts=[settled(refunding="refund_asked:att_1:3")])
    assert give_up(had, "att_1", "refund_asked:att_1:3") == Decision(changed=[paid(attempts=[settled()])])
    assert give_up(had, "att_1", "refund_asked:att_1:1") == Decision()  # long over
    assert give_up(paid(), "att_1", "refund_asked:att_1:3") == Decision()


@pytest.mark.parametrize(
    ("fee_pence", "row"),
    [(40, ("fees:processor", "house", 40)), (-15, ("house", "fees:processor", 15)), (0, None)],
)
def test_a_refund_that_failed_is_the_payers_credit_once(
    fee_pence: int, row: tuple[str, str, int] | None
) -> None:
    gone = settled(state="refunded", won_back=["txn_0"], taken_back_pence=AMOUNT)
    had = contribution(attempts=[gone])
    what = money(fee_pence=fee_pence)
    decision = came_back(had, "att_1", what, member, nobody, NOW)
    after = had.with_(attempts=[settled(state="refunded", won_back=["txn_0", "txn_9"])])
    assert tidy(decision) == same(
        answer={"state": "due"},
        facts=[
            News(
                id="txn_9",
                group=had.group,
                type="refund_failed",
                payload={
                    "contribution": had.id,
                    "cycle": 1,
                    "member": "ada",
                    "attempt": "att_1",
                    "collection": "pi_1",
                    "pence": AMOUNT,
                    "fee_pence": fee_pence,
                    "clears_at": what.clears_at.isoformat(),
                    "source": "ch_1",
                },
                entries=post([("cash:stripe", "credit:ada", AMOUNT)], [row] if row else []),
            )
        ],
        changed=[after, member()],
    )
    assert came_back(after, "att_1", what, nobody, nobody, NOW) == Decision(answer={"state": "due"})


def test_an_attempt_that_nobody_made_is_refused() -> None:
    asks: list[Callable[[], Decision]] = [
        lambda: give_up(paid(), "att_9", "x"),
        lambda: came_back(paid(), "att_9", money(), nobody, nobody, NOW),
    ]
    for refused_by in asks:
        with pytest.raises(UnknownObject) as refused:
            refused_by()
        assert refused.value.facts == {"thing": "collection with attempt", "reference": "att_9"}
