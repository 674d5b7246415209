"""`hardship`: a member asks for time; nothing is taken or chased until then, and nothing is forgiven."""

from __future__ import annotations

from datetime import timedelta

from infra.local.demo.circle import Circle, start
from infra.local.demo.client import Platform
from infra.local.demo.story import Story


def tell(platform: Platform, story: Story) -> Circle:
    circle = start(platform, story, default_policy="pay_cleared")
    story.chapter("The savings")
    member, receiver = circle.receiver(4), circle.receiver(2)
    circle.live_until(circle.payout_date(1), days_more=3)
    until = circle.due_date(2) + timedelta(days=21)
    frozen = member.post(f"/v1/groups/{circle.group}/hardship", {"until": until.isoformat()})
    story.tell(f"{member.name} asks for time: {frozen['frozen']} contribution is left alone until {until}")
    circle.live_until(circle.payout_date(2), days_more=3)
    standing = member.get(f"/v1/groups/{circle.group}/standing")
    story.tell(
        f"{receiver.name}'s pot went out £100 short; {member.name} has {len(standing['marks'])} late marks"
    )
    circle.live_until_all_paid(member)
    story.tell(f"{member.name} has paid, and {receiver.name} is topped up")
    return circle
