"""Disputes between people: raise, answer, withdraw, take up, decide, appeal, and read them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from shared.domain import ledger
from shared.domain.contributions import contribution_ref
from shared.domain.decision import Decision
from shared.domain.disputes import Dispute, Entry, Remedy, Verdict, dispute_ref, dispute_sealed_as, opened
from shared.domain.documents import Ref
from shared.domain.errors import AccountClosed, DisputeExists, NoSuchThing, RemedyImpossible
from shared.domain.groups import Group, group_ref, roles_in
from shared.domain.house import HOUSE_REF, House, stand_in
from shared.domain.ids import derived_id
from shared.domain.journal import News
from shared.domain.members import member_ref
from shared.domain.payouts import payout_ref
from shared.domain.permissions import Action, allows, require
from shared.domain.remedies import carry_out, people_of
from shared.domain.users import User, user_ref
from shared.domain.words import DisputeKind, DisputeOutcome
from shared.ports import Query, Sealer
from shared.services.access_log import record
from shared.services.context import Command, Context, Reader
from shared.services.transact import Loaded, read, transact


def open_dispute(
    ctx: Context,
    command: Command,
    gid: str,
    kind: DisputeKind,
    subject: str,
    text: str,
    evidence: list[str],
) -> dict[str, Any]:
    """Raise a dispute about a contribution, a payout or a person of the circle, once for each.

    Raises NoSuchThing, NotAllowed, DisputeExists, AccountClosed (by now the other was erased).
    """
    group = _group_of_person(ctx, Action.OPEN_DISPUTE, gid, command.actor)
    id_ = derived_id("dsp", gid, command.actor, kind, subject)
    cycle, against = _subject(ctx, group, kind, subject)
    sealed = ctx.vault.sealer(gid).seal(text, dispute_sealed_as(id_, 1))
    dispute = opened(
        id_, gid, kind, subject, cycle, command.actor, against, sealed, evidence, ctx.clock.now()
    )

    def decide(loaded: Loaded) -> Decision:
        if loaded.find(dispute_ref(gid, id_)) is not None:
            raise DisputeExists
        _require_reachable(loaded, dispute.parties)
        return Decision(
            answer=_summary(dispute),
            facts=[_news(dispute, "dispute_opened", {"about": subject, "kind": kind, "against": against})],
            created=[dispute],
        )

    return transact(ctx, command, [dispute_ref(gid, id_), *_accounts(dispute.parties)], decide)


def _require_reachable(loaded: Loaded, people: Iterable[str]) -> None:
    """Nobody is accused, or owes by a decision, who was erased, or is at this moment: an erasure changes
    them, too. Raises AccountClosed."""
    accounts = _accounts(people)
    loaded.need(*accounts)
    for account in accounts:
        loaded.get(account).require_open()


def _accounts(people: Iterable[str]) -> list[Ref[User]]:
    return [user_ref(uid) for uid in sorted(people)]


def add(
    ctx: Context, command: Command, reader: Reader, gid: str, did: str, text: str, evidence: list[str]
) -> dict[str, Any]:
    """Say more, as a party or as the reviewer. Raises NoSuchThing, DisputeClosed, TooManyEntries."""
    found = _seen(ctx, reader, gid, did, Action.ANSWER_DISPUTE)
    now, sealer = ctx.clock.now(), ctx.vault.sealer(gid)

    def decide(loaded: Loaded) -> Decision:
        dispute = loaded.get(dispute_ref(gid, found.id))
        sealed = sealer.seal(text, dispute_sealed_as(did, len(dispute.entries) + 1))
        after = dispute.with_entry(command.actor, sealed, evidence, now)
        number = len(after.entries)
        news = _news(after, "dispute_entry", {"number": number, "evidence": evidence}, f":{number}")
        return Decision(answer=_summary(after), facts=[news], changed=[after])

    return transact(ctx, command, [dispute_ref(gid, did)], decide)


def withdraw(ctx: Context, command: Command, gid: str, did: str) -> dict[str, Any]:
    """Take a dispute back, as who raised it. Raises NoSuchThing, NotAllowed, DisputeClosed."""
    _seen(ctx, Reader(command.actor), gid, did, Action.ANSWER_DISPUTE)
    return _change(ctx, command, gid, did, "dispute_withdrawn", lambda one: one.withdrawn(command.actor))


def take_up(ctx: Context, command: Command, reader: Reader, gid: str, did: str) -> dict[str, Any]:
    """Review a dispute, as staff without a part in it: nobody who sits in the circle, or decided it before.

    Raises NoSuchThing, NotAllowed, ReasonMissing, DisputeClosed, ReviewerNotIndependent.
    """
    found = _seen(ctx, reader, gid, did, Action.REVIEW_DISPUTE)
    former_ref = dispute_ref(gid, found.appeal_of) if found.appeal_of else None
    # A decision never changes: it is read, not guarded.
    former = read(ctx, former_ref).get(former_ref) if former_ref else None
    return _change(
        ctx, command, gid, did, "dispute_taken_up", lambda one: one.taken_up(command.actor, former)
    )


def decide(
    ctx: Context,
    command: Command,
    reader: Reader,
    gid: str,
    did: str,
    outcome: DisputeOutcome,
    reason: str,
    remedies: list[Remedy],
) -> dict[str, Any]:
    """Decide a dispute, with its reason; what is to be put right is posted in the same commit.

    Raises NoSuchThing, NotAllowed, ReasonMissing, DisputeClosed, DisputeNotReady, RemedyImpossible.
    """
    _seen(ctx, reader, gid, did, Action.REVIEW_DISPUTE)
    now = ctx.clock.now()
    verdict = Verdict(
        outcome=outcome,
        by=command.actor,
        at=now,
        sealed=ctx.vault.sealer(gid).seal(reason, dispute_sealed_as(did, 0)),
        remedies=remedies if outcome == "upheld" else [],
    )

    def decided(loaded: Loaded) -> Decision:
        group, dispute = loaded.get(group_ref(gid)), loaded.get(dispute_ref(gid, did))
        after = dispute.decided(verdict)
        refs = {uid: member_ref(gid, uid) for uid in people_of(verdict.remedies)}
        loaded.need(*refs.values())
        members = {uid: loaded.get(ref) for uid, ref in refs.items()}
        people = {seat.uid for seat in group.contributors()}
        done = carry_out(after, verdict.remedies, members, people, ctx.gateway.name, ctx.holidays, now)
        _require_payable(loaded, verdict.remedies)
        payload = {"outcome": outcome, "remedies": [one.model_dump() for one in verdict.remedies]}
        news = _news(after, "dispute_decided", payload).with_(entries=ledger.post(done.rows))
        return Decision(
            answer=_summary(after),
            facts=[news],
            changed=[after, *done.members.values(), *_borne_by_the_house(loaded, done.house_pence)],
            created=done.created,
        )

    return transact(ctx, command, [dispute_ref(gid, did), group_ref(gid)], decided, peek=[HOUSE_REF])


def _require_payable(loaded: Loaded, remedies: list[Remedy]) -> None:
    """Both sides of each claim are still there. Raises RemedyImpossible."""
    claims = [one for one in remedies if one.kind == "claim"]
    people = {uid for one in claims for uid in (one.debtor, one.creditor) if uid is not None}
    try:
        _require_reachable(loaded, people)
    except AccountClosed as closed:
        raise RemedyImpossible(why="somebody in it was erased") from closed


def _borne_by_the_house(loaded: Loaded, pence: int) -> list[House]:
    """The house, changed by what it pays: of two decisions at once one looks again. Before the first
    reconciliation nothing is known of it, and nothing is borne."""
    house = loaded.find(HOUSE_REF)
    return [stand_in(house, pence)] if pence and house is not None else []


def appeal(ctx: Context, command: Command, gid: str, did: str, text: str) -> dict[str, Any]:
    """Appeal against a decision, once, as one of its parties; somebody else decides. Answers the appeal.

    Raises NoSuchThing, NotAllowed, AppealNotPossible, AccountClosed.
    """
    _seen(ctx, Reader(command.actor), gid, did, Action.ANSWER_DISPUTE)
    id_ = derived_id("dsp", did, "appeal")
    sealed, now = ctx.vault.sealer(gid).seal(text, dispute_sealed_as(id_, 1)), ctx.clock.now()

    def decide(loaded: Loaded) -> Decision:
        first, second = loaded.get(dispute_ref(gid, did)).appealed(command.actor, id_, sealed, now)
        _require_reachable(loaded, second.parties)
        return Decision(
            answer=_summary(second),
            facts=[_news(second, "dispute_appealed", {"appeal_of": did})],
            changed=[first],
            created=[second],
        )

    return transact(ctx, command, [dispute_ref(gid, did)], decide)


# --- reading ------------------------------------------------------------------------------------------------


def read_dispute(ctx: Context, reader: Reader, gid: str, did: str) -> dict[str, Any]:
    """A dispute with all that was said, for its parties and, with a reason, for staff.

    Raises NoSuchThing, NotAllowed, ReasonMissing.
    """
    dispute = _seen(ctx, reader, gid, did, Action.READ_DISPUTE)
    sealer = ctx.vault.sealer(gid)
    verdict = dispute.verdict
    return _summary(dispute) | {
        "entries": [_entry(sealer, dispute.id, one) for one in dispute.entries],
        "decision": verdict
        and {
            "outcome": verdict.outcome,
            "by": verdict.by,
            "at": verdict.at.isoformat(),
            "reason": sealer.open(verdict.sealed, dispute_sealed_as(dispute.id, 0)),
            "remedies": [one.model_dump() for one in verdict.remedies],
        },
        "revision": dispute.revision,
    }


def of_group(ctx: Context, reader: Reader, gid: str, cursor: str | None, limit: int) -> dict[str, Any]:
    """One page of a circle's disputes, the latest first: a person's own; for staff, with a reason, all.

    Raises NoSuchThing, NotAllowed, ReasonMissing.
    """
    group = read(ctx, group_ref(gid)).get(group_ref(gid))
    inside = _is_person(group, reader.uid)
    if not inside:
        require(Action.READ_DISPUTE, reader.roles)
        record(ctx, reader, Action.READ_DISPUTE, gid)
    page = ctx.store.query(
        Query(f"groups/{gid}/disputes", order_by=["-opened_at"], limit=limit, after=cursor)
    )
    found = [one.document(Dispute) for one in page.documents]
    shown = [one for one in found if not inside or reader.uid in one.parties]
    return {"items": [_summary(one) for one in shown], "next_cursor": page.cursor}


def to_decide(ctx: Context, cursor: str | None, limit: int) -> dict[str, Any]:
    """One page of all that waits for a decision, by its deadline: the work of staff. Shows no text."""
    page = ctx.store.query(
        Query(
            "disputes",
            where=[("state", "in", ["open", "under_review"])],
            order_by=["decide_by"],
            limit=limit,
            after=cursor,
            group=True,
        )
    )
    found = [one.document(Dispute) for one in page.documents]
    now = ctx.clock.now()
    items = [_summary(one) | {"overdue": now > one.decide_by} for one in found]
    return {"items": items, "next_cursor": page.cursor}


def _summary(dispute: Dispute) -> dict[str, Any]:
    """A dispute without what was said: also the answer to every change, which is kept unsealed."""
    return {
        "id": dispute.id,
        "group": dispute.group,
        "kind": dispute.kind,
        "subject": dispute.subject,
        "opened_by": dispute.opened_by,
        "against": dispute.against,
        "state": dispute.state,
        "opened_at": dispute.opened_at.isoformat(),
        "respond_by": dispute.respond_by.isoformat(),
        "decide_by": dispute.decide_by.isoformat(),
        "answered": dispute.answered,
        "reviewer": dispute.reviewer,
        "appeal_of": dispute.appeal_of,
        "appealed_as": dispute.appealed_as,
    }


def _entry(sealer: Sealer, did: str, entry: Entry) -> dict[str, Any]:
    return {
        "number": entry.number,
        "by": entry.by,
        "at": entry.at.isoformat(),
        "text": sealer.open(entry.sealed, dispute_sealed_as(did, entry.number)),
        "evidence": entry.evidence,
    }


# --- what they share ----------------------------------------------------------------------------------------


def _news(dispute: Dispute, type_: str, payload: dict[str, Any], suffix: str = "") -> News:
    return News(
        id=f"{type_}:{dispute.id}{suffix}",
        group=dispute.group,
        type=type_,
        payload={"dispute": dispute.id, **payload},
    )


def _is_person(group: Group, uid: str) -> bool:
    """Whether somebody is in the circle, or had a turn in it: what was promised outlasts a membership."""
    had_turn = any(seat.uid == uid and seat.position is not None for seat in group.seats)
    return had_turn or allows(Action.OPEN_DISPUTE, roles_in(group, uid))


def _group_of_person(ctx: Context, action: Action, gid: str, uid: str) -> Group:
    group = read(ctx, group_ref(gid)).get(group_ref(gid))
    if not _is_person(group, uid):
        require(action, roles_in(group, uid))
    return group


def _seen(ctx: Context, reader: Reader, gid: str, did: str, action: Action) -> Dispute:
    """The dispute, if it is the reader's own, or if they may see it as staff with a reason.

    Staff who sit in the circle see it as its people do. Raises NoSuchThing, NotAllowed, ReasonMissing.
    """
    ref = dispute_ref(gid, did)
    loaded = read(ctx, group_ref(gid), ref)
    group, dispute = loaded.get(group_ref(gid)), loaded.get(ref)
    if reader.uid in dispute.parties and action is not Action.REVIEW_DISPUTE:
        return dispute
    if _is_person(group, reader.uid):
        raise NoSuchThing(thing="dispute")
    require(action, reader.roles, "dispute")
    record(ctx, reader, action, gid)
    return dispute


def _subject(ctx: Context, group: Group, kind: DisputeKind, subject: str) -> tuple[int | None, str | None]:
    """The cycle and the person that a dispute is about. Raises NoSuchThing."""
    if kind == "contribution":
        contribution = read(ctx, contribution_ref(group.id, subject)).get(contribution_ref(group.id, subject))
        return contribution.cycle, contribution.uid
    if kind == "payout":
        payout = read(ctx, payout_ref(group.id, subject)).get(payout_ref(group.id, subject))
        return payout.cycle, payout.recipient
    if not any(seat.uid == subject for seat in group.seats):
        raise NoSuchThing(thing="member")
    return None, subject


def _change(
    ctx: Context, command: Command, gid: str, did: str, type_: str, change: Callable[[Dispute], Dispute]
) -> dict[str, Any]:
    ref = dispute_ref(gid, did)

    def decide(loaded: Loaded) -> Decision:
        before = loaded.get(ref)
        after = change(before)
        news = _news(after, type_, {}, f":{before.revision}")
        return Decision(answer=_summary(after), facts=[news], changed=[after])

    return transact(ctx, command, [ref], decide)
