"""The member score: what a circle sees of a member while it runs, month by month.

One model per length of history (1, 2, 3 and 6 months), trained on a proxy portfolio (credit cards in Taiwan,
2005). Who is not known for a month yet has the applicant score alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from math import fsum
from typing import Final

from shared.domain.record import record
from shared.domain.scoring.artefact import Reading, load
from shared.domain.scoring.score import Scored, Unscored, score

MONTHS: Final = (1, 2, 3, 6)
"""Lengths of history that have a model of their own."""

PAID_MONTHS_MAX: Final = 5
"""The training data show how much was paid for five months only; a sixth is read for lateness alone."""

FADE: Final = 0.7
"""Weight of a late month against the one after it."""

MONTHS_LATE_MAX: Final = 120


@record
class Month:
    """One month of one member: what was due and paid, and how many months the oldest arrears are late."""

    due_pence: int
    paid_pence: int
    months_late: int

    @property
    def paid_ratio(self) -> float | None:
        """The share that was paid, 1 at most; None where nothing was due."""
        return 1 - self.unpaid_ratio if self.due_pence else None

    @property
    def unpaid_ratio(self) -> float:
        """The share that was not paid; 0 where nothing was due."""
        return 1 - min(1.0, self.paid_pence / self.due_pence) if self.due_pence else 0.0


def model_name(months: int) -> str:
    return f"member_{months}m"


def score_member(history: Sequence[Month]) -> Scored | Unscored:
    """Score a member by their months, newest first, with the longest model that they fill.

    Never raises on the history: an empty or impossible one is Unscored.
    """
    known = [months for months in MONTHS if months <= len(history)]
    artefact = load(model_name(known[-1] if known else MONTHS[0]))
    problems = _problems(history) if known else {"history": "holds no whole month yet"}
    return Unscored(artefact.version, problems) if problems else score(artefact, readings(history, known[-1]))


def readings(history: Sequence[Month], months: int) -> dict[str, Reading]:
    """The features of the newest `months` months: of the newest by itself, then of those before it, so that
    each can be mended by itself. Being later, or paying less, never lowers the risk."""
    now, *before = history[:months]
    values: dict[str, Reading] = {
        "late_now": now.months_late,
        "paid_now": now.paid_ratio,
        "late_unpaid_now": now.months_late * now.unpaid_ratio,
    }
    if not before:
        return values
    paid = before[: PAID_MONTHS_MAX - 1]
    earlier: dict[str, Reading] = {
        "late_before_max": max(month.months_late for month in before),
        "late_before_faded": fsum(month.months_late * fade for month, fade in _fading(before)),
        "late_before_ago": next((age for age, month in enumerate(before) if month.months_late), len(before)),
        "late_unpaid_before": fsum(
            month.months_late * month.unpaid_ratio * fade for month, fade in _fading(paid)
        ),
        "paid_before_min": min((1 - month.unpaid_ratio for month in paid if month.due_pence), default=None),
        "paid_before_nothing": sum(month.unpaid_ratio >= 1 for month in paid),
        "paid_before_streak": sum(1 for _ in takewhile(lambda month: month.unpaid_ratio <= 0, paid)),
        "nothing_due_before": sum(not month.due_pence for month in paid),
    }
    return values | earlier


def _fading(before: Sequence[Month]) -> list[tuple[Month, float]]:
    """Each month with its weight, which falls with its age."""
    return [(month, FADE ** (age + 1)) for age, month in enumerate(before)]


def _problems(history: Sequence[Month]) -> Mapping[str, str]:
    return {
        f"history[{age}]": "is not a month that can be"
        for age, month in enumerate(history)
        if not all(
            isinstance(value, int) and not isinstance(value, bool) and value >= 0
            for value in (month.due_pence, month.paid_pence, month.months_late)
        )
        or month.months_late > MONTHS_LATE_MAX
    }


REFERENCE: Final = tuple(Month(due_pence=10_000, paid_pence=10_000, months_late=0) for _ in range(MONTHS[-1]))
"""A member who has paid everything in full and on time; points are lost against this one."""
