"""The fraud checks over whole lives of circles in which nobody is a fraud: whom they trouble for nothing."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import dataclass, field

from shared.domain.fraud import FraudCode, Hold, Severity, check_fraud
from shared.services.fraud_facts import facts_of
from tests.simulation.lifecycle import Lifecycle

SEEDS = 3


@dataclass
class Honest:
    """Members of the simulation: they pay late, dispute, change banks, run out of money; honestly."""

    people: int = 0
    looked_at: int = 0
    joining_held: int = 0
    payout_held: int = 0
    codes: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return (
            f"{self.people} honest members: {self.looked_at} with a finding above low, "
            f"{self.joining_held} held from joining, {self.payout_held} with a pot held {dict(self.codes)}"
        )


def measure(seeds: range, faults: frozenset[str]) -> Honest:
    """Every member, checked as they stand at the end of each life."""
    found = Honest()
    for seed in seeds:
        life = Lifecycle(seed, faults)
        assert life.run().violations == []
        ctx = life.world.ctx
        for uid in sorted({str(one["uid"]) for one in life.world.documents("members")}):
            checked = check_fraud(uid, facts_of(ctx, uid), ctx.clock.now())
            found.people += 1
            found.looked_at += any(one.severity is not Severity.LOW for one in checked.findings)
            found.joining_held += Hold.JOINING in checked.holds
            found.payout_held += Hold.PAYING_OUT in checked.holds
            found.codes.update(one.code.value for one in checked.findings)
    return found


def test_nobody_is_held_for_living_through_circles_honestly() -> None:
    """Late, out of money, with new cards: none of it is fraud, and none of it is held. Who had the pot and
    broke the promise after it is held elsewhere until a person has looked, however it came about."""
    found = measure(range(SEEDS), frozenset())
    print(found)
    assert found.people >= 5 * SEEDS
    assert set(found.codes) <= {FraudCode.DEFAULT_AFTER_PAYOUT.value}
    assert found.looked_at == found.joining_held == found.payout_held == found.codes.total()
    assert found.payout_held * 10 <= found.people


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--faults", default="", help="comma separated; none without")
    given = parser.parse_args(argv)
    print(measure(range(given.seeds), frozenset(filter(None, given.faults.split(",")))))


if __name__ == "__main__":
    main(sys.argv[1:])
