"""What a person does about themselves: profile, identity, session, consents, rights, devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shared.domain.errors import (
    AccountClosed,
    CannotBeErased,
    Erased,
    NoSuchThing,
    NoToken,
    ProcessorRefused,
    ProcessorUnavailable,
    SignInNotRecent,
    TooYoung,
    UnknownText,
    WrongBirthDate,
    WrongPostcode,
)
from shared.domain.permissions import Action
from shared.web import sessions
from shared.web.answers import Download
from shared.web.authentication import is_secure
from shared.web.routing import Call, Route
from shared.web.schemas.common import Nothing
from shared.web.schemas.oneself import (
    AutomatedDecisions,
    Consents,
    Done,
    Erasure,
    Export,
    ExportRequest,
    IdentityStanding,
    NewConsent,
    NewDevice,
    NewIdentityCheck,
    NewPreferences,
    NewProfile,
    OldDevice,
    Profile,
    Reach,
    Session,
)

TEXT: Final = "text/plain"


def save_profile(call: Call[NewProfile]) -> dict[str, Any]:
    from shared.domain.profiles import Details
    from shared.services import profile

    return profile.save(call.ctx, call.command, Details.model_validate(call.input.model_dump()))


def read_profile(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import profile

    return profile.own_profile(call.ctx, call.uid)


def check_identity(call: Call[NewIdentityCheck]) -> dict[str, Any]:
    from shared.services import identity_check

    return identity_check.start(call.ctx, call.command, call.input.return_url)


def read_identity(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import identity_check

    return identity_check.own(call.ctx, call.uid)


def record_consent(call: Call[NewConsent]) -> dict[str, Any]:
    from shared.services import consents

    given = call.input
    return consents.record(call.ctx, call.command, given.purpose, given.version, given.given)


def read_consents(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import consents

    return consents.own(call.ctx, call.uid)


def read_automated_decisions(call: Call[Nothing]) -> dict[str, Any]:
    from shared.domain.privacy import AUTOMATED_DECISIONS

    return {"notice": AUTOMATED_DECISIONS}


def export_data(call: Call[ExportRequest]) -> Mapping[str, Any] | Download:
    from shared.services import export_data

    found = export_data.export(call.ctx, call.identity)
    if call.input.format == "json":
        return found
    return Download(found["readable"].encode(), f"{TEXT}; charset=utf-8", "my-data.txt")


def erase_oneself(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import erase_person

    _require_recent_sign_in(call)
    return erase_person.erase(call.ctx, call.command, call.wiring.identity_provider())


def add_device(call: Call[NewDevice]) -> dict[str, Any]:
    from shared.domain.devices import Device
    from shared.services import reach

    device = Device(token=call.input.token, platform=call.input.platform, seen_at=call.ctx.clock.wall())
    return reach.add_device(call.ctx, call.command, device)


def remove_device(call: Call[OldDevice]) -> dict[str, Any]:
    from shared.services import reach

    return reach.remove_device(call.ctx, call.command, call.input.token)


def set_preferences(call: Call[NewPreferences]) -> dict[str, Any]:
    from shared.domain.devices import Preferences
    from shared.services import reach

    return reach.prefer(call.ctx, call.command, Preferences(**call.input.model_dump()))


def read_reach(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import reach

    return reach.own(call.ctx, call.uid)


def open_session(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import throttle

    if call.token is None:  # a session would only prolong itself
        raise NoToken
    throttle.count(call.ctx, throttle.SIGN_INS, call.uid)
    _require_recent_sign_in(call)
    seconds = int(sessions.LIFETIME.total_seconds())
    firebase = call.wiring.identity_provider().open_session(call.token, seconds)
    session = sessions.Session(firebase, call.ctx.clock.wall())
    secrets, secure = call.ctx.secrets, is_secure(call.wiring.settings())
    call.after.append(
        lambda response: sessions.keep(response, session, secrets, session.used_at, secure=secure)
    )
    return _session(call, session)


def read_session(call: Call[Nothing]) -> dict[str, Any]:
    if call.session is None:
        raise NoSuchThing(thing="session; you came by a token")
    return _session(call, call.session)


def close_session(call: Call[Nothing]) -> dict[str, Any]:
    secure = is_secure(call.wiring.settings())
    call.after.append(lambda response: sessions.end(response, secure=secure))
    return {"done": True}


def sign_out_everywhere(call: Call[Nothing]) -> dict[str, Any]:
    call.wiring.identity_provider().sign_out_everywhere(call.uid)
    return close_session(call)


def _session(call: Call[Nothing], session: sessions.Session) -> dict[str, Any]:
    return {
        "uid": call.uid,
        "csrf_token": session.csrf_token(call.ctx.secrets),
        "idle_seconds": int(sessions.IDLE.total_seconds()),
    }


def _require_recent_sign_in(call: Call[Any]) -> None:
    """What cannot be taken back needs more than a token that somebody found. Raises SignInNotRecent."""
    if call.ctx.clock.wall() - call.identity.authenticated_at > sessions.SIGNED_IN_WITHIN:
        raise SignInNotRecent(minutes=int(sessions.SIGNED_IN_WITHIN.total_seconds() // 60))


ROUTES: Final[tuple[Route[Any], ...]] = (
    Route(
        "POST",
        "/v1/users/me/profile",
        Action.SAVE_OWN_PROFILE,
        "Tell who one is, or correct it; sealed, and read by nobody else",
        takes=NewProfile,
        answer=Profile,
        handler=save_profile,
        refuses=(NoSuchThing, AccountClosed, TooYoung, WrongBirthDate, WrongPostcode, Erased),
    ),
    Route(
        "GET",
        "/v1/users/me/profile",
        Action.READ_OWN_PROFILE,
        "Read one's own profile",
        takes=Nothing,
        answer=Profile,
        handler=read_profile,
        refuses=(NoSuchThing, Erased),
    ),
    Route(
        "POST",
        "/v1/users/me/identity-check",
        Action.CHECK_OWN_IDENTITY,
        "Show a document to the payment company, or go on with that",
        takes=NewIdentityCheck,
        answer=IdentityStanding,
        handler=check_identity,
        status=201,
        refuses=(NoSuchThing, ProcessorRefused, ProcessorUnavailable),
    ),
    Route(
        "GET",
        "/v1/users/me/identity",
        Action.READ_OWN_USER,
        "Read what is known of oneself, and what that allows",
        takes=Nothing,
        answer=IdentityStanding,
        handler=read_identity,
        refuses=(NoSuchThing,),
    ),
    Route(
        "POST",
        "/v1/users/me/consents",
        Action.CONSENT,
        "Say yes or no to a text, by its version",
        takes=NewConsent,
        answer=Consents,
        handler=record_consent,
        status=201,
        refuses=(NoSuchThing, AccountClosed, UnknownText),
    ),
    Route(
        "GET",
        "/v1/users/me/consents",
        Action.CONSENT,
        "Read every answer that one has given, and the texts of today",
        takes=Nothing,
        answer=Consents,
        handler=read_consents,
    ),
    Route(
        "GET",
        "/v1/users/me/automated-decisions",
        Action.READ_OWN_USER,
        "Read what a program decides here, and one's right to a person",
        takes=Nothing,
        answer=AutomatedDecisions,
        handler=read_automated_decisions,
    ),
    Route(
        "GET",
        "/v1/users/me/export",
        Action.EXPORT_OWN_DATA,
        "Take along everything that is held of oneself",
        takes=ExportRequest,
        answer=Export,
        handler=export_data,
        refuses=(NoSuchThing,),
        downloads=(TEXT,),
    ),
    Route(
        "POST",
        "/v1/users/me/erase",
        Action.ERASE_ONESELF,
        "Have everything personal made unreadable, for good",
        takes=Nothing,
        answer=Erasure,
        handler=erase_oneself,
        refuses=(NoSuchThing, CannotBeErased, SignInNotRecent, Erased, ProcessorUnavailable),
    ),
    Route(
        "POST",
        "/v1/users/me/devices",
        Action.SET_OWN_REACH,
        "Be reached on this device, too",
        takes=NewDevice,
        answer=Reach,
        handler=add_device,
        refuses=(NoSuchThing, AccountClosed),
    ),
    Route(
        "POST",
        "/v1/users/me/devices/remove",
        Action.SET_OWN_REACH,
        "Be reached on this device no longer",
        takes=OldDevice,
        answer=Reach,
        handler=remove_device,
        refuses=(NoSuchThing, AccountClosed),
    ),
    Route(
        "POST",
        "/v1/users/me/preferences",
        Action.SET_OWN_REACH,
        "Choose channels, quiet hours and language",
        takes=NewPreferences,
        answer=Reach,
        handler=set_preferences,
        refuses=(NoSuchThing, AccountClosed),
    ),
    Route(
        "GET",
        "/v1/users/me/reach",
        Action.SET_OWN_REACH,
        "Read where and how one is reached",
        takes=Nothing,
        answer=Reach,
        handler=read_reach,
    ),
    Route(
        "POST",
        "/v1/users/session",
        Action.USE_OWN_SESSION,
        "Open a browser's session from an ID token: sets the cookie __session",
        takes=Nothing,
        answer=Session,
        handler=open_session,
        status=201,
        refuses=(SignInNotRecent,),
    ),
    Route(
        "GET",
        "/v1/users/session",
        Action.USE_OWN_SESSION,
        "Read the session that one came by, and its token for changes",
        takes=Nothing,
        answer=Session,
        handler=read_session,
        refuses=(NoSuchThing,),
    ),
    Route(
        "POST",
        "/v1/users/session/end",
        Action.USE_OWN_SESSION,
        "End this browser's session",
        takes=Nothing,
        answer=Done,
        handler=close_session,
    ),
    Route(
        "POST",
        "/v1/users/me/sign-out-everywhere",
        Action.USE_OWN_SESSION,
        "End every session and token of one's own, on every device",
        takes=Nothing,
        answer=Done,
        handler=sign_out_everywhere,
    ),
)
