"""Messages that Pub/Sub pushes: ticks of the scheduler, facts of the journal, thin events of the processor.

functions-framework hands them over as CloudEvents. Returning normally acknowledges a message; a status of
5xx has Pub/Sub send it again, with backoff, and into the dead-letter topic in the end.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import flask
from cloudevents.http import CloudEvent
from pydantic import BaseModel, ConfigDict, ValidationError
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable, Unauthorized

from shared.domain.errors import Busy, MalformedBody, Unauthenticated
from shared.domain.record import record
from shared.ports import ThinEvent
from shared.services.context import Command, Context
from shared.web import authentication, logs, problems, reading
from shared.web.routing import Wiring

log = logging.getLogger(__name__)


@record
class Message:
    """One pushed message. `function` is who receives it; `data` what was published, {} for a bare tick."""

    function: str
    id: str
    data: dict[str, Any]

    @property
    def command(self) -> Command:
        """The command of the system that the message stands for. Its facts' own ids dedupe it."""
        return Command(actor=f"system:{self.function}", id=f"{self.function}:{self.id}")


class _Envelope(BaseModel):
    """The part of a Pub/Sub push that we read."""

    model_config = ConfigDict(extra="ignore")

    class _Inner(BaseModel):
        data: str = ""

    message: _Inner


def parse(function: str, event: CloudEvent) -> Message:
    """Raises MalformedBody if it is no Pub/Sub message with a JSON object in it."""
    try:
        inner = _Envelope.model_validate(event.get_data()).message
        body = base64.b64decode(inner.data, validate=True)
    except ValueError:
        raise MalformedBody from None
    data = reading.strict_json(body) if body.strip() else {}
    if not isinstance(data, dict):
        raise MalformedBody
    return Message(function, str(event["id"]), data)


class _Thin(BaseModel):
    """A thin event as it is published. Fields that a later version adds are passed over."""

    model_config = ConfigDict(extra="ignore")

    id: str
    type: str
    account: str | None
    object_id: str
    live: bool
    created_at: datetime


def thin_event_data(event: ThinEvent) -> dict[str, Any]:
    """A thin event as it is published."""
    return _Thin.model_validate(event, from_attributes=True).model_dump(mode="json")


def thin_event(message: Message) -> ThinEvent:
    """The thin event that a message holds. Raises MalformedBody."""
    try:
        return ThinEvent(**_Thin.model_validate(message.data).model_dump())
    except ValidationError:
        raise MalformedBody from None


class _FactRef(BaseModel):
    """A fact as it is published: ids alone. Who wants to know more loads it."""

    model_config = ConfigDict(extra="ignore")

    group: str
    fact: str
    type: str


def group_of(message: Message) -> str:
    """The group of the fact that a message tells of. Raises MalformedBody."""
    try:
        return _FactRef.model_validate(message.data).group
    except ValidationError:
        raise MalformedBody from None


UseCase = Callable[[Context, Message], Mapping[str, Any]]


def handle(function: str, event: CloudEvent, wiring: Wiring, use_case: UseCase) -> None:
    """Check the caller, read the message, do the work. What fails, and may pass, is sent again.

    A refusal is an answer that no repetition changes: it is noted and acknowledged. So is a message that
    nobody can read, loudly: only we publish here. What the use case did (counts and ids) is logged.
    """
    logs.configure()
    logs.begin(f"{function}:{event['id']}", event.get("traceparent"))
    logs.route.set(function)
    try:
        authentication.check_caller(flask.request, wiring.caller_check())
        message = parse(function, event)
        result = use_case(wiring.context(), message)
    except MalformedBody:
        log.critical("unreadable message, dropped")
    except Exception as error:
        problems.report(error)
        if (status := _status(error)) is not None:
            raise status from None
    else:
        log.info("done", extra={logs.FIELDS: {"result": result}})


def _status(error: Exception) -> HTTPException | None:
    """What Pub/Sub is told: None acknowledges. Nothing of the error itself leaves the house."""
    refusal = problems.as_refusal(error)
    if refusal is None:
        return InternalServerError()
    if isinstance(refusal, Unauthenticated):
        return Unauthorized()
    return ServiceUnavailable() if isinstance(refusal, Busy) else None
