"""Sending a reserved payout: from our balance to the person's account, and on to their bank."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from shared.domain import ledger
from shared.domain.decision import Decision
from shared.domain.errors import Mismatch
from shared.domain.journal import News
from shared.domain.payouts import (
    PARKED_RECHECK,
    ParkedBecause,
    Payout,
    PayoutState,
    begin_sending,
    refuse_sending,
)

BANK_LOOK_UP_AFTER: Final = timedelta(days=5)
"""A bank payout arrives within 3 working days; later than that we ask."""


def _names(payout: Payout) -> dict[str, str | int]:
    return {
        "payout": payout.id,
        "kind": payout.kind,
        "cycle": payout.cycle,
        "recipient": payout.recipient,
        "pence": payout.amount_pence,
    }


def begin(payout: Payout, now: datetime) -> Decision:
    """Record the try before the processor is called: its key is known whatever happens then.

    From here on the reservation can no longer be voided. Raises UnknownTransition.
    """
    after = begin_sending(payout, now)
    if after.sendings == payout.sendings:
        return Decision(answer={"state": after.state}, changed=[after])
    return Decision(
        answer={"state": after.state},
        facts=[
            News(
                id=f"payout_submitting:{after.sendings[-1].id}",
                group=payout.group,
                type="payout_submitting",
                payload=_names(payout) | {"sending": after.sendings[-1].id},
            )
        ],
        changed=[after],
    )


def record_sent(
    payout: Payout, transfer: str, movement: str, pence: int, processor: str, now: datetime
) -> Decision:
    """Record that the transfer left our balance. The same transfer again decides nothing.

    Raises Mismatch (another transfer or amount than ours), UnknownTransition.
    """
    if payout.transfer is not None:
        if payout.transfer != transfer:
            raise Mismatch(what="transfer", theirs=transfer, ours=payout.transfer)
        return Decision(answer={"state": payout.state})
    if pence != payout.amount_pence:
        raise Mismatch(what="amount", theirs=pence, ours=payout.amount_pence)
    after = payout.moved("sent").with_(transfer=transfer, movement=movement, act_at=now, parked_because=None)
    return Decision(
        answer={"state": "sent"},
        facts=[
            News(
                id=movement,
                group=payout.group,
                type="payout_sent",
                payload=_names(payout) | {"transfer": transfer},
                entries=ledger.post(ledger.sent(processor, payout.id, pence)),
            )
        ],
        changed=[after],
    )


def record_nothing_to_send(payout: Payout, now: datetime) -> Decision:
    """A pot that arrears took wholly: there is nothing to send, and the turn is done."""
    after = payout.moved("submitting").moved("sent").moved("received").with_(act_at=None, received_at=now)
    return Decision(
        answer={"state": "received"},
        facts=[
            News(
                id=f"payout_received:{payout.id}",
                group=payout.group,
                type="payout_received",
                payload=_names(payout),
            )
        ],
        changed=[after],
    )


def record_refused(payout: Payout, because: ParkedBecause, code: str, now: datetime) -> Decision:
    """Record that the processor said no: nothing left. Tried again daily, with a new key each time."""
    after = refuse_sending(payout).moved("failed")
    after = after.with_(parked_because=because, act_at=now + PARKED_RECHECK)
    return Decision(
        answer={"state": "failed", "because": because},
        facts=[
            News(
                id=f"payout_failed:{payout.sendings[-1].id}",
                group=payout.group,
                type="payout_failed",
                payload=_names(payout) | {"because": because, "code": code},
            )
        ],
        changed=[after],
    )


def record_unknown(payout: Payout, now: datetime) -> Decision:
    """Record that no answer came. It leaves this state only after a look-up at the processor."""
    if payout.state != "submitting":
        return Decision(answer={"state": payout.state})
    fact = News(
        id=f"payout_unknown:{payout.sendings[-1].id}:{payout.revision}",
        group=payout.group,
        type="payout_unknown",
        payload=_names(payout),
    )
    return Decision(
        answer={"state": "unknown"}, facts=[fact], changed=[payout.moved("unknown").with_(act_at=now)]
    )


def record_not_found(payout: Payout, now: datetime) -> Decision:
    """Record that the look-up found nothing sent. The same try goes on, with the same key."""
    if payout.state != "unknown":
        return Decision(answer={"state": payout.state})
    return Decision(answer={"state": "failed"}, changed=[payout.moved("failed").with_(act_at=now)])


def record_on_its_way(payout: Payout, bank_payout: str, now: datetime) -> Decision:
    """Record that the money left the person's account at the processor for their bank."""
    if payout.bank_payout == bank_payout or payout.state == "received":
        return Decision(answer={"state": payout.state})
    after = payout if payout.state == "sent" else payout.moved("sent")
    after = after.with_(
        bank_payout=bank_payout, bank_tries=payout.bank_tries + 1, act_at=now + BANK_LOOK_UP_AFTER
    )
    return Decision(
        answer={"state": "sent"},
        facts=[
            News(
                id=f"payout_on_its_way:{bank_payout}",
                group=payout.group,
                type="payout_on_its_way",
                payload=_names(payout) | {"bank_payout": bank_payout},
            )
        ],
        changed=[after],
    )


