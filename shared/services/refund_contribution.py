"""Give a contribution back to its payer, by staff, while its pot has not been given to anybody."""

from __future__ import annotations

from typing import Any

from shared.domain import refunds
from shared.domain.approvals import approval_ref
from shared.domain.contributions import contribution_ref
from shared.domain.decision import Decision
from shared.domain.errors import ProcessorRefused, ProcessorUnavailable
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
    attempt_id = transact(ctx, command, [ref], decide, peek=agreed)["attempt"]
    try:
        made = _refund(ctx, group, contribution, attempt_id)
    except PaymentRefused as refused:
        transact(ctx, command.keyless, [ref], lambda loaded: refunds.give_up(loaded.get(ref), attempt_id))
        raise ProcessorRefused(reason=f"refund, {refused.code}") from refused
    except (PaymentOutcomeUnknown, PaymentsUnavailable) as silence:
        raise ProcessorUnavailable() from silence
    return record_refund(ctx, command.keyless, made)


def _refund(ctx: Context, group: str, contribution: str, attempt_id: str) -> Refund:
    """The refund at the processor: the one that we made already, also by a key that it has forgotten. A part
    that went back on the processor's own page is another one."""
    ref = contribution_ref(group, contribution)
    attempt = read(ctx, ref).get(ref).attempt(attempt_id)
    assert attempt is not None and attempt.reference is not None  # noqa: S101, PT018 - it brought money
    made = ctx.gateway.refunds(attempt.reference)
    known = next((one for one in made if one.asked_by_us and one.state != "failed"), None)
    if known is not None:
        return known
    labels = {"group": group, "contribution": contribution, "attempt": attempt_id}
    return ctx.gateway.refund(attempt.reference, attempt.refundable_pence, f"{attempt_id}_refund", labels)
