"""Leaving by the pairs: each pair's way to end, before and after one's turn, for one and for all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.contributions import Contribution
from shared.domain.decision import Decision
from shared.domain.documents import Document
from shared.domain.errors import AlreadyHadTurn, NotRunning, WrongMembershipState
from shared.domain.groups import Group, Seat
from shared.domain.ids import debt_id
from shared.domain.leaving import Circle, leave, substitute, wind_up
from shared.domain.ledger import HOUSE, RESERVE, discrepancies, overdrawn
from shared.domain.members import Debt, Member
from shared.domain.shortfalls import new_debt
from shared.domain.swapping import swap
from tests.unit.domain.things import (
    AMOUNT,
    GROUP,
    NOW,
    PEOPLE,
    again,
    attempt,
    balances,
    contribution,
    debt,
    due_date,
    entered,
    member,
    paid,
    posted,
    running,
    settled,
    tried,
    turn,
)

PART = 4_000


def after(decision: Decision) -> dict[str, Document]:
    """What the decision changed and created, by its address."""
    documents = [*decision.changed, *decision.created]
    assert len({one.path for one in documents}) == len(documents)
    return {one.path: one for one in documents}


def at(*documents: Document) -> dict[str, Document]:
    return {one.path: one for one in documents}


def claim(
    holder: str, pence: int = AMOUNT, creditor: str = "dee", leaver: str = "dee", cycle: int = 4
) -> Debt:
    """What `holder` owes on the leaver's old date."""
    owing = contribution(holder, cycle).id
    return new_debt(owing, f"left:{leaver}:{creditor}", creditor, cycle, due_date(cycle), pence)


def told(debtor: str, creditor: str, pence: int, cycle: int = 4) -> dict[str, Any]:
    return {
        "debtor": debtor,
        "creditor": creditor,
        "pence": pence,
        "due_date": due_date(cycle).isoformat(),
    }


def claims_on(uid: str, decision: Decision) -> dict[str, int]:
    return {one["creditor"]: one["pence"] for one in decision.answer["claims"] if one["debtor"] == uid}


def waived(of: Contribution, **changes: Any) -> Contribution:
    return of.with_(state="waived", apart=True, act_at=None).with_(**changes)


def ended_with(part: Contribution) -> Contribution:
    """The promise is what is in its pot, and no more."""
    return part.with_(state="covered", amount_pence=part.in_pot_pence, act_at=None)


def stands_apart(of: Contribution, **changes: Any) -> Contribution:
    return of.with_(state="short", apart=True, counted_in=turn(of.cycle).id).with_(**changes)


def group_without(uid: str, state: str, cycle: int | None, **changes: Any) -> Group:
    """The group after somebody left, their cycle fallen away."""
    before = running().group
    seat = before.seat(uid)
    assert seat is not None
    schedule = [
        one.with_(closed=True, fell_away=True) if one.number == cycle else one for one in before.schedule
    ]
    return before.with_seat(seat.with_(state=state)).with_(schedule=schedule, act_at=NOW).with_(**changes)


# --- before one's turn --------------------------------------------------------------------------------------


def test_each_pair_ends_by_what_was_done_of_it() -> None:
    """Dee, of turn 4, leaves after cycle 2: Ada and Ben had her money; Cy and Eve did not."""
    decision = leave(running(), "dee", "left")
    was = running()
    assert entered(decision) == {
        "debt:ada": ("debit", AMOUNT),
        "debt:ben": ("debit", AMOUNT),
        "owed:dee": ("credit", 2 * AMOUNT),
    }
    claims = [told("ada", "dee", AMOUNT), told("ben", "dee", AMOUNT)]
    (fact,) = decision.facts
    assert (fact.id, fact.group, fact.type) == ("member_left:dee", GROUP, "member_left")
    assert fact.payload == {
        "member": "dee",
        "position": 4,
        "reason": "left",
        "after_turn": False,
        "claims": claims,
    }
    assert decision.answer == {
        "group": GROUP,
        "uid": "dee",
        "state": "left",
        "after_turn": False,
        "claims": claims,
    }
    assert after(decision) == at(
        group_without("dee", "left", 4),
        was.members["dee"].with_(state="left"),
        was.members["ada"].with_(debts=[claim("ada")]),
        was.members["ben"].with_(debts=[claim("ben")]),
        stands_apart(was.contributions[4, "ada"]),
        stands_apart(was.contributions[4, "ben"]),
        waived(was.contributions[3, "dee"]),
        waived(was.contributions[4, "cy"]),
        waived(was.contributions[5, "dee"]),
        waived(was.contributions[4, "eve"]),
        waived(was.contributions[4, "dee"]),
        was.turns[4].with_(state="void", act_at=None),
    )


@pytest.mark.parametrize(
    ("reason", "state"), [("left", "left"), ("removed", "removed"), ("died", "left"), ("vulnerable", "left")]
)
def test_removal_and_death_are_the_same_rule(reason: Any, state: str) -> None:
    decision = leave(running(), "dee", reason)
    assert decision.answer["state"] == state
    assert decision.facts[0].payload["reason"] == reason
    assert after(decision)[member("dee").path] == running().members["dee"].with_(state=state)


def test_a_parked_turn_was_not_had() -> None:
    circle = running()
    circle.turns[4] = circle.turns[4].with_(state="parked")
    assert leave(circle, "dee", "left").answer["after_turn"] is False


def test_before_the_first_debit_a_locked_circle_is_one_smaller() -> None:
    decision = leave(running(0, state="locked"), "ben", "left")
    assert entered(decision) == {}
    assert decision.answer["claims"] == []
    changed = after(decision)
    assert all(
        changed[contribution(uid, 2).path].state == "waived"  # type: ignore[attr-defined]
        and changed[contribution("ben", cycle).path].state == "waived"  # type: ignore[attr-defined]
        for cycle, uid in enumerate(PEOPLE, start=1)
    )


def test_what_the_open_pot_holds_of_the_leaver_was_done_for_its_recipient() -> None:
    circle = running()
    in_pot = paid("dee", 3, "cy")
    circle.contributions[3, "dee"] = in_pot
    decision = leave(again(circle), "dee", "left")
    assert entered(decision)["debt:cy"] == ("debit", AMOUNT)
    changed = after(decision)
    assert in_pot.path not in changed  # it stays in the pot, and is netted from it
    assert changed[contribution("cy", 4).path] == stands_apart(running().contributions[4, "cy"])
    assert changed[member("cy").path].debts == [claim("cy")]  # type: ignore[attr-defined]


