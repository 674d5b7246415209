"""Fraud holds: what the checks hold up (joining, a new method, a payout), and staff who look and answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from shared.domain.decision import Decision
from shared.domain.documents import Ref
from shared.domain.errors import DetailsToCheck, Erased, NoSuchThing
from shared.domain.fraud import Fact, FraudCheck, Hold, check_fraud
from shared.domain.fraud_files import (
    FiledFinding,
    FindingVerdict,
    FraudFile,
    finding_sealed_as,
    fraud_ref,
    require_reason,
)
from shared.domain.payouts import HELD_RECHECK
from shared.domain.permissions import Action
from shared.ports import Query
from shared.services import access_log, wake
from shared.services.context import Command, Context, Reader
from shared.services.fraud_facts import facts_beside, facts_of
from shared.services.transact import Loaded, read, transact

CHECKER: Final = "system:fraud"


def check(ctx: Context, uid: str, more: Sequence[Fact] = ()) -> FraudCheck:
    """What the rules say of a person now, without what staff have lifted; what is new waits for staff.
    `more`: facts that the caller alone knows.

    Facts are looked at, not guarded: one that comes a moment later is seen at the next look, and there is one
    more right before money leaves. Raises TryAgainLater.
    """
    return _judged(ctx, uid, [*facts_of(ctx, uid), *more])


def _judged(ctx: Context, uid: str, facts: Sequence[Fact]) -> FraudCheck:
    found = check_fraud(uid, facts, ctx.clock.now())
    if not found.findings:
        return found
    known = read(ctx, fraud_ref(uid)).find(fraud_ref(uid)) or FraudFile(uid=uid)
    if known.with_found(found) != known:
        _file(ctx, uid, found)
    return known.in_force(found)


def _file(ctx: Context, uid: str, found: FraudCheck) -> None:
    def decide(loaded: Loaded) -> Decision:
        known = loaded.find(fraud_ref(uid))
        after = (known or FraudFile(uid=uid)).with_found(found)
        if known is None:
            return Decision(created=[after])
        return Decision(changed=[] if after == known else [after])

    command = Command(actor=CHECKER, id=f"fraud:{uid}:{found.at.isoformat()}")
    transact(ctx, command, [fraud_ref(uid)], decide)


def require_clear(ctx: Context, uid: str, hold: Hold) -> None:
    """Raises DetailsToCheck, the same whatever was found: saying more would teach how to get round it."""
    if hold in check(ctx, uid).holds:
        raise DetailsToCheck()


def payout_held_until(ctx: Context, uid: str, *beside: Ref[Any]) -> tuple[datetime | None, Loaded]:
    """When to look again at a payout to this person, None if nothing holds it; and the documents `beside`,
    read in one wait with what the check asks for first. Raises TryAgainLater."""
    facts, loaded = facts_beside(ctx, uid, *beside)
    return _held_until(_judged(ctx, uid, facts), ctx.clock.now()), loaded


def _held_until(found: FraudCheck, now: datetime) -> datetime | None:
    if Hold.PAYING_OUT not in found.holds:
        return None
    ends = [one.until for one in found.findings if Hold.PAYING_OUT in one.holds]
    later = [end for end in ends if end is not None and end > now]
    by_itself = bool(later) and len(later) == len(ends)
    return max(later) if by_itself else now + HELD_RECHECK


# --- staff --------------------------------------------------------------------------------------------------


def queue(ctx: Context, cursor: str | None, limit: int) -> dict[str, Any]:
    """One page of people of whom a finding waits for staff, the oldest first: ids and moments."""
    page = ctx.store.query(
        Query("fraud", where=[("waits", "==", True)], order_by=["waits_since"], limit=limit, after=cursor)
    )
    found = [one.document(FraudFile) for one in page.documents]
    items = [
        {
            "person": one.uid,
            "waits_since": one.waits_since.isoformat() if one.waits_since else None,
            "open": sum(filed.state == "open" for filed in one.filed),
        }
        for one in found
    ]
    return {"items": items, "next_cursor": page.cursor}


def of_person(ctx: Context, reader: Reader, uid: str) -> dict[str, Any]:
    """What was ever found of a person, and what holds now; noted, with the reader's reason.

    Raises NoSuchThing, ReasonMissing.
    """
    file = _known(ctx, uid)
    access_log.record(ctx, reader, Action.READ_FRAUD, uid)
    return _view(ctx, file)


def decide(
    ctx: Context,
    command: Command,
    reader: Reader,
    uid: str,
    number: int,
    verdict: FindingVerdict,
    reason: str,
) -> dict[str, Any]:
    """Lift a finding or confirm it, with the reason. What was held is looked at again now.

    Raises NoSuchThing, FindingDecided, ReviewerNotIndependent, ReviewReasonMissing, Erased.
    """
    _known(ctx, uid)
    said = require_reason(reason)
    noted = replace(reader, reason="To decide on a finding of the fraud checks")
    access_log.record(ctx, noted, Action.DECIDE_FRAUD, uid)
    sealed = ctx.vault.sealer(uid).seal(said, finding_sealed_as(uid, number))

    def decided(loaded: Loaded) -> Decision:
        after = loaded.get(fraud_ref(uid)).decided(number, verdict, command.actor, ctx.clock.now(), sealed)
        return Decision(answer={"person": uid}, changed=[after])

    transact(ctx, command, [fraud_ref(uid)], decided)
    wake.payouts_to(ctx, command, uid)
    return _view(ctx, _known(ctx, uid))


def _known(ctx: Context, uid: str) -> FraudFile:
    file = read(ctx, fraud_ref(uid)).find(fraud_ref(uid))
    if file is None:
        raise NoSuchThing(thing="fraud file")
    return file


def _view(ctx: Context, file: FraudFile) -> dict[str, Any]:
    now = file.in_force(check_fraud(file.uid, facts_of(ctx, file.uid), ctx.clock.now()))
    return {
        "person": file.uid,
        "holds": [hold.value for hold in now.holds],
        "points": now.points,
        "findings": [_finding(ctx, file.uid, one) for one in file.filed],
    }


def _finding(ctx: Context, uid: str, one: FiledFinding) -> dict[str, Any]:
    told = one.model_dump(mode="json", exclude={"finding", "reason"})
    return told | one.finding.model_dump(mode="json") | {"reason": _reason(ctx, uid, one)}


def _reason(ctx: Context, uid: str, one: FiledFinding) -> str | None:
    if one.reason is None:
        return None
    try:
        return ctx.vault.sealer(uid).open(one.reason, finding_sealed_as(uid, one.number))
    except Erased:
        return None
