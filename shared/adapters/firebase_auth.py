"""Knows people by their Firebase ID tokens."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from shared.adapters.lazily import once
from shared.domain.errors import AppCheckFailed, BadToken, TryAgainLater
from shared.ports import Identity

if TYPE_CHECKING:
    from firebase_admin import App


class FirebaseIdentityProvider:
    """`IdentityProvider` through firebase-admin.

    With `check_revoked` each verification asks Firebase whether the person was disabled or signed out
    everywhere since: one call more, and no hour in which a revoked token still works. The emulator is found
    by FIREBASE_AUTH_EMULATOR_HOST, which firebase-admin reads itself; `emulated` spares it credentials.
    """

    def __init__(self, project: str, *, check_revoked: bool = True, emulated: bool = False) -> None:
        self._project = project
        self._check_revoked = check_revoked
        self._emulated = emulated
        self._app = once(self._connect)

    def _connect(self) -> App:
        import firebase_admin

        credential = _anonymous() if self._emulated else None
        # firebase-admin keeps apps in one table per process for ever, each under a name of its own: not this
        # object's id(), which a later object gets again.
        return firebase_admin.initialize_app(credential, {"projectId": self._project}, f"ajo-{uuid4()}")

    def verify(self, token: str) -> Identity:
        from firebase_admin import auth

        app = self._app()  # outside: what is wrong with the set-up is no bad token
        with _refusing():
            return _identity(auth.verify_id_token(token, app, check_revoked=self._check_revoked))

    def open_session(self, token: str, lifetime_seconds: int) -> str:
        from firebase_admin import auth

        app = self._app()
        with _refusing():
            made = auth.create_session_cookie(token, timedelta(seconds=lifetime_seconds), app)
        return made.decode() if isinstance(made, bytes) else str(made)

    def verify_session(self, session: str) -> Identity:
        from firebase_admin import auth

        app = self._app()
        with _refusing():
            # Always asked, whatever the setting: a session lives for hours.
            return _identity(auth.verify_session_cookie(session, check_revoked=True, app=app))

    def sign_out_everywhere(self, uid: str) -> None:
        from firebase_admin import auth

        app = self._app()
        with _refusing():
            auth.revoke_refresh_tokens(uid, app)

    def remove(self, uid: str) -> None:
        from firebase_admin import auth

        app = self._app()
        with contextlib.suppress(BadToken), _refusing():
            auth.delete_user(uid, app)

    def check_app(self, token: str) -> None:
        from firebase_admin import app_check
        from jwt.exceptions import PyJWKClientConnectionError

        try:
            app_check.verify_token(token, self._app())
        except PyJWKClientConnectionError as error:  # no keys to check with: not the token's fault
            raise TryAgainLater from error
        except Exception:  # PyJWT and ValueError: a token may be malformed in any way
            raise AppCheckFailed from None


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    """What Firebase raises, as ours."""
    from firebase_admin import auth
    from firebase_admin.exceptions import FirebaseError

    refused = (
        auth.InvalidIdTokenError,  # and expired or revoked, which are kinds of it
        auth.InvalidSessionCookieError,
        auth.UserDisabledError,
        auth.UserNotFoundError,
        ValueError,
    )
    try:
        yield
    except refused:
        raise BadToken from None  # the cause quotes the token
    except FirebaseError as error:  # no certificates, no answer: not the token's fault
        raise TryAgainLater from error


def _identity(claims: dict[str, Any]) -> Identity:
    roles = claims.get("roles")
    return Identity(
        uid=claims["uid"],
        email=claims.get("email"),
        email_verified=claims.get("email_verified") is True,
        phone=claims.get("phone_number"),
        roles=frozenset(str(role) for role in roles) if isinstance(roles, list) else frozenset(),
        authenticated_at=datetime.fromtimestamp(claims["auth_time"], UTC),
        second_factor=bool((claims.get("firebase") or {}).get("sign_in_second_factor")),
    )


def _anonymous() -> Any:
    from firebase_admin import credentials
    from google.auth.credentials import AnonymousCredentials

    class Anonymous(credentials.Base):  # type: ignore[misc] # firebase-admin has no types
        def get_credential(self) -> AnonymousCredentials:
            return AnonymousCredentials()  # type: ignore[no-untyped-call]

    return Anonymous()
