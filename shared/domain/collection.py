"""Collecting a contribution: what the scheduler's look at it comes to, step by step."""

from __future__ import annotations

from collections.abc import Container
from datetime import date, datetime
from typing import Final, Literal

from shared.domain.calendar import add_working_days, london_day, opening_of
from shared.domain.contributions import (
    BROUGHT_RECHECK,
    LOOK_UP_AFTER,
    METHOD_RECHECK,
    Contribution,
    Notice,
    first_look_at,
    is_new,
    lead_working_days,
    next_attempt,
    waits_for_another_method,
)
from shared.domain.decision import Decision
from shared.domain.journal import News
from shared.domain.members import Member
from shared.domain.plans import next_instalment
from shared.domain.record import record
from shared.domain.users import PaymentMethod

LEAST_CHARGE_PENCE: Final = 30
"""Stripe takes no less (docs.stripe.com/currencies#minimum-and-maximum-charge-amounts)."""

Step = Literal["rest", "wait", "frozen", "no_method", "notice", "charge", "resume", "look_up"]


@record
class Plan:
    """When a debit is submitted, and when the money is taken."""

    submit_on: date
    collect_on: date


def plan(contribution: Contribution, method: PaymentMethod, today: date, holidays: Container[object]) -> Plan:
    """The earliest plan that keeps due date and the method's lead; late money is taken as soon as can be."""
    lead = lead_working_days(method.kind, mandate_is_new=is_new(method.added_at, today))
    if contribution.pay_now:
        return Plan(today, add_working_days(today, lead, holidays))
    submit_on = max(today, add_working_days(contribution.due_date, -lead, holidays))
    return Plan(submit_on, max(contribution.due_date, add_working_days(submit_on, lead, holidays)))


def due_pence(contribution: Contribution, member: Member | None) -> int:
    """What is to be collected for a contribution now: what the pot lacks, or what is still owed for it.

    For a covered one a debt may stand too: its payer took the money back after the pot was paid. That is
    collected only where they ask for it themselves, now or by a plan.
    """
    if contribution.state == "due":
        return contribution.left_pence
    if may_owe(contribution) and member is not None:
        return sum(debt.left_pence for debt in member.debts if debt.contribution == contribution.id)
    return 0


def part_due(contribution: Contribution, pence: int) -> tuple[int, date]:
    """How much of it is taken next, and on which day: an instalment, where a plan was agreed on what is owed.
    What its pot is still to have has its own day."""
    part = next_instalment(contribution.instalments, pence)
    if part is None or contribution.pay_now or contribution.state == "due":
        return pence, contribution.due_date
    return part.pence, part.due_date


def at_least_chargeable(contribution: Contribution, pence: int) -> int:
    """What is debited so that `pence` comes: where that is more than is owed, the rest is its payer's credit.

    See infra/decisions/0036-the-least-charge.md.
    """
    return max(pence, LEAST_CHARGE_PENCE - contribution.fee_left_pence)


def may_owe(contribution: Contribution) -> bool:
    """Whether its member's debts say what is to be collected for it."""
    asked = contribution.pay_now or contribution.planned_at is not None
    return contribution.state == "short" or (contribution.state == "covered" and asked)


def may_use(
    contribution: Contribution, method: PaymentMethod, now: datetime, holidays: Container[object]
) -> bool:
    """Whether news of a method wants a look at a contribution that waits: its first look has come, something
    may be owed for it, nothing is under way, and this method has not been tried: what failed waits for its
    day."""
    return (
        contribution.act_at is not None
        and contribution.act_at > now >= first_look_at(contribution.due_date, holidays)
        and contribution.live_attempt is None
        and (contribution.state == "due" or may_owe(contribution))
        and all(attempt.method != method.reference for attempt in contribution.tries)
    )


