"""Send one payout: our balance → the person's account at the processor → their bank; resumable."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from shared.domain import sending
from shared.domain.decision import Decision
from shared.domain.errors import Mismatch, ProcessorUnavailable, TryAgainLater, UnknownObject
from shared.domain.money import CURRENCY
from shared.domain.payouts import PARKED_RECHECK, ParkedBecause, Payout, is_early, payout_ref
from shared.domain.users import user_ref
from shared.ports import (
    BankPayout,
    InsufficientBalance,
    PaymentOutcomeUnknown,
    PaymentRefused,
    PaymentsUnavailable,
    RecipientNotReady,
    Transfer,
    TransferRequest,
)
from shared.services.close_cycle import close_cycle
from shared.services.context import Command, Context
from shared.services.fraud_holds import payout_held_until
from shared.services.payout_account import renewed_account
from shared.services.transact import committed, read

BANK_RETRY: Final = timedelta(hours=1)
"""A transfer reaches the person's account at once, but may take minutes to be spendable there."""

CLOCKS_DIFFER_MAX: Final = timedelta(minutes=5)
"""How far the clocks of two instances may be apart. Google keeps them within a second; this asks for less."""

CHECKED: Final = frozenset({"reserved", "failed"})
"""What the fraud checks may hold, whatever kind it is, and also if they did not when it was reserved. One
whose sending has begun may have left: it goes on."""

UNDER_WAY: Final = CHECKED | {"submitting", "unknown", "sent", "bank_failed"}
"""Payouts that can be taken further."""


def send_payout(ctx: Context, command: Command, group: str, payout: str) -> dict[str, Any]:
    """Take a payout as far as it can go now. Safe to call at any time, any number of times.

    Raises ProcessorUnavailable where no answer came: the payout is `unknown` until a look-up. TryAgainLater
    where its time has not come by this clock, and had by that of who queued it.
    """
    found = read(ctx, payout_ref(group, payout)).get(payout_ref(group, payout))
    if found.state in UNDER_WAY and not _is_early(ctx, found):
        found = _go_on(ctx, command, found)
    return {"payout": found.id, "state": found.state}


def _go_on(ctx: Context, command: Command, found: Payout) -> Payout:
    held_until, account = _recipient(ctx, found)
    if found.state == "unknown":
        found = _look_up_transfer(ctx, command, found, account)
        if found.state in CHECKED:
            held_until, account = _recipient(ctx, found)
    if held_until is not None:
        found = _look_again(ctx, command, found, held_until, "details_to_check")
    elif found.state in CHECKED or found.state == "submitting":
        found = _transfer(ctx, command, found, account)
    if found.state in {"sent", "bank_failed"}:
        found = _to_bank(ctx, command, found, account)
    return found


def _recipient(ctx: Context, found: Payout) -> tuple[datetime | None, str]:
    """Until when the fraud checks hold the payout's recipient, if it is to be checked; and the recipient's
    account at the processor, which they keep: empty where they have opened none."""
    ref = user_ref(found.recipient)
    if found.state in CHECKED:
        held_until, loaded = payout_held_until(ctx, found.recipient, ref)
    else:
        held_until, loaded = None, read(ctx, ref)
    account = loaded.get(ref).payout_account
    return held_until, account.reference if account else ""


def _is_early(ctx: Context, found: Payout) -> bool:
    """Whether its time has not come: money leaves, and is held, only once it has cleared.

    `pay_out` queues what is due by its own clock. Where that is ahead of this one, the queue is to bring the
    task once more: the next tick would give it the same name, which is used up. Where more is missing, the
    moment was moved after the task was queued: at the new one it has a new name.
    """
    now = ctx.clock.now()
    if found.act_at is None or not is_early(found, now):
        return False
    if found.act_at - now <= CLOCKS_DIFFER_MAX:
        raise TryAgainLater()
    return True


