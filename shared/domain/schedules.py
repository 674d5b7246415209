"""A circle's calendar as it is lived: what each pot comes to, and what one member pays on which day."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.contributions import Contribution, Instalment
from shared.domain.groups import Group
from shared.domain.members import Member

GONE = frozenset({"left", "removed", "defaulted"})


def pots_changed(group: Group) -> bool:
    """Whether pots may differ from what was agreed: somebody left, was replaced, or brought a past along."""
    return (
        bool(group.past)
        or group.state == "wound_up"
        or any(one.state in GONE for one in group.contributors())
    )


def full_pots(group: Group, contributions: Iterable[Contribution]) -> dict[int, int]:
    """What each cycle's pot comes to once everybody has paid who still pays into it, in pence.

    Of who left before their turn a pot holds what they had put in; of who owes in another way, by a claim,
    the same: the claim reaches its creditor beside the pot. A cycle that takes place no more has none.
    """
    pots = {cycle.number: 0 for cycle in group.schedule}
    for one in contributions:
        in_the_pot = one.in_pot_pence if one.apart or one.state == "waived" else one.amount_pence
        pots[one.cycle] += in_the_pot
    return pots


def payments(contribution: Contribution, member: Member) -> list[Instalment]:
    """What one member pays for one cycle, by its days; nothing where the promise fell away.

    A plan's parts stand in the place of the date that was agreed. A claim is what is left of it, or, paid,
    what it was about.
    """
    if contribution.state == "waived":
        return []
    if contribution.instalments:
        return contribution.instalments
    whole_pence = contribution.amount_pence + contribution.added_fee_pence
    if contribution.apart:
        left = sum(debt.left_pence for debt in member.open_debts() if debt.contribution == contribution.id)
        whole_pence = left or contribution.amount_pence
    return [Instalment(pence=whole_pence, due_date=contribution.due_date)]
