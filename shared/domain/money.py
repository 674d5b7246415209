"""Money: whole pence of one currency, and splits that come out exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import Field

from shared.domain.errors import WrongSplit

CURRENCY: Final = "gbp"

AMOUNTS_PENCE: Final = (5_000, 10_000, 50_000, 80_000)
"""What a member can promise to put in each time: £50, £100, £500 or £800 (the client's frame)."""

Pence = Annotated[int, Field(ge=0, strict=True)]
"""A whole, non-negative number of pence. Floats and text are refused."""


def split(total_pence: int, shares: Sequence[int]) -> list[int]:
    """Divide `total_pence` in proportion to `shares`, to the penny.

    Residual rule: each share is rounded down; the pence left over go one each to the largest remainders,
    and among equals to the earliest. The parts always sum to the total.
    """
    weight = sum(shares)
    if total_pence < 0 or weight <= 0 or min(shares) < 0:
        raise WrongSplit(total_pence=total_pence, sum_pence=weight)
    parts = [total_pence * share // weight for share in shares]
    remainders = [total_pence * share % weight for share in shares]
    largest_first = sorted(range(len(shares)), key=lambda index: (-remainders[index], index))
    for index in largest_first[: total_pence - sum(parts)]:
        parts[index] += 1
    return parts


def pounds(pence: int) -> str:
    """Pence as a person reads them: 123456 is '£1,234.56'."""
    sign = "-" if pence < 0 else ""
    return f"{sign}£{abs(pence) // 100:,}.{abs(pence) % 100:02d}"