def record_transfer(ctx: Context, command: Command, transfer: Transfer) -> Payout:
    """Record a transfer of ours and what of it came back, whoever brings it; the payout after it.

    Raises UnknownObject or Mismatch.
    """
    group, payout = _labels(ctx, transfer)
    if transfer.movement is None:
        raise ProcessorUnavailable()
    for line in (transfer.movement, *transfer.reversals):
        if line.currency != CURRENCY:
            raise Mismatch(what="currency of the line", theirs=line.currency, ours=CURRENCY)
    movement, now = transfer.movement, ctx.clock.now()
    sent = partial(
        sending.record_sent,
        transfer=transfer.reference,
        movement=movement.reference,
        pence=transfer.amount_pence,
        processor=ctx.gateway.name,
        clears_at=movement.available_on,
        source=movement.source,
        now=now,
    )
    after = _record(ctx, command, group, payout, sent)
    for back in transfer.reversals:
        came_back = partial(
            sending.record_reversed,
            movement=back.reference,
            pence=back.amount_pence,
            processor=ctx.gateway.name,
            clears_at=back.available_on,
            source=back.source,
        )
        after = _record(ctx, command, group, payout, came_back)
    return after


def record_bank_payout(ctx: Context, command: Command, bank: BankPayout) -> Payout:
    """Record what became of a bank payout of ours; the payout after it. Raises UnknownObject or Mismatch."""
    group, payout = _labels(ctx, bank)
    now = ctx.clock.now()

    def decide(found: Payout) -> Decision:
        if bank.amount_pence != found.amount_pence:
            raise Mismatch(what="amount", theirs=bank.amount_pence, ours=found.amount_pence)
        if bank.state == "received":
            return sending.record_received(found, bank.reference, now, bank.destination)
        if bank.state == "on_its_way":
            return sending.record_on_its_way(found, bank.reference, now, bank.destination)
        code = bank.failure_code or bank.state
        return sending.record_bank_failed(found, bank.reference, code, now, bank.destination)

    after = _record(ctx, command, group, payout, decide)
    close_cycle(ctx, command, after)
    return after


def _labels(ctx: Context, thing: Transfer | BankPayout) -> tuple[str, str]:
    group, payout = thing.labels.get("group"), thing.labels.get("payout")
    if not group or not payout:
        raise UnknownObject(thing=type(thing).__name__.lower(), reference=thing.reference)
    if thing.currency != CURRENCY:
        raise Mismatch(what="currency", theirs=thing.currency, ours=CURRENCY)
    if thing.live != ctx.gateway.live:
        raise Mismatch(what="livemode", theirs=thing.live, ours=ctx.gateway.live)
    return group, payout


def _record(
    ctx: Context, command: Command, group: str, payout: str, decide: Callable[[Payout], Decision]
) -> Payout:
    """Change a payout by a decision on it alone; the payout after it."""
    ref = payout_ref(group, payout)
    return committed(ctx, command, [ref], lambda loaded: decide(loaded.get(ref))).after(ref)


def _request(payout: Payout, account: str, attempt: str) -> TransferRequest:
    return TransferRequest(
        attempt=attempt,
        group=payout.group,
        payout=payout.id,
        cycle=payout.cycle,
        recipient=account,
        amount_pence=payout.amount_pence,
    )


def _transfer(ctx: Context, command: Command, found: Payout, account: str) -> Payout:
    now = ctx.clock.now()
    if found.amount_pence == 0:
        done = _record(ctx, command, found.group, found.id, lambda one: _nothing_to_send(one, ctx))
        close_cycle(ctx, command, done)
        return done
    resumed = bool(found.sendings)
    begun = _record(ctx, command, found.group, found.id, lambda one: _begin(one, ctx))
    if begun.state != "submitting":
        return begun
    sending_id = begun.sendings[-1].id
    request = _request(begun, account, sending_id)
    try:
        # A key may be forgotten after a day: what was sent is looked up before it is asked for again.
        transfer = ctx.gateway.find_transfer(request) if resumed else None
        transfer = transfer or ctx.gateway.send(request)
    except PaymentRefused as refused:
        because, code = _because(refused), refused.code
        return _record(
            ctx,
            command,
            found.group,
            found.id,
            lambda one: sending.record_refused(one, sending_id, because, code, now),
        )
    except PaymentOutcomeUnknown as silence:
        _record(ctx, command, found.group, found.id, lambda one: sending.record_unknown(one, sending_id, now))
        raise ProcessorUnavailable() from silence
    except PaymentsUnavailable as busy:
        raise ProcessorUnavailable() from busy
    return record_transfer(ctx, command, transfer)


