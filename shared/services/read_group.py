"""Read a group: what its members see of it, its schedule and its balances."""

from __future__ import annotations

from typing import Any

from shared.domain.contributions import Contribution, Instalment
from shared.domain.groups import Cycle, Group, group_ref
from shared.domain.journal import Fact
from shared.domain.ledger import Balances
from shared.domain.members import Member
from shared.domain.money import CURRENCY
from shared.domain.payouts import Payout
from shared.domain.permissions import Action
from shared.domain.record import record
from shared.domain.schedules import full_pots, payments, pots_changed
from shared.domain.statements import member_statement
from shared.ports import Query, Snapshot
from shared.services import display_names, views
from shared.services.access_log import require_in_group
from shared.services.context import Context, Reader
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


def group(ctx: Context, reader: Reader, gid: str) -> dict[str, Any]:
    """The group as its member sees it. Raises NoSuchThing."""
    found = _group(ctx, reader, gid, Action.READ_GROUP)
    names = display_names.names(ctx, gid, [seat.uid for seat in found.seats])
    return views.group(found, reader.uid, names)


def schedule(ctx: Context, reader: Reader, gid: str) -> dict[str, Any]:
    """The cycles of a locked group: each pot and the state of its payout, and what the reader pays on which
    days. Raises NoSuchThing."""
    found = _group(ctx, reader, gid, Action.READ_SCHEDULE)
    calendar = _calendar(ctx, found, reader.uid)
    turns = {one.cycle: one for one in calendar.payouts if one.kind == "turn" and one.state != "void"}
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
                "pot_pence": calendar.pots[cycle.number],
                "payout_state": _turn_state(cycle, turns.get(cycle.number)),
                "own_payments": [
                    {"due_date": one.due_date.isoformat(), "amount_pence": one.pence}
                    for one in calendar.own.get(cycle.number, [])
                ],
            }
            for cycle in found.schedule
        ],
    }


@record
class _Calendar:
    """What stands on a group's calendar beside its dates, each by cycle."""

    payouts: list[Payout]
    pots: dict[int, int]
    own: dict[int, list[Instalment]]


def _calendar(ctx: Context, group: Group, uid: str) -> _Calendar:
    """All of the group's contributions are read only where the pots are no longer those that were agreed."""
    changed = pots_changed(group)
    payouts, found, own = ctx.store.read_consistently(
        Query(f"groups/{group.id}/payouts"),
        Query(f"groups/{group.id}/contributions", where=[] if changed else [("uid", "==", uid)]),
        Query(f"groups/{group.id}/members", where=[("uid", "==", uid)]),
    )
    contributions = [one.document(Contribution) for one in found]
    members = [one.document(Member) for one in own]
    agreed = {cycle.number: group.terms.pot_pence for cycle in group.schedule}
    paying: dict[int, list[Instalment]] = {}
    for one in sorted(contributions, key=lambda one: (one.cycle, one.due_date)):
        if one.uid == uid and members:
            paying.setdefault(one.cycle, []).extend(payments(one, members[0]))
    return _Calendar(
        payouts=[one.document(Payout) for one in payouts],
        pots=full_pots(group, contributions) if changed else agreed,
        own=paying,
    )


def _turn_state(cycle: Cycle, turn: Payout | None) -> str | None:
    """A cycle whose recipient left before their turn takes place no more: its payout is void."""
    if turn is None:
        return "void" if cycle.fell_away else None
    return turn.state


def balances(ctx: Context, reader: Reader, gid: str) -> dict[str, Any]:
    """Where the circle's money stands, read as of one moment. Raises NoSuchThing."""
    _group(ctx, reader, gid, Action.READ_BALANCES)
    facts, members, ledger = ctx.store.read_consistently(
        Query(f"groups/{gid}/journal"), Query(f"groups/{gid}/members"), Query(f"groups/{gid}/ledger")
    )
    stand = next((one.document(Balances) for one in ledger), Balances())
    people = [one.document(Member) for one in members]
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


def _group(ctx: Context, reader: Reader, gid: str, action: Action) -> Group:
    found = read(ctx, group_ref(gid)).get(group_ref(gid))
    require_in_group(ctx, reader, found, action)
    return found


def _fact(found: Snapshot) -> Fact:
    return found.document(Fact)


def _member_balance(member: Member, everyone: list[Member], facts: list[Fact]) -> dict[str, Any]:
    stand = member_statement(facts, member.uid, None, None).closing
    return {
        "uid": member.uid,
        "paid_in_pence": stand.paid_in_pence,
        "received_pence": stand.received_pence,
        "owes_pence": member.owes_pence(),
        "is_owed_pence": sum(
            debt.left_pence for one in everyone for debt in one.debts if debt.creditor == member.uid
        ),
    }
