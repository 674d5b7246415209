"""Money in and money back: the row is read off the contribution's stamp, and old news changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.contributions import METHOD_RECHECK, Attempt, Contribution
from shared.domain.decision import Decision
from shared.domain.errors import Mismatch, UnknownObject, UnknownTransition
from shared.domain.journal import News
from shared.domain.ledger import HOUSE, RESERVE, Balances, discrepancies, overdrawn, post
from shared.domain.members import Member
from shared.domain.payouts import PARKED_RECHECK
from shared.domain.settlement import Money, lose, progress, settle, take_back, win_back, with_fee
from shared.domain.shortfalls import top_up_for
from shared.domain.words import AttemptState
from tests.unit.domain.things import (
    AMOUNT,
    DAY,
    NOW,
    attempt,
    balances,
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
    tried,
)


def fact(
    type_: str, of: Contribution, what: Money, *rows: tuple[str, str, int], attempt_id: str = "att_1"
) -> News:
    return News(
        id=what.movement,
        group=of.group,
        type=type_,
        payload={
            "contribution": of.id,
            "cycle": of.cycle,
            "member": of.uid,
            "attempt": attempt_id,
            "collection": what.collection,
            "pence": what.pence,
            "fee_pence": what.fee_pence,
            "clears_at": what.clears_at.isoformat(),
            "source": what.source,
        },
        entries=post(list(rows)),
    )


def as_settled(of: Attempt, what: Money, in_pot_pence: int) -> Attempt:
    return of.with_(
        state="settled",
        reference=what.collection,
        movement=what.movement,
        settled_pence=what.pence,
        clears_at=what.clears_at,
        action_url=None,
        in_pot_pence=in_pot_pence,
    )


FEE = ("fees:processor", "house", 40)


# --- money in -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["submitting", "requires_action", "processing"])
def test_money_in_goes_into_the_pot_and_covers_the_contribution(state: str) -> None:
    live = attempt(state=state, action_url="https://bank.example/confirm")
    due, what = contribution(attempts=[live]), money()
    assert tidy(settle(due, "att_1", what, nobody, nobody, NOW)) == same(
        answer={"state": "covered"},
        facts=[fact("contribution_settled", due, what, ("cash:stripe", "pot:1", AMOUNT), FEE)],
        changed=[
            due.with_(
                state="covered",
                act_at=None,
                in_pot_pence=AMOUNT,
                attempts=[as_settled(live, what, AMOUNT)],
            )
        ],
    )


def test_a_part_leaves_it_due() -> None:
    live = attempt(state="processing", amount_pence=4_000)
    due, what = contribution(attempts=[live]), money(4_000)
    decision = settle(due, "att_1", what, nobody, nobody, NOW)
    assert decision.answer == {"state": "due"}
    assert decision.changed == [due.with_(in_pot_pence=4_000, attempts=[as_settled(live, what, 4_000)])]


def test_what_the_pot_does_not_lack_is_credit() -> None:
    live = attempt(2, state="processing")
    due, what = contribution(in_pot_pence=7_000, attempts=[live]), money(fee_pence=0)
    decision = settle(due, "att_2", what, nobody, nobody, NOW)
    assert decision.facts == [
        fact(
            "contribution_settled",
            due,
            what,
            ("cash:stripe", "pot:1", 3_000),
            ("cash:stripe", "credit:ada", 7_000),
            attempt_id="att_2",
        )
    ]
    assert decision.changed[0] == due.with_(
        state="covered", act_at=None, in_pot_pence=AMOUNT, attempts=[as_settled(live, what, 3_000)]
    )


def test_money_for_what_stands_apart_is_all_credit() -> None:
    live = attempt(state="processing")
    apart = contribution(state="waived", apart=True, attempts=[live])
    decision = settle(apart, "att_1", money(), nobody, nobody, NOW)
    assert entered(decision) == posted([("cash:stripe", "credit:ada", AMOUNT), FEE])
    assert decision.answer == {"state": "waived"}


def test_a_fee_that_came_back_is_the_houses() -> None:
    due = contribution(attempts=[attempt(state="processing")])
    decision = settle(due, "att_1", money(fee_pence=-15), nobody, nobody, NOW)
    assert entered(decision) == posted([("cash:stripe", "pot:1", AMOUNT), ("house", "fees:processor", 15)])


@pytest.mark.parametrize("state", ["settled", "refunded", "disputed", "won", "lost"])
def test_the_same_money_again_decides_nothing(state: str) -> None:
    had = paid(attempts=[settled(state=state)])
    assert settle(had, "att_1", money(movement="txn_1"), nobody, nobody, NOW) == Decision(
        answer={"state": "covered"}
    )
    with pytest.raises(Mismatch) as refused:
        settle(had, "att_1", money(movement="txn_2"), nobody, nobody, NOW)
    assert refused.value.facts == {"what": "movement", "theirs": "txn_2", "ours": "txn_1"}


def test_another_amount_than_asked_for_is_refused() -> None:
    due = contribution(attempts=[attempt()])
    with pytest.raises(Mismatch) as refused:
        settle(due, "att_1", money(AMOUNT + 1), nobody, nobody, NOW)
    assert refused.value.facts == {"what": "amount", "theirs": AMOUNT + 1, "ours": AMOUNT}


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_money_of_an_attempt_that_ended_is_refused(state: str) -> None:
    with pytest.raises(UnknownTransition):
        settle(contribution(attempts=[attempt(state=state)]), "att_1", money(), nobody, nobody, NOW)


def test_an_attempt_that_nobody_made_is_refused() -> None:
    asks: list[Callable[[Contribution], Decision]] = [
        lambda of: settle(of, "att_9", money(), nobody, nobody, NOW),
        lambda of: win_back(of, "att_9", money(), nobody, nobody, NOW),
        lambda of: take_back(of, "att_9", "refunded", money(), nobody, nobody, NOW),
        lambda of: lose(of, "att_9"),
        lambda of: progress(of, "att_9", "failed", None, NOW),
    ]
    for ask in asks:
        with pytest.raises(UnknownObject) as refused:
            ask(paid())
        assert refused.value.facts == {"thing": "collection with attempt", "reference": "att_9"}


# --- money in after the reservation -------------------------------------------------------------------------


def short(uid: str = "ada", cycle: int = 1, **changes: Any) -> Contribution:
    return contribution(uid, cycle, state="short", counted_in="pay_1", **changes)


def test_late_money_pays_the_recipient_who_received_less() -> None:
    live = attempt(state="processing")
    late, what = short(attempts=[live]), money()
    owed = debt("ben", AMOUNT)
    after = owed.with_(left_pence=0, parts_paid=1)
    top_up = top_up_for(late.group, after, AMOUNT, what.clears_at)
    assert tidy(settle(late, "att_1", what, lambda: member("ada", owed), nobody, NOW)) == same(
        answer={"state": "covered"},
        facts=[
            fact(
                "contribution_settled",
                late,
                what,
                ("cash:stripe", f"payable:{top_up.id}", AMOUNT),
                ("owed:ben", "debt:ada", AMOUNT),
                FEE,
            )
        ],
        changed=[
            late.with_(state="covered", act_at=None, attempts=[as_settled(live, what, 0)]),
            member("ada", after),
        ],
        created=[top_up],
    )


def test_a_top_up_is_sent_when_its_money_has_cleared_or_now_if_it_has() -> None:
    late = short(attempts=[attempt(state="processing")])
    for clears_at, act_at in ((NOW - DAY, NOW), (NOW + DAY, NOW + DAY)):
        what = money(clears_at=clears_at)
        made = settle(late, "att_1", what, lambda: member("ada", debt("ben", AMOUNT)), nobody, NOW)
        assert [one.act_at for one in made.created] == [act_at]  # type: ignore[attr-defined]


def test_late_money_goes_to_the_oldest_debt_and_covers_the_contribution_that_it_was_for() -> None:
    live = attempt(state="processing")
    older, late = short(cycle=1), short(cycle=2, attempts=[live])
    owing = member("ada", debt("cy", AMOUNT, cycle=2), debt("ben", AMOUNT, cycle=1))
    decision = settle(late, "att_1", money(), lambda: owing, {older.id: older}.__getitem__, NOW)
    assert decision.answer == {"state": "short"}
    assert decision.changed[0] == older.with_(state="covered", act_at=None)
    assert decision.changed[1] == late.with_(attempts=[as_settled(live, money(), 0)])
    assert decision.changed[2].owes_pence() == AMOUNT  # type: ignore[attr-defined]
    assert len(decision.changed) == 3


def test_a_contribution_is_covered_with_the_last_of_its_debts() -> None:
    live = attempt(state="processing", amount_pence=6_000)
    late = short(attempts=[live])
    owing = member("ada", debt("ben", 6_000), debt(RESERVE, 4_000))
    decision = settle(late, "att_1", money(6_000), lambda: owing, nobody, NOW)
    assert decision.answer == {"state": "short"}
    assert decision.changed[0].state == "short"  # type: ignore[attr-defined]


def test_a_contribution_that_is_covered_already_stays_so_while_its_debt_to_the_house_is_paid() -> None:
    live = attempt(2, state="processing")
    had = paid(counted_in="pay_1").with_attempt(live)
    decision = settle(had, "att_2", money(), lambda: member("ada", debt(HOUSE, AMOUNT)), nobody, NOW)
    assert decision.answer == {"state": "covered"}
    assert entered(decision) == posted([("house", "debt:ada", AMOUNT), FEE])
    assert [one.path for one in decision.changed] == [had.path, member().path]


def test_late_money_beyond_all_debts_is_credit() -> None:
    live = attempt(state="processing")
    late = short(attempts=[live])
    decision = settle(late, "att_1", money(), lambda: member("ada", debt(HOUSE, 3_000)), nobody, NOW)
    assert entered(decision) == posted(
        [("house", "debt:ada", 3_000), ("cash:stripe", "credit:ada", 7_000), FEE]
    )


# --- disputes that are won or lost --------------------------------------------------------------------------


def disputed(**changes: Any) -> Attempt:
    """An attempt whose money the payer's bank took back."""
    return settled(state="disputed", in_pot_pence=0, taken_back=["txn_2"], taken_back_pence=AMOUNT).with_(
        **changes
    )


