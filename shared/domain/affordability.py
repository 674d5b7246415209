"""Affordability: can this household carry this circle out of its income, and what would change the answer?

The practice is that of FCA CONC 5.2A, taken as a guide: income and costs established by more than the
person's own word, in proportion to the commitment, and payable without borrowing. Failing a test asks for
a person's judgement; nothing here refuses anybody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from shared.domain.documents import Value
from shared.domain.financial_statement import (
    LINES_MAX,
    MONTHLY_PENCE_MAX,
    CostLine,
    DebtLine,
    Evidence,
    FixedCost,
    FlexibleCost,
    FlexibleCostLine,
    Frequency,
    Income,
    IncomeLine,
    Statement,
    divide_up,
    monthly_pence_up,
)
from shared.domain.money import pounds
from shared.domain.record import record

# --- what is asked for --------------------------------------------------------------------------------------

CircleFrequency = Literal[Frequency.WEEKLY, Frequency.MONTHLY]


class Circle(Value):
    """A circle as we offer it, by what one member pays in."""

    amount_pence: Literal[5_000, 10_000, 50_000, 80_000]
    frequency: CircleFrequency

    @property
    def monthly_pence(self) -> int:
        return monthly_pence_up(self.amount_pence, self.frequency)

    def __str__(self) -> str:
        return f"{pounds(self.amount_pence)} {self.frequency}"


_AMOUNTS: tuple[Literal[5_000, 10_000, 50_000, 80_000], ...] = (5_000, 10_000, 50_000, 80_000)
_FREQUENCIES: tuple[CircleFrequency, ...] = (Frequency.WEEKLY, Frequency.MONTHLY)

OFFERS: tuple[Circle, ...] = tuple(
    sorted(
        (
            Circle(amount_pence=amount, frequency=frequency)
            for amount in _AMOUNTS
            for frequency in _FREQUENCIES
        ),
        key=lambda circle: circle.monthly_pence,
    )
)
"""Every circle there is, the cheapest first."""


class Commitment(Value):
    """What the person pays into a circle that they are in already."""

    amount_pence: Annotated[int, Field(strict=True, ge=1, le=MONTHLY_PENCE_MAX)]
    frequency: CircleFrequency

    @property
    def monthly_pence(self) -> int:
        return monthly_pence_up(self.amount_pence, self.frequency)


class Application(Value):
    """One household, the circle that it asks for, and those that it is in."""

    statement: Statement
    circle: Circle
    commitments: Annotated[tuple[Commitment, ...], Field(max_length=LINES_MAX)] = ()


# --- the rules ----------------------------------------------------------------------------------------------


@record
class AffordabilityRules:
    """The house's own policy, to be changed with a new version. None of these is a published figure."""

    version: str = "affordability-1"

    share_max_percent: int = 75
    """Of the surplus, all circles together: a quarter stays for what no statement foresees."""

    stated_max_pence: int = 5_000
    """A month on the person's word alone: our smallest circle, the least that anybody can ask for."""

    documented_max_pence: int = 80_000
    """A month on documents: our largest monthly circle. Beyond it, the account itself must be seen."""

    income_drop_percent: int = 20
    income_drop_months: int = 3
    """Stress: income falls by a fifth; savings may fill the gap, but must last a quarter of a year."""

    catch_up_months: int = 2
    """Stress: in one month nothing is left over (late wages, a repair), and that month's contributions are
    made up from savings and from what the following months leave. Two, as a third month is a default."""


RULES = AffordabilityRules()


@record
class SpendingGuide:
    """A month's spending in one category above which evidence is asked for.

    The figures of the Standard Financial Statement are for its members: we ship none and invent none.
    """

    category: FixedCost | FlexibleCost
    first_adult_pence: int
    further_adult_pence: int
    child_pence: int

    def monthly_pence(self, adults: int, children: int) -> int:
        return self.first_adult_pence + (adults - 1) * self.further_adult_pence + children * self.child_pence


NO_GUIDES: tuple[SpendingGuide, ...] = ()
"""With this table no guide is checked."""


# --- the answer ---------------------------------------------------------------------------------------------


class MendKind(StrEnum):
    INCOME_UP = "income_up"
    COSTS_DOWN = "costs_down"
    SAVINGS_UP = "savings_up"
    SMALLER_CIRCLE = "smaller_circle"
    INCOME_EVIDENCE = "income_evidence"
    COSTS_EVIDENCE = "costs_evidence"
    SAVINGS_EVIDENCE = "savings_evidence"
    DEBT_PLAN = "debt_plan"


