"""Credit: it pays its owner's next contribution, as far as that lacks and as far as it goes."""

from __future__ import annotations

import pytest

from shared.domain.contributions import Contribution, Notice
from shared.domain.credits import use_credit
from shared.domain.decision import Decision
from shared.domain.journal import News
from shared.domain.ledger import Balances, post
from tests.unit.domain.things import AMOUNT, DAY, DUE, NOW, attempt, balances, contribution

NOTICE = Notice(amount_pence=AMOUNT, collect_on=DUE, method_kind="card", given_at=NOW)


def credit(pence: int, uid: str = "ada") -> Balances:
    return balances(("cash:stripe", f"credit:{uid}", pence))


def fact(of: Contribution, pence: int) -> News:
    return News(
        id=f"credit_used:{of.id}:{of.revision}",
        group=of.group,
        type="credit_used",
        payload={"contribution": of.id, "cycle": 1, "member": "ada", "pence": pence},
        entries=post([("credit:ada", "pot:1", pence)]),
    )


def test_credit_that_is_enough_covers_the_contribution() -> None:
    due = contribution(in_pot_pence=4_000, notice=NOTICE, revision=3)
    assert use_credit(due, credit(9_000), NOW + DAY) == Decision(
        answer={"used_pence": 6_000},
        facts=[fact(due, 6_000)],
        changed=[
            due.with_(
                state="covered", act_at=None, in_pot_pence=AMOUNT, credit_clears_at=NOW + DAY, notice=None
            )
        ],
    )


def test_what_credit_leaves_is_noticed_anew() -> None:
    due = contribution(notice=NOTICE, in_pot_pence=1_000)
    assert use_credit(due, credit(2_500), NOW) == Decision(
        answer={"used_pence": 2_500},
        facts=[fact(due, 2_500)],
        changed=[due.with_(in_pot_pence=3_500, credit_clears_at=NOW, notice=None)],
    )


@pytest.mark.parametrize(
    ("of", "stands"),
    [
        (contribution(), credit(0)),
        (contribution(), credit(500, "ben")),
        (contribution(in_pot_pence=AMOUNT), credit(500)),
        (contribution(state="short"), credit(500)),
        (contribution(state="covered"), credit(500)),
        (contribution(attempts=[attempt()]), credit(500)),
    ],
    ids=["none", "another's", "nothing lacks", "short", "covered", "a debit is under way"],
)
def test_where_there_is_nothing_to_use_nothing_is_decided(of: Contribution, stands: Balances) -> None:
    assert use_credit(of, stands, NOW) == Decision()
