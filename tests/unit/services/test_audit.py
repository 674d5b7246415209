"""The audit chain: sealed once, verified by anyone, and whatever is done to it behind its back is named."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.anchors import FolderAnchors, anchors_at
from shared.adapters.memory_store import MemoryStore
from shared.domain.audit import Verdict, audit_head_ref, audit_path, verify
from shared.domain.journal import fact_path
from shared.domain.ledger import balances_ref
from shared.ports import AnchorsUnavailable, Delete, Put, Query, Write
from shared.services import anchor_heads, audit, seal_facts
from tests.builders import Circle, World

VERIFIER = Path(__file__).parents[3] / "scripts" / "verify_audit_export.py"


class Sealed:
    """A circle whose first cycle is paid out, and whose chain is sealed and anchored."""

    def __init__(self) -> None:
        self.world = World()
        self.circle: Circle = self.world.circle(self.world.people(5))
        self.world.advance_to(self.circle.pays_out(1))
        self.seal()
        anchor_heads.anchor_heads(self.world.ctx, self.world.command("system:reconcile"))

    def seal(self) -> dict[str, Any]:
        self.world.clock.moment += timedelta(minutes=1)
        return seal_facts.seal_facts(self.world.ctx, self.world.command("system:relay"))

    @property
    def ctx(self) -> Any:
        return self.world.ctx

    @property
    def id(self) -> str:
        return self.circle.id

    def verdict(self) -> Verdict:
        return audit.verify_group(self.ctx, self.id, anchor_heads.anchors(self.ctx))

    def stored(self, path: str) -> dict[str, Any]:
        (found,) = self.world.store.load(path)
        return dict(found.data or {})

    def record(self, seq: int) -> dict[str, Any]:
        return self.stored(audit_path(self.id, seq))

    def fact(self, seq: int) -> dict[str, Any]:
        return self.stored(fact_path(self.id, self.record(seq)["fact"]))

    def put(self, path: str, data: Mapping[str, Any]) -> None:
        self.world.store.commit([Put(path, data)])

    def put_fact(self, data: Mapping[str, Any]) -> None:
        self.put(fact_path(self.id, data["id"]), data)


@pytest.fixture(name="chain")
def _chain() -> Sealed:
    return Sealed()


def test_every_fact_is_sealed_once_and_the_chain_holds(chain: Sealed) -> None:
    facts = len(chain.circle.facts())
    verdict = chain.verdict()
    assert (verdict.faults, verdict.sealed, verdict.unsealed) == ([], facts, 0)
    assert sorted(fact.sealed or 0 for fact in chain.circle.facts()) == list(range(1, facts + 1))
    assert chain.seal() == {"sealed": 0, "tail_seconds": 0}


def test_the_oldest_is_sealed_first_and_the_chain_goes_on(chain: Sealed) -> None:
    before = chain.verdict().sealed
    chain.world.advance_to(chain.circle.pays_out(2))
    chain.seal()
    verdict = chain.verdict()
    assert verdict.faults == []
    assert verdict.sealed > before
    moments = [chain.fact(seq)["committed_at"] for seq in range(1, verdict.sealed + 1)]
    assert moments == sorted(moments)


class OtherSealerFirst(MemoryStore):
    """A store in which another sealer is faster, once, between our load and our commit."""

    other: Callable[[], Any] | None = None

    def commit(self, writes: Any) -> None:
        if self.other and any("/audit/" in write.path for write in writes):
            other, self.other = self.other, None
            other()
        super().commit(writes)


def test_of_two_sealers_one_wins_and_the_other_looks_again() -> None:
    store = OtherSealerFirst()
    world = World(store=store)
    circle = world.circle(world.people(5))
    world.clock.moment += timedelta(minutes=1)
    command = world.command("system:relay")
    store.other = lambda: seal_facts.seal_facts(world.ctx, command)
    seal_facts.seal_facts(world.ctx, command)
    verdict = audit.verify_group(world.ctx, circle.id)
    assert (verdict.faults, verdict.unsealed, verdict.sealed) == ([], 0, len(circle.facts()))


def test_a_tail_that_waits_is_alarmed(caplog: pytest.LogCaptureFixture, monkeypatch: Any) -> None:
    world = World()
    world.circle(world.people(5))
    world.clock.moment += timedelta(hours=2)
    monkeypatch.setattr(seal_facts, "_seal_group", lambda *_: 0)
    with caplog.at_level(logging.CRITICAL):
        assert seal_facts.seal_facts(world.ctx, world.command("system:relay"))["tail_seconds"] == 7_200
    assert [record.alert for record in caplog.records] == ["audit"]  # type: ignore[attr-defined]


# --- what is done behind the chain's back -------------------------------------------------------------------


def test_any_field_of_any_fact_that_is_changed_is_named(chain: Sealed) -> None:
    for seq in range(1, chain.verdict().sealed + 1):
        fact = chain.fact(seq)
        for field in sorted(fact.keys() - {"published", "sealed", "id"}):
            chain.put_fact(fact | {field: "tampered"})
            assert chain.verdict().first_bad_seq == seq, (seq, field)
        chain.put_fact(fact | {"extra": 1})
        assert chain.verdict().first_bad_seq == seq
        chain.put_fact(fact)
    assert chain.verdict().faults == []


def test_a_penny_in_an_entry_is_named(chain: Sealed) -> None:
    seq = next(n for n in range(1, chain.verdict().sealed) if chain.fact(n)["entries"])
    fact = chain.fact(seq)
    entries = [entry | {"pence": entry["pence"] + 1} for entry in fact["entries"]]
    chain.put_fact(fact | {"entries": entries})
    verdict = chain.verdict()
    assert verdict.first_bad_seq == seq
    assert any(fault.seq is None for fault in verdict.faults)  # the fold differs from the balances, too


def test_any_fact_or_record_that_is_removed_is_named(chain: Sealed) -> None:
    for seq in range(1, chain.verdict().sealed + 1):
        fact, record = chain.fact(seq), chain.record(seq)
        for path, data in ((fact_path(chain.id, fact["id"]), fact), (audit_path(chain.id, seq), record)):
            chain.world.store.commit([Delete(path)])
            assert chain.verdict().first_bad_seq == seq
            chain.put(path, data)
    assert chain.verdict().faults == []


@pytest.mark.parametrize("field", ["seq", "fact", "previous", "hash"])
def test_any_record_that_is_changed_is_named(chain: Sealed, field: str) -> None:
    for seq in range(1, chain.verdict().sealed + 1):
        record = chain.record(seq)
        chain.put(audit_path(chain.id, seq), record | {field: 999 if field == "seq" else "tampered"})
        assert chain.verdict().first_bad_seq == seq
        chain.put(audit_path(chain.id, seq), record)


def test_two_facts_that_change_places_are_named(chain: Sealed) -> None:
    second, fourth = chain.fact(2), chain.fact(4)
    chain.put(audit_path(chain.id, 2), chain.record(2) | {"fact": fourth["id"]})
    chain.put(audit_path(chain.id, 4), chain.record(4) | {"fact": second["id"]})
    chain.put_fact(second | {"sealed": 4})
    chain.put_fact(fourth | {"sealed": 2})
    assert chain.verdict().first_bad_seq == 2


def test_a_fact_that_was_slipped_in_as_sealed_is_named(chain: Sealed) -> None:
    chain.put_fact(chain.fact(3) | {"id": "slipped_in"})
    assert chain.verdict().first_bad_seq == 3


def test_an_end_that_was_cut_off_is_named_by_the_anchored_head(chain: Sealed) -> None:
    last = chain.verdict().sealed
    writes: list[Write] = [
        Delete(audit_path(chain.id, last)),
        Delete(fact_path(chain.id, chain.fact(last)["id"])),
    ]
    chain.world.store.commit(writes)
    before = chain.record(last - 1)
    head = chain.stored(audit_head_ref(chain.id).path)
    chain.put(audit_head_ref(chain.id).path, head | {"seq": last - 1, "hash": before["hash"]})
    assert audit.verify_group(chain.ctx, chain.id).first_bad_seq is None  # the chain alone cannot know
    assert chain.verdict().first_bad_seq == last


def test_a_chain_that_was_written_anew_is_named_by_the_anchored_head(chain: Sealed) -> None:
    fact = chain.fact(2)
    chain.put_fact(fact | {"actor": "somebody else"})
    (records,) = chain.world.store.read_consistently(Query(f"groups/{chain.id}/audit"))
    for fact_again in chain.circle.facts():
        chain.put_fact(fact_again.data() | {"sealed": None})
    chain.world.store.commit([Delete(one.path) for one in records] + [Delete(audit_head_ref(chain.id).path)])
    chain.seal()
    assert audit.verify_group(chain.ctx, chain.id).faults == []
    assert chain.verdict().first_bad_seq is not None


def test_a_head_that_was_moved_or_removed_is_named(chain: Sealed) -> None:
    path = audit_head_ref(chain.id).path
    head = chain.stored(path)
    chain.put(path, head | {"seq": 3})
    assert chain.verdict().first_bad_seq == 4
    chain.put(path, head | {"hash": "0" * 64})
    assert chain.verdict().first_bad_seq == head["seq"]
    chain.world.store.commit([Delete(path)])
    assert chain.verdict().first_bad_seq == 1


def test_a_balance_that_is_not_the_fold_is_named(chain: Sealed) -> None:
    path = balances_ref(chain.id).path
    stand = chain.stored(path)
    chain.put(path, stand | {"debits": stand["debits"] | {"cash:stripe": 1}})
    verdict = chain.verdict()
    assert [fault.what for fault in verdict.faults] == [
        "the balance of cash:stripe is not the fold of the journal"
    ]
    assert verdict.first_bad_seq is None


def test_documents_of_any_shape_are_faults_and_no_errors() -> None:
    record = {"seq": "1", "fact": None, "previous": None, "hash": 3}
    fact = {"id": 4, "sealed": "x", "entries": [{"pence": -1}], "committed_at": "yesterday", "payload": 1.5j}
    verdict = verify("g", {"groups/g/journal/a": fact}, {audit_path("g", 1): record}, {"seq": "many"})
    assert verdict.first_bad_seq is not None


# --- for others ---------------------------------------------------------------------------------------------


def check_export(text: bytes) -> tuple[int, str]:
    done = subprocess.run([sys.executable, str(VERIFIER)], input=text, capture_output=True, check=False)
    return done.returncode, (done.stdout + done.stderr).decode()


def test_a_third_party_checks_the_export_with_a_script_of_thirty_lines(chain: Sealed) -> None:
    assert len(VERIFIER.read_text(encoding="utf-8").splitlines()) <= 30
    verdict = chain.verdict()
    text = audit.export_group(chain.ctx, chain.id)
    assert check_export(text) == (0, f"{verdict.sealed} facts, unbroken; the head is {verdict.head}\n")
    lines = text.splitlines(keepends=True)
    assert check_export(b"".join(lines[:6] + lines[7:])) == (1, "broken at seq 7\n")
    changed = lines[4].replace(b'"actor":"', b'"actor":"x')
    assert check_export(b"".join([*lines[:4], changed, *lines[5:]])) == (1, "broken at seq 5\n")


# --- the anchors --------------------------------------------------------------------------------------------


def test_a_folder_keeps_what_was_written_first(tmp_path: Path) -> None:
    anchors = anchors_at(str(tmp_path / "anchors"), "demo-ajo")
    assert isinstance(anchors, FolderAnchors)
    assert anchors.all() == []
    anchors.put("b", b"1")
    anchors.put("a", b"2")
    anchors.put("b", b"changed")
    assert anchors.all() == [("a", b"2"), ("b", b"1")]


def test_without_a_place_nothing_is_anchored() -> None:
    with pytest.raises(AnchorsUnavailable):
        anchors_at(None, "demo-ajo").all()
    with pytest.raises(AnchorsUnavailable):
        anchors_at(None, "demo-ajo").put("a", b"")