class Mend(Value):
    """One thing that undoes a reason. `enough`: followed alone, it turns the whole answer."""

    kind: MendKind
    sentence: str
    amount_pence: int | None = None
    evidence: Evidence | None = None
    circle: Circle | None = None
    enough: bool = False


class AffordabilityCode(StrEnum):
    NOTHING_LEFT_OVER = "nothing_left_over"
    SHARE_OF_SURPLUS = "share_of_surplus"
    INCOME_DROP = "income_drop"
    MISSED_MONTH = "missed_month"
    INCOME_EVIDENCE = "income_evidence"
    COSTS_EVIDENCE = "costs_evidence"
    NO_COSTS = "no_costs"
    SPENDING_ABOVE_GUIDE = "spending_above_guide"
    DEBT_WITHOUT_PLAN = "debt_without_plan"


class Reason(Value):
    """Why a person has to look. Any one of `mends` undoes it; the first needs no other circle."""

    code: AffordabilityCode
    sentence: str
    mends: tuple[Mend, ...]


class Affordability(Value):
    """The figures of the month and what follows from them. No reasons: affordable.

    There is at most one reason of each kind (what is left over, evidence of income, evidence of costs,
    debts): the one that asks for most. So the first mends of all reasons together turn the answer, and
    those of all but one do not.
    """

    rules_version: str
    income_pence: int
    fixed_costs_pence: int
    flexible_costs_pence: int
    priority_debts_pence: int
    other_debts_pence: int
    surplus_pence: int
    committed_pence: int
    instalment_pence: int
    share_of_surplus_percent: int | None
    """All circles, this one included, ÷ surplus, rounded up; None where nothing is left over."""
    after_income_drop_pence: int
    """Left of a month with the lower income, before savings."""
    after_missed_month_pence: int
    """Savings and the following months, less the contributions that were missed."""
    carries: tuple[Circle, ...]
    """Every circle of ours that would have been affordable here, cheapest first."""
    reasons: tuple[Reason, ...]

    @property
    def affordable(self) -> bool:
        return not self.reasons

    def largest(self, frequency: Frequency | None = None) -> Circle | None:
        """The largest circle that this household can carry, of one frequency or of both."""
        fitting = [circle for circle in self.carries if frequency in (None, circle.frequency)]
        return fitting[-1] if fitting else None


def assess_affordability(
    application: Application,
    rules: AffordabilityRules = RULES,
    guides: Sequence[SpendingGuide] = NO_GUIDES,
) -> Affordability:
    """Add the month up, test it, say why and what would help. Never raises on a valid application."""
    case = _Case.of(application, rules, guides)
    month = case.month

    def enough(mend: Mend) -> bool:
        return not _Case.of(follow(application, mend), rules, guides).failures()

    def reason(code: AffordabilityCode) -> Reason:
        mends = tuple(mend.with_(enough=enough(mend)) for mend in _mends(code, case))
        return Reason(code=code, sentence=_sentence(code, case), mends=mends)

    return Affordability(
        rules_version=rules.version,
        income_pence=month.income_pence,
        fixed_costs_pence=month.fixed_costs_pence,
        flexible_costs_pence=month.flexible_costs_pence,
        priority_debts_pence=month.priority_debts_pence,
        other_debts_pence=month.other_debts_pence,
        surplus_pence=month.surplus_pence,
        committed_pence=month.committed_pence,
        instalment_pence=month.instalment_pence,
        share_of_surplus_percent=month.share_percent,
        after_income_drop_pence=case.after_income_drop_pence,
        after_missed_month_pence=case.after_missed_month_pence,
        carries=tuple(circle for circle in OFFERS if not case.asking(circle).failures()),
        reasons=tuple(reason(code) for code in case.failures()),
    )


def follow(application: Application, mend: Mend) -> Application:
    """The application as it would be had the advice been followed: for 'what if', and for the tests."""
    statement = application.statement
    match mend.kind:
        case MendKind.SMALLER_CIRCLE:
            circle = min(application.circle, mend.circle or application.circle, key=lambda c: c.monthly_pence)
            return _asking(application, circle)
        case MendKind.INCOME_UP:
            more = IncomeLine.model_construct(
                category=Income.OTHER, amount_pence=mend.amount_pence or 0, frequency=Frequency.MONTHLY
            )
            changed = statement.with_(income=(*statement.income, more))
        case MendKind.COSTS_DOWN:
            changed = _spending_less(statement, mend.amount_pence or 0)
        case MendKind.SAVINGS_UP:
            more_pence = statement.savings_pence + (mend.amount_pence or 0)
            changed = statement.with_(savings_pence=more_pence)
        case MendKind.DEBT_PLAN:
            agreed = tuple(debt.with_(plan_agreed=True) for debt in statement.priority_debts)
            changed = statement.with_(priority_debts=agreed)
        case MendKind.INCOME_EVIDENCE | MendKind.COSTS_EVIDENCE | MendKind.SAVINGS_EVIDENCE:
            changed = statement.with_(**{mend.kind.value: mend.evidence})
    return application.with_(statement=changed)


