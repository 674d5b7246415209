"""Collect one contribution: notice, attempt, the processor's answer; resumable at every step."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from shared.domain.collection import Step, may_owe, next_step
from shared.domain.contributions import Attempt, Contribution, contribution_ref
from shared.domain.decision import Decision
from shared.domain.errors import ProcessorUnavailable
from shared.domain.members import member_ref
from shared.domain.record import record
from shared.domain.settlement import progress
from shared.domain.users import payment_methods_ref, user_ref
from shared.ports import (
    Collection,
    CollectionRequest,
    PaymentOutcomeUnknown,
    PaymentRefused,
    PaymentsUnavailable,
)
from shared.services.context import Command, Context
from shared.services.settle_contribution import record_collection
from shared.services.transact import Loaded, committed, transact
from shared.services.use_credit import use_credit

MEMBER_ACTS_WITHIN: Final = timedelta(days=7)
"""A link to authenticate that was not used in a week will not be: then another try takes its place."""

STEPS_MAX: Final = 4
"""Notice, attempt, and one look more than a card's collection needs in one go."""


def collect_contribution(ctx: Context, command: Command, group: str, contribution: str) -> dict[str, Any]:
    """Take a contribution as far as it can go now. Safe to call at any time, any number of times.

    Raises ProcessorUnavailable where the processor did not answer: the task is tried again, with the same
    key. No call to the processor stands between a load and its commit.
    """
    uid = use_credit(ctx, command, group, contribution)
    for _ in range(STEPS_MAX):
        look = _decide_step(ctx, command, group, contribution, uid)
        if look.step != "notice" or not look.is_due(ctx.clock.now()):
            break
    if look.step in {"charge", "resume"}:
        return _charge(ctx, command, look)
    if look.step == "look_up":
        return _look_up(ctx, command, look)
    return {"step": look.step}


@record
class _Look:
    """What one look came to: the step taken, the contribution after it, and its payer at the processor."""

    step: Step
    contribution: Contribution
    payer: str

    def is_due(self, now: datetime) -> bool:
        """Whether another look is due already."""
        return self.contribution.act_at is not None and self.contribution.act_at <= now

    @property
    def attempt(self) -> Attempt:
        """The attempt that is to be charged or looked up."""
        live = self.contribution.live_attempt
        assert live is not None  # noqa: S101 - only steps with one ask
        return live


def _decide_step(ctx: Context, command: Command, group: str, contribution: str, uid: str) -> _Look:
    ref = contribution_ref(group, contribution)

    def decide(loaded: Loaded) -> Decision:
        found = loaded.get(ref)
        methods = loaded.find(payment_methods_ref(uid))
        member = loaded.get(member_ref(group, uid)) if may_owe(found) else None
        method = methods.usable() if methods else None
        step, decision = next_step(found, member, method, ctx.clock.now(), ctx.holidays)
        return replace(decision, answer={"step": step})

    # Method and mandate are the processor's to judge, at the charge itself: read, not guarded.
    done = committed(ctx, command, [ref], decide, peek=[payment_methods_ref(uid), user_ref(uid)])
    payer = done.loaded.find(user_ref(uid))
    # A task has no key: the answer is that of the step which was decided here.
    return _Look(done.decision.answer["step"], done.after(ref), (payer.payer if payer else None) or "")


def _charge(ctx: Context, command: Command, look: _Look) -> dict[str, Any]:
    request = _request(look.contribution, look.attempt, look.payer)
    try:
        # A key may be forgotten after a day: what was made is looked up before it is asked for again.
        collection = ctx.gateway.find_collection(request) if look.step == "resume" else None
        collection = collection or ctx.gateway.collect(request)
    except PaymentRefused as refused:
        return _record_refused(ctx, command, look.contribution, look.attempt, refused)
    except (PaymentOutcomeUnknown, PaymentsUnavailable) as silence:
        raise ProcessorUnavailable() from silence
    return record_collection(ctx, command, collection)


def _request(contribution: Contribution, attempt: Attempt, payer: str) -> CollectionRequest:
    """What the processor is asked for; the same attempt asks the same, under the same key."""
    return CollectionRequest(
        attempt=attempt.id,
        group=contribution.group,
        contribution=contribution.id,
        cycle=contribution.cycle,
        payer=payer,
        method=attempt.method,
        method_kind=attempt.method_kind,
        amount_pence=attempt.amount_pence,
    )


def _record_refused(
    ctx: Context, command: Command, contribution: Contribution, attempt: Attempt, refused: PaymentRefused
) -> dict[str, Any]:
    """The processor made nothing: for the reason that it gave, or else the method is not what it was."""
    ref = contribution_ref(contribution.group, contribution.id)

    def decide(loaded: Loaded) -> Decision:
        return progress(
            loaded.get(ref),
            attempt.id,
            "failed",
            None,
            ctx.clock.now(),
            failure=refused.failure or "method_invalid",
            failure_code=refused.code,
        )

    return transact(ctx, command, [ref], decide)


def _look_up(ctx: Context, command: Command, look: _Look) -> dict[str, Any]:
    """Ask the processor what became of an attempt that has been under way for long."""
    if look.attempt.reference is None:
        return {"step": "look_up", "state": look.contribution.state}
    try:
        collection = _news_of(ctx, look, look.attempt.reference)
    except (PaymentOutcomeUnknown, PaymentsUnavailable) as silence:
        raise ProcessorUnavailable() from silence
    return record_collection(ctx, command, collection)


def _news_of(ctx: Context, look: _Look, reference: str) -> Collection:
    """What the processor says of an attempt now. One that waits for its member in vain is called off."""
    attempt = look.attempt
    if attempt.state != "requires_action":
        return ctx.gateway.collection(reference)
    if ctx.clock.now() - attempt.started_at > MEMBER_ACTS_WITHIN:
        with suppress(PaymentRefused):  # it was authenticated at this very moment
            return ctx.gateway.cancel_collection(reference)
    elif attempt.action_url is None:
        # The line was cut while the link was asked for: whoever finds the collection asks once more.
        request = _request(look.contribution, attempt, look.payer)
        return ctx.gateway.find_collection(request) or ctx.gateway.collection(reference)
    return ctx.gateway.collection(reference)
