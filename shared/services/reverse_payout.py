"""Bring a payout back from its recipient's account, by staff: whole or in part, as far as it is there."""

from __future__ import annotations

import logging
from typing import Any

from shared.domain.approvals import approval_ref, require_two
from shared.domain.decision import Decision
from shared.domain.documents import Ref
from shared.domain.errors import NothingToGiveBack, ProcessorRefused, ProcessorUnavailable
from shared.domain.journal import News, fact_ref
from shared.domain.payouts import Payout, payout_ref
from shared.ports import PaymentOutcomeUnknown, PaymentRefused, PaymentsUnavailable
from shared.services.context import Command, Context
from shared.services.send_payout import record_transfer
from shared.services.transact import Loaded, read, transact

log = logging.getLogger(__name__)


def reverse(
    ctx: Context,
    command: Command,
    group: str,
    payout: str,
    pence: int,
    reason: str,
    approval: str | None = None,
) -> dict[str, Any]:
    """Reverse `pence` of a sent payout; what comes back is payable, for a person to decide.

    `approval` is the request by which two people agreed, needed above the threshold: good for one reversal.

    Refused where the recipient's account holds too little: what is owed stays owed, and the refusal is a
    fact; nothing is written off by it. The command's id, or the consent's, names the reversal: by the same
    one it happens once, and after a refusal it may be tried again, with another key (decision 45).
    Raises NothingToGiveBack, TwoPeopleNeeded, ProcessorRefused, ProcessorUnavailable.
    """
    key = approval or command.id
    ref = payout_ref(group, payout)
    asked = _ask(ctx, command, ref, pence, reason, approval)
    found = read(ctx, ref).get(ref)
    assert found.transfer is not None  # noqa: S101 - it was asked for
    labels = {"group": group, "payout": payout, "reason": asked["reason"], "reversal": key}
    try:
        # A key may be forgotten after a day: what was brought back is looked up before it is asked for again.
        known = ctx.gateway.transfer(found.transfer)
        made = any(one.labels.get("reversal") == key for one in known.reversals)
        one_try = f"{payout}_{key}_{asked['number']}"
        transfer = known if made else ctx.gateway.reverse_transfer(found.transfer, pence, one_try, labels)
    except PaymentRefused as refused:
        _record_refused(ctx, command, found, pence, refused.code, _refused(payout, key, asked["number"]))
        raise ProcessorRefused(reason=f"reversal, {refused.code}") from refused
    except (PaymentOutcomeUnknown, PaymentsUnavailable) as silence:
        raise ProcessorUnavailable() from silence
    return {"state": record_transfer(ctx, command.keyless, transfer).state}


def _ask(
    ctx: Context, command: Command, ref: Ref[Payout], pence: int, reason: str, approval: str | None
) -> dict[str, Any]:
    """Record who wants it brought back and why, before the processor is asked; the reason that was given
    first, and which try this is: one more than were refused."""
    agreed = [approval_ref(approval)] if approval else []

    def decide(loaded: Loaded) -> Decision:
        found = loaded.get(ref)
        key = approval or command.id
        asked = f"payout_reversal_asked:{found.id}:{key}"
        before = loaded.find(fact_ref(found.group, asked))
        if before is not None and before.payload["pence"] != pence:
            raise NothingToGiveBack(why="by this request another amount was brought back")
        if before is not None:
            number = 1
            while loaded.find(fact_ref(found.group, _refused(found.id, key, number))):
                number += 1
            return Decision(answer={"reason": before.payload["reason"], "number": number})
        if found.transfer is None or pence > found.amount_pence - found.reversed_pence:
            raise NothingToGiveBack(why="so much of this payout is not with its recipient")
        request = loaded.get(agreed[0]) if agreed else None
        require_two(pence, ctx.two_people_above_pence, request, "reversal", found.id)
        payload = {
            "payout": found.id,
            "recipient": found.recipient,
            "pence": pence,
            "reason": reason,
            "approval": approval,
        }
        fact = News(id=asked, group=found.group, type="payout_reversal_asked", payload=payload)
        return Decision(facts=[fact], changed=[found], answer={"reason": reason, "number": 1})

    # A request that was carried out never changes again: read, not guarded.
    return transact(ctx, command.keyless, [ref], decide, peek=agreed)


def _refused(payout: str, key: str, number: int) -> str:
    """The fact that a try was refused: until it stands, the same try goes on."""
    return f"payout_reversal_refused:{payout}:{key}:{number}"


def _record_refused(
    ctx: Context, command: Command, found: Payout, pence: int, code: str, fact_id: str
) -> None:
    ref = payout_ref(found.group, found.id)
    fact = News(
        id=fact_id,
        group=found.group,
        type="payout_reversal_refused",
        payload={"payout": found.id, "recipient": found.recipient, "pence": pence, "code": code},
    )

    def decide(loaded: Loaded) -> Decision:
        if loaded.find(fact_ref(found.group, fact_id)) is not None:
            return Decision()
        return Decision(facts=[fact], changed=[loaded.get(ref)])

    transact(ctx, command.keyless, [ref], decide)
    log.error("the reversal of %s was refused: %s", found.id, code, extra={"alert": "reversal_refused"})
