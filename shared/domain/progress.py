"""Progress of a group's open cycle, as the group chose to show it: names of who has paid, or counts alone."""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.contributions import Contribution
from shared.domain.documents import Day, Document, Ref
from shared.domain.groups import Cycle, Group
from shared.domain.money import CURRENCY


class Progress(Document):
    """groups/{group}/progress/current: all that members may read of each other, by the security rules."""

    group: str
    cycle: int | None  # None: no cycle is open
    due_date: Day | None
    payout_date: Day | None
    members: int
    members_paid: int
    in_pot_pence: int
    currency: str = CURRENCY
    paid_by: list[str] | None  # None: the group shows counts

    @property
    def path(self) -> str:
        return progress_ref(self.group).path


def progress_ref(group: str) -> Ref[Progress]:
    return Ref(Progress, f"groups/{group}/progress/current")


def progress_of(group: Group, cycle: Cycle | None, contributions: Sequence[Contribution]) -> Progress:
    """How far a cycle is, by its contributions. Who left takes no part in it any more."""
    taking_part = [one for one in contributions if one.state != "waived"]
    paid = [one for one in taking_part if not one.left_pence and one.state == "covered"]
    names = group.terms.show_payers == "names"
    return Progress(
        group=group.id,
        cycle=cycle.number if cycle else None,
        due_date=cycle.due_date if cycle else None,
        payout_date=cycle.payout_date if cycle else None,
        members=len(taking_part),
        members_paid=len(paid),
        in_pot_pence=sum(one.in_pot_pence for one in contributions),
        paid_by=sorted(one.uid for one in paid) if names else None,
    )
