"""Statements and audit chains of simulated circles: their totals are the ledger's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.adapters.memory_store import MemoryStore
from shared.domain.audit import Verdict
from shared.domain.ledger import FEES_PAID, HOUSE, Balances
from shared.domain.statements import change_of, group_statement, member_statement, moved_by
from shared.ports import Create, Query
from shared.services import audit, seal_facts
from tests.builders import Circle, StillClock
from tests.simulation.lifecycle import Lifecycle

SEEDS = range(3)
"""Each takes a second or two; the simulation itself runs by the thousand."""


@pytest.mark.parametrize("seed", SEEDS)
def test_totals_equal_the_ledger_and_the_chain_holds(seed: int) -> None:
    life = Lifecycle(seed)
    assert life.run().violations == []
    for circle in life.circles:
        facts, stand = circle.facts(), circle.balances()
        people = sorted({seat.uid for seat in circle.group.seats})
        for fact in facts:
            changes = [change_of(fact, uid) for uid in people]
            told = sum(one.paid_in_pence - one.received_pence for one in changes)
            assert told == moved_by(Balances().after(fact.entries)), fact.type
        closing = {uid: member_statement(facts, uid, None, None).closing for uid in people}
        for uid, position in closing.items():
            assert position.owes_pence == stand.get(f"debt:{uid}", 0) == circle.member(uid).owes_pence()
            assert position.is_owed_pence == stand.get(f"owed:{uid}", 0)
            assert position.credit_pence == stand.get(f"credit:{uid}", 0)
        cash = sum(pence for account, pence in stand.items() if account.startswith("cash"))
        assert sum(one.balance_pence for one in closing.values()) == (
            cash - (stand.get(HOUSE, 0) - stand.get(FEES_PAID, 0))
        )
        whole = group_statement(facts, None, None).closing
        assert {one: whole.of(one) for one in whole.accounts() if whole.of(one)} == stand
        verdict = _sealed(life, circle)
        assert (verdict.faults, verdict.unsealed, verdict.sealed) == ([], 0, len(facts))


def _sealed(life: Lifecycle, circle: Circle) -> Verdict:
    """The circle's books, sealed and verified in a store where nothing fails."""
    (ledger,) = life.world.store.read_consistently(Query(f"groups/{circle.id}/ledger"))
    store = MemoryStore()
    for path, data in [
        *((fact.path, fact.with_(sealed=None).data()) for fact in circle.facts()),
        *((one.path, one.data or {}) for one in ledger),
    ]:
        store.commit([Create(path, data)])
    clock = StillClock(life.clock.moment + timedelta(minutes=1))
    ctx = replace(life.world.ctx, store=store, clock=clock)
    seal_facts.seal_facts(ctx, life.world.command("system:relay"))
    return audit.verify_group(ctx, circle.id)
