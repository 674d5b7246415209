"""Contributions: what one member owes for one cycle, and each try at collecting it."""

from __future__ import annotations

from collections.abc import Container
from datetime import date, datetime, timedelta
from typing import Final, Literal

from shared.domain.calendar import add_working_days, london_day, opening_of
from shared.domain.documents import Day, Document, Ref, States, Value
from shared.domain.ids import attempt_id, contribution_id, shard_of
from shared.domain.money import Pence
from shared.domain.words import AttemptState, ContributionState, MethodKind

CONTRIBUTION: Final = States(
    "contribution",
    {"due": "covered short waived", "covered": "due waived short", "short": "covered due", "waived": "due"},
)
"""As DESIGN.md § 6, and the way back of a voided reservation: short and waived ones are due again. A covered
one is waived, or short of a debt, where its pot falls away and its money goes back (decision 16)."""


ATTEMPT: Final = States(
    "attempt",
    {
        "submitting": "requires_action processing settled failed",
        "requires_action": "processing settled failed cancelled",
        "processing": "settled failed",
        "settled": "refunded disputed",
        "disputed": "won lost",
        "won": "disputed refunded",
        "failed": "",
        "cancelled": "",
        "refunded": "disputed",
        "lost": "won disputed",
    },
)
"""As DESIGN.md § 6, and what no bank calls final: who had a refund may claim the money as well, and a lost
dispute may be won yet (decision 45). Money that moved is booked in every one of the last five states."""

LIVE: Final = frozenset({"submitting", "requires_action", "processing"})
"""States in which an attempt may still bring money: a contribution has at most one such (invariant 6)."""

BROUGHT_MONEY: Final = frozenset({"settled", "refunded", "disputed", "won", "lost"})

FailureKind = Literal[
    "soft_decline",  # no money now, refer to payer: the ladder
    "hard_decline",  # stolen, closed: never by ourselves again
    "authentication_required",  # the person must act
    "mandate_cancelled",  # a new mandate is asked for
    "method_invalid",  # expired or removed: a new method is asked for
    "processor_error",  # theirs: try again
]

MAY_PASS: Final = frozenset({"soft_decline", "processor_error"})
"""Failures after which the same method may work another day."""


BACS_LEAD_WORKING_DAYS: Final = 4
"""Days ahead of the due date on which a Bacs debit is submitted on an existing mandate (DESIGN.md § 7)."""

BACS_NEW_MANDATE_LEAD_WORKING_DAYS: Final = 7
"""The same while the mandate is new: it must be lodged with the bank first."""

NEW_MANDATE: Final = timedelta(days=14)
"""A mandate counts as new for two weeks: lodging takes 5 working days, longer over Christmas."""

NOTICE_WORKING_DAYS: Final = 8
"""Advance notice is given the day before the earliest submission: amount and date, never others."""

RETRY_AFTER_DAYS: Final = (1, 3, 5)
"""The ladder of soft declines: often paid by the next morning, then after a pay day. Then the person acts.
Bacs allows 'refer to payer' to be represented within a month; the ladder stays far inside it."""

LOOK_UP_AFTER: Final[dict[str, timedelta]] = {
    "submitting": timedelta(minutes=10),  # the process died: nobody else will finish it
    "processing": timedelta(days=10),  # Bacs tells its outcome within 6 working days; then we ask
    "requires_action": timedelta(days=1),  # the person is reminded daily
}


METHOD_RECHECK: Final = timedelta(days=7)
"""What waits for another method is woken by the news of one; a look a week makes good for news that was
lost (infra/decisions/0042-news-wakes-what-waits.md)."""

BROUGHT_RECHECK: Final = timedelta(days=7)
"""What was left open on paper is paid by a pot of its debtor's, which wakes it, or by other money of theirs:
the same look a week finds that it is."""


