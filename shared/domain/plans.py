"""Payment plans and hardship: what is owed is paid in parts, or left alone for a while."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from shared.domain.calendar import london_day, opening_of
from shared.domain.contributions import Contribution, Instalment
from shared.domain.decision import Decision
from shared.domain.errors import HardshipTooLong, NothingOwed, PlanDoesNotFit
from shared.domain.journal import News
from shared.domain.members import Member

INSTALMENTS_MAX: Final = 60
"""Five years of months: a longer plan is a case for debt advice."""

FREEZE_DAYS_MAX: Final = 60
"""As long as the breathing space of English law (Debt Respite Scheme regulations 2020)."""


def agree_plan(
    member: Member,
    contributions: Mapping[str, Contribution],
    instalments: Sequence[Instalment],
    approval: str,
    now: datetime,
) -> Decision:
    """Spread all that a member owes over instalments, the oldest debt first.

    `contributions` are those whose debts are open, by id. The parts are taken on their dates in place of the
    whole, also where debits had failed for want of money, or the money went back. Raises NothingOwed,
    PlanDoesNotFit (the parts must come to what is owed, in days to come).
    """
    owed_pence = member.owes_pence()
    if not owed_pence:
        raise NothingOwed()
    parts = sorted(instalments, key=lambda part: part.due_date)
    planned_pence = sum(part.pence for part in parts)
    too_early = any(part.due_date <= london_day(now) for part in parts)
    if planned_pence != owed_pence or too_early or len(parts) > INSTALMENTS_MAX:
        raise PlanDoesNotFit(field="instalments", planned_pence=planned_pence, owed_pence=owed_pence)
    spread = _spread(member, parts)
    changed = [
        contributions[id_].with_(instalments=its_parts, planned_at=now, act_at=now)
        for id_, its_parts in spread.items()
    ]
    fact = News(
        id=f"plan_agreed:{approval}",
        group=member.group,
        type="plan_agreed",
        payload={
            "member": member.uid,
            "approval": approval,
            "instalments": [part.model_dump() for part in parts],
        },
    )
    return Decision(answer={"owed_pence": owed_pence}, facts=[fact], changed=changed)


def _spread(member: Member, parts: Sequence[Instalment]) -> dict[str, list[Instalment]]:
    """Which part pays which contribution's debts: in the order in which money pays them anyway."""
    spread: dict[str, list[Instalment]] = {}
    waiting = list(parts)
    for debt in member.open_debts():
        left = debt.left_pence
        while left:
            part = waiting.pop(0)
            pence = min(left, part.pence)
            left -= pence
            its_parts = spread.setdefault(debt.contribution, [])
            if its_parts and its_parts[-1].due_date == part.due_date:
                its_parts[-1] = part.with_(pence=its_parts[-1].pence + pence)
            else:
                its_parts.append(part.with_(pence=pence))
            if part.pence > pence:
                waiting.insert(0, part.with_(pence=part.pence - pence))
    return spread


def next_instalment(instalments: Sequence[Instalment], owed_pence: int) -> Instalment | None:
    """The part that is due next, by what is still owed: catch-up payments shorten a plan by themselves."""
    left_after = sum(part.pence for part in instalments)
    for part in instalments:
        left_after -= part.pence
        if owed_pence > left_after:
            return part.with_(pence=owed_pence - left_after)
    return None


def freeze(member: Member, contributions: Sequence[Contribution], until: date, now: datetime) -> Decision:
    """Leave a member alone until a day: nothing is taken, chased or marked late; a case is opened.

    What is frozen bears no fee on top any more, whenever it is taken. Pots are paid by the group's policy
    meanwhile. Raises HardshipTooLong.
    """
    today = london_day(now)
    latest = today + timedelta(days=FREEZE_DAYS_MAX)
    if not today < until <= latest:
        raise HardshipTooLong(field="until", latest=latest)
    changed = [
        one.with_(
            frozen_until=until,
            act_at=one.act_at if one.live_attempt else opening_of(until),
            added_fee_pence=sum(attempt.fee_held_pence for attempt in one.attempts),
        )
        for one in contributions
        if one.state in {"due", "short"} and (one.state == "short" or one.due_date <= until)
    ]
    fact = News(
        id=f"hardship:{member.uid}:{member.revision}",
        group=member.group,
        type="hardship_opened",
        payload={
            "member": member.uid,
            "until": until.isoformat(),
            "contributions": [one.id for one in changed],
        },
    )
    answer = {"uid": member.uid, "until": until.isoformat(), "frozen": len(changed)}
    return Decision(answer=answer, facts=[fact], changed=[member.with_(hardship_until=until), *changed])
