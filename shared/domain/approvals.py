"""Approvals: what needs two people or more, from the asking to the deed (DESIGN.md § 7).

Each kind says who may ask and who must agree; nobody approves what they asked for, nor what is about
themselves. With the last consent it is carried out, in the same commit.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from shared.domain.documents import Document, Ref, States, Value
from shared.domain.errors import ApprovalClosed, NotAllowed, OwnRequest, TwoPeopleNeeded
from shared.domain.journal import News
from shared.domain.permissions import GROUP_ROLES, Role
from shared.domain.words import ApprovalKind, ApprovalState

APPROVAL: Final = States(
    "approval",
    {
        "open": "carried_out refused withdrawn expired",
        "carried_out": "",
        "refused": "",
        "withdrawn": "",
        "expired": "",
    },
)

OPEN_FOR: Final = timedelta(days=14)
"""Long enough for a holiday, short enough that what was asked still is what is meant."""

STEERING: Final = frozenset({Role.ORGANISER, Role.DEPUTY})
MONEY_STAFF: Final = frozenset({Role.FINANCE, Role.ADMIN})

MAY_ASK: Final[dict[ApprovalKind, frozenset[Role]]] = {
    "swap": GROUP_ROLES,
    "substitution": GROUP_ROLES,
    "plan": GROUP_ROLES,
    "removal": STEERING | MONEY_STAFF,
    "wind_up": STEERING | MONEY_STAFF,
    "write_off": GROUP_ROLES | MONEY_STAFF,
    "payout": MONEY_STAFF,
    "fee_change": MONEY_STAFF,
    "refund": MONEY_STAFF,
    "reversal": MONEY_STAFF,
}

SLOTS: Final[dict[str, frozenset[Role]]] = {
    "steering": STEERING,
    "another": GROUP_ROLES | MONEY_STAFF,
    "staff": MONEY_STAFF,
}
"""Consents that a role can give. `uid:…` is one that a single person must give."""


class Consent(Value):
    """One consent that is needed, and who gave it."""

    slot: str
    given_by: str | None = None
    given_at: datetime | None = None


class Approval(Document):
    """approvals/{id}."""

    id: str
    group: str
    kind: ApprovalKind
    about: str  # whom or what: a member, a payout
    payload: dict[str, Any] = {}
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    state: ApprovalState = "open"
    consents: list[Consent]

    @property
    def path(self) -> str:
        return approval_ref(self.id).path

    def moved(self, to: ApprovalState) -> Approval:
        """Raises UnknownTransition."""
        APPROVAL.check(self.state, to)
        return self.with_(state=to)

    def state_at(self, now: datetime) -> ApprovalState:
        """An open request that is too old reads as expired, whether or not anything has marked it."""
        return "expired" if self.state == "open" and now >= self.expires_at else self.state

    @property
    def is_complete(self) -> bool:
        return all(consent.given_by for consent in self.consents)

    def told(self, what: str, actor: str) -> News:
        """What happened to the request, as a fact of its group."""
        return News(
            id=f"approval_{what}:{self.id}:{self.revision}",
            group=self.group,
            type=f"approval_{what}",
            payload={"approval": self.id, "kind": self.kind, "about": self.about, "by": actor},
        )


def approval_ref(approval: str) -> Ref[Approval]:
    return Ref(Approval, f"approvals/{approval}")


def slots(
    kind: ApprovalKind, asked_by: str, about: str, other: str | None, steering: Iterable[str]
) -> list[str]:
    """The consents that a request needs besides its asker's own.

    Where nobody steers but who asks or whom it is about, another member consents in their stead: else an
    organiser could agree on no plan and let no debt go.
    """
    organisers = set(steering)
    steered = "steering" if organisers - {asked_by, about} else "another"
    match kind:
        case "swap" | "substitution":
            # Both members and the organiser: who steers and takes part consents once.
            both = {asked_by, other or ""}
            return [f"uid:{other}", *([] if both & organisers else ["steering"])]
        case "plan":
            return [steered]
        case "write_off":
            return ["staff"] if other in {"house", "reserve"} else [steered]
        case "payout" | "fee_change" | "refund" | "reversal":
            return ["staff"]
    return ["another"]


def consent(approval: Approval, uid: str, roles: frozenset[Role], now: datetime) -> Approval:
    """The request with one consent more. The same consent again changes nothing.

    Raises ApprovalClosed, OwnRequest, NotAllowed.
    """
    _require_open(approval, now)
    if uid == approval.asked_by or (uid == approval.about and f"uid:{uid}" not in _slots(approval)):
        raise OwnRequest()
    if any(one.given_by == uid for one in approval.consents):
        return approval
    for index, one in enumerate(approval.consents):
        if one.given_by is None and _may_fill(one.slot, uid, roles):
            given = one.with_(given_by=uid, given_at=now)
            return approval.with_(
                consents=[*approval.consents[:index], given, *approval.consents[index + 1 :]]
            )
    raise NotAllowed()


def refuse(approval: Approval, uid: str, roles: frozenset[Role], now: datetime) -> Approval:
    """The request ended by somebody whose consent it needed. Raises as `consent`."""
    consent(approval, uid, roles, now)
    return approval.moved("refused")


def withdraw(approval: Approval, uid: str, now: datetime) -> Approval:
    """The request taken back by its asker. Raises ApprovalClosed, NotAllowed."""
    _require_open(approval, now)
    if uid != approval.asked_by:
        raise NotAllowed()
    return approval.moved("withdrawn")


def require_two(
    pence: int, above_pence: int | None, approval: Approval | None, kind: ApprovalKind, about: str
) -> None:
    """Money that staff move by hand: above a threshold only what two of them agreed on, and no more of it.

    Raises TwoPeopleNeeded.
    """
    if above_pence is None or pence <= above_pence:
        return
    agreed = approval is not None and (approval.kind, approval.about, approval.state) == (
        kind,
        about,
        "carried_out",
    )
    if not agreed or approval is None or pence > int(approval.payload["pence"]):
        raise TwoPeopleNeeded(pence=pence, above_pence=above_pence)


def _require_open(approval: Approval, now: datetime) -> None:
    state = approval.state_at(now)
    if state != "open":
        raise ApprovalClosed(state=state.replace("_", " "))


def _slots(approval: Approval) -> list[str]:
    return [one.slot for one in approval.consents]


def _may_fill(slot: str, uid: str, roles: frozenset[Role]) -> bool:
    if slot.startswith("uid:"):
        return slot == f"uid:{uid}"
    return not SLOTS[slot].isdisjoint(roles)
