"""Audit: verify a group's chain of facts, and export it for those who want to check it without us."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shared.domain.audit import Anchor, Verdict, export_lines, verify
from shared.domain.groups import group_ref
from shared.domain.ledger import Balances
from shared.domain.permissions import Action
from shared.ports import Query
from shared.services.access_log import require_in_group
from shared.services.context import Context, Reader
from shared.services.transact import read


def verify_group(ctx: Context, group: str, anchored: Iterable[Anchor] = ()) -> Verdict:
    """Verify one group's chain, read as of one moment, against these anchors."""
    facts, records, heads, ledger = _read(ctx, group)
    stand = next((Balances.model_validate(dict(one)) for one in ledger.values()), Balances())
    return verify(group, facts, records, next(iter(heads.values()), None), anchored, stand)


def export_group(ctx: Context, group: str) -> bytes:
    """One group's sealed chain as JSON lines, for whoever wants to check it without us."""
    facts, records, _, _ = _read(ctx, group)
    return b"".join(line + b"\n" for line in export_lines(facts, records))


def groups_with_facts(ctx: Context) -> list[str]:
    """Every group that has a chain, or a fact that waits for one."""
    heads, facts = ctx.store.read_consistently(Query("audit_head", group=True), Query("journal", group=True))
    return sorted({found.path.split("/")[1] for found in (*heads, *facts)})


def _read(ctx: Context, group: str) -> list[dict[str, Any]]:
    parts = ("journal", "audit", "audit_head", "ledger")
    found = ctx.store.read_consistently(*(Query(f"groups/{group}/{part}") for part in parts))
    return [{one.path: one.data or {} for one in documents} for documents in found]


# --- for auditors, over the API -----------------------------------------------------------------------------


def for_auditor(ctx: Context, reader: Reader, gid: str) -> dict[str, Any]:
    """How a group's chain stands by itself; the anchored heads are read by `scripts/ajo audit verify`.

    Raises NoSuchThing, NotAllowed, ReasonMissing.
    """
    _require_auditor(ctx, reader, gid)
    verdict = verify_group(ctx, gid)
    return {
        "group": gid,
        "audit": "broken" if verdict.faults else "verified",
        "sealed": verdict.sealed,
        "unsealed": verdict.unsealed,
        "head": verdict.head,
        "first_bad_seq": verdict.first_bad_seq,
        "faults": [{"seq": fault.seq, "what": fault.what} for fault in verdict.faults],
    }


def export_for_auditor(ctx: Context, reader: Reader, gid: str) -> bytes:
    """A group's chain as JSON lines. Raises NoSuchThing, NotAllowed, ReasonMissing."""
    _require_auditor(ctx, reader, gid)
    return export_group(ctx, gid)


def _require_auditor(ctx: Context, reader: Reader, gid: str) -> None:
    group = read(ctx, group_ref(gid)).get(group_ref(gid))
    require_in_group(ctx, reader, group, Action.READ_AUDIT)
