"""Re-assessment: what has made an assessment stale, for its person, for staff and for early turns."""

from __future__ import annotations

from typing import Any

from shared.domain.assessments import STALE, Assessment, Since, Trigger, stale, standing
from shared.domain.calendar import london_day
from shared.domain.case_files import AssessmentFile
from shared.domain.commitments import commitments_ref
from shared.domain.errors import Erased
from shared.domain.evidence import with_evidence
from shared.domain.financial_statement import Statement
from shared.domain.fraud import Hold
from shared.domain.members import Member
from shared.domain.permissions import Action
from shared.domain.standing import kept
from shared.domain.users import user_ref
from shared.domain.withdrawn_models import WITHDRAWN
from shared.ports import Query
from shared.services import access_log, evidence, fraud_holds
from shared.services.case_files import assessments_of, case_of, open_assessment
from shared.services.context import Context, Reader
from shared.services.member_pds import GRACE_DAYS, all_of, contributions_of
from shared.services.transact import read


def why_stale(ctx: Context, assessment: Assessment) -> tuple[Trigger, ...]:
    """What has happened since that it does not know of; empty while it holds. Raises Erased."""
    uid, now = assessment.person, ctx.clock.now()
    today = london_day(now)
    latest = open_assessment(ctx.vault.sealer(uid), next(assessments_of(ctx, uid)))
    newer = latest.affordability if latest.at > assessment.at else None
    loaded = read(ctx, commitments_ref(uid), user_ref(uid), WITHDRAWN)
    promised, out_of_service = loaded.find(commitments_ref(uid)), loaded.find(WITHDRAWN)
    changed_at = loaded.get(user_ref(uid)).identity_changed_at
    since_day = london_day(assessment.at)
    missed = [
        one
        for one in contributions_of(ctx, uid)
        if one.due_date >= since_day and kept(one, today, GRACE_DAYS) == "missed"
    ]
    frozen = [one.document(Member).hardship_until for one in all_of(ctx, "members", uid, "-joined_at")]
    since = Since(
        at=now,
        income_pence=newer.income_pence if newer else None,
        outgoings_pence=newer.income_pence - newer.surplus_pence if newer else None,
        in_circles_pence=sum(promised.monthly_pence.values()) if promised else None,
        missed_contributions=len(missed),
        hardship=any(until is not None and until > today for until in frozen),
        fraud_hold=Hold.JOINING in fraud_holds.check(ctx, uid).holds,
        identity_changed=changed_at is not None and changed_at > assessment.at,
        withdrawn_models=out_of_service.versions if out_of_service else frozenset(),
        evidence_ended=_weaker(
            with_evidence(assessment.application.statement, evidence.of_person(ctx, uid), now),
            assessment.application.statement,
        ),
    )
    return stale(assessment, since)


def _weaker(now: Statement, then: Statement) -> bool:
    levels = ("income_evidence", "costs_evidence", "savings_evidence")
    return any(not getattr(now, level).reaches(getattr(then, level)) for level in levels)


def told(triggers: tuple[Trigger, ...]) -> list[dict[str, str]]:
    """For the person: each with its sentence."""
    return [{"code": trigger.value, "sentence": STALE[trigger]} for trigger in triggers]


def to_look_at(ctx: Context, reader: Reader, cursor: str | None, limit: int) -> dict[str, Any]:
    """One page, oldest first, of people whose latest assessment stands approved and has gone stale; a page
    may hold fewer than were looked at. Raises ReasonMissing."""
    access_log.record(ctx, reader, Action.READ_ASSESSMENT_REVIEWS, "assessments")
    page = ctx.store.query(Query("assessments", order_by=["at"], limit=limit, after=cursor))
    files = [one.document(AssessmentFile) for one in page.documents]
    lines = [_line(ctx, file) for file in files]
    return {"items": [line for line in lines if line is not None], "next_cursor": page.cursor}


def _line(ctx: Context, file: AssessmentFile) -> dict[str, Any] | None:
    if next(assessments_of(ctx, file.uid)).id != file.id:
        return None
    try:
        case = case_of(ctx, file.id)
        triggers = why_stale(ctx, case.assessment)
    except Erased:
        return None
    if not triggers or standing(case.assessment, case.reviews) != "approved":
        return None
    return {
        "assessment": file.id,
        "person": file.uid,
        "at": file.at.isoformat(),
        "because": [trigger.value for trigger in triggers],
    }