def follow_all(application: Application, affordability: Affordability) -> Application:
    """The application with every reason mended, each in the first way that was named."""
    for reason in affordability.reasons:
        application = follow(application, reason.mends[0])
    return application


def left_for_circle_pence(application: Application) -> int:
    """What is left over in a month for the circle asked for, the others being paid."""
    month = _Month.of(application)
    return month.surplus_pence - month.committed_pence


def _asking(application: Application, circle: Circle) -> Application:
    return application.with_(circle=circle)


def _spending_less(statement: Statement, cut_pence: int) -> Statement:
    """Flexible costs, per category and month, with `cut_pence` taken off, the first lines first."""
    lines: list[FlexibleCostLine] = []
    for line in statement.flexible_costs:
        cut = min(line.monthly_pence, cut_pence)
        cut_pence -= cut
        lines.append(FlexibleCostLine(category=line.category, amount_pence=line.monthly_pence - cut))
    return statement.with_(flexible_costs=tuple(lines))


# --- the month ----------------------------------------------------------------------------------------------


@record
class _Month:
    income_pence: int
    fixed_costs_pence: int
    flexible_costs_pence: int
    priority_debts_pence: int
    other_debts_pence: int
    committed_pence: int
    instalment_pence: int

    @classmethod
    def of(cls, application: Application) -> _Month:
        statement = application.statement
        return cls(
            income_pence=_total(statement.income),
            fixed_costs_pence=_total(statement.fixed_costs),
            flexible_costs_pence=_total(statement.flexible_costs),
            priority_debts_pence=_total(statement.priority_debts),
            other_debts_pence=_total(statement.other_debts),
            committed_pence=sum(commitment.monthly_pence for commitment in application.commitments),
            instalment_pence=application.circle.monthly_pence,
        )

    @property
    def spending_pence(self) -> int:
        return self.fixed_costs_pence + self.flexible_costs_pence

    @property
    def outgoings_pence(self) -> int:
        """All but circles."""
        return self.spending_pence + self.priority_debts_pence + self.other_debts_pence

    @property
    def surplus_pence(self) -> int:
        """Before circles."""
        return self.income_pence - self.outgoings_pence

    @property
    def circles_pence(self) -> int:
        """All circles, the one asked for included."""
        return self.committed_pence + self.instalment_pence

    @property
    def share_percent(self) -> int | None:
        if self.surplus_pence <= 0:
            return None
        return divide_up(self.circles_pence * 100, self.surplus_pence)


def _total(lines: Iterable[IncomeLine | CostLine | DebtLine]) -> int:
    return sum(line.monthly_pence for line in lines)


# --- the tests ----------------------------------------------------------------------------------------------


