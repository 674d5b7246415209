"""Messages that Pub/Sub pushes: ticks of the scheduler, facts of the journal, thin events of the processor.

functions-framework hands them over as CloudEvents. Returning normally acknowledges a message; a status of
5xx has Pub/Sub send it again, with backoff, and into the dead-letter topic in the end.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import flask
from cloudevents.http import CloudEvent
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable, Unauthorized

from shared.domain.errors import Busy, MalformedBody, Unauthenticated
from shared.domain.record import record
from shared.services.context import Command, Context
from shared.web import failures, logs, reading, tokens

if TYPE_CHECKING:
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


def parse(function: str, event: CloudEvent) -> Message:
    """Raises MalformedBody if it is no Pub/Sub message with a JSON object in it."""
    envelope: Any = event.get_data()
    inner = envelope.get("message") if isinstance(envelope, dict) else None
    text = inner.get("data", "") if isinstance(inner, dict) else None
    if not isinstance(text, str):
        raise MalformedBody
    try:
        body = base64.b64decode(text, validate=True)
    except ValueError:
        raise MalformedBody from None
    data = reading.strict_json(body) if body.strip() else {}
    if not isinstance(data, dict):
        raise MalformedBody
    return Message(function, str(event["id"]), data)


def group_of(message: Message) -> str:
    """The group of the fact that a message tells of. Raises MalformedBody.

    A fact is published as ids alone. Who wants to know more loads it.
    """
    group = message.data.get("group")
    if not isinstance(group, str):
        raise MalformedBody
    return group


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
        tokens.check_caller(flask.request, wiring.caller_check())
        message = parse(function, event)
        result = use_case(wiring.context(), message)
    except MalformedBody:
        log.critical("unreadable message, dropped")
    except Exception as error:
        failures.report(error)
        if (status := _status(error)) is not None:
            raise status from None
    else:
        log.info("done", extra={logs.FIELDS: {"result": result}})


def _status(error: Exception) -> HTTPException | None:
    """What Pub/Sub is told: None acknowledges. Nothing of the error itself leaves the house."""
    refusal = failures.as_refusal(error)
    if refusal is None:
        return InternalServerError()
    if isinstance(refusal, Unauthenticated):
        return Unauthorized()
    return ServiceUnavailable() if isinstance(refusal, Busy) else None
