"""Audit: each group's facts as a chain of hashes, and the verifier that names the first broken place.

`hash = sha256(previous ‖ seq ‖ fact id ‖ canonical JSON of the fact)`, one line each, where the fact's JSON
has every field but its two marks (`published`, `sealed`). Facts and audit records vouch for each other both
ways; heads that were anchored outside the store vouch for the chain as a whole (DESIGN.md § 4).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from shared.domain.canonical import canonical_json
from shared.domain.documents import Document, Ref, Value
from shared.domain.journal import fact_path
from shared.domain.ledger import Balances, Entry
from shared.domain.record import record

MARKS: Final = frozenset({"published", "sealed"})
"""What still moves on a fact after it was written: it is no part of what is sealed."""

GENESIS: Final = "0" * 64
"""What stands before the first record."""

Data = Mapping[str, Any]


class AuditRecord(Document):
    """groups/{group}/audit/{seq}: one fact's place in the chain. Written once."""

    group: str
    seq: int
    fact: str
    previous: str
    hash: str
    sealed_at: datetime

    @property
    def path(self) -> str:
        return audit_path(self.group, self.seq)


class AuditHead(Document):
    """groups/{group}/audit_head/head: how far the chain reaches. Of two sealers, one moves it."""

    group: str
    seq: int = 0
    hash: str = GENESIS
    sealed_at: datetime | None = None

    @property
    def path(self) -> str:
        return audit_head_ref(self.group).path


def audit_path(group: str, seq: int) -> str:
    """Numbers are padded so that documents in the order of their names are in the order of the chain."""
    return f"groups/{group}/audit/{seq:09}"


def audit_head_ref(group: str) -> Ref[AuditHead]:
    return Ref(AuditHead, f"groups/{group}/audit_head/head")


def sealed_part(fact: Data) -> dict[str, Any]:
    """The fields of a stored fact that its hash covers: all but the two marks."""
    return {name: value for name, value in fact.items() if name not in MARKS}


def chain_hash(previous: str, seq: int, fact: Data) -> str:
    """The hash of a record, in hex: what comes before it, its number, its fact's id and the fact itself."""
    lines = [previous.encode(), str(seq).encode(), str(fact.get("id")).encode()]
    return hashlib.sha256(b"\n".join([*lines, canonical_json(sealed_part(fact))])).hexdigest()


def seal(head: AuditHead, facts: Iterable[Data], now: datetime) -> tuple[AuditHead, list[AuditRecord]]:
    """The chain with these facts added in this order: its new head, and their records."""
    records: list[AuditRecord] = []
    seq, previous = head.seq, head.hash
    for fact in facts:
        seq += 1
        record = AuditRecord(
            group=head.group,
            seq=seq,
            fact=str(fact["id"]),
            previous=previous,
            hash=chain_hash(previous, seq, fact),
            sealed_at=now,
        )
        records.append(record)
        previous = record.hash
    return head.with_(seq=seq, hash=previous, sealed_at=now, revision=head.revision + 1), records


# --- verifying ----------------------------------------------------------------------------------------------


class Anchor(Value):
    """A head as it was written down outside the store: who rewrites the chain cannot rewrite this."""

    group: str
    seq: int
    hash: str
    anchored_on: str


@record
class Fault:
    """Where the books were changed behind the journal's back. `seq` is None for the balances."""

    seq: int | None
    what: str


@record
class Verdict:
    """What a verification found: the first bad place leads. `unsealed` facts are the tail, and no fault."""

    group: str
    sealed: int
    unsealed: int
    oldest_unsealed_at: datetime | None
    head: str
    faults: Sequence[Fault]

    @property
    def first_bad_seq(self) -> int | None:
        """The lowest number in the chain at which something is not as it was sealed."""
        return min((fault.seq for fault in self.faults if fault.seq is not None), default=None)


def verify(
    group: str,
    facts: Mapping[str, Data],
    records: Mapping[str, Data],
    head: Data | None,
    anchors: Iterable[Anchor] = (),
    balances: Balances | None = None,
) -> Verdict:
    """Hold facts against audit records both ways, the head and the anchors against the chain, and the
    balances (where given) against the fold. `facts` and `records` are the stored documents by their path.

    Trusts no form: a document that was tampered with may hold anything.
    """
    faults: list[Fault] = []
    length = max([_whole(head, "seq"), *(_number(path) for path in records)], default=0)
    hashes: dict[int, str] = {0: GENESIS}
    chained: dict[str, int] = {}
    previous = GENESIS
    for seq in range(1, length + 1):
        record = records.get(audit_path(group, seq))
        path = fact_path(group, str((record or {}).get("fact")))
        what = _fault_at(seq, record, facts.get(path), previous, chained.get(path))
        if what is not None:
            faults.append(Fault(seq, what))
        chained.setdefault(path, seq)
        # One broken link is one fault: the chain goes on from what this record says of itself.
        previous = str((record or {}).get("hash", previous))
        hashes[seq] = previous
    faults += _unchained(facts, chained)
    faults += _head_faults(head, length, hashes)
    faults += _anchor_faults(group, anchors, hashes)
    if balances is not None:
        faults += _fold_faults(facts, balances)
    tail = [fact for fact in facts.values() if fact.get("sealed") is None]
    moments = [at for fact in tail if isinstance(at := fact.get("committed_at"), datetime)]
    return Verdict(
        group=group,
        sealed=length,
        unsealed=len(tail),
        oldest_unsealed_at=min(moments, default=None),
        head=hashes[length],
        faults=sorted(faults, key=lambda fault: (fault.seq is None, fault.seq or 0)),
    )


