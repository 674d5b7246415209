"""Receipts: for what one paid into a cycle, and for a payout that one was sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from shared.domain.contributions import Attempt, contribution_ref
from shared.domain.errors import NoSuchThing, NothingReceived
from shared.domain.groups import Group, group_ref
from shared.domain.ids import derived_id
from shared.domain.journal import Fact, fact_ref
from shared.domain.money import CURRENCY
from shared.domain.payouts import Payout, payout_ref
from shared.services.context import Context
from shared.services.transact import Loaded, read

SENT: Final = frozenset({"sent", "received", "bank_failed", "partly_reversed", "reversed"})


def of_contribution(ctx: Context, uid: str, gid: str, contribution: str) -> dict[str, Any]:
    """The receipt for one's own contribution: each payment of it, and what became of that.

    Made from facts alone: the same contribution in the same state gives the same receipt. Raises NoSuchThing,
    NothingReceived while nothing was paid.
    """
    ref = contribution_ref(gid, contribution)
    loaded = read(ctx, ref, group_ref(gid))
    found = loaded.find(ref)
    if found is None or found.uid != uid:
        raise NoSuchThing(thing="contribution")
    paid = [attempt for attempt in found.attempts if attempt.movement is not None]
    if not paid:
        raise NothingReceived()
    facts = _facts(ctx, gid, [movement for attempt in paid for movement in _movements(attempt)])
    lines = [_payment(attempt, facts) for attempt in paid]
    return _receipt(loaded.get(group_ref(gid)), "contribution", found.id, found.cycle, uid, facts) | {
        "state": found.state,
        "due_date": found.due_date.isoformat(),
        "amount_pence": found.amount_pence,
        "lines": lines,
        "total_pence": sum(line["amount_pence"] - line["returned_pence"] for line in lines),
        "fee_pence": sum(attempt.fee_held_pence for attempt in paid),
    }


def _movements(attempt: Attempt) -> list[str]:
    return [attempt.movement or "", *attempt.taken_back, *attempt.won_back]


def _payment(attempt: Attempt, facts: Mapping[str, Fact]) -> dict[str, Any]:
    paid_at = facts[attempt.movement or ""].at
    return {
        "at": paid_at.isoformat(),
        "description": "Card payment" if attempt.method_kind == "card" else "Direct Debit",
        "reference": attempt.reference,
        "state": attempt.state,
        "clears_at": attempt.clears_at.isoformat() if attempt.clears_at else None,
        "amount_pence": attempt.settled_pence,
        # Claimed twice, it went back once: the rest is what is owed.
        "returned_pence": min(attempt.taken_back_pence, attempt.settled_pence),
    }


def of_payout(ctx: Context, uid: str, gid: str, payout: str) -> dict[str, Any]:
    """The receipt for a payout that one was sent: from the pot to what left, and whether it has arrived.

    Raises NoSuchThing, NothingReceived before it was sent.
    """
    ref = payout_ref(gid, payout)
    loaded = read(ctx, ref, group_ref(gid))
    found = loaded.find(ref)
    if found is None or found.recipient != uid:
        raise NoSuchThing(thing="payout")
    if found.state not in SENT or found.movement is None:
        raise NothingReceived()
    facts = _facts(ctx, gid, [found.movement, *found.reversals])
    received_at = found.received_at.isoformat() if found.received_at else None
    return _receipt(loaded.get(group_ref(gid)), found.kind, found.id, found.cycle, uid, facts) | {
        "state": found.state,
        "due_date": found.pay_date.isoformat(),
        "amount_pence": found.amount_pence,
        "lines": _parts(found, facts[found.movement].at),
        "total_pence": found.amount_pence - found.reversed_pence,
        "fee_pence": found.fee_pence,
        "received_at": received_at,
    }


def _parts(payout: Payout, sent_at: datetime) -> list[dict[str, Any]]:
    """From the pot to what was sent: each part that was kept back, and for what."""
    pot_pence = sum(one.pence for one in payout.counted)
    kept = {"Platform's fee": payout.fee_pence, "Kept for the group's reserve": payout.withheld_pence}
    rest = pot_pence - sum(kept.values()) - payout.amount_pence if payout.kind == "turn" else 0
    parts = [("Collected by the members", pot_pence)] if payout.kind == "turn" else []
    parts += [(what, -pence) for what, pence in kept.items() if pence]
    if rest > 0:
        parts.append(("Kept for what you owed", -rest))
    elif rest < 0:
        parts.append(("Filled from the group's reserve", -rest))
    names = {"turn": "Sent to your bank", "top_up": "Sent to your bank: what had been missing"}
    parts.append((names.get(payout.kind, "Sent to your bank: given back"), payout.amount_pence))
    if payout.reversed_pence:
        parts.append(("Brought back", -payout.reversed_pence))
    return [
        {
            "at": sent_at.isoformat(),
            "description": what,
            "reference": payout.transfer if what.startswith("Sent") else None,
            "state": payout.state,
            "clears_at": None,
            "amount_pence": pence,
            "returned_pence": 0,
        }
        for what, pence in parts
    ]


def _facts(ctx: Context, gid: str, movements: list[str]) -> dict[str, Fact]:
    refs = {movement: fact_ref(gid, movement) for movement in movements}
    loaded: Loaded = read(ctx, *refs.values())
    return {movement: loaded.get(ref) for movement, ref in refs.items()}


def _receipt(
    group: Group, kind: str, about: str, cycle: int, uid: str, facts: Mapping[str, Fact]
) -> dict[str, Any]:
    """What every receipt says. `dated` is when the last of its money moved, not when it was asked for."""
    dated = max(fact.at for fact in facts.values())
    return {
        "reference": derived_id("rct", about, *sorted(facts)),
        "kind": kind,
        "about": about,
        "group": group.id,
        "group_name": group.terms.name,
        "member": uid,
        "cycle": cycle,
        "cycles": len(group.schedule),
        "currency": CURRENCY,
        "dated": dated.isoformat(),
        "received_at": None,
    }
