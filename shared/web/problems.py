"""Errors as answers: the one table from kind to HTTP status, and problem+json (RFC 9457).

A refusal is told as it stands. What an adapter could not do becomes 'try again' with a Retry-After. All
else is ours: 500, logged with where it happened, and nothing of it shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from flask import Response

from shared.domain import errors
from shared.web.failures import as_refusal
from shared.web.schemas.problem import FieldError, Problem

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

INTERNAL_CODE: Final = "internal_error"
INTERNAL_DETAIL: Final = "Something failed on our side. It has been noted; try again later."


def status_of(kind: type[errors.AjoError]) -> int:
    """The HTTP status of a class of error."""
    return next(STATUS[ancestor] for ancestor in kind.__mro__ if ancestor in STATUS)


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
