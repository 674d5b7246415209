"""After a circle has ended: chain verified, books reconciled, and both put to the test.

`tampered`: a fact or a record of the chain is changed, removed or exchanged, and the verifier names it.
`restore`: last night's documents come back, and reconciliation names each movement that is missing since.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from shared.adapters.memory_store import MemoryStore
from shared.ports import Create
from shared.services import anchor_heads, audit, reconcile, seal_facts
from shared.services.context import Context
from tests.simulation.ports import PlainStore

if TYPE_CHECKING:
    from tests.simulation.lifecycle import Lifecycle

BATCH = 400

Documents = Mapping[str, Mapping[str, Any]]


def store_of(documents: Documents) -> MemoryStore:
    """A store that holds these documents, as an import leaves it."""
    store = PlainStore()
    writes = [Create(path, data) for path, data in documents.items()]
    for at in range(0, len(writes), BATCH):
        store.commit(writes[at : at + BATCH])
    return store


class Aftermath:
    """What is asked of a platform at rest. Each answer that is wrong is a violation."""

    def __init__(self, life: Lifecycle) -> None:
        self._life = life
        self._chance = random.Random(f"aftermath:{life.seed}")

    def seal(self) -> None:
        """Two sealers at once: one chain, gap-free."""
        for _ in range(2):
            command = self._life.world.command("system:relay")
            self._life.cloud.soon("tick: seal", partial(seal_facts.seal_facts, self._life.world.ctx, command))

    def look(self, last_night: Documents | None) -> None:
        """The platform's own verifier and reconciliation, on what is there and on what was damaged."""
        ctx = self._life.world.ctx
        anchor_heads.anchor_heads(ctx, self._life.world.command("system:reconcile"))
        self._verified(ctx)
        self._reconciled(ctx)
        if self._life.faults.strikes("tampered"):
            self._tampered(ctx)
        if last_night is not None and self._life.faults.strikes("restore"):
            self._restored(ctx, last_night)

    def _verified(self, ctx: Context) -> None:
        """Of every circle, also those that never came to a lock."""
        for gid in sorted({key.partition("/")[0] for key in self._life.auditor.facts}):
            verdict = audit.verify_group(ctx, gid, anchor_heads.anchors(ctx))
            if verdict.faults or verdict.unsealed:
                self._life.auditor.wrong("everything-published", f"{gid}: {verdict}")

    def _reconciled(self, ctx: Context) -> None:
        """Nothing differs but what strangers brought."""
        for one in reconcile.reconcile(ctx)["differences"]:
            if not (self._life.auditor.strangers or self._life.strangers.came):
                self._life.auditor.wrong("reconciled", f"{one['kind']} {one['where']}: {one['what']}")

    def _tampered(self, ctx: Context) -> None:
        documents = dict(self._life.auditor.all_documents())
        gid = self._chance.choice(self._life.circles).id
        where = (f"groups/{gid}/journal/", f"groups/{gid}/audit/")
        sealed = [path for path in documents if path.startswith(where)]
        path = self._chance.choice(sorted(sealed))
        kind = path.split("/")[2]
        other = self._chance.choice(
            sorted(one for one in sealed if one.split("/")[2] == kind and one != path)
        )
        match self._chance.choice(["changed", "removed", "exchanged"]):
            case "changed":
                documents[path] = _changed(documents[path])
            case "removed":
                del documents[path]
            case _:
                documents[path], documents[other] = documents[other], documents[path]
        damaged = replace(ctx, store=store_of(documents))
        verdict = audit.verify_group(damaged, gid, anchor_heads.anchors(ctx))
        if not verdict.faults:
            self._life.auditor.wrong("everything-published", f"{path} was tampered with, and nobody saw it")

    def _restored(self, ctx: Context, last_night: Documents) -> None:
        """Each movement of the processor that the restored journal has not is named, and no other."""
        known = {path.rpartition("/")[2] for path in last_night if "/journal/" in path}
        now = self._life.auditor.all_documents()
        booked = {path.rpartition("/")[2] for path in now if "/journal/" in path}
        lines = self._life.world.stripe.world.objects
        lost = {one for one in booked - known if one in lines}
        report = reconcile.reconcile(replace(ctx, store=store_of(last_night)))
        named = {one["where"] for one in report["differences"] if one["kind"] == "missing_fact"}
        if report["ledger"] != "balanced" or lost - named:
            self._life.auditor.wrong("reconciled", f"restored: not named {sorted(lost - named)[:3]}")


def _changed(document: Mapping[str, Any]) -> dict[str, Any]:
    """Another word in it: of a fact its actor, of a record its hash."""
    changed = copy.deepcopy(dict(document))
    name = "actor" if "actor" in changed else "hash"
    return changed | {name: f"{changed[name]}x"}
