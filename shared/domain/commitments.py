"""Commitments: how much one person has promised in all circles together, held under a cap in the commit.

A person is their account until identities are told apart by fingerprint; then one fingerprint is one person,
however many accounts they open.
"""

from __future__ import annotations

from typing import Final

from shared.domain.documents import Document, Ref
from shared.domain.errors import CapReached
from shared.domain.groups import Terms
from shared.domain.money import Pence

GROUPS_MAX: Final = 5
"""More circles than this at a time are not saving but dealing in turns, and one person's trouble must not
stop more of them than that."""

MONTHLY_PENCE_MAX: Final = 500_000
"""£5,000 a month over all circles: our largest circle (£800 a week, £3,467 a month) and a middling one beside
it, and never two of the largest. House policy, the one owner of both numbers: this commit holds them, and an
assessment asks by them beforehand. What one can afford is judged apart."""

WEEKS_A_YEAR: Final = 52


class Commitments(Document):
    """commitments/{person}: what each running circle takes of them a month, in pence."""

    person: str
    monthly_pence: dict[str, Pence] = {}

    @property
    def path(self) -> str:
        return commitments_ref(self.person).path

    def with_promise(self, group: str, terms: Terms) -> Commitments:
        """One promise more; the same one again changes nothing. Raises CapReached."""
        after = self.monthly_pence | {group: monthly_pence(terms)}
        if len(after) > GROUPS_MAX or sum(after.values()) > MONTHLY_PENCE_MAX:
            raise CapReached(
                groups_max=GROUPS_MAX,
                monthly_pence_max=MONTHLY_PENCE_MAX,
                groups=len(after),
                monthly_pence=sum(after.values()),
            )
        return self.with_(monthly_pence=after)

    def without(self, group: str) -> Commitments:
        return self.with_(monthly_pence={gid: one for gid, one in self.monthly_pence.items() if gid != group})


def commitments_ref(person: str) -> Ref[Commitments]:
    return Ref(Commitments, f"commitments/{person}")


def monthly_pence(terms: Terms) -> int:
    """What a circle takes of a member in an average month, rounded up."""
    if terms.frequency == "monthly":
        return terms.amount_pence
    return -(-terms.amount_pence * WEEKS_A_YEAR // 12)
