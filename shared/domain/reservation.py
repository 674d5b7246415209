"""Reserving a pot for its recipient, and taking a reservation back before the money leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from shared.domain import ledger
from shared.domain.calendar import opening_of
from shared.domain.contributions import Contribution
from shared.domain.decision import Decision
from shared.domain.documents import Document
from shared.domain.groups import Terms
from shared.domain.journal import Fact, News
from shared.domain.ledger import RESERVE, Balances, Rows
from shared.domain.members import Debt, Member
from shared.domain.payouts import PARKED_RECHECK, Counted, ParkedBecause, Payout, scheduled_turn
from shared.domain.record import record
from shared.domain.shortfalls import OwnPot, new_debt, pay_debts, with_debts, without_debts
from shared.domain.users import User


@record
class Readiness:
    """Whether a pot can be reserved now, and if not, why and when to look again."""

    verdict: Literal["ready", "wait", "park"]
    because: ParkedBecause | None = None
    look_at: datetime | None = None


def readiness(
    payout: Payout,
    terms: Terms,
    contributions: Sequence[Contribution],
    recipient: User | None,
    now: datetime,
    two_people_above_pence: int | None = None,
    held_until: datetime | None = None,
) -> Readiness:
    """Judge a turn's payout: cleared money only, an eligible recipient, and the group's default policy.

    A pot above `two_people_above_pence` waits until two people have let it go (None: no pot does); one whose
    recipient the fraud checks hold, until staff have looked (`held_until`: the next look).

    Money that has settled but not cleared is waited for, under every policy: it clears within days, and
    paying around it would strand it. Under `wait`, missing contributions are waited for until `wait_days`
    after the payout date; under the others they become shortfalls at once.
    """
    opens_at = opening_of(payout.pay_date)
    if now < opens_at:
        return Readiness("wait", look_at=opens_at)
    uncleared = [at for one in contributions if (at := one.clears_at()) is not None and at > now]
    if uncleared:
        return Readiness("wait", look_at=max(uncleared))
    if any(attempt.refunding for one in contributions for attempt in one.attempts):
        return Readiness("wait", look_at=now + timedelta(hours=1))  # it is about to leave the pot
    missing = [one for one in contributions if one.left_pence]
    last_wait = opens_at + timedelta(days=terms.wait_days)
    if missing and terms.default_policy == "wait" and now < last_wait:
        return Readiness("wait", look_at=min(now + timedelta(days=1), last_wait))
    if not any(one.in_pot_pence for one in contributions):
        return Readiness("park", "nothing_collected", now + PARKED_RECHECK)
    if recipient is None or recipient.payout_account is None or not recipient.can_receive:
        return Readiness("park", "recipient_not_ready", now + PARKED_RECHECK)
    if cools_until := recipient.payout_account.cools_until(now):
        return Readiness("park", "bank_changed", cools_until)
    if held_until is not None:
        return Readiness("park", "details_to_check", held_until)
    pot_pence = sum(one.in_pot_pence for one in contributions)
    if two_people_above_pence is not None and pot_pence > two_people_above_pence and not payout.approval:
        return Readiness("park", "needs_approval", now + PARKED_RECHECK)
    return Readiness("ready")


def reserve(
    payout: Payout,
    terms: Terms,
    processor: str,
    contributions: Sequence[Contribution],
    recipient: Member,
    debtor: Callable[[str], Member],
    balances: Callable[[], Balances],
    now: datetime,
) -> Decision:
    """Reserve the pot: one fact that stamps the payout and all N contributions of the cycle.

    Who has not paid owes the recipient what is missing, except the recipient, who would owe themselves:
    what they did not put in is waived. What the recipient owes is netted first (arrears at one's own turn).
    """
    pot_pence = sum(one.in_pot_pence for one in contributions)
    fee_pence = min(terms.platform_fee_pence, pot_pence)
    withheld_pence = min(terms.reserve_pence, pot_pence - fee_pence)
    for_recipient_pence = pot_pence - fee_pence - withheld_pence
    netted = pay_debts(recipient, for_recipient_pence, OwnPot(processor, payout.cycle), act_at=now)
    short = _shortfalls(payout, terms, contributions, debtor, balances)
    amount_pence = netted.left_pence
    rows = [
        *ledger.payout_reserved(payout.cycle, payout.id, amount_pence),
        *ledger.platform_fee(processor, payout.cycle, fee_pence),
        *ledger.reserve_withheld(payout.cycle, withheld_pence),
        *netted.rows,
        *short.rows,
    ]
    reserved = payout.moved("reserved").with_(
        amount_pence=amount_pence + short.filled_pence,
        fee_pence=fee_pence,
        withheld_pence=withheld_pence,
        counted=[
            Counted(contribution=one.id, uid=one.uid, pence=one.in_pot_pence)
            for one in contributions
            if one.in_pot_pence
        ],
        reservation=f"payout_reserved:{payout.id}",
        parked_because=None,
        act_at=now,
    )
    fact = News(
        id=f"payout_reserved:{payout.id}",
        group=payout.group,
        type="payout_reserved",
        payload={
            "payout": payout.id,
            "cycle": payout.cycle,
            "recipient": payout.recipient,
            "pence": reserved.amount_pence,
            "fee_pence": fee_pence,
            "withheld_pence": withheld_pence,
            "debts": [debt.id for debts in short.debts.values() for debt in debts],
            "top_ups": [top_up.id for top_up in netted.top_ups],
            "netted": netted.paid,
        },
        entries=ledger.post(rows),
    )
    changed: list[Document] = [reserved]
    changed += [_stamped(one, payout) for one in contributions]
    if netted.paid:
        changed.append(netted.member)
    changed += [with_debts(debtor(uid), debts) for uid, debts in short.debts.items()]
    return Decision(
        answer={"payout": payout.id, "state": "reserved", "pence": reserved.amount_pence},
        facts=[fact],
        changed=changed,
        created=netted.top_ups,
    )


@record
class _Shortfalls:
    rows: Rows
    debts: dict[str, list[Debt]]
    filled_pence: int


def _shortfalls(
    payout: Payout,
    terms: Terms,
    contributions: Sequence[Contribution],
    debtor: Callable[[str], Member],
    balances: Callable[[], Balances],
) -> _Shortfalls:
    """Each missing part as a debt: to the reserve as far as it fills, else to the recipient."""
    missing = [one for one in contributions if one.left_pence and one.uid != payout.recipient]
    reserve_pence = balances().of(RESERVE) if missing and terms.default_policy == "reserve" else 0
    rows: Rows = []
    debts: dict[str, list[Debt]] = {}
    filled_pence = 0
    for one in missing:
        debtor(one.uid)  # asked now, so that all debtors are loaded together
        fill = min(reserve_pence - filled_pence, one.left_pence)
        filled_pence += fill
        rows += ledger.shortfall_filled(one.uid, payout.id, fill)
        rows += ledger.shortfall(one.uid, payout.recipient, one.left_pence - fill)
        debts[one.uid] = [
            new_debt(one.id, f"{payout.id}:{creditor}", creditor, one.cycle, one.due_date, pence)
            for creditor, pence in ((RESERVE, fill), (payout.recipient, one.left_pence - fill))
            if pence
        ]
    return _Shortfalls(rows, debts, filled_pence)


def _stamped(contribution: Contribution, payout: Payout) -> Contribution:
    if contribution.apart:
        return contribution if contribution.counted_in else contribution.with_(counted_in=payout.id)
    stamped = contribution.with_(counted_in=payout.id)
    if contribution.left_pence == 0:
        return stamped
    if contribution.uid == payout.recipient:
        return stamped.moved("waived").with_(act_at=None)
    return stamped.moved("short")


def can_void(payout: Payout, debtors: Sequence[Member], top_ups: Sequence[Payout], reservation: Fact) -> bool:
    """Whether a reservation can still be taken back exactly: nothing sent, no debt of it paid or let go."""
    created = set(reservation.payload["debts"])
    paid = any(
        debt.parts_paid or debt.left_pence < debt.original_pence
        for member in debtors
        for debt in member.debts
        if debt.id in created
    )
    sent = any(top_up.state != "reserved" for top_up in top_ups)
    return payout.state == "reserved" and not paid and not sent


def void(
    payout: Payout,
    reservation: Fact,
    contributions: Sequence[Contribution],
    recipient: Member,
    debtors: Sequence[Member],
    top_ups: Sequence[Payout],
    reason: str,
    now: datetime,
) -> Decision:
    """Take a reservation back before the money leaves: the exact reverse, stamps and debts too.

    The cycle is not skipped: its next payout is scheduled in the same commit. A debt keeps the count of
    its parts: the void top-up's id is never another's.
    """
    netted: dict[str, int] = reservation.payload["netted"]
    restored = [debt.with_(left_pence=debt.left_pence + netted.get(debt.id, 0)) for debt in recipient.debts]
    again = scheduled_turn(
        payout.group, payout.cycle, payout.recipient, payout.pay_date, now, payout.number + 1
    )
    fact = News(
        id=f"reservation_void:{payout.id}",
        group=payout.group,
        type="reservation_void",
        payload={"payout": payout.id, "reverses": reservation.id, "reason": reason, "next": again.id},
        entries=ledger.reverse(reservation.entries),
    )
    members: list[Document] = [without_debts(member, reservation.payload["debts"]) for member in debtors]
    if netted:
        members.append(recipient.with_(debts=restored))
    return Decision(
        answer={"payout": payout.id, "state": "void", "next": again.id},
        facts=[fact],
        changed=[
            payout.moved("void").with_(act_at=None),
            *(top_up.moved("void").with_(act_at=None) for top_up in top_ups),
            *(_unstamped(one, now) for one in contributions),
            *members,
        ],
        created=[again],
    )


def _unstamped(contribution: Contribution, now: datetime) -> Contribution:
    if contribution.apart:  # a debt that stands in its place is none of the reservation's
        return contribution if contribution.state == "short" else contribution.with_(counted_in=None)
    free = contribution.with_(counted_in=None)
    return free if free.state == "covered" else free.moved("due").with_(act_at=free.act_at or now)
