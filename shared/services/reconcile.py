"""Reconcile: the processor's books against ours, line by line and back, and ours against themselves.

Names each difference with its age and what to do; repairs nothing.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from shared.domain.contributions import Contribution
from shared.domain.differences import Difference
from shared.domain.house import BACS_WATCH_PENCE, BACS_WEEK_LIMIT_PENCE, FLOOR_PENCE, House
from shared.domain.ledger import HOUSE, Balances
from shared.domain.payouts import Payout
from shared.domain.users import PaymentMethods, User
from shared.ports import Put, Query
from shared.services import (
    reconcile_journal,
    reconcile_movements,
    reconcile_objects,
    reconcile_stuck,
)
from shared.services.context import Context

log = logging.getLogger(__name__)

REPORT_PATH: Final = "system/reconciliation"
"""The last report: the capital of before is compared with, and the back office reads it."""

KEPT_MAX: Final = 300
"""Differences of the kept report: a Firestore document holds a megabyte. The answer has them all."""


_THIN: Final = {"alert": "house_capital"}
_BACS: Final = {"alert": "bacs_week"}


def reconcile(ctx: Context) -> dict[str, Any]:
    """The report: what was compared, each difference with its age and what to do, where the house stands.

    Reads our side as of one moment. Money that moved while this ran shows on the next run. What is found is
    alerted, kept as the last report, and left as it is.
    """
    now = ctx.clock.now()
    movements = ctx.gateway.movements()
    (
        facts_found,
        ledgers,
        chains,
        heads,
        contributions,
        payouts,
        users,
        methods,
        quarantine,
    ) = ctx.store.read_consistently(
        Query("journal", group=True),
        Query("ledger", group=True),
        Query("audit", group=True),
        Query("audit_head", group=True),
        Query("contributions", group=True),
        Query("payouts", group=True),
        Query("users"),
        Query("payment_methods"),
        Query("quarantine", where=[("state", "==", "parked")]),
    )
    documents = {one.path: dict(one.data or {}) for one in facts_found}
    facts, unreadable = reconcile_journal.readable(documents)
    stand = {one.path.split("/")[1]: one.document(Balances) for one in ledgers}
    owed = [one.document(Contribution) for one in contributions]
    paid = [one.document(Payout) for one in payouts]
    people = [one.document(User) for one in users]
    saved = [one.document(PaymentMethods) for one in methods]
    capital, before = reconcile_movements.capital(movements), _last_report(ctx)
    under_way = reconcile_movements.under_way(movements, owed)
    failed, cost = reconcile_movements.taken_back(movements, owed)
    unexplained = reconcile_movements.unexplained_pence(ctx, stand, capital, sum(under_way.values()))
    found = [
        *unreadable,
        *reconcile_movements.against_facts(
            movements, facts, owed, before.get("capital_sources", {}), under_way.keys() | failed
        ),
        *cost,
        *reconcile_movements.house(ctx, movements, capital, before.get("capital", {}), unexplained),
        *reconcile_journal.altered(facts),
        *reconcile_journal.chains(documents, chains, heads),
        *reconcile_journal.folds(facts, stand),
        *reconcile_objects.against_documents(ctx, owed, paid, people, saved),
        *reconcile_stuck.stuck(owed, paid, facts, [dict(one.data or {}) for one in quarantine], now),
    ]
    bacs_week_pence = _bacs_of_a_week(owed, now)
    report = {
        "movements": len(movements),
        "facts": len(facts),
        "groups": len(stand),
        "unexplained_pence": unexplained,
        "house_pence": sum(one.of(HOUSE) for one in stand.values()),
        "bacs_week_pence": bacs_week_pence,
        "differences": [one.told(now) for one in found],
        "ledger": "balanced" if not any(one.kind == "ledger" for one in found) else "unbalanced",
    }
    borne = report["house_pence"]
    house = House(capital_pence=sum(capital.values()), borne_pence=borne, at=now)
    _watch(house, bacs_week_pence)
    _alert(found)
    # What was capital once stays in the record: it does not go unseen after one report.
    in_mind = {
        "capital": before.get("capital", {}) | capital,
        "capital_sources": reconcile_movements.sources(movements) | before.get("capital_sources", {}),
    }
    _keep(ctx, report | in_mind, house, now)
    return report


def _last_report(ctx: Context) -> dict[str, Any]:
    (known,) = ctx.store.load(REPORT_PATH)
    return dict(known.data or {})


def _keep(ctx: Context, report: dict[str, Any], house: House, now: datetime) -> None:
    kept = report | {"at": now, "differences": report["differences"][:KEPT_MAX]}
    ctx.store.commit([Put(REPORT_PATH, kept), Put(house.path, house.data())])


def _bacs_of_a_week(contributions: list[Contribution], now: datetime) -> int:
    """What was submitted by Bacs within the last seven days, in pence."""
    return sum(
        attempt.amount_pence
        for one in contributions
        for attempt in one.attempts
        if attempt.method_kind == "bacs_debit" and attempt.started_at > now - timedelta(days=7)
    )


def _watch(house: House, bacs_week_pence: int) -> None:
    """What is no difference, and yet wants a person before it stops something."""
    if house.left_pence < FLOOR_PENCE:
        log.error("the house has %d pence left: no new circle starts", house.left_pence, extra=_THIN)
    if bacs_week_pence > BACS_WATCH_PENCE:
        log.error(
            "%d of %d pence a week by Bacs: ask for more", bacs_week_pence, BACS_WEEK_LIMIT_PENCE, extra=_BACS
        )


def _alert(found: list[Difference]) -> None:
    if found:
        kinds = ", ".join(
            f"{kind} {count}" for kind, count in sorted(Counter(one.kind for one in found).items())
        )
        log.error("reconciliation: %d differences (%s)", len(found), kinds, extra={"alert": "reconciliation"})
