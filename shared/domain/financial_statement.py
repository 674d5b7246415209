"""A household's month, in the form of the Standard Financial Statement: what affordability rests on.

Income, fixed costs, flexible costs, priority debts, other debts; the categories are the headings of the
statement. All amounts are whole pence. Income is rounded down to the month and costs up, so that rounding
never adds to what seems left over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from shared.domain.documents import Value
from shared.domain.money import Pence, pounds

# --- amounts ------------------------------------------------------------------------------------------------


class Frequency(StrEnum):
    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    FOUR_WEEKLY = "four_weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"


TIMES_A_YEAR: Mapping[Frequency, int] = {
    Frequency.WEEKLY: 52,
    Frequency.FORTNIGHTLY: 26,
    Frequency.FOUR_WEEKLY: 13,
    Frequency.MONTHLY: 12,
    Frequency.QUARTERLY: 4,
    Frequency.YEARLY: 1,
}

MONTHLY_PENCE_MAX = 10_000_000
"""£100,000 a month on one line: beyond any household that asks for a circle, so pence taken for pounds."""

LINES_MAX = 60
"""Of one section: the long form of the statement has fewer lines in all."""

LinePence = Annotated[Pence, Field(le=12 * MONTHLY_PENCE_MAX)]
"""Never a float (so never NaN), a bool or text. The bound is the largest line for a year."""


def divide_up(numerator: int, denominator: int) -> int:
    """The whole number at or above the quotient."""
    return -(-numerator // denominator)


def monthly_pence_up(amount_pence: int, frequency: Frequency) -> int:
    """A month's share, rounded up: weekly is × 52/12."""
    return divide_up(amount_pence * TIMES_A_YEAR[frequency], 12)


# --- the statement ------------------------------------------------------------------------------------------


class Income(StrEnum):
    EARNINGS = "earnings"
    BENEFITS_AND_TAX_CREDITS = "benefits_and_tax_credits"
    PENSIONS = "pensions"
    OTHER = "other"


class FixedCost(StrEnum):
    HOME_AND_CONTENTS = "home_and_contents"
    UTILITIES = "utilities"
    WATER = "water"
    CARE_AND_HEALTH = "care_and_health"
    TRANSPORT_AND_TRAVEL = "transport_and_travel"
    SCHOOL = "school"
    PENSIONS_AND_INSURANCES = "pensions_and_insurances"
    PROFESSIONAL = "professional"
    OTHER_ESSENTIAL = "other_essential"


class FlexibleCost(StrEnum):
    COMMUNICATIONS_AND_LEISURE = "communications_and_leisure"
    FOOD_AND_HOUSEKEEPING = "food_and_housekeeping"
    PERSONAL = "personal"


class PriorityDebt(StrEnum):
    """Arrears whose creditor can take the home, the supply, the goods or the person's liberty."""

    RENT = "rent"
    MORTGAGE = "mortgage"
    SECURED_LOAN = "secured_loan"
    COUNCIL_TAX = "council_tax"
    GAS = "gas"
    ELECTRICITY = "electricity"
    TV_LICENCE = "tv_licence"
    COURT_FINE = "court_fine"
    MAINTENANCE = "maintenance"
    HIRE_PURCHASE = "hire_purchase"
    TAX = "tax"
    OTHER = "other"


class OtherDebt(StrEnum):
    CREDIT_CARD = "credit_card"
    LOAN = "loan"
    OVERDRAFT = "overdraft"
    STORE_CARD_OR_CATALOGUE = "store_card_or_catalogue"
    BUY_NOW_PAY_LATER = "buy_now_pay_later"
    FAMILY_OR_FRIENDS = "family_or_friends"
    OTHER = "other"


class Evidence(StrEnum):
    """How we know, weakest first. Each level allows what the ones before it allow."""

    STATED = "stated"
    DOCUMENTED = "documented"
    OPEN_BANKING = "open_banking"

    @property
    def rank(self) -> int:
        return list(Evidence).index(self)

    def reaches(self, needed: Evidence) -> bool:
        return self.rank >= needed.rank


class _Line(Value):
    amount_pence: LinePence
    frequency: Frequency = Frequency.MONTHLY

    @property
    def monthly_pence(self) -> int:
        return monthly_pence_up(self.amount_pence, self.frequency)

    @model_validator(mode="after")
    def _is_plausible(self) -> Self:
        if self.monthly_pence > MONTHLY_PENCE_MAX:
            raise ValueError(f"this is more than {pounds(MONTHLY_PENCE_MAX)} a month; amounts are in pence")
        return self


class IncomeLine(_Line):
    """What comes in, after tax."""

    category: Income

    @property
    def monthly_pence(self) -> int:
        return self.amount_pence * TIMES_A_YEAR[self.frequency] // 12


class FixedCostLine(_Line):
    category: FixedCost


class FlexibleCostLine(_Line):
    category: FlexibleCost


class PriorityDebtLine(_Line):
    """A repayment of arrears, zero where none is made. `plan_agreed`: the creditor has agreed to it."""

    category: PriorityDebt
    plan_agreed: bool


class OtherDebtLine(_Line):
    category: OtherDebt


CostLine = FixedCostLine | FlexibleCostLine
DebtLine = PriorityDebtLine | OtherDebtLine


class Statement(Value):
    """A household's month. Savings are what can be spent within days, circles apart.

    No household is without a home, utilities and food, so these lines must be there; zero is an answer
    (somebody else pays), silence is not.
    """

    income: Annotated[tuple[IncomeLine, ...], Field(max_length=LINES_MAX)]
    fixed_costs: Annotated[tuple[FixedCostLine, ...], Field(max_length=LINES_MAX)]
    flexible_costs: Annotated[tuple[FlexibleCostLine, ...], Field(max_length=LINES_MAX)]
    priority_debts: Annotated[tuple[PriorityDebtLine, ...], Field(max_length=LINES_MAX)] = ()
    other_debts: Annotated[tuple[OtherDebtLine, ...], Field(max_length=LINES_MAX)] = ()
    savings_pence: LinePence = 0
    adults: Annotated[int, Field(strict=True, ge=1, le=20)] = 1
    children: Annotated[int, Field(strict=True, ge=0, le=20)] = 0
    income_evidence: Evidence = Evidence.STATED
    costs_evidence: Evidence = Evidence.STATED
    savings_evidence: Evidence = Evidence.STATED

    @field_validator("income")
    @classmethod
    def _has_income(cls, lines: tuple[IncomeLine, ...]) -> tuple[IncomeLine, ...]:
        if not lines:
            raise ValueError("missing: state 0 where nothing comes in")
        return lines

    @field_validator("fixed_costs")
    @classmethod
    def _has_home_and_utilities(cls, lines: tuple[FixedCostLine, ...]) -> tuple[FixedCostLine, ...]:
        _must_state({line.category for line in lines}, FixedCost.HOME_AND_CONTENTS, FixedCost.UTILITIES)
        return lines

    @field_validator("flexible_costs")
    @classmethod
    def _has_food(cls, lines: tuple[FlexibleCostLine, ...]) -> tuple[FlexibleCostLine, ...]:
        _must_state({line.category for line in lines}, FlexibleCost.FOOD_AND_HOUSEKEEPING)
        return lines


def _must_state(stated: Iterable[StrEnum], *needed: StrEnum) -> None:
    missing = [category for category in needed if category not in set(stated)]
    if missing:
        raise ValueError(f"missing: {', '.join(missing)}; state 0 where somebody else pays it")
