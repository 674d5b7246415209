"""Remedies: what a decided dispute does, in rows of the ledger that exist already."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from shared.domain import ledger
from shared.domain.calendar import london_day, next_working_day
from shared.domain.contributions import Contribution
from shared.domain.disputes import Dispute, Remedy
from shared.domain.documents import Document
from shared.domain.errors import RemedyImpossible
from shared.domain.ids import derived_id, payout_id, shard_of
from shared.domain.ledger import HOUSE, RESERVE, Rows
from shared.domain.members import Member
from shared.domain.shortfalls import new_debt, top_up_for, with_debts

CLAIM_DUE_AFTER: Final = timedelta(days=14)
"""Time to appeal, and to find the money."""


@dataclass
class Remedied:
    """What remedies come to: rows for the decision's fact, members as they stand after it, new documents."""

    members: dict[str, Member]
    rows: Rows = field(default_factory=list)
    created: list[Document] = field(default_factory=list)
    house_pence: int = 0  # what the house pays


def people_of(remedies: list[Remedy]) -> list[str]:
    """Whose memberships a set of remedies changes."""
    return list(dict.fromkeys(remedy.debtor for remedy in remedies))


def carry_out(
    dispute: Dispute,
    remedies: list[Remedy],
    members: Mapping[str, Member],
    seated: Container[str],
    processor: str,
    holidays: Container[object],
    now: datetime,
) -> Remedied:
    """Carry out each remedy in turn. `seated` are those who can owe and be owed. Raises RemedyImpossible."""
    done = Remedied(dict(members))
    for number, remedy in enumerate(remedies, start=1):
        if remedy.kind == "claim":
            _claim(done, dispute, number, remedy, seated, holidays, now)
        else:
            _house_pays(done, remedy, processor, now)
    return done


def _claim(
    done: Remedied,
    dispute: Dispute,
    number: int,
    remedy: Remedy,
    seated: Container[str],
    holidays: Container[object],
    now: datetime,
) -> None:
    """The debtor owes the creditor: a debt, and a contribution that stands apart, to collect it by."""
    creditor, pence = remedy.creditor, remedy.pence
    of_the_circle = creditor in seated and remedy.debtor in seated and creditor != remedy.debtor
    if creditor is None or pence is None or not of_the_circle:
        raise RemedyImpossible(why="a claim needs an amount and two people of the circle")
    cycle = dispute.cycle or 1
    due = next_working_day(london_day(now) + CLAIM_DUE_AFTER, holidays)
    own_id = derived_id("con", dispute.id, number)
    done.rows += ledger.shortfall(remedy.debtor, creditor, pence)
    done.created.append(
        Contribution(
            id=own_id,
            shard=shard_of(own_id),
            group=dispute.group,
            cycle=cycle,
            uid=remedy.debtor,
            recipient=creditor,
            amount_pence=pence,
            due_date=due,
            state="short",
            counted_in=payout_id(dispute.group, cycle, 1),
            apart=True,
            act_at=now,
        )
    )
    debt = new_debt(own_id, f"dispute:{dispute.id}", creditor, cycle, due, pence)
    done.members[remedy.debtor] = with_debts(done.members[remedy.debtor], [debt])


def _house_pays(done: Remedied, remedy: Remedy, processor: str, now: datetime) -> None:
    """The house pays what is open of a member's claim, and is owed it instead."""
    member = done.members[remedy.debtor]
    debt = next((one for one in member.open_debts() if one.id == remedy.debt), None)
    if debt is None or debt.creditor in {HOUSE, RESERVE}:
        raise RemedyImpossible(why="there is no such open debt to a member")
    paid = debt.with_(parts_paid=debt.parts_paid + 1)
    top_up = top_up_for(member.group, paid, debt.left_pence, now)
    done.house_pence += debt.left_pence
    done.rows += ledger.house_takes_over(processor, debt.creditor, top_up.id, debt.left_pence)
    done.created.append(top_up)
    done.members[remedy.debtor] = with_debts(member, [paid.with_(creditor=HOUSE)])
