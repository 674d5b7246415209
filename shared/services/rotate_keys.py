"""Rotate keys, without a pause: every data key under another master key, and new data keys where wanted.

The master key in four steps, each deployed everywhere before the next: pin its new version behind the present
one (instances that still run must know what the others wrap with), then in front of it, then run `rewrap_all`
until nothing was left to do, then unpin the former. A person's or a circle's own key by `renew`, twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Final

from shared.domain.case_files import AssessmentFile, HealthFile, ReviewFile, health_ref
from shared.domain.disputes import Dispute, dispute_sealed_as
from shared.domain.documents import Document
from shared.domain.evidence import EvidenceFile, evidence_ref
from shared.domain.fraud_files import FraudFile, finding_sealed_as, fraud_ref
from shared.domain.messages import Message, message_sealed_as
from shared.domain.profiles import SEALED_AS_PROFILE, DisplayName, Profile, profile_ref
from shared.domain.record import record
from shared.ports import Query, Sealer, Snapshot, Stale, Update
from shared.services import access_log, case_files, display_names, evidence
from shared.services.context import Context

SETTLED_AFTER: Final = timedelta(hours=1)
"""No request lives that long (the longest function has nine minutes): whoever began with the former key has
ended, and what they sealed with it has been sealed anew by then, or is by the second run."""

Again = Callable[[str, str], str]
"""A sealed text, and what it is sealed as, into the same under the newest key."""


def rewrap_all(ctx: Context) -> dict[str, int]:
    """Wrap every key with the current master key. Counts what was found, and what was still to do."""
    found = _owners(ctx)
    return {"keys": len(found), "rewrapped": sum(ctx.vault.rewrap(owner) for owner in found)}


def renew(ctx: Context, owner: str) -> dict[str, Any]:
    """Give a person or a circle a new key, and seal all that is theirs with it. Raises Erased.

    Run again after `SETTLED_AFTER` it forgets the former key, once nothing is left under it; interrupted
    anywhere, the next run goes on. Until then both keys open.
    """
    now = ctx.clock.wall()
    begun = ctx.vault.renew(owner, now)
    sealer = ctx.vault.sealer(owner)
    done = [_reseal(ctx, sealer, one) for one in _holding(ctx, owner)]
    retired = all(done) and ctx.vault.retire(owner, now - SETTLED_AFTER)
    return {"begun": begun, "documents": len(done), "left": done.count(False), "retired": retired}


@record
class _Holding:
    """A document that holds sealed text, and how it is written with that sealed again."""

    snapshot: Snapshot
    kind: type[Document]
    again: Callable[[Any, Again], Document]


def _reseal(ctx: Context, sealer: Sealer, holding: _Holding) -> bool:
    """Whether nothing of it is under a former key any more."""

    def again(text: str, about: str) -> str:
        return text if sealer.is_current(text) else sealer.seal(sealer.open(text, about), about)

    before = holding.kind.model_validate(dict(holding.snapshot.data or {}))
    after = holding.again(before, again)
    if after == before:
        return True
    changed = after.with_(revision=before.revision + 1)
    try:
        ctx.store.commit([Update(changed.path, changed.data(), holding.snapshot.version)])
    except Stale:  # somebody has just changed it
        return False
    return True


def _holding(ctx: Context, owner: str) -> Iterator[_Holding]:
    """Every document that holds text under an owner's key. A new kind of sealed text belongs here: what a
    rotation does not find is lost with the former key (a test seals one of each kind)."""
    kinds: list[tuple[Query, type[Document], Callable[[Any, Again], Document]]] = [
        (Query("assessments", where=[("uid", "==", owner)]), AssessmentFile, _assessment),
        (Query("reviews", where=[("uid", "==", owner)]), ReviewFile, _review),
        (Query("access", where=[("about", "==", owner)]), access_log.Access, _access),
        (Query(f"groups/{owner}/names"), DisplayName, _name),
        (Query(f"groups/{owner}/messages"), Message, _message),
        (Query(f"groups/{owner}/disputes"), Dispute, _dispute),
    ]
    profile, health, fraud, seen = ctx.store.load(
        profile_ref(owner).path, health_ref(owner).path, fraud_ref(owner).path, evidence_ref(owner).path
    )
    if seen.data is not None:
        yield _Holding(seen, EvidenceFile, _evidence)
    if profile.data is not None:
        yield _Holding(profile, Profile, _profile)
    if health.data is not None:
        yield _Holding(health, HealthFile, _health)
    if fraud.data is not None:
        yield _Holding(fraud, FraudFile, _fraud)
    found = ctx.store.read_consistently(*(query for query, _, _ in kinds))
    for snapshots, (_, kind, again) in zip(found, kinds, strict=True):
        yield from (_Holding(one, kind, again) for one in snapshots)


def _profile(one: Profile, again: Again) -> Profile:
    return one.with_(sealed=again(one.sealed, SEALED_AS_PROFILE))


def _health(one: HealthFile, again: Again) -> HealthFile:
    return one.with_(sealed=again(one.sealed, case_files.HEALTH_SEALED_AS))


def _evidence(one: EvidenceFile, again: Again) -> EvidenceFile:
    return one.with_(sealed=again(one.sealed, evidence.SEALED_AS))


def _fraud(one: FraudFile, again: Again) -> FraudFile:
    filed = [
        each.with_(reason=again(each.reason, finding_sealed_as(one.uid, each.number)))
        if each.reason
        else each
        for each in one.filed
    ]
    return one.with_(filed=filed)


def _assessment(one: AssessmentFile, again: Again) -> AssessmentFile:
    return one.with_(sealed=again(one.sealed, case_files.assessment_sealed_as(one.id)))


def _review(one: ReviewFile, again: Again) -> ReviewFile:
    return one.with_(sealed=again(one.sealed, case_files.review_sealed_as(one.id)))


def _access(one: access_log.Access, again: Again) -> access_log.Access:
    return one.with_(reason=again(one.reason, access_log.sealed_as(one.id)))


def _name(one: DisplayName, again: Again) -> DisplayName:
    return one.with_(sealed=again(one.sealed, display_names.sealed_as(one.uid)))


def _message(one: Message, again: Again) -> Message:
    return one.with_(sealed=again(one.sealed, message_sealed_as(one.id))) if one.sealed else one


def _dispute(one: Dispute, again: Again) -> Dispute:
    entries = [
        entry.with_(sealed=again(entry.sealed, dispute_sealed_as(one.id, entry.number)))
        for entry in one.entries
    ]
    verdict = one.verdict and one.verdict.with_(
        sealed=again(one.verdict.sealed, dispute_sealed_as(one.id, 0))
    )
    return one.with_(entries=entries, verdict=verdict)


def _owners(ctx: Context) -> list[str]:
    (found,) = ctx.store.read_consistently(Query("keys"))
    return [str(one.data["owner"]) for one in found if one.data and one.data["destroyed_at"] is None]
