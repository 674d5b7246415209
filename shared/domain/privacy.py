"""A person's rights over their data: what they agreed to, what stands in the way of erasure, what decides.

UK GDPR: access and portability (Articles 15, 20), correction (16), erasure (17), consent that can be shown
(7), and a person to speak to where a machine has decided (22).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from shared.domain.contributions import LIVE, Contribution
from shared.domain.disputes import Dispute
from shared.domain.documents import Document, Ref, Value
from shared.domain.errors import UnknownText
from shared.domain.giving_back import reserve_shares
from shared.domain.groups import FORMING, Group
from shared.domain.ledger import Balances
from shared.domain.members import Member
from shared.domain.payouts import AT_REST, Payout
from shared.domain.words import ConsentPurpose

VERSIONS: Final[Mapping[ConsentPurpose, tuple[str, ...]]] = MappingProxyType(
    {
        "terms": ("2026-11",),
        "privacy_notice": ("2026-11",),
        "credit_assessment": ("2026-11",),
        "marketing": ("2026-11",),
    }
)
"""Every text that was ever shown, oldest first. A new wording gets a new version, and is asked for anew."""


def current_version(purpose: ConsentPurpose) -> str:
    """That of the text which is shown today."""
    return VERSIONS[purpose][-1]


class Consent(Value):
    """One answer of a person to one text. Answers are added, never changed: each can be shown later."""

    purpose: ConsentPurpose
    version: str
    given: bool
    at: datetime


def require_shown(purpose: ConsentPurpose, version: str) -> None:
    """Nobody can have agreed to a text that never was. Raises UnknownText."""
    if version not in VERSIONS[purpose]:
        raise UnknownText(field="version", current=current_version(purpose))


class Consents(Document):
    """consents/{uid}: every answer, oldest first. Kept after erasure: it says nothing of who they are."""

    uid: str
    answers: list[Consent] = []

    @property
    def path(self) -> str:
        return consents_ref(self.uid).path

    def stands(self, purpose: ConsentPurpose) -> bool:
        """Whether the latest answer to the present text is yes."""
        latest = next((one for one in reversed(self.answers) if one.purpose == purpose), None)
        return latest is not None and latest.given and latest.version == current_version(purpose)


def consents_ref(uid: str) -> Ref[Consents]:
    return Ref(Consents, f"consents/{uid}")


RUNNING: Final = frozenset({"locked", "active"})
PROMISED: Final = frozenset({"agreed", "active", "defaulted"})


RETURNS: Final = LIVE | {"disputed"}
"""States of an attempt in which its money may still come, or come back from a bank."""


def reasons_to_keep(
    uid: str,
    circles: Iterable[tuple[Group, list[Member], Balances, list[Dispute]]],
    contributions: Iterable[Contribution],
    payouts: Iterable[Payout],
    now: datetime,
) -> list[str]:
    """Why a person's data cannot be erased yet; nothing stands in the way where this is empty.

    As long as money is owed either way, or may be by a dispute's decision, the other side has a right to know
    by whom (Article 17(3)(e)); and what is theirs has to reach them first. `contributions` and `payouts` are
    the person's own.
    """
    reasons = [
        f"A payment of yours is under way in the circle {one.group}."
        for one in contributions
        if any(attempt.state in RETURNS for attempt in one.attempts)
    ]
    reasons += [
        f"Money is on its way to you from the circle {one.group}."
        for one in payouts
        if one.state not in AT_REST
    ]
    for group, members, balances, disputes in circles:
        seat = group.seat(uid)
        own = [member for member in members if member.uid == uid]
        owed_to_them = sum(
            debt.left_pence for member in members for debt in member.debts if debt.creditor == uid
        )
        if seat is not None and seat.state in PROMISED and group.state in RUNNING:
            reasons.append(f"You have promised to save in the circle {group.id}, which has not ended.")
        if seat is not None and group.state in FORMING:
            if seat.role == "organiser":
                reasons.append(f"You organise the circle {group.id}: hand it over, or call it off.")
            elif seat.state in PROMISED:
                reasons.append(f"You have promised to save in the circle {group.id}: leave it first.")
        if any(member.owes_pence() for member in own):
            reasons.append(f"You owe money in the circle {group.id}.")
        if owed_to_them:
            reasons.append(f"You are owed money in the circle {group.id}.")
        if balances.of(f"credit:{uid}"):
            reasons.append(f"A payment of yours waits to be used or returned in the circle {group.id}.")
        if any(whose == uid for whose, _, _ in reserve_shares(group, balances)):
            reasons.append(f"A part of the reserve of the circle {group.id} is yours in the end.")
        if any(one.is_open or one.can_be_appealed(now) for one in disputes if uid in one.parties):
            reasons.append(f"A dispute of yours is not finally decided in the circle {group.id}.")
    return list(dict.fromkeys(reasons))


AUTOMATED_DECISIONS: Final = (
    "When you ask for more than a first small circle, a program works out from what you told us, and from "
    "how your contributions have come in, whether a circle is affordable for you and how early a turn "
    "can be. It can only say yes, or pass the question to a person: it never refuses anybody. You can see "
    "every figure that it used, correct it, say what it cannot know, and have a person look at it afresh "
    "(UK GDPR, Article 22). It never uses your name, address, faith, health, or where you were born."
)
"""The notice that stands where a decision is asked for, and in the export."""