def test_a_dispute_that_is_won_brings_the_money_back_into_the_pot() -> None:
    due, what = contribution(attempts=[disputed()]), money(movement="txn_3", fee_pence=-15)
    assert tidy(win_back(due, "att_1", what, nobody, nobody, NOW)) == same(
        answer={"state": "covered"},
        facts=[
            fact("dispute_won", due, what, ("cash:stripe", "pot:1", AMOUNT), ("house", "fees:processor", 15))
        ],
        changed=[
            due.with_(
                state="covered",
                act_at=None,
                in_pot_pence=AMOUNT,
                attempts=[
                    disputed(clears_at=what.clears_at, won_back=["txn_3"]).with_(
                        state="won", in_pot_pence=AMOUNT, taken_back_pence=0
                    )
                ],
            )
        ],
    )


def test_after_the_reservation_it_pays_the_house_back() -> None:
    had = paid(counted_in="pay_1", attempts=[disputed(in_pot_pence=AMOUNT, won_back=["txn_0"])])
    owing = member("ada", debt(HOUSE, AMOUNT))
    decision = win_back(had, "att_1", money(movement="txn_3"), lambda: owing, nobody, NOW)
    assert entered(decision) == posted([("house", "debt:ada", AMOUNT), FEE])
    assert decision.changed[0].attempts[0].won_back == ["txn_0", "txn_3"]  # type: ignore[attr-defined]


