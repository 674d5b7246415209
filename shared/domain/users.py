"""Users: a person's account with us, as far as money needs it. Nothing personal stands here."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

from shared.domain.documents import Document, Ref, Value
from shared.domain.errors import AccountClosed, NotReadyForMoney, UnknownPaymentMethod
from shared.domain.identity import IdentityCheck, identity_state, require_ability
from shared.domain.words import Ability, IdentityState, MethodKind

COOLING_OFF: Final = timedelta(days=3)
"""Nothing is paid to new bank details for three days: who took over an account wants the pot at once, and
whose account it was has that long to read that it changed."""


class PayoutAccount(Value):
    """The person's account at the processor, where pots are sent.

    `bank` changes when the bank account behind it does; `bank_changed_at` says when we learnt of it.
    """

    reference: str
    can_receive: bool = False
    details_submitted: bool = False
    needs: list[str] = []
    disabled_reason: str | None = None
    bank: str | None = None
    bank_changed_at: datetime | None = None

    @property
    def is_disabled(self) -> bool:
        """Whether the processor took it out of use; one that is not filled in is just unfinished."""
        return self.details_submitted and self.disabled_reason is not None

    def cools_until(self, now: datetime) -> datetime | None:
        """Until when nothing may go to this bank account; None if it may now."""
        if self.bank_changed_at is None or now >= self.bank_changed_at + COOLING_OFF:
            return None
        return self.bank_changed_at + COOLING_OFF


class User(Document):
    """users/{uid}."""

    uid: str
    state: Literal["active", "closed"] = "active"
    payer: str | None = None
    payout_account: PayoutAccount | None = None
    identity_check: IdentityCheck | None = None
    profile_at: datetime | None = None
    identity_changed_at: datetime | None = None
    created_at: datetime
    erased_at: datetime | None = None

    @property
    def path(self) -> str:
        return user_ref(self.uid).path

    @classmethod
    def called(cls) -> str:
        return "account; sign up first"

    @property
    def can_receive(self) -> bool:
        return self.payout_account is not None and self.payout_account.can_receive

    @property
    def identity(self) -> IdentityState:
        account = self.payout_account
        return identity_state(
            has_account=account is not None,
            can_receive=self.can_receive,
            disabled=account is not None and account.is_disabled,
            check=self.identity_check,
        )

    def noting_identity(self, after: User, at: datetime) -> User:
        """`after`, with the moment if who this is no longer stands as it stood: it was known and is in
        question, or it was in question and is known again. To be known for the first time is no change."""
        was_known, is_known = self.identity == "verified", after.identity == "verified"
        found_again = is_known and not was_known and self.identity_changed_at is not None
        lost = was_known and not is_known
        return after.with_(identity_changed_at=at) if lost or found_again else after

    def require_open(self) -> None:
        """Raises AccountClosed."""
        if self.state != "active":
            raise AccountClosed()


def user_ref(uid: str) -> Ref[User]:
    return Ref(User, f"users/{uid}")


class PaymentMethod(Value):
    """A card or a mandate at the processor, by reference. `hint` is what its holder knows it by."""

    reference: str
    kind: MethodKind
    state: Literal["pending", "active", "inactive"]
    hint: str
    mandate: str | None = None
    expires: str | None = None
    added_at: datetime


class PaymentMethods(Document):
    """payment_methods/{uid}: the person's methods, and which one is taken by default."""

    uid: str
    methods: list[PaymentMethod] = []
    default: str | None = None
    setups: list[str] = []

    @property
    def path(self) -> str:
        return payment_methods_ref(self.uid).path

    def find(self, reference: str) -> PaymentMethod | None:
        return next((method for method in self.methods if method.reference == reference), None)

    def get(self, reference: str) -> PaymentMethod:
        """Raises UnknownPaymentMethod."""
        method = self.find(reference)
        if method is None:
            raise UnknownPaymentMethod()
        return method

    def usable(self) -> PaymentMethod | None:
        """The method to collect by: the default while it is active, else the newest active one."""
        active = [method for method in self.methods if method.state == "active"]
        return next((one for one in active if one.reference == self.default), active[-1] if active else None)

    def with_method(self, method: PaymentMethod) -> PaymentMethods:
        """With this method added or renewed. The default moves only away from one that has ended."""
        known = self.find(method.reference)
        if known is not None:
            method = method.with_(added_at=known.added_at)
        others = [one for one in self.methods if one.reference != method.reference]
        return self.with_(methods=[*others, method])._with_a_living_default()

    def without_method(self, reference: str) -> PaymentMethods:
        """With this method forgotten; another active one becomes the default in its place."""
        others = [one for one in self.methods if one.reference != reference]
        return self.with_(methods=others)._with_a_living_default()

    def _with_a_living_default(self) -> PaymentMethods:
        chosen = self.find(self.default) if self.default else None
        if chosen is not None and chosen.state != "inactive":
            return self
        taken = self.with_(default=None).usable()
        return self.with_(default=taken.reference if taken else self.default if chosen else None)


def payment_methods_ref(uid: str) -> Ref[PaymentMethods]:
    return Ref(PaymentMethods, f"payment_methods/{uid}")


def require_ready_for_money(user: User | None, methods: PaymentMethods | None) -> None:
    """Whoever promises money is known, can pay and can be paid.

    Raises NotReadyForMoney with what is missing, AccountClosed, IdentityInTheWay.
    """
    missing = []
    if user is None or user.profile_at is None:
        missing.append("a profile with your name, date of birth and address")
    if methods is None or methods.usable() is None:
        missing.append("a confirmed payment method")
    if user is None or not user.can_receive:
        missing.append("a payout account that can receive money")
    if missing:
        raise NotReadyForMoney(missing=" and ".join(missing))
    if user is not None:
        user.require_open()
        require_ability(user.identity, Ability.PROMISE)
