"""Reserving a pot: when it may, what the one fact stamps and posts, and the exact way back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.calendar import opening_of
from shared.domain.contributions import Contribution
from shared.domain.decision import Decision
from shared.domain.errors import UnknownTransition
from shared.domain.groups import Terms
from shared.domain.journal import Fact, News
from shared.domain.ledger import HOUSE, RESERVE, Balances, discrepancies, overdrawn, post
from shared.domain.members import Member
from shared.domain.payouts import PARKED_RECHECK, Counted, Payout, scheduled_turn
from shared.domain.reservation import Readiness, can_void, readiness, reserve, void
from shared.domain.shortfalls import new_debt, top_up_for
from shared.domain.users import COOLING_OFF, PayoutAccount, User
from tests.unit.domain.things import (
    AMOUNT,
    DAY,
    DUE,
    GROUP,
    NOW,
    balances,
    contribution,
    debt,
    entered,
    member,
    paid,
    posted,
    settled,
    tidy,
    tried,
    turn,
)

PEOPLE = ("ada", "ben", "cy", "dee", "eve")
OPENS = opening_of(DUE + 7 * DAY)
HOUR = timedelta(hours=1)


def terms(**changes: Any) -> Terms:
    made = Terms(
        name="T",
        amount_pence=AMOUNT,
        frequency="monthly",
        members=5,
        first_due_date=DUE,
        default_policy="pay_cleared",
    )
    return made.with_(**changes)


def user(**changes: Any) -> User:
    account = PayoutAccount(reference="acct_1", can_receive=True).with_(**changes)
    return User(uid="ben", payout_account=account, created_at=NOW)


def cycle(*unpaid: str, **changes: Any) -> list[Contribution]:
    """The contributions of Ben's cycle: whole and cleared, but for those of `unpaid`."""
    return [contribution(uid) if uid in unpaid else paid(uid, **changes) for uid in PEOPLE]


# --- when ---------------------------------------------------------------------------------------------------


def judge(
    contributions: list[Contribution], now: datetime = OPENS, by: Terms | None = None, **more: Any
) -> Readiness:
    recipient = more.pop("recipient", user())
    return readiness(more.pop("payout", turn()), by or terms(), contributions, recipient, now, **more)


def test_a_pot_is_ready_from_the_morning_of_its_payout_date() -> None:
    assert judge(cycle()) == Readiness("ready")
    assert judge(cycle(), OPENS - HOUR) == Readiness("wait", look_at=OPENS)


def test_money_that_has_settled_but_not_cleared_is_waited_for_under_every_policy() -> None:
    mixed = cycle()
    mixed[1] = paid("ben", attempts=[settled(clears_at=OPENS + HOUR)])
    mixed[3] = paid("dee", attempts=[settled(clears_at=OPENS + 3 * HOUR)])
    for policy in ("wait", "pay_cleared", "reserve"):
        assert judge(mixed, by=terms(default_policy=policy)) == Readiness("wait", look_at=OPENS + 3 * HOUR)
    assert judge(mixed, OPENS + 3 * HOUR) == Readiness("ready")


def test_a_refund_that_is_under_way_is_waited_for() -> None:
    mixed = cycle()
    mixed[2] = paid(
        "cy",
        attempts=[settled(1, clears_at=NOW), settled(2, clears_at=NOW, refunding="refund_asked:att_1:3")],
    )
    assert judge(mixed) == Readiness("wait", look_at=OPENS + HOUR)


def test_under_wait_what_is_missing_is_waited_for_up_to_the_agreed_days() -> None:
    waits = terms(default_policy="wait", wait_days=3)
    assert judge(cycle("eve"), by=waits) == Readiness("wait", look_at=OPENS + DAY)
    assert judge(cycle("eve"), OPENS + 2 * DAY + HOUR, waits) == Readiness("wait", look_at=OPENS + 3 * DAY)
    assert judge(cycle("eve"), OPENS + 3 * DAY, waits) == Readiness("ready")
    assert judge(cycle(), by=waits) == Readiness("ready")
    apart = [*cycle()[:4], contribution("eve", state="waived", apart=True)]
    assert judge(apart, by=waits) == Readiness("ready")  # its pot lacks nothing of it