def next_step(
    contribution: Contribution,
    member: Member | None,
    method: PaymentMethod | None,
    now: datetime,
    holidays: Container[object],
) -> tuple[Step, Decision]:
    """What happens to a contribution now. Decides at most one thing; the caller looks again after it."""
    live = contribution.live_attempt
    if live is not None:
        look_again = contribution.with_(act_at=now + LOOK_UP_AFTER[live.state])
        step: Step = "resume" if live.state == "submitting" else "look_up"
        return step, Decision(changed=[look_again])
    pence = due_pence(contribution, member)
    if pence == 0:
        return "rest", _at_rest(contribution)
    if contribution.brought and not (contribution.pay_now or contribution.planned_at):
        return "wait", Decision(changed=[contribution.with_(act_at=now + BROUGHT_RECHECK)])
    today = london_day(now)
    frozen_until = contribution.frozen_until
    if frozen_until is not None and today < frozen_until and not contribution.pay_now:
        return "frozen", Decision(changed=[contribution.with_(act_at=opening_of(frozen_until))])
    if method is None or waits_for_another_method(contribution, method.reference):
        return "no_method", Decision(changed=[contribution.with_(act_at=now + METHOD_RECHECK)])
    pence, due_date = part_due(contribution, pence)
    pence = at_least_chargeable(contribution, pence)
    when = plan(contribution.with_(due_date=due_date), method, today, holidays)
    if not _noticed(contribution, pence, when, method):
        return "notice", _give_notice(contribution, pence, when, method, now)
    if when.submit_on > today:
        return "wait", Decision(changed=[contribution.with_(act_at=opening_of(when.submit_on))])
    return "charge", _start_attempt(contribution, pence, method, now)


def _at_rest(contribution: Contribution) -> Decision:
    """Nothing is owed any more. Another contribution's money, or a pot of theirs, may have paid it."""
    rested = contribution.with_(act_at=None, pay_now=False)
    if rested.state != "short":
        return Decision(changed=[] if rested == contribution else [rested])
    fact = News(
        id=f"contribution_covered:{contribution.id}:{contribution.revision}",
        group=contribution.group,
        type="contribution_covered",
        payload={"contribution": contribution.id, "cycle": contribution.cycle, "member": contribution.uid},
    )
    return Decision(facts=[fact], changed=[rested.moved("covered")])


def _noticed(contribution: Contribution, pence: int, when: Plan, method: PaymentMethod) -> bool:
    """Whether the member was told just this amount, day and kind: another one is never debited."""
    notice = contribution.notice
    return notice is not None and (notice.amount_pence, notice.collect_on, notice.method_kind) == (
        pence + contribution.fee_left_pence,
        when.collect_on,
        method.kind,
    )


def _give_notice(
    contribution: Contribution, pence: int, when: Plan, method: PaymentMethod, now: datetime
) -> Decision:
    total_pence = pence + contribution.fee_left_pence
    notice = Notice(
        amount_pence=total_pence, collect_on=when.collect_on, method_kind=method.kind, given_at=now
    )
    fact = News(
        id=f"noticed:{contribution.id}:{contribution.revision}",
        group=contribution.group,
        type="contribution_noticed",
        payload={
            "contribution": contribution.id,
            "member": contribution.uid,
            "pence": total_pence,
            "added_fee_pence": contribution.fee_left_pence,
            "collect_on": when.collect_on.isoformat(),
            "method_kind": method.kind,
        },
    )
    act_at = max(now, opening_of(when.submit_on))
    return Decision(facts=[fact], changed=[contribution.with_(notice=notice, act_at=act_at)])


def _start_attempt(contribution: Contribution, pence: int, method: PaymentMethod, now: datetime) -> Decision:
    """Save the attempt, with its key, before the processor is asked (STYLE.md, habit 7)."""
    attempt = next_attempt(contribution, method.reference, method.kind, pence, now)
    fact = News(
        id=f"attempt_submitting:{attempt.id}",
        group=contribution.group,
        type="attempt_submitting",
        payload={
            "contribution": contribution.id,
            "cycle": contribution.cycle,
            "member": contribution.uid,
            "attempt": attempt.id,
            "pence": attempt.amount_pence,
            "method_kind": method.kind,
        },
    )
    after = contribution.with_attempt(attempt).with_(act_at=now + LOOK_UP_AFTER["submitting"], pay_now=False)
    return Decision(facts=[fact], changed=[after])
