"""The CFPB Financial Well-Being Scale: how a person feels about their money, on a published scale.

Ten statements and the table of the U.S. Consumer Financial Protection Bureau ("Measuring financial
well-being: a guide to using the CFPB Financial Well-Being Scale", December 2015; self-administered).
A work of the United States government, free to use with its wording unchanged, so none of it may be edited
or translated here. Its norms are American. No credit decision reads it. The age group serves to read the
table, is asked for that alone, and is not kept.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from shared.domain.documents import Value

HOW_WELL: Final = "How well does this statement describe you or your situation?"
HOW_OFTEN: Final = "How often does this statement apply to you?"

DESCRIBES: Final = ("Completely", "Very well", "Somewhat", "Very little", "Not at all")
APPLIES: Final = ("Always", "Often", "Sometimes", "Rarely", "Never")

DESCRIBING: Final = (
    "I could handle a major unexpected expense",
    "I am securing my financial future",
    "Because of my money situation, I feel like I will never have the things I want in life",
    "I can enjoy life because of the way I'm managing my money",
    "I am just getting by financially",
    "I am concerned that the money I have or will save won't last",
)
APPLYING: Final = (
    "Giving a gift for a wedding, birthday or other occasion would put a strain on my finances for the month",
    "I have money left over at the end of the month",
    "I am behind with my finances",
    "My finances control my life",
)
STATEMENTS: Final = DESCRIBING + APPLYING

_WORTH_MORE_WHEN_TRUE: Final = frozenset({0, 1, 3, 7})
"""Statements 1, 2, 4 and 8 count 4 to 0 down their options; the others 0 to 4."""

AgeGroup = Literal["18-61", "62+"]

# fmt: off
_SCORES: Final[dict[AgeGroup, tuple[int, ...]]] = {
    "18-61": (
        14, 19, 22, 25, 27, 29, 31, 32, 34, 35, 37, 38, 40, 41, 42, 44, 45, 46, 47, 49, 50,
        51, 52, 54, 55, 56, 58, 59, 60, 62, 63, 65, 66, 68, 69, 71, 73, 75, 78, 81, 86,
    ),
    "62+": (
        14, 20, 24, 26, 29, 31, 33, 35, 36, 38, 39, 41, 42, 44, 45, 46, 48, 49, 50, 52, 53,
        54, 56, 57, 58, 60, 61, 63, 64, 66, 67, 69, 71, 73, 75, 77, 79, 82, 84, 88, 95,
    ),
}
# fmt: on


class Responses(Value):
    """The option chosen for each statement in turn, 0 the first option to 4 the last; and the age group."""

    options: Annotated[
        tuple[Annotated[int, Field(strict=True, ge=0, le=4)], ...],
        Field(min_length=len(STATEMENTS), max_length=len(STATEMENTS)),
    ]
    age_group: AgeGroup


def well_being_score(responses: Responses) -> int:
    """The scale's score: 14 to 86, or to 95 from 62 years on. The table wants all ten answers."""
    total = sum(
        4 - option if statement in _WORTH_MORE_WHEN_TRUE else option
        for statement, option in enumerate(responses.options)
    )
    return _SCORES[responses.age_group][total]
