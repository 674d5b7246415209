"""What is a person's own, in all circles: whoever asks for it asks the same, by the same index."""

from __future__ import annotations

from shared.ports import Query


def contributions_of(uid: str) -> Query:
    """A person's contributions, by due date."""
    return Query("contributions", [("uid", "==", uid)], ["due_date"], group=True)


def payouts_to(uid: str) -> Query:
    """What is or was to be paid to a person, by its day."""
    return Query("payouts", [("recipient", "==", uid)], ["pay_date"], group=True)
