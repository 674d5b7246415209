"""`late-payer`: one pays a week after the payout; the person who received less is topped up."""

from __future__ import annotations

from infra.local.demo.circle import Circle, start
from infra.local.demo.client import Platform
from infra.local.demo.story import Story


def tell(platform: Platform, story: Story) -> Circle:
    circle = start(platform, story, default_policy="pay_cleared")
    story.chapter("The savings")
    late, receiver = circle.receiver(5), circle.receiver(1)
    late.bank_says(*["insufficient_funds"] * 4)
    circle.live_until(circle.payout_date(1))
    owed = late.contribution(circle.group, 1)
    story.tell(f"{late.name} has not paid: the contribution is {owed['timing']}; {receiver.name} gets £400")
    circle.live_until(circle.payout_date(1), days_more=7)
    late.pay(circle.group, owed["id"])
    story.tell(f"{late.name} pays, a week late: {receiver.name} is topped up as soon as it has cleared")
    return circle
