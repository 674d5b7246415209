"""Shortfalls: debts between members, the reserve and the house, and how late money pays them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from datetime import date, datetime
from typing import Protocol

from shared.domain import ledger
from shared.domain.ids import debt_id, shard_of, top_up_id
from shared.domain.ledger import HOUSE, RESERVE, Rows
from shared.domain.members import Debt, Member
from shared.domain.payouts import Payout
from shared.domain.record import record


@record
class Allocation:
    """Where money went: the debtor's debts after it, what each got, its rows, the top-ups it pays for."""

    member: Member
    paid: dict[str, int] = field(default_factory=dict)
    rows: Rows = field(default_factory=list)
    top_ups: list[Payout] = field(default_factory=list)
    left_pence: int = 0


def new_debt(contribution: str, cause: str, creditor: str, cycle: int, due: date, pence: int) -> Debt:
    """A debt for a cause that happens once: its id follows from it."""
    return Debt(
        id=debt_id(contribution, cause),
        creditor=creditor,
        cycle=cycle,
        contribution=contribution,
        due_date=due,
        original_pence=pence,
        left_pence=pence,
    )


def with_debts(member: Member, debts: Iterable[Debt]) -> Member:
    """The member with these debts added to, or put in the place of, those of the same id."""
    by_id = {debt.id: debt for debt in member.debts}
    by_id.update({debt.id: debt for debt in debts})
    return member.with_(debts=list(by_id.values()))


def without_debts(member: Member, ids: Iterable[str]) -> Member:
    gone = set(ids)
    return member.with_(debts=[debt for debt in member.debts if debt.id not in gone])


class Source(Protocol):
    """Where money that pays debts comes from: each has its own row for each kind of creditor."""

    def to_house(self, debtor: str, pence: int) -> Rows: ...
    def to_reserve(self, debtor: str, pence: int) -> Rows: ...
    def to_member(self, debtor: str, creditor: str, payout: str, pence: int) -> Rows: ...


@record
class LateMoney:
    """Money that came in after the cycle was reserved."""

    processor: str

    def to_house(self, debtor: str, pence: int) -> Rows:
        return ledger.late_money_to_house(debtor, pence)

    def to_reserve(self, debtor: str, pence: int) -> Rows:
        return ledger.late_money_to_reserve(self.processor, debtor, pence)

    def to_member(self, debtor: str, creditor: str, payout: str, pence: int) -> Rows:
        return ledger.late_money_to_member(self.processor, debtor, creditor, payout, pence)


@record
class OwnPot:
    """The debtor's own pot, at their turn: arrears are netted."""

    processor: str
    cycle: int

    def to_house(self, debtor: str, pence: int) -> Rows:
        return ledger.arrears_netted_to_house(self.processor, self.cycle, debtor, pence)

    def to_reserve(self, debtor: str, pence: int) -> Rows:
        return ledger.arrears_netted_to_reserve(self.cycle, debtor, pence)

    def to_member(self, debtor: str, creditor: str, payout: str, pence: int) -> Rows:
        return ledger.arrears_netted_to_member(self.cycle, debtor, creditor, payout, pence)


@record
class Held:
    """Money that stands for the debtor in this circle already: their credit, or share of the reserve."""

    processor: str
    account: str

    def to_house(self, debtor: str, pence: int) -> Rows:
        return ledger.held_to_house(self.account, self.processor, debtor, pence)

    def to_reserve(self, debtor: str, pence: int) -> Rows:
        return ledger.held_to_reserve(self.account, debtor, pence)

    def to_member(self, debtor: str, creditor: str, payout: str, pence: int) -> Rows:
        return ledger.held_to_member(self.account, debtor, creditor, payout, pence)


def pay_debts(member: Member, pence: int, source: Source, act_at: datetime) -> Allocation:
    """Spend money on what a member owes, the oldest debt first.

    A member's claim becomes a top-up on its way to them, to be sent from `act_at` (when the money has
    cleared); the reserve's and the house's claims end at once. What no debt takes is left over.
    """
    rows: Rows = []
    top_ups = []
    paid: dict[str, int] = {}
    after_payment = []
    for debt in member.open_debts():
        part = min(pence, debt.left_pence)
        if not part:
            break
        pence -= part
        after = debt.with_(left_pence=debt.left_pence - part, parts_paid=debt.parts_paid + 1)
        after_payment.append(after)
        paid[debt.id] = part
        if debt.creditor == HOUSE:
            rows += source.to_house(member.uid, part)
        elif debt.creditor == RESERVE:
            rows += source.to_reserve(member.uid, part)
        else:
            top_up = top_up_for(member.group, after, part, act_at)
            top_ups.append(top_up)
            rows += source.to_member(member.uid, debt.creditor, top_up.id, part)
    return Allocation(with_debts(member, after_payment), paid, rows, top_ups, pence)


def top_up_for(group: str, debt: Debt, pence: int, act_at: datetime) -> Payout:
    """The payout that brings a part of a debt to its creditor: born reserved, its money is payable."""
    own_id = top_up_id(debt.id, debt.parts_paid)
    return Payout(
        id=own_id,
        shard=shard_of(own_id),
        group=group,
        kind="top_up",
        cycle=debt.cycle,
        number=debt.parts_paid,
        recipient=debt.creditor,
        state="reserved",
        amount_pence=pence,
        pay_date=debt.due_date,
        act_at=act_at,
        cause=debt.id,
    )
