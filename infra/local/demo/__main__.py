"""`scripts/demo`: a whole circle on a running platform, or on one that it starts; then the books."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from infra.local.demo import circle as circles
from infra.local.demo import many
from infra.local.demo.client import Platform
from infra.local.demo.scenarios import SCENARIOS
from infra.local.demo.story import Story


def main() -> int:
    arguments = _arguments()
    story = Story(quiet=arguments.quiet)
    with _platform(arguments.url, story) as platform:
        if arguments.circles:
            result = many.live(platform, story, arguments.circles, arguments.seed)
            result |= {"seconds": story.seconds}
            print(json.dumps(result) if arguments.json else _as_text(result))
            return 1 if result["reconciliation_differences"] else 0
        if arguments.scenario is None:
            result = plain(platform, story, arguments)
        else:
            result = scenario(platform, story, arguments.scenario)
    print(json.dumps(result) if arguments.json else _as_text(result))
    right = result["ledger"] == "balanced" and result["audit"] == "verified"
    return 0 if right and not result["reconciliation_differences"] else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--url", help="a running platform; without it, one is started and stopped")
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), help="a story to tell instead")
    parser.add_argument("--circles", type=int, help="so many circles at once, with troubles by chance")
    parser.add_argument("--seed", type=int, default=0, help="of these troubles")
    parser.add_argument("--members", type=int, default=5, choices=range(5, 11), metavar="5..10")
    parser.add_argument("--amount", type=int, default=100, choices=(50, 100, 500, 800), help="pounds")
    parser.add_argument("--frequency", default="monthly", choices=("weekly", "monthly"))
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--quiet", action="store_true", help="tell no story")
    return parser.parse_args()


@contextlib.contextmanager
def _platform(url: str | None, story: Story) -> Iterator[Platform]:
    if url:
        yield Platform(url)
        return
    from infra.local.platform import Platform as LocalPlatform

    story.tell("starting a platform …")
    with LocalPlatform() as local:
        yield Platform(local.base_url)


def plain(platform: Platform, story: Story, arguments: argparse.Namespace) -> dict[str, Any]:
    """A circle without trouble, from sign-up to the last pot."""
    circle = circles.start(
        platform,
        story,
        members=arguments.members,
        amount_pence=arguments.amount * 100,
        frequency=arguments.frequency,
    )
    story.chapter("The savings")
    circle.live_to_the_end()
    return report(platform, story, circle)


def scenario(platform: Platform, story: Story, name: str) -> dict[str, Any]:
    """One of the stories, to its end; who owes whom in the end belongs to it."""
    circle = SCENARIOS[name](platform, story)
    circle.live_to_the_end()
    result = report(platform, story, circle)
    debts = operator(platform, "debts", circle.group, "--json")
    for debt in debts:
        debt["debtor"] = circle.person(debt["debtor"]).name
        debt["creditor"] = next(
            (one.name for one in circle.people if one.uid == debt["creditor"]), debt["creditor"]
        )
        story.tell(f"{debt['debtor']} owes {debt['creditor']} {circles.pounds(debt['left_pence'])}")
    return {"scenario": name, **result, "open_debts": debts}


def report(platform: Platform, story: Story, circle: circles.Circle) -> dict[str, Any]:
    """What came of it, as members read it and as the books say."""
    story.chapter("The books")
    states = Counter(one["state"] for one in circle.contributions())
    received = {
        person.name: person.get(f"/v1/groups/{circle.group}/statement")["received_pence"]
        for person in circle.people
    }
    payouts = Counter(one["payout_state"] for one in circle.schedule())
    accounts = circle.organiser.get(f"/v1/groups/{circle.group}/balances")["accounts"]
    books = operator(platform, "reconcile", "--json")
    platform.fire("relay")
    audit = operator(platform, "audit", "verify", "--json")
    sealed = sum(one["sealed"] for one in audit["groups"])
    story.tell(f"the audit chain is {audit['audit']}: {sealed} facts sealed")
    story.tell(f"contributions: {dict(states)}; payouts: {dict(payouts)}")
    for name, pence in received.items():
        story.tell(f"{name} received {circles.pounds(pence)}")
    story.tell(f"the ledger is {books['ledger']}; {len(books['differences'])} differences with Stripe")
    for difference in books["differences"]:
        story.tell(f"  {difference['kind']} {difference['where']}: {difference['what']}")
    return {
        "members": len(circle.people),
        "cycles": len(circle.cycles),
        "contributions_settled": states["covered"],
        "payouts_received": payouts["received"],
        "received_pence_by_member": received,
        "house_pence": accounts["house"],
        "progress_seen": circle.progress_seen,
        "ledger": books["ledger"],
        "audit": audit["audit"],
        "reconciliation_differences": len(books["differences"]),
        "seconds": story.seconds,
    }


def operator(platform: Platform, *arguments: str) -> Any:
    """What the operator's command line answers, with the platform's own environment."""
    done = subprocess.run(
        [sys.executable, "-m", "scripts.operator", *arguments],
        env=os.environ | platform.about["environment"],
        capture_output=True,
        check=False,
        text=True,
    )
    if not done.stdout:
        raise RuntimeError(f"scripts/ajo {' '.join(arguments)} failed: {done.stderr}")
    return json.loads(done.stdout)


def _as_text(result: dict[str, Any]) -> str:
    lines = [f"{name.replace('_', ' ')}: {value}" for name, value in result.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
