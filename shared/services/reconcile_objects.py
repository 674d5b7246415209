"""Reconcile, third part: what we made at the processor against the documents that name it, and back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from shared.domain.contributions import Attempt, Contribution
from shared.domain.differences import Difference
from shared.domain.money import CURRENCY
from shared.domain.payouts import Payout
from shared.domain.users import PaymentMethods, User
from shared.ports import BankPayout, Collection, Dispute, Payer, PaymentRefused, Transfer, Unreadable
from shared.services.context import Context

THEIRS: Final = {
    "requires_action": {"requires_action"},
    "processing": {"processing"},
    "settled": {"settled"},
    "failed": {"failed", "cancelled"},
    "cancelled": {"cancelled", "failed"},
    "refunded": {"settled"},
    "disputed": {"settled"},
    "won": {"settled"},
    "lost": {"settled"},
}
"""What the processor says of a try at collecting that stands so with us. One that is being submitted is not
compared: it may be there, or not."""

DISPUTES: Final = {"disputed": "open", "won": "won", "lost": "lost"}

BANK_STATES: Final = {
    "sent": {"on_its_way"},
    "received": {"received"},
    "bank_failed": {"failed", "cancelled"},
}


def against_documents(
    ctx: Context,
    contributions: Sequence[Contribution],
    payouts: Sequence[Payout],
    users: Sequence[User],
    methods: Iterable[PaymentMethods],
) -> Iterator[Difference]:
    """Invariant 8: every object carries our ids, and stands as our documents say."""
    yield from _people(ctx, users)
    yield from _methods(ctx, methods, {user.uid: user.payer for user in users})
    yield from _collections(ctx.gateway.collections(), contributions)
    yield from _disputes(ctx.gateway.disputes(), contributions)
    yield from _transfers(ctx.gateway.transfers(), payouts, users)
    yield from _bank_payouts(ctx, payouts, users)


def _unreadable(thing: Unreadable) -> Difference:
    return Difference("object", thing.reference, f"it cannot be read: {thing.reason}")


def _people(ctx: Context, users: Iterable[User]) -> Iterator[Difference]:
    payers = {one.reference: one for one in ctx.gateway.payers()}
    recipients = {one.reference: one for one in ctx.gateway.recipients()}
    for user in users:
        if user.payer is not None and user.payer not in payers:
            yield Difference("missing_object", user.payer, f"{user.uid} cannot be collected from any more")
        elif user.payer is not None and (what := _payer_fault(ctx, payers[user.payer], user)):
            yield Difference("object", user.payer, what)
        account = user.payout_account
        if account is None:
            continue
        theirs = recipients.get(account.reference)
        if theirs is None:
            yield Difference("missing_object", account.reference, f"{user.uid} cannot be paid any more")
        elif theirs.labels.get("uid") != user.uid:
            yield Difference("object", account.reference, f"it does not say that it is {user.uid}'s")
        elif (theirs.can_receive, theirs.bank) != (account.can_receive, account.bank):
            yield Difference(
                "object", account.reference, "the processor says otherwise whether, or where, it pays"
            )


def _methods(
    ctx: Context, methods: Iterable[PaymentMethods], payers: Mapping[str, str | None]
) -> Iterator[Difference]:
    """What would be collected by: asked payer by payer."""
    for ours in methods:
        in_use = [one for one in ours.methods if one.state != "inactive"]
        payer = payers.get(ours.uid)
        if not in_use or payer is None:
            continue
        try:
            found = ctx.gateway.methods(payer)
        except PaymentRefused:
            continue  # the payer is missing, which is told above
        theirs = {one.reference: one.kind for one in found if not isinstance(one, Unreadable)}
        for one in in_use:
            if theirs.get(one.reference) != one.kind:
                what = f"{ours.uid} cannot be collected from by this {one.kind} any more"
                yield Difference("missing_object", one.reference, what, one.added_at)


def _payer_fault(ctx: Context, theirs: Payer, user: User) -> str | None:
    if theirs.labels.get("uid") != user.uid:
        return f"it does not say that it is {user.uid}'s"
    if theirs.currency not in {None, CURRENCY}:
        return f"{user.uid} can be collected from in {theirs.currency} alone"
    return None if theirs.live == ctx.gateway.live else "it is of another mode than ours"


def _collections(
    found: Iterable[Collection | Unreadable], contributions: Sequence[Contribution]
) -> Iterator[Difference]:
    ours = {attempt.id: (one, attempt) for one in contributions for attempt in one.attempts}
    seen = set()
    for theirs in found:
        if isinstance(theirs, Unreadable):
            yield _unreadable(theirs)
            continue
        contribution, attempt = ours.get(theirs.labels.get("attempt", ""), (None, None))
        if contribution is None or attempt is None:
            what = "a collection that no attempt of ours asked for"
            yield Difference("unknown_object", theirs.reference, what)
            continue
        seen.add(theirs.reference)
        if fault := _collection_fault(theirs, contribution, attempt):
            yield Difference("object", theirs.reference, fault, attempt.started_at)
    for _, attempt in ours.values():
        if attempt.reference is not None and attempt.reference not in seen:
            what = f"the collection of {attempt.id} is not there"
            yield Difference("missing_object", attempt.reference, what, attempt.started_at)


def _collection_fault(theirs: Collection, ours: Contribution, attempt: Attempt) -> str | None:
    labels = {"group": ours.group, "contribution": ours.id, "cycle": str(ours.cycle)}
    if any(theirs.labels.get(name) != id_ for name, id_ in labels.items()):
        return f"it carries other ids than {attempt.id}"
    if attempt.reference not in {None, theirs.reference}:
        return f"{attempt.id} was collected by {attempt.reference}, too"
    if (theirs.amount_pence, theirs.currency) != (attempt.amount_pence, CURRENCY):
        return (
            f"it is of {theirs.amount_pence} {theirs.currency}, {attempt.id} of {attempt.amount_pence} pence"
        )
    if attempt.state in THEIRS and theirs.state not in THEIRS[attempt.state]:
        return f"the processor says {theirs.state}, {attempt.id} {attempt.state}"
    moved = theirs.movement.reference if theirs.movement else None
    if attempt.movement is not None and moved != attempt.movement:
        return f"its money is booked as {moved}, with us as {attempt.movement}"
    return None


def _disputes(
    found: Iterable[Dispute | Unreadable], contributions: Sequence[Contribution]
) -> Iterator[Difference]:
    ours = {attempt.id: attempt for one in contributions for attempt in one.attempts}
    moved: dict[str, list[Dispute]] = defaultdict(list)
    for theirs in found:  # newest first
        if isinstance(theirs, Unreadable):
            yield _unreadable(theirs)
        elif (attempt_id := theirs.labels.get("attempt", "")) not in ours:
            yield Difference("unknown_object", theirs.reference, "a dispute of no collection of ours")
        elif theirs.movements:  # an inquiry, or one that was prevented, is no dispute yet
            moved[attempt_id].append(theirs)
    for attempt_id, disputes in moved.items():
        attempt, states = ours[attempt_id], {one.state for one in disputes}
        if DISPUTES.get(attempt.state) not in states:
            what = f"the processor says {', '.join(sorted(states))}, {attempt.id} {attempt.state}"
            yield Difference("object", disputes[0].reference, what, attempt.started_at)
    for attempt in ours.values():
        if attempt.state in DISPUTES and attempt.id not in moved:
            what = f"the dispute of {attempt.id} is not there"
            yield Difference("missing_object", attempt.id, what, attempt.started_at)


def _transfers(
    found: Iterable[Transfer | Unreadable], payouts: Sequence[Payout], users: Sequence[User]
) -> Iterator[Difference]:
    ours = {one.id: one for one in payouts}
    accounts = {user.uid: user.payout_account.reference for user in users if user.payout_account}
    seen = set()
    for theirs in found:
        if isinstance(theirs, Unreadable):
            yield _unreadable(theirs)
            continue
        payout = ours.get(theirs.labels.get("payout", ""))
        if payout is None:
            yield Difference(
                "unknown_object", theirs.reference, "a transfer that no payout of ours asked for"
            )
            continue
        seen.add(theirs.reference)
        if what := _transfer_fault(theirs, payout, accounts.get(payout.recipient)):
            yield Difference("object", theirs.reference, what, payout.received_at)
    for payout in payouts:
        if payout.transfer is not None and payout.transfer not in seen:
            yield Difference("missing_object", payout.transfer, f"the transfer of {payout.id} is not there")


def _transfer_fault(theirs: Transfer, payout: Payout, account: str | None) -> str | None:
    if (theirs.labels.get("group"), theirs.labels.get("cycle")) != (payout.group, str(payout.cycle)):
        return f"it carries other ids than {payout.id}"
    if payout.transfer != theirs.reference:
        return (
            f"{payout.id} was sent by {payout.transfer}, too"
            if payout.transfer
            else f"{payout.id} was not sent"
        )
    if (theirs.amount_pence, theirs.currency) != (payout.amount_pence, CURRENCY):
        return f"it is of {theirs.amount_pence} {theirs.currency}, {payout.id} of {payout.amount_pence} pence"
    if theirs.reversed_pence != payout.reversed_pence:
        return f"{theirs.reversed_pence} pence of it came back, of {payout.id} {payout.reversed_pence}"
    if (theirs.movement.reference if theirs.movement else None) != payout.movement:
        return f"its money is not booked as {payout.movement}, as {payout.id} has it"
    if theirs.recipient != account:
        return f"it went to {theirs.recipient}, and {payout.recipient}'s account is {account}"
    return None


def _bank_payouts(ctx: Context, payouts: Sequence[Payout], users: Iterable[User]) -> Iterator[Difference]:
    """From each person's account at the processor to their bank: asked account by account."""
    ours = {one.id: one for one in payouts}
    seen: set[str] = set()
    for user in users:
        account = user.payout_account
        if account is None or not any(one.transfer and one.recipient == user.uid for one in payouts):
            continue
        try:
            found = ctx.gateway.bank_payouts(account.reference)
        except PaymentRefused:
            continue  # the account itself is missing, which is told above
        for theirs in found:
            seen.add(theirs.reference)
            if isinstance(theirs, Unreadable):
                yield _unreadable(theirs)
            elif what := _bank_fault(theirs, ours.get(theirs.labels.get("payout", ""))):
                yield Difference("object", theirs.reference, what, theirs.arrives_on)
    for payout in payouts:
        for bank_payout in dict.fromkeys([*payout.bank_refused, payout.bank_payout]):
            if bank_payout is not None and bank_payout not in seen:
                what = f"the bank payout of {payout.id} is not there"
                yield Difference("missing_object", bank_payout, what)


def _bank_fault(theirs: BankPayout, payout: Payout | None) -> str | None:
    if payout is None or theirs.labels.get("group") != payout.group:
        return "a bank payout that no payout of ours asked for"
    if (theirs.amount_pence, theirs.currency) != (payout.amount_pence, CURRENCY):
        return f"it is of {theirs.amount_pence} {theirs.currency}, {payout.id} of {payout.amount_pence} pence"
    if theirs.reference != payout.bank_payout:
        if theirs.state in {"failed", "cancelled"}:
            return None  # an earlier try: the next one has its own
        return f"{payout.id} went to the bank by {payout.bank_payout}, too"
    if payout.bank_destination not in {None, theirs.destination}:
        return f"it went to {theirs.destination}, and was made for {payout.bank_destination}"
    if payout.state in BANK_STATES and theirs.state not in BANK_STATES[payout.state]:
        return f"the processor says {theirs.state}, {payout.id} {payout.state}"
    return None
