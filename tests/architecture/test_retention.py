"""Each collection that the code writes stands in the retention table, and Firestore's policies follow it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest

from shared.domain.retention import RETENTION, expiry
from tests.architecture.source import ROOT

PATH = re.compile(
    r'f?"(?:groups/\{[\w.]+\}/|notifications/\{[\w.]+\}/)?([a-z_]+)/(?:\{[\w.()\[\]:09]+\}|[a-z_]+)"'
)
DESIGNED = {
    *("users", "profiles", "keys", "payment_methods", "assessments", "commitments", "groups", "members"),
    *("contributions", "payouts", "ledger", "journal", "audit", "audit_head", "progress", "messages"),
    *("disputes", "invitations", "items", "idempotency", "quarantine", "reviews", "approvals", "system"),
}
"""Of DESIGN.md § 9. Three of it are kept nowhere: `documents` and `credit_scores` (the processor has the one,
an assessment holds the other), and `statements`, which are made from the journal when asked for."""


def written() -> set[str]:
    """The collections of every path in the code."""
    found: set[str] = set()
    for path in [*(ROOT / "shared/domain").rglob("*.py"), *(ROOT / "shared/services").rglob("*.py")]:
        for line in path.read_text(encoding="utf-8").splitlines():
            if re.search(r"Ref\(|Put\(|Create\(|_PATH|path = |return f|_Record\(", line):
                found |= set(PATH.findall(line))
    return found


def test_every_collection_has_its_line() -> None:
    assert written() >= {"users", "journal", "limits", "access", "items", "draw"}
    assert written() - RETENTION.keys() == set()
    assert DESIGNED - RETENTION.keys() == set()


def test_every_line_has_its_collection() -> None:
    built = {"journal", "audit", "quarantine", "limits", "idempotency"}  # paths put together elsewhere
    assert RETENTION.keys() - written() - built == set()


def test_firestore_deletes_what_the_table_says_and_nothing_else() -> None:
    overrides = json.loads((ROOT / "infra/firestore.indexes.json").read_text())["fieldOverrides"]
    policies = {one["collectionGroup"]: one["fieldPath"] for one in overrides if one.get("ttl")}
    timed = {name for name, kept in RETENTION.items() if kept.ending == "ttl"}
    assert policies == dict.fromkeys(timed, "expires_at")


def test_what_has_a_span_is_deleted_and_what_has_none_ends_otherwise() -> None:
    for name, kept in RETENTION.items():
        assert (kept.span is not None) == (kept.ending == "ttl"), name
        assert kept.why.strip(), name
    with pytest.raises(ValueError, match="journal has no span"):
        expiry("journal", datetime.now(UTC))