def test_a_part_in_the_open_pot_is_claimed_and_the_rest_of_the_promise_falls_away() -> None:
    circle = running()
    part = contribution("dee", 3, "cy", in_pot_pence=4_000, attempts=[settled(in_pot_pence=4_000)])
    circle.contributions[3, "dee"] = part
    decision = leave(again(circle), "dee", "left")
    assert entered(decision)["debt:cy"] == ("debit", 4_000)
    assert after(decision)[part.path] == ended_with(part)


def test_what_the_leaver_left_open_to_the_holder_ends() -> None:
    """Dee paid £60 of Ada's £100: Ada owes her 60, and Dee's debt of 40 to Ada ends."""
    circle = running()
    open_debt, other = debt("ada", 4_000, uid="dee"), debt("ben", 1, uid="dee", cycle=2, left_pence=0)
    short = contribution("dee", 1, "ada", state="short", counted_in=turn(1).id)
    circle.members["dee"] = circle.members["dee"].with_(debts=[open_debt, other])
    circle.contributions[1, "dee"] = short
    decision = leave(again(circle), "dee", "left")
    assert entered(decision) == {
        "debt:dee": ("credit", 4_000),
        "owed:ada": ("debit", 4_000),
        "debt:ada": ("debit", 6_000),
        "debt:ben": ("debit", AMOUNT),
        "owed:dee": ("credit", 16_000),
    }
    changed = after(decision)
    assert changed[short.path] == short.with_(state="covered", act_at=None)
    assert changed[member("dee").path].debts == [open_debt.with_(left_pence=0), other]  # type: ignore[attr-defined]
    assert changed[member("ada").path].debts == [claim("ada", 6_000)]  # type: ignore[attr-defined]


def test_a_pair_of_which_nothing_was_done_leaves_no_claim() -> None:
    circle = running()
    circle.members["dee"] = circle.members["dee"].with_(debts=[debt("ada", AMOUNT, uid="dee")])
    circle.contributions[1, "dee"] = contribution("dee", 1, "ada", state="short", counted_in=turn(1).id)
    decision = leave(again(circle), "dee", "left")
    assert decision.answer["claims"] == [told("ben", "dee", AMOUNT)]
    changed = after(decision)
    assert changed[contribution("ada", 4).path] == waived(running().contributions[4, "ada"])
    assert member("ada").path not in changed


def test_where_the_reserve_or_the_house_stood_in_the_holder_owes_them_instead() -> None:
    circle = running()
    debts = [
        debt(RESERVE, 3_000, uid="dee", cycle=2),
        debt("ben", 2_000, uid="dee", cycle=2),
        debt(HOUSE, 1_000, uid="dee", cycle=2),
        debt(HOUSE, 500, uid="dee", cycle=2, cause="another dispute"),
    ]
    circle.members["dee"] = circle.members["dee"].with_(debts=debts)
    circle.contributions[2, "dee"] = contribution("dee", 2, "ben", state="short", counted_in=turn(2).id)
    decision = leave(again(circle), "dee", "left")
    assert entered(decision) == {
        "debt:dee": ("credit", 6_500),
        "owed:ben": ("debit", 2_000),
        "debt:ada": ("debit", AMOUNT),
        "debt:ben": ("debit", 3_000 + 1_500 + 3_500),
        "owed:dee": ("credit", AMOUNT + 3_500),
    }
    assert {
        one.creditor: one
        for one in after(decision)[member("ben").path].debts  # type: ignore[attr-defined]
    } == {
        "dee": claim("ben", 3_500),
        RESERVE: claim("ben", 3_000, RESERVE),
        HOUSE: claim("ben", 1_500, HOUSE),
    }


def owing_more_than_promised(*debts: Debt) -> Circle:
    """Money for cycle 2 had paid Dee's debt of cycle 1, too, and was taken back: the house bears it all."""
    circle = running()
    taken_back = [
        debt(HOUSE, AMOUNT, uid="dee", cycle=2, cause="one dispute"),
        debt(HOUSE, 3_000, uid="dee", cycle=2, cause="another"),
    ]
    circle.members["dee"] = circle.members["dee"].with_(debts=[*taken_back, *debts])
    return circle


def owed_by(uid: str, decision: Decision) -> dict[tuple[int, str], int]:
    """What somebody owes after it, by cycle and creditor."""
    found: dict[tuple[int, str], int] = {}
    for one in after(decision)[member(uid).path].debts:  # type: ignore[attr-defined]
        found[one.cycle, one.creditor] = found.get((one.cycle, one.creditor), 0) + one.left_pence
    return found


def test_the_holder_owes_the_house_no_more_than_was_promised_them() -> None:
    """Told by seed 63: the leaver's share came to less than nothing, and nobody could leave."""
    decision = leave(again(owing_more_than_promised()), "dee", "left")
    assert owed_by("ada", decision) == {(4, "dee"): AMOUNT}
    assert owed_by("ben", decision) == {(4, HOUSE): AMOUNT}
    assert owed_by("dee", decision) == {(2, HOUSE): 3_000}


def test_what_the_leaver_left_open_to_the_holder_comes_before_what_was_taken_back() -> None:
    circle = owing_more_than_promised(debt("ben", AMOUNT, uid="dee", cycle=2))
    circle.contributions[2, "dee"] = contribution("dee", 2, "ben", state="short", counted_in=turn(2).id)
    decision = leave(again(circle), "dee", "left")
    assert decision.answer["claims"] == [told("ada", "dee", AMOUNT)]
    assert owed_by("dee", decision) == {(2, HOUSE): AMOUNT + 3_000, (2, "ben"): 0}


def test_a_newcomer_owes_the_house_no_more_than_they_take_over() -> None:
    decision = taken_over(again(owing_more_than_promised()))
    assert owed_by("fay", decision) == {(1, "dee"): AMOUNT, (2, HOUSE): AMOUNT}
    assert owed_by("dee", decision) == {(2, HOUSE): 3_000}


def test_what_was_taken_back_on_a_promise_that_no_pot_has_counted_is_not_taken_over() -> None:
    circle = running()
    circle.members["dee"] = circle.members["dee"].with_(debts=[debt(HOUSE, 500, uid="dee", cycle=3)])
    decision = taken_over(again(circle))
    changed = after(decision)
    assert (3, HOUSE) not in owed_by("fay", decision)
    assert changed[contribution("fay", 3).path] == newcomers(3)
    assert changed[member("dee").path].debts == circle.members["dee"].debts  # type: ignore[attr-defined]


def test_a_promise_that_is_short_before_its_turn_is_a_claim_too() -> None:
    """Dee took her place over, and owes for Cy's cycle to the one who had paid into it."""
    circle = running()
    owing = debt("zoe", 4_000, uid="dee", cycle=3)
    circle.members["dee"] = circle.members["dee"].with_(debts=[owing])
    circle.contributions[3, "dee"] = stands_apart(circle.contributions[3, "dee"])
    decision = leave(again(circle), "dee", "left")
    assert {one["creditor"]: one["pence"] for one in decision.answer["claims"] if one["debtor"] == "cy"} == {
        "dee": 6_000,
        "zoe": 4_000,
    }
    assert after(decision)[contribution("dee", 3).path].state == "covered"  # type: ignore[attr-defined]


