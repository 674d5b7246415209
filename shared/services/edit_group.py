"""Edit and publish a draft: nobody else is in it yet, so its terms may still change."""

from __future__ import annotations

from typing import Any

from shared.domain.calendar import london_day
from shared.domain.decision import Decision
from shared.domain.errors import GroupChanged, NotADraft
from shared.domain.groups import Terms, check_terms, group_ref, roles_in
from shared.domain.journal import News
from shared.domain.permissions import Action, require
from shared.services import views
from shared.services.context import Command, Context
from shared.services.transact import Loaded, transact


def edit(ctx: Context, command: Command, gid: str, terms: Terms, revision: int | None) -> dict[str, Any]:
    """Give a draft other terms; `revision` is the one that was read, where it must still be that.

    Raises NoSuchThing, NotAllowed, NotADraft, GroupChanged, WrongAmount, WrongSize, WrongFrequency,
    WrongStartDate.
    """

    def decide(loaded: Loaded) -> Decision:
        group = loaded.get(group_ref(gid))
        require(Action.EDIT_GROUP, roles_in(group, command.actor))
        if group.state != "draft":
            raise NotADraft(state=group.state)
        if revision is not None and revision != group.revision:
            raise GroupChanged
        check_terms(terms, london_day(ctx.clock.now()))
        after = group.with_(terms=terms)
        news = News(id=f"group_edited:{group.revision}", group=gid, type="group_edited")
        answer = views.group(after.with_(revision=group.revision + 1), command.actor)
        return Decision(answer=answer, facts=[news], changed=[after])

    return transact(ctx, command, [group_ref(gid)], decide)


def publish(ctx: Context, command: Command, gid: str) -> dict[str, Any]:
    """Begin to recruit: from here on people rely on the terms. Raises NoSuchThing, NotAllowed, NotADraft,
    and what is wrong with terms that have grown old."""

    def decide(loaded: Loaded) -> Decision:
        group = loaded.get(group_ref(gid))
        require(Action.EDIT_GROUP, roles_in(group, command.actor))
        if group.state != "draft":
            raise NotADraft(state=group.state)
        check_terms(group.terms, london_day(ctx.clock.now()))
        after = group.moved("recruiting")
        news = News(id="group_published", group=gid, type="group_published")
        answer = views.group(after.with_(revision=group.revision + 1), command.actor)
        return Decision(answer=answer, facts=[news], changed=[after])

    return transact(ctx, command, [group_ref(gid)], decide)
