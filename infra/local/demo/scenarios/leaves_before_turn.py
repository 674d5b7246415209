"""`leaves-before-turn`: the worked example of DESIGN.md § 5: who has turn 4 leaves after cycle 2."""

from __future__ import annotations

from infra.local.demo.circle import Circle, start
from infra.local.demo.client import Platform
from infra.local.demo.story import Story


def tell(platform: Platform, story: Story) -> Circle:
    circle = start(platform, story, default_policy="pay_cleared")
    story.chapter("The savings")
    circle.live_until(circle.payout_date(2), days_more=3)
    leaver = circle.receiver(4)
    story.tell(f"{leaver.name} leaves: what neither side has done falls away, what one has done is owed")
    circle.leaves(leaver)
    return circle