def test_what_a_substitute_has_paid_back_is_a_claim_as_what_they_still_owe_of_it_is() -> None:
    """Seeds 15 and 61: Dee's money stays in Cy's open pot, Fay has paid Dee for it, and then leaves. The pair
    fell away as one of which nothing was done: Cy had the money of both, and Fay nothing."""
    circle = holding_dees_money()
    taken_over(circle)
    circle = again(circle)
    theirs, fay = circle.contributions[3, "fay"], circle.members["fay"]
    circle.contributions[3, "fay"] = theirs.moved("covered").with_(act_at=None)
    paid_back = [one.with_(left_pence=0) if one.contribution == theirs.id else one for one in fay.debts]
    circle.members["fay"] = fay.with_(debts=paid_back)
    decision = leave(again(circle), "fay", "left")
    owed = [one for one in decision.answer["claims"] if one["debtor"] == "cy"]
    assert owed == [told("cy", "fay", AMOUNT)]
    back = after(decision)[contribution("cy", 4).path]
    assert (back.state, back.apart) == ("short", True)  # type: ignore[attr-defined]
    assert contribution("fay", 3).path not in after(decision)


def test_what_was_paid_early_into_a_pot_that_falls_away_is_its_payers_credit() -> None:
    circle = running()
    early = {uid: paid(uid, 4, "dee", attempts=[settled(1), settled(2)]) for uid in ("ada", "cy", "dee")}
    for uid, one in early.items():
        circle.contributions[4, uid] = one
    decision = leave(again(circle), "dee", "left")
    assert {account: entry for account, entry in entered(decision).items() if "debt" not in account} == {
        "pot:4": ("debit", 3 * AMOUNT),
        "credit:ada": ("credit", AMOUNT),
        "credit:cy": ("credit", AMOUNT),
        "credit:dee": ("credit", AMOUNT),
        "owed:dee": ("credit", 2 * AMOUNT),
    }
    emptied = [settled(1, in_pot_pence=0), settled(2, in_pot_pence=0)]
    changed = after(decision)
    assert changed[early["ada"].path] == stands_apart(
        early["ada"], in_pot_pence=0, attempts=emptied, act_at=NOW
    )
    assert changed[early["cy"].path] == waived(early["cy"], in_pot_pence=0, attempts=emptied)


def test_a_debit_that_is_under_way_is_followed_to_its_end() -> None:
    circle = running()
    live = contribution("dee", 3, "cy", attempts=[attempt(state="processing")])
    circle.contributions[3, "dee"] = live
    assert after(leave(again(circle), "dee", "left"))[live.path] == waived(live, act_at=live.act_at)
    circle = running()
    part = live.with_(in_pot_pence=PART)
    circle.contributions[3, "dee"] = part
    ended = ended_with(part).with_(act_at=part.act_at)
    assert after(leave(again(circle), "dee", "left"))[live.path] == ended


def test_what_was_waived_before_is_left_alone() -> None:
    circle = running()
    gone = waived(contribution("eve", 4, "dee"), apart=False, act_at=NOW)
    circle.contributions[4, "eve"] = gone
    assert gone.path not in after(leave(again(circle), "dee", "left"))


# --- after one's turn ---------------------------------------------------------------------------------------


def test_after_ones_turn_each_promise_that_is_left_is_owed_on_its_date() -> None:
    circle = running()
    part = contribution("ben", 4, "dee", in_pot_pence=4_000)
    circle.contributions[4, "ben"] = part
    circle = again(circle)
    decision = leave(circle, "ben", "left")
    was = running()
    debts = [
        new_debt(contribution("ben", cycle).id, f"left:ben:{to}", to, cycle, due_date(cycle), pence)
        for cycle, to, pence in ((3, "cy", AMOUNT), (4, "dee", 6_000), (5, "eve", AMOUNT))
    ]
    assert entered(decision) == {
        "debt:ben": ("debit", 26_000),
        "owed:cy": ("credit", AMOUNT),
        "owed:dee": ("credit", 6_000),
        "owed:eve": ("credit", AMOUNT),
    }
    claims = [told("ben", one.creditor, one.left_pence, one.cycle) for one in debts]
    assert decision.answer == {
        "group": GROUP,
        "uid": "ben",
        "state": "defaulted",
        "after_turn": True,
        "claims": claims,
    }
    assert decision.facts[0].payload == {
        "member": "ben",
        "position": 2,
        "reason": "left",
        "after_turn": True,
        "claims": claims,
    }
    assert after(decision) == at(
        group_without("ben", "defaulted", None),
        was.members["ben"].with_(state="defaulted", debts=debts),
        stands_apart(was.contributions[3, "ben"]),
        stands_apart(part),
        stands_apart(was.contributions[5, "ben"]),
    )
    with pytest.raises(AlreadyHadTurn):
        leave(circle, "ben", "left")


def test_what_was_paid_ahead_is_not_owed_again() -> None:
    circle = running()
    circle.contributions[3, "ben"] = paid("ben", 3, "cy")
    assert {one["creditor"] for one in leave(circle, "ben", "left").answer["claims"]} == {"dee", "eve"}


# --- when others have left before ---------------------------------------------------------------------------


def test_who_has_left_after_their_turn_owes_the_next_leaver_what_they_owed() -> None:
    circle = running()
    leave(circle, "ben", "left")
    circle = again(circle)
    decision = leave(circle, "dee", "left")
    assert decision.answer["claims"] == [told("ada", "dee", AMOUNT)]
    assert not {member("ben").path, contribution("ben", 4).path} & set(after(decision))


@pytest.mark.parametrize("how", ["leave", "wind_up"])
def test_a_part_that_stands_in_a_pot_that_falls_away_is_its_recipients_where_the_rest_is_owed(
    how: str,
) -> None:
    """Ben had put £40 into Dee's pot before he left after his turn, and owes her the rest: it stayed in the
    pot for ever (seed 328 of a few cases)."""
    circle = running()
    circle.contributions[4, "ben"] = contribution("ben", 4, "dee", in_pot_pence=PART)
    leave(circle, "ben", "left")
    circle = again(circle)
    decision = leave(circle, "dee", "left") if how == "leave" else wind_up(circle, "apr")
    assert entered(decision)["pot:4"] == ("debit", PART)
    assert entered(decision)["credit:dee"] == ("credit", PART)
    assert circle.contributions[4, "ben"].in_pot_pence == 0
    assert {one.left_pence for one in circle.members["ben"].debts if one.creditor == "dee"} == {AMOUNT - PART}


