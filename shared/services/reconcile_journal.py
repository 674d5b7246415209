"""Reconcile, second part: the journal against its own hashes, its audit chain, and the balances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from shared.domain.audit import verify
from shared.domain.differences import Difference
from shared.domain.errors import Broken
from shared.domain.journal import Fact, fact_path, payload_hash
from shared.domain.ledger import Balances, check, discrepancies, overdrawn
from shared.ports import Snapshot


def readable(documents: Mapping[str, dict[str, Any]]) -> tuple[list[Fact], list[Difference]]:
    """The facts of the journal, and those that are none any more: whoever altered one may have broken it."""
    facts, broken = [], []
    for path, data in documents.items():
        try:
            fact = Fact.model_validate(data)
            check(fact.entries)
        except (ValidationError, Broken):
            broken.append(
                Difference("altered_fact", path, "it is no fact any more: fields or entries are broken")
            )
            continue
        facts.append(fact)
        if fact_path(fact.group, fact.id) != path:
            broken.append(
                Difference("altered_fact", path, f"it calls itself {fact.id} of {fact.group}", fact.at)
            )
    return facts, broken


def altered(facts: Iterable[Fact]) -> Iterator[Difference]:
    """Each fact against the hash that was written with it."""
    for fact in facts:
        if payload_hash(fact.type, fact.payload, fact.entries) != fact.payload_hash:
            yield Difference(
                "altered_fact", fact.id, "its contents are not those that its hash was made of", fact.at
            )


def chains(
    documents: Mapping[str, dict[str, Any]], records: Iterable[Snapshot], heads: Iterable[Snapshot]
) -> Iterator[Difference]:
    """Each group's sealed facts against its audit chain, both ways."""
    facts_of: dict[str, dict[str, Any]] = defaultdict(dict)
    records_of: dict[str, dict[str, Any]] = defaultdict(dict)
    for path, data in documents.items():
        facts_of[path.split("/")[1]][path] = data
    for one in records:
        records_of[one.path.split("/")[1]][one.path] = dict(one.data or {})
    head_of = {one.path.split("/")[1]: dict(one.data or {}) for one in heads}
    for group in sorted({*facts_of, *records_of, *head_of}):
        verdict = verify(group, facts_of[group], records_of[group], head_of.get(group))
        for fault in verdict.faults:
            yield Difference("chain", f"{group}/audit/{fault.seq}", fault.what)


def folds(facts: Iterable[Fact], stand: Mapping[str, Balances]) -> Iterator[Difference]:
    """Invariants 2 to 4, of each group."""
    by_group: dict[str, Balances] = defaultdict(Balances)
    for fact in facts:
        by_group[fact.group] = by_group[fact.group].after(fact.entries)
    for group in sorted({*stand, *(group for group, fold in by_group.items() if fold.accounts())}):
        fold, balances = by_group[group], stand.get(group, Balances())
        for account in sorted({*fold.accounts(), *balances.accounts()}):
            if fold.of(account) != balances.of(account):
                what = (
                    f"{account}: the balance is {balances.of(account)}, the journal's fold {fold.of(account)}"
                )
                yield Difference("ledger", group, what)
        for account in overdrawn(fold):
            yield Difference("ledger", group, f"{account} stands below zero")
        for what in discrepancies(fold):
            yield Difference("ledger", group, what)
