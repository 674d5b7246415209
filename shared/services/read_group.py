"""Read a group: what its members see of it, its schedule, its balances, and one's own statement."""

from __future__ import annotations

from typing import Any

from shared.domain.groups import Group, group_ref, roles_in
from shared.domain.journal import Fact
from shared.domain.ledger import Balances
from shared.domain.members import Member
from shared.domain.money import CURRENCY
from shared.domain.payouts import Payout
from shared.domain.permissions import Action, require
from shared.ports import Query, Snapshot
from shared.services import views
from shared.services.context import Context
from shared.services.transact import read


def mine(ctx: Context, uid: str, cursor: str | None, limit: int) -> dict[str, Any]:
    """One page of the groups that the person is in, or has asked to join."""
    page = ctx.store.query(
        Query(
            "members",
            where=[("uid", "==", uid)],
            order_by=["-joined_at"],
            limit=limit,
            after=cursor,
            group=True,
        )
    )
    refs = [group_ref(str((one.data or {})["group"])) for one in page.documents]
    loaded = read(ctx, *refs) if refs else None
    groups = [found for ref in refs if loaded is not None and (found := loaded.find(ref)) is not None]
    return {"items": [views.group_summary(one, uid) for one in groups], "next_cursor": page.cursor}


def group(ctx: Context, uid: str, gid: str) -> dict[str, Any]:
    """The group as its member sees it. Raises NoSuchThing."""
    return views.group(_group(ctx, uid, gid, Action.READ_GROUP), uid)


def schedule(ctx: Context, uid: str, gid: str) -> dict[str, Any]:
    """The cycles of a locked group, with the state of each payout. Raises NoSuchThing."""
    found = _group(ctx, uid, gid, Action.READ_SCHEDULE)
    turns = {one.cycle: one for one in _payouts(ctx, gid) if one.kind == "turn" and one.state != "void"}
    return {
        "group": gid,
        "amount_pence": found.terms.amount_pence,
        "currency": CURRENCY,
        "cycles": [
            {
                "cycle": cycle.number,
                "due_date": cycle.due_date.isoformat(),
                "moved_because": cycle.moved_because,
                "payout_date": cycle.payout_date.isoformat(),
                "recipient": cycle.recipient,
                "pot_pence": found.terms.pot_pence,
                "payout_state": turns[cycle.number].state if cycle.number in turns else None,
            }
            for cycle in found.schedule
        ],
    }


def balances(ctx: Context, uid: str, gid: str) -> dict[str, Any]:
    """Where the circle's money stands, read as of one moment. Raises NoSuchThing."""
    _group(ctx, uid, gid, Action.READ_BALANCES)
    facts, members, ledger = ctx.store.read_consistently(
        Query(f"groups/{gid}/journal"), Query(f"groups/{gid}/members"), Query(f"groups/{gid}/ledger")
    )
    stand = next((Balances.model_validate(dict(one.data or {})) for one in ledger), Balances())
    people = [Member.model_validate(dict(one.data or {})) for one in members]
    return {
        "group": gid,
        "currency": CURRENCY,
        "accounts": {account: stand.of(account) for account in stand.accounts()},
        "members": [
            _member_balance(one, people, [_fact(fact) for fact in facts])
            for one in people
            if one.position is not None
        ],
    }


def statement(ctx: Context, uid: str, gid: str) -> dict[str, Any]:
    """What the reader paid in and received in this circle, read as of one moment. Raises NoSuchThing."""
    _group(ctx, uid, gid, Action.READ_STATEMENT)
    facts, members = ctx.store.read_consistently(
        Query(f"groups/{gid}/journal", order_by=["at"]), Query(f"groups/{gid}/members")
    )
    lines = [line for fact in facts if (line := _line(_fact(fact), uid)) is not None]
    own = [one for one in members if (one.data or {})["uid"] == uid]
    return {
        "group": gid,
        "uid": uid,
        "currency": CURRENCY,
        "lines": lines,
        "paid_in_pence": sum(line["paid_in_pence"] for line in lines),
        "received_pence": sum(line["received_pence"] for line in lines),
        "owes_pence": sum(Member.model_validate(dict(one.data or {})).owes_pence() for one in own),
    }


def _group(ctx: Context, uid: str, gid: str, action: Action) -> Group:
    found = read(ctx, group_ref(gid)).get(group_ref(gid))
    require(action, roles_in(found, uid))
    return found


def _payouts(ctx: Context, gid: str) -> list[Payout]:
    (found,) = ctx.store.read_consistently(Query(f"groups/{gid}/payouts"))
    return [Payout.model_validate(dict(one.data or {})) for one in found]


def _fact(found: Snapshot) -> Fact:
    return Fact.model_validate(dict(found.data or {}))


_PAID_IN = {
    "contribution_settled": 1,
    "dispute_won": 1,
    "contribution_refunded": -1,
    "contribution_disputed": -1,
}
_SENTENCES = {
    "contribution_settled": "Contribution to cycle {cycle}",
    "dispute_won": "Returned after a dispute, cycle {cycle}",
    "contribution_refunded": "Refunded, cycle {cycle}",
    "contribution_disputed": "Taken back by your bank, cycle {cycle}",
    "payout_sent": "Pot of cycle {cycle}",
    "payout_reversed": "Payout of cycle {cycle} returned",
}


def _line(fact: Fact, uid: str) -> dict[str, Any] | None:
    """A fact as a line of one person's statement; None if it moved none of their money."""
    payload = fact.payload
    paid_in = received = 0
    if payload.get("member") == uid and fact.type in _PAID_IN:
        paid_in = _PAID_IN[fact.type] * payload["pence"]
    elif payload.get("recipient") == uid and fact.type == "payout_sent":
        received = payload["pence"]
    elif payload.get("recipient") == uid and fact.type == "payout_reversed":
        received = -payload["reversed_pence"]
    else:
        return None
    return {
        "at": fact.at.isoformat(),
        "fact": fact.id,
        "description": _SENTENCES[fact.type].format(cycle=payload["cycle"]),
        "cycle": payload["cycle"],
        "paid_in_pence": paid_in,
        "received_pence": received,
    }


def _member_balance(member: Member, everyone: list[Member], facts: list[Fact]) -> dict[str, Any]:
    lines = [line for fact in facts if (line := _line(fact, member.uid)) is not None]
    return {
        "uid": member.uid,
        "paid_in_pence": sum(line["paid_in_pence"] for line in lines),
        "received_pence": sum(line["received_pence"] for line in lines),
        "owes_pence": member.owes_pence(),
        "is_owed_pence": sum(
            debt.left_pence for one in everyone for debt in one.debts if debt.creditor == member.uid
        ),
    }
