"""Money in and money back: which row of the ledger it takes is read off the contribution's stamp.

The race that matters (DESIGN.md § 5): a reservation stamps all contributions of its cycle, and settling,
refunds and disputes change that contribution. Whoever comes second sees the stamp and takes the other row.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from shared.domain import ledger
from shared.domain.contributions import (
    BROUGHT_MONEY,
    METHOD_RECHECK,
    Attempt,
    Contribution,
    FailureKind,
    retry_at,
)
from shared.domain.decision import Decision
from shared.domain.documents import Document, Value
from shared.domain.errors import Mismatch, UnknownObject
from shared.domain.journal import News
from shared.domain.ledger import HOUSE, Balances, Rows
from shared.domain.members import Member
from shared.domain.payouts import PARKED_RECHECK
from shared.domain.shortfalls import Allocation, LateMoney, new_debt, pay_debts, with_debts

FindContribution = Callable[[str], Contribution]
FindMember = Callable[[], Member]


class Money(Value):
    """One line of the processor's balance about one of our attempts: signed pence, fee, when it clears."""

    processor: str
    collection: str
    movement: str
    pence: int
    fee_pence: int
    clears_at: datetime
    source: str  # what caused the line, at the processor


def settle(
    contribution: Contribution,
    attempt_id: str,
    money: Money,
    member: FindMember,
    others: FindContribution,
    now: datetime,
) -> Decision:
    """Record that an attempt brought money. The same money again decides nothing.

    `member` and `others` are asked only where the cycle was reserved before the money came.
    Raises UnknownObject, Mismatch (another amount, or a second movement for one attempt), UnknownTransition.
    """
    attempt = _attempt(contribution, attempt_id)
    if attempt.state in BROUGHT_MONEY:
        if attempt.movement != money.movement:
            raise Mismatch(what="movement", theirs=money.movement, ours=attempt.movement)
        return Decision(answer={"state": contribution.state})
    if money.pence != attempt.amount_pence:
        raise Mismatch(what="amount", theirs=money.pence, ours=attempt.amount_pence)
    settled = attempt.moved("settled").with_(
        reference=money.collection,
        movement=money.movement,
        settled_pence=money.pence,
        clears_at=money.clears_at,
        action_url=None,
    )
    return _money_in("contribution_settled", contribution, settled, money, member, others, now)


def win_back(
    contribution: Contribution,
    attempt_id: str,
    money: Money,
    member: FindMember,
    others: FindContribution,
    now: datetime,
    *,
    won: bool = True,
) -> Decision:
    """Record that money of a dispute came back: like money in, at the time it comes.

    `won`: the dispute is. A part may come back of one that goes on, or is lost: the payment was refunded in
    part before. Raises as `settle`.
    """
    attempt = _attempt(contribution, attempt_id)
    if won and attempt.state != "won":
        attempt = attempt.moved("won")
    attempt = attempt.with_(
        clears_at=money.clears_at,
        won_back=[*attempt.won_back, money.movement],
        taken_back_pence=max(0, attempt.taken_back_pence - money.pence),
    )
    return _money_in("dispute_won", contribution, attempt, money, member, others, now)


def _money_in(
    type_: str,
    contribution: Contribution,
    attempt: Attempt,
    money: Money,
    member: FindMember,
    others: FindContribution,
    now: datetime,
) -> Decision:
    attempt, fee_pence = with_fee(contribution, attempt, money.pence)
    if contribution.counted_in is None:
        return _into_the_pot(type_, contribution, attempt, money, fee_pence)
    return to_what_is_owed(type_, contribution, attempt, money, fee_pence, member(), others, now)


def with_fee(contribution: Contribution, attempt: Attempt, pence: int) -> tuple[Attempt, int]:
    """The attempt with the fee on top that this money brings, and how much that is.

    A contribution pays it once: where another attempt has brought it by now, it is its payer's credit. Only
    what the attempt has brought and not lost pays it: money that was taken twice and comes back once is none.
    """
    held_pence = attempt.fee_held_pence
    own_pence = max(0, attempt.settled_pence - attempt.taken_back_pence - held_pence)
    fee_pence = min(attempt.added_fee_pence - held_pence, contribution.fee_left_pence, pence, own_pence)
    return attempt.with_(fee_held_pence=held_pence + fee_pence), fee_pence


def _into_the_pot(
    type_: str, contribution: Contribution, attempt: Attempt, money: Money, fee_pence: int
) -> Decision:
    to_pot = min(money.pence - fee_pence, contribution.left_pence)
    after = contribution.with_attempt(attempt.with_(in_pot_pence=attempt.in_pot_pence + to_pot)).with_(
        in_pot_pence=contribution.in_pot_pence + to_pot
    )
    if after.left_pence == 0 and after.state == "due":
        after = after.moved("covered").with_(act_at=None)
    rows = ledger.money_in(money.processor, contribution.cycle, to_pot)
    rows += ledger.money_without_debt(money.processor, contribution.uid, money.pence - fee_pence - to_pot)
    rows += ledger.fee_on_top(fee_pence)
    return Decision(
        answer={"state": after.state},
        facts=[_fact(type_, contribution, attempt, money, rows)],
        changed=[after],
    )