def test_what_was_won_back_in_part_leaves_the_rest_taken() -> None:
    due = contribution(attempts=[disputed()])
    for pence, left in ((4_000, 6_000), (AMOUNT + 1, 0)):
        decision = win_back(due, "att_1", money(pence), nobody, nobody, NOW)
        assert decision.changed[0].attempts[0].taken_back_pence == left  # type: ignore[attr-defined]


@pytest.mark.parametrize("state", ["settled", "refunded"])
def test_only_a_dispute_is_won(state: str) -> None:
    with pytest.raises(UnknownTransition):
        win_back(paid(attempts=[settled(state=state)]), "att_1", money(), nobody, nobody, NOW)


@pytest.mark.parametrize("state", ["disputed", "won", "lost"])
def test_a_part_that_comes_back_leaves_the_dispute_as_it_stands(state: str) -> None:
    """The payment was refunded in part before: that part comes at once, whatever becomes of the rest."""
    due = contribution(attempts=[disputed(state=state)])
    for won, left in ((False, state), (True, "won")):
        (after,) = win_back(due, "att_1", money(4_000), nobody, nobody, NOW, won=won).changed
        assert isinstance(after, Contribution)
        assert (after.attempts[0].state, after.in_pot_pence) == (left, 4_000)


@pytest.mark.parametrize(
    ("before", "to", "gone_pence", "after"),
    [
        ("settled", "refunded", 1, "settled"),  # what is left may be disputed
        ("settled", "refunded", AMOUNT, "refunded"),
        ("won", "refunded", AMOUNT, "refunded"),
        ("disputed", "refunded", 2 * AMOUNT, "disputed"),  # the bank has the last word
        ("lost", "refunded", 2 * AMOUNT, "lost"),
        ("refunded", "refunded", AMOUNT, "refunded"),  # one that had failed, again
        ("settled", "disputed", 1, "disputed"),
        ("refunded", "disputed", 2 * AMOUNT, "disputed"),
        ("disputed", "disputed", AMOUNT, "disputed"),  # a second one, of the rest
        ("won", "disputed", AMOUNT, "disputed"),
        ("lost", "disputed", AMOUNT, "disputed"),
    ],
)
def test_the_state_of_an_attempt_once_money_is_gone(
    before: AttemptState, to: Literal["refunded", "disputed"], gone_pence: int, after: AttemptState
) -> None:
    one = settled(state=before, in_pot_pence=0, taken_back_pence=gone_pence - 1)
    decision = take_back(
        contribution(attempts=[one]), "att_1", to, money(1, fee_pence=0), member, Balances, NOW
    )
    changed = decision.changed[0]
    assert isinstance(changed, Contribution)
    assert (changed.attempts[0].state, changed.attempts[0].taken_back_pence) == (after, gone_pence)


