"""The member score: what a circle sees of a member while it runs, month by month.

One model per length of history (1, 2, 3 and 6 months), trained on a proxy portfolio (credit cards in Taiwan,
2005). Who is not known for a month yet has the applicant score alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from math import fsum, sqrt
from typing import Final

from shared.domain.scoring.artefact import Reading, load
from shared.domain.scoring.score import Scored, Unscored, score

MONTHS: Final = (1, 2, 3, 6)
"""Lengths of history that have a model of their own."""

PAID_MONTHS_MAX: Final = 5
"""The training data show how much was paid for five months only; a sixth is read for lateness alone."""

FADE: Final = 0.7
"""Weight of a late month against the one after it."""

MONTHS_LATE_MAX: Final = 120


@dataclass(frozen=True, slots=True)
class Month:
    """One month of one member: what was due and paid, and how many months the oldest arrears are late."""

    due_pence: int
    paid_pence: int
    months_late: int

    @property
    def paid_ratio(self) -> float | None:
        """The share that was paid, 1 at most; None where nothing was due."""
        return min(1.0, self.paid_pence / self.due_pence) if self.due_pence else None


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
    """The features of the newest `months` months: the newest by itself, then what came before it."""
    seen = history[:months]
    late = [month.months_late for month in seen]
    paid = [month.paid_ratio for month in seen[:PAID_MONTHS_MAX]]
    values: dict[str, Reading] = {"late_now": late[0], "paid_now": paid[0]}
    return values if months == 1 else {**values, **_late_before(late[1:]), **_paid_before(paid)}


def _late_before(late: Sequence[int]) -> dict[str, Reading]:
    return {
        "late_before_max": max(late),
        "late_before_faded": fsum(months * FADE ** (age + 1) for age, months in enumerate(late)),
        "late_before_ago": next((age for age, months in enumerate(late) if months), len(late)),
    }


def _paid_before(paid: Sequence[float | None]) -> dict[str, Reading]:
    """Of the paid shares: `swing` is their standard deviation, `streak` counts months in full up to now."""
    before = [ratio for ratio in paid[1:] if ratio is not None]
    known = [ratio for ratio in paid if ratio is not None]
    mean = fsum(known) / len(known) if known else 0.0
    return {
        "paid_before_mean": fsum(before) / len(before) if before else None,
        "paid_before_min": min(before) if before else None,
        "paid_nothing": sum(ratio <= 0 for ratio in before),
        "paid_in_part": sum(0 < ratio < 1 for ratio in before),
        "paid_streak": sum(1 for _ in takewhile(lambda ratio: ratio is None or ratio >= 1, paid)),
        "paid_swing": sqrt(fsum((ratio - mean) ** 2 for ratio in known) / len(known)) if known else None,
        "nothing_due": len(paid) - len(known),
    }


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
