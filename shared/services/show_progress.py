"""Show progress: keeps the one document of a group that its members read by themselves right.

Started by each fact of the journal, and it looks at none of them: whatever happened, in whichever order and
however often it is told, the document is made anew from what is stored.
"""

from __future__ import annotations

from typing import Any

from shared.domain.decision import Decision
from shared.domain.groups import group_ref
from shared.domain.progress import progress_ref
from shared.services.context import Command, Context
from shared.services.read_progress import progress_now
from shared.services.transact import Loaded, read, transact


def show(ctx: Context, command: Command, gid: str) -> dict[str, Any]:
    """Write groups/{gid}/progress/current as things stand. Raises NoSuchThing, TryAgainLater."""
    ref = progress_ref(gid)

    def decide(loaded: Loaded) -> Decision:
        before = loaded.find(ref)
        # What it is made from is read after the document that is guarded, and that is written even if nothing
        # moved: of two at once the one that read less cannot be the last, and hide what the other one saw.
        shown = progress_now(ctx, read(ctx, group_ref(gid)).get(group_ref(gid)))
        if before is None:
            return Decision(created=[shown])
        return Decision(changed=[shown.with_(revision=before.revision)])

    transact(ctx, command, [ref], decide)
    return {"group": gid}
