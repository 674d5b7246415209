"""`dispute-after-payout`: a contribution is disputed after its pot was paid, and lost: owed to the house."""

from __future__ import annotations

from infra.local.demo.circle import Circle, start
from infra.local.demo.client import Platform
from infra.local.demo.story import Story


def tell(platform: Platform, story: Story) -> Circle:
    circle = start(platform, story)
    story.chapter("The savings")
    payer = circle.receiver(1)  # who has had their turn: there is no pot left to keep it back from
    circle.live_until(circle.payout_date(2), days_more=2)
    charge = platform.charge_of(payer.contribution(circle.group, 2)["attempt"]["id"])
    dispute = platform.stripe("POST", f"charges/{charge}/dispute", {})
    platform.rest()
    story.tell(f"{payer.name}'s bank takes the second contribution back; its pot was paid, and stays paid")
    platform.stripe("POST", f"disputes/{dispute['id']}", {"status": "lost"})
    platform.rest()
    story.tell(f"the dispute is lost: {payer.name} owes the house £100")
    return circle
