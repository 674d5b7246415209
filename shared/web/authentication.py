"""Who asks: people by Firebase ID token, Google's own callers by OIDC token. Both come as bearer tokens."""

from __future__ import annotations

from typing import Final

from werkzeug.wrappers import Request

from shared.domain.errors import BadToken, NoToken
from shared.ports import CallerCheck, Identity, IdentityProvider

TOKEN_LETTERS_MAX: Final = 8_192
"""Firebase allows 1,000 bytes of claims; a longer token is not worth its signature check."""


def bearer_token(request: Request) -> str:
    """Raises NoToken without an Authorization header, BadToken if it holds no usable bearer token."""
    header = request.headers.get("Authorization")
    if header is None:
        raise NoToken
    scheme, _, token = header.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or len(token) > TOKEN_LETTERS_MAX or not token.isascii():
        raise BadToken
    return token


def person(request: Request, provider: IdentityProvider) -> Identity:
    """The person who signed in. Raises NoToken or BadToken."""
    return provider.verify(bearer_token(request))


def check_caller(request: Request, check: CallerCheck) -> None:
    """Let Cloud Tasks and Pub/Sub in, and nobody else. Raises NoToken or BadToken."""
    check.verify(bearer_token(request))