@pytest.mark.parametrize("policy", ["pay_cleared", "reserve"])
def test_under_the_other_policies_what_is_missing_is_a_shortfall_at_once(policy: str) -> None:
    assert judge(cycle("eve"), by=terms(default_policy=policy)) == Readiness("ready")


@pytest.mark.parametrize(
    ("contributions", "more", "because", "look_at"),
    [
        (cycle(*PEOPLE), {}, "nothing_collected", OPENS + PARKED_RECHECK),
        (cycle(), {"recipient": None}, "recipient_not_ready", OPENS + PARKED_RECHECK),
        (
            cycle(),
            {"recipient": user().with_(payout_account=None)},
            "recipient_not_ready",
            OPENS + PARKED_RECHECK,
        ),
        (cycle(), {"recipient": user(can_receive=False)}, "recipient_not_ready", OPENS + PARKED_RECHECK),
        (
            cycle(),
            {"recipient": user(bank_changed_at=OPENS - DAY)},
            "bank_changed",
            OPENS - DAY + COOLING_OFF,
        ),
        (cycle(), {"two_people_above_pence": 5 * AMOUNT - 1}, "needs_approval", OPENS + PARKED_RECHECK),
        (cycle(), {"held_until": OPENS + HOUR}, "details_to_check", OPENS + HOUR),
    ],
)
def test_what_parks_a_pot(
    contributions: list[Contribution], more: dict[str, Any], because: Any, look_at: datetime
) -> None:
    assert judge(contributions, **more) == Readiness("park", because, look_at)


def test_what_does_not_park_a_pot() -> None:
    assert judge(cycle(), recipient=user(bank_changed_at=OPENS - COOLING_OFF)) == Readiness("ready")
    assert judge(cycle(), two_people_above_pence=5 * AMOUNT) == Readiness("ready")
    assert judge(cycle(), two_people_above_pence=0, payout=turn(approval="apr_1")) == Readiness("ready")
    assert judge(cycle("ada", "ben", "cy", "dee")) == Readiness("ready")


# --- reserving ----------------------------------------------------------------------------------------------


def nobody(*_: object) -> Any:
    raise AssertionError("was not to be asked")


def reserved_by(
    contributions: list[Contribution],
    recipient: Member | None = None,
    by: Terms | None = None,
    stands: Balances | None = None,
    payout: Payout | None = None,
) -> Decision:
    return reserve(
        payout or turn(),
        by or terms(),
        "stripe",
        contributions,
        recipient or member("ben"),
        member,
        (lambda: stands) if stands else nobody,
        NOW,
    )


def counted(contributions: list[Contribution]) -> list[Counted]:
    return [
        Counted(contribution=one.id, uid=one.uid, pence=one.in_pot_pence)
        for one in contributions
        if one.in_pot_pence
    ]


def test_a_full_pot_is_one_fact_that_stamps_the_payout_and_all_contributions() -> None:
    payout, whole = turn(parked_because="bank_changed", revision=4), cycle()
    fact = f"payout_reserved:{payout.id}"
    assert reserved_by(whole, payout=payout) == Decision(
        answer={"payout": payout.id, "state": "reserved", "pence": 5 * AMOUNT},
        facts=[
            News(
                id=fact,
                group=GROUP,
                type="payout_reserved",
                payload={
                    "payout": payout.id,
                    "cycle": 1,
                    "recipient": "ben",
                    "pence": 5 * AMOUNT,
                    "fee_pence": 0,
                    "withheld_pence": 0,
                    "debts": [],
                    "top_ups": [],
                    "netted": {},
                },
                entries=post([("pot:1", f"payable:{payout.id}", 5 * AMOUNT)]),
            )
        ],
        changed=[
            payout.with_(
                state="reserved",
                amount_pence=5 * AMOUNT,
                counted=counted(whole),
                reservation=fact,
                parked_because=None,
                act_at=NOW,
            ),
            *(one.with_(counted_in=payout.id) for one in whole),
        ],
        created=[],
    )


