"""Refunds that we make: a contribution given back whole while its pot is still there, and one that failed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from shared.domain.approvals import Approval, require_two
from shared.domain.contributions import Attempt, Contribution
from shared.domain.decision import Decision
from shared.domain.errors import NothingToGiveBack, UnknownObject
from shared.domain.journal import News
from shared.domain.members import Member
from shared.domain.settlement import Money, to_what_is_owed, with_fee


def ask(
    contribution: Contribution,
    reason: str,
    approval: Approval | None = None,
    two_people_above_pence: int | None = None,
) -> Decision:
    """Record that the contribution is to be given back, before the processor is asked; its pot waits.

    The fee on top of it goes back with it. The fact is the asking: its id is the key at the processor, its
    amount what is asked for. One that came to nothing may be followed by another, with another key.

    What a pot was reserved with belongs to its recipient: it is not taken back from them by a refund. Raises
    NothingToGiveBack, TwoPeopleNeeded.
    """
    if contribution.counted_in is not None:
        raise NothingToGiveBack(why="the pot was given to its recipient")
    attempt = next((one for one in contribution.attempts if one.in_pot_pence), None)
    if attempt is None or attempt.state not in {"settled", "won"}:
        raise NothingToGiveBack(why="no money of this contribution is in the pot")
    if attempt.refunding:
        return Decision(answer={"attempt": attempt.id, "asking": attempt.refunding})
    if approval is not None and any(one.refund_consent == approval.id for one in contribution.attempts):
        approval = None  # one consent gives back one payment
    require_two(attempt.refundable_pence, two_people_above_pence, approval, "refund", contribution.id)
    consent = approval.id if approval else None
    fact = News(
        id=f"refund_asked:{attempt.id}:{contribution.revision}",
        group=contribution.group,
        type="refund_asked",
        payload={
            "contribution": contribution.id,
            "member": contribution.uid,
            "attempt": attempt.id,
            "pence": attempt.refundable_pence,
            "reason": reason,
            "approval": consent,
        },
    )
    return Decision(
        answer={"attempt": attempt.id, "asking": fact.id},
        facts=[fact],
        changed=[contribution.with_attempt(attempt.with_(refunding=fact.id, refund_consent=consent))],
    )


def give_up(contribution: Contribution, attempt_id: str, asking: str) -> Decision:
    """This asking came to nothing: the money stays in the pot."""
    attempt = _attempt(contribution, attempt_id)
    if attempt.refunding != asking:
        return Decision()
    return Decision(changed=[contribution.with_attempt(attempt.with_(refunding=None, refund_consent=None))])


def came_back(
    contribution: Contribution,
    attempt_id: str,
    money: Money,
    member: Callable[[], Member],
    others: Callable[[str], Contribution],
    now: datetime,
) -> Decision:
    """Record that a refund failed, and its money is with us again. Twice is once.

    They are still to have it: it pays what they owe, the rest is their credit, for what they owe next, or is
    given back at the end. The fee on top is taken anew: their credit pays the contribution that it is for.
    """
    attempt = _attempt(contribution, attempt_id)
    if money.movement in attempt.won_back:
        return Decision(answer={"state": contribution.state})
    attempt = attempt.with_(
        won_back=[*attempt.won_back, money.movement],
        taken_back_pence=max(0, attempt.taken_back_pence - money.pence),
    )
    after, on_top_pence = with_fee(contribution, attempt, money.pence)
    return to_what_is_owed("refund_failed", contribution, after, money, on_top_pence, member(), others, now)


def _attempt(contribution: Contribution, attempt_id: str) -> Attempt:
    attempt = contribution.attempt(attempt_id)
    if attempt is None:
        raise UnknownObject(thing="collection with attempt", reference=attempt_id)
    return attempt
