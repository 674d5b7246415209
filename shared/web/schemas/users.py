"""People, and their accounts for payouts."""

from __future__ import annotations

from datetime import datetime

from shared.domain.words import IdentityState, Template
from shared.web.schemas.common import Answer, Id, Input, ReturnUrl


class PayoutAccount(Answer):
    """A person's account at the payment company, where pots are sent."""

    account: str
    can_receive: bool
    details_submitted: bool
    needs: list[str]
    disabled_reason: str | None = None


class User(Answer):
    """A person, as they see themselves. Nothing personal is kept here."""

    uid: Id
    state: str
    created_at: datetime
    payout_account: PayoutAccount | None = None
    default_payment_method: str | None = None
    identity: IdentityState
    has_profile: bool
    revision: int


class NewPayoutAccount(Input):
    """Where the browser goes when the person is done, and when the link has expired."""

    return_url: ReturnUrl
    refresh_url: ReturnUrl


class PayoutAccountLink(Answer):
    """Where the person tells the payment company who they are and where their money goes."""

    account: str
    url: str
    can_receive: bool


class Notification(Answer):
    """What a person was told: a template, and what it is about. The client has the words."""

    id: Id
    template: Template
    subject: str
    group: Id | None = None
    at: datetime
    seen: bool
