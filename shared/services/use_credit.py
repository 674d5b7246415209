"""Use credit: before a contribution is noticed, what stands for its payer goes into its pot."""

from __future__ import annotations

from datetime import datetime

from shared.domain import ledger
from shared.domain.contributions import Contribution, contribution_ref
from shared.domain.credits import use_credit as put_into_pot
from shared.domain.decision import Decision
from shared.domain.ledger import balances_ref
from shared.ports import Operator, Query
from shared.services.context import Command, Context
from shared.services.transact import Loaded, read, transact


def use_credit(ctx: Context, command: Command, group: str, contribution: str) -> str:
    """Use the payer's credit for a contribution that is due; most have none, and cost one read.

    Returns who the payer is. Raises NoSuchThing.
    """
    ref = contribution_ref(group, contribution)
    looked = read(ctx, ref, balances_ref(group))
    found = looked.get(ref)
    if found.state != "due" or not looked.balances(group).of(ledger.credit(found.uid)):
        return found.uid
    clears_at = _clears_at(ctx, found)

    def decide(loaded: Loaded) -> Decision:
        return put_into_pot(loaded.get(ref), loaded.balances(group), clears_at)

    transact(ctx, command, [ref, balances_ref(group)], decide)
    return found.uid


def _clears_at(ctx: Context, contribution: Contribution) -> datetime:
    """When the last of the payer's money in this circle can be spent."""
    where: list[tuple[str, Operator, str]] = [
        ("group", "==", contribution.group),
        ("uid", "==", contribution.uid),
    ]
    page = ctx.store.query(Query("contributions", where=where, order_by=["due_date"], group=True))
    moments = [
        attempt.clears_at
        for one in page.documents
        for attempt in one.document(Contribution).attempts
        if attempt.clears_at is not None
    ]
    return max([ctx.clock.now(), *moments])
