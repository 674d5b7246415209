"""The faults of FAULTS.md: which of them a seed has, when each strikes, and how often each struck."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable

# The chance that a fault strikes at one of its opportunities, in a seed that has it. Opportunities differ:
# a call to a port for some, a cycle or a contribution for others.
CHANCES: dict[str, float] = {
    "crash": 0.012,  # a handler starts
    "duplicate-event": 0.03,  # a webhook is due
    "twin-events": 0.03,  # a webhook is due
    "reordered-events": 0.12,  # several webhooks are due
    "webhook-first": 0.10,  # the processor answers a call that moves money
    "three-at-once": 0.06,  # a contribution is to be collected
    "stripe-answer-lost": 0.025,  # a request to the processor
    "stale-retry": 0.03,  # the processor answers a call that moves money
    "low-balance": 0.25,  # a circle starts
    "account-disabled": 0.20,  # a payout is reserved, or sent
    "reversal-refused": 0.15,  # a payout is sent, or received
    "dispute": 0.06,  # a contribution is settled
    "mandate-revoked": 0.15,  # a debit by mandate is noticed
    "bank-change": 0.15,  # a cycle's payout comes near
    "store-trouble": 0.004,  # a call to the store
    "ticks": 0.06,  # a tick is due
    "poison": 0.01,  # a message is delivered
    "mismatch": 0.20,  # a cycle begins
    "bad-request": 0.02,  # a webhook is delivered
    "webhook-outage": 0.10,  # a cycle begins
    "calendar": 1.0,  # a circle is planned
    "tampered": 1.0,  # a circle has ended
    "people-race": 1.0,  # a circle forms
    "restore": 1.0,  # a circle has ended
}
NAMES = tuple(CHANCES)

NOT_HERE = {
    "key-destroyed": "no money hangs on it: a test of erasure holds it",
}
"""Faults of FAULTS.md that a simulation of the ledger cannot hold, with the reason."""

EVERY_NTH_SEED = 3
"""Each seed has a third of the faults, in turn, so that three seeds after one another have all."""

ALSO = 0.12
"""The chance of each further fault: so that any two of them meet in some seed."""

STRIKES_MAX = 4
"""Of one fault in one seed: what is broken all the time tests nothing but patience."""


class Faults:
    """The faults of one seed. `strikes` is asked at each opportunity."""

    def __init__(self, seed: int, only: Iterable[str] | None = None) -> None:
        self._chance = random.Random(f"faults:{seed}")
        also = {name for name in NAMES if self._chance.random() < ALSO}
        in_turn = {name for at, name in enumerate(NAMES) if (at + seed) % EVERY_NTH_SEED == 0}
        self.active = frozenset(in_turn | also if only is None else only)
        self.struck: Counter[str] = Counter()

    def strikes(self, name: str, *, rather: float = 1.0) -> bool:
        """Whether a fault strikes now; it is counted if so. `rather` scales its chance."""
        if not self.is_due(name, rather=rather):
            return False
        self.struck[name] += 1
        return True

    def is_due(self, name: str, *, rather: float = 1.0) -> bool:
        """Whether a fault is to strike now. Whoever makes it strike later counts it then."""
        return (
            name in self.active
            and self.struck[name] < STRIKES_MAX
            and self._chance.random() < CHANCES[name] * rather
        )

    def count(self, name: str) -> None:
        """A fault that was due has struck."""
        self.struck[name] += 1
