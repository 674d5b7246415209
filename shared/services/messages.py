"""Messages in a circle: write, edit, take back, report, mute, moderate, and read them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from shared.domain.decision import Decision
from shared.domain.documents import Ref
from shared.domain.errors import NoSuchThing, NotAllowed
from shared.domain.groups import Group, group_ref, roles_in
from shared.domain.ids import new_id
from shared.domain.journal import News
from shared.domain.messages import Chat, Message, chat_ref, message_ref, message_sealed_as
from shared.domain.permissions import Action, Role, allows, require
from shared.domain.retention import expiry
from shared.domain.words import ReportReason
from shared.ports import Query, Sealer
from shared.services import display_names
from shared.services.access_log import record, require_in_group
from shared.services.context import Command, Context, Reader
from shared.services.transact import Loaded, read, transact


def post(ctx: Context, command: Command, gid: str, text: str) -> dict[str, Any]:
    """Write a message. Raises NoSuchThing, Silenced, TooManyRequests.

    The circle is looked at, not changed: whoever is removed in this very moment may still get a last word in,
    and a lively talk does not hold up the circle's own decisions.
    """
    _require_member(ctx, Action.POST_MESSAGE, gid, command.actor)
    mid, now = new_id("msg", ctx.chance.token(13)), ctx.clock.wall()
    sealed = ctx.vault.sealer(gid).seal(text, message_sealed_as(mid))
    message = Message(
        id=mid,
        group=gid,
        author=command.actor,
        sealed=sealed,
        posted_at=now,
        expires_at=expiry("messages", now),
    )

    def decide(loaded: Loaded) -> Decision:
        chat = loaded.find(chat_ref(gid, command.actor))
        after = (chat or Chat(group=gid, uid=command.actor)).with_post(now)
        return _decided(_mark(message), chat, after, created=[message])

    return transact(ctx, command, [chat_ref(gid, command.actor)], decide)


def edit(ctx: Context, command: Command, gid: str, mid: str, text: str) -> dict[str, Any]:
    """Change one's own message, within 15 minutes. Raises NoSuchThing, NotAllowed, MessageGone,
    TooLateToEdit."""
    _require_member(ctx, Action.POST_MESSAGE, gid, command.actor)
    sealed, now = ctx.vault.sealer(gid).seal(text, message_sealed_as(mid)), ctx.clock.wall()
    return _change(ctx, command, gid, mid, lambda found: found.edited(command.actor, sealed, now))


def delete(ctx: Context, command: Command, gid: str, mid: str) -> dict[str, Any]:
    """Take one's own message back. Raises NoSuchThing, NotAllowed, MessageGone."""
    _require_member(ctx, Action.POST_MESSAGE, gid, command.actor)
    return _change(ctx, command, gid, mid, lambda found: found.deleted(command.actor))


def report(ctx: Context, command: Command, gid: str, mid: str, reason: ReportReason) -> dict[str, Any]:
    """Tell moderators of a message. Raises NoSuchThing, NotAllowed, MessageGone, AlreadyReported."""
    _require_member(ctx, Action.ANSWER_MESSAGES, gid, command.actor)
    now = ctx.clock.wall()
    news = News(
        id=f"message_reported:{mid}:{command.actor}",
        group=gid,
        type="message_reported",
        payload={"message": mid, "reason": reason},
    )
    return _change(ctx, command, gid, mid, lambda found: found.reported_by(command.actor, reason, now), news)


def moderate(
    ctx: Context, command: Command, reader: Reader, gid: str, mid: str, *, hide: bool
) -> dict[str, Any]:
    """Hide a message from the circle, or let it stand: an organiser's or deputy's work, or staff's.

    Raises NoSuchThing, NotAllowed, MessageGone, ReasonMissing (staff).
    """
    _require_moderator(ctx, reader, gid)

    def decide(loaded: Loaded) -> Decision:
        found = loaded.get(message_ref(gid, mid))
        after = found.moderated(command.actor, hide=hide)
        type_ = "message_hidden" if hide else "message_cleared"
        news = News(
            id=f"{type_}:{mid}:{found.revision}",
            group=gid,
            type=type_,
            payload={"message": mid, "author": found.author, "reports": len(found.reports)},
        )
        return Decision(answer=_mark(after), facts=[news], changed=[after])

    return transact(ctx, command, [message_ref(gid, mid)], decide)


def silence(ctx: Context, command: Command, reader: Reader, gid: str, uid: str, days: int) -> dict[str, Any]:
    """Keep a member from writing for some days; 0 lets them again. Nobody but staff silences an organiser.

    Raises NoSuchThing, NotAllowed, ReasonMissing (staff).
    """
    group = _require_moderator(ctx, reader, gid)
    roles = roles_in(group, uid)
    if not allows(Action.POST_MESSAGE, roles):
        raise NoSuchThing(thing="member")
    if uid == command.actor or (Role.ORGANISER in roles and not reader.roles):
        raise NotAllowed
    until = ctx.clock.wall() + timedelta(days=days) if days else None
    ref = chat_ref(gid, uid)

    def decide(loaded: Loaded) -> Decision:
        chat = loaded.find(ref)
        after = (chat or Chat(group=gid, uid=uid)).with_(silenced_until=until)
        news = News(
            id=f"member_silenced:{uid}:{chat.revision + 1 if chat else 0}",  # the revision that it makes
            group=gid,
            type="member_silenced",
            payload={"about": uid, "days": days},
        )
        answer = {"uid": uid, "silenced_until": until.isoformat() if until else None}
        return _decided(answer, chat, after, facts=[news])

    return transact(ctx, command, [ref], decide)


