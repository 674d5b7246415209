"""Households that ask for circles: one that is easy to read, and any that the form allows."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from shared.domain.affordability import OFFERS, Application, Circle, Commitment, SpendingGuide
from shared.domain.financial_statement import (
    Evidence,
    FixedCost,
    FixedCostLine,
    FlexibleCost,
    FlexibleCostLine,
    Frequency,
    Income,
    IncomeLine,
    OtherDebt,
    OtherDebtLine,
    PriorityDebt,
    PriorityDebtLine,
    Statement,
)

POUND = 100


def a_statement(*, income: int = 2_000, costs: int = 1_500, savings: int = 0, **changes: Any) -> Statement:
    """In pounds a month: a home of half the costs, utilities free, the rest food. Seen by open banking."""
    home = costs // 2
    fields: dict[str, Any] = {
        "income": (IncomeLine(category=Income.EARNINGS, amount_pence=income * POUND),),
        "fixed_costs": (
            FixedCostLine(category=FixedCost.HOME_AND_CONTENTS, amount_pence=home * POUND),
            FixedCostLine(category=FixedCost.UTILITIES, amount_pence=0),
        ),
        "flexible_costs": (
            FlexibleCostLine(
                category=FlexibleCost.FOOD_AND_HOUSEKEEPING, amount_pence=(costs - home) * POUND
            ),
        ),
        "savings_pence": savings * POUND,
        "income_evidence": Evidence.OPEN_BANKING,
        "costs_evidence": Evidence.OPEN_BANKING,
        "savings_evidence": Evidence.OPEN_BANKING,
    }
    return Statement(**fields | changes)


def a_circle(pounds: int, frequency: Frequency = Frequency.MONTHLY) -> Circle:
    return next(c for c in OFFERS if (c.amount_pence, c.frequency) == (pounds * POUND, frequency))


def an_application(circle: Circle, statement: Statement | None = None, **changes: Any) -> Application:
    return Application(statement=statement or a_statement(), circle=circle, **changes)


# --- any household ------------------------------------------------------------------------------------------

_pence = st.one_of(st.integers(0, 400_000), st.sampled_from([0, 1, 99, 100, 4_999, 5_000, 3_000_000]))


def _lines(kind: Any, categories: Any, most: int, **more: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    line = st.builds(
        kind,
        category=st.sampled_from(list(categories)),
        amount_pence=_pence,
        frequency=st.sampled_from([f for f in Frequency if f is not Frequency.WEEKLY]),
        **more,
    )
    return st.lists(line, max_size=most).map(tuple)


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    small = st.integers(0, 60_000)
    return a_statement(
        income=draw(st.integers(0, 8_000)),
        costs=draw(st.integers(0, 4_000)),
        flexible_costs=(
            FlexibleCostLine(category=FlexibleCost.FOOD_AND_HOUSEKEEPING, amount_pence=draw(small)),
            *draw(_lines(FlexibleCostLine, FlexibleCost, 3)),
        ),
        priority_debts=draw(
            st.one_of(st.just(()), _lines(PriorityDebtLine, PriorityDebt, 2, plan_agreed=st.booleans()))
        ),
        other_debts=draw(st.one_of(st.just(()), _lines(OtherDebtLine, OtherDebt, 2))),
        savings_pence=draw(st.one_of(st.just(0), _pence)),
        adults=draw(st.integers(1, 3)),
        children=draw(st.integers(0, 4)),
        income_evidence=draw(st.sampled_from(list(Evidence))),
        costs_evidence=draw(st.sampled_from(list(Evidence))),
        savings_evidence=draw(st.sampled_from(list(Evidence))),
    )


@st.composite
def applications(draw: st.DrawFn) -> Application:
    commitments = draw(
        st.lists(
            st.builds(
                Commitment,
                amount_pence=st.sampled_from([5_000, 10_000, 50_000]),
                frequency=st.sampled_from([Frequency.WEEKLY, Frequency.MONTHLY]),
            ),
            max_size=3,
        )
    )
    return Application(
        statement=draw(statements()),
        circle=draw(st.sampled_from(OFFERS)),
        commitments=tuple(draw(st.one_of(st.just([]), st.just(commitments)))),
    )


guides = st.one_of(
    st.just(()),
    st.builds(
        SpendingGuide,
        category=st.sampled_from(list(FlexibleCost)),
        first_adult_pence=st.integers(1, 50_000),
        further_adult_pence=st.integers(0, 30_000),
        child_pence=st.integers(0, 20_000),
    ).map(lambda guide: (guide,)),
)
