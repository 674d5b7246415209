"""Invitations: a code that opens one group for a while. Only its fingerprint is kept."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from shared.domain.documents import Document, Ref
from shared.domain.errors import InvitationForAnother, InvitationInvalid

LIFETIME: Final = timedelta(days=14)


def fingerprint(key: bytes, code: str) -> str:
    """What is kept of a code: without our key it cannot be guessed from a stolen database."""
    return hmac.new(key, code.strip().lower().encode(), hashlib.sha256).hexdigest()[:40]


def address_fingerprint(key: bytes, email: str) -> str:
    """What is kept of an address: enough to know it again, nothing to write to."""
    return hmac.new(key, f"mailto:{email.strip().lower()}".encode(), hashlib.sha256).hexdigest()[:40]


class Invitation(Document):
    """invitations/{fingerprint}: which group a code opens, until when, and for whom."""

    fingerprint: str
    group: str
    invited_by: str
    expires_at: datetime
    revoked: bool = False
    address: str | None = None  # fingerprint of the e-mail address that alone may use it
    turn: int | None = None  # the place of an imported circle that it is for

    @property
    def path(self) -> str:
        return invitation_ref(self.fingerprint).path

    def check(self, now: datetime) -> None:
        """Raises InvitationInvalid. TTL deletes late, so expiry is tested by the field."""
        if self.revoked or now >= self.expires_at:
            raise InvitationInvalid()

    def check_address(self, addresses: Collection[str]) -> None:
        """`addresses` are the fingerprints of the person's verified address. Raises InvitationForAnother."""
        if self.address is not None and self.address not in addresses:
            raise InvitationForAnother()


def invitation_ref(fingerprint_: str) -> Ref[Invitation]:
    return Ref(Invitation, f"invitations/{fingerprint_}")