@record
class _Case:
    """A month against the rules."""

    month: _Month
    statement: Statement
    rules: AffordabilityRules
    above_guides: tuple[StrEnum, ...]

    @classmethod
    def of(
        cls, application: Application, rules: AffordabilityRules, guides: Sequence[SpendingGuide]
    ) -> _Case:
        statement = application.statement
        return cls(_Month.of(application), statement, rules, tuple(_above_guides(statement, guides)))

    def asking(self, circle: Circle) -> _Case:
        return replace(self, month=replace(self.month, instalment_pence=circle.monthly_pence))

    def failures(self) -> list[AffordabilityCode]:
        """What fails, one code of each kind at most: the one that asks for most."""
        kinds = (self.left_over(), self.evidence_of_income(), self.evidence_of_costs(), self.debts())
        return [code for code in kinds if code]

    # What is left over: the surplus, its share and both stress tests.

    def left_over(self) -> AffordabilityCode | None:
        needed = self.income_needed_pence()
        code = max(needed, key=lambda test: needed[test])
        if self.month.income_pence >= needed[code]:
            return None
        return AffordabilityCode.NOTHING_LEFT_OVER if self.month.surplus_pence <= 0 else code

    def income_needed_pence(self) -> Mapping[AffordabilityCode, int]:
        """The least income that passes each test, all else being as it is."""
        out, circles, rules = self.month.outgoings_pence, self.month.circles_pence, self.rules
        in_a_drop = out + circles - self.savings_pence // rules.income_drop_months
        to_catch_up = circles - self.savings_pence
        return {
            AffordabilityCode.SHARE_OF_SURPLUS: out + divide_up(circles * 100, rules.share_max_percent),
            AffordabilityCode.INCOME_DROP: divide_up(in_a_drop * 100, 100 - rules.income_drop_percent),
            AffordabilityCode.MISSED_MONTH: out + circles + divide_up(to_catch_up, rules.catch_up_months),
        }

    @property
    def savings_count(self) -> bool:
        """Beyond the small commitment, not on the person's word alone."""
        small = self.month.circles_pence <= self.rules.stated_max_pence
        return small or self.statement.savings_evidence.reaches(Evidence.DOCUMENTED)

    @property
    def savings_pence(self) -> int:
        return self.statement.savings_pence if self.savings_count else 0

    @property
    def after_income_drop_pence(self) -> int:
        lower = self.month.income_pence * (100 - self.rules.income_drop_percent) // 100
        return lower - self.month.outgoings_pence - self.month.circles_pence

    @property
    def after_missed_month_pence(self) -> int:
        circles = self.month.circles_pence
        left_each_month = self.month.surplus_pence - circles
        return self.rules.catch_up_months * left_each_month + self.savings_pence - circles

    # Evidence of what the month rests on.

    @property
    def evidence_needed(self) -> Evidence:
        if self.month.circles_pence <= self.rules.stated_max_pence:
            return Evidence.STATED
        if self.month.circles_pence <= self.rules.documented_max_pence:
            return Evidence.DOCUMENTED
        return Evidence.OPEN_BANKING

    def evidence_of_income(self) -> AffordabilityCode | None:
        enough = self.statement.income_evidence.reaches(self.evidence_needed)
        return None if enough else AffordabilityCode.INCOME_EVIDENCE

    def evidence_of_costs(self) -> AffordabilityCode | None:
        if not self.statement.costs_evidence.reaches(self.evidence_needed):
            return AffordabilityCode.COSTS_EVIDENCE
        return None if self.statement.costs_evidence.reaches(Evidence.DOCUMENTED) else self.doubt

    @property
    def doubt(self) -> AffordabilityCode | None:
        """About costs, whatever the circle; documents settle it."""
        if self.month.spending_pence == 0:
            return AffordabilityCode.NO_COSTS
        return AffordabilityCode.SPENDING_ABOVE_GUIDE if self.above_guides else None

    def debts(self) -> AffordabilityCode | None:
        agreed = all(debt.plan_agreed for debt in self.statement.priority_debts)
        return None if agreed else AffordabilityCode.DEBT_WITHOUT_PLAN


def _above_guides(statement: Statement, guides: Sequence[SpendingGuide]) -> Iterable[StrEnum]:
    spent: Counter[StrEnum] = Counter()
    lines: tuple[CostLine, ...] = (*statement.fixed_costs, *statement.flexible_costs)
    for line in lines:
        spent[line.category] += line.monthly_pence
    for guide in guides:
        if spent[guide.category] > guide.monthly_pence(statement.adults, statement.children):
            yield guide.category


# --- what is said, and what mends it ------------------------------------------------------------------------


_SENTENCES: Mapping[AffordabilityCode, str] = {
    AffordabilityCode.NOTHING_LEFT_OVER: (
        "Your costs and debts take all of your income, so nothing is left over for a circle."
    ),
    AffordabilityCode.SHARE_OF_SURPLUS: (
        "Your circles would take {circles} of the {surplus} that you have left over each month; "
        "we look for {share}% or less."
    ),
    AffordabilityCode.INCOME_DROP: (
        "If your income fell by {drop}%, it and your savings would not cover your costs and the {circles} "
        "a month for circles for {drop_months} months."
    ),
    AffordabilityCode.MISSED_MONTH: (
        "If one month left nothing over, your savings and the next {catch_up_months} months would not make "
        "up the {circles} for your circles."
    ),
    AffordabilityCode.INCOME_EVIDENCE: "For {circles} a month we need to see your income.",
    AffordabilityCode.COSTS_EVIDENCE: "For {circles} a month we need to see your costs.",
    AffordabilityCode.NO_COSTS: "You state no costs at all; we need to see that it is so.",
    AffordabilityCode.SPENDING_ABOVE_GUIDE: (
        "Spending on {above_guides} is above the guide; we need to see that it is so."
    ),
    AffordabilityCode.DEBT_WITHOUT_PLAN: (
        "Arrears on {without_plan} come before a circle, and no plan is agreed for them."
    ),
}


