"""Evidence of a household's month: staff note what they were shown; assessments rest on what is in force."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from pydantic import TypeAdapter

from shared.domain.decision import Decision
from shared.domain.errors import ReviewerNotIndependent
from shared.domain.evidence import (
    KEPT_MAX,
    About,
    DocumentKind,
    EvidenceFile,
    Seen,
    evidence_ref,
    in_force,
)
from shared.domain.permissions import Action
from shared.domain.users import user_ref
from shared.ports import Sealer
from shared.services import access_log
from shared.services.context import Command, Context, Reader
from shared.services.transact import Loaded, read, transact

_SEEN: Final = TypeAdapter(list[Seen])

SEALED_AS: Final = "evidence"


def record(
    ctx: Context,
    command: Command,
    reader: Reader,
    uid: str,
    about: About,
    document: DocumentKind,
    shown_pence: int,
) -> dict[str, Any]:
    """Note what was seen of a person. It counts from their next assessment on.

    Raises NoSuchThing, AccountClosed, ReviewerNotIndependent (of themselves), Erased.
    """
    read(ctx, user_ref(uid)).get(user_ref(uid))
    if command.actor == uid:
        raise ReviewerNotIndependent()
    noted = replace(reader, reason="To note what they showed of their month")
    access_log.record(ctx, noted, Action.RECORD_EVIDENCE, uid)
    sealer, own = ctx.vault.sealer(uid), evidence_ref(uid)
    seen = Seen(
        about=about,
        document=document,
        shown_pence=shown_pence,
        seen_by=command.actor,
        seen_at=ctx.clock.now(),
    )

    def decide(loaded: Loaded) -> Decision:
        loaded.get(user_ref(uid)).require_open()
        known = loaded.find(own)
        text = _SEEN.dump_json([*_opened(sealer, known), seen][-KEPT_MAX:]).decode()
        file = EvidenceFile(
            uid=uid, sealed=sealer.seal(text, SEALED_AS), revision=known.revision if known else 0
        )
        return Decision(
            answer={"person": uid}, changed=[file] if known else [], created=[] if known else [file]
        )

    transact(ctx, command, [user_ref(uid), own], decide)
    return {"items": for_staff(ctx, uid)}


def of_person(ctx: Context, uid: str) -> list[Seen]:
    """Everything that was seen, oldest first. Raises Erased."""
    return _opened(ctx.vault.sealer(uid), read(ctx, evidence_ref(uid)).find(evidence_ref(uid)))


def own(ctx: Context, uid: str) -> dict[str, Any]:
    """What is on file of oneself, without who saw it: the house answers, not its clerk. Raises Erased."""
    counting = set(in_force(of_person(ctx, uid), ctx.clock.now()).values())
    return {
        "items": [_view(one) | {"counts": one in counting} for one in of_person(ctx, uid)],
    }


def for_staff(ctx: Context, uid: str) -> list[dict[str, Any]]:
    """The same with who saw it."""
    counting = set(in_force(of_person(ctx, uid), ctx.clock.now()).values())
    return [_view(one) | {"counts": one in counting, "seen_by": one.seen_by} for one in of_person(ctx, uid)]


def _view(one: Seen) -> dict[str, Any]:
    told = one.model_dump(mode="json", exclude={"seen_by"})
    return told | {"level": one.level.value, "expires_at": one.expires_at.isoformat()}


def _opened(sealer: Sealer, file: EvidenceFile | None) -> list[Seen]:
    return [] if file is None else _SEEN.validate_json(sealer.open(file.sealed, SEALED_AS))
