"""Something to look at on a new platform: five people, and a circle of theirs that is about to start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.local.demo import circle
from infra.local.demo.client import Platform as Client
from infra.local.demo.story import Story
from infra.local.platform import Login

if TYPE_CHECKING:
    from infra.local.platform import Platform


def seed(platform: Platform) -> list[Login]:
    """A locked monthly circle of 5 × £100; who can sign in to see it."""
    made = circle.start(
        Client(platform.base_url),
        Story(quiet=True),
        members=5,
        amount_pence=10_000,
        frequency="monthly",
    )
    roles = ["organiser", *["member"] * (len(made.people) - 1)]
    return [
        Login(role=f"{person.name}, {role}", email=person.email, password=circle.PASSWORD)
        for person, role in zip(made.people, roles, strict=True)
    ]