def _sentence(code: AffordabilityCode, case: _Case) -> str:
    return _SENTENCES[code].format(
        circles=pounds(case.month.circles_pence),
        surplus=pounds(case.month.surplus_pence),
        share=case.rules.share_max_percent,
        drop=case.rules.income_drop_percent,
        drop_months=case.rules.income_drop_months,
        catch_up_months=case.rules.catch_up_months,
        above_guides=_listed(case.above_guides),
        without_plan=_listed(d.category for d in case.statement.priority_debts if not d.plan_agreed),
    )


def _listed(categories: Iterable[StrEnum]) -> str:
    return ", ".join(category.replace("_", " ") for category in categories)


def _mends(code: AffordabilityCode, case: _Case) -> Iterable[Mend]:
    match code:
        case AffordabilityCode.INCOME_EVIDENCE:
            yield _show(MendKind.INCOME_EVIDENCE, case.evidence_needed)
            yield from _smaller(case, lambda there: there.evidence_of_income() is None)
        case AffordabilityCode.COSTS_EVIDENCE:
            yield _show(MendKind.COSTS_EVIDENCE, case.evidence_needed)
            yield from _smaller(case, lambda there: there.evidence_of_costs() is None)
        case AffordabilityCode.NO_COSTS | AffordabilityCode.SPENDING_ABOVE_GUIDE:
            yield _show(MendKind.COSTS_EVIDENCE, Evidence.DOCUMENTED)
        case AffordabilityCode.DEBT_WITHOUT_PLAN:
            advice = "Agree a repayment plan with each creditor; free debt advice can help you to."
            yield Mend(kind=MendKind.DEBT_PLAN, sentence=advice)
        case _:
            yield from _more_left_over(case)
            yield from _smaller(case, lambda there: there.left_over() is None)


_HOW_TO_SHOW: Mapping[Evidence, str] = {
    Evidence.DOCUMENTED: "Send documents: payslips, award letters, bills or bank statements.",
    Evidence.OPEN_BANKING: "Connect your bank account by open banking.",
}


def _show(kind: MendKind, needed: Evidence) -> Mend:
    return Mend(kind=kind, evidence=needed, sentence=_HOW_TO_SHOW[needed])


def _smaller(case: _Case, passes: Callable[[_Case], bool]) -> Iterable[Mend]:
    """The largest circle below the one asked for that passes, if there is one."""
    for circle in reversed(OFFERS):
        if circle.monthly_pence < case.month.instalment_pence and passes(case.asking(circle)):
            sentence = f"Choose a circle of {circle} or less."
            yield Mend(kind=MendKind.SMALLER_CIRCLE, circle=circle, sentence=sentence)
            return


def _more_left_over(case: _Case) -> Iterable[Mend]:
    """More income always helps; lower costs as far as they are flexible; savings with the stress tests."""
    month, needed = case.month, case.income_needed_pence()
    more = max(needed.values()) - month.income_pence
    yield _amount(MendKind.INCOME_UP, more, "{} a month more coming in would mend this.")

    drop_filled_by_savings = case.savings_pence // case.rules.income_drop_months
    less = max(
        needed[AffordabilityCode.SHARE_OF_SURPLUS] - month.income_pence,
        needed[AffordabilityCode.MISSED_MONTH] - month.income_pence,
        -case.after_income_drop_pence - drop_filled_by_savings,
    )
    if less <= month.flexible_costs_pence and less < month.spending_pence:
        yield _amount(MendKind.COSTS_DOWN, less, "Spending {} a month less would mend this.")

    if needed[AffordabilityCode.SHARE_OF_SURPLUS] <= month.income_pence:
        yield from _more_savings(case)


def _more_savings(case: _Case) -> Iterable[Mend]:
    has = case.statement.savings_pence
    needed = max(
        -case.after_income_drop_pence * case.rules.income_drop_months,
        case.savings_pence - case.after_missed_month_pence,
    )
    if case.savings_count:
        yield _amount(MendKind.SAVINGS_UP, needed - has, "{} more in savings would mend this.")
    elif needed <= has:
        sentence = f"Show a statement of your {pounds(has)} of savings."
        yield Mend(kind=MendKind.SAVINGS_EVIDENCE, evidence=Evidence.DOCUMENTED, sentence=sentence)


def _amount(kind: MendKind, amount_pence: int, sentence: str) -> Mend:
    return Mend(kind=kind, amount_pence=amount_pence, sentence=sentence.format(pounds(amount_pence)))
