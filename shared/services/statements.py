"""Statements of a member or of a whole circle, for a period, read as of one moment."""

from __future__ import annotations

from datetime import date
from typing import Any

from shared.domain.audit import AuditHead
from shared.domain.errors import NoSuchThing, NotAllowed
from shared.domain.groups import Group, group_ref, roles_in
from shared.domain.journal import Fact
from shared.domain.ledger import Balances
from shared.domain.money import CURRENCY
from shared.domain.permissions import GROUP_ROLES, Action, allows, require
from shared.domain.statements import (
    Movement,
    Position,
    Posting,
    group_statement,
    member_statement,
)
from shared.ports import Query
from shared.services.access_log import record, require_in_group
from shared.services.context import Context, Reader
from shared.services.transact import read


def of_member(
    ctx: Context, reader: Reader, gid: str, uid: str, since: date | None, until: date | None
) -> dict[str, Any]:
    """A member's statement, for themselves or, with a reason, for staff. Days are London's, both counted.

    Who has left may still read their own: what they are owed, and owe, goes on.
    Raises NoSuchThing, NotAllowed, ReasonMissing.
    """
    group = read(ctx, group_ref(gid)).get(group_ref(gid))
    had_turn = any(seat.uid == uid and seat.position is not None for seat in group.seats)
    if reader.uid != uid:
        _require_staff(ctx, reader, group, uid)
    elif not had_turn:
        require(Action.READ_STATEMENT, roles_in(group, uid))
    if not any(seat.uid == uid for seat in group.seats):
        raise NoSuchThing(thing="member")
    facts, head = _books(ctx, gid)
    found = member_statement(facts, uid, since, until)
    change, closing = found.change, found.closing
    return {
        **_frame(group, since, until, head),
        "uid": uid,
        "opening": _position(found.opening),
        "lines": [_movement(one) for one in found.movements],
        "closing": _position(closing),
        "paid_in_pence": change.paid_in_pence,
        "received_pence": change.received_pence,
        "owes_pence": closing.owes_pence,
    }


def of_group(
    ctx: Context, reader: Reader, gid: str, since: date | None, until: date | None
) -> dict[str, Any]:
    """A circle's statement, every account and every posting, for those who keep its books.

    Raises NoSuchThing, NotAllowed, ReasonMissing.
    """
    group = read(ctx, group_ref(gid)).get(group_ref(gid))
    require_in_group(ctx, reader, group, Action.READ_GROUP_STATEMENT)
    facts, head = _books(ctx, gid)
    found = group_statement(facts, since, until)
    return {
        **_frame(group, since, until, head),
        "opening": _accounts(found.opening),
        "lines": [_posting(one) for one in found.postings],
        "closing": _accounts(found.closing),
    }


def _require_staff(ctx: Context, reader: Reader, group: Group, uid: str) -> None:
    """Another's statement is for staff alone: no role in the circle opens it."""
    if not allows(Action.READ_STATEMENT, reader.roles):
        inside = roles_in(group, reader.uid) & GROUP_ROLES
        raise NotAllowed if inside | reader.roles else NoSuchThing(thing="group")
    record(ctx, reader, Action.READ_STATEMENT, uid)


def _books(ctx: Context, gid: str) -> tuple[list[Fact], AuditHead]:
    facts, heads = ctx.store.read_consistently(
        Query(f"groups/{gid}/journal"), Query(f"groups/{gid}/audit_head")
    )
    head = next((one.document(AuditHead) for one in heads), AuditHead(group=gid))
    return [one.document(Fact) for one in facts], head


def _frame(group: Group, since: date | None, until: date | None, head: AuditHead) -> dict[str, Any]:
    return {
        "group": group.id,
        "name": group.terms.name,
        "currency": CURRENCY,
        "since": since.isoformat() if since else None,
        "until": until.isoformat() if until else None,
        "audit_seq": head.seq,
        "audit_hash": head.hash,
    }


def _position(position: Position) -> dict[str, int]:
    return {
        "paid_in_pence": position.paid_in_pence,
        "received_pence": position.received_pence,
        "fees_pence": position.fees_pence,
        "balance_pence": position.balance_pence,
        "credit_pence": position.credit_pence,
        "owes_pence": position.owes_pence,
        "is_owed_pence": position.is_owed_pence,
    }


def _movement(movement: Movement) -> dict[str, Any]:
    change = movement.change
    return {
        "at": movement.at.isoformat(),
        "fact": movement.fact,
        "description": movement.description,
        "cycle": movement.cycle,
        "paid_in_pence": change.paid_in_pence,
        "received_pence": change.received_pence,
        "fees_pence": change.fees_pence,
        "credit_pence": change.credit_pence,
        "owes_pence": change.owes_pence,
        "is_owed_pence": change.is_owed_pence,
        "balance_pence": movement.after.balance_pence,
    }


def _posting(posting: Posting) -> dict[str, Any]:
    return {
        "at": posting.at.isoformat(),
        "fact": posting.fact,
        "description": posting.description,
        "cycle": posting.cycle,
        "entries": [entry.model_dump() for entry in posting.entries],
    }


def _accounts(stand: Balances) -> dict[str, int]:
    return {account: stand.of(account) for account in stand.accounts()}
