"""Sessions of browsers: the one cookie that Firebase Hosting lets through, `__session`.

It holds Firebase's own session, when it was last used, and our signature over both. Thirty idle minutes end
it without a read of any store; Firebase ends it everywhere at once when the person is signed out or disabled.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Final

from flask import Request, Response

from shared.domain.errors import BadToken, CsrfTokenWrong
from shared.domain.record import record
from shared.ports import Secrets

COOKIE: Final = "__session"
KEY: Final = "session-key"

IDLE: Final = timedelta(minutes=30)
LIFETIME: Final = timedelta(hours=12)
"""A day's work: whoever comes back tomorrow signs in again (OWASP ASVS 5.0, 7.3)."""

RENEWED_AFTER: Final = timedelta(minutes=1)
"""A cookie is set anew at most once a minute: parallel requests need no more."""

SIGNED_IN_WITHIN: Final = timedelta(minutes=5)
"""A token may be an hour old; who opens a session has just signed in."""

COOKIE_LETTERS_MAX: Final = 4_096
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@record
class Session:
    """A session as its cookie says: Firebase's text, and when it was last used."""

    firebase: str
    used_at: datetime

    def csrf_token(self, secrets: Secrets) -> str:
        """What a page sends with each change, and another site cannot know."""
        return _signature(secrets.current(KEY), "csrf", self.firebase)


def from_request(request: Request, secrets: Secrets, now: datetime) -> Session | None:
    """The session that a request brings, None without a cookie.

    Raises BadToken for a cookie that is not ours or has been idle too long, CsrfTokenWrong for a change
    without the session's token.
    """
    cookie = request.cookies.get(COOKIE)
    if cookie is None:
        return None
    session = _read(cookie, secrets.accepted(KEY))
    if now - session.used_at >= IDLE:
        raise BadToken
    if request.method not in SAFE_METHODS:
        given = request.headers.get("X-CSRF-Token", "")
        expected = (_signature(key, "csrf", session.firebase) for key in secrets.accepted(KEY))
        if not given.isascii() or not any(hmac.compare_digest(given, one) for one in expected):
            raise CsrfTokenWrong
    return session


def keep(response: Response, session: Session, secrets: Secrets, now: datetime, *, secure: bool) -> None:
    """Set the cookie, used now."""
    used = int(now.timestamp())
    signature = _signature(secrets.current(KEY), str(used), session.firebase)
    response.set_cookie(
        COOKIE,
        f"{session.firebase}~{used}~{signature}",
        max_age=int(IDLE.total_seconds()),
        secure=secure,
        httponly=True,
        samesite="Lax",
    )


def end(response: Response, *, secure: bool) -> None:
    """Have the browser forget the cookie."""
    response.delete_cookie(COOKIE, secure=secure, httponly=True, samesite="Lax")


def _read(cookie: str, keys: list[bytes]) -> Session:
    firebase, _, rest = cookie.partition("~")
    used, _, signature = rest.partition("~")
    if len(cookie) > COOKIE_LETTERS_MAX or not cookie.isascii() or not used.isdigit() or len(used) > 12:
        raise BadToken
    if not any(hmac.compare_digest(signature, _signature(key, used, firebase)) for key in keys):
        raise BadToken
    return Session(firebase, datetime.fromtimestamp(int(used), UTC))


def _signature(key: bytes, *parts: str) -> str:
    return hmac.new(key, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()
