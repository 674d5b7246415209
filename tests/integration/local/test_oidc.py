"""Local tokens, verified as production verifies Google's."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from google.oauth2 import id_token

from infra.local.oidc import TokenIssuer

ISSUER = "http://127.0.0.1:8080"


def certificates_of(issuer: TokenIssuer) -> Any:
    """A transport that answers with these certificates."""

    class Answer:
        status = 200
        data = json.dumps(issuer.certificates()).encode()

    return lambda url, method: Answer()


def verify(token: str, issuer: TokenIssuer, audience: str = "ajo") -> Any:
    return id_token.verify_token(token, certificates_of(issuer), audience, f"{ISSUER}/_local/certs")


def test_a_token_says_who_calls_whom() -> None:
    issuer = TokenIssuer(ISSUER)

    claims = verify(issuer.token("ajo", "invoker@demo-ajo"), issuer)

    assert claims["iss"] == ISSUER
    assert claims["aud"] == "ajo"
    assert claims["email"] == claims["sub"] == "invoker@demo-ajo"
    assert claims["email_verified"] is True
    assert claims["exp"] - claims["iat"] == 3600


def test_a_token_for_another_audience_or_of_another_key_is_refused() -> None:
    issuer, other = TokenIssuer(ISSUER), TokenIssuer(ISSUER)
    with pytest.raises(ValueError, match="audience"):
        verify(issuer.token("somebody-else", "invoker@demo-ajo"), issuer)
    with pytest.raises(ValueError, match="Certificate"):
        verify(other.token("ajo", "invoker@demo-ajo"), issuer)


def test_a_token_is_rs256() -> None:
    header = jwt.get_unverified_header(TokenIssuer(ISSUER).token("ajo", "invoker@demo-ajo"))
    assert header["alg"] == "RS256"
