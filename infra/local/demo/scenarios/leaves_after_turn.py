"""`leaves-after-turn`: who has had the first pot leaves, owes the rest, and pays it off by a plan."""

from __future__ import annotations

from datetime import timedelta

from infra.local.demo.circle import Circle, start
from infra.local.demo.client import Platform
from infra.local.demo.story import Story


def tell(platform: Platform, story: Story) -> Circle:
    circle = start(platform, story, default_policy="pay_cleared")
    story.chapter("The savings")
    circle.live_until(circle.payout_date(1), days_more=3)
    leaver = circle.receiver(1)
    story.tell(f"{leaver.name} leaves after their turn: there is no way out of what was received")
    circle.leaves(leaver)
    first = platform.now().date() + timedelta(days=28)
    instalments = [
        {"pence": 5_000, "due_date": (first + timedelta(weeks=2 * number)).isoformat()} for number in range(8)
    ]
    circle.agree(leaver, [circle.organiser], kind="plan", instalments=instalments)
    story.tell(f"{leaver.name} pays eight times £50, from {first} on")
    circle.live_until_all_paid(leaver)
    story.tell(f"{leaver.name} has paid it off")
    return circle
