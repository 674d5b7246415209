"""Knows people by their Firebase ID tokens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shared.adapters.lazily import once
from shared.domain.errors import BadToken, TryAgainLater
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
        # Named by this object, for firebase-admin keeps apps in one table per process.
        return firebase_admin.initialize_app(credential, {"projectId": self._project}, f"ajo-{id(self)}")

    def verify(self, token: str) -> Identity:
        from firebase_admin import auth
        from firebase_admin.exceptions import FirebaseError

        refused = (
            auth.InvalidIdTokenError,  # and expired or revoked, which are kinds of it
            auth.UserDisabledError,
            auth.UserNotFoundError,
            ValueError,
        )
        try:
            claims = auth.verify_id_token(token, self._app(), check_revoked=self._check_revoked)
        except refused:
            raise BadToken from None  # the cause quotes the token
        except FirebaseError as error:  # no certificates, no answer: not the token's fault
            raise TryAgainLater from error
        return _identity(claims)


def _identity(claims: dict[str, Any]) -> Identity:
    roles = claims.get("roles")
    return Identity(
        uid=claims["uid"],
        email=claims.get("email"),
        email_verified=claims.get("email_verified") is True,
        phone=claims.get("phone_number"),
        roles=frozenset(str(role) for role in roles) if isinstance(roles, list) else frozenset(),
        authenticated_at=datetime.fromtimestamp(claims["auth_time"], UTC),
    )


def _anonymous() -> Any:
    from firebase_admin import credentials
    from google.auth.credentials import AnonymousCredentials

    class Anonymous(credentials.Base):  # type: ignore[misc] # firebase-admin has no types
        def get_credential(self) -> AnonymousCredentials:
            return AnonymousCredentials()  # type: ignore[no-untyped-call]

    return Anonymous()
