"""Ask for what needs two people; consent, refuse, withdraw; the last consent carries it out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain import approvals
from shared.domain.approvals import MAY_ASK, OPEN_FOR, Approval, Consent, approval_ref
from shared.domain.decision import Decision
from shared.domain.errors import NoSuchThing, NotAllowed
from shared.domain.groups import Group, group_ref, roles_in
from shared.domain.ids import new_id
from shared.domain.permissions import Action, Role, require
from shared.domain.words import ApprovalKind
from shared.ports import Query
from shared.services.carry_out import carry_out, check, check_consent, looked_at
from shared.services.context import Command, Context
from shared.services.transact import Loaded, read, transact

Roles = frozenset[Role]


def ask(
    ctx: Context, command: Command, roles: Roles, gid: str, kind: ApprovalKind, payload: Mapping[str, Any]
) -> dict[str, Any]:
    """Ask for something that others must consent to. What could not be done now is refused at once.

    `payload` as `carry_out` reads it; `about` in it is whom or what it is about, the asker by default. Raises
    NoSuchThing, NotAllowed, and what carrying it out would raise.
    """
    about, other = str(payload.get("about") or command.actor), payload.get("other")

    def decide(loaded: Loaded) -> Decision:
        group = loaded.get(group_ref(gid))
        held = roles_in(group, command.actor) | roles
        require(Action.ASK_APPROVAL, held)
        if MAY_ASK[kind].isdisjoint(held) or (kind in _OWN and about != command.actor):
            raise NotAllowed()
        now = ctx.clock.now()
        approval = Approval(
            id=new_id("apr", ctx.chance.token(13)),
            group=gid,
            kind=kind,
            about=about,
            payload=dict(payload),
            asked_by=command.actor,
            asked_at=now,
            expires_at=now + OPEN_FOR,
            consents=[
                Consent(slot=slot)
                for slot in approvals.slots(kind, command.actor, about, other, _steering(group))
            ],
        )
        check(ctx, loaded, approval, command.actor, held)
        return Decision(
            answer=view(approval, ctx), facts=[approval.told("asked", command.actor)], created=[approval]
        )

    seen = looked_at(ctx, gid, kind, about, str(other))
    return transact(ctx, command, [group_ref(gid)], decide, peek=seen)


_OWN = {"swap", "substitution", "plan"}
"""Asked for by the person whom it is about."""


def _steering(group: Group) -> list[str]:
    return [seat.uid for seat in group.seated() if seat.role in {"organiser", "deputy"}]


def approve(
    ctx: Context, command: Command, roles: Roles, gid: str, approval: str, agreement_hash: str | None = None
) -> dict[str, Any]:
    """Consent. With the last consent it is done, in this commit; if it can no longer be done, nothing is.

    Raises NoSuchThing, ApprovalClosed, OwnRequest, NotAllowed, and what carrying it out raises.
    """

    def decide(loaded: Loaded) -> Decision:
        found, group = _find(loaded, gid, approval)
        held = _held(group, found, command.actor, roles)
        after = approvals.consent(found, command.actor, held, ctx.clock.now())
        check_consent(ctx, group, found, command.actor, agreement_hash)
        if after == found:
            return Decision(answer=view(found, ctx))
        told = Decision(facts=[after.told("consented", command.actor)], changed=[after])
        if not after.is_complete:
            return Decision(answer=view(after, ctx), facts=told.facts, changed=told.changed)
        done = after.moved("carried_out")
        deed = carry_out(ctx, loaded, done)
        whole = told.then(deed).then(Decision(changed=[done]))
        return Decision(view(done, ctx), whole.facts, whole.changed, whole.created, whole.removed)

    return transact(ctx, command, [approval_ref(approval), group_ref(gid)], decide)


def refuse(ctx: Context, command: Command, roles: Roles, gid: str, approval: str) -> dict[str, Any]:
    """Say no, as one whose consent is needed. Raises as `approve`."""

    def decide(loaded: Loaded) -> Decision:
        found, group = _find(loaded, gid, approval)
        held = _held(group, found, command.actor, roles)
        after = approvals.refuse(found, command.actor, held, ctx.clock.now())
        return Decision(
            answer=view(after, ctx), facts=[after.told("refused", command.actor)], changed=[after]
        )

    return transact(ctx, command, [approval_ref(approval), group_ref(gid)], decide)


def withdraw(ctx: Context, command: Command, roles: Roles, gid: str, approval: str) -> dict[str, Any]:
    """Take one's own request back. Raises NoSuchThing, ApprovalClosed, NotAllowed."""

    def decide(loaded: Loaded) -> Decision:
        found, group = _find(loaded, gid, approval)
        _held(group, found, command.actor, roles)
        after = approvals.withdraw(found, command.actor, ctx.clock.now())
        return Decision(
            answer=view(after, ctx), facts=[after.told("withdrawn", command.actor)], changed=[after]
        )

    return transact(ctx, command, [approval_ref(approval), group_ref(gid)], decide)


def list_approvals(
    ctx: Context, uid: str, roles: Roles, gid: str, cursor: str | None, limit: int
) -> dict[str, Any]:
    """One page of a group's requests, newest first. Raises NoSuchThing."""
    group = read(ctx, group_ref(gid)).get(group_ref(gid))
    require(Action.READ_APPROVALS, roles_in(group, uid) | roles)
    page = ctx.store.query(
        Query("approvals", where=[("group", "==", gid)], order_by=["-asked_at"], limit=limit, after=cursor)
    )
    items = [view(one.document(Approval), ctx) for one in page.documents]
    return {"items": items, "next_cursor": page.cursor}


def _find(loaded: Loaded, gid: str, approval: str) -> tuple[Approval, Group]:
    loaded.need(approval_ref(approval), group_ref(gid))
    found = loaded.find(approval_ref(approval))
    if found is None or found.group != gid:
        raise NoSuchThing(thing="request")
    return found, loaded.get(group_ref(gid))


def _held(group: Group, approval: Approval, uid: str, roles: Roles) -> Roles:
    """What somebody is to a request. Who is asked by name need not be in the group: a substitute is not."""
    held = roles_in(group, uid) | roles
    if f"uid:{uid}" not in [one.slot for one in approval.consents]:
        require(Action.ANSWER_APPROVAL, held, "request")
    return held


def view(approval: Approval, ctx: Context) -> dict[str, Any]:
    return {
        "id": approval.id,
        "group": approval.group,
        "kind": approval.kind,
        "about": approval.about,
        "other": approval.payload.get("other"),
        "reason": approval.payload.get("reason"),
        "state": approval.state_at(ctx.clock.now()),
        "asked_by": approval.asked_by,
        "asked_at": approval.asked_at.isoformat(),
        "expires_at": approval.expires_at.isoformat(),
        "consents": [
            {"from": one.slot.removeprefix("uid:"), "given_by": one.given_by} for one in approval.consents
        ],
    }