def to_what_is_owed(
    type_: str,
    contribution: Contribution,
    attempt: Attempt,
    money: Money,
    fee_pence: int,
    member: Member,
    others: FindContribution,
    now: datetime,
) -> Decision:
    """Money for no pot: it pays its payer's debts, the oldest first, and what none takes is their credit."""
    allocation = pay_debts(
        member, money.pence - fee_pence, LateMoney(money.processor), act_at=max(money.clears_at, now)
    )
    rows = allocation.rows + ledger.money_without_debt(
        money.processor, contribution.uid, allocation.left_pence
    )
    rows += ledger.fee_on_top(fee_pence)
    after = contribution.with_attempt(attempt)
    covered = [
        one.moved("covered").with_(act_at=None)
        for one in (
            after if paid == contribution.id else others(paid) for paid in _paid_off(member, allocation)
        )
        if one.state == "short"
    ]
    if all(one.id != after.id for one in covered):
        covered.append(after)
    return Decision(
        answer={"state": next(one.state for one in covered if one.id == after.id)},
        facts=[_fact(type_, contribution, attempt, money, rows)],
        changed=[*covered, allocation.member],
        created=allocation.top_ups,
    )


def _paid_off(before: Member, allocation: Allocation) -> list[str]:
    """Contributions whose last open debt ended with this allocation."""
    owing_before = {debt.contribution for debt in before.open_debts()}
    owing_after = {debt.contribution for debt in allocation.member.open_debts()}
    return sorted(owing_before - owing_after)


def take_back(
    contribution: Contribution,
    attempt_id: str,
    to: Literal["refunded", "disputed"],
    money: Money,
    member: FindMember,
    balances: Callable[[], Balances],
    now: datetime,
    asking: str | None = None,
) -> Decision:
    """Record a refund, or money that the payer's bank took back; `money.pence` is positive.

    `asking` is the fact by which we asked for this refund. A refund in part leaves the attempt settled: what
    is left of it may still be disputed. One of what is disputed leaves it so: the bank has the last word.

    Not reserved: it leaves the pot, and the contribution is due again. Reserved and on its way or gone:
    the payer's credit goes first, then the house stands in; the recipient keeps the pot (DESIGN.md § 5).
    A payout that is only reserved is voided before this is asked. Raises UnknownObject, UnknownTransition,
    Mismatch (more was refunded than came).
    """
    attempt = _attempt(contribution, attempt_id)
    fee_pence = _fee_going_back(attempt, money.pence)
    taken_back_pence = attempt.taken_back_pence + money.pence
    attempt = _taken_back(attempt, to, taken_back_pence).with_(
        taken_back=[*attempt.taken_back, money.movement],
        taken_back_pence=taken_back_pence,
        fee_held_pence=attempt.fee_held_pence - fee_pence,
    )
    from_pot = 0
    if contribution.counted_in is None:
        from_pot = min(money.pence - fee_pence, attempt.in_pot_pence)
    rest = money.pence - fee_pence - from_pot
    from_credit = min(rest, balances().of(ledger.credit(contribution.uid))) if rest else 0
    from_house = rest - from_credit
    rows = ledger.taken_back(money.processor, contribution.cycle, from_pot)
    rows += ledger.disputed_after(money.processor, contribution.uid, from_credit, from_house)
    rows += ledger.fee_on_top_returned(fee_pence)
    left_in_pot = attempt.in_pot_pence - from_pot
    over = asking == attempt.refunding or not left_in_pot  # a part may have gone back without us
    refunding = None if over else attempt.refunding
    after = contribution.with_attempt(attempt.with_(in_pot_pence=left_in_pot, refunding=refunding)).with_(
        in_pot_pence=contribution.in_pot_pence - from_pot,
        planned_at=None,  # what was planned is not what is owed now
    )
    if from_pot and after.state == "covered":
        # The next day's look tries another method, if its member has one.
        after = after.moved("due").with_(act_at=now + PARKED_RECHECK)
    changed: list[Document] = [after]
    if from_house:
        debt = new_debt(
            contribution.id, money.movement, HOUSE, contribution.cycle, contribution.due_date, from_house
        )
        changed.append(with_debts(member(), [debt]))
    return Decision(
        answer={"state": after.state},
        facts=[_fact(f"contribution_{to}", contribution, attempt, money, rows)],
        changed=changed,
    )


