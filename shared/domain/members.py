"""Members: a person's place in one group, and what they owe in it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydantic import Field

from shared.domain.documents import Day, Document, Ref, States, Value
from shared.domain.words import GroupRole, MembershipState

MEMBERSHIP: Final = States(
    "membership",
    {
        "invited": "approved declined expired",
        "requested": "approved rejected expired left",
        "approved": "agreed removed left",
        "agreed": "active removed left",
        "active": "finished left removed defaulted",
        "defaulted": "finished",
        "finished": "",
        "left": "",
        "removed": "",
        "declined": "",
        "rejected": "",
        "expired": "",
    },
)

SEATED: Final = frozenset({"approved", "agreed", "active", "finished", "defaulted"})
"""States in which a person has a seat: they count towards the group's size and see it from inside."""

ASKING: Final = frozenset({"invited", "requested"})


class Debt(Value):
    """What a member owes for one cause: one debtor, at any time one creditor (invariant 11).

    `creditor` is a member's uid, 'reserve' or 'house'. `due_date` orders debts: the oldest is paid first.
    """

    id: str
    creditor: str
    cycle: int
    contribution: str
    due_date: Day
    original_pence: int = Field(gt=0)
    left_pence: int = Field(ge=0)
    parts_paid: int = 0


class Member(Document):
    """groups/{group}/members/{uid}: the membership, and every open debt (a query would admit phantoms)."""

    group: str
    uid: str
    state: MembershipState
    role: GroupRole = "member"
    position: int | None = None
    joined_at: datetime
    hardship_until: Day | None = None
    debts: list[Debt] = []

    @property
    def path(self) -> str:
        return member_ref(self.group, self.uid).path

    def moved(self, to: MembershipState) -> Member:
        """The membership in its next state. Raises UnknownTransition."""
        MEMBERSHIP.check(self.state, to)
        return self.with_(state=to)

    def open_debts(self) -> list[Debt]:
        """What is still owed, oldest first."""
        still_open = [debt for debt in self.debts if debt.left_pence]
        return sorted(still_open, key=lambda debt: (debt.due_date, debt.cycle, debt.id))

    def owes_pence(self) -> int:
        return sum(debt.left_pence for debt in self.debts)


def member_ref(group: str, uid: str) -> Ref[Member]:
    return Ref(Member, f"groups/{group}/members/{uid}")