def test_what_is_reserved_is_sent_at_once_whenever_it_was_to_be_looked_at_next() -> None:
    later = turn(act_at=NOW + 3 * DAY)
    (payout,) = (one for one in reserved_by(cycle(), payout=later).changed if isinstance(one, Payout))
    assert payout.act_at == NOW


def test_fee_and_reserve_are_kept_from_the_pot_as_far_as_it_goes() -> None:
    keeps = terms(platform_fee_pence=300, reserve_pence=700)
    decision = reserved_by(cycle(), by=keeps)
    payout = decision.changed[0]
    assert isinstance(payout, Payout)
    assert (payout.amount_pence, payout.fee_pence, payout.withheld_pence) == (49_000, 300, 700)
    assert decision.facts[0].payload | {"fee_pence": 300, "withheld_pence": 700} == decision.facts[0].payload
    assert entered(decision) == {
        "pot:1": ("debit", 50_000),
        f"payable:{payout.id}": ("credit", 49_000),
        "cash:stripe": ("credit", 300),
        "reserve": ("credit", 700),
        "house": ("debit", 300),
        "fees:platform": ("credit", 300),
    }
    thin = [paid("ada", in_pot_pence=800, amount_pence=800)]
    assert entered(reserved_by(thin, by=keeps)).keys().isdisjoint({f"payable:{payout.id}"})
    assert entered(reserved_by(thin, by=keeps))["reserve"] == ("credit", 500)
    thinner = [paid("ada", in_pot_pence=200, amount_pence=200)]
    assert entered(reserved_by(thinner, by=keeps))["fees:platform"] == ("credit", 200)


def test_who_has_not_paid_owes_the_recipient_what_is_missing() -> None:
    some = cycle("dee")
    some[4] = contribution("eve", in_pot_pence=4_000)
    decision = reserved_by(some)
    payout = decision.changed[0]
    assert isinstance(payout, Payout)
    owed = {
        uid: new_debt(contribution(uid).id, f"{payout.id}:ben", "ben", 1, DUE, pence)
        for uid, pence in (("dee", AMOUNT), ("eve", 6_000))
    }
    assert payout.amount_pence == 34_000
    assert payout.counted == counted(some)
    assert entered(decision) == {
        "pot:1": ("debit", 34_000),
        f"payable:{payout.id}": ("credit", 34_000),
        "debt:dee": ("debit", AMOUNT),
        "debt:eve": ("debit", 6_000),
        "owed:ben": ("credit", 16_000),
    }
    assert decision.facts[0].payload["debts"] == [owed["dee"].id, owed["eve"].id]
    assert decision.changed[1:] == [
        *(one.with_(counted_in=payout.id) for one in some[:3]),
        *(one.with_(counted_in=payout.id, state="short") for one in some[3:]),
        member("dee", owed["dee"]),
        member("eve", owed["eve"]),
    ]


def test_the_recipient_owes_themselves_nothing_what_they_did_not_put_in_is_waived() -> None:
    decision = reserved_by(cycle("ben"))
    own = next(one for one in decision.changed if isinstance(one, Contribution) and one.uid == "ben")
    payout = turn().id
    assert own == contribution("ben", state="waived", act_at=None, counted_in=payout)
    assert entered(decision) == posted([("pot:1", f"payable:{payout}", 4 * AMOUNT)])
    assert not [one for one in decision.changed if isinstance(one, Member)]


def test_the_reserve_fills_as_far_as_it_goes_and_the_rest_is_the_recipients() -> None:
    stands = balances(("cash:stripe", RESERVE, 13_000))
    decision = reserved_by(cycle("dee", "eve"), by=terms(default_policy="reserve"), stands=stands)
    payout = decision.changed[0]
    assert isinstance(payout, Payout)
    assert payout.amount_pence == 3 * AMOUNT + 13_000
    assert decision.answer["pence"] == decision.facts[0].payload["pence"] == 43_000
    dee, eve = contribution("dee"), contribution("eve")
    debts = {
        "dee": [new_debt(dee.id, f"{payout.id}:reserve", RESERVE, 1, DUE, AMOUNT)],
        "eve": [
            new_debt(eve.id, f"{payout.id}:reserve", RESERVE, 1, DUE, 3_000),
            new_debt(eve.id, f"{payout.id}:ben", "ben", 1, DUE, 7_000),
        ],
    }
    assert [one for one in decision.changed if isinstance(one, Member)] == [
        member("dee", *debts["dee"]),
        member("eve", *debts["eve"]),
    ]
    assert entered(decision) == {
        "pot:1": ("debit", 30_000),
        f"payable:{payout.id}": ("credit", 43_000),
        "reserve": ("debit", 13_000),
        "debt:dee": ("debit", AMOUNT),
        "debt:eve": ("debit", AMOUNT),
        "owed:reserve": ("credit", 13_000),
        "owed:ben": ("credit", 7_000),
    }


