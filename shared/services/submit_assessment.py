"""Submit an assessment: affordability, score, fraud checks, caps; what is not approved goes to a person."""

from __future__ import annotations

from typing import Any, Final

from shared.domain.affordability import Application, Circle
from shared.domain.assessments import Told, assess, open_review
from shared.domain.commitments import commitments_ref
from shared.domain.decision import Decision
from shared.domain.errors import CreditConsentMissing
from shared.domain.evidence import income_seen, with_evidence
from shared.domain.financial_statement import Statement
from shared.domain.ids import new_id
from shared.domain.privacy import consents_ref
from shared.domain.users import user_ref
from shared.domain.withdrawn_models import WITHDRAWN, in_service
from shared.services import evidence, fraud_holds, read_assessment, throttle
from shared.services.applicant_score import score_of
from shared.services.calculate_affordability import commitments
from shared.services.case_files import file_assessment, file_review
from shared.services.context import Command, Context
from shared.services.transact import Loaded, transact

ASSESSMENTS: Final = throttle.Limit("assessment", 20, 86_400)
"""Enough to correct oneself; too few to feel for the line by trying figures."""


def submit(
    ctx: Context, command: Command, statement: Statement, circle: Circle, told: Told | None
) -> dict[str, Any]:
    """Assess who asks, and keep it sealed. A referral opens its review in the same commit.

    Raises NoSuchThing before the sign-up, AccountClosed, Erased, CreditConsentMissing, TooManyRequests.
    """
    uid = command.actor
    throttle.count(ctx, ASSESSMENTS, uid)
    sealer = ctx.vault.sealer(uid)
    seen = evidence.of_person(ctx, uid)
    statement = with_evidence(statement, seen, ctx.clock.now())
    fraud = fraud_holds.check(ctx, uid, income_seen(uid, statement, seen, ctx.clock.now()))

    def decide(loaded: Loaded) -> Decision:
        loaded.get(user_ref(uid)).require_open()
        consents = loaded.find(consents_ref(uid))
        if consents is None or not consents.stands("credit_assessment"):
            raise CreditConsentMissing()
        now = ctx.clock.now()
        known = loaded.find(WITHDRAWN)
        withdrawn = known.versions if known else frozenset()
        assessment = assess(
            Application(
                statement=statement, circle=circle, commitments=commitments(loaded.find(commitments_ref(uid)))
            ),
            lambda application: in_service(score_of(told, application), withdrawn),
            fraud,
            assessment_id=new_id("ass", ctx.chance.token(13)),
            person=uid,
            at=now,
            told=told,
        )
        if assessment.outcome == "approve":
            filed = [file_assessment(sealer, assessment, reviews=0)]
            return Decision(answer={"assessment": assessment.id}, created=filed)
        review = open_review(assessment, [], now, asked_by_person=False)
        # The record of this command keeps its answer in the clear, so it holds the id alone.
        return Decision(
            answer={"assessment": assessment.id},
            created=[file_assessment(sealer, assessment, reviews=1), file_review(sealer, review, uid)],
        )

    done = transact(
        ctx, command, [user_ref(uid)], decide, peek=[consents_ref(uid), commitments_ref(uid), WITHDRAWN]
    )
    return read_assessment.own(ctx, uid, done["assessment"])