def holding_dees_money() -> Circle:
    """Dee paid into Cy's open pot, and is gone."""
    circle = running()
    circle.contributions[3, "dee"] = paid("dee", 3, "cy")
    return circle


def test_what_a_former_member_left_in_a_pot_that_falls_away_is_the_credit_of_who_owes_it_to_them() -> None:
    circle = holding_dees_money()
    leave(circle, "dee", "left")
    decision = leave(again(circle), "cy", "left")
    assert {
        account: entry for account, entry in entered(decision).items() if account[:3] in {"pot", "cre"}
    } == {
        "pot:3": ("debit", AMOUNT),
        "credit:cy": ("credit", AMOUNT),
    }
    left_in = holding_dees_money().contributions[3, "dee"]
    emptied = [left_in.attempts[0].with_(in_pot_pence=0)]
    assert after(decision)[left_in.path] == left_in.with_(
        in_pot_pence=0, attempts=emptied, counted_in=again(circle).turns[3].id, apart=True
    )


@pytest.mark.parametrize("back", [PART, AMOUNT])
@pytest.mark.parametrize(("taken", "owner"), [(False, "cy"), (True, "fay")])
def test_what_went_back_to_a_former_member_out_of_such_a_pot_is_owed_again(
    *, taken: bool, owner: str, back: int
) -> None:
    """Dee had it back on the processor's page after she left: she has it twice (seed 125 of a few cases)."""
    circle = holding_dees_money()
    if taken:
        taken_over(circle)
    else:
        leave(circle, "dee", "left")
    theirs = circle.contributions[3, "dee"].moved("due").with_(in_pot_pence=AMOUNT - back)
    circle.contributions[3, "dee"] = theirs
    decision = leave(again(circle), "cy", "left")
    entries = entered(decision)
    assert entries.get(f"credit:{owner}") == (("credit", AMOUNT - back) if back < AMOUNT else None)
    assert entries["debt:dee"] == ("debit", back)
    assert entries[f"owed:{owner}"] == ("credit", back + (0 if taken else 2 * AMOUNT))  # and Cy's own claims
    assert {one.id: (one.creditor, one.left_pence) for one in circle.members["dee"].debts} == {
        debt_id(theirs.id, f"went_back:{turn(3).id}"): (owner, back)
    }
    assert claims_on("dee", decision) == {owner: back}
    after_it = circle.contributions[3, "dee"]
    assert (after_it.state, after_it.in_pot_pence, after_it.act_at) == ("short", 0, circle.now)


def test_a_former_members_promise_that_holds_nothing_is_left_as_it_is() -> None:
    circle = running()
    leave(circle, "dee", "left")
    assert contribution("dee", 3).path not in after(leave(again(circle), "cy", "left"))


def test_where_somebody_took_the_former_members_place_it_is_theirs() -> None:
    circle = holding_dees_money()
    taken_over(circle)
    decision = leave(again(circle), "cy", "left")
    assert entered(decision)["credit:fay"] == ("credit", AMOUNT)
    assert after(decision).keys().isdisjoint({contribution("fay", 3).path})  # its debt to Dee stands


def test_it_is_theirs_also_if_their_own_place_ends_a_moment_before() -> None:
    """Seed 78: by the order of the roster Fay's place fell away first, and Cy got what Fay pays Dee for."""
    circle = holding_dees_money()
    taken_over(circle)
    circle = again(circle)
    circle.group = circle.group.with_(seats=sorted(circle.group.seats, key=lambda seat: seat.uid != "fay"))
    entries = entered(wind_up(circle, "apr"))
    assert entries["credit:fay"] == ("credit", AMOUNT)
    assert "credit:cy" not in entries


def test_it_is_theirs_also_if_turns_were_changed_since() -> None:
    """Eve has Dee's old turn now: she took nothing over, and paid nobody for it."""
    circle = holding_dees_money()
    taken_over(circle)
    circle = again(circle)
    swap(circle, "fay", "eve", "apr_2")
    assert entered(leave(again(circle), "cy", "left"))["credit:fay"] == ("credit", AMOUNT)


def test_it_is_theirs_who_took_over_last() -> None:
    circle = holding_dees_money()
    taken_over(circle)
    circle = again(circle)
    due = [contribution("gus", cycle, PEOPLE[cycle - 1]) for cycle in range(1, 6)]
    substitute(circle, "fay", member("gus", state="agreed", joined_at=NOW), due, "apr_2")
    assert entered(leave(again(circle), "cy", "left"))["credit:gus"] == ("credit", AMOUNT)


def test_unless_they_have_had_their_part_of_it_from_the_recipient() -> None:
    """Cy's turn is parked, and Fay has had hers, with Cy's money: what Dee left in his pot is his."""
    circle = holding_dees_money()
    taken_over(circle)
    circle.turns[3] = circle.turns[3].with_(state="parked")
    circle.turns[4] = circle.turns[4].with_(state="received")
    circle.contributions[4, "cy"] = paid("cy", 4, "fay", counted_in=turn(4).id)
    decision = leave(again(circle), "cy", "left")
    assert entered(decision)["credit:cy"] == ("credit", AMOUNT)
    wound_up = holding_dees_money()
    taken_over(wound_up)
    wound_up.turns[3] = wound_up.turns[3].with_(state="parked")
    wound_up.turns[4] = wound_up.turns[4].with_(state="received")
    wound_up.contributions[4, "cy"] = paid("cy", 4, "fay", counted_in=turn(4).id)
    assert entered(wind_up(again(wound_up), "apr"))["credit:cy"] == ("credit", AMOUNT)


def test_a_pot_without_a_recipient_gives_back_what_is_in_it() -> None:
    """A member who is there still has their money back by themselves, and no former one has any in it."""
    circle = running()
    circle.contributions[4, "ben"] = paid("ben", 4, "dee")
    leave(circle, "cy", "left")
    decision = leave(again(circle), "dee", "left")
    assert entered(decision)["credit:ben"] == ("credit", AMOUNT)


def test_what_is_between_two_others_is_not_taken_over() -> None:
    """Ben left after his turn, and owes Dee for hers: that is between these two."""
    circle = running()
    leave(circle, "ben", "left")
    circle = again(circle)
    owed = circle.members["ben"]
    decision = taken_over(circle)
    assert entered(decision) == posted([("debt:fay", "owed:dee", AMOUNT)])
    changed = after(decision)
    assert changed[contribution("fay", 2).path] == waived(newcomers(2))
    assert circle.members["ben"] == owed
    assert contribution("dee", 2).path not in changed


