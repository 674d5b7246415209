"""Retention: what is kept, how long, why, and what ends it. The one table; a test holds the rest to it.

Legal bases are those of UK GDPR, Article 6(1): (a) consent, (b) contract, (c) legal obligation, (f)
legitimate interests. Storage is limited by Article 5(1)(e).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal

from shared.domain.documents import Value

Ending = Literal["ttl", "erasure", "use", "books"]
"""What ends it.

`ttl`: Firestore deletes it after `expires_at` (infra/firestore.indexes.json holds the policies). It deletes
late, by a day or so: whoever decides on such a document tests the field.
`erasure`: deleted, or its key destroyed, by `erase_person`, when its person asks and nothing is owed.
`use`: each use takes the place of the former, or lets go of what is old.
`books`: it is part of the ledger, of what the ledger rests on, or of the proof that it was right. It names
nobody but by an id that leads to nobody after erasure.
"""

YEAR: Final = timedelta(days=365)

CLAIMS: Final = 6 * YEAR
"""A claim from a contract can be brought for six years (Limitation Act 1980, section 5)."""

TALK: Final = 2 * YEAR
"""Ten monthly turns, and another year for whoever was away when it went wrong."""


class Kept(Value):
    """One collection. `span` counts from when a document was written; None: until its ending happens."""

    span: timedelta | None
    ending: Ending
    basis: Literal["a", "b", "c", "f"]
    why: str


def _books(why: str) -> Kept:
    return Kept(span=None, ending="books", basis="c", why=why)


_ACCOUNTS = "Accounting records (Companies Act 2006, section 388; six years for HMRC), verified as one chain."

RETENTION: Final[Mapping[str, Kept]] = MappingProxyType(
    {
        # --- of a person
        "users": Kept(
            span=None,
            ending="erasure",
            basis="b",
            why="The account. Closed, it keeps an id and the processor's references: books are held by them.",
        ),
        "profiles": Kept(
            span=None, ending="erasure", basis="b", why="Who saves here: 18 or older, and can be written to."
        ),
        "keys": Kept(
            span=None, ending="erasure", basis="b", why="What opens the rest. Destroyed, it stays empty."
        ),
        "payment_methods": Kept(
            span=None, ending="erasure", basis="b", why="What is collected by, as the processor names it."
        ),
        "reach": Kept(
            span=None,
            ending="erasure",
            basis="b",
            why="Devices and preferences. A device unseen for 270 days goes with the next that is seen.",
        ),
        "commitments": Kept(
            span=None,
            ending="use",
            basis="f",
            why="What running circles take of a person; released at their end.",
        ),
        "consents": _books("That a person was asked, and said yes or no (Article 7(1)); not who they are."),
        "financial_health": Kept(
            span=2 * YEAR, ending="ttl", basis="a", why="How things moved; from the last answers on."
        ),
        "assessments": Kept(
            span=CLAIMS, ending="ttl", basis="f", why="Why a circle was affordable, if it is ever asked."
        ),
        "evidence": Kept(
            span=None,
            ending="erasure",
            basis="f",
            why="What staff were shown of a month, and by whom it was seen; the latest hundred.",
        ),
        "fraud": Kept(
            span=None,
            ending="erasure",
            basis="f",
            why="What the fraud checks found of a person, and who of staff lifted it and why.",
        ),
        "traces": Kept(
            span=None,
            ending="erasure",
            basis="f",
            why="Keyed hashes of cards, accounts, devices, addresses: who shares one (fraud, Recital 47).",
        ),
        "reviews": Kept(span=CLAIMS, ending="ttl", basis="f", why="What a person decided of it, and why."),
        "items": Kept(
            span=YEAR, ending="ttl", basis="b", why="notifications/{uid}/items: that a debit was announced."
        ),
        "access": Kept(
            span=CLAIMS, ending="ttl", basis="c", why="Who of staff looked at whom, and why (Article 5(2))."
        ),
        # --- of a circle
        "groups": _books("The agreement that everybody accepted, and who did."),
        "members": _books("Places, turns and debts."),
        "contributions": _books(_ACCOUNTS),
        "payouts": _books(_ACCOUNTS),
        "ledger": _books(_ACCOUNTS),
        "journal": _books(_ACCOUNTS),
        "audit": _books(_ACCOUNTS),
        "audit_head": _books(_ACCOUNTS),
        "draw": _books("The seed by which anyone can replay the draw."),
        "approvals": _books("That two people wanted it."),
        "progress": Kept(span=None, ending="use", basis="b", why="Who has paid in the present cycle."),
        "names": Kept(
            span=None, ending="erasure", basis="b", why="What a circle's people call each other, sealed."
        ),
        "messages": Kept(span=TALK, ending="ttl", basis="b", why="What a circle's people write, sealed."),
        "chats": Kept(
            span=None, ending="use", basis="b", why="How far somebody has read, and whom they mute."
        ),
        "disputes": Kept(
            span=CLAIMS,
            ending="ttl",
            basis="f",
            why="Both sides and the decision, sealed; remedies are facts.",
        ),
        "invitations": Kept(
            span=timedelta(days=30), ending="ttl", basis="b", why="Fingerprints of a code and of an address."
        ),
        # --- of the machine
        "idempotency": Kept(
            span=timedelta(hours=48), ending="ttl", basis="f", why="The answer to a request that comes again."
        ),
        "limits": Kept(
            span=timedelta(days=2), ending="ttl", basis="f", why="Tries counted against a fingerprint."
        ),
        "quarantine": Kept(
            span=None,
            ending="use",
            basis="c",
            why="Events that did not fit, until somebody has replayed them.",
        ),
        "system": Kept(span=None, ending="use", basis="f", why="Where jobs go on. Nothing of anybody."),
    }
)
"""By the collection's own name. A backup from before an erasure holds the key as well: it ends what erasure
has not reached there by its own short life of 30 days, as does point-in-time recovery by its seven."""


def expiry(collection: str, written_at: datetime) -> datetime:
    """When a document of a collection with a span may be deleted."""
    span = RETENTION[collection].span
    if span is None:
        raise ValueError(f"{collection} has no span")
    return written_at + span
