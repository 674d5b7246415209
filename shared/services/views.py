"""How documents read to a person: the API's answers (shared/web/schemas), made from documents."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from shared.domain.groups import Group, Seat, Terms
from shared.domain.members import ASKING, SEATED
from shared.domain.users import PaymentMethod, PaymentMethods, PayoutAccount, User

NO_NAMES: Final[Mapping[str, str]] = MappingProxyType({})


def member(seat: Seat, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "uid": seat.uid,
        "name": names.get(seat.uid),
        "state": seat.state,
        "role": seat.role,
        "position": seat.position,
    }


def membership(group: str, seat: Seat) -> dict[str, Any]:
    return {"group": group, "uid": seat.uid, "state": seat.state, "role": seat.role}


def group(group: Group, uid: str, names: Mapping[str, str] = NO_NAMES) -> dict[str, Any]:
    """A circle as one of its people sees it. Names are read apart: an answer that is kept holds none."""
    terms = group.terms
    own = group.seat(uid)
    return {
        "id": group.id,
        "name": terms.name,
        "state": group.state,
        "purpose": terms.purpose,
        "terms": terms_of(terms),
        "visibility": terms.visibility,
        "organiser": group.organiser,
        "members": [member(seat, names) for seat in group.seats if seat.state in SEATED | ASKING],
        "membership": member(own, names) if own else None,
        "draw_commitment": group.draw.commitment,
        "draw_seed": group.draw.seed,
        "agreement_hash": group.agreed_hash,
        "created_at": group.created_at.isoformat(),
        "locked_at": group.locked_at.isoformat() if group.locked_at else None,
        "revision": group.revision,
    }


def terms_of(terms: Terms) -> dict[str, Any]:
    """What the members promise each other."""
    return {
        "amount_pence": terms.amount_pence,
        "currency": terms.currency,
        "frequency": terms.frequency,
        "members": terms.members,
        "first_due_date": terms.first_due_date.isoformat(),
        "order_method": terms.order_method,
        "default_policy": terms.default_policy,
        "wait_days": terms.wait_days,
        "reserve_pence": terms.reserve_pence,
        "platform_fee_pence": terms.platform_fee_pence,
        "added_fee_pence": terms.added_fee_pence,
        "show_payers": terms.show_payers,
        "cycles_done": terms.cycles_done,
    }


def group_summary(group: Group, uid: str) -> dict[str, Any]:
    """A circle in the list of one's own."""
    terms = group.terms
    own = next(seat for seat in reversed(group.seats) if seat.uid == uid)
    return {
        "id": group.id,
        "name": terms.name,
        "state": group.state,
        "amount_pence": terms.amount_pence,
        "currency": terms.currency,
        "frequency": terms.frequency,
        "members": terms.members,
        "role": own.role,
        "membership_state": own.state,
    }


def payout_account(account: PayoutAccount) -> dict[str, Any]:
    return {
        "account": account.reference,
        "can_receive": account.can_receive,
        "details_submitted": account.details_submitted,
        "needs": account.needs,
        "disabled_reason": account.disabled_reason,
    }


def user(user: User, methods: PaymentMethods | None) -> dict[str, Any]:
    return {
        "uid": user.uid,
        "state": user.state,
        "created_at": user.created_at.isoformat(),
        "payout_account": payout_account(user.payout_account) if user.payout_account else None,
        "default_payment_method": methods.default if methods else None,
        "identity": user.identity,
        "has_profile": user.profile_at is not None,
        "revision": user.revision,
    }


def payment_method(method: PaymentMethod, default: str | None) -> dict[str, Any]:
    return {
        "id": method.reference,
        "kind": method.kind,
        "state": method.state,
        "hint": method.hint,
        "expires": method.expires,
        "is_default": method.reference == default,
    }