def test_nor_is_a_part_of_it_that_stands_in_the_pot() -> None:
    """Ben had put £40 into Dee's pot, and owes her the rest: the newcomer had what Dee lost (seed 41)."""
    circle = running()
    circle.contributions[4, "ben"] = contribution("ben", 4, "dee", in_pot_pence=PART)
    leave(circle, "ben", "left")
    decision = taken_over(again(circle))
    assert entered(decision)["pot:4"] == ("debit", PART)
    assert entered(decision)["credit:dee"] == ("credit", PART)
    assert circle.contributions[4, "ben"].in_pot_pence == 0
    assert after(decision)[contribution("fay", 5).path] == newcomers(5)


def test_where_two_took_places_over_in_whose_pots_each_ones_promise_was_done_their_pair_stands() -> None:
    """Dee had paid for Eve's turn, and Eve for Dee's; Fay and Gus, who follow them, owe them that."""
    circle = running()
    circle.contributions[5, "dee"], circle.contributions[4, "eve"] = (
        paid("dee", 5, "eve"),
        paid("eve", 4, "dee"),
    )
    taken_over(circle)
    circle = again(circle)
    due = [contribution("gus", cycle, PEOPLE[cycle - 1]) for cycle in range(1, 6)]
    substitute(circle, "eve", member("gus", state="agreed", joined_at=NOW), due, "apr_2")
    owed = {uid: circle.members[uid].owes_pence() for uid in ("fay", "gus")}
    decision = leave(again(circle), "fay", "left")
    assert claims_on("gus", decision) == {}
    assert entered(decision)["credit:fay"] == ("credit", AMOUNT)  # what Eve had put in for it
    assert owed_in(decision, circle)["gus"] == owed["gus"]
    assert circle.contributions[5, "dee"].in_pot_pence == AMOUNT


def test_who_is_not_on_the_table_owes_nobody_on_it() -> None:
    circle = running()
    del circle.members["eve"]
    assert after(taken_over(circle))[contribution("fay", 5).path] == newcomers(5)


def test_what_somebody_owes_another_for_a_turn_is_none_of_its_holders() -> None:
    circle = running()
    owing = debt("zoe", AMOUNT, uid="eve", cycle=4)
    circle.members["eve"] = circle.members["eve"].with_(debts=[owing, debt("dee", 5, uid="eve", cycle=1)])
    circle.contributions[4, "eve"] = stands_apart(circle.contributions[4, "eve"])
    changed = after(taken_over(again(circle)))
    assert changed[contribution("fay", 5).path] == newcomers(5)
    nobodys = running()
    schedule = [one.with_(recipient=None) if one.number == 5 else one for one in nobodys.group.schedule]
    nobodys.group = nobodys.group.with_(schedule=schedule)
    assert after(taken_over(again(nobodys)))[contribution("fay", 5).path] == newcomers(5)


# --- who organises then -------------------------------------------------------------------------------------


def roles(circle: Circle) -> dict[str, str]:
    assert all(
        circle.members[seat.uid].role == seat.role
        for seat in circle.group.seated()
        if seat.uid in circle.members
    )
    return {seat.uid: seat.role for seat in circle.group.seats}


def test_a_deputy_follows_the_organiser() -> None:
    circle = running()
    seat = circle.group.seat("eve")
    assert seat is not None
    circle.group = circle.group.with_seat(seat.with_(role="deputy"))
    leave(circle, "ada", "left")
    assert circle.group.organiser == "eve"
    assert roles(circle) == dict.fromkeys(PEOPLE, "member") | {"eve": "organiser"}


def test_without_a_deputy_the_active_member_with_the_first_turn_follows() -> None:
    circle = running()
    seat = circle.group.seat("ben")
    assert seat is not None
    circle.members["ben"] = circle.members["ben"].with_(state="defaulted")
    circle.group = circle.group.with_seat(seat.with_(state="defaulted"))
    leave(circle, "ada", "left")
    assert circle.group.organiser == "cy"
    assert roles(circle) == dict.fromkeys(PEOPLE, "member") | {"cy": "organiser"}


def test_the_first_turn_counts_not_the_first_on_the_roster() -> None:
    circle = running()
    circle.group = circle.group.with_(seats=circle.group.seats[::-1])
    leave(circle, "ada", "left")
    assert circle.group.organiser == "ben"


def test_where_nobody_is_left_nobody_follows() -> None:
    circle = running(4)
    for uid in ("ben", "cy", "dee"):
        seat = circle.group.seat(uid)
        assert seat is not None
        circle.members[uid] = circle.members[uid].with_(state="defaulted")
        circle.group = circle.group.with_seat(seat.with_(state="defaulted"))
    leave(circle, "eve", "left")
    leave(circle, "ada", "left")
    assert circle.group.organiser == "ada"


def test_a_member_who_leaves_keeps_the_organiser_as_it_is() -> None:
    circle = running()
    leave(circle, "cy", "left")
    assert circle.group.organiser == "ada"
    assert roles(circle)["ada"] == "organiser"


# --- who cannot ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["draft", "recruiting", "completed", "cancelled", "wound_up"])
def test_only_a_running_circle_can_be_left_or_a_place_in_it_taken_over(state: str) -> None:
    asks: list[Callable[[], Decision]] = [
        lambda: leave(running(state=state), "dee", "left"),
        lambda: taken_over(running(state=state)),
    ]
    for refused_by in asks:
        with pytest.raises(NotRunning) as refused:
            refused_by()
        assert refused.value.facts == {"state": state}


def test_only_who_has_a_turn_can_leave_it() -> None:
    finished, placeless = running(), running()
    finished.members["dee"] = finished.members["dee"].with_(state="finished")
    placeless.members["dee"] = placeless.members["dee"].with_(position=None)
    for circle, uid, state in (
        (finished, "dee", "finished"),
        (placeless, "dee", "active"),
        (running(), "zoe", "none"),
    ):
        with pytest.raises(WrongMembershipState) as refused:
            leave(circle, uid, "left")
        assert refused.value.facts == {"needed": "active", "state": state}


# --- everybody ----------------------------------------------------------------------------------------------


