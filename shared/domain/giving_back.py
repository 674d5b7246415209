"""What a circle gives back: the credit of who has left or is done, and what is left of the reserve.

The rule for the reserve: equal parts for all whose pots it was withheld from, to the penny (`money.split`,
the pence left over to the earliest turns). A part pays first what its owner owes in the circle, oldest first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shared.domain import ledger
from shared.domain.calendar import london_day
from shared.domain.decision import Decision
from shared.domain.documents import Document
from shared.domain.groups import Group
from shared.domain.ids import derived_id, shard_of
from shared.domain.journal import News
from shared.domain.ledger import RESERVE, Balances, Rows
from shared.domain.members import Member
from shared.domain.money import split
from shared.domain.payouts import Payout
from shared.domain.shortfalls import Held, pay_debts

What = Literal["credit", "reserve"]
Share = tuple[str, What, int]
"""A member, where the money stands, and how much of it is theirs, in pence."""


def give_back(
    group: Group,
    members: Mapping[str, Member],
    shares: Sequence[Share],
    processor: str,
    cleared_at: datetime,
    now: datetime,
) -> Decision:
    """Each share pays what its owner owes; the rest is on its way to them, once all of it has cleared.

    Nothing to give decides nothing. The group is changed by the caller, who guards the balances.
    """
    work = _Work(dict(members), group, processor, max(now, cleared_at))
    for uid, what, pence in shares:
        work.give(uid, what, pence)
    if not work.told:
        return Decision()
    fact = News(
        id=f"given_back:{group.id}:{group.revision}",
        group=group.id,
        type="given_back",
        payload={"shares": work.told},
        entries=ledger.post(work.rows),
    )
    changed: list[Document] = [one for uid, one in work.members.items() if one != members[uid]]
    return Decision(facts=[fact], changed=changed, created=work.created, answer={"shares": work.told})


@dataclass
class _Work:
    members: dict[str, Member]
    group: Group
    processor: str
    act_at: datetime
    rows: Rows = field(default_factory=list)
    created: list[Document] = field(default_factory=list)
    told: list[dict[str, str | int]] = field(default_factory=list)

    def give(self, uid: str, what: What, pence: int) -> None:
        if not pence:
            return
        account = RESERVE if what == "reserve" else ledger.credit(uid)
        paid = pay_debts(self.members[uid], pence, Held(self.processor, account), act_at=self.act_at)
        self.members[uid] = paid.member
        self.rows += paid.rows
        self.created += paid.top_ups
        self.told.append({"member": uid, "what": what, "pence": pence, "returned_pence": paid.left_pence})
        if paid.left_pence:
            payout = self._return(uid, what, paid.left_pence)
            self.created.append(payout)
            self.rows += (
                ledger.reserve_returned(payout.id, paid.left_pence)
                if what == "reserve"
                else ledger.credit_returned(uid, payout.id, paid.left_pence)
            )

    def _return(self, uid: str, what: What, pence: int) -> Payout:
        own_id = derived_id("pay", self.group.id, "return", uid, what, self.group.revision)
        return Payout(
            id=own_id,
            shard=shard_of(own_id),
            group=self.group.id,
            kind="return",
            cycle=len(self.group.schedule),
            recipient=uid,
            state="reserved",
            amount_pence=pence,
            pay_date=london_day(self.act_at),
            act_at=self.act_at,
            cause=what,
        )


def credit_shares(people: Sequence[str], balances: Balances) -> list[Share]:
    """What stands as credit for each of these people."""
    return [(uid, "credit", balances.of(ledger.credit(uid))) for uid in people]


def reserve_shares(group: Group, balances: Balances) -> list[Share]:
    """The reserve in equal parts, for all whose pots it was withheld from, once no pot is to come."""
    here = group.schedule[group.terms.cycles_done :]
    people = [one.recipient for one in here if one.recipient and not one.fell_away]
    pence = balances.of(RESERVE)
    if not pence or not people:
        return []
    return [(uid, "reserve", part) for uid, part in zip(people, split(pence, [1] * len(people)), strict=True)]