def test_no_more_is_refunded_than_came() -> None:
    had = contribution(attempts=[settled(state="refunded", in_pot_pence=0, taken_back_pence=AMOUNT)])
    with pytest.raises(Mismatch) as refused:
        take_back(had, "att_1", "refunded", money(1), member, Balances, NOW)
    assert refused.value.facts == {"what": "refunded amount", "theirs": AMOUNT + 1, "ours": AMOUNT}


def test_what_was_taken_twice_brings_no_fee_on_top_when_it_comes_back_once() -> None:
    """They have the refund still: the house has its own money again, and not a fee (seed 63)."""
    twice = disputed(taken_back_pence=AMOUNT + 30 + 1_000, settled_pence=AMOUNT + 30, added_fee_pence=30)
    had = paid(counted_in="pay_1", added_fee_pence=30, attempts=[twice])
    owing = member("ada", debt(HOUSE, 1_000))
    decision = win_back(had, "att_1", money(1_000, fee_pence=0), lambda: owing, nobody, NOW)
    assert entered(decision) == posted([("house", "debt:ada", 1_000)])


def test_a_dispute_that_is_lost_posts_nothing() -> None:
    due = contribution(attempts=[disputed()])
    assert lose(due, "att_1") == Decision(
        answer={"state": "due", "attempt": "lost"},
        facts=[
            News(
                id="dispute_lost:att_1:1",
                group=due.group,
                type="dispute_lost",
                payload={"contribution": due.id, "cycle": 1, "member": "ada", "attempt": "att_1"},
            )
        ],
        changed=[due.with_(attempts=[disputed().with_(state="lost")])],
    )


@pytest.mark.parametrize("state", ["settled", "won", "lost"])
def test_news_of_a_lost_dispute_that_is_none_changes_nothing(state: str) -> None:
    assert lose(paid(attempts=[settled(state=state)]), "att_1") == Decision(answer={"state": "covered"})


# --- money back ---------------------------------------------------------------------------------------------


def test_while_a_part_is_left_that_we_asked_for_its_pot_waits_on() -> None:
    """The part went back on the processor's own page."""
    had = paid(attempts=[settled(refunding="refund_asked:att_1:3")])
    for pence, movement, left in ((AMOUNT - 1, "txn_8", 1), (1, "txn_9", 0)):
        (had, *_) = take_back(had, "att_1", "refunded", money(pence, movement), nobody, nobody, NOW).changed  # type: ignore[assignment]
        waits_for = "refund_asked:att_1:3" if left else None
        assert (had.attempts[0].in_pot_pence, had.attempts[0].refunding) == (left, waits_for)


def test_once_what_we_asked_for_went_back_the_pot_waits_no_more() -> None:
    """Money that a bank gave back after the asking is none of it."""
    had = paid(attempts=[settled(refunding="refund_asked:att_1:3")])
    for asking, waits_for in (
        ("refund_asked:att_1:1", "refund_asked:att_1:3"),
        ("refund_asked:att_1:3", None),
    ):
        what = take_back(had, "att_1", "refunded", money(AMOUNT - 1), nobody, nobody, NOW, asking)
        (after, *_) = what.changed
        assert isinstance(after, Contribution)
        assert (after.attempts[0].in_pot_pence, after.attempts[0].refunding) == (1, waits_for)


