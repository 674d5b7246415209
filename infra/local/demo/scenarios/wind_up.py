"""`wind-up`: a running circle is ended by two people; each gets what they paid in, or the claim stands."""

from __future__ import annotations

from infra.local.demo.circle import Circle, start
from infra.local.demo.client import Platform
from infra.local.demo.story import Story


def tell(platform: Platform, story: Story) -> Circle:
    circle = start(platform, story, default_policy="pay_cleared")
    story.chapter("The savings")
    circle.live_until(circle.due_date(3), days_more=1)
    organiser = circle.organiser
    other = next(one for one in circle.people if one.uid != organiser.uid)
    circle.agree(organiser, [other], kind="wind_up")
    story.tell("the open pot goes back; who has had a pot owes each who has not, on the old dates")
    circle.live_until(circle.due_date(5))
    for number in (1, 2):
        circle.live_until_all_paid(circle.receiver(number))
    return circle
