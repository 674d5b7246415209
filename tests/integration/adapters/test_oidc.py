"""`OidcCallerCheck` on tokens of a local issuer whose certificates have Google's form."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from werkzeug.wrappers import Response

from infra.local.oidc import TokenIssuer
from infra.local.process import free_port
from shared.adapters.oidc import OidcCallerCheck
from shared.domain.errors import BadToken, TryAgainLater
from tests.integration.adapters.receiver import Receiver, receiving

ISSUER = "http://issuer.test"
AUDIENCE = "https://submit.test"
EMAIL = "invoker@demo-ajo.test"
ISSUING = TokenIssuer(ISSUER)


@pytest.fixture
def certificates() -> Iterator[Receiver]:
    def answer(_: Any) -> Response:
        certificates = json.dumps(ISSUING.certificates())
        return Response(certificates, headers={"Cache-Control": "max-age=3600"})

    with receiving(answer) as receiver:
        yield receiver


def check(certs_url: str) -> OidcCallerCheck:
    return OidcCallerCheck([AUDIENCE], [ISSUER], certs_url, [EMAIL, "push@demo-ajo.test"])


def forged(**changes: Any) -> str:
    """A token by the right key with other claims; None takes a claim away."""
    now = datetime.now(UTC)
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "email": EMAIL,
        "email_verified": True,
        "iat": now,
        "exp": now + timedelta(days=1),  # it is made when tests are collected, and may wait long for its turn
        **changes,
    }
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(kept, ISSUING._key, algorithm="RS256", headers={"kid": ISSUING._key_id})


def test_our_callers_are_known_and_certificates_read_once(certificates: Receiver) -> None:
    caller_check = check(certificates.url)
    caller_check.verify(ISSUING.token(AUDIENCE, EMAIL))
    caller_check.verify(ISSUING.token(AUDIENCE, "push@demo-ajo.test"))
    certificates.requests.get(timeout=30)
    assert certificates.requests.empty()


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        "a.b.c",
        ISSUING.token("https://other.test", EMAIL),
        ISSUING.token(AUDIENCE, "stranger@demo-ajo.test"),
        TokenIssuer(ISSUER).token(AUDIENCE, EMAIL),  # by another key
        TokenIssuer("http://other.test").token(AUDIENCE, EMAIL),
        forged(iss="http://other.test"),
        forged(email=None),
        forged(email_verified=False),
        forged(email_verified="true"),
        forged(exp=datetime.now(UTC) - timedelta(minutes=1)),
        forged(iat=datetime.now(UTC) + timedelta(hours=12)),
        forged(aud=None),
        jwt.encode({"iss": ISSUER, "aud": AUDIENCE, "email": EMAIL, "email_verified": True}, "", "none"),
    ],
)
def test_strangers_are_refused(certificates: Receiver, token: str) -> None:
    with pytest.raises(BadToken):
        check(certificates.url).verify(token)


def test_without_certificates_nobody_is_judged() -> None:
    with pytest.raises(TryAgainLater):
        check(f"http://127.0.0.1:{free_port()}").verify(ISSUING.token(AUDIENCE, EMAIL))
    with receiving(lambda _: Response(status=503)) as broken, pytest.raises(TryAgainLater):
        check(broken.url).verify(ISSUING.token(AUDIENCE, EMAIL))


def test_a_token_whose_signature_was_taken_away_is_refused(certificates: Receiver) -> None:
    """What a Cloud Run service behind IAM is given. Anybody can write one, so it proves nothing by itself."""
    head, claims, _ = ISSUING.token(AUDIENCE, EMAIL).split(".")
    for signature in ("SIGNATURE_REMOVED_BY_GOOGLE", ""):
        with pytest.raises(BadToken):
            check(certificates.url).verify(f"{head}.{claims}.{signature}")


def test_each_audience_is_ours(certificates: Receiver) -> None:
    caller_check = OidcCallerCheck([AUDIENCE, "https://pay-out.test"], [ISSUER], certificates.url, [EMAIL])
    caller_check.verify(ISSUING.token("https://pay-out.test", EMAIL))
    with pytest.raises(BadToken):
        caller_check.verify(ISSUING.token("https://somebody-else.test", EMAIL))
