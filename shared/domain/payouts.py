"""Payouts: money on its way to a member. The turn's pot, a top-up of what was missing, a return."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

from shared.domain.documents import Day, Document, Ref, States, Value
from shared.domain.ids import payout_id, sending_id, shard_of
from shared.domain.money import Pence
from shared.domain.words import PayoutState

PAYOUT: Final = States(
    "payout",
    {
        "scheduled": "parked reserved void",
        "parked": "scheduled void",
        "reserved": "submitting void",
        "submitting": "sent failed unknown",
        "failed": "submitting void",
        "unknown": "sent failed",
        "sent": "received bank_failed partly_reversed reversed",
        "bank_failed": "sent partly_reversed reversed",
        "received": "bank_failed partly_reversed reversed",
        "partly_reversed": "reversed",
        "void": "",
        "reversed": "",
    },
)

BEFORE_SENDING: Final = frozenset({"scheduled", "parked", "reserved"})
"""States in which no money can have left: a dispute that comes now voids the reservation first."""

AT_REST: Final = frozenset({"received", "void", "reversed"})

ParkedBecause = Literal[
    "recipient_not_ready",
    "bank_changed",
    "nothing_collected",
    "balance_too_low",
    "refused",
    "needs_approval",
    "details_to_check",
]


class Sending(Value):
    """One try at sending: its id is the idempotency key of transfer and bank payout.

    A try ends only when the processor refuses it. One whose answer was lost goes on with the same key.
    """

    id: str
    number: int
    started_at: datetime
    refused: bool = False


class Counted(Value):
    """What one contribution put into this pot."""

    contribution: str
    uid: str
    pence: Pence


class Payout(Document):
    """groups/{group}/payouts/{payout}. `act_at` is when the scheduler looks at it next; None at rest."""

    id: str
    group: str
    kind: Literal["turn", "top_up", "return"]
    cycle: int
    number: int = 1
    recipient: str
    state: PayoutState = "scheduled"
    amount_pence: Pence = 0
    fee_pence: Pence = 0
    withheld_pence: Pence = 0  # for the group's reserve
    pay_date: Day
    act_at: datetime | None
    shard: int
    cause: str | None = None
    counted: list[Counted] = []
    reservation: str | None = None
    approval: str | None = None  # by which two people let a large one go
    parked_because: ParkedBecause | None = None
    sendings: list[Sending] = []
    transfer: str | None = None
    movement: str | None = None
    reversed_pence: Pence = 0
    reversals: list[str] = []  # the processor's movements that brought it back
    bank_payout: str | None = None
    bank_destination: str | None = None  # where that went, as the processor told of it first
    bank_tries: int = 0  # made, or refused: each has a key of its own
    bank_refused: list[str] = []  # bank payouts that failed
    received_at: datetime | None = None

    @property
    def path(self) -> str:
        return payout_ref(self.group, self.id).path

    def moved(self, to: PayoutState) -> Payout:
        """The payout in its next state. Raises UnknownTransition."""
        PAYOUT.check(self.state, to)
        return self.with_(state=to)

    @property
    def sending(self) -> Sending | None:
        """The latest try at sending."""
        return self.sendings[-1] if self.sendings else None


def payout_ref(group: str, payout: str) -> Ref[Payout]:
    return Ref(Payout, f"groups/{group}/payouts/{payout}")


def scheduled_turn(
    group: str, cycle: int, recipient: str, pay_date: Day, act_at: datetime, number: int = 1
) -> Payout:
    """The payout of a cycle, as the lock (or the voiding of its forerunner) leaves it."""
    own_id = payout_id(group, cycle, number)
    return Payout(
        id=own_id,
        shard=shard_of(own_id),
        group=group,
        kind="turn",
        cycle=cycle,
        number=number,
        recipient=recipient,
        pay_date=pay_date,
        act_at=act_at,
    )


STUCK_AFTER: Final = timedelta(minutes=10)
"""A try whose process died is taken up again after this: Cloud Tasks gives a handler at most 10 minutes."""

PARKED_RECHECK: Final = timedelta(days=1)
"""A parked payout is looked at daily: its person is nudged then, and no more often."""

HELD_RECHECK: Final = timedelta(days=7)
"""A payout that only staff can let go is woken by their answer; a look a week makes good for a wake that was
lost (infra/decisions/0042-news-wakes-what-waits.md)."""


def waits_for_news(payout: Payout, now: datetime) -> bool:
    """Whether news of its recipient (an account that may take money again, a hold that staff have lifted)
    wants a look at a payout now. One that is reserved and not held waits for its money to clear, and one that
    is on its way to the bank for the bank's word: no news of a person changes that."""
    if payout.act_at is None or payout.act_at <= now:
        return False
    if payout.state == "reserved":
        return payout.parked_because == "details_to_check"
    if payout.state == "sent":
        return payout.bank_payout is None or payout.bank_payout in payout.bank_refused
    return payout.state in {"parked", "failed", "bank_failed"}


def is_early(payout: Payout, now: datetime) -> bool:
    """Whether a reserved payout may not begin yet: its `act_at` is when its money has cleared, or, once that
    is past and a check holds it, the next look at that."""
    return payout.state == "reserved" and payout.act_at is not None and payout.act_at > now


def begin_sending(payout: Payout, now: datetime) -> Payout:
    """The next try at sending, saved before the processor is called; the same try if it never ended."""
    under_way = payout if payout.state == "submitting" else payout.moved("submitting")
    under_way = under_way.with_(act_at=now + STUCK_AFTER, parked_because=None)
    if payout.sending is not None and not payout.sending.refused:
        return under_way
    number = len(payout.sendings) + 1
    sending = Sending(id=sending_id(payout.id, number), number=number, started_at=now)
    return under_way.with_(sendings=[*payout.sendings, sending])


def refuse_sending(payout: Payout) -> Payout:
    """The payout with its latest try marked as refused: the next one gets a new key."""
    *earlier, last = payout.sendings
    return payout.with_(sendings=[*earlier, last.with_(refused=True)])