def _begin(payout: Payout, ctx: Context) -> Decision:
    if payout.state not in {"reserved", "failed", "submitting"} or is_early(payout, ctx.clock.now()):
        return Decision()
    return sending.begin(payout, ctx.clock.now())


def _nothing_to_send(payout: Payout, ctx: Context) -> Decision:
    if payout.state != "reserved":
        return Decision()
    return sending.record_nothing_to_send(payout, ctx.clock.now())


def _because(refused: PaymentRefused) -> ParkedBecause:
    if isinstance(refused, InsufficientBalance):
        return "balance_too_low"
    if isinstance(refused, RecipientNotReady):
        return "recipient_not_ready"
    return "refused"


def _look_up_transfer(ctx: Context, command: Command, found: Payout, account: str) -> Payout:
    try:
        transfer = ctx.gateway.find_transfer(_request(found, account, found.sendings[-1].id))
    except (PaymentOutcomeUnknown, PaymentsUnavailable) as silence:
        raise ProcessorUnavailable() from silence
    if transfer is not None:
        return record_transfer(ctx, command, transfer)
    now = ctx.clock.now()
    return _record(ctx, command, found.group, found.id, lambda one: sending.record_not_found(one, now))


def _to_bank(ctx: Context, command: Command, found: Payout, account: str) -> Payout:
    """Send on to the bank what the transfer brought, or ask what became of it."""
    request = _request(found, account, f"{found.sendings[-1].id}_{found.bank_tries + 1}")
    try:
        if found.state == "sent" and found.bank_payout is not None:
            bank = ctx.gateway.bank_payout(account, found.bank_payout)
        else:
            if later := _not_yet(ctx, command, found, account):
                return _look_again(ctx, command, found, later)
            known = ctx.gateway.find_bank_payout(request)
            try:
                bank = known or ctx.gateway.pay_to_bank(request)
            except PaymentRefused as refused:
                return _bank_refused(ctx, command, found, refused)
    except RecipientNotReady:
        return _look_again(ctx, command, found, ctx.clock.now() + PARKED_RECHECK)
    except PaymentRefused:
        return _look_again(ctx, command, found, ctx.clock.now() + BANK_RETRY)
    except (PaymentOutcomeUnknown, PaymentsUnavailable) as silence:
        raise ProcessorUnavailable() from silence
    return record_bank_payout(ctx, command, bank)


def _bank_refused(ctx: Context, command: Command, found: Payout, refused: PaymentRefused) -> Payout:
    """Nothing was made: tried again with another key, soon, or tomorrow where the account takes no money."""
    wait = PARKED_RECHECK if isinstance(refused, RecipientNotReady) else BANK_RETRY
    again_at, tries = ctx.clock.now() + wait, found.bank_tries
    return _record(
        ctx,
        command,
        found.group,
        found.id,
        lambda one: sending.record_bank_refused(one, tries, again_at),
    )


def _not_yet(ctx: Context, command: Command, found: Payout, account: str) -> datetime | None:
    """When to look again, if nothing may go to the recipient's bank account now: it is new, or their account
    is disabled, of whose end the processor tells.

    The processor is asked how it stands now: the news that it changed may be on its way still.
    """
    recipient, now = ctx.gateway.recipient(account), ctx.clock.now()
    renewed = renewed_account(ctx, command, found.recipient, recipient)
    cools_until = renewed.cools_until(now)
    return cools_until or (None if renewed.can_receive else now + PARKED_RECHECK)


def _look_again(
    ctx: Context, command: Command, found: Payout, at: datetime, because: ParkedBecause | None = None
) -> Payout:
    def later(one: Payout) -> Decision:
        if one.state != found.state:  # it went on meanwhile, or ended: its next look is not ours to say
            return Decision()
        return Decision(changed=[one.with_(act_at=at, parked_because=because)])

    return _record(ctx, command, found.group, found.id, later)
