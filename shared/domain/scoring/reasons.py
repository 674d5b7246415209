"""Why points were lost, in fixed plain English, and what would win them back: two sentences per factor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.domain.record import record
from shared.domain.scoring.score import Scored


@record
class Reason:
    """`points_lost` of whole points come back, exactly, when what `mend` says has happened."""

    code: str
    points_lost: int
    sentence: str
    mend: str


SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "account": (
        "Your current account is missing, overdrawn, or holds little.",
        "Keep the account in credit and have your pay go into it, for a year or with a cushion.",
    ),
    "repayments": (
        "Earlier borrowing was not all paid on time, or we know of none.",
        "Build a record of payments made on time, here or elsewhere.",
    ),
    "savings": (
        "You have little or nothing saved.",
        "Put some savings aside: about ten days' average pay.",
    ),
    "work": (
        "You have not been in your present work for long.",
        "Longer in the same work counts for you, up to four years.",
    ),
    "guarantor": (
        "Nobody stands in for you.",
        "Name somebody who agrees to stand in for you.",
    ),
    "instalments": (
        "You are already paying other instalments.",
        "Finish paying your other instalments.",
    ),
    "surplus": (
        "Little is left over at the end of your month.",
        "Have more left over each month: about £300.",
    ),
    "circle": (
        "The circle asks a lot of you, or for a long time.",
        "Choose a circle with a smaller amount or fewer members.",
    ),
    "latest": (
        "Your latest contribution is late, or was not paid in full.",
        "Pay what is due.",
    ),
    "earlier": (
        "Earlier contributions were late, or not paid in full.",
        "Pay on time and in full: such months lose their weight as they get older.",
    ),
}
"""Factor → what is said, and what would mend it. A model with a factor that is not here is not shipped."""


def reasons(scored: Scored) -> tuple[Reason, ...]:
    """Every factor that lost points, largest loss first."""
    return tuple(Reason(code, lost, *SENTENCES[code]) for code, lost in scored.points_lost.items())