def mute(ctx: Context, command: Command, gid: str, uid: str, *, muted: bool) -> dict[str, Any]:
    """See no more of what somebody writes, or see it again. Nobody else learns of it. Raises NoSuchThing."""
    group = _require_member(ctx, Action.ANSWER_MESSAGES, gid, command.actor)
    if not any(seat.uid == uid for seat in group.seats):
        raise NoSuchThing(thing="member")

    def decide(loaded: Loaded) -> Decision:
        chat = loaded.find(chat_ref(gid, command.actor))
        after = (chat or Chat(group=gid, uid=command.actor)).with_muted(uid, muted=muted)
        return _decided({"uid": uid, "muted": muted}, chat, after)

    return transact(ctx, command, [chat_ref(gid, command.actor)], decide)


def mark_read(ctx: Context, command: Command, gid: str, mid: str) -> dict[str, Any]:
    """Mark everything up to a message as read. Raises NoSuchThing."""
    _require_member(ctx, Action.ANSWER_MESSAGES, gid, command.actor)
    up_to = read(ctx, message_ref(gid, mid)).get(message_ref(gid, mid)).posted_at

    def decide(loaded: Loaded) -> Decision:
        chat = loaded.find(chat_ref(gid, command.actor))
        after = (chat or Chat(group=gid, uid=command.actor)).with_read(up_to)
        return _decided({"read_at": (after.read_at or up_to).isoformat()}, chat, after)

    return transact(ctx, command, [chat_ref(gid, command.actor)], decide)


# --- reading ------------------------------------------------------------------------------------------------


def list_messages(
    ctx: Context, reader: Reader, gid: str, *, reported: bool, cursor: str | None, limit: int
) -> dict[str, Any]:
    """One page of the talk, the latest first; for moderators, what was reported and waits for them.

    What was taken back, hidden, or written by somebody whom the reader muted is there without its text.
    Raises NoSuchThing, NotAllowed, ReasonMissing (staff).
    """
    group = read(ctx, group_ref(gid)).get(group_ref(gid))
    action = Action.MODERATE_MESSAGES if reported else Action.READ_MESSAGES
    require_in_group(ctx, reader, group, action)
    collection = f"groups/{gid}/messages"
    where: list[tuple[str, Any, Any]] = [("reported", "==", True)] if reported else []
    page = ctx.store.query(Query(collection, where=where, order_by=["-posted_at"], limit=limit, after=cursor))
    found = [one.document(Message) for one in page.documents]
    chat = read(ctx, chat_ref(gid, reader.uid)).find(chat_ref(gid, reader.uid))
    sealer = ctx.vault.sealer(gid)
    names = display_names.names(ctx, gid, {one.author for one in found})
    muted = set(chat.muted) if chat and not reported else set()
    return {
        "items": [
            _view(one, names.get(one.author), _text(sealer, one, muted, moderating=reported)) for one in found
        ],
        "next_cursor": page.cursor,
        "read_at": chat.read_at.isoformat() if chat and chat.read_at else None,
        "unread": _unread(ctx, collection, chat),
    }


def _unread(ctx: Context, collection: str, chat: Chat | None) -> int:
    if chat is None or chat.read_at is None:
        return ctx.store.count(Query(collection))
    return ctx.store.count(
        Query(collection, where=[("posted_at", ">", chat.read_at)], order_by=["posted_at"])
    )


def _text(sealer: Sealer, message: Message, muted: set[str], *, moderating: bool) -> str | None:
    shown = moderating or (message.state == "visible" and message.author not in muted)
    return sealer.open(message.sealed, message_sealed_as(message.id)) if shown and message.sealed else None


def _view(message: Message, name: str | None, text: str | None) -> dict[str, Any]:
    return {
        "id": message.id,
        "author": message.author,
        "author_name": name,
        "text": text,
        "state": message.state,
        "posted_at": message.posted_at.isoformat(),
        "edited_at": message.edited_at.isoformat() if message.edited_at else None,
        "reports": [report.reason for report in message.reports] if message.reported else [],
    }


# --- what they share ----------------------------------------------------------------------------------------


def _mark(message: Message) -> dict[str, Any]:
    """The answer to a change. Without the text: answers are kept for repeated requests, unsealed."""
    return {"id": message.id, "state": message.state, "posted_at": message.posted_at.isoformat()}


def _require_member(ctx: Context, action: Action, gid: str, uid: str) -> Group:
    group = read(ctx, group_ref(gid)).get(group_ref(gid))
    require(action, roles_in(group, uid))
    return group


def _require_moderator(ctx: Context, reader: Reader, gid: str) -> Group:
    group = read(ctx, group_ref(gid)).get(group_ref(gid))
    own = roles_in(group, reader.uid)
    if not allows(Action.MODERATE_MESSAGES, own):
        require(Action.MODERATE_MESSAGES, own | reader.roles)
        record(ctx, reader, Action.MODERATE_MESSAGES, gid)
    return group


def _change(
    ctx: Context,
    command: Command,
    gid: str,
    mid: str,
    change: Callable[[Message], Message],
    news: News | None = None,
) -> dict[str, Any]:
    ref: Ref[Message] = message_ref(gid, mid)

    def decide(loaded: Loaded) -> Decision:
        after = change(loaded.get(ref))
        return Decision(answer=_mark(after), facts=[news] if news else [], changed=[after])

    return transact(ctx, command, [ref], decide)


def _decided(
    answer: dict[str, Any], before: Chat | None, after: Chat, *, created: Any = (), facts: Any = ()
) -> Decision:
    """A decision that changes one person's side of the talk, or begins it."""
    begun, changed = ([], [after]) if before else ([after], [])
    return Decision(answer=answer, facts=facts, changed=changed, created=[*created, *begun])
