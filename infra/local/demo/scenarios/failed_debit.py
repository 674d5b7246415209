"""`failed-debit`: a soft decline; the ladder of retries brings the money in time."""

from __future__ import annotations

from infra.local.demo.circle import Circle, start
from infra.local.demo.client import Platform
from infra.local.demo.story import Story


def tell(platform: Platform, story: Story) -> Circle:
    circle = start(platform, story)
    story.chapter("The savings")
    unlucky = circle.receiver(5)
    unlucky.bank_says("insufficient_funds")
    circle.live_until(circle.due_date(1))
    attempt = unlucky.contribution(circle.group, 1)["attempt"]
    story.tell(f"{unlucky.name}'s debit {attempt['state']}: {attempt['failure']}")
    circle.live_until(circle.payout_date(1))
    attempt = unlucky.contribution(circle.group, 1)["attempt"]
    story.tell(f"{unlucky.name}'s next debit on the ladder {attempt['state']}, in time for the pot")
    return circle