def test_a_wind_up_gives_open_pots_back_and_turns_every_half_done_pair_into_a_claim() -> None:
    circle = running()
    in_pot = paid("eve", 3, "cy")
    circle.contributions[3, "eve"] = in_pot
    decision = wind_up(again(circle), "apr_1")
    was = running()
    assert entered(decision) == {
        "debt:ada": ("debit", 3 * AMOUNT),
        "debt:ben": ("debit", 3 * AMOUNT),
        "owed:cy": ("credit", 2 * AMOUNT),
        "owed:dee": ("credit", 2 * AMOUNT),
        "owed:eve": ("credit", 2 * AMOUNT),
        "pot:3": ("debit", AMOUNT),
        "credit:eve": ("credit", AMOUNT),
    }
    waiting = [(3, "cy"), (4, "dee"), (5, "eve")]
    claims = [told(debtor, to, AMOUNT, cycle) for cycle, to in waiting for debtor in ("ada", "ben")]
    (fact,) = decision.facts
    assert (fact.id, fact.type) == ("group_wound_up", "group_wound_up")
    assert fact.payload == {"approval": "apr_1", "waiting": ["cy", "dee", "eve"], "claims": claims}
    assert decision.answer == {"group": GROUP, "state": "wound_up", "claims": claims}
    schedule = [
        one if one.number < 3 else one.with_(closed=True, fell_away=True) for one in was.group.schedule
    ]
    assert after(decision) == at(
        was.group.with_(state="wound_up", schedule=schedule, act_at=NOW),
        *(
            was.members[holder].with_(
                debts=[claim(holder, leaver=to, creditor=to, cycle=cycle) for cycle, to in waiting]
            )
            for holder in ("ada", "ben")
        ),
        *(stands_apart(was.contributions[cycle, uid]) for cycle, _ in waiting for uid in ("ada", "ben")),
        *(
            waived(was.contributions[cycle, uid])
            for cycle, _ in waiting
            for uid in ("cy", "dee", "eve")
            if (cycle, uid) != (3, "eve")
        ),
        waived(in_pot, in_pot_pence=0, attempts=[in_pot.attempts[0].with_(in_pot_pence=0)]),
        *(was.turns[cycle].with_(state="void", act_at=None) for cycle, _ in waiting),
    )


def test_who_has_left_after_their_turn_owes_each_who_waits_already() -> None:
    circle = running()
    leave(circle, "ben", "left")
    decision = wind_up(again(circle), "apr_1")
    assert {one["debtor"] for one in decision.answer["claims"]} == {"ada"}
    assert entered(decision)["debt:ada"] == ("debit", 3 * AMOUNT)
    assert "debt:ben" not in entered(decision)


@pytest.mark.parametrize("state", ["locked", "completed", "wound_up", "cancelled"])
def test_only_an_active_circle_is_wound_up(state: str) -> None:
    with pytest.raises(NotRunning) as refused:
        wind_up(running(state=state), "apr_1")
    assert refused.value.facts == {"state": state}


# --- a place is taken over ----------------------------------------------------------------------------------

TODAY = NOW.date()


def newcomers(cycle: int) -> Contribution:
    return contribution("fay", cycle, PEOPLE[cycle - 1])


def taken_over(circle: Circle, leaver: str = "dee") -> Decision:
    heir = member("fay", state="agreed", joined_at=NOW)
    return substitute(circle, leaver, heir, [newcomers(cycle) for cycle in range(1, 6)], "apr_1")


def inherited(cycle: int, pence: int = AMOUNT, creditor: str = "dee") -> Debt:
    return new_debt(newcomers(cycle).id, f"heir:dee:{creditor}", creditor, cycle, TODAY, pence)


def test_a_substitute_takes_over_both_sides_and_pays_in_what_the_leaver_paid() -> None:
    decision = taken_over(running())
    was = running()
    assert entered(decision) == posted([("debt:fay", "owed:dee", 2 * AMOUNT)])
    debts = [inherited(1), inherited(2)]
    claims = [
        {"debtor": "fay", "creditor": "dee", "pence": AMOUNT, "due_date": TODAY.isoformat()} for _ in debts
    ]
    (fact,) = decision.facts
    assert (fact.id, fact.type) == ("place_taken_over:dee", "place_taken_over")
    assert fact.payload == {
        "member": "dee",
        "substitute": "fay",
        "position": 4,
        "approval": "apr_1",
        "claims": claims,
    }
    assert decision.answer == {
        "group": GROUP,
        "uid": "fay",
        "state": "active",
        "position": 4,
        "claims": claims,
    }
    left = was.group.seat("dee")
    assert left is not None
    schedule = [one.with_(recipient="fay") if one.number == 4 else one for one in was.group.schedule]
    group = was.group.with_seat(left.with_(state="left")).with_seat(
        Seat(uid="fay", state="active", position=4)
    )
    assert decision.changed == [one for one in decision.changed if one.path not in at(*decision.created)]
    assert {one.path for one in decision.created} == {
        contribution("fay", cycle).path for cycle in range(1, 6)
    } | {member("fay").path}
    assert after(decision) == at(
        group.with_(schedule=schedule, act_at=NOW),
        was.members["dee"].with_(state="left"),
        member("fay", *debts, position=4, joined_at=NOW),
        *(
            newcomers(cycle).with_(
                state="short", apart=True, due_date=TODAY, act_at=NOW, counted_in=turn(cycle).id
            )
            for cycle in (1, 2)
        ),
        *(newcomers(cycle) for cycle in (3, 4, 5)),
        *(waived(was.contributions[cycle, "dee"]) for cycle in (3, 4, 5)),
        *(was.contributions[4, uid].with_(recipient="fay") for uid in PEOPLE if uid != "dee"),
        was.turns[4].with_(recipient="fay"),
    )


def test_a_newcomer_pays_an_open_cycle_from_today() -> None:
    circle = running(now=NOW + timedelta(weeks=9))
    made = after(taken_over(again(circle)))[contribution("fay", 3).path]
    assert made == newcomers(3).with_(due_date=circle.now.date())


def test_what_the_leaver_put_into_an_open_pot_is_the_newcomers_to_pay_back() -> None:
    circle = running()
    whole, part = paid("dee", 3, "cy"), contribution("dee", 5, "eve", in_pot_pence=4_000)
    circle.contributions[3, "dee"], circle.contributions[5, "dee"] = whole, part
    decision = taken_over(again(circle))
    changed = after(decision)
    assert entered(decision) == posted([("debt:fay", "owed:dee", 34_000)])
    assert changed[member("fay").path].debts == [  # type: ignore[attr-defined]
        inherited(1),
        inherited(2),
        inherited(3),
        inherited(5, 4_000),
    ]
    assert whole.path not in changed
    assert changed[contribution("fay", 3).path] == newcomers(3).with_(
        state="short", apart=True, due_date=TODAY, act_at=NOW, counted_in=turn(3).id
    )
    assert changed[part.path] == ended_with(part)
    assert changed[contribution("fay", 5).path] == newcomers(5).with_(amount_pence=6_000)


