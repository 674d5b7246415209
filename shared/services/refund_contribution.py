"""Give a contribution back to its payer, by staff, while its pot has not been given to anybody."""

from __future__ import annotations

from typing import Any

from shared.domain import refunds
from shared.domain.approvals import approval_ref
from shared.domain.contributions import contribution_ref
from shared.domain.decision import Decision
from shared.domain.errors import NothingToGiveBack, ProcessorRefused, ProcessorUnavailable
from shared.domain.journal import fact_ref
from shared.ports import PaymentOutcomeUnknown, PaymentRefused, PaymentsUnavailable, Refund
from shared.services.context import Command, Context
from shared.services.take_back_contribution import record_refund
from shared.services.transact import Loaded, read, transact


def refund(
    ctx: Context,
    command: Command,
    group: str,
    contribution: str,
    reason: str,
    approval: str | None = None,
) -> dict[str, Any]:
    """Refund what the contribution put into its pot. Safe to repeat: it is given back once.

    What was asked for is repeated by the same key until the processor has said what became of it; after a
    refusal or a failure it is asked for anew, with another (infra/decisions/0045-what-the-processor-says.md).

    `approval` is the request by which two people agreed, needed above the threshold. Raises
    NothingToGiveBack, TwoPeopleNeeded, ProcessorRefused (it stays in the pot), ProcessorUnavailable (ask
    again).
    """
    ref = contribution_ref(group, contribution)

    agreed = [approval_ref(approval)] if approval else []

    def decide(loaded: Loaded) -> Decision:
        found = loaded.get(agreed[0]) if agreed else None
        return refunds.ask(loaded.get(ref), reason, found, ctx.two_people_above_pence)

    # A request that was carried out never changes again: read, not guarded.
    asked = transact(ctx, command, [ref], decide, peek=agreed)
    attempt_id, asking = asked["attempt"], asked["asking"]
    try:
        made = _refund(ctx, group, contribution, attempt_id, asking)
    except PaymentRefused as refused:
        transact(
            ctx, command.keyless, [ref], lambda loaded: refunds.give_up(loaded.get(ref), attempt_id, asking)
        )
        raise ProcessorRefused(reason=f"refund, {refused.code}") from refused
    except (PaymentOutcomeUnknown, PaymentsUnavailable) as silence:
        raise ProcessorUnavailable() from silence
    return record_refund(ctx, command.keyless, made)


def _refund(ctx: Context, group: str, contribution: str, attempt_id: str, asking: str) -> Refund:
    """The refund of this asking at the processor: the one that was made already, also by a key that it has
    forgotten. What went back on the processor's own page, or by another asking, is another one."""
    ref, asked_ref = contribution_ref(group, contribution), fact_ref(group, asking)
    loaded = read(ctx, ref, asked_ref)
    attempt = loaded.get(ref).attempt(attempt_id)
    assert attempt is not None and attempt.reference is not None  # noqa: S101, PT018 - it brought money
    made = ctx.gateway.refunds(attempt.reference)
    known = next((one for one in made if one.asking == asking), None)
    if known is not None:
        return known
    if attempt.refunding != asking:  # given up meanwhile: another asking may have taken its place
        raise NothingToGiveBack(why="the processor refused this request before")
    labels = {"group": group, "contribution": contribution, "attempt": attempt_id, "refund": asking}
    return ctx.gateway.refund(attempt.reference, loaded.get(asked_ref).payload["pence"], asking, labels)