class Attempt(Value):
    """One try at collecting: its id is the processor's idempotency key and stands in its metadata."""

    id: str
    number: int
    amount_pence: Pence
    added_fee_pence: Pence = 0  # of the amount, the agreed fee on top
    fee_held_pence: Pence = 0  # of that, what came and has not gone back
    method: str
    method_kind: MethodKind
    state: AttemptState = "submitting"
    started_at: datetime
    reference: str | None = None
    movement: str | None = None
    settled_pence: Pence = 0
    in_pot_pence: Pence = 0
    clears_at: datetime | None = None
    taken_back: list[str] = []  # movements that took its money back
    taken_back_pence: Pence = 0  # how much of it is gone now
    refunding: str | None = None  # the fact by which we asked to have it given back, until we have heard
    refund_consent: str | None = None  # by which two people gave it back: good for one payment
    won_back: list[str] = []  # movements that brought it again
    failure: FailureKind | None = None
    failure_code: str | None = None
    action_url: str | None = None

    def moved(self, to: AttemptState) -> Attempt:
        """The attempt in its next state. Raises UnknownTransition."""
        ATTEMPT.check(self.state, to)
        return self.with_(state=to)

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    @property
    def refundable_pence(self) -> int:
        """What it put into the pot; with the fee on top, where that is all that it brought."""
        whole = self.settled_pence - self.taken_back_pence - self.fee_held_pence == self.in_pot_pence
        return self.in_pot_pence + (self.fee_held_pence if whole else 0)


class Notice(Value):
    """What the member was told will be taken, and when: the debit is this or is blocked."""

    amount_pence: Pence  # the fee on top included
    collect_on: Day
    method_kind: MethodKind
    given_at: datetime


class Instalment(Value):
    """A part of what is owed for a contribution, and the day on which it is taken, by an agreed plan."""

    pence: Pence
    due_date: Day


class Contribution(Document):
    """groups/{group}/contributions/{contribution}.

    `counted_in` is the payout that its money went into, or that was reserved without it: the stamp by which
    money in and money back choose their row of the ledger. `pay_now`: its member asked to pay before or after
    the date. `act_at` is when the scheduler looks next. `apart`: somebody's leaving took it out of its pot; a
    debt stands in its place, or nothing. `frozen_until`: nothing is taken before, for hardship. `planned_at`:
    since when its debts are paid by `instalments`; what was tried before counts no more.
    `added_fee_pence`: the agreement's fee on top, taken once, with the first money that comes for it.
    `brought`: of an imported circle's past; what was left open of it is never taken by itself.
    """

    id: str
    group: str
    cycle: int
    uid: str
    recipient: str
    amount_pence: Pence
    added_fee_pence: Pence = 0
    due_date: Day
    state: ContributionState = "due"
    in_pot_pence: Pence = 0
    counted_in: str | None = None
    apart: bool = False
    brought: bool = False
    frozen_until: Day | None = None
    credit_clears_at: datetime | None = None  # of the payer's credit that was put into its pot
    instalments: list[Instalment] = []
    planned_at: datetime | None = None
    attempts: list[Attempt] = []
    notice: Notice | None = None
    pay_now: bool = False
    act_at: datetime | None
    shard: int

    @property
    def path(self) -> str:
        return contribution_ref(self.group, self.id).path

    def moved(self, to: ContributionState) -> Contribution:
        """The contribution in its next state. Raises UnknownTransition."""
        CONTRIBUTION.check(self.state, to)
        return self.with_(state=to)

    @property
    def left_pence(self) -> int:
        """What its pot still lacks of it."""
        return 0 if self.apart else self.amount_pence - self.in_pot_pence

    @property
    def fee_left_pence(self) -> int:
        """What of the fee on top has not come yet, or went back."""
        return max(0, self.added_fee_pence - sum(one.fee_held_pence for one in self.attempts))

    @property
    def live_attempt(self) -> Attempt | None:
        return next((attempt for attempt in self.attempts if attempt.is_live), None)

    @property
    def tries(self) -> list[Attempt]:
        """The attempts that count for whether to try again: since a plan was agreed, those after it."""
        since = self.planned_at
        return [one for one in self.attempts if since is None or one.started_at >= since]

    def attempt(self, attempt: str) -> Attempt | None:
        return next((one for one in self.attempts if one.id == attempt), None)

    def with_attempt(self, attempt: Attempt) -> Contribution:
        """The contribution with this attempt added, or in the place of its former self."""
        others = [one for one in self.attempts if one.id != attempt.id]
        return self.with_(attempts=sorted([*others, attempt], key=lambda one: one.number))

    def clears_at(self) -> datetime | None:
        """When the last of the money that it put into the pot can be spent; None if it put none in."""
        moments = [one.clears_at for one in self.attempts if one.in_pot_pence and one.clears_at]
        if self.credit_clears_at is not None:
            moments.append(self.credit_clears_at)
        return max(moments, default=None)


