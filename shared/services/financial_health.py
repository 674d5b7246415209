"""Financial health: twelve answers, their result, and how it moves; for the person alone."""

from __future__ import annotations

from typing import Any, Final

from shared.domain.calendar import london_day
from shared.domain.case_files import health_ref
from shared.domain.decision import Decision
from shared.domain.financial_health import (
    QUESTIONS,
    VERSION,
    Answers,
    HealthTaken,
    assess_health,
    trend,
)
from shared.domain.users import user_ref
from shared.services.case_files import file_health, open_health
from shared.services.context import Command, Context
from shared.services.transact import Loaded, read, transact

KEPT_MAX: Final = 120
"""Ten years of one a month."""


def questions() -> dict[str, Any]:
    """What is asked, each option from worst to best."""
    asked = [
        {"id": id_.value, "pillar": one.pillar.value, "text": one.text, "options": list(one.options)}
        for id_, one in QUESTIONS.items()
    ]
    return {"version": VERSION, "questions": asked}


def answer(ctx: Context, command: Command, answers: Answers) -> dict[str, Any]:
    """Add a result; a second one on a day takes the place of the first. Answers themselves are not kept.

    Raises NoSuchThing before the sign-up, AccountClosed, Erased.
    """
    uid = command.actor
    own, sealer = health_ref(uid), ctx.vault.sealer(uid)
    taken = HealthTaken(on=london_day(ctx.clock.now()), health=assess_health(answers))

    def decide(loaded: Loaded) -> Decision:
        loaded.get(user_ref(uid)).require_open()
        known = loaded.find(own)
        earlier = [one for one in open_health(sealer, known) if one.on != taken.on]
        results = [*earlier, taken][-KEPT_MAX:]
        file = file_health(sealer, uid, results, known.revision if known else 0)
        return Decision(
            answer={"taken": True}, changed=[file] if known else [], created=[] if known else [file]
        )

    transact(ctx, command, [user_ref(uid), own], decide)
    return history(ctx, uid)


def history(ctx: Context, uid: str) -> dict[str, Any]:
    """Every result, oldest first, and how things moved. Raises Erased."""
    known = read(ctx, health_ref(uid)).find(health_ref(uid))
    results = open_health(ctx.vault.sealer(uid), known) if known else []
    moved = trend(results)
    return {
        "results": [one.model_dump(mode="json") for one in results],
        "trend": moved.model_dump(mode="json") if moved else None,
    }
