"""Identity: whether we know who a person is, in four states, and what each of them allows.

The payment company asks and answers: it looks at a person where they open their payout account (Connect
onboarding), and once more, at a document, where we ask for it (an Identity session).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal

from shared.domain.documents import Value
from shared.domain.errors import IdentityInTheWay
from shared.domain.words import Ability, IdentityState

ALLOWS: Final[Mapping[IdentityState, frozenset[Ability]]] = MappingProxyType(
    {
        "none": frozenset({Ability.PAY_IN, Ability.ASK_TO_JOIN}),
        "pending": frozenset({Ability.PAY_IN, Ability.ASK_TO_JOIN}),
        "verified": frozenset(Ability),
        "restricted": frozenset({Ability.PAY_IN}),
    }
)
"""What is owed is taken from anybody; a promise and a pot need somebody we know."""

CheckState = Literal["open", "processing", "verified", "failed", "cancelled"]


class IdentityCheck(Value):
    """One look at a person's document, by reference: no picture, name or number of it comes to us."""

    reference: str
    state: CheckState
    at: datetime


def identity_state(
    *, has_account: bool, can_receive: bool, disabled: bool, check: IdentityCheck | None
) -> IdentityState:
    """What we know of a person, from their payout account and, where one was asked for, the check.

    A check that was begun must end well: until then a ready account alone is not enough.
    """
    if disabled or (check is not None and check.state in {"failed", "cancelled"}):
        return "restricted"
    if check is not None and check.state != "verified":
        return "pending"
    if can_receive:
        return "verified"
    return "pending" if has_account or check is not None else "none"


def require_ability(state: IdentityState, ability: Ability) -> None:
    """Raises IdentityInTheWay."""
    if ability not in ALLOWS[state]:
        raise IdentityInTheWay(state=state, ability=ability.value.replace("_", " "))
