"""`swap`: two members change turns, by consent of both and of the organiser."""

from __future__ import annotations

from infra.local.demo.circle import Circle, start
from infra.local.demo.client import Platform
from infra.local.demo.story import Story


def tell(platform: Platform, story: Story) -> Circle:
    circle = start(platform, story, default_policy="pay_cleared")
    story.chapter("The savings")
    circle.live_until(circle.payout_date(1), days_more=3)
    one, other = circle.receiver(3), circle.receiver(5)
    steers = circle.organiser
    consenting = [other] if steers.uid in {one.uid, other.uid} else [other, steers]
    circle.agree(one, consenting, kind="swap", with_member=other.uid)
    circle.cycles = circle.schedule()
    story.tell(f"{other.name} has the third turn now, {one.name} the fifth")
    return circle