@pytest.mark.parametrize("to", ["refunded", "disputed"])
def test_money_back_before_the_reservation_leaves_the_pot_and_the_contribution_is_due(
    to: Literal["refunded", "disputed"],
) -> None:
    had, what = (
        paid(attempts=[settled(refunding="refund_asked:att_1:3")], planned_at=NOW),
        money(fee_pence=20),
    )
    assert tidy(take_back(had, "att_1", to, what, nobody, nobody, NOW)) == same(
        answer={"state": "due"},
        facts=[
            fact(
                f"contribution_{to}",
                had,
                what,
                ("pot:1", "cash:stripe", AMOUNT),
                ("fees:processor", "house", 20),
            )
        ],
        changed=[
            had.with_(
                state="due",
                act_at=NOW + PARKED_RECHECK,
                in_pot_pence=0,
                planned_at=None,
                attempts=[
                    settled(
                        state=to,
                        in_pot_pence=0,
                        taken_back=["txn_9"],
                        taken_back_pence=AMOUNT,
                    )
                ],
            )
        ],
    )


def test_a_refund_in_part_leaves_the_attempt_settled() -> None:
    had = paid()
    first = take_back(had, "att_1", "refunded", money(3_000), nobody, nobody, NOW).changed[0]
    assert isinstance(first, Contribution)
    assert (first.state, first.in_pot_pence) == ("due", 7_000)
    assert first.attempts == [
        settled(clears_at=NOW, in_pot_pence=7_000, taken_back=["txn_9"], taken_back_pence=3_000)
    ]
    rest = take_back(first, "att_1", "refunded", money(7_000, "txn_10"), nobody, nobody, NOW).changed[0]
    assert isinstance(rest, Contribution)
    assert (rest.state, rest.in_pot_pence, rest.act_at) == ("due", 0, NOW + PARKED_RECHECK)
    assert rest.attempts[0].state == "refunded"
    assert rest.attempts[0].taken_back == ["txn_9", "txn_10"]


def test_a_dispute_in_part_is_a_dispute() -> None:
    had = paid()
    after = take_back(had, "att_1", "disputed", money(1), nobody, nobody, NOW).changed[0]
    assert after.attempts[0].state == "disputed"  # type: ignore[attr-defined]


def test_what_was_credit_leaves_credit_first_and_then_the_house_stands_in() -> None:
    """Of £100, £60 went into the pot, and £40 became credit, of which £25 is left."""
    had = paid(in_pot_pence=6_000, amount_pence=6_000, attempts=[settled(in_pot_pence=6_000)])
    stands = balances(("cash:stripe", "credit:ada", 2_500))
    decision = take_back(had, "att_1", "disputed", money(), member, lambda: stands, NOW)
    assert entered(decision) == posted(
        [
            ("pot:1", "cash:stripe", 6_000),
            ("credit:ada", "cash:stripe", 2_500),
            ("debt:ada", HOUSE, 1_500),
            FEE,
        ]
    )


def test_money_back_after_the_reservation_is_owed_to_the_house_and_the_recipient_keeps_the_pot() -> None:
    had, what = paid(counted_in="pay_1"), money()
    owing = member("ada", debt("cy", 5, cycle=3))
    new = debt(HOUSE, AMOUNT, cause=what.movement)
    assert tidy(take_back(had, "att_1", "disputed", what, lambda: owing, Balances, NOW)) == same(
        answer={"state": "covered"},
        facts=[fact("contribution_disputed", had, what, ("debt:ada", HOUSE, AMOUNT), FEE)],
        changed=[
            had.with_(
                attempts=[
                    settled(clears_at=NOW, state="disputed", taken_back=["txn_9"], taken_back_pence=AMOUNT)
                ]
            ),
            member("ada", *owing.debts, new),
        ],
    )


def test_credit_that_is_enough_leaves_no_debt() -> None:
    had = paid(counted_in="pay_1")
    stands = balances(("cash:stripe", "credit:ada", AMOUNT + 1))
    decision = take_back(had, "att_1", "disputed", money(), nobody, lambda: stands, NOW)
    assert entered(decision) == posted([("credit:ada", "cash:stripe", AMOUNT), FEE])
    assert [one.path for one in decision.changed] == [had.path]


def test_a_contribution_that_was_not_whole_stays_due_as_it_was() -> None:
    due = contribution(in_pot_pence=4_000, attempts=[settled(settled_pence=4_000, in_pot_pence=4_000)])
    after = take_back(due, "att_1", "refunded", money(4_000), nobody, nobody, NOW).changed[0]
    assert isinstance(after, Contribution)
    assert (after.state, after.act_at, after.in_pot_pence) == ("due", due.act_at, 0)


