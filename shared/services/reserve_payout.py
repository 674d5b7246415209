"""Reserve a payout: take one turn's pot out of the cycle, or say why not yet."""

from __future__ import annotations

from typing import Any

from shared.domain.contributions import Contribution, contribution_ref
from shared.domain.decision import Decision
from shared.domain.documents import Ref
from shared.domain.groups import Group, group_ref
from shared.domain.ids import contribution_id
from shared.domain.journal import News
from shared.domain.ledger import balances_ref
from shared.domain.members import Member, member_ref
from shared.domain.payouts import Payout, payout_ref
from shared.domain.reservation import Readiness, readiness, reserve
from shared.domain.users import user_ref
from shared.domain.words import PayoutState
from shared.services import wake
from shared.services.context import Command, Context
from shared.services.fraud_holds import payout_held_until
from shared.services.transact import Loaded, committed


def reserve_payout(ctx: Context, command: Command, payout: Payout) -> dict[str, Any]:
    """Reserve one turn's pot if it is ready; else say when to look again, or park it with its reason.

    The group is guarded: who leaves, takes over a place or changes turns changes it too, and one of the two
    comes second. Whether the recipient's account can take money is the processor's to judge, at the transfer
    itself: here it only saves a try. Fraud holds are looked at, and once more before the money leaves.
    """
    gid = payout.group
    ref = payout_ref(gid, payout.id)

    def decide(loaded: Loaded) -> Decision:
        found, group = loaded.get(ref), loaded.get(group_ref(gid))
        if found.state not in {"scheduled", "parked"}:
            return Decision(answer={"state": found.state})
        contributions = _contributions(group, payout)
        recipient = member_ref(gid, found.recipient)
        loaded.need(*contributions, recipient)
        cycle = [loaded.get(one) for one in contributions]
        user = loaded.find(user_ref(found.recipient))
        judged = readiness(
            found, group.terms, cycle, user, ctx.clock.now(), ctx.two_people_above_pence, held_until
        )
        if judged.verdict != "ready":
            return _not_yet(found, judged)
        short = [one for one in cycle if one.left_pence and one.uid != found.recipient]
        loaded.need(*(member_ref(gid, one.uid) for one in short))
        if short and group.terms.default_policy == "reserve":
            loaded.need(balances_ref(gid))
        scheduled = found if found.state == "scheduled" else found.moved("scheduled")
        return reserve(
            scheduled,
            group.terms,
            ctx.gateway.name,
            cycle,
            loaded.get(recipient),
            lambda uid: loaded.get(member_ref(gid, uid)),
            lambda: loaded.balances(gid),
            ctx.clock.now(),
        )

    # The group as it was before tells whose contributions to load with it; `decide` asks for whom it lacked.
    held_until, before = payout_held_until(ctx, payout.recipient, group_ref(gid))
    refs: list[Ref[Any]] = [
        group_ref(gid),
        ref,
        *_contributions(before.get(group_ref(gid)), payout),
        member_ref(gid, payout.recipient),
    ]
    done = committed(ctx, command, refs, decide, peek=[user_ref(payout.recipient)])
    recipient = done.after(ref).recipient
    if any(isinstance(one, Member) and one.uid == recipient for one in done.decision.changed):
        wake.debts_paid(ctx, command, gid, recipient)  # their pot has paid what they were short of
    return done.decision.answer


def _contributions(group: Group, payout: Payout) -> list[Ref[Contribution]]:
    """Everybody's contribution to the payout's cycle, former members' too."""
    return [
        contribution_ref(group.id, contribution_id(group.id, payout.cycle, seat.uid))
        for seat in group.contributors()
    ]


def _not_yet(payout: Payout, judged: Readiness) -> Decision:
    """Not ready: look again later. Parking and its end are facts, told once; waiting for a date is none."""
    state: PayoutState = "scheduled" if judged.verdict == "wait" else "parked"
    facts: list[News] = []
    if payout.state != state:
        fact = News(
            id=f"payout_{state}:{payout.id}:{payout.revision}",
            group=payout.group,
            type=f"payout_{state}",
            payload={"payout": payout.id, "recipient": payout.recipient, "because": judged.because},
        )
        facts, payout = [fact], payout.moved(state)
    changed = payout.with_(act_at=judged.look_at, parked_because=judged.because)
    answer = {"state": state, "because": judged.because}
    return Decision(answer=answer, facts=facts, changed=[changed])