def test_the_reserve_is_asked_only_by_its_own_policy_and_only_where_something_is_missing() -> None:
    reserved_by(cycle("eve"), by=terms(default_policy="pay_cleared"))
    reserved_by(cycle("eve"), by=terms(default_policy="wait"))
    reserved_by(cycle("ben"), by=terms(default_policy="reserve"))
    with pytest.raises(AssertionError):
        reserved_by(cycle("eve"), by=terms(default_policy="reserve"))


def test_what_the_recipient_owes_is_netted_from_their_pot_after_fee_and_reserve() -> None:
    to_member, to_house = debt("ada", 9_000, cycle=1, uid="ben"), debt(HOUSE, 500, cycle=2, uid="ben")
    keeps = terms(platform_fee_pence=300, reserve_pence=700)
    decision = reserved_by(cycle(), member("ben", to_house, to_member), keeps)
    after = to_member.with_(left_pence=0, parts_paid=1)
    top_up = top_up_for(GROUP, after, 9_000, NOW)
    payout = turn().id
    assert decision.created == [top_up]
    assert decision.facts[0].payload["top_ups"] == [top_up.id]
    assert decision.facts[0].payload["netted"] == {to_member.id: 9_000, to_house.id: 500}
    assert decision.changed[-1] == member("ben", to_house.with_(left_pence=0, parts_paid=1), after)
    assert entered(decision) == {
        "pot:1": ("debit", 50_000),
        f"payable:{payout}": ("credit", 39_500),
        f"payable:{top_up.id}": ("credit", 9_000),
        "cash:stripe": ("credit", 800),
        "reserve": ("credit", 700),
        "fees:platform": ("credit", 300),
        "house": ("debit", 800),
        "owed:ada": ("debit", 9_000),
        "debt:ben": ("credit", 9_500),
    }


def test_a_pot_that_arrears_take_wholly_is_reserved_with_nothing() -> None:
    decision = reserved_by(cycle(), member("ben", debt("ada", 10 * AMOUNT, uid="ben")))
    payout = decision.changed[0]
    assert isinstance(payout, Payout)
    assert (payout.state, payout.amount_pence) == ("reserved", 0)


def test_what_stands_apart_is_stamped_but_stays_as_it_is() -> None:
    claim = contribution("eve", state="short", apart=True, counted_in="pay_old")
    fallen = contribution("dee", state="waived", apart=True)
    decision = reserved_by([*cycle()[:3], fallen, claim])
    stamped = [one for one in decision.changed if isinstance(one, Contribution)]
    assert stamped[3:] == [fallen.with_(counted_in=turn().id), claim]
    assert entered(decision) == posted([("pot:1", f"payable:{turn().id}", 3 * AMOUNT)])


@pytest.mark.parametrize("state", ["parked", "reserved", "submitting", "sent", "void"])
def test_only_a_scheduled_payout_is_reserved(state: str) -> None:
    with pytest.raises(UnknownTransition):
        reserved_by(cycle(), payout=turn(state=state))


# --- and the way back ---------------------------------------------------------------------------------------


def recorded(news: News) -> Fact:
    return news.recorded(NOW, NOW, "system", "cmd_1")


