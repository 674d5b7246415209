"""The payout account: where pots are sent. Opened at the processor, which also asks who the person is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shared.domain.decision import Decision
from shared.domain.errors import Mismatch, NoSuchThing, TryAgainLater
from shared.domain.notifications import bank_changed
from shared.domain.users import PayoutAccount, User, user_ref
from shared.ports import Recipient
from shared.services import notifications, views, wake
from shared.services.context import Command, Context
from shared.services.processor import asking
from shared.services.transact import Committed, Loaded, committed, read, transact


def open_payout_account(
    ctx: Context, command: Command, email: str | None, return_url: str, refresh_url: str
) -> dict[str, Any]:
    """Open the account at the processor, or find it, and say where the person goes on.

    The processor is asked first, keyed by the person: asked twice it gives the same account, for a day. The
    first that is kept stays theirs. Raises NoSuchThing before the sign-up, TryAgainLater where another was.
    """
    known = read(ctx, user_ref(command.actor)).get(user_ref(command.actor))
    with asking("payout account"):
        if known.payout_account is None:
            recipient = ctx.gateway.open_recipient(command.actor, email)
        else:
            recipient = ctx.gateway.recipient(known.payout_account.reference)
        url = ctx.gateway.onboarding_url(recipient.reference, return_url, refresh_url)

    def decide(loaded: Loaded) -> Decision:
        user = loaded.get(user_ref(command.actor))
        if user.payout_account is not None and user.payout_account.reference != recipient.reference:
            raise TryAgainLater()
        answer = {"account": recipient.reference, "url": url, "can_receive": recipient.can_receive}
        return _renewed(user, recipient, ctx.clock.now(), answer)

    return transact(ctx, command, [user_ref(command.actor)], decide)


def refresh_payout_account(ctx: Context, command: Command) -> dict[str, Any]:
    """Ask the processor how the account stands, and keep what it says. Raises NoSuchThing without one."""
    user = read(ctx, user_ref(command.actor)).get(user_ref(command.actor))
    if user.payout_account is None:
        raise NoSuchThing(thing="payout account")
    with asking("payout account"):
        recipient = ctx.gateway.recipient(user.payout_account.reference)
    return take_up_recipient(ctx, command, command.actor, recipient)


def take_up_recipient(ctx: Context, command: Command, uid: str, recipient: Recipient) -> dict[str, Any]:
    """Keep what the processor tells of a person's account; what waits for its taking money is looked at now.

    Raises TryAgainLater, so that who brought the news brings it once more.
    """
    answer = _keep(ctx, command, uid, recipient).decision.answer
    if recipient.can_receive:
        wake.payouts_to(ctx, command, uid)
    return answer


def renewed_account(ctx: Context, command: Command, uid: str, recipient: Recipient) -> PayoutAccount:
    """The person's account, with what the processor says of it now kept. For who looks at it by themselves
    and is woken by nothing: `command` has no key."""
    account = _keep(ctx, command, uid, recipient).after(user_ref(uid)).payout_account
    assert account is not None  # noqa: S101 - it was kept right now
    return account


def _keep(ctx: Context, command: Command, uid: str, recipient: Recipient) -> Committed:
    """Keep what the processor says of a person's account; what is known already changes nothing.

    A new bank account is told to the person, once: nothing goes there before it has cooled off. Raises
    Mismatch on another account than theirs: pots would go to the one, and be asked for from the other.
    """

    def decide(loaded: Loaded) -> Decision:
        user = loaded.get(user_ref(uid))
        known = user.payout_account
        if known is not None and known.reference != recipient.reference:
            raise Mismatch(what="account", theirs=recipient.reference, ours=known.reference)
        account = _account(user, recipient, ctx.clock.now())
        return _renewed(user, recipient, ctx.clock.now(), views.payout_account(account))

    kept = committed(ctx, command, [user_ref(uid)], decide)
    account, now = kept.after(user_ref(uid)).payout_account, ctx.clock.now()
    if account is not None and account.cools_until(now):
        notifications.keep(ctx, bank_changed(uid, account, now))
    return kept


def _renewed(user: User, recipient: Recipient, now: datetime, answer: dict[str, Any]) -> Decision:
    account = _account(user, recipient, now)
    if account == user.payout_account:
        return Decision(answer=answer)
    renewed = user.noting_identity(user.with_(payout_account=account), now)
    return Decision(answer=answer, changed=[renewed])


def _account(user: User, recipient: Recipient, now: datetime) -> PayoutAccount:
    known = user.payout_account
    # Where the processor names none, the bank refused: what comes next is new to the last one known.
    last_bank = known.bank if known else None
    is_new = last_bank is not None and recipient.bank not in {None, last_bank}
    return PayoutAccount(
        reference=recipient.reference,
        can_receive=recipient.can_receive,
        details_submitted=recipient.details_submitted,
        needs=sorted(recipient.needs),
        disabled_reason=recipient.disabled_reason,
        bank=recipient.bank or last_bank,
        bank_changed_at=now if is_new else known.bank_changed_at if known else None,
    )