# --- the fee on top -----------------------------------------------------------------------------------------


def with_fee_of(pence: int, *attempts: Attempt, **changes: Any) -> Contribution:
    return contribution(added_fee_pence=pence, attempts=list(attempts), **changes)


def test_money_brings_the_fee_that_its_attempt_was_for_and_no_more_than_came() -> None:
    with_it, without = attempt(added_fee_pence=30, settled_pence=1_000), attempt(2, settled_pence=1_000)
    due = with_fee_of(30, with_it, without)
    assert with_fee(due, with_it, 1_000) == (with_it.with_(fee_held_pence=30), 30)
    assert with_fee(due, with_it, 20) == (with_it.with_(fee_held_pence=20), 20)
    assert with_fee(due, without, 1_000) == (without, 0)
    for gone_pence, held_pence, left_pence in ((985, 10, 5), (1_000, 0, 0), (1_100, 0, 0)):
        lost = with_it.with_(taken_back_pence=gone_pence, fee_held_pence=held_pence)
        after = lost.with_(fee_held_pence=held_pence + left_pence)
        assert with_fee(with_fee_of(30, lost), lost, 1_000) == (after, left_pence)


def test_the_fee_on_top_comes_with_the_first_money_and_is_in_no_pot() -> None:
    live = attempt(state="processing", amount_pence=AMOUNT + 30, added_fee_pence=30)
    due, what = with_fee_of(30, live), money(AMOUNT + 30)
    decision = settle(due, "att_1", what, nobody, nobody, NOW)
    assert entered(decision) == posted(
        [("cash:stripe", "pot:1", AMOUNT), ("house", "fees:platform", 30), FEE]
    )
    assert decision.changed == [
        due.with_(
            state="covered",
            act_at=None,
            in_pot_pence=AMOUNT,
            attempts=[as_settled(live, what, AMOUNT).with_(fee_held_pence=30)],
        )
    ]


def test_where_another_attempt_brought_the_fee_it_is_its_payers_credit() -> None:
    first = settled(1, added_fee_pence=30, fee_held_pence=20, in_pot_pence=0)
    live = attempt(2, state="processing", amount_pence=AMOUNT + 30, added_fee_pence=30)
    decision = settle(with_fee_of(30, first, live), "att_2", money(AMOUNT + 30), nobody, nobody, NOW)
    assert entered(decision) == posted(
        [
            ("cash:stripe", "pot:1", AMOUNT),
            ("cash:stripe", "credit:ada", 20),
            ("house", "fees:platform", 10),
            FEE,
        ]
    )


def test_late_money_brings_the_fee_before_it_pays_debts() -> None:
    live = attempt(state="processing", amount_pence=AMOUNT + 30, added_fee_pence=30)
    late = short(added_fee_pence=30, attempts=[live])
    owing = member("ada", debt(HOUSE, AMOUNT))
    decision = settle(late, "att_1", money(AMOUNT + 30), lambda: owing, nobody, NOW)
    assert entered(decision) == posted([("house", "debt:ada", AMOUNT), ("house", "fees:platform", 30), FEE])
    assert decision.changed[0].attempts[0].fee_held_pence == 30  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("pence", "from_pot", "fee_back"),
    [(AMOUNT + 30, AMOUNT, 30), (AMOUNT + 10, AMOUNT, 10), (AMOUNT, AMOUNT, 0), (1, 1, 0)],
)
def test_of_money_that_goes_back_the_contribution_goes_first_and_the_fee_last(
    pence: int, from_pot: int, fee_back: int
) -> None:
    brought = settled(settled_pence=AMOUNT + 30, added_fee_pence=30, fee_held_pence=30)
    had = paid(added_fee_pence=30, attempts=[brought])
    decision = take_back(had, "att_1", "refunded", money(pence), nobody, nobody, NOW)
    assert entered(decision) == posted(
        [("pot:1", "cash:stripe", from_pot), ("fees:platform", "house", fee_back), FEE]
    )
    after = decision.changed[0]
    assert isinstance(after, Contribution)
    assert (after.in_pot_pence, after.attempts[0].fee_held_pence) == (AMOUNT - from_pot, 30 - fee_back)
    assert after.fee_left_pence == fee_back


