"""The state machines of DESIGN.md § 6, each transition allowed and each other one refused.

Each table is written again here, from the design's own lines and from decisions 2, 16 and 45: code and design
do not drift apart unseen.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import product
from typing import get_args

import pytest

from shared.domain.assessments import REVIEW
from shared.domain.contributions import ATTEMPT, BROUGHT_MONEY, CONTRIBUTION, LIVE
from shared.domain.disputes import DISPUTE
from shared.domain.documents import States
from shared.domain.errors import UnknownTransition
from shared.domain.groups import GROUP, Draw, Group, Terms
from shared.domain.members import MEMBERSHIP
from shared.domain.payouts import AT_REST, BEFORE_SENDING, PAYOUT
from shared.domain.words import AttemptState, ContributionState, GroupState, MembershipState, PayoutState
from tests.unit.domain.things import attempt, contribution, member, turn

TABLES: dict[str, tuple[States, str]] = {
    "group": (
        GROUP,
        """draft → recruiting; recruiting → locked; locked → active; active → completed
        draft|recruiting|locked → cancelled; active → wound_up""",
    ),
    "membership": (
        MEMBERSHIP,
        """invited|requested → approved; approved → agreed; agreed → active
        active → finished|left|removed|defaulted; defaulted → finished
        invited → declined|expired; requested → rejected|expired
        requested → left; approved|agreed → left|removed""",  # § 7: before the lock nothing is promised yet
    ),
    "contribution": (
        CONTRIBUTION,
        """due → covered|short|waived; covered → due; short → covered
        short → due; waived → due
        covered → waived|short""",
    ),
    "attempt": (
        ATTEMPT,
        """submitting → requires_action|processing|settled|failed
        requires_action → processing|settled|failed|cancelled; processing → settled|failed
        settled → refunded|disputed; disputed → won|lost; won → disputed
        won → refunded; refunded → disputed; lost → won|disputed""",
    ),
    "payout": (
        PAYOUT,
        """scheduled → parked; parked → scheduled; scheduled → reserved; reserved → submitting
        submitting → sent|failed|unknown; reserved → void; failed → submitting|void; unknown → sent|failed
        sent → received|bank_failed; sent → partly_reversed|reversed
        received → bank_failed; bank_failed → sent
        received|bank_failed → partly_reversed|reversed; partly_reversed → reversed
        scheduled|parked → void""",
    ),
    "dispute": (
        DISPUTE,
        "open → under_review; under_review → upheld|rejected; open|under_review → withdrawn",
    ),
    "review": (REVIEW, "referred → approved|declined"),
}


def drawn(table: str) -> set[tuple[str, str]]:
    arrows = [arrow.split("→") for line in table.splitlines() for arrow in line.split(";")]
    return {
        (state.strip(), to.strip())
        for states, followers in arrows
        for state, to in product(states.split("|"), followers.split("|"))
    }


@pytest.mark.parametrize("thing", TABLES)
def test_each_transition_of_the_design_is_allowed_and_no_other(thing: str) -> None:
    states, table = TABLES[thing]
    assert states.pairs() == drawn(table)
    for state, to in product(states, states):
        if (state, to) in drawn(table):
            assert states.allows(state, to)
            assert states.check(state, to) == to
        else:
            assert not states.allows(state, to)
            with pytest.raises(UnknownTransition) as refused:
                states.check(state, to)
            assert refused.value.facts == {"thing": thing, "state": state, "to": to}


@pytest.mark.parametrize("thing", TABLES)
def test_an_unknown_state_raises(thing: str) -> None:
    states = TABLES[thing][0]
    known = next(iter(states))
    for state, to in ((known, "nowhere"), ("nowhere", known)):
        with pytest.raises(UnknownTransition) as refused:
            states.allows(state, to)
        assert refused.value.facts == {"thing": thing, "state": state, "to": to}


def test_the_tables_know_every_state_that_a_document_can_be_in() -> None:
    assert set(GROUP) == set(get_args(GroupState))
    assert set(MEMBERSHIP) == set(get_args(MembershipState))
    assert set(CONTRIBUTION) == set(get_args(ContributionState))
    assert set(ATTEMPT) == set(get_args(AttemptState))
    assert set(PAYOUT) == set(get_args(PayoutState))


def test_states_by_what_they_mean() -> None:
    assert set(ATTEMPT) - LIVE - BROUGHT_MONEY == {"failed", "cancelled"}
    assert {"submitting", "requires_action", "processing"} == LIVE
    assert {"scheduled", "parked", "reserved"} == BEFORE_SENDING
    assert {"received", "void", "reversed"} == AT_REST


def test_a_document_moves_by_its_table() -> None:
    terms = Terms(
        name="T", amount_pence=10_000, frequency="weekly", members=5, first_due_date=date(2027, 1, 4)
    )
    group = Group(
        id="grp",
        state="draft",
        terms=terms,
        organiser="ada",
        seats=[],
        draw=Draw(commitment="0"),
        created_at=datetime(2027, 1, 1, tzinfo=UTC),
    )
    assert group.moved("recruiting") == group.with_(state="recruiting")
    assert member().moved("left") == member().with_(state="left")
    assert contribution().moved("short") == contribution().with_(state="short")
    assert attempt().moved("processing") == attempt().with_(state="processing")
    assert turn().moved("parked") == turn().with_(state="parked")
    for stuck in (
        lambda: group.moved("active"),
        lambda: member().moved("agreed"),
        lambda: contribution().moved("due"),
        lambda: attempt().moved("cancelled"),
        lambda: turn().moved("sent"),
    ):
        with pytest.raises(UnknownTransition):
            stuck()
