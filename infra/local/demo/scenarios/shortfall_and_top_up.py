"""`shortfall-and-top-up`: a pot goes out short; a new card pays later, and the rest reaches its recipient."""

from __future__ import annotations

from infra.local.demo.circle import CARD, Circle, pounds, start
from infra.local.demo.client import Platform
from infra.local.demo.story import Story


def tell(platform: Platform, story: Story) -> Circle:
    circle = start(platform, story, default_policy="pay_cleared")
    story.chapter("The savings")
    late, receiver = circle.receiver(5), circle.receiver(2)
    circle.live_until(circle.payout_date(1), days_more=3)
    late.bank_says(*["insufficient_funds"] * 4)
    circle.live_until(circle.payout_date(2), days_more=3)
    standing = late.get(f"/v1/groups/{circle.group}/standing")
    story.tell(f"{late.name} owes {receiver.name} {pounds(standing['owes_pence'])}, and gives another card")
    late.replace_method(CARD)
    circle.live_until_all_paid(late)
    story.tell(f"{late.name} has paid: {receiver.name} is topped up")
    return circle
