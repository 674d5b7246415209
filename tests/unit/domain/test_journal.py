"""The journal: one spelling for one fact, and nothing recorded that does not balance."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.canonical import canonical_json
from shared.domain.errors import Unbalanced
from shared.domain.journal import Fact, News, fact_path, fact_ref, payload_hash
from shared.domain.ledger import Entry, post
from tests.unit.domain.things import NOW, tried

ROWS = [("cash:stripe", "pot:1", 5)]


@tried
@given(st.dictionaries(st.text(max_size=3), st.integers(), max_size=5))
def test_the_order_of_keys_says_nothing(payload: dict[str, int]) -> None:
    backwards = dict(reversed(payload.items()))
    assert payload_hash("x", payload, []) == payload_hash("x", backwards, [])


def test_a_hash_is_of_type_payload_and_entries() -> None:
    entries = post(ROWS)
    plain = [{"account": one.account, "side": one.side, "pence": one.pence} for one in entries]
    assert (
        payload_hash("paid", {"a": 1}, entries)
        == sha256(canonical_json(["paid", {"a": 1}, plain])).hexdigest()
    )
    hashes = {
        payload_hash("paid", {"a": 1}, entries),
        payload_hash("sent", {"a": 1}, entries),
        payload_hash("paid", {"a": 2}, entries),
        payload_hash("paid", {"a": 1}, []),
    }
    assert len(hashes) == 4


def test_news_is_recorded_as_a_fact() -> None:
    news = News(id="txn_1", group="grp_1", type="paid", payload={"a": 1}, entries=post(ROWS))
    fact = news.recorded(NOW, NOW + timedelta(hours=1), "ada", "cmd_1")
    assert fact == Fact(
        id="txn_1",
        group="grp_1",
        type="paid",
        at=NOW,
        committed_at=NOW + timedelta(hours=1),
        actor="ada",
        command_id="cmd_1",
        payload={"a": 1},
        payload_hash=payload_hash("paid", {"a": 1}, post(ROWS)),
        entries=post(ROWS),
    )
    assert fact.path == fact_path("grp_1", "txn_1") == fact_ref("grp_1", "txn_1").path
    assert fact.path == "groups/grp_1/journal/txn_1"
    assert fact_ref("grp_1", "txn_1").read(fact.data()) == fact


def test_what_does_not_balance_is_never_recorded() -> None:
    news = News(id="x", group="g", type="t", entries=[Entry(account="pot:1", side="debit", pence=1)])
    with pytest.raises(Unbalanced):
        news.recorded(NOW, NOW, "ada", "cmd_1")
