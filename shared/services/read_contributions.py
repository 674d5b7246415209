"""Read one's own contributions: what was paid, what is due, and what is late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from shared.domain import standing
from shared.domain.calendar import london_day
from shared.domain.contributions import Contribution
from shared.domain.money import CURRENCY
from shared.ports import Query
from shared.services.context import Context

GRACE: Final = timedelta(days=2)
"""A contribution is late two days after its due date, as every agreement says (domain `Terms.grace_days`)."""


def own(ctx: Context, uid: str, group: str | None, cursor: str | None, limit: int) -> dict[str, Any]:
    """One page of the person's contributions, by due date; of one group or of all."""
    where: list[tuple[str, Any, Any]] = [("uid", "==", uid)]
    if group is not None:
        where.append(("group", "==", group))
    page = ctx.store.query(
        Query("contributions", where=where, order_by=["due_date"], limit=limit, after=cursor, group=True)
    )
    items = [view(ctx, one.document(Contribution)) for one in page.documents]
    return {"items": items, "next_cursor": page.cursor}


def view(ctx: Context, contribution: Contribution) -> dict[str, Any]:
    """A contribution as its member sees it."""
    attempt = contribution.attempts[-1] if contribution.attempts else None
    clears_at = contribution.clears_at()
    return {
        "id": contribution.id,
        "group": contribution.group,
        "cycle": contribution.cycle,
        "amount_pence": contribution.amount_pence,
        "added_fee_pence": contribution.added_fee_pence,
        "paid_pence": contribution.in_pot_pence,
        "currency": CURRENCY,
        "due_date": contribution.due_date.isoformat(),
        "collect_pence": contribution.notice.amount_pence if contribution.notice else None,
        "collect_on": contribution.notice.collect_on.isoformat() if contribution.notice else None,
        "state": contribution.state,
        "timing": timing(ctx, contribution),
        "attempt": attempt
        and {
            "id": attempt.id,
            "state": attempt.state,
            "action_url": attempt.action_url,
            "failure": attempt.failure,
        },
        "clears_at": clears_at.isoformat() if clears_at else None,
    }


def timing(ctx: Context, contribution: Contribution) -> str:
    """'Late' and 'missed' are no states but readings of a due contribution against its dates."""
    return standing.timing(contribution, london_day(ctx.clock.now()), GRACE.days)