def _fault_at(
    seq: int, record: Data | None, fact: Data | None, previous: str, seen_at: int | None
) -> str | None:
    """What is wrong at one place of the chain; None if all is as it was sealed."""
    if record is None:
        return "the audit record is missing"
    name = record.get("fact")
    if record.get("seq") != seq:
        return f"the audit record says that it is number {record.get('seq')}"
    if seen_at is not None:
        return f"the fact {name} was sealed before, as number {seen_at}"
    if fact is None:
        return f"the fact {name} is missing"
    if fact.get("sealed") != seq:
        return f"the fact {name} is marked as number {fact.get('sealed')}"
    if record.get("previous") != previous:
        return "the audit record does not follow the one before it"
    if record.get("hash") != _hash_or_none(previous, seq, fact):
        return f"the fact {name} is not as it was sealed"
    return None


def _hash_or_none(previous: str, seq: int, fact: Data) -> str | None:
    try:
        return chain_hash(previous, seq, fact)
    except (TypeError, ValueError):  # what has no canonical form was never sealed
        return None


def _unchained(facts: Mapping[str, Data], chained: Mapping[str, int]) -> list[Fault]:
    """Facts that carry a mark which no record backs."""
    return [
        Fault(
            _whole(fact, "sealed"), f"the fact {fact.get('id')} is marked as sealed, and no record names it"
        )
        for path, fact in facts.items()
        if fact.get("sealed") is not None and path not in chained
    ]


def _head_faults(head: Data | None, length: int, hashes: Mapping[int, str]) -> list[Fault]:
    if head is None:
        return [Fault(1, "the head of the chain is missing")] if length else []
    seq = _whole(head, "seq")
    if seq < length:
        return [Fault(seq + 1, "the chain reaches beyond its head")]
    return [] if head.get("hash") == hashes[seq] else [Fault(seq, "the head has another hash than the chain")]


def _anchor_faults(group: str, anchors: Iterable[Anchor], hashes: Mapping[int, str]) -> list[Fault]:
    """Against heads from outside: whoever rewrote the whole chain, or cut its end off, is caught here."""
    return [
        Fault(anchor.seq, f"the head that was anchored on {anchor.anchored_on} is another")
        for anchor in anchors
        if anchor.group == group and hashes.get(anchor.seq) != anchor.hash
    ]


def _fold_faults(facts: Mapping[str, Data], balances: Balances) -> list[Fault]:
    """Invariant 4: the balances document equals the fold of the journal."""
    fold = Balances()
    for fact in facts.values():
        try:
            fold = fold.after([Entry.model_validate(entry) for entry in fact.get("entries", ())])
        except (TypeError, ValueError):  # told by its hash already
            continue
    wrong = []
    for account in sorted({*fold.accounts(), *balances.accounts()}):
        if (fold.debits.get(account, 0), fold.credits.get(account, 0)) != (
            balances.debits.get(account, 0),
            balances.credits.get(account, 0),
        ):
            wrong.append(Fault(None, f"the balance of {account} is not the fold of the journal"))
    return wrong


def _whole(data: Data | None, field: str) -> int:
    value = (data or {}).get(field)
    return value if isinstance(value, int) else 0


def _number(path: str) -> int:
    name = path.rpartition("/")[2]
    return int(name) if name.isdecimal() else 0


# --- for third parties --------------------------------------------------------------------------------------


def export_lines(facts: Mapping[str, Data], records: Mapping[str, Data]) -> list[bytes]:
    """The sealed chain as JSON lines: each fact with its number and its hash, in canonical form."""
    lines = []
    for path in sorted(records):
        record = records[path]
        fact = facts.get(fact_path(str(record.get("group")), str(record.get("fact"))))
        lines.append(
            canonical_json(
                {
                    "seq": record.get("seq"),
                    "fact": None if fact is None else sealed_part(fact),
                    "previous": record.get("previous"),
                    "hash": record.get("hash"),
                }
            )
        )
    return lines
