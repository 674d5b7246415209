"""Circles: starting, joining, agreeing, locking; and reading how one stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shared.domain.errors import (
    AccountClosed,
    AgreementChanged,
    AlreadyMember,
    CapReached,
    DetailsToCheck,
    GroupFull,
    GroupNotOpen,
    HouseTooThin,
    InvitationForAnother,
    InvitationInvalid,
    NoSuchThing,
    NotAllowed,
    NotEveryoneAgreed,
    NotReadyForMoney,
    OrderNotReady,
    OrganiserNeeded,
    PlaceTaken,
    TurnsNotOpen,
    WrongAmount,
    WrongFrequency,
    WrongMembershipState,
    WrongReserve,
    WrongSize,
    WrongStartDate,
)
from shared.domain.permissions import Action
from shared.web.answers import Download
from shared.web.paging import page
from shared.web.routes import books, places, talk
from shared.web.routing import Call, Route
from shared.web.schemas.common import Nothing, Page, PageRequest
from shared.web.schemas.groups import (
    Acceptance,
    Agreement,
    Group,
    GroupBalances,
    GroupSummary,
    Invitation,
    InvitationMail,
    Join,
    MailedInvitation,
    Membership,
    NewGroup,
    NewInvitation,
    Schedule,
    ScheduleRequest,
)


def create_group(call: Call[NewGroup]) -> dict[str, Any]:
    from shared.domain.groups import Terms
    from shared.services import create_group

    terms = Terms(**call.input.model_dump(exclude={"draft"}), **call.ctx.fees)
    return create_group.create_group(call.ctx, call.command, terms, draft=call.input.draft)


def list_groups(call: Call[PageRequest]) -> Mapping[str, Any]:
    from shared.services import read_group

    return page(call.input, lambda cursor, limit: read_group.mine(call.ctx, call.uid, cursor, limit))


def read_group(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import read_group

    return read_group.group(call.ctx, call.reader, call.path["group"])


def join_group(call: Call[Join]) -> dict[str, Any]:
    from shared.services import join_group

    return join_group.join(
        call.ctx,
        call.command,
        call.input.group,
        call.input.code,
        email=call.verified_email,
        waiting_list=call.input.waiting_list,
    )


def invite(call: Call[NewInvitation]) -> dict[str, Any]:
    from shared.services import invite

    asked = call.input
    public_url = call.wiring.settings().public_url
    return invite.invite(
        call.ctx, call.command, call.path["group"], asked.valid_days, asked.email, public_url, asked.turn
    )


def mail_invitation(call: Call[InvitationMail]) -> dict[str, Any]:
    from shared.services import mail_invitation

    asked = call.input
    public_url = call.wiring.settings().public_url
    return mail_invitation.resend(
        call.ctx, call.command, call.path["group"], asked.code, asked.email, public_url
    )


def approve_member(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import approve_member

    return approve_member.approve(call.ctx, call.command, call.path["group"], call.path["member"])


def reject_member(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import approve_member

    return approve_member.reject(call.ctx, call.command, call.path["group"], call.path["member"])


def remove_member(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import approve_member

    return approve_member.remove(call.ctx, call.command, call.path["group"], call.path["member"])


def read_agreement(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import accept_agreement

    return accept_agreement.read(call.ctx, call.reader, call.path["group"])


def accept_agreement(call: Call[Acceptance]) -> dict[str, Any]:
    from shared.services import accept_agreement

    return accept_agreement.accept(call.ctx, call.command, call.path["group"], call.input.hash)


def lock_group(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import lock_group

    return lock_group.lock(call.ctx, call.command, call.path["group"])


def cancel_group(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import cancel_group

    return cancel_group.cancel(call.ctx, call.command, call.path["group"])


def read_schedule(call: Call[ScheduleRequest]) -> Mapping[str, Any] | Download:
    from shared.services import read_group

    found = read_group.schedule(call.ctx, call.reader, call.path["group"])
    if call.input.format == "json":
        return found
    from shared.web.statement_sheets import schedule_calendar

    group = read_group.group(call.ctx, call.reader, call.path["group"])
    file = schedule_calendar(group, found, call.uid)
    return Download(file, "text/calendar; charset=utf-8", f"schedule-{group['id']}.ics")


def read_balances(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import read_group

    return read_group.balances(call.ctx, call.reader, call.path["group"])


ROUTES: Final[tuple[Route[Any], ...]] = (
    Route(
        "POST",
        "/v1/groups",
        Action.CREATE_GROUP,
        "Start a circle; whoever does is its organiser",
        takes=NewGroup,
        answer=Group,
        handler=create_group,
        status=201,
        refuses=(
            NoSuchThing,
            AccountClosed,
            WrongAmount,
            WrongSize,
            WrongFrequency,
            WrongReserve,
            WrongStartDate,
        ),
    ),
    Route(
        "GET",
        "/v1/groups",
        Action.READ_OWN_GROUPS,
        "List the circles that one is in, or has asked to join",
        takes=PageRequest,
        answer=Page[GroupSummary],
        handler=list_groups,
    ),
    Route(
        "POST",
        "/v1/groups/join",
        Action.JOIN_GROUP,
        "Ask to join a public circle, or any by an invitation's code",
        takes=Join,
        answer=Membership,
        handler=join_group,
        status=201,
        refuses=(
            NoSuchThing,
            AccountClosed,
            InvitationInvalid,
            InvitationForAnother,
            AlreadyMember,
            GroupFull,
            GroupNotOpen,
        ),
    ),
    Route(
        "GET",
        "/v1/groups/{group}",
        Action.READ_GROUP,
        "Read a circle that one is in",
        takes=Nothing,
        answer=Group,
        handler=read_group,
        refuses=(NoSuchThing,),
    ),
    Route(
        "POST",
        "/v1/groups/{group}/invitations",
        Action.INVITE,
        "Make a code that lets people ask to join, or one person take their place",
        takes=NewInvitation,
        answer=Invitation,
        handler=invite,
        status=201,
        refuses=(NoSuchThing, NotAllowed, GroupNotOpen, PlaceTaken, InvitationForAnother),
    ),
    Route(
        "POST",
        "/v1/groups/{group}/invitations/mail",
        Action.INVITE,
        "Mail an invitation again, where its mail was not sent or is lost",
        takes=InvitationMail,
        answer=MailedInvitation,
        handler=mail_invitation,
        refuses=(NoSuchThing, NotAllowed, GroupNotOpen, InvitationInvalid, InvitationForAnother),
    ),
    Route(
        "POST",
        "/v1/groups/{group}/members/{member}/approve",
        Action.DECIDE_ON_MEMBER,
        "Let somebody in who asked",
        takes=Nothing,
        answer=Membership,
        handler=approve_member,
        refuses=(NoSuchThing, NotAllowed, AccountClosed, GroupNotOpen, GroupFull, WrongMembershipState),
    ),
    Route(
        "POST",
        "/v1/groups/{group}/members/{member}/reject",
        Action.DECIDE_ON_MEMBER,
        "Turn somebody down who asked",
        takes=Nothing,
        answer=Membership,
        handler=reject_member,
        refuses=(NoSuchThing, NotAllowed, GroupNotOpen, WrongMembershipState),
    ),
    Route(
        "POST",
        "/v1/groups/{group}/members/{member}/remove",
        Action.DECIDE_ON_MEMBER,
        "Take the place back of somebody who was let in, before the lock",
        takes=Nothing,
        answer=Membership,
        handler=remove_member,
        refuses=(NoSuchThing, NotAllowed, GroupNotOpen, WrongMembershipState, OrganiserNeeded),
    ),
    Route(
        "GET",
        "/v1/groups/{group}/agreement",
        Action.READ_AGREEMENT,
        "Read what every member accepts, word for word",
        takes=Nothing,
        answer=Agreement,
        handler=read_agreement,
        refuses=(NoSuchThing,),
    ),
    Route(
        "POST",
        "/v1/groups/{group}/agreement",
        Action.ACCEPT_AGREEMENT,
        "Accept the agreement, by the hash of what one has read",
        takes=Acceptance,
        answer=Membership,
        handler=accept_agreement,
        refuses=(
            NoSuchThing,
            NotAllowed,
            AgreementChanged,
            CapReached,
            DetailsToCheck,
            GroupNotOpen,
            NotReadyForMoney,
            WrongMembershipState,
        ),
    ),
    Route(
        "POST",
        "/v1/groups/{group}/lock",
        Action.LOCK_GROUP,
        "Lock a full circle: draw the order and fix the schedule",
        takes=Nothing,
        answer=Group,
        handler=lock_group,
        refuses=(
            NoSuchThing,
            NotAllowed,
            GroupNotOpen,
            NotEveryoneAgreed,
            OrderNotReady,
            TurnsNotOpen,
            WrongStartDate,
            HouseTooThin,
        ),
    ),
    Route(
        "POST",
        "/v1/groups/{group}/cancel",
        Action.CANCEL_GROUP,
        "Call a circle off before it starts",
        takes=Nothing,
        answer=Group,
        handler=cancel_group,
        refuses=(NoSuchThing, NotAllowed, GroupNotOpen),
    ),
    Route(
        "GET",
        "/v1/groups/{group}/schedule",
        Action.READ_SCHEDULE,
        "Read the cycles: dates, recipients, payouts",
        takes=ScheduleRequest,
        answer=Schedule,
        handler=read_schedule,
        downloads=("text/calendar",),
        refuses=(NoSuchThing,),
    ),
    Route(
        "GET",
        "/v1/groups/{group}/balances",
        Action.READ_BALANCES,
        "Read where the circle's money stands",
        takes=Nothing,
        answer=GroupBalances,
        handler=read_balances,
        refuses=(NoSuchThing, NotAllowed),
    ),
    *places.ROUTES,
    *books.ROUTES,
    *talk.ROUTES,
)
