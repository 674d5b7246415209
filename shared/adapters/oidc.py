"""Knows Google's own callers, Cloud Tasks and Pub/Sub push, by their OIDC tokens."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from shared.adapters.lazily import once
from shared.domain.errors import BadToken, TryAgainLater

if TYPE_CHECKING:
    from google.auth.transport.requests import Request

CLOCK_SKEW_SECONDS = 10  # tokens are made moments before they arrive, by machines whose clocks differ


class OidcCallerCheck:
    """`CallerCheck`: signature, issuer, audience, expiry, and a service account that we named.

    Never a token whose signature Google took away: whoever can reach the function could have written it
    (infra/decisions/0020).
    """

    def __init__(
        self, audiences: Collection[str], issuers: Collection[str], certs_url: str, emails: Collection[str]
    ) -> None:
        self._audiences = list(audiences)
        self._issuers = frozenset(issuers)
        self._certs_url = certs_url
        self._emails = frozenset(emails)
        self._transport = once(_caching_transport)

    def verify(self, token: str) -> None:
        from google.auth.exceptions import TransportError
        from google.oauth2 import id_token

        try:
            claims = id_token.verify_token(
                token, self._transport(), self._audiences, self._certs_url, CLOCK_SKEW_SECONDS
            )
        except TransportError as error:  # the certificates could not be had: not the token's fault
            raise TryAgainLater from error
        except Exception:  # google-auth and PyJWT share no base, and a token may be malformed in any way
            raise BadToken from None
        if (
            claims.get("iss") not in self._issuers
            or claims.get("email_verified") is not True
            or claims.get("email") not in self._emails
        ):
            raise BadToken


def _caching_transport() -> Request:
    """Certificates are kept as long as their Cache-Control allows."""
    import requests
    from cachecontrol import CacheControl
    from google.auth.transport.requests import Request

    return Request(session=CacheControl(requests.Session()))
