"""`needs-authentication`: the bank wants the member themselves, who confirms by the link."""

from __future__ import annotations

from infra.local.demo.circle import Circle, start
from infra.local.demo.client import Platform
from infra.local.demo.story import Story


def tell(platform: Platform, story: Story) -> Circle:
    circle = start(platform, story)
    story.chapter("The savings")
    asked = circle.receiver(5)
    # Off session it is declined; asked again as if the person were there, the bank gives the link.
    asked.bank_says("authentication_required", "authentication_required")
    circle.live_until(circle.due_date(1))
    attempt = asked.contribution(circle.group, 1)["attempt"]
    story.tell(f"{asked.name}'s debit is {attempt['state']}: the bank asks them to confirm it by a link")
    platform.submit_page(attempt["action_url"], succeeds="true")
    platform.rest()
    state = asked.contribution(circle.group, 1)["attempt"]["state"]
    story.tell(f"{asked.name} follows the link and confirms: the debit is {state}")
    return circle