def test_the_fee_goes_back_with_the_rest_of_what_went_in_parts() -> None:
    had = paid(added_fee_pence=30, attempts=[settled(settled_pence=AMOUNT + 30, fee_held_pence=30)])
    for number, pence in enumerate((4_000, 6_000, 30)):
        decision = take_back(had, "att_1", "refunded", money(pence, f"txn_{number}"), nobody, nobody, NOW)
        had = next(one for one in decision.changed if isinstance(one, Contribution))
    assert (had.in_pot_pence, had.attempts[0].fee_held_pence, had.attempts[0].state) == (0, 0, "refunded")
    assert entered(decision) == posted([("fees:platform", "house", 30), FEE])


def test_a_fee_that_went_back_comes_again_with_what_was_won() -> None:
    brought = disputed(settled_pence=AMOUNT + 30, taken_back_pence=AMOUNT + 30, added_fee_pence=30)
    due = with_fee_of(30, brought)
    decision = win_back(due, "att_1", money(AMOUNT + 30), nobody, nobody, NOW)
    assert entered(decision) == posted(
        [("cash:stripe", "pot:1", AMOUNT), ("house", "fees:platform", 30), FEE]
    )


# --- short of money -----------------------------------------------------------------------------------------


def told(type_: str, of: Contribution, failure: str | None = None) -> News:
    names = {"contribution": of.id, "cycle": 1, "member": "ada", "attempt": "att_1"}
    return News(
        id=f"{type_}:att_1",
        group=of.group,
        type=type_,
        payload=names | ({"failure": failure} if failure else {}),
    )


def test_an_attempt_that_needs_its_person_keeps_the_link() -> None:
    due = contribution(attempts=[attempt()])
    assert progress(
        due, "att_1", "requires_action", "pi_1", NOW, action_url="https://bank", look_again_at=NOW + DAY
    ) == Decision(
        answer={"state": "due", "attempt": "requires_action"},
        facts=[told("attempt_requires_action", due)],
        changed=[
            due.with_(
                act_at=NOW + DAY,
                attempts=[attempt(state="requires_action", reference="pi_1", action_url="https://bank")],
            )
        ],
    )


def test_a_new_link_is_kept_without_a_fact() -> None:
    waiting = attempt(state="requires_action", reference="pi_1", action_url="https://old")
    due = contribution(attempts=[waiting])
    assert progress(due, "att_1", "requires_action", "pi_1", NOW, action_url="https://new") == Decision(
        answer={"state": "due", "attempt": "requires_action"},
        changed=[due.with_(attempts=[waiting.with_(action_url="https://new")])],
    )
    for known in ("https://old", None):
        assert progress(due, "att_1", "requires_action", None, NOW, action_url=known) == Decision(
            answer={"state": "due", "attempt": "requires_action"}
        )


def test_a_failure_goes_up_the_ladder() -> None:
    due = contribution(attempts=[attempt(state="processing", reference="pi_1")])
    assert progress(
        due, "att_1", "failed", None, NOW, failure="soft_decline", failure_code="insufficient_funds"
    ) == Decision(
        answer={"state": "due", "attempt": "failed"},
        facts=[told("attempt_failed", due, "soft_decline")],
        changed=[
            due.with_(
                act_at=NOW + DAY,
                attempts=[
                    attempt(
                        state="failed",
                        reference="pi_1",
                        failure="soft_decline",
                        failure_code="insufficient_funds",
                    )
                ],
            )
        ],
    )


def test_the_ladder_counts_this_failure_too() -> None:
    earlier = [attempt(number, state="failed") for number in (1, 2)]
    due = contribution(attempts=[*earlier, attempt(3, state="processing")])
    after = progress(due, "att_3", "failed", None, NOW, failure="soft_decline").changed[0]
    assert after.act_at == NOW + 5 * DAY  # type: ignore[attr-defined]


@pytest.mark.parametrize(("state", "to"), [("processing", "failed"), ("requires_action", "cancelled")])
def test_where_the_person_must_act_news_of_it_is_waited_for(
    state: str, to: Literal["failed", "cancelled"]
) -> None:
    due = contribution(attempts=[attempt(state=state)])
    after = progress(due, "att_1", to, None, NOW, failure="mandate_cancelled", look_again_at=NOW).changed[0]
    assert after.act_at == NOW + METHOD_RECHECK  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("state", "to", "then"),
    [
        ("submitting", "cancelled", "failed"),
        ("processing", "cancelled", "failed"),
        ("requires_action", "cancelled", "cancelled"),
        ("requires_action", "processing", "processing"),
        ("submitting", "processing", "processing"),
        ("requires_action", "failed", "failed"),
    ],
)
def test_each_step_that_an_attempt_can_take(state: str, to: Any, then: str) -> None:
    due = contribution(attempts=[attempt(state=state)])
    decision = progress(due, "att_1", to, "pi_1", NOW)
    assert decision.answer == {"state": "due", "attempt": then}
    assert [one.type for one in decision.facts] == [f"attempt_{then}"]


