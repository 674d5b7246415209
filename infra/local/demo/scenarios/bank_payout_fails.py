"""`bank-payout-fails`: the transfer is sent, the bank refuses; new details, cooling off, received."""

from __future__ import annotations

from infra.local.demo.circle import Circle, start
from infra.local.demo.client import Platform
from infra.local.demo.story import Story

CLOSED_ACCOUNT, GOOD_ACCOUNT = "11111113", "00012345"


def tell(platform: Platform, story: Story) -> Circle:
    circle = start(platform, story)
    story.chapter("The savings")
    receiver = circle.receiver(1)
    bank = f"accounts/{receiver.payout_account}/bank"
    platform.stripe("POST", bank, {"account_number": CLOSED_ACCOUNT})
    story.tell(f"{receiver.name} closes the bank account that pots were to go to")
    circle.live_until(circle.payout_date(1), days_more=7)
    state = circle.schedule()[0]["payout_state"]
    story.tell(f"the transfer was sent, the bank sent it back: {state}")
    platform.stripe("POST", bank, {"account_number": GOOD_ACCOUNT})
    platform.rest()
    story.tell(f"{receiver.name} gives new details; nothing is paid to them before they have cooled off")
    return circle
