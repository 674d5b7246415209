"""People and places of a circle before it starts: drafts, the public list, invitations, roles, imports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shared.domain.errors import (
    AccountClosed,
    GroupChanged,
    ImportRefused,
    InvitationForAnother,
    InvitationInvalid,
    NoSuchThing,
    NotADraft,
    NotAllowed,
    WrongAmount,
    WrongFrequency,
    WrongMembershipState,
    WrongReserve,
    WrongSize,
    WrongStartDate,
)
from shared.domain.permissions import Action
from shared.web.paging import page
from shared.web.routing import Call, Route
from shared.web.schemas.common import Nothing, Page, PageRequest
from shared.web.schemas.groups import Group, GroupTerms, Membership
from shared.web.schemas.places import (
    BrowseRequest,
    ImportedGroup,
    NewImport,
    NewRole,
    OpenInvitation,
    Preview,
    PreviewRequest,
    PublicGroup,
    RevokedInvitation,
)


def edit_group(call: Call[GroupTerms]) -> dict[str, Any]:
    from shared.domain.groups import Terms
    from shared.services import edit_group

    terms = Terms(**call.input.model_dump(), **call.ctx.fees)
    return edit_group.edit(call.ctx, call.command, call.path["group"], terms, call.if_match)


def publish_group(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import edit_group

    return edit_group.publish(call.ctx, call.command, call.path["group"])


def list_public_groups(call: Call[BrowseRequest]) -> Mapping[str, Any]:
    from shared.services import browse_groups

    asked = call.input
    return page(
        asked,
        lambda cursor, limit: browse_groups.public(
            call.ctx, asked.amount_pence, asked.frequency, cursor, limit
        ),
    )


def preview_group(call: Call[PreviewRequest]) -> dict[str, Any]:
    from shared.services import browse_groups

    return browse_groups.preview(
        call.ctx, call.command, call.input.group, call.input.code, call.verified_email
    )


def list_invitations(call: Call[PageRequest]) -> Mapping[str, Any]:
    from shared.services import invitations

    return page(
        call.input,
        lambda cursor, limit: invitations.of_group(call.ctx, call.uid, call.path["group"], cursor, limit),
    )


def revoke_invitation(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import invitations

    return invitations.revoke(call.ctx, call.command, call.path["group"], call.path["invitation"])


def withdraw_request(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import withdraw_request

    return withdraw_request.withdraw(call.ctx, call.command, call.path["group"])


def assign_role(call: Call[NewRole]) -> dict[str, Any]:
    from shared.services import assign_role

    return assign_role.assign(
        call.ctx, call.command, call.path["group"], call.path["member"], call.input.role
    )


def import_group(call: Call[NewImport]) -> dict[str, Any]:
    import base64

    from shared.domain.groups import Terms
    from shared.services import import_circle

    told = call.input.model_dump(exclude={"file"})
    return import_circle.import_circle(
        call.ctx,
        call.command,
        Terms(members=0, **told, **call.ctx.fees),
        base64.b64decode(call.input.file),
        call.verified_email,
        call.wiring.settings().public_url,
    )


_TERMS: Final = (WrongAmount, WrongSize, WrongFrequency, WrongReserve, WrongStartDate)

ROUTES: Final[tuple[Route[Any], ...]] = (
    Route(
        "POST",
        "/v1/groups/{group}/terms",
        Action.EDIT_GROUP,
        "Give a draft other terms; with If-Match, only as it was read",
        takes=GroupTerms,
        answer=Group,
        handler=edit_group,
        editable=True,
        refuses=(NoSuchThing, NotAllowed, NotADraft, GroupChanged, *_TERMS),
    ),
    Route(
        "POST",
        "/v1/groups/{group}/publish",
        Action.EDIT_GROUP,
        "Begin to recruit for a draft",
        takes=Nothing,
        answer=Group,
        handler=publish_group,
        refuses=(NoSuchThing, NotAllowed, NotADraft, *_TERMS),
    ),
    Route(
        "GET",
        "/v1/groups/public",
        Action.BROWSE_GROUPS,
        "List public circles that recruit",
        takes=BrowseRequest,
        answer=Page[PublicGroup],
        handler=list_public_groups,
    ),
    Route(
        "POST",
        "/v1/groups/preview",
        Action.BROWSE_GROUPS,
        "Read a circle's rules before asking to join",
        takes=PreviewRequest,
        answer=Preview,
        handler=preview_group,
        refuses=(NoSuchThing, InvitationInvalid, InvitationForAnother),
    ),
    Route(
        "GET",
        "/v1/groups/{group}/invitations",
        Action.INVITE,
        "List a circle's invitations, without their codes",
        takes=PageRequest,
        answer=Page[OpenInvitation],
        handler=list_invitations,
        refuses=(NoSuchThing, NotAllowed),
    ),
    Route(
        "POST",
        "/v1/groups/{group}/invitations/{invitation}/revoke",
        Action.INVITE,
        "Take an invitation back",
        takes=Nothing,
        answer=RevokedInvitation,
        handler=revoke_invitation,
        refuses=(NoSuchThing, NotAllowed),
    ),
    Route(
        "POST",
        "/v1/groups/{group}/withdraw",
        Action.JOIN_GROUP,
        "Take one's own request to join back",
        takes=Nothing,
        answer=Membership,
        handler=withdraw_request,
        refuses=(NoSuchThing, WrongMembershipState),
    ),
    Route(
        "POST",
        "/v1/groups/{group}/members/{member}/role",
        Action.ASSIGN_ROLE,
        "Name a deputy, or hand the circle over",
        takes=NewRole,
        answer=Membership,
        handler=assign_role,
        refuses=(NoSuchThing, NotAllowed, WrongMembershipState),
    ),
    Route(
        "POST",
        "/v1/groups/import",
        Action.IMPORT_GROUP,
        "Bring a running circle here in the middle, by a CSV file",
        takes=NewImport,
        answer=ImportedGroup,
        handler=import_group,
        status=201,
        refuses=(NoSuchThing, AccountClosed, ImportRefused, WrongAmount, WrongFrequency, WrongStartDate),
    ),
)
