"""Carry out what was approved: each kind of request, by the rule of the domain that it is for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

from shared.domain import claims, leaving, plans, swapping
from shared.domain.approvals import Approval
from shared.domain.calendar import london_day
from shared.domain.commitments import commitments_ref
from shared.domain.contributions import Instalment, contribution_ref, due_contribution
from shared.domain.decision import Decision
from shared.domain.documents import Document, Ref
from shared.domain.errors import (
    AgreementChanged,
    AlreadyMember,
    FeeOnlyFalls,
    NoSuchDebt,
    NoSuchThing,
    NotAllowed,
    NothingDue,
    NotRunning,
)
from shared.domain.groups import Group, current_hash, group_ref, looked_at_now
from shared.domain.journal import News
from shared.domain.leaving import Circle, Reason
from shared.domain.ledger import HOUSE, RESERVE
from shared.domain.members import Member, member_ref
from shared.domain.payouts import payout_ref
from shared.domain.permissions import Role
from shared.domain.users import payment_methods_ref, require_ready_for_money, user_ref
from shared.domain.words import ApprovalKind
from shared.services.context import Context
from shared.services.leave_group import part
from shared.services.promises import promised, released
from shared.services.running import Pairs, all_pairs, on_the_table, pairs_of, refs_of
from shared.services.transact import Loaded, read


def check(ctx: Context, loaded: Loaded, approval: Approval, asker: str, held: frozenset[Role]) -> None:
    """Refuse at once what could not be done now, so that nobody is asked for nothing."""
    group = loaded.get(group_ref(approval.group))
    running = {"active"} if approval.kind == "wind_up" else {"locked", "active"}
    if group.state not in running and approval.kind not in {"write_off", "refund", "reversal"}:
        raise NotRunning(state=group.state)
    other = approval.payload.get("other")
    if approval.kind == "swap" and (other == approval.about or group.seat(str(other)) is None):
        raise NoSuchThing(thing="member")
    if approval.kind == "swap":
        swapping.check(_for_swap(ctx, loaded, approval), approval.about, str(other))
    if approval.kind == "substitution" and group.seat(str(other)) is not None:
        raise AlreadyMember()
    if approval.kind == "removal" and group.seat(approval.about) is None:
        raise NoSuchThing(thing="member")
    if approval.kind == "write_off":
        _check_write_off(approval, asker, held)


def _check_write_off(approval: Approval, asker: str, held: frozenset[Role]) -> None:
    """A member lets go what is owed to them; the house's and the reserve's claims are for staff to let go."""
    creditor = approval.payload.get("other")
    by_staff = not held.isdisjoint({Role.FINANCE, Role.ADMIN})
    if creditor not in {asker, HOUSE, RESERVE}:
        raise NoSuchDebt()
    if creditor in {HOUSE, RESERVE} and not by_staff:
        raise NotAllowed()


def carry_out(ctx: Context, loaded: Loaded, approval: Approval) -> Decision:
    """The deed of an approved request. Raises what the rule of its kind raises."""
    return _DEEDS[approval.kind](ctx, loaded, approval)


def looked_at(ctx: Context, gid: str, kind: ApprovalKind, about: str, other: str) -> list[Ref[Any]]:
    """What `check` looks at beside the group, as its roster stands now: nobody is kept from changing it, for
    the last consent decides anew."""
    if kind != "swap":
        return []
    group = read(ctx, group_ref(gid)).find(group_ref(gid))
    return refs_of(group, _pots_of(group, about, other)) if group else []


def _pots_of(group: Group, *people: str) -> Pairs:
    """What everybody puts into the pots of these people."""
    places = {seat.position for seat in group.seated() if seat.uid in people}
    return {(place, seat.uid) for place in places if place for seat in group.contributors()}


def _for_swap(ctx: Context, loaded: Loaded, approval: Approval) -> Circle:
    group = loaded.get(group_ref(approval.group))
    pots = _pots_of(group, approval.about, str(approval.payload["other"]))
    return on_the_table(ctx, loaded, approval.group, pots)


def _swap(ctx: Context, loaded: Loaded, approval: Approval) -> Decision:
    circle = _for_swap(ctx, loaded, approval)
    return swapping.swap(circle, approval.about, str(approval.payload["other"]), approval.id)


def check_consent(ctx: Context, group: Group, approval: Approval, uid: str, hash_read: str | None) -> None:
    """Whoever takes a place over has read the agreement that binds them: as it reads now, with the fee that
    it has come down to. Raises AgreementChanged."""
    takes_over = approval.kind == "substitution" and uid == approval.payload["other"]
    if takes_over and hash_read != current_hash(group, ctx.holidays):
        raise AgreementChanged()


def _substitution(ctx: Context, loaded: Loaded, approval: Approval) -> Decision:
    gid, leaver, heir = approval.group, approval.about, str(approval.payload["other"])
    group = loaded.get(group_ref(gid))
    circle = on_the_table(ctx, loaded, gid, pairs_of(group, leaver))
    loaded.need(member_ref(gid, heir), user_ref(heir), payment_methods_ref(heir), commitments_ref(heir))
    require_ready_for_money(loaded.find(user_ref(heir)), loaded.find(payment_methods_ref(heir)))
    if loaded.find(member_ref(gid, heir)) is not None:
        raise AlreadyMember()  # who was in this circle before has a story in it
    newcomer = Member(group=gid, uid=heir, state="agreed", joined_at=ctx.clock.now())
    due = [
        due_contribution(
            gid,
            cycle.number,
            heir,
            heir if cycle.recipient == leaver else cycle.recipient or "",
            group.terms.amount_pence,
            cycle.due_date,
            ctx.holidays,
            group.terms.added_fee_pence,
        )
        for cycle in group.schedule
    ]
    deed = leaving.substitute(circle, leaver, newcomer, due, approval.id)
    return deed.then(promised(loaded, heir, group)).then(released(loaded, leaver, gid))


def _removal(ctx: Context, loaded: Loaded, approval: Approval) -> Decision:
    reason = cast(Reason, approval.payload.get("reason") or "removed")
    return part(ctx, loaded, approval.group, approval.about, reason)


def _plan(ctx: Context, loaded: Loaded, approval: Approval) -> Decision:
    member = loaded.get(member_ref(approval.group, approval.about))
    refs = [contribution_ref(approval.group, debt.contribution) for debt in member.open_debts()]
    loaded.need(*refs)
    contributions = {one.id: one for ref in refs if (one := loaded.get(ref))}
    instalments = [Instalment.model_validate(one) for one in approval.payload["instalments"]]
    return plans.agree_plan(member, contributions, instalments, approval.id, ctx.clock.now())


def _wind_up(ctx: Context, loaded: Loaded, approval: Approval) -> Decision:
    group = loaded.get(group_ref(approval.group))
    circle = on_the_table(ctx, loaded, approval.group, all_pairs(group))
    deed = leaving.wind_up(circle, approval.id)
    for seat in group.seated():
        deed = deed.then(released(loaded, seat.uid, group.id))
    return deed


def _write_off(ctx: Context, loaded: Loaded, approval: Approval) -> Decision:
    creditor = str(approval.payload["other"])
    member = loaded.get(member_ref(approval.group, approval.about))
    refs = [
        contribution_ref(approval.group, debt.contribution) for debt in claims.open_debts_to(member, creditor)
    ]
    loaded.need(*refs)
    contributions = {one.id: one for ref in refs if (one := loaded.get(ref))}
    deed = claims.write_off(member, creditor, contributions, approval.id)
    group = loaded.get(group_ref(approval.group))
    waiting = looked_at_now(group, ctx.clock.now())  # the circle may have waited for just this debt
    return deed if waiting == group else deed.then(Decision(changed=[waiting]))


def _payout(ctx: Context, loaded: Loaded, approval: Approval) -> Decision:
    """Two people have looked at a large payout: it may be reserved."""
    payout = loaded.get(payout_ref(approval.group, approval.about))
    if payout.state not in leaving.AHEAD:
        raise NothingDue(state=payout.state)
    fact = News(
        id=f"payout_approved:{payout.id}",
        group=payout.group,
        type="payout_approved",
        payload={"payout": payout.id, "approval": approval.id},
    )
    return Decision(facts=[fact], changed=[payout.with_(approval=approval.id, act_at=ctx.clock.now())])


def _fee_change(ctx: Context, loaded: Loaded, approval: Approval) -> Decision:
    """The platform's fee of pots to come. It was agreed at lock, so it can only fall."""
    group = loaded.get(group_ref(approval.group))
    fee_pence = int(approval.payload["fee_pence"])
    if fee_pence >= group.terms.platform_fee_pence:
        raise FeeOnlyFalls(fee_pence=group.terms.platform_fee_pence)
    terms = group.terms.with_(platform_fee_pence=fee_pence)
    fact = News(
        id=f"fee_changed:{approval.id}",
        group=group.id,
        type="fee_changed",
        payload={"fee_pence": fee_pence, "from": london_day(ctx.clock.now()).isoformat()},
    )
    return Decision(facts=[fact], changed=[group.with_(terms=terms)])


