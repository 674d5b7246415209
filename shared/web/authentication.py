"""Who asks: people, by Firebase ID token or a browser's session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.wrappers import Request

from shared.domain.errors import (
    AppCheckFailed,
    EmailNotVerified,
    NotAllowed,
    NoToken,
    SecondFactorMissing,
)
from shared.domain.permissions import (
    NEEDS_VERIFIED_EMAIL,
    STAFF_ROLES,
    Action,
    Role,
    may_begin,
    personal_roles,
)
from shared.domain.record import record
from shared.web import sessions
from shared.web.tokens import TOKEN_LETTERS_MAX, bearer_token

if TYPE_CHECKING:
    import flask

    from shared.config import Settings
    from shared.ports import Identity
    from shared.web.routing import Wiring


@record
class Asker:
    """Who asks, and by what: a session of a browser, or the token that was sent."""

    identity: Identity
    session: sessions.Session | None = None
    token: str | None = None


def asker(request: flask.Request, wiring: Wiring) -> Asker:
    """The person who signed in. Raises NoToken, BadToken or CsrfTokenWrong.

    A bearer token goes before a cookie: it was put there on purpose, and no other site can have done so.
    """
    if "Authorization" in request.headers or sessions.COOKIE not in request.cookies:
        token = bearer_token(request)
        return Asker(wiring.identity_provider().verify(token), token=token)
    ctx = wiring.context()
    session = sessions.from_request(request, ctx.secrets, ctx.clock.wall())
    if session is None:
        raise NoToken
    return Asker(wiring.identity_provider().verify_session(session.firebase), session)


def renew(response: flask.Response, session: sessions.Session, wiring: Wiring) -> None:
    """Note in the cookie that the session was used."""
    ctx = wiring.context()
    now = ctx.clock.wall()
    if now - session.used_at >= sessions.RENEWED_AFTER:
        sessions.keep(response, session, ctx.secrets, now, secure=is_secure(wiring.settings()))


def is_secure(settings: Settings) -> bool:
    """Whether cookies travel by https alone: everywhere but on one's own machine."""
    return settings.environment != "local"


def roles_of(identity: Identity, settings: Settings) -> frozenset[Role]:
    """What somebody is by themselves. Without a second factor nobody is staff."""
    trusted = identity.second_factor or not settings.staff_second_factor
    return personal_roles(identity.roles if trusted else ())


def check_may_begin(action: Action, identity: Identity, settings: Settings) -> None:
    """Raises NotAllowed, SecondFactorMissing, EmailNotVerified."""
    if not may_begin(action, roles_of(identity, settings)):
        if may_begin(action, personal_roles(identity.roles) & STAFF_ROLES):
            raise SecondFactorMissing
        raise NotAllowed
    if action in NEEDS_VERIFIED_EMAIL and not identity.email_verified:
        raise EmailNotVerified


def check_app(request: Request, wiring: Wiring) -> None:
    """Let our own apps alone in, where the environment asks for it. Raises AppCheckFailed."""
    if not wiring.settings().app_check:
        return
    token = request.headers.get("X-Firebase-AppCheck", "")
    if not token or not token.isascii() or len(token) > TOKEN_LETTERS_MAX:
        raise AppCheckFailed
    wiring.identity_provider().check_app(token)
