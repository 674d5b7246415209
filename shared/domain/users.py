"""Users: a person's account with us, as far as money needs it. Nothing personal stands here."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from shared.domain.contributions import MethodKind
from shared.domain.documents import Document, Ref, Value
from shared.domain.errors import NotReadyForMoney, UnknownPaymentMethod


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


class User(Document):
    """users/{uid}."""

    uid: str
    state: Literal["active", "closed"] = "active"
    payer: str | None = None
    payout_account: PayoutAccount | None = None
    created_at: datetime

    @property
    def path(self) -> str:
        return user_ref(self.uid).path

    @property
    def can_receive(self) -> bool:
        return self.payout_account is not None and self.payout_account.can_receive


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
        """With this method added or renewed; the first active one becomes the default."""
        known = self.find(method.reference)
        if known is not None:
            method = method.with_(added_at=known.added_at)
        others = [one for one in self.methods if one.reference != method.reference]
        default = self.default or (method.reference if method.state == "active" else None)
        return self.with_(methods=[*others, method], default=default)


def payment_methods_ref(uid: str) -> Ref[PaymentMethods]:
    return Ref(PaymentMethods, f"payment_methods/{uid}")


def require_ready_for_money(user: User | None, methods: PaymentMethods | None) -> None:
    """Whoever promises money can both pay and be paid. Raises NotReadyForMoney with what is missing."""
    missing = []
    if methods is None or methods.usable() is None:
        missing.append("a confirmed payment method")
    if user is None or not user.can_receive:
        missing.append("a payout account that can receive money")
    if missing:
        raise NotReadyForMoney(missing=" and ".join(missing))
