"""People, and their accounts for payouts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shared.domain.errors import NoSuchThing, ProcessorRefused, ProcessorUnavailable
from shared.domain.permissions import Action
from shared.web.paging import page
from shared.web.routes import oneself
from shared.web.routing import Call, Route
from shared.web.schemas.common import Nothing, Page, PageRequest
from shared.web.schemas.users import (
    NewPayoutAccount,
    Notification,
    PayoutAccount,
    PayoutAccountLink,
    User,
)


def sign_up(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import sign_up

    return sign_up.sign_up(call.ctx, call.command, call.identity)


def read_user(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import read_user

    return read_user.read_user(call.ctx, call.uid)


def list_notifications(call: Call[PageRequest]) -> Mapping[str, Any]:
    from shared.services import notifications

    return page(call.input, lambda cursor, limit: notifications.own(call.ctx, call.uid, cursor, limit))


def open_payout_account(call: Call[NewPayoutAccount]) -> dict[str, Any]:
    from shared.services import payout_account

    return payout_account.open_payout_account(
        call.ctx, call.command, call.identity.email, call.input.return_url, call.input.refresh_url
    )


def refresh_payout_account(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import payout_account

    return payout_account.refresh_payout_account(call.ctx, call.command)


ROUTES: Final[tuple[Route[Any], ...]] = (
    Route(
        "POST",
        "/v1/users",
        Action.SIGN_UP,
        "Sign up: the person whom the token names becomes a user",
        takes=Nothing,
        answer=User,
        handler=sign_up,
        status=201,
    ),
    Route(
        "GET",
        "/v1/users/me/notifications",
        Action.READ_OWN_NOTIFICATIONS,
        "List what one was told, newest first",
        takes=PageRequest,
        answer=Page[Notification],
        handler=list_notifications,
    ),
    Route(
        "GET",
        "/v1/users/me",
        Action.READ_OWN_USER,
        "Read oneself",
        takes=Nothing,
        answer=User,
        handler=read_user,
        refuses=(NoSuchThing,),
    ),
    Route(
        "POST",
        "/v1/users/me/payout-account",
        Action.OPEN_OWN_PAYOUT_ACCOUNT,
        "Open one's account for payouts at the payment company, or get a new link to it",
        takes=NewPayoutAccount,
        answer=PayoutAccountLink,
        handler=open_payout_account,
        status=201,
        refuses=(NoSuchThing, ProcessorRefused, ProcessorUnavailable),
    ),
    Route(
        "POST",
        "/v1/users/me/payout-account/refresh",
        Action.REFRESH_OWN_PAYOUT_ACCOUNT,
        "Ask the payment company anew whether pots can be received",
        takes=Nothing,
        answer=PayoutAccount,
        handler=refresh_payout_account,
        refuses=(NoSuchThing, ProcessorRefused, ProcessorUnavailable),
    ),
    *oneself.ROUTES,
)