def test_what_the_leaver_left_open_the_newcomer_owes_in_their_stead() -> None:
    circle = running()
    debts = [
        debt("ben", 3_000, uid="dee", cycle=2),
        debt(HOUSE, 1_000, uid="dee", cycle=2),
        debt(HOUSE, 500, uid="dee", cycle=2, cause="another"),
    ]
    other = debt("ada", 5, uid="dee", cycle=9)
    circle.members["dee"] = circle.members["dee"].with_(debts=[*debts, other])
    short = contribution("dee", 2, "ben", state="short", counted_in=turn(2).id)
    circle.contributions[2, "dee"] = short
    decision = taken_over(again(circle))
    changed = after(decision)
    assert entered(decision) == {
        "debt:dee": ("credit", 4_500),
        "debt:fay": ("debit", AMOUNT + 4_500 + 5_500),
        "owed:dee": ("credit", AMOUNT + 5_500),
    }
    assert {(one.cycle, one.creditor): one for one in changed[member("fay").path].debts} == {  # type: ignore[attr-defined]
        (1, "dee"): inherited(1),
        (2, "dee"): inherited(2, 5_500),
        (2, "ben"): inherited(2, 3_000, "ben"),
        (2, HOUSE): inherited(2, 1_500, HOUSE),
    }
    assert changed[contribution("fay", 2).path] == newcomers(2).with_(
        state="short", apart=True, due_date=TODAY, act_at=NOW, counted_in=turn(2).id
    )
    assert changed[member("dee").path].debts == [*(one.with_(left_pence=0) for one in debts), other]  # type: ignore[attr-defined]
    assert changed[short.path] == short.with_(state="covered", act_at=None)


def test_a_promise_of_which_nothing_was_done_is_taken_over_whole() -> None:
    circle = running()
    circle.members["dee"] = circle.members["dee"].with_(debts=[debt("ben", AMOUNT, uid="dee", cycle=2)])
    circle.contributions[2, "dee"] = contribution("dee", 2, "ben", state="short", counted_in=turn(2).id)
    changed = after(taken_over(again(circle)))
    assert changed[member("fay").path].debts == [inherited(1), inherited(2, AMOUNT, "ben")]  # type: ignore[attr-defined]


@pytest.mark.parametrize("counted_in", [None, "pay_1"])
def test_a_promise_that_fell_away_is_none_of_the_newcomers(counted_in: str | None) -> None:
    circle = running()
    gone = waived(contribution("dee", 3, "cy"), in_pot_pence=4_000, counted_in=counted_in)
    circle.contributions[3, "dee"] = gone
    changed = after(taken_over(again(circle)))
    assert gone.path not in changed
    assert changed[contribution("fay", 3).path] == waived(newcomers(3))


def test_money_that_was_never_in_its_pot_is_nothing_to_the_holder() -> None:
    """Dee paid twice, and her bank took the surplus back after it was spent: that is hers and the house's."""
    circle = running()
    circle.contributions[3, "dee"] = contribution("dee", 3, "cy", in_pot_pence=PART)
    circle.members["dee"] = circle.members["dee"].with_(debts=[debt(HOUSE, 9_000, uid="dee", cycle=3)])
    decision = leave(again(circle), "dee", "left")
    assert claims_on("cy", decision) == {"dee": PART}
    assert owed_in(decision, circle)["dee"] == 9_000


def test_what_went_back_beyond_a_whole_promise_stays_the_leavers_to_pay() -> None:
    """Ada lacks £60 of Dee's £100, and the house lost £80: Ada owes it what she had, and Dee the rest."""
    circle = running()
    debts = [debt(HOUSE, 8_000, uid="dee"), debt("ada", 6_000, uid="dee")]
    circle.members["dee"] = circle.members["dee"].with_(debts=debts)
    circle.contributions[1, "dee"] = contribution("dee", 1, "ada", state="short", counted_in=turn(1).id)
    decision = leave(again(circle), "dee", "left")
    assert claims_on("ada", decision) == {HOUSE: PART}
    assert owed_in(decision, circle)["dee"] == PART


@pytest.mark.parametrize("paid_back", [False, True])
def test_two_who_have_each_done_their_part_before_either_turn_each_have_it_back(*, paid_back: bool) -> None:
    """Dee had paid into Eve's pot, for which Fay owes or has paid her; Eve paid into Fay's, and leaves."""
    circle = running()
    circle.contributions[5, "dee"] = paid("dee", 5, "eve")
    taken_over(circle)
    circle = again(circle)
    circle.contributions[4, "eve"] = paid("eve", 4, "fay")
    mine, fay = circle.contributions[5, "fay"], circle.members["fay"]
    if paid_back:
        circle.contributions[5, "fay"] = mine.moved("covered")
        gone = [one.with_(left_pence=0) for one in fay.debts if one.contribution == mine.id]
        circle.members["fay"] = fay.with_(debts=gone)
    circle = again(circle)
    owes = circle.members["fay"].owes_pence()
    decision = leave(circle, "eve", "left")
    assert claims_on("fay", decision) == {"eve": AMOUNT}
    assert owed_in(decision, circle)["fay"] == owes + AMOUNT
    assert entered(decision)["credit:fay"] == ("credit", AMOUNT)
    now = circle.contributions[5, "fay"]
    assert (now.state, now.amount_pence) == ("short", 2 * AMOUNT)


@pytest.mark.parametrize(("left", "owed"), [(PART, {"dee": PART}), (1_000, {"dee": 1_000, "cy": 3_000})])
def test_who_follows_one_who_owes_a_part_back_owes_that_part(left: int, owed: dict[str, int]) -> None:
    """Seed 79 of a few cases: the newcomer owed the whole of a promise of which a part was claimed."""
    circle = running()
    circle.contributions[3, "dee"] = contribution("dee", 3, "cy", in_pot_pence=PART)
    leave(circle, "dee", "left")
    circle = again(circle)
    claimed = [one.with_(left_pence=left) for one in circle.members["cy"].debts]
    circle.members["cy"] = circle.members["cy"].with_(debts=claimed)
    circle = again(circle)
    taken_over(circle, "cy")
    assert {one.creditor: one.left_pence for one in circle.members["fay"].debts if one.cycle == 4} == owed
    due = [contribution("gus", cycle, PEOPLE[cycle - 1]) for cycle in range(1, 6)]
    substitute(again(circle), "fay", member("gus", state="agreed", joined_at=NOW), due, "apr_2")
    assert {one.creditor: one.left_pence for one in circle.members["gus"].debts if one.cycle == 4} == owed


# --- a part of it was paid when the place was taken over ----------------------------------------------------


def partly_taken_over(left_pence: int, in_pot_pence: int = 0) -> Circle:
    """Dee had put £40 into Eve's pot. Fay owes Dee `left_pence` of it, and has put in so much herself."""
    circle = running()
    circle.contributions[5, "dee"] = contribution("dee", 5, "eve", in_pot_pence=PART)
    taken_over(circle)
    circle = again(circle)
    fay, mine = circle.members["fay"], circle.contributions[5, "fay"]
    assert (mine.state, mine.left_pence) == ("due", AMOUNT - PART)
    debts = [one.with_(left_pence=left_pence) if one.contribution == mine.id else one for one in fay.debts]
    circle.members["fay"] = fay.with_(debts=debts)
    circle.contributions[5, "fay"] = mine.with_(in_pot_pence=in_pot_pence)
    return circle


