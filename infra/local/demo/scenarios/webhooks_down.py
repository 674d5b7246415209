"""`webhooks-down-three-days`: no webhook comes for more than three days; listing catches up."""

from __future__ import annotations

from datetime import timedelta

from infra.local.demo.circle import BACS, Circle, start
from infra.local.demo.client import Platform
from infra.local.demo.story import Story

DOWN = timedelta(days=4)
"""Stripe tries for three days: what happened on the first of these is never delivered."""


def tell(platform: Platform, story: Story) -> Circle:
    circle = start(platform, story, method=BACS)
    story.chapter("The savings")
    payer = circle.receiver(5)
    circle.live_until(circle.due_date(1), days_more=-1)
    platform.stripe("POST", "webhooks/outage", {"on": True})
    state = payer.contribution(circle.group, 1)["attempt"]["state"]
    story.tell(f"webhooks go down, and nothing of ours runs either: {payer.name}'s debit is '{state}'")
    platform.go_to(platform.now() + DOWN)
    platform.stripe("POST", "webhooks/outage", {"on": False})
    platform.rest()
    state = payer.contribution(circle.group, 1)["attempt"]["state"]
    story.tell(f"four days later the catch-up lists what happened meanwhile: it is '{state}'")
    return circle
