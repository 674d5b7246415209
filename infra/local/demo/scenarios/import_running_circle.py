"""`import-running-circle`: a paper circle comes here after two of its five cycles, one of them paid short."""

from __future__ import annotations

import base64
from typing import Any

from infra.local.demo.circle import EARLIEST_START, NAMES, Circle, pounds, sign_up
from infra.local.demo.client import CallFailed, Person, Platform
from infra.local.demo.story import Story

HEADER = "email,turn,paid_1,paid_2,received"
PAPER = ("100,100,500", "100,100,450", "100,50,", "100,100,", "100,100,")
"""By turns: what each paid in the first two cycles, and received. The third paid the second £50 short."""


def tell(platform: Platform, story: Story) -> Circle:
    story.chapter("People")
    people = [sign_up(platform, story, name, "pm_card_visa") for name in NAMES[:5]]
    story.chapter("A circle on paper")
    made = _brought(platform, story, people)
    group = made["id"]
    organiser, *others = people
    for person in others:
        (mail,) = platform.mails(person.email)
        code = mail["text"].partition("/join#")[2].split()[0]
        person.post("/v1/groups/join", {"code": code})
    story.tell("each of the others takes the turn that was theirs, by the code in an e-mail to them alone")
    for person in people:
        agreement = person.get(f"/v1/groups/{group}/agreement")
        person.post(f"/v1/groups/{group}/agreement", {"hash": agreement["hash"]})
    story.tell("all of them attest what was paid before, and accept the agreement")
    organiser.post(f"/v1/groups/{group}/lock")
    circle = Circle(platform, story, people, group, 10_000)
    circle.cycles = circle.schedule()
    platform.rest()
    debtor, creditor = people[2], people[1]
    owes = debtor.get(f"/v1/groups/{group}/statement")["owes_pence"]
    story.tell(
        f"{debtor.name} still owes {creditor.name} {pounds(owes)}: it is kept from {debtor.name}'s pot"
    )
    story.chapter("The savings")
    return circle


def _brought(platform: Platform, story: Story, people: list[Person]) -> dict[str, Any]:
    """The circle as it recruits; a file with a mistake is refused first."""
    organiser = people[0]
    rows = [f"{person.email},{turn},{PAPER[turn - 1]}" for turn, person in enumerate(people, start=1)]
    wrong = [rows[0].replace("500", "400"), *rows[1:4], rows[4].replace(",5,", ",=5,")]
    try:
        organiser.post("/v1/groups/import", _body(platform, wrong))
    except CallFailed as refused:
        for error in refused.problem["errors"]:
            story.tell(f"refused: {error['field']} {error['message']}")
    else:
        raise AssertionError("a file with mistakes was taken")
    made: dict[str, Any] = organiser.post("/v1/groups/import", _body(platform, rows))
    story.tell(f"{organiser.name} mends the file and brings the circle here: {made['id']}")
    return made


def _body(platform: Platform, rows: list[str]) -> dict[str, Any]:
    text = "\n".join([HEADER, *rows])
    return {
        "name": "Paper Esusu",
        "amount_pence": 10_000,
        "frequency": "monthly",
        "first_due_date": (platform.now().date() + EARLIEST_START).isoformat(),
        "default_policy": "pay_cleared",
        "file": base64.b64encode(text.encode()).decode(),
    }