@pytest.mark.parametrize("to", ["processing", "requires_action", "failed", "cancelled"])
@pytest.mark.parametrize("state", ["settled", "failed", "cancelled", "refunded", "disputed", "won", "lost"])
def test_news_older_than_what_is_known_changes_nothing(state: str, to: Any) -> None:
    due = contribution(attempts=[attempt(state=state)])
    assert progress(due, "att_1", to, None, NOW) == Decision(answer={"state": "due", "attempt": state})


def test_processing_never_goes_back_to_asking_its_person() -> None:
    due = contribution(attempts=[attempt(state="processing")])
    assert progress(due, "att_1", "requires_action", None, NOW, action_url="https://x") == Decision(
        answer={"state": "due", "attempt": "processing"}
    )
    assert progress(due, "att_1", "processing", None, NOW) == Decision(
        answer={"state": "due", "attempt": "processing"}
    )


def test_an_attempt_is_one_object_at_the_processor() -> None:
    due = contribution(attempts=[attempt(state="processing", reference="pi_1")])
    with pytest.raises(Mismatch) as refused:
        progress(due, "att_1", "failed", "pi_2", NOW)
    assert refused.value.facts == {"what": "collection", "theirs": "pi_2", "ours": "pi_1"}


# --- what holds whatever comes ------------------------------------------------------------------------------


@tried
@given(
    st.lists(st.integers(1, AMOUNT), min_size=1, max_size=4),
    st.booleans(),
    st.integers(0, 5_000),
)
def test_a_pence_that_came_and_went_leaves_the_books_whole(
    parts: list[int], reserved: bool, credit: int
) -> None:
    """£100 came in; parts of it go back, never more than it: what is left stands somewhere."""
    had = paid(counted_in="pay_1" if reserved else None)
    cash = [("cash:stripe", "pot:1", AMOUNT), ("cash:stripe", "credit:ada", credit)]
    books, owing, left = balances(*cash), member(), AMOUNT
    for number, part in enumerate(parts):
        pence = min(part, left)
        if not pence:
            break
        left -= pence
        now: datetime = NOW
        decision = take_back(
            had,
            "att_1",
            "refunded",
            money(pence, f"txn_{number}"),
            lambda owing=owing: owing,  # type: ignore[misc]
            lambda books=books: books,  # type: ignore[misc]
            now,
        )
        books = books.after(decision.facts[0].entries)
        had = next(one for one in decision.changed if isinstance(one, Contribution))
        owing = next((one for one in decision.changed if isinstance(one, Member)), owing)
    assert discrepancies(books) == []
    assert overdrawn(books) == []
    assert books.of("debt:ada") == owing.owes_pence() == max(0, AMOUNT - left - credit) * reserved
    assert had.attempts[0].taken_back_pence == AMOUNT - left
    assert (had.attempts[0].state == "refunded") == (left == 0)
    with pytest.raises(Mismatch):
        take_back(
            paid(attempts=[settled(state="refunded", taken_back_pence=AMOUNT)]),
            "att_1",
            "refunded",
            money(1),
            member,
            Balances,
            NOW,
        )


def test_a_part_brings_the_fee_first_and_the_rest_is_in_the_pot() -> None:
    live = attempt(state="processing", amount_pence=4_030, added_fee_pence=30)
    decision = settle(with_fee_of(30, live), "att_1", money(4_030), nobody, nobody, NOW)
    assert entered(decision) == posted([("cash:stripe", "pot:1", 4_000), ("house", "fees:platform", 30), FEE])


def test_what_was_won_covers_the_older_contribution_that_it_pays() -> None:
    older, late = short(cycle=1), paid(cycle=2, counted_in="pay_2", attempts=[disputed()])
    owing = member("ada", debt("ben", AMOUNT, cycle=1))
    decision = win_back(late, "att_1", money(), lambda: owing, {older.id: older}.__getitem__, NOW)
    assert decision.changed[0] == older.with_(state="covered", act_at=None)