def test_a_void_is_the_exact_reverse_stamps_and_debts_too() -> None:
    arrears = debt("ada", 9_000, uid="ben", cycle=3)
    other = debt("cy", 100, uid="ben", cycle=4, left_pence=0)
    earlier = debt("ada", 5, uid="eve", cycle=2)
    some, recipient = cycle("dee"), member("ben", arrears, other)
    some[1] = contribution("ben", act_at=None)
    done = reserve(
        turn(),
        terms(),
        "stripe",
        some,
        recipient,
        lambda uid: member(uid, earlier) if uid == "dee" else nobody(),
        nobody,
        NOW,
    )
    fact = recorded(done.facts[0])
    payout, *rest = done.changed
    assert isinstance(payout, Payout)
    stamped = [one for one in rest if isinstance(one, Contribution)]
    netted, debtor = [one for one in rest if isinstance(one, Member)]
    top_ups = [one for one in done.created if isinstance(one, Payout)]
    later = NOW + DAY
    again = scheduled_turn(GROUP, 1, "ben", payout.pay_date, later, 2)
    back = void(payout, fact, stamped, netted, [debtor], top_ups, "a dispute", later)
    assert (
        tidy(back)
        == tidy(
            Decision(
                answer={"payout": payout.id, "state": "void", "next": again.id},
                facts=[
                    News(
                        id=f"reservation_void:{payout.id}",
                        group=GROUP,
                        type="reservation_void",
                        payload={
                            "payout": payout.id,
                            "reverses": fact.id,
                            "reason": "a dispute",
                            "next": again.id,
                        },
                        entries=[
                            one.with_(side="debit" if one.side == "credit" else "credit")
                            for one in fact.entries
                        ],
                    )
                ],
                changed=[
                    payout.with_(state="void", act_at=None),
                    *(one.with_(state="void", act_at=None) for one in top_ups),
                    some[0],
                    some[1].with_(act_at=later),  # waived: it is looked at again from now on
                    *some[2:],
                    member("dee", earlier),
                    member("ben", arrears.with_(parts_paid=1), other),
                ],
                created=[again],
            )
        )
    )


def test_the_top_up_after_a_void_is_another_document() -> None:
    """Netted again, the arrears would have asked for the void top-up's address, for ever."""
    arrears = debt("ada", 9_000, uid="ben", cycle=3)
    done = reserved_by(cycle(), member("ben", arrears))
    payout, *rest = done.changed
    assert isinstance(payout, Payout)
    stamped = [one for one in rest if isinstance(one, Contribution)]
    netted = next(one for one in rest if isinstance(one, Member))
    top_ups = [one for one in done.created if isinstance(one, Payout)]
    back = void(payout, recorded(done.facts[0]), stamped, netted, [], top_ups, "x", NOW)
    owing = next(one for one in back.changed if isinstance(one, Member))
    again = reserved_by(cycle(), owing, payout=next(one for one in back.created if isinstance(one, Payout)))
    assert {one.path for one in again.created}.isdisjoint({one.path for one in done.created})
    assert entered(again).keys() >= {"debt:ben", "owed:ada"}


def test_a_void_without_arrears_leaves_the_recipient_alone() -> None:
    done = reserved_by(cycle())
    payout, *stamped = done.changed
    assert isinstance(payout, Payout)
    back = void(
        payout,
        recorded(done.facts[0]),
        [one for one in stamped if isinstance(one, Contribution)],
        member("ben"),
        [],
        [],
        "x",
        NOW,
    )
    assert not [one for one in back.changed if isinstance(one, Member)]
    assert back.changed[1:] == cycle()


def test_a_void_of_the_second_reservation_is_followed_by_the_third() -> None:
    second = turn(number=2, state="reserved")
    fact = recorded(reserved_by(cycle(), payout=turn(number=2)).facts[0])
    assert void(second, fact, [], member("ben"), [], [], "x", NOW).created == [
        scheduled_turn(GROUP, 1, "ben", second.pay_date, NOW, 3)
    ]


def test_what_stands_apart_keeps_its_claim_and_loses_only_this_stamp() -> None:
    claim = contribution("eve", state="short", apart=True, counted_in="pay_old")
    fallen = contribution("dee", state="waived", apart=True, counted_in=turn().id)
    fact = recorded(reserved_by(cycle()).facts[0])
    back = void(turn(state="reserved"), fact, [claim, fallen], member("ben"), [], [], "x", NOW)
    assert back.changed[1:] == [claim, fallen.with_(counted_in=None)]


