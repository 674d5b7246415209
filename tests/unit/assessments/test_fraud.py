"""Fraud rules one by one: what fires, what it holds, and the honest case right beside it that does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.domain.fraud import (
    Defaulted,
    DeviceSeen,
    Disputed,
    Fact,
    FraudCheck,
    FraudCode,
    Hold,
    IncomeSeen,
    Joined,
    MandateCancelled,
    MethodAdded,
    PaidOut,
    PayoutAccountSet,
    PayoutDue,
    Severity,
    SignedUp,
    check_fraud,
)

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
START = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOW = START + 60 * DAY


def found(facts: Sequence[Any], person: str = "ada", at: datetime = NOW) -> dict[FraudCode, Severity]:
    return {finding.code: finding.severity for finding in check_fraud(person, facts, at).findings}


def signed_up(
    *people: str, device: str | None = None, address: str | None = None, every: timedelta = DAY
) -> list[Any]:
    return [
        SignedUp(person=person, at=START + n * every, device=device, address=address)
        for n, person in enumerate(people)
    ]


def card(person: str, method: str, at: datetime = START) -> MethodAdded:
    return MethodAdded(person=person, at=at, method=method, method_kind="card")


def pays_to(person: str, account: str, at: datetime = START, *, changed: bool = False) -> PayoutAccountSet:
    return PayoutAccountSet(person=person, at=at, account=account, changed=changed)


def joined(person: str, *groups: str, every: timedelta = HOUR) -> list[Any]:
    return [Joined(person=person, at=START + n * every, group=group) for n, group in enumerate(groups)]


def test_nothing_known_is_nothing_found() -> None:
    check = check_fraud("ada", (), NOW)
    assert (check.findings, check.points, check.holds, check.is_clear) == ((), 0, (), True)


def test_three_sign_ups_on_a_device_in_a_day_hold_and_a_couple_does_not() -> None:
    three = signed_up("ada", "bo", "cy", device="d", every=2 * HOUR)
    check = check_fraud("ada", three, NOW)
    assert check.findings[0].code is FraudCode.SIGN_UPS_ON_DEVICE
    assert check.findings[0].others == ("bo", "cy")
    assert Hold.JOINING in check.holds
    assert found(three[:2]) == {}
    assert FraudCode.SIGN_UPS_ON_DEVICE not in found(signed_up("ada", "bo", "cy", device="d", every=2 * DAY))


def test_a_device_of_three_is_a_question_and_of_five_a_hold() -> None:
    people = ("ada", "bo", "cy", "di", "ed")
    facts = signed_up(*people, device="d", every=9 * DAY)
    assert found(facts[:3]) == {FraudCode.SHARED_DEVICE: Severity.MEDIUM}
    assert check_fraud("ada", facts[:3], NOW).is_clear
    assert found(facts) == {FraudCode.SHARED_DEVICE: Severity.HIGH}
    at_home = signed_up(*people, device="d", address="home", every=9 * DAY)
    assert found(at_home[:4]) == {}
    assert found(at_home) == {FraudCode.SHARED_DEVICE: Severity.HIGH}
    later = [DeviceSeen(person=person, at=START, device="d") for person in people]
    assert found(later) == {FraudCode.SHARED_DEVICE: Severity.HIGH}


def test_a_house_of_six_weighs_little() -> None:
    facts = signed_up("ada", "bo", "cy", "di", "ed", "flo", address="house", every=9 * DAY)
    check = check_fraud("ada", facts, NOW)
    assert (check.points, check.holds) == (10, ())
    assert found(facts[:5]) == {}


@pytest.mark.parametrize(
    ("stated", "shown", "severity"),
    [
        (200_000, 200_000, None),
        (300_000, 200_000, None),
        (300_001, 200_000, Severity.MEDIUM),
        (600_000, 200_000, Severity.MEDIUM),
        (600_001, 200_000, Severity.HIGH),
        (1, 0, Severity.HIGH),
        (0, 0, None),
        (100_000, 900_000, None),
        (10**14, 1, Severity.HIGH),
    ],
)
def test_income_out_of_line(stated: int, shown: int, severity: Severity | None) -> None:
    fact = IncomeSeen(person="ada", at=START, stated_pence=stated, shown_pence=shown)
    assert found([fact]).get(FraudCode.INCOME_OUT_OF_LINE) is severity


def test_the_latest_look_at_income_counts() -> None:
    wrong = IncomeSeen(person="ada", at=START, stated_pence=900_000, shown_pence=100_000)
    right = IncomeSeen(person="ada", at=START + DAY, stated_pence=100_000, shown_pence=100_000)
    assert found([right, wrong]) == {}


def test_a_couple_s_joint_account_is_nothing_strangers_are_a_question_and_three_hold_the_payout() -> None:
    two: list[Any] = [pays_to("ada", "acc"), pays_to("bo", "acc")]
    assert found([*two, *signed_up("ada", "bo", address="home")]) == {}
    assert found(two) == {FraudCode.SHARED_ACCOUNT: Severity.MEDIUM}
    three: list[Any] = [*two, MethodAdded(person="cy", at=START, method="acc", method_kind="bank")]
    check = check_fraud("cy", three, NOW)
    assert set(check.holds) == {Hold.JOINING, Hold.PAYING_OUT}


def test_one_card_for_many_members() -> None:
    two = [card("ada", "c"), card("bo", "c")]
    assert found(two) == {FraudCode.SHARED_CARD: Severity.MEDIUM}
    assert found([*two, *signed_up("ada", "bo", address="home")]) == {}
    assert set(check_fraud("ada", [*two, card("cy", "c")], NOW).holds) == {Hold.ADDING_METHODS, Hold.JOINING}


def test_four_cards_in_a_day_are_a_card_test_and_three_are_tries() -> None:
    tries = [card("ada", f"c{n}", START + n * HOUR) for n in range(4)]
    assert found(tries) == {FraudCode.MANY_METHODS: Severity.HIGH}
    assert found(tries[:3]) == {}
    assert found([card("ada", "same", START + n * HOUR) for n in range(9)]) == {}
    assert found([card("ada", f"c{n}", START + n * DAY) for n in range(4)]) == {}


def test_four_groups_in_a_week_are_a_question_and_six_a_hold() -> None:
    assert found(joined("ada", "g1", "g2", "g3")) == {}
    assert found(joined("ada", "g1", "g2", "g3", "g4")) == {FraudCode.MANY_GROUPS: Severity.MEDIUM}
    six = joined("ada", *(f"g{n}" for n in range(6)))
    assert found(six) == {FraudCode.MANY_GROUPS: Severity.HIGH}
    assert found(joined("ada", *(f"g{n}" for n in range(6)), every=8 * DAY)) == {}


def test_three_members_of_a_group_on_shared_means_are_a_ring() -> None:
    members = [fact for person in "abcdef" for fact in joined(person, "g")]
    chain: list[Any] = [card("a", "c"), card("b", "c"), pays_to("b", "acc"), pays_to("c", "acc")]
    check = check_fraud("a", [*members, *chain], NOW)
    assert next(f.others for f in check.findings if f.code is FraudCode.RING) == ("b", "c")
    assert Hold.PAYING_OUT in check.holds
    assert FraudCode.RING not in found([*members, *chain], "d")
    elsewhere = [*joined("a", "g"), *joined("b", "g"), *joined("c", "other"), *chain]
    assert FraudCode.RING not in found(elsewhere, "a")


def test_an_address_makes_a_ring_only_of_half_a_group_that_came_at_once() -> None:
    at_once = signed_up("a", "b", "c", address="home", every=HOUR)
    over_months = signed_up("a", "b", "c", address="home", every=20 * DAY)
    six = [fact for person in "abcdef" for fact in joined(person, "g")]
    seven = [*six, *joined("g", "g")]
    assert FraudCode.RING in found([*six, *at_once], "a")
    assert FraudCode.RING not in found([*seven, *at_once], "a")
    assert FraudCode.RING not in found([*six, *over_months], "a")


def test_default_after_the_pot_and_who_is_tied_to_it() -> None:
    took: list[Any] = [
        PaidOut(person="ada", at=START, group="g"),
        Defaulted(person="ada", at=START + 30 * DAY, group="g"),
    ]
    assert found(took) == {FraudCode.DEFAULT_AFTER_PAYOUT: Severity.HIGH}
    assert set(check_fraud("ada", took, NOW).holds) == {Hold.JOINING, Hold.PAYING_OUT}
    before = [Defaulted(person="ada", at=START, group="g"), PaidOut(person="ada", at=START + DAY, group="g")]
    other = [PaidOut(person="ada", at=START, group="g"), Defaulted(person="ada", at=START + DAY, group="h")]
    assert found(before) == found(other) == {}
    again = [*took, *signed_up("ada", "new", device="d")]
    assert found(again, "new") == {FraudCode.LINKED_TO_DEFAULT: Severity.MEDIUM}


def test_leaving_soon_after_the_pot() -> None:
    paid = PaidOut(person="ada", at=START, group="g")
    cancelled = MandateCancelled(person="ada", at=START + 3 * DAY)
    replaced = MethodAdded(person="ada", at=START + 4 * DAY, method="new", method_kind="bank")
    assert found([paid, cancelled]) == {FraudCode.LEAVING_AFTER_PAYOUT: Severity.HIGH}
    assert found([paid, cancelled, replaced]) == {}
    assert found([paid, MandateCancelled(person="ada", at=START + 31 * DAY)]) == {}
    assert found([paid, Disputed(person="ada", at=START + 30 * DAY, group="g")]) == {
        FraudCode.LEAVING_AFTER_PAYOUT: Severity.HIGH
    }
    assert found([cancelled, Disputed(person="ada", at=START, group="g")]) == {}


def test_a_change_of_account_before_a_pot_waits_out_the_cooling_off() -> None:
    change = pays_to("ada", "new", START, changed=True)
    soon, late = (PayoutDue(person="ada", at=START + n * DAY, group="g") for n in (7, 8))
    check = check_fraud("ada", [change, soon], START + DAY)
    (finding,) = check.findings
    assert finding.code is FraudCode.ACCOUNT_CHANGED_BEFORE_PAYOUT
    assert (finding.until, check.holds) == (START + 3 * DAY, (Hold.PAYING_OUT,))
    assert found([change, late], at=START + DAY) == {}
    assert found([pays_to("ada", "first", START), soon], at=START + DAY) == {}
    assert found([change, soon], at=START + 9 * DAY) == {}  # the pot has gone


def test_a_new_device_makes_it_a_matter_for_a_person() -> None:
    signed = signed_up("ada", device="old")
    facts = [
        *signed,
        DeviceSeen(person="ada", at=START + 19 * DAY, device="stranger"),
        pays_to("ada", "new", START + 20 * DAY, changed=True),
        PayoutDue(person="ada", at=START + 22 * DAY, group="g"),
    ]
    (finding,) = check_fraud("ada", facts, START + 21 * DAY).findings
    assert (finding.code, finding.until) == (FraudCode.ACCOUNT_CHANGED_ON_NEW_DEVICE, None)
    known = [*facts, DeviceSeen(person="ada", at=START + 2 * DAY, device="stranger")]
    assert found(known, at=START + 21 * DAY) == {FraudCode.ACCOUNT_CHANGED_BEFORE_PAYOUT: Severity.MEDIUM}


SECOND = timedelta(seconds=1)


def _three_on_a_device(apart: timedelta) -> list[Any]:
    return signed_up("ada", "bo", "cy", device="d", address="home", every=apart / 2)


def _three_of_a_group(apart: timedelta) -> list[Any]:
    came = signed_up("ada", "bo", "cy", address="home", every=apart / 2)
    return [*came, *(fact for person in ("ada", "bo", "cy", "di") for fact in joined(person, "g"))]


def _mandate_replaced_before(apart: timedelta) -> list[Any]:
    return [
        PaidOut(person="ada", at=START, group="g"),
        MethodAdded(person="ada", at=START + 5 * DAY - apart, method="new", method_kind="bank"),
        MandateCancelled(person="ada", at=START + 5 * DAY),
    ]


def _account_changed_after_new_device(apart: timedelta) -> list[Any]:
    return [
        DeviceSeen(person="ada", at=NOW - DAY - apart, device="new"),
        pays_to("ada", "new", NOW - DAY, changed=True),
        PayoutDue(person="ada", at=NOW, group="g"),
    ]


def _account_changed_before(apart: timedelta) -> list[Any]:
    return [pays_to("ada", "new", NOW - apart, changed=True), PayoutDue(person="ada", at=NOW, group="g")]


@pytest.mark.parametrize(
    ("story", "limit", "code", "within"),
    [
        (_three_on_a_device, DAY, FraudCode.SIGN_UPS_ON_DEVICE, True),
        (_three_of_a_group, 3 * DAY, FraudCode.RING, True),
        (_mandate_replaced_before, 3 * DAY, FraudCode.LEAVING_AFTER_PAYOUT, False),
        (_account_changed_after_new_device, 3 * DAY, FraudCode.ACCOUNT_CHANGED_ON_NEW_DEVICE, True),
        (_account_changed_before, 7 * DAY, FraudCode.ACCOUNT_CHANGED_BEFORE_PAYOUT, True),
    ],
)
def test_each_span_ends_where_it_says(
    story: Callable[[timedelta], list[Any]], limit: timedelta, code: FraudCode, within: bool
) -> None:
    assert (code in found(story(limit))) is within
    assert (code in found(story(limit + SECOND))) is not within


def test_a_default_in_the_moment_of_the_pot_is_after_it() -> None:
    took = [fact(person="ada", at=START, group="g") for fact in (PaidOut, Defaulted)]
    assert found(took) == {FraudCode.DEFAULT_AFTER_PAYOUT: Severity.HIGH}


def test_two_questions_weigh_as_much_as_a_hold() -> None:
    facts: list[Any] = [*joined("ada", "g1", "g2", "g3", "g4"), card("ada", "c"), card("bo", "c")]
    check = check_fraud("ada", facts, NOW)
    assert (check.points, check.holds) == (60, (Hold.JOINING,))


def test_the_future_is_not_known() -> None:
    facts: list[Any] = [card("ada", "c"), card("bo", "c", NOW + HOUR)]
    assert found(facts) == {}
    assert found(facts, at=NOW + HOUR) == {FraudCode.SHARED_CARD: Severity.MEDIUM}


def test_the_order_of_facts_does_not_matter() -> None:
    facts = [
        *joined("ada", "g"),
        card("ada", "c"),
        PaidOut(person="ada", at=START, group="g"),
        Defaulted(person="ada", at=START + DAY, group="g"),
        MandateCancelled(person="ada", at=START + DAY),
    ]
    checks = {check_fraud("ada", order, NOW).model_dump_json() for order in permutations(facts)}
    assert len(checks) == 1


_ids = st.sampled_from(["a", "b", "c", "d"])
_times = st.integers(0, 90).map(lambda days: START + days * DAY)
_any_fact = st.one_of(
    st.builds(SignedUp, person=_ids, at=_times, device=_ids, address=_ids),
    st.builds(DeviceSeen, person=_ids, at=_times, device=_ids),
    st.builds(IncomeSeen, person=_ids, at=_times, stated_pence=st.integers(0), shown_pence=st.integers(0)),
    st.builds(
        MethodAdded, person=_ids, at=_times, method=_ids, method_kind=st.sampled_from(["card", "bank"])
    ),
    st.builds(PayoutAccountSet, person=_ids, at=_times, account=_ids, changed=st.booleans()),
    st.builds(MandateCancelled, person=_ids, at=_times),
    *(
        st.builds(kind, person=_ids, at=_times, group=_ids)
        for kind in (Joined, PayoutDue, PaidOut, Defaulted, Disputed)
    ),
)


@given(st.lists(_any_fact, max_size=30), _ids)
def test_whatever_happened_is_answered_and_strangers_change_nothing(facts: list[Any], person: str) -> None:
    check = check_fraud(person, facts, NOW)
    assert FraudCheck.model_validate_json(check.model_dump_json()) == check
    strangers = [
        fact.with_(person=f"x{fact.person}", **{k: f"x{v}" for k, v in fact if k in FINGERPRINTS and v})
        for fact in facts
    ]
    assert check_fraud(person, [*facts, *strangers], NOW) == check


FINGERPRINTS = {"device", "address", "method", "account", "group"}


@pytest.mark.parametrize(
    "fact",
    [
        {"kind": "teleported", "person": "ada", "at": "2026-01-01T00:00:00Z"},
        {"kind": "joined", "person": "ada", "at": "2026-01-01T00:00:00", "group": "g"},
        {"kind": "joined", "person": "", "at": "2026-01-01T00:00:00Z", "group": "g"},
        {"kind": "joined", "person": "ada", "at": "2026-01-01T00:00:00Z"},
        {
            "kind": "income_seen",
            "person": "ada",
            "at": "2026-01-01T00:00:00Z",
            "stated_pence": -1,
            "shown_pence": 1,
        },
        {
            "kind": "income_seen",
            "person": "ada",
            "at": "2026-01-01T00:00:00Z",
            "stated_pence": float("nan"),
            "shown_pence": 1,
        },
    ],
)
def test_what_is_no_fact_is_refused(fact: dict[str, Any]) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(Fact)
    with pytest.raises(ValidationError):
        adapter.validate_python(fact)
