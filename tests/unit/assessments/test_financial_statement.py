"""The statement takes what a household can have, and names the field of what it cannot."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from shared.domain.financial_statement import (
    Frequency,
    Income,
    IncomeLine,
    Statement,
    monthly_pence_up,
)

GOOD: dict[str, Any] = {
    "income": [{"category": "earnings", "amount_pence": 200_000, "frequency": "monthly"}],
    "fixed_costs": [
        {"category": "home_and_contents", "amount_pence": 70_000},
        {"category": "utilities", "amount_pence": 0},
    ],
    "flexible_costs": [{"category": "food_and_housekeeping", "amount_pence": 25_000}],
}


def test_a_statement_is_read_from_plain_data_and_taken_as_stated() -> None:
    statement = Statement.model_validate(GOOD)
    assert statement.income_evidence == statement.costs_evidence == "stated"
    assert statement.priority_debts == ()


@pytest.mark.parametrize(
    ("frequency", "cost", "income"),
    [
        (Frequency.WEEKLY, 21_667, 21_666),
        (Frequency.FORTNIGHTLY, 10_834, 10_833),
        (Frequency.FOUR_WEEKLY, 5_417, 5_416),
        (Frequency.MONTHLY, 5_000, 5_000),
        (Frequency.QUARTERLY, 1_667, 1_666),
        (Frequency.YEARLY, 417, 416),
    ],
)
def test_fifty_pounds_become_a_month_s_share(frequency: Frequency, cost: int, income: int) -> None:
    assert monthly_pence_up(5_000, frequency) == cost
    assert IncomeLine(category=Income.OTHER, amount_pence=5_000, frequency=frequency).monthly_pence == income


@pytest.mark.parametrize(
    ("where", "changes"),
    [
        (("income", 0, "amount_pence"), {"income": [{"category": "earnings", "amount_pence": -1}]}),
        (("income", 0, "amount_pence"), {"income": [{"category": "earnings", "amount_pence": float("nan")}]}),
        (("income", 0, "amount_pence"), {"income": [{"category": "earnings", "amount_pence": 1.5}]}),
        (("income", 0, "amount_pence"), {"income": [{"category": "earnings", "amount_pence": True}]}),
        (("income", 0, "amount_pence"), {"income": [{"category": "earnings", "amount_pence": "2000"}]}),
        (("income", 0, "amount_pence"), {"income": [{"category": "earnings", "amount_pence": None}]}),
        (("income", 0, "amount_pence"), {"income": [{"category": "earnings", "amount_pence": 10**11}]}),
        (("income", 0), {"income": [{"category": "earnings", "amount_pence": 10_000_001}]}),
        (
            ("income", 0),
            {"income": [{"category": "earnings", "amount_pence": 10_000_000, "frequency": "weekly"}]},
        ),
        (("income", 0, "category"), {"income": [{"category": "lottery", "amount_pence": 1}]}),
        (("income", 0, "category"), {"income": [{"amount_pence": 1}]}),
        (("income", 0, "amount_pence"), {"income": [{"category": "earnings"}]}),
        (
            ("income", 0, "frequency"),
            {"income": [{"category": "earnings", "amount_pence": 1, "frequency": "hourly"}]},
        ),
        (("income", 0, "tip"), {"income": [{"category": "earnings", "amount_pence": 1, "tip": 1}]}),
        (("income",), {"income": []}),
        (("income",), {"income": [{"category": "earnings", "amount_pence": 1}] * 61}),
        (("fixed_costs",), {"fixed_costs": []}),
        (("fixed_costs",), {"fixed_costs": [{"category": "utilities", "amount_pence": 0}]}),
        (("flexible_costs",), {"flexible_costs": [{"category": "personal", "amount_pence": 1}]}),
        (("savings_pence",), {"savings_pence": -5}),
        (("savings_pence",), {"savings_pence": float("inf")}),
        (("adults",), {"adults": 0}),
        (("children",), {"children": 2.0}),
        (("income_evidence",), {"income_evidence": "rumour"}),
        (("priority_debts", 0, "plan_agreed"), {"priority_debts": [{"category": "rent", "amount_pence": 0}]}),
        (("age",), {"age": 40}),
    ],
)
def test_what_cannot_be_is_a_field_error(where: tuple[str | int, ...], changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        Statement.model_validate(GOOD | changes)
    assert [error["loc"] for error in caught.value.errors()] == [where]


@pytest.mark.parametrize("section", ["income", "fixed_costs", "flexible_costs"])
def test_a_section_that_every_household_has_cannot_be_left_out(section: str) -> None:
    rest = {name: value for name, value in GOOD.items() if name != section}
    with pytest.raises(ValidationError) as caught:
        Statement.model_validate(rest)
    assert [error["loc"] for error in caught.value.errors()] == [(section,)]


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ValidationError, match="missing: home_and_contents; state 0 where somebody else pays"):
        Statement.model_validate(GOOD | {"fixed_costs": [{"category": "utilities", "amount_pence": 0}]})


def test_one_hundred_thousand_a_month_is_the_most_that_is_believed() -> None:
    line = {"category": "earnings", "amount_pence": 120_000_000, "frequency": "yearly"}
    assert Statement.model_validate(GOOD | {"income": [line]}).income[0].monthly_pence == 10_000_000
