"""Create a group: its terms judged, its organiser seated, the draw's seed committed."""

from __future__ import annotations

from typing import Any

from shared.domain.calendar import london_day
from shared.domain.decision import Decision
from shared.domain.groups import Draw, Group, Seat, Terms, check_terms
from shared.domain.ids import new_id
from shared.domain.journal import News
from shared.domain.members import Member
from shared.domain.rotation import DrawSeed, commitment
from shared.domain.users import user_ref
from shared.services import display_names, views
from shared.services.context import Command, Context
from shared.services.transact import Loaded, transact


def create_group(ctx: Context, command: Command, terms: Terms, *, draft: bool = False) -> dict[str, Any]:
    """Start recruiting for a new circle, or only draft it, with the caller as its organiser and first member.

    The seed of the draw is committed here, before anybody has joined: nobody, not even we, can choose it
    to suit the people. Raises NoSuchThing before the sign-up, AccountClosed, WrongAmount, WrongSize,
    WrongFrequency, WrongStartDate.
    """
    now = ctx.clock.now()
    check_terms(terms, london_day(now))
    gid, seed = new_id("grp", ctx.chance.token(13)), ctx.chance.token(32)
    organiser = Seat(uid=command.actor, state="approved", role="organiser")
    group = Group(
        id=gid,
        state="draft" if draft else "recruiting",
        terms=terms,
        organiser=command.actor,
        seats=[organiser],
        draw=Draw(commitment=commitment(seed)),
        created_at=now,
    )
    member = Member(group=gid, uid=command.actor, state="approved", role="organiser", joined_at=now)
    fact = News(
        id="group_created",
        group=gid,
        type="group_created",
        payload={
            "organiser": command.actor,
            "amount_pence": terms.amount_pence,
            "members": terms.members,
            "frequency": terms.frequency,
            "draw_commitment": group.draw.commitment,
        },
    )

    def decide(loaded: Loaded) -> Decision:
        loaded.get(user_ref(command.actor)).require_open()
        return Decision(
            answer=views.group(group, command.actor),
            facts=[fact],
            created=[group, member, DrawSeed(group=gid, seed=seed.hex())],
        )

    answer = transact(ctx, command, [user_ref(command.actor)], decide)
    display_names.share(ctx, answer["id"], command.actor)
    return answer
