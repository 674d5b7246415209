"""What people of a circle say to each other: messages, and disputes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shared.domain.errors import (
    AccountClosed,
    AlreadyReported,
    AppealNotPossible,
    DisputeClosed,
    DisputeExists,
    DisputeNotReady,
    Erased,
    MessageGone,
    NoSuchThing,
    NotAllowed,
    ReasonMissing,
    RemedyImpossible,
    ReviewerNotIndependent,
    Silenced,
    TooLateToEdit,
    TooManyEntries,
)
from shared.domain.permissions import Action
from shared.web.paging import page
from shared.web.routing import Call, Route
from shared.web.schemas import talk
from shared.web.schemas.common import Nothing, Page, PageRequest

_SEEN: Final = (NoSuchThing, NotAllowed, Erased)
_SEEN_BY_STAFF: Final = (*_SEEN, ReasonMissing)


def list_messages(call: Call[talk.MessagesRequest]) -> Mapping[str, Any]:
    from shared.services import messages

    return page(
        call.input,
        lambda cursor, limit: messages.list_messages(
            call.ctx,
            call.reader,
            call.path["group"],
            reported=call.input.reported,
            cursor=cursor,
            limit=limit,
        ),
    )


def post_message(call: Call[talk.NewMessage]) -> dict[str, Any]:
    from shared.services import messages

    return messages.post(call.ctx, call.command, call.path["group"], call.input.text)


def edit_message(call: Call[talk.NewMessage]) -> dict[str, Any]:
    from shared.services import messages

    return messages.edit(call.ctx, call.command, call.path["group"], call.path["message"], call.input.text)


def delete_message(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import messages

    return messages.delete(call.ctx, call.command, call.path["group"], call.path["message"])


def report_message(call: Call[talk.MessageReport]) -> dict[str, Any]:
    from shared.services import messages

    return messages.report(
        call.ctx, call.command, call.path["group"], call.path["message"], call.input.reason
    )


def moderate_message(call: Call[talk.Moderation]) -> dict[str, Any]:
    from shared.services import messages

    return messages.moderate(
        call.ctx,
        call.command,
        call.reader,
        call.path["group"],
        call.path["message"],
        hide=call.input.hide,
    )


def mark_messages_read(call: Call[talk.ReadMark]) -> dict[str, Any]:
    from shared.services import messages

    return messages.mark_read(call.ctx, call.command, call.path["group"], call.input.message)


def mute_member(call: Call[talk.Mute]) -> dict[str, Any]:
    from shared.services import messages

    return messages.mute(
        call.ctx, call.command, call.path["group"], call.path["member"], muted=call.input.muted
    )


def silence_member(call: Call[talk.Silence]) -> dict[str, Any]:
    from shared.services import messages

    return messages.silence(
        call.ctx, call.command, call.reader, call.path["group"], call.path["member"], call.input.days
    )


# --- disputes -----------------------------------------------------------------------------------------------


def open_dispute(call: Call[talk.NewDispute]) -> dict[str, Any]:
    from shared.services import disputes

    told = call.input
    return disputes.open_dispute(
        call.ctx, call.command, call.path["group"], told.kind, told.subject, told.text, told.evidence
    )


def list_disputes(call: Call[PageRequest]) -> Mapping[str, Any]:
    from shared.services import disputes

    return page(
        call.input,
        lambda cursor, limit: disputes.of_group(call.ctx, call.reader, call.path["group"], cursor, limit),
    )


def list_disputes_to_decide(call: Call[PageRequest]) -> Mapping[str, Any]:
    from shared.services import disputes

    return page(call.input, lambda cursor, limit: disputes.to_decide(call.ctx, cursor, limit))


def read_dispute(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import disputes

    return disputes.read_dispute(call.ctx, call.reader, call.path["group"], call.path["dispute"])


def add_to_dispute(call: Call[talk.DisputeEntry]) -> dict[str, Any]:
    from shared.services import disputes

    return disputes.add(
        call.ctx,
        call.command,
        call.reader,
        call.path["group"],
        call.path["dispute"],
        call.input.text,
        call.input.evidence,
    )


def withdraw_dispute(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import disputes

    return disputes.withdraw(call.ctx, call.command, call.path["group"], call.path["dispute"])


def take_up_dispute(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import disputes

    return disputes.take_up(call.ctx, call.command, call.reader, call.path["group"], call.path["dispute"])


def decide_dispute(call: Call[talk.NewDecision]) -> dict[str, Any]:
    from shared.domain.disputes import Remedy
    from shared.services import disputes

    return disputes.decide(
        call.ctx,
        call.command,
        call.reader,
        call.path["group"],
        call.path["dispute"],
        call.input.outcome,
        call.input.reason,
        [Remedy(**remedy.model_dump()) for remedy in call.input.remedies],
    )


def appeal_dispute(call: Call[talk.Appeal]) -> dict[str, Any]:
    from shared.services import disputes

    return disputes.appeal(call.ctx, call.command, call.path["group"], call.path["dispute"], call.input.text)


_MESSAGE: Final = "/v1/groups/{group}/messages/{message}"
_DISPUTE: Final = "/v1/groups/{group}/disputes/{dispute}"

ROUTES: Final[tuple[Route[Any], ...]] = (
    Route(
        "GET",
        "/v1/groups/{group}/messages",
        Action.READ_MESSAGES,
        "Read what was written in a circle, the latest first",
        takes=talk.MessagesRequest,
        answer=talk.Messages,
        handler=list_messages,
        refuses=_SEEN_BY_STAFF,
    ),
    Route(
        "POST",
        "/v1/groups/{group}/messages",
        Action.POST_MESSAGE,
        "Write to the circle",
        takes=talk.NewMessage,
        answer=talk.MessageState,
        handler=post_message,
        status=201,
        refuses=(*_SEEN, Silenced),
    ),
    Route(
        "POST",
        f"{_MESSAGE}/edit",
        Action.POST_MESSAGE,
        "Change one's own message, within 15 minutes",
        takes=talk.NewMessage,
        answer=talk.MessageState,
        handler=edit_message,
        refuses=(*_SEEN, MessageGone, TooLateToEdit),
    ),
    Route(
        "POST",
        f"{_MESSAGE}/delete",
        Action.POST_MESSAGE,
        "Take one's own message back",
        takes=Nothing,
        answer=talk.MessageState,
        handler=delete_message,
        refuses=(*_SEEN, MessageGone),
    ),
    Route(
        "POST",
        f"{_MESSAGE}/report",
        Action.ANSWER_MESSAGES,
        "Tell moderators that a message should not stand",
        takes=talk.MessageReport,
        answer=talk.MessageState,
        handler=report_message,
        refuses=(*_SEEN, MessageGone, AlreadyReported),
    ),
    Route(
        "POST",
        f"{_MESSAGE}/moderate",
        Action.MODERATE_MESSAGES,
        "Hide a message, or let it stand",
        takes=talk.Moderation,
        answer=talk.MessageState,
        handler=moderate_message,
        refuses=(*_SEEN_BY_STAFF, MessageGone),
    ),
    Route(
        "POST",
        "/v1/groups/{group}/messages/read",
        Action.ANSWER_MESSAGES,
        "Mark everything up to a message as read",
        takes=talk.ReadMark,
        answer=talk.ReadUpTo,
        handler=mark_messages_read,
        refuses=_SEEN,
    ),
    Route(
        "POST",
        "/v1/groups/{group}/members/{member}/mute",
        Action.ANSWER_MESSAGES,
        "See no more of what somebody writes, or see it again",
        takes=talk.Mute,
        answer=talk.Muted,
        handler=mute_member,
        refuses=_SEEN,
    ),
    Route(
        "POST",
        "/v1/groups/{group}/members/{member}/silence",
        Action.MODERATE_MESSAGES,
        "Keep somebody from writing for some days",
        takes=talk.Silence,
        answer=talk.Silenced,
        handler=silence_member,
        refuses=_SEEN_BY_STAFF,
    ),
    Route(
        "GET",
        "/v1/groups/disputes",
        Action.REVIEW_DISPUTE,
        "List what waits for a decision of staff, by its deadline",
        takes=PageRequest,
        answer=Page[talk.WaitingDispute],
        handler=list_disputes_to_decide,
        refuses=(NotAllowed,),
    ),
    Route(
        "GET",
        "/v1/groups/{group}/disputes",
        Action.READ_DISPUTE,
        "List one's own disputes in a circle",
        takes=PageRequest,
        answer=Page[talk.DisputeSummary],
        handler=list_disputes,
        refuses=_SEEN_BY_STAFF,
    ),
    Route(
        "POST",
        "/v1/groups/{group}/disputes",
        Action.OPEN_DISPUTE,
        "Raise a dispute about a contribution, a payout or a person",
        takes=talk.NewDispute,
        answer=talk.DisputeSummary,
        handler=open_dispute,
        status=201,
        refuses=(*_SEEN, DisputeExists, AccountClosed),
    ),
    Route(
        "GET",
        _DISPUTE,
        Action.READ_DISPUTE,
        "Read a dispute with all that was said",
        takes=Nothing,
        answer=talk.Dispute,
        handler=read_dispute,
        refuses=_SEEN_BY_STAFF,
    ),
    Route(
        "POST",
        f"{_DISPUTE}/entries",
        Action.ANSWER_DISPUTE,
        "Say more in a dispute, with evidence",
        takes=talk.DisputeEntry,
        answer=talk.DisputeSummary,
        handler=add_to_dispute,
        status=201,
        refuses=(*_SEEN_BY_STAFF, DisputeClosed, TooManyEntries),
    ),
    Route(
        "POST",
        f"{_DISPUTE}/withdraw",
        Action.OPEN_DISPUTE,
        "Take one's own dispute back",
        takes=Nothing,
        answer=talk.DisputeSummary,
        handler=withdraw_dispute,
        refuses=(*_SEEN, DisputeClosed),
    ),
    Route(
        "POST",
        f"{_DISPUTE}/take-up",
        Action.REVIEW_DISPUTE,
        "Review a dispute, as staff without a part in it",
        takes=Nothing,
        answer=talk.DisputeSummary,
        handler=take_up_dispute,
        refuses=(*_SEEN_BY_STAFF, DisputeClosed, ReviewerNotIndependent),
    ),
    Route(
        "POST",
        f"{_DISPUTE}/decision",
        Action.REVIEW_DISPUTE,
        "Decide a dispute, and put right what is wrong",
        takes=talk.NewDecision,
        answer=talk.DisputeSummary,
        handler=decide_dispute,
        refuses=(*_SEEN_BY_STAFF, DisputeClosed, DisputeNotReady, RemedyImpossible),
    ),
    Route(
        "POST",
        f"{_DISPUTE}/appeal",
        Action.OPEN_DISPUTE,
        "Appeal against a decision, once",
        takes=talk.Appeal,
        answer=talk.DisputeSummary,
        handler=appeal_dispute,
        status=201,
        refuses=(*_SEEN, AppealNotPossible, AccountClosed),
    ),
)
