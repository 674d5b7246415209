"""Payouts: what the lock schedules, and tries at sending that keep their key until one is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.errors import UnknownTransition
from shared.domain.ids import payout_id, sending_id, shard_of
from shared.domain.payouts import (
    HELD_RECHECK,
    PARKED_RECHECK,
    STUCK_AFTER,
    Payout,
    Sending,
    begin_sending,
    is_early,
    payout_ref,
    refuse_sending,
    scheduled_turn,
    waits_for_news,
)
from tests.unit.domain.things import DAY, DUE, GROUP, NOW, turn


def test_the_lock_schedules_a_turn() -> None:
    own_id = payout_id(GROUP, 2, 1)
    made = scheduled_turn(GROUP, 2, "ben", DUE, NOW)
    assert made == Payout(
        id=own_id,
        shard=shard_of(own_id),
        group=GROUP,
        kind="turn",
        cycle=2,
        number=1,
        recipient="ben",
        state="scheduled",
        pay_date=DUE,
        act_at=NOW,
    )
    again = scheduled_turn(GROUP, 2, "ben", DUE, NOW, 2)
    assert (again.id, again.number) == (payout_id(GROUP, 2, 2), 2)
    assert again.shard == shard_of(again.id)


def test_a_payout_has_its_address() -> None:
    made = turn()
    assert made.path == payout_ref(GROUP, made.id).path == f"groups/grp_1/payouts/{made.id}"
    assert payout_ref(GROUP, made.id).read(made.data()) == made


def test_the_first_try_is_saved_with_its_key() -> None:
    reserved = turn(state="reserved", parked_because="bank_changed")
    begun = begin_sending(reserved, NOW)
    first = Sending(id=sending_id(reserved.id, 1), number=1, started_at=NOW)
    assert begun == reserved.with_(
        state="submitting", act_at=NOW + STUCK_AFTER, parked_because=None, sendings=[first]
    )
    assert begun.sending == first
    assert reserved.sending is None


def test_a_try_whose_process_died_goes_on_with_its_key() -> None:
    begun = begin_sending(turn(state="reserved"), NOW)
    later = begin_sending(begun, NOW + DAY)
    assert later == begun.with_(act_at=NOW + DAY + STUCK_AFTER)


def test_a_try_whose_answer_was_lost_goes_on_with_its_key() -> None:
    lost = begin_sending(turn(state="reserved"), NOW).moved("unknown").moved("failed")
    again = begin_sending(lost, NOW + DAY)
    assert again == lost.with_(state="submitting", act_at=NOW + DAY + STUCK_AFTER)


def test_after_a_refusal_the_next_try_has_another_key() -> None:
    begun = begin_sending(turn(state="reserved"), NOW)
    refused = refuse_sending(begun).moved("failed")
    assert refused.sendings == [begun.sendings[0].with_(refused=True)]
    again = begin_sending(refused, NOW + DAY)
    second = Sending(id=sending_id(begun.id, 2), number=2, started_at=NOW + DAY)
    assert again.sendings == [*refused.sendings, second]
    assert again.sending == second
    twice = refuse_sending(again)
    assert [one.refused for one in twice.sendings] == [True, True]
    assert twice.sendings[0] == refused.sendings[0]


@pytest.mark.parametrize("state", ["scheduled", "parked", "sent", "received", "unknown", "void", "reversed"])
def test_nothing_is_sent_from_another_state(state: str) -> None:
    with pytest.raises(UnknownTransition) as refused:
        begin_sending(turn(state=state), NOW)
    assert refused.value.facts == {"thing": "payout", "state": state, "to": "submitting"}


def test_how_long_what_is_stuck_or_parked_waits() -> None:
    assert timedelta(minutes=10) == STUCK_AFTER  # as long as Cloud Tasks gives a handler
    assert timedelta(days=1) == PARKED_RECHECK
    assert timedelta(days=7) == HELD_RECHECK


LATER: dict[str, Any] = {"act_at": NOW + DAY}
GONE: dict[str, Any] = {"bank_payout": "po_1"}
BACK: dict[str, Any] = GONE | {"bank_refused": ["po_1"]}


@pytest.mark.parametrize(
    ("payout", "wants"),
    [
        *((turn(state=state, **LATER), True) for state in ("parked", "failed", "sent", "bank_failed")),
        *(
            (turn(state=state, **LATER), False)
            for state in ("scheduled", "reserved", "submitting", "unknown", "received", "void")
        ),
        (turn(state="parked", act_at=NOW), False),  # its look is due by itself
        (turn(state="parked", act_at=NOW + timedelta(seconds=1)), True),
        (turn(state="parked", act_at=None), False),
        (turn(state="reserved", parked_because="details_to_check", **LATER), True),
        (turn(state="reserved", parked_because="bank_changed", **LATER), False),
        (turn(state="sent", **GONE, **LATER), False),  # on its way: the bank's word comes by itself
        (turn(state="sent", **BACK, **LATER), True),
        (turn(state="bank_failed", **BACK, **LATER), True),
        (turn(state="bank_failed", **GONE, **LATER), True),
    ],
)
def test_news_of_its_recipient_wakes_a_payout_that_waits(payout: Payout, wants: bool) -> None:
    assert waits_for_news(payout, NOW) is wants


@pytest.mark.parametrize(
    ("payout", "early"),
    [
        (turn(state="reserved", act_at=NOW + timedelta(microseconds=1)), True),
        (turn(state="reserved", act_at=NOW), False),
        (turn(state="reserved", act_at=None), False),
        (turn(state="submitting", **LATER), False),
        (turn(state="failed", **LATER), False),
        (turn(state="sent", **LATER), False),
    ],
)
def test_what_is_reserved_begins_at_its_moment_and_what_has_begun_goes_on(
    payout: Payout, early: bool
) -> None:
    assert is_early(payout, NOW) is early
