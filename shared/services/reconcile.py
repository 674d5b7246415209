"""Reconcile: every line of the processor's balance against the journal and back, every balance against
its fold, and the house's own money. Names each difference; repairs nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from shared.domain.journal import Fact
from shared.domain.ledger import HOUSE, Balances, discrepancies, overdrawn
from shared.ports import Movement, Query
from shared.services.context import Context

MOVES_MONEY: Final = frozenset(
    {
        "contribution_settled",
        "contribution_refunded",
        "contribution_disputed",
        "dispute_won",
        "payout_sent",
        "payout_reversed",
    }
)
"""Facts that state one line of the processor's balance, under that line's own id."""


def reconcile(ctx: Context) -> dict[str, Any]:
    """The report: what was compared, each difference with what to do, and where the house stands (pence).

    Reads journal and balances as of one moment. Money that moved while this ran shows on the next run.
    """
    movements = ctx.gateway.movements()
    facts_found, ledgers = ctx.store.read_consistently(
        Query("journal", group=True), Query("ledger", group=True)
    )
    facts = [Fact.model_validate(dict(one.data or {})) for one in facts_found]
    stand = {one.path.split("/")[1]: Balances.model_validate(dict(one.data or {})) for one in ledgers}
    differences = [
        *_movements_against_facts(movements, facts),
        *_balances_against_folds(facts, stand),
        *_house(ctx, movements, stand),
    ]
    return {
        "movements": len(movements),
        "facts": len(facts),
        "groups": len(stand),
        "house_pence": sum(one.of(HOUSE) for one in stand.values()),
        "differences": differences,
        "ledger": "balanced" if not any(one["kind"] == "ledger" for one in differences) else "unbalanced",
    }


def _movements_against_facts(movements: Iterable[Movement], facts: Iterable[Fact]) -> list[dict[str, Any]]:
    """Invariant 12: each line's amount maps to one fact, and its fee to one."""
    by_id = {fact.id: fact for fact in facts if fact.type in MOVES_MONEY}
    found = []
    for movement in movements:
        if movement.kind == "capital":
            continue
        fact = by_id.pop(movement.reference, None)
        if fact is None:
            found.append(
                _difference(
                    "missing_fact",
                    movement.reference,
                    f"the processor moved {movement.amount_pence} pence for {movement.source}; "
                    "the journal has no such fact",
                    "replay the event, or catch up by listing",
                )
            )
            continue
        ours = _signed_pence(fact)
        if ours != movement.amount_pence:
            found.append(
                _difference(
                    "amount",
                    fact.id,
                    f"the processor moved {movement.amount_pence} pence, the journal says {ours}",
                    "stop payouts of this group and look at both",
                )
            )
        if _fee_pence(fact) != movement.fee_pence:
            found.append(
                _difference(
                    "fee",
                    fact.id,
                    f"the processor's fee is {movement.fee_pence} pence, the journal says {_fee_pence(fact)}",
                    "record the difference as a fact of the house",
                )
            )
    found += [
        _difference(
            "missing_movement",
            fact.id,
            f"the journal has {fact.type} of {fact.group}; the processor has no such line",
            "look at the processor: the object was removed, or never was",
        )
        for fact in by_id.values()
    ]
    return found


def _signed_pence(fact: Fact) -> int:
    """What a fact says reached (+) or left (−) our balance at the processor, before fees."""
    if fact.type == "payout_reversed":
        return int(fact.payload["reversed_pence"])
    incoming = fact.type in {"contribution_settled", "dispute_won"}
    return int(fact.payload["pence"]) * (1 if incoming else -1)


def _fee_pence(fact: Fact) -> int:
    return int(fact.payload.get("fee_pence", 0))


def _balances_against_folds(facts: Iterable[Fact], stand: dict[str, Balances]) -> list[dict[str, Any]]:
    """Invariants 2 to 4, of each group."""
    folds: dict[str, Balances] = defaultdict(Balances)
    for fact in facts:
        folds[fact.group] = folds[fact.group].after(fact.entries)
    found = []
    for group in sorted({*stand, *(group for group, fold in folds.items() if fold.accounts())}):
        fold, balances = folds[group], stand.get(group, Balances())
        for account in sorted({*fold.accounts(), *balances.accounts()}):
            if fold.of(account) != balances.of(account):
                what = (
                    f"{account}: the balance is {balances.of(account)}, the journal's fold {fold.of(account)}"
                )
                found.append(_ledger(group, what))
        found += [_ledger(group, f"{account} stands below zero") for account in overdrawn(fold)]
        found += [_ledger(group, what) for what in discrepancies(fold)]
    return found


def _house(ctx: Context, movements: Iterable[Movement], stand: dict[str, Balances]) -> list[dict[str, Any]]:
    """Invariant 12: the processor's balance = Σ cash + capital − Σ house."""
    balance = ctx.gateway.balance()
    theirs = balance.available_pence + balance.pending_pence
    capital = sum(one.amount_pence - one.fee_pence for one in movements if one.kind == "capital")
    cash = sum(one.total("cash") for one in stand.values())
    house = sum(one.of(HOUSE) for one in stand.values())
    ours = cash + capital - house
    if theirs == ours:
        return []
    what = f"the processor holds {theirs} pence; cash {cash} + capital {capital} − house {house} is {ours}"
    return [_difference("cover", "balance", what, "stop payouts until it is explained")]


def _ledger(group: str, what: str) -> dict[str, Any]:
    return _difference("ledger", group, what, "stop payouts of this group; fold the journal anew")


def _difference(kind: str, where: str, what: str, todo: str) -> dict[str, Any]:
    return {"kind": kind, "where": where, "what": what, "todo": todo}