def had_by_eve(circle: Circle) -> Circle:
    """Eve has had her turn, for which Fay paid the rest, and Cy and Fay have not had theirs."""
    circle.turns[5] = circle.turns[5].with_(state="received")
    for uid in ("dee", "fay"):
        circle.contributions[5, uid] = circle.contributions[5, uid].with_(counted_in=turn(5).id)
    rest = circle.contributions[5, "fay"]
    circle.contributions[5, "fay"] = rest.moved("covered").with_(in_pot_pence=rest.amount_pence)
    return circle


@pytest.mark.parametrize(
    ("left", "in_pot", "owed"),
    [
        (PART, 0, {"dee": PART}),
        (0, 0, {"fay": PART}),
        (1_000, 0, {"dee": 1_000, "fay": 3_000}),
        (PART, 500, {"dee": PART, "fay": 500}),
        (0, 500, {"fay": PART + 500}),
    ],
)
def test_who_leaves_again_is_owed_what_they_paid_of_it_and_the_rest_is_owed_to_who_had_paid_it(
    left: int, in_pot: int, owed: dict[str, int]
) -> None:
    """The pair fell away as one of which nothing was done, and Eve's pot kept what Fay had paid Dee for."""
    circle = partly_taken_over(left, in_pot)
    decision = leave(again(circle), "fay", "left")
    assert claims_on("eve", decision) == owed
    assert owed_in(decision, circle)["fay"] == 2 * AMOUNT - 2 * AMOUNT
    back = after(decision)[contribution("eve", 4).path]
    assert (back.state, back.apart) == ("short", True)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("left", "owed"),
    [
        (PART, {"dee": PART, "fay": AMOUNT - PART}),
        (0, {"fay": AMOUNT}),
        (1_000, {"dee": 1_000, "fay": 9_000}),
    ],
)
@pytest.mark.parametrize("how", ["leave", "wind_up"])
def test_who_has_had_a_pot_owes_the_whole_promise_back_whoever_paid_it(
    how: str, left: int, owed: dict[str, int]
) -> None:
    circle = again(had_by_eve(partly_taken_over(left)))
    decision = leave(circle, "fay", "left") if how == "leave" else wind_up(circle, "apr")
    assert {to: pence for to, pence in claims_on("eve", decision).items() if to in {"dee", "fay"}} == owed


@pytest.mark.parametrize("had", [False, True])
@pytest.mark.parametrize("left", [PART, 1_000, 0])
def test_the_next_to_take_the_place_over_pays_each_what_they_had_paid(*, left: int, had: bool) -> None:
    circle = partly_taken_over(left)
    if had:
        circle = had_by_eve(circle)
    due = [contribution("gus", cycle, PEOPLE[cycle - 1]) for cycle in range(1, 6)]
    heir = member("gus", state="agreed", joined_at=NOW)
    decision = substitute(again(circle), "fay", heir, due, "apr_2")
    gus, mine = after(decision)[heir.path], after(decision)[due[4].path]
    assert isinstance(gus, Member)
    assert isinstance(mine, Contribution)
    paid_by_fay = PART - left + (AMOUNT - PART if had else 0)
    owed = {"dee": left, "fay": paid_by_fay}
    assert {one.creditor: one.left_pence for one in gus.debts if one.cycle == 5} == {
        uid: pence for uid, pence in owed.items() if pence
    }
    assert (mine.state, mine.amount_pence) == (("short", AMOUNT) if had else ("due", AMOUNT - PART))


def test_after_ones_turn_there_is_no_place_to_take_over() -> None:
    with pytest.raises(AlreadyHadTurn):
        taken_over(running(), "ben")
    with pytest.raises(WrongMembershipState):
        taken_over(running(), "zoe")


# --- what holds whoever leaves when -------------------------------------------------------------------------


def owed_in(decision: Decision, before: Circle) -> dict[str, int]:
    people = dict(before.members)
    people |= {one.uid: one for one in after(decision).values() if isinstance(one, Member)}
    return {uid: one.owes_pence() for uid, one in people.items()}


@tried
@given(
    st.integers(0, 4),
    st.sampled_from(PEOPLE),
    st.lists(st.integers(0, AMOUNT), min_size=5, max_size=5),
    st.lists(st.integers(0, AMOUNT), min_size=5, max_size=5),
    st.sampled_from(["leave", "wind_up", "substitute"]),
    st.sampled_from([None, "ada", "ben", "eve"]),
)
def test_the_books_hold_and_a_leaver_before_their_turn_owes_nothing(
    done: int, leaver: str, in_pot: list[int], missing: list[int], how: str, gone: str | None
) -> None:
    """Any part of the open pot paid, any part of the first cycle's still owed to its recipient."""
    circle = running(done)
    rows = []
    for uid, pence, short in zip(PEOPLE, in_pot, missing, strict=True):
        if done < 5:
            one = circle.contributions[done + 1, uid]
            circle.contributions[done + 1, uid] = one.with_(
                in_pot_pence=pence, state="covered" if pence == AMOUNT else "due"
            )
            rows.append(("cash:stripe", f"pot:{done + 1}", pence))
        if done and short and uid != "ada":
            circle.contributions[1, uid] = circle.contributions[1, uid].with_(state="short")
            circle.members[uid] = circle.members[uid].with_(debts=[debt("ada", short, uid=uid)])
            rows.append((f"debt:{uid}", "owed:ada", short))
    before = balances(*rows)
    circle = again(circle)
    if gone not in {None, leaver}:
        before = before.after(leave(circle, str(gone), "left").facts[0].entries)
        circle = again(circle)
    had_turn = PEOPLE.index(leaver) < done
    if how == "leave":
        decision = leave(circle, leaver, "left")
    elif how == "wind_up":
        decision = wind_up(circle, "apr")
    elif had_turn:
        return
    else:
        decision = taken_over(circle, leaver)
    books = before.after(decision.facts[0].entries)
    assert discrepancies(books) == []
    assert overdrawn(books) == []
    owed = owed_in(decision, circle)
    assert {uid: books.of(f"debt:{uid}") for uid in owed} == owed
    if how != "wind_up" and not had_turn and gone is None:
        assert owed[leaver] == 0
    claims = decision.answer["claims"]
    assert all(one["debtor"] != one["creditor"] for one in claims)
    assert all(one["pence"] > 0 for one in claims)
