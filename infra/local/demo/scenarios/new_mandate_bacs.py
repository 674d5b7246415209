"""`new-mandate-bacs`: all by Bacs on new mandates; one instruction is cancelled, and a new one given."""

from __future__ import annotations

from infra.local.demo.circle import BACS, Circle, start
from infra.local.demo.client import Platform
from infra.local.demo.story import Story


def tell(platform: Platform, story: Story) -> Circle:
    circle = start(platform, story, method=BACS)
    story.chapter("The savings")
    leaver = circle.receiver(5)
    circle.live_until(circle.due_date(1), days_more=-1)
    notice = leaver.contribution(circle.group, 1)
    story.tell(
        f"submitted ahead: the debit for {notice['collect_on']} is {notice['attempt']['state']} already"
    )
    circle.live_until(circle.payout_date(1))
    platform.stripe("POST", f"mandates/{leaver.default_method()['id']}/revoke", {})
    platform.rest()
    story.tell(f"{leaver.name} cancels the instruction at the bank: {leaver.methods()[0]['state']}")
    circle.live_until(circle.payout_date(1), days_more=5)
    made = leaver.replace_method(BACS)
    story.tell(f"{leaver.name} gives a new one, {made['hint']}, and misses no cycle")
    return circle
