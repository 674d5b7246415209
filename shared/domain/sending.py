"""Sending a reserved payout: from our balance to the person's account, and on to their bank."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

from shared.domain import ledger
from shared.domain.decision import Decision
from shared.domain.errors import Mismatch
from shared.domain.journal import News
from shared.domain.payouts import (
    PARKED_RECHECK,
    ParkedBecause,
    Payout,
    begin_sending,
    refuse_sending,
)

BANK_LOOK_UP_AFTER: Final = timedelta(days=5)
"""A bank payout arrives within 3 working days; later than that we ask."""


BROUGHT_BACK: Final = frozenset({"partly_reversed", "reversed"})
"""States in which a person decides what becomes of it."""


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
    if payout.state == "submitting":
        return Decision(answer={"state": after.state}, changed=[after])
    sending = after.sendings[-1].id
    again = after.sendings == payout.sendings  # the look-up found nothing: the same try goes on
    fact = News(
        id=f"payout_submitting:{sending}:{payout.revision}" if again else f"payout_submitting:{sending}",
        group=payout.group,
        type="payout_submitting",
        payload=_names(payout) | {"sending": sending},
    )
    return Decision(answer={"state": after.state}, facts=[fact], changed=[after])


def record_sent(
    payout: Payout,
    transfer: str,
    movement: str,
    pence: int,
    processor: str,
    clears_at: datetime,
    source: str,
    now: datetime,
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
                payload=_names(payout)
                | {"transfer": transfer, "clears_at": clears_at.isoformat(), "source": source},
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


def record_refused(
    payout: Payout, sending: str, because: ParkedBecause, code: str, now: datetime
) -> Decision:
    """Record that the processor said no to a try: nothing left. Tried again daily, each time with a new key.

    Of an earlier try, or once the payout went on, it is no news: the present try is not the refused one.
    """
    if payout.state != "submitting" or payout.sendings[-1].id != sending:
        return Decision(answer={"state": payout.state})
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


def record_unknown(payout: Payout, sending: str, now: datetime) -> Decision:
    """Record that no answer came to a try. It leaves this state only after a look-up at the processor."""
    if payout.state != "submitting" or payout.sendings[-1].id != sending:
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
    fact = News(
        id=f"payout_not_found:{payout.sendings[-1].id}:{payout.revision}",
        group=payout.group,
        type="payout_not_found",
        payload=_names(payout),
    )
    return Decision(
        answer={"state": "failed"}, facts=[fact], changed=[payout.moved("failed").with_(act_at=now)]
    )


def record_on_its_way(
    payout: Payout, bank_payout: str, now: datetime, destination: str | None = None
) -> Decision:
    """Record that the money left the person's account at the processor for their bank."""
    if _is_old_news(payout, bank_payout) or payout.bank_payout == bank_payout or payout.state == "received":
        return Decision(answer={"state": payout.state})
    after = payout if payout.state in {"sent", *BROUGHT_BACK} else payout.moved("sent")
    after = _looked_at(_through_the_bank(after, bank_payout, destination), now + BANK_LOOK_UP_AFTER)
    return _at_the_bank("payout_on_its_way", after, bank_payout)


def record_bank_refused(payout: Payout, tries: int, again_at: datetime) -> Decision:
    """Record that the processor would not send it on after so many tries: nothing was made, and the next try
    has another key, for this one is refused by heart for a day.

    Of an earlier try, or once the payout went on, it is no news.
    """
    if payout.state not in {"sent", "bank_failed"} or payout.bank_tries != tries:
        return Decision(answer={"state": payout.state})
    after = payout.with_(bank_tries=tries + 1, act_at=again_at)
    return Decision(answer={"state": payout.state}, changed=[after])


def record_received(
    payout: Payout, bank_payout: str, now: datetime, destination: str | None = None
) -> Decision:
    """Record that the bank has it. A bank may still refuse days later: see `record_bank_failed`."""
    known = payout.received_at is not None and payout.bank_payout == bank_payout
    if _is_old_news(payout, bank_payout) or payout.state == "received" or known:
        return Decision(answer={"state": payout.state})
    after = _through_the_bank(_after_the_bank(payout, "received"), bank_payout, destination)
    after = after.with_(act_at=None, received_at=now)
    return _at_the_bank("payout_received", after, bank_payout)


def record_bank_failed(
    payout: Payout, bank_payout: str, code: str, now: datetime, destination: str | None = None
) -> Decision:
    """Record that the bank refused: the money is back on the person's account at the processor."""
    if _is_old_news(payout, bank_payout):
        return Decision(answer={"state": payout.state})
    after = _through_the_bank(_after_the_bank(payout, "bank_failed"), bank_payout, destination)
    after = _looked_at(after, now + PARKED_RECHECK).with_(
        bank_refused=[*payout.bank_refused, bank_payout], received_at=None
    )
    return _at_the_bank("payout_bank_failed", after, bank_payout, code=code)


def _after_the_bank(payout: Payout, to: Literal["received", "bank_failed"]) -> Payout:
    """The payout as the bank's word leaves it. One that was brought back stays so, for a person to decide:
    its account may have held more, and the bank got all of it. Raises UnknownTransition."""
    if payout.state in BROUGHT_BACK:
        return payout
    return (payout.moved("sent") if payout.state == "bank_failed" else payout).moved(to)


def _looked_at(payout: Payout, at: datetime) -> Payout:
    return payout.with_(act_at=None if payout.state in BROUGHT_BACK else at)


def _is_old_news(payout: Payout, bank_payout: str) -> bool:
    """A bank payout that is known to have failed: whatever is told of it now was fetched before that."""
    return bank_payout in payout.bank_refused


def _through_the_bank(payout: Payout, bank_payout: str, destination: str | None) -> Payout:
    """The payout with this as its bank payout, counted once: the next try has another key.

    Raises Mismatch while another one is under way.
    """
    if payout.bank_payout == bank_payout:
        return payout
    if payout.bank_payout is not None and payout.bank_payout not in payout.bank_refused:
        raise Mismatch(what="bank payout", theirs=bank_payout, ours=payout.bank_payout)
    return payout.with_(
        bank_payout=bank_payout, bank_destination=destination, bank_tries=payout.bank_tries + 1
    )


def _at_the_bank(type_: str, after: Payout, bank_payout: str, **more: str) -> Decision:
    fact = News(
        id=f"{type_}:{bank_payout}",
        group=after.group,
        type=type_,
        payload=_names(after) | {"bank_payout": bank_payout} | more,
    )
    return Decision(answer={"state": after.state}, facts=[fact], changed=[after])


def record_reversed(
    payout: Payout, movement: str, pence: int, processor: str, clears_at: datetime, source: str
) -> Decision:
    """Record that (a part of) the transfer came back to our balance: payable, for a person to decide.

    The same movement again decides nothing. Raises Mismatch (more than was sent), UnknownTransition.
    """
    if movement in payout.reversals:
        return Decision(answer={"state": payout.state})
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
                payload=_names(payout)
                | {"reversed_pence": pence, "clears_at": clears_at.isoformat(), "source": source},
                entries=ledger.post(ledger.transfer_reversed(processor, payout.id, pence)),
            )
        ],
        changed=[after.with_(reversed_pence=total, reversals=[*payout.reversals, movement], act_at=None)],
    )
