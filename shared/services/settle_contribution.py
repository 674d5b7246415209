"""Settle: record what the processor says of a collection, whoever brings it: task, webhook or look-up."""

from __future__ import annotations

from typing import Any, Final

from shared.domain.contributions import LOOK_UP_AFTER, Contribution, contribution_ref
from shared.domain.decision import Decision
from shared.domain.errors import Mismatch, UnknownObject
from shared.domain.members import member_ref
from shared.domain.money import CURRENCY
from shared.domain.settlement import Money, progress, settle
from shared.ports import Collection, Movement
from shared.services import wake
from shared.services.context import Command, Context
from shared.services.transact import Loaded

LABELS: Final = ("group", "contribution", "attempt")
"""Our ids on everything that is collected: what carries none of them is not ours."""


def record_collection(ctx: Context, command: Command, collection: Collection) -> dict[str, Any]:
    """Record a collection's state; twice, late or out of order, it changes things once.

    One batched read of the contribution, one commit of fact, contribution and balances. Raises UnknownObject
    or Mismatch: not ours, or not as we asked for it; never booked.
    """
    labels = check_ours(ctx, collection.labels, collection)
    ref = contribution_ref(labels["group"], labels["contribution"])
    now = ctx.clock.now()

    def decide(loaded: Loaded) -> Decision:
        contribution = loaded.find(ref)
        if contribution is None:
            raise UnknownObject(thing="collection", reference=collection.reference)
        if collection.state == "settled":
            return settle(
                contribution,
                labels["attempt"],
                money_of(ctx, collection),
                lambda: loaded.get(member_ref(contribution.group, contribution.uid)),
                lambda other: loaded.get(contribution_ref(contribution.group, other)),
                now,
            )
        _check_amount(contribution, labels["attempt"], collection)
        return progress(
            contribution,
            labels["attempt"],
            collection.state,
            collection.reference,
            now,
            action_url=collection.action_url,
            failure=collection.failure,
            failure_code=collection.failure_code,
            look_again_at=now + LOOK_UP_AFTER.get(collection.state, LOOK_UP_AFTER["processing"]),
        )

    return wake.money_in(ctx, command, labels["group"], [ref], decide)


def check_ours(ctx: Context, labels: Any, thing: Any) -> dict[str, str]:
    """Our ids on an object of the processor. Raises UnknownObject without them, Mismatch on another kind of
    money than ours (invariant 8)."""
    if not all(labels.get(name) for name in LABELS):
        raise UnknownObject(thing=type(thing).__name__.lower(), reference=thing.reference)
    if thing.currency != CURRENCY:
        raise Mismatch(what="currency", theirs=thing.currency, ours=CURRENCY)
    if thing.live != ctx.gateway.live:
        raise Mismatch(what="livemode", theirs=thing.live, ours=ctx.gateway.live)
    return {name: labels[name] for name in LABELS}


def money_of(ctx: Context, collection: Collection) -> Money:
    if collection.movement is None:
        raise UnknownObject(thing="balance transaction of", reference=collection.reference)
    return as_money(ctx, collection.reference, collection.movement, collection.movement.amount_pence)


def as_money(ctx: Context, collection: str, movement: Movement, pence: int) -> Money:
    """A line of the balance as money of the ledger. Raises Mismatch on a line in another currency."""
    if movement.currency != CURRENCY:
        raise Mismatch(what="currency of the line", theirs=movement.currency, ours=CURRENCY)
    return Money(
        processor=ctx.gateway.name,
        collection=collection,
        movement=movement.reference,
        pence=pence,
        fee_pence=movement.fee_pence,
        clears_at=movement.available_on,
        source=movement.source,
    )


def _check_amount(contribution: Contribution, attempt_id: str, collection: Collection) -> None:
    attempt = contribution.attempt(attempt_id)
    if attempt is not None and attempt.amount_pence != collection.amount_pence:
        raise Mismatch(what="amount", theirs=collection.amount_pence, ours=attempt.amount_pence)
