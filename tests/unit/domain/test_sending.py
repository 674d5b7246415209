"""Sending: each step of a payout to its bank, told once, and old news that changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.decision import Decision
from shared.domain.errors import Mismatch, UnknownTransition
from shared.domain.ids import sending_id
from shared.domain.journal import News
from shared.domain.ledger import Balances, post
from shared.domain.payouts import PARKED_RECHECK, STUCK_AFTER, Payout, Sending
from shared.domain.sending import (
    BANK_LOOK_UP_AFTER,
    begin,
    record_bank_failed,
    record_bank_refused,
    record_not_found,
    record_nothing_to_send,
    record_on_its_way,
    record_received,
    record_refused,
    record_reversed,
    record_sent,
    record_unknown,
)
from tests.unit.domain.things import DAY, GROUP, NOW, tried, turn

ID = turn().id
SENDING = sending_id(ID, 1)
CLEARS = NOW + 2 * DAY


def payout(state: str, **changes: Any) -> Payout:
    made = turn(state=state, amount_pence=50_000, act_at=NOW - DAY)
    return made.with_(**changes)


def submitting(**changes: Any) -> Payout:
    """A payout with a try under way."""
    return payout("submitting", sendings=[Sending(id=SENDING, number=1, started_at=NOW - DAY)], **changes)


def told(type_: str, id_: str, *entries: tuple[str, str, int], **more: Any) -> News:
    return News(
        id=id_,
        group=GROUP,
        type=type_,
        payload={"payout": ID, "kind": "turn", "cycle": 1, "recipient": "ben", "pence": 50_000} | more,
        entries=post(list(entries)),
    )


# --- from our balance ---------------------------------------------------------------------------------------


def test_a_try_is_recorded_before_the_processor_is_called() -> None:
    reserved = payout("reserved")
    assert begin(reserved, NOW) == Decision(
        answer={"state": "submitting"},
        facts=[told("payout_submitting", f"payout_submitting:{SENDING}", sending=SENDING)],
        changed=[
            reserved.with_(
                state="submitting",
                act_at=NOW + STUCK_AFTER,
                sendings=[Sending(id=SENDING, number=1, started_at=NOW)],
            )
        ],
    )


def test_a_try_that_died_goes_on_without_another_fact() -> None:
    died = submitting()
    assert begin(died, NOW) == Decision(
        answer={"state": "submitting"}, changed=[died.with_(act_at=NOW + STUCK_AFTER)]
    )


def test_a_try_that_was_not_found_goes_on_with_its_key_and_a_fact_of_its_own() -> None:
    lost = submitting().with_(state="failed", revision=7)
    decision = begin(lost, NOW)
    assert decision.facts == [told("payout_submitting", f"payout_submitting:{SENDING}:7", sending=SENDING)]
    assert decision.changed == [lost.with_(state="submitting", act_at=NOW + STUCK_AFTER)]


def test_a_try_after_a_refusal_is_another() -> None:
    refused = submitting().with_(state="failed", revision=7)
    refused = refused.with_(sendings=[refused.sendings[0].with_(refused=True)])
    second = sending_id(ID, 2)
    assert begin(refused, NOW).facts == [
        told("payout_submitting", f"payout_submitting:{second}", sending=second)
    ]


@pytest.mark.parametrize("state", ["scheduled", "parked", "sent", "void", "unknown"])
def test_nothing_is_sent_from_another_state(state: str) -> None:
    with pytest.raises(UnknownTransition):
        begin(payout(state), NOW)


@pytest.mark.parametrize("state", ["submitting", "unknown"])
def test_what_left_our_balance_is_recorded_once(state: str) -> None:
    before = submitting(parked_because="refused").with_(state=state)
    sent = before.with_(state="sent", transfer="tr_1", movement="txn_1", act_at=NOW, parked_because=None)
    assert record_sent(before, "tr_1", "txn_1", 50_000, "stripe", CLEARS, "tr_source", NOW) == Decision(
        answer={"state": "sent"},
        facts=[
            told(
                "payout_sent",
                "txn_1",
                (f"payable:{ID}", "cash:stripe", 50_000),
                transfer="tr_1",
                clears_at=CLEARS.isoformat(),
                source="tr_source",
            )
        ],
        changed=[sent],
    )
    assert record_sent(sent, "tr_1", "txn_1", 50_000, "stripe", CLEARS, "tr_source", NOW) == Decision(
        answer={"state": "sent"}
    )


def test_another_transfer_or_amount_than_ours_is_refused() -> None:
    with pytest.raises(Mismatch) as refused:
        record_sent(
            payout("sent", transfer="tr_1"), "tr_2", "txn_2", 50_000, "stripe", CLEARS, "tr_source", NOW
        )
    assert refused.value.facts == {"what": "transfer", "theirs": "tr_2", "ours": "tr_1"}
    with pytest.raises(Mismatch) as refused:
        record_sent(submitting(), "tr_1", "txn_1", 49_999, "stripe", CLEARS, "tr_source", NOW)
    assert refused.value.facts == {"what": "amount", "theirs": 49_999, "ours": 50_000}
    with pytest.raises(UnknownTransition):
        record_sent(payout("reserved"), "tr_1", "txn_1", 50_000, "stripe", CLEARS, "tr_source", NOW)


def test_where_there_is_nothing_to_send_the_turn_is_done() -> None:
    empty = payout("reserved", amount_pence=0)
    assert record_nothing_to_send(empty, NOW) == Decision(
        answer={"state": "received"},
        facts=[told("payout_received", f"payout_received:{ID}", pence=0)],
        changed=[empty.with_(state="received", act_at=None, received_at=NOW)],
    )


def test_a_refusal_is_tried_again_daily_with_a_new_key() -> None:
    before = submitting()
    after = before.with_(
        state="failed",
        parked_because="balance_too_low",
        act_at=NOW + PARKED_RECHECK,
        sendings=[before.sendings[0].with_(refused=True)],
    )
    assert record_refused(before, SENDING, "balance_too_low", "insufficient", NOW) == Decision(
        answer={"state": "failed", "because": "balance_too_low"},
        facts=[
            told("payout_failed", f"payout_failed:{SENDING}", because="balance_too_low", code="insufficient")
        ],
        changed=[after],
    )
    assert record_refused(after, SENDING, "refused", "x", NOW) == Decision(answer={"state": "failed"})
    assert record_refused(before, "snd_0", "refused", "x", NOW) == Decision(answer={"state": "submitting"})


def test_a_try_without_an_answer_is_unknown_until_it_was_looked_up() -> None:
    before = submitting(revision=5)
    after = before.with_(state="unknown", act_at=NOW)
    assert record_unknown(before, SENDING, NOW) == Decision(
        answer={"state": "unknown"},
        facts=[told("payout_unknown", f"payout_unknown:{SENDING}:5")],
        changed=[after],
    )
    assert record_unknown(after, SENDING, NOW) == Decision(answer={"state": "unknown"})
    assert record_unknown(before, "snd_0", NOW) == Decision(answer={"state": "submitting"})
    assert record_not_found(after, NOW + DAY) == Decision(
        answer={"state": "failed"},
        facts=[told("payout_not_found", f"payout_not_found:{SENDING}:5")],
        changed=[after.with_(state="failed", act_at=NOW + DAY)],
    )
    assert record_not_found(before, NOW) == Decision(answer={"state": "submitting"})


def test_an_earlier_try_is_not_the_present_one() -> None:
    second = Sending(id="snd_2", number=2, started_at=NOW)
    twice = submitting().with_(sendings=[submitting().sendings[0].with_(refused=True), second])
    assert record_refused(twice, SENDING, "refused", "x", NOW) == Decision(answer={"state": "submitting"})
    assert record_unknown(twice, SENDING, NOW) == Decision(answer={"state": "submitting"})
    assert record_refused(twice, "snd_2", "refused", "x", NOW).facts[0].id == "payout_failed:snd_2"
    assert record_unknown(twice, "snd_2", NOW).facts[0].id == "payout_unknown:snd_2:0"
    lost = twice.with_(state="unknown")
    assert record_not_found(lost, NOW).facts[0].id == "payout_not_found:snd_2:0"


# --- on to the bank -----------------------------------------------------------------------------------------


def test_on_its_way_to_the_bank() -> None:
    sent = payout("sent")
    after = sent.with_(bank_payout="po_1", bank_tries=1, act_at=NOW + BANK_LOOK_UP_AFTER)
    assert record_on_its_way(sent, "po_1", NOW) == Decision(
        answer={"state": "sent"},
        facts=[told("payout_on_its_way", "payout_on_its_way:po_1", bank_payout="po_1")],
        changed=[after],
    )
    assert record_on_its_way(after, "po_1", NOW) == Decision(answer={"state": "sent"})


@pytest.mark.parametrize("state", ["sent", "bank_failed"])
def test_a_bank_payout_that_was_refused_is_tried_again_with_another_key(state: str) -> None:
    before = payout(state, bank_tries=1)
    after = before.with_(bank_tries=2, act_at=NOW + DAY)
    assert record_bank_refused(before, 1, NOW + DAY) == Decision(answer={"state": state}, changed=[after])


@pytest.mark.parametrize(
    "before",
    [payout("sent", bank_tries=2), payout("received", bank_tries=1), payout("reversed", bank_tries=1)],
)
def test_the_refusal_of_an_earlier_try_is_no_news(before: Payout) -> None:
    assert record_bank_refused(before, 1, NOW) == Decision(answer={"state": before.state})


def test_the_bank_has_it() -> None:
    on_its_way = payout("sent", bank_payout="po_1", bank_tries=1)
    received = on_its_way.with_(state="received", act_at=None, received_at=NOW)
    assert record_received(on_its_way, "po_1", NOW) == Decision(
        answer={"state": "received"},
        facts=[told("payout_received", "payout_received:po_1", bank_payout="po_1")],
        changed=[received],
    )
    assert record_received(received, "po_1", NOW) == Decision(answer={"state": "received"})
    assert record_on_its_way(received, "po_1", NOW) == Decision(answer={"state": "received"})
    assert record_on_its_way(received, "po_2", NOW) == Decision(answer={"state": "received"})


def test_news_that_overtook_the_news_before_it_counts_the_bank_payout_once() -> None:
    sent = payout("sent")
    assert record_received(sent, "po_1", NOW).changed == [
        sent.with_(state="received", act_at=None, received_at=NOW, bank_payout="po_1", bank_tries=1)
    ]


@pytest.mark.parametrize("state", ["sent", "received"])
def test_the_bank_refuses_even_days_later(state: str) -> None:
    before = payout(state, bank_payout="po_1", bank_tries=1, received_at=NOW - DAY)
    failed = before.with_(
        state="bank_failed", bank_refused=["po_1"], act_at=NOW + PARKED_RECHECK, received_at=None
    )
    assert record_bank_failed(before, "po_1", "account_closed", NOW) == Decision(
        answer={"state": "bank_failed"},
        facts=[
            told("payout_bank_failed", "payout_bank_failed:po_1", bank_payout="po_1", code="account_closed")
        ],
        changed=[failed],
    )
    for old_news in (
        record_bank_failed(failed, "po_1", "x", NOW),
        record_received(failed, "po_1", NOW),
        record_on_its_way(failed, "po_1", NOW),
    ):
        assert old_news == Decision(answer={"state": "bank_failed"})


@pytest.mark.parametrize("state", ["partly_reversed", "reversed"])
def test_what_was_brought_back_stays_so_whatever_the_bank_says_and_is_told_once(state: str) -> None:
    before = payout(state, bank_payout="po_1", bank_tries=1, act_at=None)
    received = before.with_(received_at=NOW)
    assert record_received(before, "po_1", NOW).changed == [received]
    assert record_received(received, "po_1", NOW + DAY).is_empty
    assert record_bank_failed(received, "po_1", "x", NOW).changed == [before.with_(bank_refused=["po_1"])]
    unknown = before.with_(bank_payout=None, bank_tries=0)
    assert record_on_its_way(unknown, "po_1", NOW).changed == [before]


def test_who_has_it_has_it_whatever_else_is_told_to_have_arrived() -> None:
    received = payout("received", bank_payout="po_2", bank_tries=2, received_at=NOW - DAY)
    assert record_received(received, "po_1", NOW) == Decision(answer={"state": "received"})


def test_what_is_told_late_of_an_earlier_bank_payout_is_old_news_too() -> None:
    twice = payout("bank_failed", bank_payout="po_2", bank_tries=2, bank_refused=["po_1", "po_2"])
    for told_late in (record_on_its_way, record_received):
        assert told_late(twice, "po_1", NOW) == Decision(answer={"state": "bank_failed"})


def test_after_new_details_it_goes_to_the_bank_once_more() -> None:
    failed = payout("bank_failed", bank_payout="po_1", bank_tries=1, bank_refused=["po_1"])
    assert record_on_its_way(failed, "po_2", NOW).changed == [
        failed.with_(state="sent", bank_payout="po_2", bank_tries=2, act_at=NOW + BANK_LOOK_UP_AFTER)
    ]
    assert record_received(failed, "po_2", NOW).changed == [
        failed.with_(state="received", bank_payout="po_2", bank_tries=2, act_at=None, received_at=NOW)
    ]
    again = record_bank_failed(failed, "po_2", "x", NOW).changed
    assert again == [
        failed.with_(
            state="bank_failed",
            bank_payout="po_2",
            bank_tries=2,
            bank_refused=["po_1", "po_2"],
            act_at=NOW + PARKED_RECHECK,
        )
    ]
    assert record_received(again[0], "po_1", NOW) == Decision(answer={"state": "bank_failed"})


def test_two_bank_payouts_are_never_under_way_at_once() -> None:
    on_its_way = payout("sent", bank_payout="po_1", bank_tries=1)
    seconds: list[Callable[[], Decision]] = [
        lambda: record_on_its_way(on_its_way, "po_2", NOW),
        lambda: record_received(on_its_way, "po_2", NOW),
        lambda: record_bank_failed(on_its_way, "po_2", "x", NOW),
    ]
    for second in seconds:
        with pytest.raises(Mismatch) as refused:
            second()
        assert refused.value.facts == {"what": "bank payout", "theirs": "po_2", "ours": "po_1"}


def test_nothing_is_at_a_bank_that_was_not_sent() -> None:
    too_early: list[Callable[[], Decision]] = [
        lambda: record_on_its_way(payout("reserved"), "po_1", NOW),
        lambda: record_received(payout("reserved"), "po_1", NOW),
        lambda: record_bank_failed(payout("submitting"), "po_1", "x", NOW),
    ]
    for early in too_early:
        with pytest.raises(UnknownTransition):
            early()


# --- and back -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["sent", "received", "bank_failed"])
def test_a_transfer_that_came_back_is_payable_again(state: str) -> None:
    before = payout(state, transfer="tr_1")
    part = before.with_(state="partly_reversed", reversed_pence=20_000, reversals=["txn_5"], act_at=None)
    assert record_reversed(before, "txn_5", 20_000, "stripe", CLEARS, "trr_1") == Decision(
        answer={"state": "partly_reversed"},
        facts=[
            told(
                "payout_reversed",
                "txn_5",
                ("cash:stripe", f"payable:{ID}", 20_000),
                reversed_pence=20_000,
                clears_at=CLEARS.isoformat(),
                source="trr_1",
            )
        ],
        changed=[part],
    )
    assert record_reversed(part, "txn_5", 20_000, "stripe", CLEARS, "trr_1") == Decision(
        answer={"state": "partly_reversed"}
    )
    more = record_reversed(part, "txn_6", 10_000, "stripe", CLEARS, "trr_1")
    assert more.changed == [part.with_(reversed_pence=30_000, reversals=["txn_5", "txn_6"])]
    whole = record_reversed(part, "txn_7", 30_000, "stripe", CLEARS, "trr_1")
    assert whole.answer == {"state": "reversed"}
    assert whole.changed == [
        part.with_(state="reversed", reversed_pence=50_000, reversals=["txn_5", "txn_7"])
    ]


def test_no_more_comes_back_than_was_sent() -> None:
    with pytest.raises(Mismatch) as refused:
        record_reversed(payout("sent", reversed_pence=20_000), "txn_9", 30_001, "stripe", CLEARS, "trr_1")
    assert refused.value.facts == {"what": "reversed amount", "theirs": 50_001, "ours": 50_000}
    with pytest.raises(UnknownTransition):
        record_reversed(payout("submitting"), "txn_9", 1, "stripe", CLEARS, "trr_1")


@tried
@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(1, 30_000)), max_size=8))
def test_reversals_never_exceed_what_was_sent(movements: list[tuple[str, int]]) -> None:
    now = payout("sent")
    books = Balances().after(post([("cash:stripe", "pot:1", 50_000), ("pot:1", "cash:stripe", 50_000)]))
    for movement, pence in movements:
        try:
            decision = record_reversed(now, movement, pence, "stripe", CLEARS, "trr_1")
        except Mismatch:
            assert now.reversed_pence + pence > 50_000
            continue
        for fact in decision.facts:
            books = books.after(fact.entries)
        now = next((one for one in decision.changed if isinstance(one, Payout)), now)
        assert books.of(f"payable:{ID}") == now.reversed_pence <= 50_000
        assert (now.state == "reversed") == (now.reversed_pence == 50_000)
        assert len(set(now.reversals)) == len(now.reversals)


@pytest.mark.parametrize("record", [record_on_its_way, record_received])
def test_where_a_bank_payout_goes_is_kept_as_it_was_first_told(record: Any) -> None:
    sent = payout("sent")
    told_first = record(sent, "po_1", NOW, "ba_1").changed[0]
    assert (told_first.bank_payout, told_first.bank_destination) == ("po_1", "ba_1")
    later = record_bank_failed(told_first, "po_1", "x", NOW, "ba_2").changed[0]
    assert isinstance(later, Payout)
    assert later.bank_destination == "ba_1"
    again = record_bank_failed(sent, "po_1", "x", NOW, "ba_3").changed[0]
    assert isinstance(again, Payout)
    assert again.bank_destination == "ba_3"