def record_received(payout: Payout, bank_payout: str, now: datetime) -> Decision:
    """Record that the bank has it. A bank may still refuse days later: see `record_bank_failed`."""
    if payout.state in {"received", "bank_failed"}:
        return Decision(answer={"state": payout.state})
    _check_bank_payout(payout, bank_payout)
    after = payout.moved("received").with_(bank_payout=bank_payout, act_at=None, received_at=now)
    return Decision(
        answer={"state": "received"},
        facts=[
            News(
                id=f"payout_received:{bank_payout}",
                group=payout.group,
                type="payout_received",
                payload=_names(payout) | {"bank_payout": bank_payout},
            )
        ],
        changed=[after],
    )


def record_bank_failed(payout: Payout, bank_payout: str, code: str, now: datetime) -> Decision:
    """Record that the bank refused: the money is back on the person's account at the processor."""
    if payout.state == "bank_failed":
        return Decision(answer={"state": payout.state})
    _check_bank_payout(payout, bank_payout)
    after = payout.moved("bank_failed").with_(act_at=now + PARKED_RECHECK, received_at=None)
    return Decision(
        answer={"state": "bank_failed"},
        facts=[
            News(
                id=f"payout_bank_failed:{bank_payout}",
                group=payout.group,
                type="payout_bank_failed",
                payload=_names(payout) | {"bank_payout": bank_payout, "code": code},
            )
        ],
        changed=[after],
    )


def record_reversed(payout: Payout, movement: str, pence: int, processor: str, now: datetime) -> Decision:
    """Record that (a part of) the transfer came back to our balance: payable, for a person to decide."""
    total = payout.reversed_pence + pence
    if total > payout.amount_pence:
        raise Mismatch(what="reversed amount", theirs=total, ours=payout.amount_pence)
    to = "reversed" if total == payout.amount_pence else "partly_reversed"
    after = (
        payout if payout.state == to else payout.moved("reversed" if to == "reversed" else "partly_reversed")
    )
    return Decision(
        answer={"state": to},
        facts=[
            News(
                id=movement,
                group=payout.group,
                type="payout_reversed",
                payload=_names(payout) | {"reversed_pence": pence},
                entries=ledger.post(ledger.transfer_reversed(processor, payout.id, pence)),
            )
        ],
        changed=[after.with_(reversed_pence=total, act_at=None)],
    )


def _check_bank_payout(payout: Payout, bank_payout: str) -> None:
    if payout.bank_payout not in {None, bank_payout}:
        raise Mismatch(what="bank payout", theirs=bank_payout, ours=payout.bank_payout)
