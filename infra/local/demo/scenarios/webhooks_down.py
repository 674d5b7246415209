"""`webhooks-down-three-days`: no webhook comes for more than three days; listing catches up."""

from __future__ import annotations

from datetime import timedelta

from infra.local.demo.circle import BACS, Circle, start
from infra.local.demo.client import Person, Platform
from infra.local.demo.story import Story

DOWN = timedelta(days=8)
"""Stripe tries for three days. By the end of these, what happened on the first of them is given up."""


def tell(platform: Platform, story: Story) -> Circle:
    circle = start(platform, story, method=BACS)
    story.chapter("The savings")
    payer = circle.receiver(5)
    while _debit(payer, circle) != "processing":
        circle.live_until(platform.now().date(), days_more=1)
    platform.stripe("POST", "webhooks/outage", {"on": True})
    story.tell("the debits are at the banks; no webhook comes, and nothing of ours runs, for 8 days")
    platform.go_to(platform.now() + DOWN)
    story.tell(f"the catch-up lists what happened: {payer.name}'s debit is {_debit(payer, circle)}")
    platform.stripe("POST", "webhooks/outage", {"on": False})
    platform.rest()
    return circle


def _debit(payer: Person, circle: Circle) -> str | None:
    attempt = payer.contribution(circle.group, 1)["attempt"]
    return attempt and str(attempt["state"])
