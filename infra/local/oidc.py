"""The local token issuer: OIDC tokens as Google makes them for Cloud Tasks and Pub/Sub push.

Its certificates have the form of Google's own (https://www.googleapis.com/oauth2/v1/certs), so that functions
verify here and in production by one path, `google.oauth2.id_token.verify_token`; issuer and address differ.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

TOKEN_LIFE = timedelta(hours=1)  # Google's
CERTIFICATE_LIFE = timedelta(days=30)


class TokenIssuer:
    """Signs with an RSA key of its own, made now and never stored."""

    def __init__(self, issuer: str) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._issuer = issuer
        self._key_id = uuid.uuid4().hex
        self._key = key
        self._certificate = _self_signed(key).public_bytes(serialization.Encoding.PEM).decode()

    def token(self, audience: str, email: str) -> str:
        """An RS256 JWT for a service account. Its times are wall time, as signatures' are everywhere."""
        now = datetime.now(UTC)
        claims = {
            "iss": self._issuer,
            "aud": audience,
            "email": email,
            "email_verified": True,
            "sub": email,
            "azp": email,
            "iat": int(now.timestamp()),
            "exp": int((now + TOKEN_LIFE).timestamp()),
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._key_id})

    def certificates(self) -> dict[str, str]:
        """By key id, in PEM."""
        return {self._key_id: self._certificate}


def _self_signed(key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ajo local token issuer")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(minutes=1)).not_valid_after(now + CERTIFICATE_LIFE)
    return builder.sign(key, hashes.SHA256())