def _taken_back(attempt: Attempt, to: Literal["refunded", "disputed"], pence: int) -> Attempt:
    """The attempt in its state once `pence` of it are gone. Raises UnknownTransition, Mismatch."""
    if to == "disputed":
        return attempt if attempt.state == "disputed" else attempt.moved("disputed")
    if attempt.state == "refunded" and pence > attempt.settled_pence:
        raise Mismatch(what="refunded amount", theirs=pence, ours=attempt.settled_pence)
    ends = attempt.state in {"settled", "won"} and pence >= attempt.settled_pence
    return attempt.moved("refunded") if ends else attempt


def _fee_going_back(attempt: Attempt, pence: int) -> int:
    """What of money that goes back is the fee on top: the contribution goes first, the fee last."""
    kept_pence = max(0, attempt.settled_pence - attempt.taken_back_pence - attempt.fee_held_pence)
    return min(attempt.fee_held_pence, max(0, pence - kept_pence))


def lose(contribution: Contribution, attempt_id: str) -> Decision:
    """Record that a dispute is lost: the money left when it was opened, so nothing is posted."""
    attempt = _attempt(contribution, attempt_id)
    if attempt.state != "disputed":  # known already, or an inquiry that moved no money
        return Decision(answer={"state": contribution.state})
    number = len(attempt.taken_back)  # one that was won yet may be lost again
    return _without_money("dispute_lost", contribution, attempt.moved("lost"), f":{number}")


def progress(
    contribution: Contribution,
    attempt_id: str,
    to: Literal["processing", "requires_action", "failed", "cancelled"],
    reference: str | None,
    now: datetime,
    *,
    action_url: str | None = None,
    failure: FailureKind | None = None,
    failure_code: str | None = None,
    look_again_at: datetime | None = None,
) -> Decision:
    """Record what became of an attempt short of money. News that is older than what is known changes nothing.

    Raises UnknownObject, Mismatch (another object at the processor for the same attempt).
    """
    attempt = _attempt(contribution, attempt_id)
    if reference is not None and attempt.reference not in {None, reference}:
        raise Mismatch(what="collection", theirs=reference, ours=attempt.reference)
    if attempt.state == to and action_url not in {None, attempt.action_url}:
        linked = contribution.with_attempt(attempt.with_(action_url=action_url))
        return Decision(answer={"state": contribution.state, "attempt": to}, changed=[linked])
    if attempt.state == to or not attempt.is_live or (attempt.state, to) == ("processing", "requires_action"):
        return Decision(answer={"state": contribution.state, "attempt": attempt.state})
    if (attempt.state, to) == ("submitting", "cancelled") or (attempt.state, to) == (
        "processing",
        "cancelled",
    ):
        to = "failed"
    after = attempt.moved(to).with_(
        reference=reference or attempt.reference,
        action_url=action_url,
        failure=failure,
        failure_code=failure_code,
    )
    act_at = look_again_at
    if to in {"failed", "cancelled"}:
        act_at = retry_at(contribution.with_attempt(after), failure, now) or now + METHOD_RECHECK
    return _without_money(f"attempt_{to}", contribution.with_(act_at=act_at), after)


def _without_money(type_: str, contribution: Contribution, attempt: Attempt, number: str = "") -> Decision:
    payload = _names(contribution, attempt)
    if attempt.failure:
        payload |= {"failure": attempt.failure}
    fact_id = f"{type_}:{attempt.id}{number}"
    return Decision(
        answer={"state": contribution.state, "attempt": attempt.state},
        facts=[News(id=fact_id, group=contribution.group, type=type_, payload=payload)],
        changed=[contribution.with_attempt(attempt)],
    )


def _attempt(contribution: Contribution, attempt_id: str) -> Attempt:
    attempt = contribution.attempt(attempt_id)
    if attempt is None:
        raise UnknownObject(thing="collection with attempt", reference=attempt_id)
    return attempt


def _names(contribution: Contribution, attempt: Attempt) -> dict[str, str | int]:
    return {
        "contribution": contribution.id,
        "cycle": contribution.cycle,
        "member": contribution.uid,
        "attempt": attempt.id,
    }


def _fact(type_: str, contribution: Contribution, attempt: Attempt, money: Money, rows: Rows) -> News:
    fee = (
        ledger.processor_fee(money.fee_pence)
        if money.fee_pence >= 0
        else ledger.processor_fee_returned(-money.fee_pence)
    )
    return News(
        id=money.movement,
        group=contribution.group,
        type=type_,
        payload=_names(contribution, attempt)
        | {
            "collection": money.collection,
            "pence": money.pence,
            "fee_pence": money.fee_pence,
            "clears_at": money.clears_at.isoformat(),
            "source": money.source,
        },
        entries=ledger.post(rows, fee),
    )