def test_a_reservation_can_be_voided_until_something_of_it_left() -> None:
    some = cycle("dee")
    done = reserve(
        turn(),
        terms(),
        "stripe",
        some,
        member("ben", debt("ada", 5, uid="ben", cycle=2)),
        member,
        nobody,
        NOW,
    )
    fact, payout = recorded(done.facts[0]), done.changed[0]
    assert isinstance(payout, Payout)
    debtors = [one for one in done.changed if isinstance(one, Member) and one.uid == "dee"]
    top_ups = [one for one in done.created if isinstance(one, Payout)]
    assert len(debtors) == len(top_ups) == 1
    assert can_void(payout, debtors, top_ups, fact)
    assert can_void(payout, [], [], fact)
    assert not can_void(payout.with_(state="submitting"), debtors, top_ups, fact)
    assert not can_void(payout, debtors, [top_ups[0].with_(state="submitting")], fact)
    part_paid = [one.with_(parts_paid=1, left_pence=1) for one in debtors[0].debts]
    assert not can_void(payout, [member("dee", *part_paid)], top_ups, fact)
    let_go = [one.with_(left_pence=0) for one in debtors[0].debts]
    assert not can_void(payout, [member("dee", *let_go)], top_ups, fact)
    taken_over = [one.with_(parts_paid=1, creditor=HOUSE) for one in debtors[0].debts]
    assert not can_void(payout, [member("dee", *taken_over)], top_ups, fact)
    older = debt("cy", 5, uid="dee", cycle=3, parts_paid=1, left_pence=4)
    assert can_void(payout, [member("dee", older, *debtors[0].debts)], top_ups, fact)


# --- what holds whatever was paid ---------------------------------------------------------------------------


@tried
@given(
    st.lists(st.integers(0, AMOUNT), min_size=5, max_size=5).filter(any),
    st.sampled_from(["pay_cleared", "wait", "reserve"]),
    st.integers(0, 600),
    st.integers(0, AMOUNT),
    st.integers(0, 30_000),
    st.integers(0, 60_000),
)
def test_a_reservation_keeps_the_books_and_its_void_takes_it_back(
    put_in: list[int], policy: str, fee: int, kept: int, reserve_pence: int, arrears: int
) -> None:
    by = terms(
        default_policy=policy, platform_fee_pence=fee, reserve_pence=kept if policy == "reserve" else 0
    )
    some = [
        contribution(uid, in_pot_pence=pence, state="covered" if pence == AMOUNT else "due")
        for uid, pence in zip(PEOPLE, put_in, strict=True)
    ]
    owing = member("ben", debt("ada", arrears, uid="ben")) if arrears else member("ben")
    before = balances(
        ("cash:stripe", "pot:1", sum(put_in)),
        ("cash:stripe", RESERVE, reserve_pence),
        ("debt:ben", "owed:ada", arrears),
    )
    done = reserve(turn(), by, "stripe", some, owing, member, lambda: before, NOW)
    after = before.after(done.facts[0].entries)
    payout, *rest = done.changed
    assert isinstance(payout, Payout)
    assert discrepancies(after) == []
    assert overdrawn(after) == []
    assert after.of("pot:1") == 0
    assert after.of(f"payable:{payout.id}") == payout.amount_pence
    people = {one.uid: one for one in rest if isinstance(one, Member)}
    for uid in PEOPLE:
        owes = people.get(uid, owing if uid == "ben" else member(uid)).owes_pence()
        assert after.of(f"debt:{uid}") == owes
    top_ups = [one for one in done.created if isinstance(one, Payout)]
    back = void(
        payout,
        recorded(done.facts[0]),
        [one for one in rest if isinstance(one, Contribution)],
        people.get("ben", owing),
        [one for uid, one in people.items() if uid != "ben"],
        top_ups,
        "x",
        NOW,
    )
    again = after.after(back.facts[0].entries)
    assert {account: again.of(account) for account in again.accounts() if again.of(account)} == {
        account: before.of(account) for account in before.accounts() if before.of(account)
    }


def test_the_payout_date_opens_in_london() -> None:
    assert datetime(2027, 2, 15, 9, 0, tzinfo=UTC) == OPENS
