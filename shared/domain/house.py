"""The house: the platform's own money at the processor, out of which it bears fees and what nobody repays."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from shared.domain.documents import Document, Ref
from shared.domain.errors import HouseTooThin, RemedyImpossible

FLOOR_PENCE: Final = 100_000
"""Under £1,000 of its own no new circle starts: ten members at £100 can take back as much in one afternoon,
and the house stands in for all of it until they repay."""

BACS_WEEK_LIMIT_PENCE: Final = 1_000_000
"""New accounts may debit £10,000 a week by Bacs: docs.stripe.com/payments/payment-methods/bacs-debit."""

BACS_WATCH_PENCE: Final = 800_000
"""From here on a person asks the processor for more, before a debit is refused."""


class House(Document):
    """system/house: what the last reconciliation found of the house's own money, in pence."""

    capital_pence: int
    borne_pence: int
    at: datetime

    @property
    def path(self) -> str:
        return HOUSE_REF.path

    @property
    def left_pence(self) -> int:
        """Capital less Σ house: what is not standing in for anybody."""
        return self.capital_pence - self.borne_pence


HOUSE_REF: Final = Ref(House, "system/house")


def require_capital(house: House | None) -> None:
    """Raises HouseTooThin under the floor. Before the first reconciliation nothing is borne yet."""
    if house is not None and house.left_pence < FLOOR_PENCE:
        raise HouseTooThin()


def stand_in(house: House, pence: int) -> House:
    """The house with so much more borne, for a claim that it pays by a decision. Raises RemedyImpossible
    where that would leave it less than its floor: what it stands in for already comes first."""
    if house.left_pence - pence < FLOOR_PENCE:
        raise RemedyImpossible(why="the house would have less of its own left than its floor")
    return house.with_(borne_pence=house.borne_pence + pence)
