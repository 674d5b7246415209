"""Errors as answers: the one table from kind to HTTP status, and problem+json (RFC 9457).

A refusal is told as it stands. What an adapter could not do becomes 'try again' with a Retry-After. All
else is ours: 500, logged with where it happened, and nothing of it shown.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from flask import Response

from shared.config import BadSettings
from shared.domain import errors
from shared.ports import (
    AnchorsUnavailable,
    OutcomeUnknown,
    PaymentOutcomeUnknown,
    PaymentRefused,
    PaymentsUnavailable,
    PublishFailed,
    QueueFailed,
    Stale,
    StoreUnavailable,
)
from shared.web.logs import FIELDS
from shared.web.schemas.problem import FieldError, Problem

log = logging.getLogger(__name__)

STATUS: Final[Mapping[type[errors.AjoError], int]] = MappingProxyType(
    {
        errors.Invalid: 422,
        errors.MalformedBody: 400,
        errors.BadSignature: 400,
        errors.IdempotencyKeyMissing: 400,
        errors.MethodNotAllowed: 405,
        errors.BodyTooLarge: 413,
        errors.UnsupportedMediaType: 415,
        errors.Unauthenticated: 401,
        errors.Forbidden: 403,
        errors.NotFound: 404,
        errors.Conflict: 409,
        errors.GroupChanged: 412,
        errors.TooMany: 429,
        errors.Busy: 503,
        errors.AjoError: 500,
    }
)
"""The nearest ancestor of a refusal that stands here gives its status."""

RETRY_AFTER_SECONDS: Final = 5
"""For what is busy: long enough for a contended document or a restarting neighbour, short for a person."""

UNAVAILABLE: Final = (AnchorsUnavailable, StoreUnavailable, OutcomeUnknown, Stale, PublishFailed, QueueFailed)
PROCESSOR_UNAVAILABLE: Final = (PaymentsUnavailable, PaymentOutcomeUnknown)

INTERNAL_CODE: Final = "internal_error"
INTERNAL_DETAIL: Final = "Something failed on our side. It has been noted; try again later."


def status_of(kind: type[errors.AjoError]) -> int:
    """The HTTP status of a class of error."""
    return next(STATUS[ancestor] for ancestor in kind.__mro__ if ancestor in STATUS)


def as_refusal(error: Exception) -> errors.Refusal | None:
    """The refusal that an exception comes to, or None if it is ours to explain."""
    if isinstance(error, errors.Refusal):
        return error
    if isinstance(error, UNAVAILABLE):
        return errors.TryAgainLater()
    if isinstance(error, PROCESSOR_UNAVAILABLE):
        return errors.ProcessorUnavailable()
    if isinstance(error, PaymentRefused):
        return errors.ProcessorRefused(reason=error.code)
    return None


def report(error: Exception) -> None:
    """Log an error that an answer is made of, as loud as it deserves."""
    if isinstance(error, BadSettings):
        log.critical("%s", error)  # names settings, never values
    elif isinstance(error, errors.Broken):
        log.critical("broken: %s", error.code, exc_info=error, extra={FIELDS: {"facts": error.facts}})
    elif (refusal := as_refusal(error)) is None:
        log.critical("unexpected", exc_info=error)
    elif isinstance(refusal, errors.Busy):
        log.warning("unavailable: %s", refusal.code, exc_info=error)
    else:
        log.info("refused: %s", refusal.code)


def problem_of(error: Exception, request_id: str) -> Problem:
    """What a client is told of an error."""
    refusal = as_refusal(error)
    if refusal is None:
        code, status, detail = INTERNAL_CODE, 500, INTERNAL_DETAIL
    else:
        code, status, detail = refusal.code, status_of(type(refusal)), str(refusal)
    return Problem(
        type=f"urn:ajo:problem:{code}",
        title=code.replace("_", " ").capitalize(),
        status=status,
        code=code,
        detail=detail,
        instance=f"urn:ajo:request:{request_id}",
        request_id=request_id,
        errors=field_errors(refusal),
    )


def field_errors(refusal: errors.Refusal | None) -> list[FieldError]:
    """The fields that a refusal is about: several of a malformed request, one of a broken rule."""
    if isinstance(refusal, errors.InvalidRequest):
        return [FieldError(**error) for error in refusal.errors]
    if isinstance(refusal, errors.Invalid) and refusal.field is not None:
        return [FieldError(field=refusal.field, code=refusal.code, message=str(refusal))]
    return []


def problem_response(error: Exception, request_id: str) -> Response:
    """The answer to a request that failed."""
    problem = problem_of(error, request_id)
    response = Response(
        problem.model_dump_json(exclude_defaults=True),
        status=problem.status,
        content_type="application/problem+json",
    )
    refusal = as_refusal(error)
    if isinstance(refusal, errors.Unauthenticated):
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(refusal, errors.TooMany):
        response.headers["Retry-After"] = str(refusal.facts["retry_after_seconds"])
    elif isinstance(refusal, errors.Busy):
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if isinstance(refusal, errors.MethodNotAllowed):
        response.headers["Allow"] = ", ".join(refusal.facts["allowed"])
    return response
