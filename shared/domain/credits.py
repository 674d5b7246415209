"""Credit: money of a member that no debt took. It pays their next contribution; the debit is the rest."""

from __future__ import annotations

from datetime import datetime

from shared.domain import ledger
from shared.domain.contributions import Contribution
from shared.domain.decision import Decision
from shared.domain.journal import News
from shared.domain.ledger import Balances


def use_credit(contribution: Contribution, balances: Balances, clears_at: datetime) -> Decision:
    """Put the payer's credit into the pot, as far as it lacks; what is left is noticed anew.

    `clears_at`: when all of the member's money can be spent. Nothing to use decides nothing.
    """
    pence = min(contribution.left_pence, balances.of(ledger.credit(contribution.uid)))
    if contribution.state != "due" or contribution.live_attempt or not pence:
        return Decision()
    after = contribution.with_(
        in_pot_pence=contribution.in_pot_pence + pence, credit_clears_at=clears_at, notice=None
    )
    if not after.left_pence:
        after = after.moved("covered").with_(act_at=None)
    fact = News(
        id=f"credit_used:{contribution.id}:{contribution.revision}",
        group=contribution.group,
        type="credit_used",
        payload={
            "contribution": contribution.id,
            "cycle": contribution.cycle,
            "member": contribution.uid,
            "pence": pence,
        },
        entries=ledger.post(ledger.credit_used(contribution.uid, contribution.cycle, pence)),
    )
    return Decision(answer={"used_pence": pence}, facts=[fact], changed=[after])