def _refund(ctx: Context, loaded: Loaded, approval: Approval) -> Decision:
    """Two people have looked at a contribution: it may be given back, by `scripts/ajo refund`."""
    contribution = loaded.get(contribution_ref(approval.group, approval.about))
    return _let_go(approval, {"contribution": contribution.id}, contribution)


def _reversal(ctx: Context, loaded: Loaded, approval: Approval) -> Decision:
    """Two people have looked at a payout: so much of it may be brought back, by `scripts/ajo reverse`."""
    payout = loaded.get(payout_ref(approval.group, approval.about))
    return _let_go(approval, {"payout": payout.id}, payout)


def _let_go(approval: Approval, about: dict[str, str], document: Document) -> Decision:
    payload = about | {
        "approval": approval.id,
        "pence": int(approval.payload["pence"]),
        "reason": str(approval.payload["reason"]),
    }
    kind = f"{approval.kind}_approved"
    fact = News(id=f"{kind}:{approval.id}", group=approval.group, type=kind, payload=payload)
    return Decision(facts=[fact], changed=[document])


_DEEDS: Final[dict[str, Callable[[Context, Loaded, Approval], Decision]]] = {
    "swap": _swap,
    "substitution": _substitution,
    "removal": _removal,
    "plan": _plan,
    "wind_up": _wind_up,
    "write_off": _write_off,
    "payout": _payout,
    "fee_change": _fee_change,
    "refund": _refund,
    "reversal": _reversal,
}
