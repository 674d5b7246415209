"""Pay now: a member pays a contribution by themselves, early or late."""

from __future__ import annotations

from typing import Any

from shared.domain.collection import due_pence, may_owe
from shared.domain.contributions import Contribution, contribution_ref
from shared.domain.decision import Decision
from shared.domain.errors import NoSuchThing, NothingDue
from shared.domain.members import member_ref
from shared.services import read_contributions
from shared.services.collect_contribution import collect_contribution
from shared.services.context import Command, Context
from shared.services.transact import Loaded, read, transact


def pay_now(ctx: Context, command: Command, group: str, contribution: str) -> dict[str, Any]:
    """Collect one's own contribution now, on the default method. Raises NoSuchThing, NothingDue."""
    ref = contribution_ref(group, contribution)

    def decide(loaded: Loaded) -> Decision:
        found = _own(loaded.find(ref), command.actor)
        asked = found.with_(pay_now=True)
        member = loaded.get(member_ref(group, command.actor)) if may_owe(asked) else None
        if due_pence(asked, member) == 0:
            raise NothingDue(state=found.state)
        return Decision(changed=[asked], answer={"contribution": found.id})

    transact(ctx, command, [ref], decide)
    collect_contribution(ctx, command.keyless, group, contribution)
    return read_contributions.view(ctx, read(ctx, ref).get(ref))


def _own(found: Contribution | None, uid: str) -> Contribution:
    if found is None or found.uid != uid:
        raise NoSuchThing(thing="contribution")
    return found
