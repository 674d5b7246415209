"""Money that goes back: refunds, and disputes before, during and after the payout of their pot."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from shared.domain.contributions import BROUGHT_MONEY, Contribution, contribution_ref
from shared.domain.decision import Decision
from shared.domain.documents import Document, Ref
from shared.domain.errors import UnknownObject
from shared.domain.groups import group_ref
from shared.domain.ids import contribution_id
from shared.domain.journal import fact_ref
from shared.domain.members import member_ref
from shared.domain.payouts import Payout, payout_ref
from shared.domain.refunds import came_back, give_up
from shared.domain.reservation import can_void, void
from shared.domain.settlement import Money, lose, take_back, win_back
from shared.ports import Dispute, Refund
from shared.services import wake
from shared.services.context import Command, Context
from shared.services.settle_contribution import as_money, check_ours, record_collection
from shared.services.transact import Loaded, transact

D = TypeVar("D", bound=Document)


def record_dispute(ctx: Context, command: Command, dispute: Dispute) -> dict[str, Any]:
    """Record each movement that a dispute caused, and how it ended. Raises UnknownObject or Mismatch."""
    labels = check_ours(ctx, dispute.labels, dispute)
    answer: dict[str, Any] = {}
    for movement in dispute.movements:
        money = as_money(ctx, dispute.collection, movement, abs(movement.amount_pence))
        if movement.amount_pence < 0:
            answer = _take_back(ctx, command, labels, "disputed", money)
        else:
            answer = _win_back(ctx, command, labels, money, won=dispute.state == "won")
    if dispute.state == "lost":
        answer = _lose(ctx, command, labels)
    return answer


def record_refund(ctx: Context, command: Command, refund: Refund) -> dict[str, Any]:
    """Record that money was given back to a payer, or came back to us because that failed.

    Raises UnknownObject or Mismatch.
    """
    labels = check_ours(ctx, refund.labels, refund)
    ref = contribution_ref(labels["group"], labels["contribution"])
    if refund.movement is None:
        if refund.state == "failed" and (asking := refund.asking) is not None:
            transact(
                ctx,
                command,
                [ref],
                lambda loaded: give_up(_known(loaded, ref, labels), labels["attempt"], asking),
            )
        return {"state": refund.state}
    money = as_money(ctx, refund.collection, refund.movement, abs(refund.movement.amount_pence))
    answer = _take_back(ctx, command, labels, "refunded", money, refund.asking)
    if refund.failure_movement is None:
        return answer
    returned = as_money(
        ctx, refund.collection, refund.failure_movement, abs(refund.failure_movement.amount_pence)
    )

    def decide(loaded: Loaded) -> Decision:
        found = _known(loaded, ref, labels)
        return came_back(
            found,
            labels["attempt"],
            returned,
            lambda: loaded.get(member_ref(found.group, found.uid)),
            lambda other: loaded.get(contribution_ref(found.group, other)),
            ctx.clock.now(),
        )

    return wake.money_in(ctx, command, labels["group"], [ref], decide)


def _take_back(
    ctx: Context,
    command: Command,
    labels: dict[str, str],
    to: Literal["refunded", "disputed"],
    money: Money,
    asking: str | None = None,
) -> dict[str, Any]:
    gid = labels["group"]
    ref = contribution_ref(gid, labels["contribution"])

    def decide(loaded: Loaded) -> Decision:
        found = _known(loaded, ref, labels)
        attempt = found.attempt(labels["attempt"])
        if attempt is not None and money.movement in attempt.taken_back:
            return Decision(answer={"state": found.state})
        if attempt is not None and attempt.state not in BROUGHT_MONEY:
            raise _NotSettledYet()
        freed = _void_first(ctx, loaded, found)
        taken = take_back(
            _after(freed, found),
            labels["attempt"],
            to,
            money,
            lambda: _after(freed, loaded.get(member_ref(gid, found.uid))),
            lambda: loaded.balances(gid),
            ctx.clock.now(),
            asking,
        )
        return freed.then(taken)

    try:
        return transact(ctx, command, [ref], decide)
    except _NotSettledYet:
        # News of the money that came is still on its way: it is fetched, for that is the order of things.
        record_collection(ctx, command, ctx.gateway.collection(money.collection))
        return transact(ctx, command, [ref], decide)


class _NotSettledYet(Exception):
    """Money went back that, as far as we know, never came."""


def _known(loaded: Loaded, ref: Ref[Contribution], labels: dict[str, str]) -> Contribution:
    found = loaded.find(ref)
    if found is None:
        raise UnknownObject(thing="contribution", reference=labels["contribution"])
    return found


def _void_first(ctx: Context, loaded: Loaded, contribution: Contribution) -> Decision:
    """The voiding of the pot's reservation, if the pot has not left yet; nothing otherwise."""
    gid = contribution.group
    if contribution.counted_in is None:
        return Decision()
    payout = loaded.get(payout_ref(gid, contribution.counted_in))
    if payout.state != "reserved" or payout.reservation is None:
        return Decision()
    contributions = _cycle_refs(loaded, payout)
    reservation_ref = fact_ref(gid, payout.reservation)
    loaded.need(reservation_ref, *contributions, member_ref(gid, payout.recipient))
    reservation = loaded.get(reservation_ref)
    cycle = [loaded.get(one) for one in contributions]
    debtor_refs = [
        member_ref(gid, one.uid) for one in cycle if one.state == "short" and one.uid != payout.recipient
    ]
    top_up_refs = [payout_ref(gid, top_up) for top_up in reservation.payload["top_ups"]]
    loaded.need(*debtor_refs, *top_up_refs)
    debtors = [loaded.get(one) for one in debtor_refs]
    top_ups = [loaded.get(one) for one in top_up_refs]
    if not can_void(payout, debtors, top_ups, reservation):
        return Decision()
    return void(
        payout,
        reservation,
        cycle,
        loaded.get(member_ref(gid, payout.recipient)),
        debtors,
        top_ups,
        "money_taken_back",
        ctx.clock.now(),
    )


def _cycle_refs(loaded: Loaded, payout: Payout) -> list[Ref[Contribution]]:
    group = loaded.get(group_ref(payout.group))
    return [
        contribution_ref(payout.group, contribution_id(payout.group, payout.cycle, seat.uid))
        for seat in group.contributors()
    ]


def _after(decision: Decision, document: D) -> D:
    """The document as the decision leaves it."""
    left = (one for one in decision.changed if one.path == document.path)
    return next((one for one in left if isinstance(one, type(document))), document)


def _win_back(
    ctx: Context, command: Command, labels: dict[str, str], money: Money, *, won: bool
) -> dict[str, Any]:
    gid = labels["group"]
    ref = contribution_ref(gid, labels["contribution"])

    def decide(loaded: Loaded) -> Decision:
        found = _known(loaded, ref, labels)
        attempt = found.attempt(labels["attempt"])
        if attempt is not None and money.movement in attempt.won_back:
            return Decision(answer={"state": found.state})
        return win_back(
            found,
            labels["attempt"],
            money,
            lambda: loaded.get(member_ref(gid, found.uid)),
            lambda other: loaded.get(contribution_ref(gid, other)),
            ctx.clock.now(),
            won=won,
        )

    return wake.money_in(ctx, command, gid, [ref], decide)


def _lose(ctx: Context, command: Command, labels: dict[str, str]) -> dict[str, Any]:
    ref = contribution_ref(labels["group"], labels["contribution"])

    def decide(loaded: Loaded) -> Decision:
        return lose(_known(loaded, ref, labels), labels["attempt"])

    return transact(ctx, command, [ref], decide)
