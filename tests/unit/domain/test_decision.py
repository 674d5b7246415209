"""Decisions: one atomic commit, and two of them as one."""

from __future__ import annotations

from shared.domain.decision import Decision
from shared.domain.journal import News
from tests.unit.domain.things import contribution, member, paid


def test_a_decision_that_records_nothing_is_empty() -> None:
    one = member()
    assert Decision(answer={"state": "due"}).is_empty
    news = News(id="x", group="g", type="t")
    for decision in (
        Decision(facts=[news]),
        Decision(changed=[one]),
        Decision(created=[one]),
        Decision(removed=[one]),
    ):
        assert not decision.is_empty


def test_two_decisions_are_one_commit_and_the_later_word_stands() -> None:
    first, second = News(id="1", group="g", type="t"), News(id="2", group="g", type="t")
    ada, ben, due = member("ada"), member("ben"), contribution()
    one = Decision(answer={"a": 1}, facts=[first], changed=[ada, due], created=[ada], removed=[ben])
    two = Decision(facts=[second], changed=[paid()], created=[ben], removed=[ada])
    assert one.then(two) == Decision(
        answer={"a": 1},
        facts=[first, second],
        changed=[ada, paid()],
        created=[ada, ben],
        removed=[ben, ada],
    )
    assert one.then(Decision(answer={"b": 2})).answer == {"b": 2}
