"""Writing off: a creditor lets all of a debtor's debts to them go, and theirs alone."""

from __future__ import annotations

import pytest

from shared.domain.claims import open_debts_to, write_off
from shared.domain.decision import Decision
from shared.domain.errors import NoSuchDebt
from shared.domain.journal import News
from shared.domain.ledger import HOUSE, RESERVE, post
from tests.unit.domain.things import contribution, debt, member, paid


@pytest.mark.parametrize(
    ("creditor", "debited"), [(HOUSE, "loss"), ("ben", "owed:ben"), (RESERVE, "owed:reserve")]
)
def test_all_that_is_owed_to_one_creditor_ends(creditor: str, debited: str) -> None:
    ends = [debt(creditor, 70, cycle=1), debt(creditor, 30, cycle=2)]
    stays = debt("eve", 50, cycle=3)
    owing = member("ada", *ends, stays)
    first, second = (contribution(cycle=cycle, state="short") for cycle in (1, 2))
    assert write_off(owing, creditor, {first.id: first, second.id: second}, "apr_1") == Decision(
        answer={"written_off_pence": 100},
        facts=[
            News(
                id="written_off:apr_1",
                group=owing.group,
                type="written_off",
                payload={
                    "member": "ada",
                    "creditor": creditor,
                    "pence": 100,
                    "debts": [one.id for one in ends],
                    "approval": "apr_1",
                },
                entries=post([(debited, "debt:ada", 100)]),
            )
        ],
        changed=[
            member("ada", *(one.with_(left_pence=0) for one in ends), stays),
            first.with_(state="covered", act_at=None),
            second.with_(state="covered", act_at=None),
        ],
    )


def test_a_contribution_of_which_another_is_still_owed_stays_short() -> None:
    owing = member("ada", debt(HOUSE, 70), debt("ben", 30))
    short = contribution(state="short")
    assert [one.path for one in write_off(owing, HOUSE, {short.id: short}, "apr").changed] == [owing.path]


def test_a_contribution_that_is_covered_is_left_alone() -> None:
    had = paid(counted_in="pay_1")
    assert len(write_off(member("ada", debt(HOUSE, 70)), HOUSE, {had.id: had}, "apr").changed) == 1


def test_what_nobody_owes_cannot_be_let_go() -> None:
    owing = member("ada", debt("ben", 5), debt(HOUSE, 5, left_pence=0))
    with pytest.raises(NoSuchDebt):
        write_off(owing, HOUSE, {}, "apr_1")
    assert open_debts_to(owing, "ben") == [debt("ben", 5)]
