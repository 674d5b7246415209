"""The ledger: each row of DESIGN.md § 5 with its entries, what a fact may hold, and the fold."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.domain import ledger
from shared.domain.errors import BadEntry, Unbalanced
from shared.domain.ledger import (
    Balances,
    Entry,
    Rows,
    account_of,
    balances_ref,
    check,
    discrepancies,
    increments,
    overdrawn,
    post,
    reverse,
)
from tests.unit.domain.things import balances, posted, tried

P = "pay_1"

# Each row function with what the design's table says of it, as "Dr a / Cr b; Dr c / Cr d".
TABLE: dict[str, tuple[Callable[[int], Rows], str]] = {
    "money in": (lambda x: ledger.money_in("stripe", 3, x), "cash:stripe / pot:3"),
    "processor's fee": (ledger.processor_fee, "fees:processor / house"),
    "processor's fee, back": (ledger.processor_fee_returned, "house / fees:processor"),
    "fee on top": (ledger.fee_on_top, "house / fees:platform"),
    "fee on top, back": (ledger.fee_on_top_returned, "fees:platform / house"),
    "payout reserved": (lambda x: ledger.payout_reserved(3, P, x), "pot:3 / payable:pay_1"),
    "reserve withheld": (lambda x: ledger.reserve_withheld(3, x), "pot:3 / reserve"),
    "platform's fee": (
        lambda x: ledger.platform_fee("stripe", 3, x),
        "pot:3 / cash:stripe; house / fees:platform",
    ),
    "shortfall, pay_cleared": (lambda x: ledger.shortfall("m", "a", x), "debt:m / owed:a"),
    "shortfall, reserve": (
        lambda x: ledger.shortfall_filled("m", P, x),
        "reserve / payable:pay_1; debt:m / owed:reserve",
    ),
    "arrears netted, to a member": (
        lambda x: ledger.arrears_netted_to_member(3, "m", "a", P, x),
        "pot:3 / payable:pay_1; owed:a / debt:m",
    ),
    "arrears netted, to the reserve": (
        lambda x: ledger.arrears_netted_to_reserve(3, "m", x),
        "pot:3 / reserve; owed:reserve / debt:m",
    ),
    "arrears netted, to the house": (
        lambda x: ledger.arrears_netted_to_house("stripe", 3, "m", x),
        "pot:3 / cash:stripe; house / debt:m",
    ),
    "sent": (lambda x: ledger.sent("stripe", P, x), "payable:pay_1 / cash:stripe"),
    "transfer reversed": (
        lambda x: ledger.transfer_reversed("stripe", P, x),
        "cash:stripe / payable:pay_1",
    ),
    "late money, a member's": (
        lambda x: ledger.late_money_to_member("stripe", "m", "a", P, x),
        "cash:stripe / payable:pay_1; owed:a / debt:m",
    ),
    "late money, the reserve's": (
        lambda x: ledger.late_money_to_reserve("stripe", "m", x),
        "cash:stripe / reserve; owed:reserve / debt:m",
    ),
    "late money, the house's": (lambda x: ledger.late_money_to_house("m", x), "house / debt:m"),
    "no debt left": (lambda x: ledger.money_without_debt("stripe", "m", x), "cash:stripe / credit:m"),
    "credit used": (lambda x: ledger.credit_used("m", 3, x), "credit:m / pot:3"),
    "credit refunded": (
        lambda x: [*ledger.credit_returned("m", P, x), *ledger.sent("stripe", P, x)],
        "credit:m / cash:stripe",
    ),
    "refund or dispute, not reserved": (
        lambda x: ledger.taken_back("stripe", 3, x),
        "pot:3 / cash:stripe",
    ),
    "dispute after, from credit": (
        lambda x: ledger.disputed_after("stripe", "m", x, 0),
        "credit:m / cash:stripe",
    ),
    "dispute after, the house's": (lambda x: ledger.disputed_after("stripe", "m", 0, x), "debt:m / house"),
    "house takes over a claim": (
        lambda x: ledger.house_takes_over("stripe", "a", P, x),
        "cash:stripe / payable:pay_1; owed:a / house",
    ),
    "leaver's cycle": (lambda x: ledger.leaver_claim("a", "leaver", x), "debt:a / owed:leaver"),
    "write-off, the house's": (lambda x: ledger.written_off("m", "house", x), "loss / debt:m"),
    "write-off, a member's": (lambda x: ledger.written_off("m", "a", x), "owed:a / debt:m"),
    "write-off, the reserve's": (
        lambda x: ledger.written_off("m", "reserve", x),
        "owed:reserve / debt:m",
    ),
    "reserve returned": (lambda x: ledger.reserve_returned(P, x), "reserve / payable:pay_1"),
    # Decision 16: what leaving needed.
    "pot that falls away": (lambda x: ledger.pot_released(3, "m", x), "pot:3 / credit:m"),
    "debt taken over": (lambda x: ledger.debt_taken_over("h", "m", x), "debt:h / debt:m"),
    "credit returned": (lambda x: ledger.credit_returned("m", P, x), "credit:m / payable:pay_1"),
    "credit pays a member": (
        lambda x: ledger.held_to_member("credit:m", "m", "a", P, x),
        "credit:m / payable:pay_1; owed:a / debt:m",
    ),
    "credit pays the reserve": (
        lambda x: ledger.held_to_reserve("credit:m", "m", x),
        "credit:m / reserve; owed:reserve / debt:m",
    ),
    "credit pays the house": (
        lambda x: ledger.held_to_house("credit:m", "stripe", "m", x),
        "credit:m / cash:stripe; house / debt:m",
    ),
    "a share of the reserve pays the reserve": (
        lambda x: ledger.held_to_reserve("reserve", "m", x),
        "owed:reserve / debt:m",
    ),
    "a share of the reserve pays a member": (
        lambda x: ledger.held_to_member("reserve", "m", "a", P, x),
        "reserve / payable:pay_1; owed:a / debt:m",
    ),
}


@pytest.mark.parametrize("row", TABLE)
def test_a_row_posts_what_the_table_says(row: str) -> None:
    make, table = TABLE[row]
    expected: dict[str, tuple[str, int]] = {}
    for part in table.split("; "):
        debited, credited = part.split(" / ")
        expected |= {debited: ("debit", 70), credited: ("credit", 70)}
    assert posted(make(70)) == expected
    assert posted(make(0)) == {}


def test_a_dispute_after_takes_credit_first_and_then_the_house_in_one_fact() -> None:
    assert posted(ledger.disputed_after("stripe", "m", 30, 70)) == {
        "credit:m": ("debit", 30),
        "cash:stripe": ("credit", 30),
        "debt:m": ("debit", 70),
        "house": ("credit", 70),
    }


# --- what a fact may hold -----------------------------------------------------------------------------------


def test_rows_are_added_up_each_account_once_and_empty_ones_left_out() -> None:
    entries = post(
        [("cash:stripe", "pot:1", 60)],
        [("cash:stripe", "credit:m", 40), ("pot:1", "reserve", 0)],
        [("credit:m", "pot:1", 40)],
    )
    assert entries == [
        Entry(account="cash:stripe", side="debit", pence=100),
        Entry(account="pot:1", side="credit", pence=100),
    ]


def test_a_row_is_never_negative() -> None:
    with pytest.raises(BadEntry) as refused:
        post([("cash:stripe", "pot:1", -1)])
    assert refused.value.facts == {"account": "cash:stripe", "pence": -1}


@pytest.mark.parametrize(
    ("debited", "credited", "book", "debits", "credits_"),
    [("cash:stripe", "house", "members", 5, 0), ("debt:m", "pot:1", "members", 0, 5)],
)
def test_each_book_balances_by_itself(
    debited: str, credited: str, book: str, debits: int, credits_: int
) -> None:
    with pytest.raises(Unbalanced) as refused:
        post([(debited, credited, 5)])
    assert refused.value.facts == {"book": book, "debits": debits, "credits": credits_}


def test_the_claims_book_balances_too() -> None:
    with pytest.raises(Unbalanced) as refused:
        check(
            [Entry(account="debt:m", side="debit", pence=2), Entry(account="owed:a", side="credit", pence=3)]
        )
    assert refused.value.facts == {"book": "claims", "debits": 2, "credits": 3}


def test_an_account_stands_once_in_a_fact() -> None:
    twice = [
        Entry(account="pot:1", side="credit", pence=5),
        Entry(account="cash:stripe", side="debit", pence=12),
        Entry(account="pot:1", side="credit", pence=7),
    ]
    with pytest.raises(BadEntry) as refused:
        check(twice)
    assert refused.value.facts == {"account": "pot:1", "pence": 7}


@pytest.mark.parametrize("account", ["purse:m", "fees:lawyer", "", ":cash"])
def test_an_unknown_account_is_refused(account: str) -> None:
    with pytest.raises(BadEntry) as refused:
        account_of(account)
    assert refused.value.facts == {"account": account, "pence": 0}


@pytest.mark.parametrize(
    ("account", "book", "grows"),
    [
        ("cash:stripe", "members", "debit"),
        ("pot:1", "members", "credit"),
        ("payable:pay_1", "members", "credit"),
        ("credit:m", "members", "credit"),
        ("reserve", "members", "credit"),
        ("debt:m", "claims", "debit"),
        ("fees:processor", "claims", "debit"),
        ("loss", "claims", "debit"),
        ("owed:a:b", "claims", "credit"),
        ("house", "claims", "credit"),
        ("fees:platform", "claims", "credit"),
    ],
)
def test_each_account_has_its_book_and_its_side(account: str, book: str, grows: str) -> None:
    assert account_of(account) == (book, grows)
    entry = Entry(account=account, side="debit" if grows == "debit" else "credit", pence=7)
    assert Balances().after([entry]).of(account) == 7
    assert Balances().after(reverse([entry])).of(account) == -7


@pytest.mark.parametrize("pence", [0, -1, 1.0, "1"])
def test_an_entry_is_a_positive_whole_number_of_pence(pence: object) -> None:
    with pytest.raises(ValidationError):
        Entry.model_validate({"account": "cash:stripe", "side": "debit", "pence": pence})


# --- the fold -----------------------------------------------------------------------------------------------

facts = st.lists(
    st.lists(st.tuples(st.sampled_from(sorted(TABLE)), st.integers(0, 100_000)), min_size=1, max_size=4).map(
        lambda rows: post(*(TABLE[name][0](pence) for name, pence in rows))
    ),
    max_size=8,
)


@tried
@given(facts)
def test_each_sum_of_rows_balances_and_keeps_what_must_hold_of_balances(journal: list[list[Entry]]) -> None:
    after = Balances()
    for entries in journal:
        check(entries)
        assert len(entries) != 1
        after = after.after(entries)
        assert discrepancies(after) == []


@tried
@given(facts, st.integers(0, 8))
def test_the_fold_is_the_same_however_the_journal_is_cut(journal: list[list[Entry]], cut: int) -> None:
    def fold(facts: list[list[Entry]], start: Balances) -> Balances:
        for entries in facts:
            start = start.after(entries)
        return start

    whole = fold(journal, Balances())
    assert fold(journal[cut:], fold(journal[:cut], Balances())) == whole
    first, second = fold(journal[:cut], Balances()), fold(journal[cut:], Balances())
    for account in whole.accounts():
        assert whole.of(account) == first.of(account) + second.of(account)


@tried
@given(facts)
def test_increments_come_to_the_fold(journal: list[list[Entry]]) -> None:
    document: dict[str, dict[str, int]] = {"debits": {}, "credits": {}}
    folded = Balances()
    for entries in journal:
        folded = folded.after(entries)
        for (side, account), pence in increments(entries).items():
            document[side][account] = document[side].get(account, 0) + pence
    assert Balances.model_validate(document) == folded


@tried
@given(facts)
def test_a_reversal_takes_a_fact_back_to_the_penny_and_no_further(journal: list[list[Entry]]) -> None:
    for entries in journal:
        both = Balances().after(entries).after(reverse(entries))
        assert not any(both.of(account) for account in both.accounts())
        assert reverse(reverse(entries)) == entries
        check(reverse(entries))


def test_increments_name_side_and_account() -> None:
    assert increments(post([("cash:stripe", "pot:1", 5)])) == {
        ("debits", "cash:stripe"): 5,
        ("credits", "pot:1"): 5,
    }


# --- balances -----------------------------------------------------------------------------------------------


def test_balances_stand_on_the_side_on_which_they_grow() -> None:
    stands = balances(
        ("cash:stripe", "pot:1", 100),
        ("cash:stripe", "pot:2", 40),
        ("pot:1", "payable:pay_1", 70),
        ("debt:m", "owed:a", 30),
    )
    assert stands.accounts() == ["cash:stripe", "debt:m", "owed:a", "payable:pay_1", "pot:1", "pot:2"]
    assert {account: stands.of(account) for account in stands.accounts()} == {
        "cash:stripe": 140,
        "debt:m": 30,
        "owed:a": 30,
        "payable:pay_1": 70,
        "pot:1": 30,
        "pot:2": 40,
    }
    assert (stands.of("pot:9"), stands.of("debt:z")) == (0, 0)
    assert (stands.total("pot"), stands.total("cash"), stands.total("po")) == (70, 140, 0)
    assert Balances().total("pot") == 0


def test_the_second_word_of_an_account_is_not_its_first() -> None:
    assert balances(("debt:pot:1", "owed:a", 5)).total("debt") == 5


def test_the_house_alone_may_stand_below_zero() -> None:
    ledger_ = balances(("cash:stripe", "pot:1", 5), ("pot:1", "reserve", 6), ("house", "fees:platform", 9))
    assert overdrawn(ledger_) == ["pot:1"]
    empty = balances(("cash:stripe", "pot:1", 5)).after(post([("pot:1", "cash:stripe", 5)]))
    assert empty.of("pot:1") == 0
    assert overdrawn(empty) == []


def test_a_breach_is_told_in_a_sentence() -> None:
    broken = Balances(
        debits={"cash:stripe": 100, "debt:m": 7, "fees:processor": 3, "loss": 2},
        credits={
            "pot:1": 50,
            "payable:p": 20,
            "credit:m": 6,
            "reserve": 5,
            "owed:a": 4,
            "house": 1,
            "fees:platform": 2,
        },
    )
    assert discrepancies(broken) == [
        "cash 100 is not pot + payable + credit + reserve "
        "{'pot': 50, 'payable': 20, 'credit': 6, 'reserve': 5}",
        "house 1 is not debts to it + fees paid + losses - fees earned 6",
    ]


def test_balances_stand_in_one_document_of_the_group() -> None:
    assert balances_ref("grp_1").path == "groups/grp_1/ledger/balances"
    stands = balances(("cash:stripe", "pot:1", 5))
    assert balances_ref("grp_1").read(stands.data()) == stands
