"""`substitute`: somebody new takes a place over, with what was paid and what is still to pay."""

from __future__ import annotations

from infra.local.demo.circle import CARD, Circle, sign_up, start
from infra.local.demo.client import Platform
from infra.local.demo.story import Story


def tell(platform: Platform, story: Story) -> Circle:
    circle = start(platform, story, default_policy="pay_cleared")
    story.chapter("The savings")
    circle.live_until(circle.payout_date(2), days_more=3)
    leaver = circle.receiver(4)
    newcomer = sign_up(platform, story, "Zainab", CARD)
    circle.people.append(newcomer)
    consenting = [newcomer] if leaver.uid == circle.organiser.uid else [newcomer, circle.organiser]
    circle.agree(leaver, consenting, kind="substitution", with_member=newcomer.uid)
    circle.gone.add(leaver.uid)
    story.tell(f"{newcomer.name} pays in what {leaver.name} has paid, who gets it back")
    circle.live_until_all_paid(newcomer)
    return circle
