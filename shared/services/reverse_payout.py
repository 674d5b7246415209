"""Bring a payout back from its recipient's account, by staff: whole or in part, as far as it is there."""

from __future__ import annotations

import logging
from typing import Any

from shared.domain.decision import Decision
from shared.domain.errors import NothingToGiveBack, ProcessorRefused, ProcessorUnavailable
from shared.domain.journal import News
from shared.domain.payouts import Payout, payout_ref
from shared.ports import PaymentOutcomeUnknown, PaymentRefused, PaymentsUnavailable
from shared.services.context import Command, Context
from shared.services.send_payout import record_transfer
from shared.services.transact import Loaded, read, transact

log = logging.getLogger(__name__)


def reverse(
    ctx: Context, command: Command, group: str, payout: str, pence: int, reason: str
) -> dict[str, Any]:
    """Reverse `pence` of a sent payout; what comes back is payable, for a person to decide.

    Refused where the recipient's account holds too little: what is owed stays owed, and the refusal is a
    fact; nothing is written off by it. The command's id is the key: the same command again reverses once.
    Raises NothingToGiveBack, ProcessorRefused, ProcessorUnavailable.
    """
    ref = payout_ref(group, payout)
    found = read(ctx, ref).get(ref)
    if found.transfer is None or pence > found.amount_pence - found.reversed_pence:
        raise NothingToGiveBack(why="so much of this payout is not with its recipient")
    labels = {"group": group, "payout": payout, "reason": reason}
    try:
        transfer = ctx.gateway.reverse_transfer(found.transfer, pence, f"{payout}_{command.id}", labels)
    except PaymentRefused as refused:
        _record_refused(ctx, command, found, pence, refused.code)
        raise ProcessorRefused(reason=f"reversal, {refused.code}") from refused
    except (PaymentOutcomeUnknown, PaymentsUnavailable) as silence:
        raise ProcessorUnavailable() from silence
    return record_transfer(ctx, Command(actor=command.actor, id=command.id), transfer)


def _record_refused(ctx: Context, command: Command, found: Payout, pence: int, code: str) -> None:
    ref = payout_ref(found.group, found.id)
    fact = News(
        id=f"payout_reversal_refused:{found.id}:{command.id}",
        group=found.group,
        type="payout_reversal_refused",
        payload={"payout": found.id, "recipient": found.recipient, "pence": pence, "code": code},
    )

    def decide(loaded: Loaded) -> Decision:
        return Decision(facts=[fact], changed=[loaded.get(ref)])

    transact(ctx, Command(actor=command.actor, id=command.id), [ref], decide)
    log.error("the reversal of %s was refused: %s", found.id, code, extra={"alert": "reversal_refused"})
