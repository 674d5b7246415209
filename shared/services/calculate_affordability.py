"""Affordability for who only wants to know: worked out, answered, and kept nowhere."""

from __future__ import annotations

from typing import Any

from shared.domain.affordability import Application, Circle, Commitment, assess_affordability
from shared.domain.commitments import Commitments, commitments_ref
from shared.domain.financial_statement import Frequency, Statement
from shared.services.context import Context
from shared.services.transact import read


def calculate(ctx: Context, uid: str, statement: Statement, circle: Circle) -> dict[str, Any]:
    """Whether a household could carry a circle beside those that the person is in already, and why not."""
    committed = commitments(read(ctx, commitments_ref(uid)).find(commitments_ref(uid)))
    result = assess_affordability(Application(statement=statement, circle=circle, commitments=committed))
    weekly, monthly = result.largest(Frequency.WEEKLY), result.largest(Frequency.MONTHLY)
    return {
        "affordable": result.affordable,
        "largest_weekly": weekly.model_dump(mode="json") if weekly else None,
        "largest_monthly": monthly.model_dump(mode="json") if monthly else None,
        "affordability": result.model_dump(mode="json"),
    }


def commitments(known: Commitments | None) -> tuple[Commitment, ...]:
    """What a person promised already: by our own books, whatever they say."""
    promised = known.monthly_pence if known else {}
    return tuple(
        Commitment(amount_pence=pence, frequency=Frequency.MONTHLY)
        for _, pence in sorted(promised.items())
        if pence
    )
