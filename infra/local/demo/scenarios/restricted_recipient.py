"""`restricted-recipient`: the recipient's account is restricted; the pot is parked, and paid once cured."""

from __future__ import annotations

from infra.local.demo.circle import Circle, start
from infra.local.demo.client import Platform
from infra.local.demo.story import Story


def tell(platform: Platform, story: Story) -> Circle:
    circle = start(platform, story)
    story.chapter("The savings")
    receiver = circle.receiver(1)
    circle.live_until(circle.due_date(1), days_more=-1)
    platform.stripe("POST", f"accounts/{receiver.payout_account}/disable", {})
    platform.rest()
    story.tell(f"Stripe wants another document from {receiver.name}, and restricts the account")
    circle.live_until(circle.payout_date(1), days_more=2)
    asked = [one for one in receiver.notifications() if one["template"] == "payout_account_needs_attention"]
    story.tell(f"{receiver.name} has been told {len(asked)} times; the turn is not lost, it waits")
    platform.stripe("POST", f"accounts/{receiver.payout_account}/cure", {})
    platform.rest()
    story.tell(f"{receiver.name} hands it in: the account can receive again")
    return circle
