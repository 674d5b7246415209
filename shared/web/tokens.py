"""Bearer tokens: people's, and the OIDC tokens of the two of Google's services that call us."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.domain.errors import BadToken, NoToken

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

    from shared.ports import CallerCheck

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


def check_caller(request: Request, check: CallerCheck) -> None:
    """Let Cloud Tasks and Pub/Sub in, and nobody else. Raises NoToken or BadToken."""
    check.verify(bearer_token(request))
