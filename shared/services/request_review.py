"""Ask for a person: a review of one's assessment, a contest of a decision, and what they should know."""

from __future__ import annotations

from typing import Any

from shared.domain import assessments
from shared.domain.case_files import assessment_ref
from shared.domain.decision import Decision
from shared.domain.errors import ReviewNotNeeded
from shared.domain.users import user_ref
from shared.services import read_assessment
from shared.services.case_files import case_in, file_review, require_own
from shared.services.context import Command, Context
from shared.services.transact import Loaded, transact


def request(ctx: Context, command: Command, id_: str, text: str | None) -> dict[str, Any]:
    """Have a person look at it, or look afresh at what was decided; with what they should know.

    Raises NoSuchThing, ReviewStillOpen, Erased.
    """
    uid = command.actor
    require_own(ctx, id_, uid)
    sealer = ctx.vault.sealer(uid)

    def decide(loaded: Loaded) -> Decision:
        loaded.get(user_ref(uid)).require_open()
        case, now = case_in(loaded, sealer, id_), ctx.clock.now()
        review = assessments.open_review(case.assessment, case.reviews, now)
        if text is not None:
            review = assessments.represent(review, text, now)
        return Decision(
            answer={"assessment": id_},
            changed=[case.file.with_(reviews=review.number)],
            created=[file_review(sealer, review, uid)],
        )

    transact(ctx, command, [user_ref(uid), assessment_ref(id_)], decide)
    return read_assessment.own(ctx, uid, id_)


def represent(ctx: Context, command: Command, id_: str, text: str) -> dict[str, Any]:
    """Add to the review that is open. Raises NoSuchThing, ReviewNotNeeded, ReviewDecided, Erased."""
    uid = command.actor
    require_own(ctx, id_, uid)
    sealer = ctx.vault.sealer(uid)

    def decide(loaded: Loaded) -> Decision:
        loaded.get(user_ref(uid)).require_open()
        case = case_in(loaded, sealer, id_)
        if not case.reviews:
            raise ReviewNotNeeded()
        told = assessments.represent(case.reviews[-1], text, ctx.clock.now())
        return Decision(
            answer={"assessment": id_},
            changed=[file_review(sealer, told, uid, case.review_files[-1].revision)],
        )

    transact(ctx, command, [user_ref(uid), assessment_ref(id_)], decide)
    return read_assessment.own(ctx, uid, id_)