def contribution_ref(group: str, contribution: str) -> Ref[Contribution]:
    return Ref(Contribution, f"groups/{group}/contributions/{contribution}")


def due_contribution(
    group: str,
    cycle: int,
    uid: str,
    recipient: str,
    amount_pence: int,
    due_date: date,
    holidays: Container[object],
    added_fee_pence: int = 0,
) -> Contribution:
    """A contribution as the lock leaves it: first looked at on the day of its notice."""
    own_id = contribution_id(group, cycle, uid)
    return Contribution(
        id=own_id,
        shard=shard_of(own_id),
        group=group,
        cycle=cycle,
        uid=uid,
        recipient=recipient,
        amount_pence=amount_pence,
        added_fee_pence=added_fee_pence,
        due_date=due_date,
        act_at=first_look_at(due_date, holidays),
    )


def first_look_at(due_date: date, holidays: Container[object]) -> datetime:
    """When a contribution is looked at first, for its notice: nothing is told or taken before."""
    return opening_of(add_working_days(due_date, -NOTICE_WORKING_DAYS, holidays))


def lead_working_days(kind: MethodKind, *, mandate_is_new: bool) -> int:
    """How many working days before the money is taken a debit must be submitted."""
    if kind == "card":
        return 0
    return BACS_NEW_MANDATE_LEAD_WORKING_DAYS if mandate_is_new else BACS_LEAD_WORKING_DAYS


def is_new(added_at: datetime, today: date) -> bool:
    """Whether a mandate may still be on its way to the bank."""
    return today - london_day(added_at) < NEW_MANDATE


def retry_at(contribution: Contribution, failure: FailureKind | None, now: datetime) -> datetime | None:
    """When to try again by ourselves: on the ladder for what may pass, never for what needs the person."""
    if failure not in MAY_PASS:
        return None
    failed = sum(1 for attempt in contribution.tries if attempt.state == "failed")
    if failed > len(RETRY_AFTER_DAYS):
        return None
    return now + timedelta(days=RETRY_AFTER_DAYS[failed - 1])


def waits_for_another_method(contribution: Contribution, method: str) -> bool:
    """Whether this method failed, or its money went back, and only the person can change that: by another
    method, by paying now, or by a plan, which tries once more what failed for want of money."""
    last = contribution.attempts[-1] if contribution.attempts else None
    if last is None or contribution.pay_now:
        return False
    if last not in contribution.tries and last.failure in {None, *MAY_PASS}:
        return False
    if last.state not in {"failed", "cancelled"} and not last.taken_back_pence:
        return False
    return last.method == method and retry_at(contribution, last.failure, last.started_at) is None


def next_attempt(
    contribution: Contribution, method: str, kind: MethodKind, pence: int, now: datetime
) -> Attempt:
    """The next try at collecting `pence`, and the fee on top where it has not come yet."""
    fee_pence = contribution.fee_left_pence
    number = len(contribution.attempts) + 1
    return Attempt(
        id=attempt_id(contribution.id, number),
        number=number,
        amount_pence=pence + fee_pence,
        added_fee_pence=fee_pence,
        method=method,
        method_kind=kind,
        started_at=now,
    )
