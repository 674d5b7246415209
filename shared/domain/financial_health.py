"""Financial health: twelve questions of our own about how money goes, four pillars, and what to do next.

It is for the person alone. No credit decision reads it, and its cut-offs are ours, not a norm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator

from shared.domain.documents import Day, Value
from shared.domain.record import record

VERSION: Final = "health-1"
"""Changes with any question, option or rule. Results of two versions are not compared."""


class Pillar(StrEnum):
    SPEND = "spend"
    SAVE = "save"
    BORROW = "borrow"
    PLAN = "plan"


class QuestionId(StrEnum):
    PAY_DAY = "pay_day"
    LATE_BILLS = "late_bills"
    NEXT_MONTH = "next_month"
    HOW_LONG = "how_long"
    PUTTING_ASIDE = "putting_aside"
    REPAIR = "repair"
    REPAYMENTS = "repayments"
    BORROWING_TO_LIVE = "borrowing_to_live"
    WHAT_IS_OWED = "what_is_owed"
    NEXT_POT = "next_pot"
    ONCE_A_YEAR = "once_a_year"
    NOT_EARNING = "not_earning"


@record
class Question:
    """`options` from worst to best: a choice is an index, and its points. `next_step` is for a weak one."""

    pillar: Pillar
    text: str
    options: tuple[str, str, str, str]
    next_step: str


QUESTIONS: Final[Mapping[QuestionId, Question]] = {
    QuestionId.PAY_DAY: Question(
        Pillar.SPEND,
        "On the evening before money next comes in, how does your account usually look?",
        ("Below zero", "At about zero", "Enough left for a few days", "Enough left for weeks"),
        "Move two or three direct debits to just after pay day, so that the last week is lighter.",
    ),
    QuestionId.LATE_BILLS: Question(
        Pillar.SPEND,
        "In the last three months, how often was a bill paid late because the money was not there?",
        ("Every month, or more", "Two or three times", "Once", "Never"),
        "Tell the company before the bill is late: most will agree another date or smaller parts.",
    ),
    QuestionId.NEXT_MONTH: Question(
        Pillar.SPEND,
        "How closely could you say today what next month will cost you?",
        (
            "I could not",
            "To within a few hundred pounds",
            "To within a hundred pounds",
            "I have it in writing",
        ),
        "Write down one month: what came in, what went out. The calculator here can keep it for you.",
    ),
    QuestionId.HOW_LONG: Question(
        Pillar.SAVE,
        "If nothing came in from today, how long would your savings pay for home, food and heating?",
        ("Less than a week", "Up to a month", "One to three months", "More than three months"),
        "Aim for one month of home, food and heating first; a pot from a circle is a good start to it.",
    ),
    QuestionId.PUTTING_ASIDE: Question(
        Pillar.SAVE,
        "How often do you put something aside, circles included?",
        ("Hardly ever", "When something is left", "Most months", "Every month, before I spend"),
        "Set a standing order for the day after pay day, however small.",
    ),
    QuestionId.REPAIR: Question(
        Pillar.SAVE,
        "A repair of £300 has to be paid this week. Where would the money come from?",
        ("I could not pay it", "I would borrow it", "I would cut other spending", "From money put aside"),
        "Keep £300 apart from the rest: it is what stands between a repair and a loan.",
    ),
    QuestionId.REPAYMENTS: Question(
        Pillar.BORROW,
        "How do the repayments on all that you owe fit into your month?",
        (
            "I cannot keep up",
            "Only by going short of something",
            "They fit, just",
            "Easily, or I owe nothing",
        ),
        "Free debt advice can get interest frozen and payments cut; ask before you miss one.",
    ),
    QuestionId.BORROWING_TO_LIVE: Question(
        Pillar.BORROW,
        "In the last three months, how often did you borrow for food, rent or a bill?",
        ("Every month, or more", "Two or three times", "Once", "Never"),
        "Check which benefits and bill discounts you could claim: a benefits calculator takes ten minutes.",
    ),
    QuestionId.WHAT_IS_OWED: Question(
        Pillar.BORROW,
        "Over the last year, what became of what you owe on cards, overdrafts and pay-later plans?",
        (
            "It grew a lot",
            "It grew a little, or stayed",
            "It fell",
            "Paid in full each time, or nothing owed",
        ),
        "Pay a fixed amount above the minimum on the dearest debt, and raise it when another one ends.",
    ),
    QuestionId.NEXT_POT: Question(
        Pillar.PLAN,
        "If a pot came to you tomorrow, what is it for?",
        (
            "I have not thought of it",
            "I have some ideas",
            "One thing, roughly priced",
            "One thing, priced and dated",
        ),
        "Name one thing for your next pot, what it costs, and the month in which you want it.",
    ),
    QuestionId.ONCE_A_YEAR: Question(
        Pillar.PLAN,
        "Some costs come once a year: the car, school clothes, holidays and feasts. How do you meet them?",
        (
            "They surprise me",
            "I borrow for them",
            "Out of that month's money",
            "From money put aside for them",
        ),
        "List the costs of the next twelve months, and put a twelfth of them aside each month.",
    ),
    QuestionId.NOT_EARNING: Question(
        Pillar.PLAN,
        "If you could not work for half a year, what is in place?",
        (
            "Nothing",
            "I would rely on family",
            "Some sick pay or benefits",
            "Cover or savings that I have checked",
        ),
        "Look up what sick pay you would get and for how long, and what would still be missing.",
    ),
}

BEST: Final = 3

Choice = Annotated[int, Field(strict=True, ge=0, le=BEST)]


class Answers(Value):
    """One choice per question, 0 the worst option to 3 the best. All twelve, or none counts."""

    choices: dict[QuestionId, Choice]

    @field_validator("choices")
    @classmethod
    def _all_answered(cls, choices: dict[QuestionId, int]) -> dict[QuestionId, int]:
        missing = [question.value for question in QUESTIONS if question not in choices]
        if missing:
            raise ValueError(f"not answered: {', '.join(missing)}")
        return choices


Band = Literal["stretched", "steady", "strong"]

STEADY_FROM: Final = 40
STRONG_FROM: Final = 70
"""Below 40, most answers are of the two worse options; from 70, most are of the two better ones, and some
the best. Ours, for wording only."""

STEPS_MAX: Final = 3
"""More than three things to do at once are not done."""


class NextStep(Value):
    question: QuestionId
    pillar: Pillar
    sentence: str


class FinancialHealth(Value):
    """0 to 100 in all and per pillar, the band, and what to do about the weakest answers."""

    version: str
    score: int
    pillars: dict[Pillar, int]
    band: Band
    next_steps: tuple[NextStep, ...]


def assess_health(answers: Answers) -> FinancialHealth:
    """Score the answers. Each score is points ÷ possible points × 100, a half rounded up; the whole is taken
    from the points, not from the rounded pillars."""
    choices = answers.choices
    score = _of_hundred(choices.values())
    return FinancialHealth(
        version=VERSION,
        score=score,
        pillars={
            pillar: _of_hundred(choices[q] for q, question in QUESTIONS.items() if question.pillar is pillar)
            for pillar in Pillar
        },
        band="strong" if score >= STRONG_FROM else "steady" if score >= STEADY_FROM else "stretched",
        next_steps=tuple(_next_steps(choices)),
    )


def _of_hundred(points: Iterable[int]) -> int:
    got = list(points)
    possible = BEST * len(got)
    return (200 * sum(got) + possible) // (2 * possible)


def _next_steps(choices: Mapping[QuestionId, int]) -> Iterable[NextStep]:
    """For the weakest answers first; among equals in the order of the questions."""
    weakest = sorted(QUESTIONS, key=lambda question: choices[question])
    for question_id in weakest[:STEPS_MAX]:
        if choices[question_id] < BEST:
            question = QUESTIONS[question_id]
            yield NextStep(question=question_id, pillar=question.pillar, sentence=question.next_step)


# --- over time ----------------------------------------------------------------------------------------------


class HealthTaken(Value):
    """One result and its day."""

    on: Day
    health: FinancialHealth


Direction = Literal["up", "level", "down", "first"]

MOVED_FROM: Final = 7
"""Two of twelve answers that move by one option make 6 points at most: a mood, not a trend."""


class Trend(Value):
    """The latest result against the one before it and the first, of the same version."""

    direction: Direction
    since_last: int
    since_first: int
    pillars_since_first: dict[Pillar, int]
    taken: int


def trend(history: Sequence[HealthTaken]) -> Trend | None:
    """How things moved, in whatever order the results come; None without a result of this version."""
    results = sorted((taken for taken in history if taken.health.version == VERSION), key=lambda t: t.on)
    if not results:
        return None
    first, last = results[0].health, results[-1].health
    before = results[-2].health if len(results) > 1 else last
    since_last = last.score - before.score
    direction: Direction = "level"
    if len(results) == 1:
        direction = "first"
    elif abs(since_last) >= MOVED_FROM:
        direction = "up" if since_last > 0 else "down"
    return Trend(
        direction=direction,
        since_last=since_last,
        since_first=last.score - first.score,
        pillars_since_first={pillar: last.pillars[pillar] - first.pillars[pillar] for pillar in Pillar},
        taken=len(results),
    )
