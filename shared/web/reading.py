"""Reading a request strictly: its id, its key, its body. What cannot be read one way only is refused."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar
from urllib.parse import unquote

from flask import Request
from pydantic import ValidationError

from shared.domain.canonical import canonical_json
from shared.domain.errors import (
    BodyTooLarge,
    GroupChanged,
    IdempotencyKeyMissing,
    InvalidRequest,
    MalformedBody,
    UnsupportedMediaType,
)

if TYPE_CHECKING:
    from shared.web.schemas.common import Input

BODY_BYTES_MAX: Final = 1_000_000

JSON_DEPTH_MAX: Final = 16
"""Our deepest body has three levels; a parser bomb has thousands."""

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_IDEMPOTENCY_KEY: Final = re.compile(r"[\x21-\x7e]{8,128}")

I = TypeVar("I", bound="Input")  # noqa: E741 - I for Input


def request_id_of(request: Request) -> str:
    """The client's Request-Id if it is well-formed, else a new one."""
    given = request.headers.get("Request-Id", "")
    return given if _REQUEST_ID.fullmatch(given) else f"req_{uuid.uuid4().hex}"


def command_id_of(request: Request, request_id: str) -> str:
    """The id under which facts name this request.

    A client may send one Request-Id twice, and a commit whose answer was lost is known again by the command's
    id: it must never be another request's. So what a client chose is made unique.
    """
    chosen = request.headers.get("Request-Id") == request_id
    return f"{request_id}.{uuid.uuid4().hex[:12]}" if chosen else request_id


def idempotency_key_of(request: Request) -> str:
    """Raises IdempotencyKeyMissing."""
    key = request.headers.get("Idempotency-Key", "")
    if not _IDEMPOTENCY_KEY.fullmatch(key):
        raise IdempotencyKeyMissing
    return key


def access_reason_of(request: Request) -> str | None:
    """Why staff look at what is other people's, percent-encoded UTF-8 where it is not ASCII."""
    given = request.headers.get("Access-Reason")
    return None if given is None else unquote(given)


def revision_expected(request: Request) -> int | None:
    """The revision that If-Match names; None without one, or for *. Raises GroupChanged for another's tag."""
    tags = request.if_match
    if not tags or tags.star_tag:
        return None
    numbers = [int(tag) for tag in tags.as_set() if tag and tag.isascii() and tag.isdecimal()]
    if len(numbers) != 1:
        raise GroupChanged
    return numbers[0]


def body_of(request: Request, limit_bytes: int = BODY_BYTES_MAX) -> bytes:
    """The whole body. Raises BodyTooLarge, by what is announced and by what really comes."""
    if (request.content_length or 0) > limit_bytes:
        raise BodyTooLarge(limit_bytes=limit_bytes)
    body = request.stream.read(limit_bytes + 1)
    if len(body) > limit_bytes:
        raise BodyTooLarge(limit_bytes=limit_bytes)
    return body


def json_of(request: Request, limit_bytes: int = BODY_BYTES_MAX) -> Any:
    """The body as JSON; an empty one is `{}`. Raises BodyTooLarge, UnsupportedMediaType, MalformedBody."""
    body = body_of(request, limit_bytes)
    if not body:
        return {}
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    return strict_json(body)


def strict_json(body: bytes) -> Any:
    """JSON that every parser reads alike: UTF-8, no doubled keys, no NaN, not too deep.

    Raises MalformedBody.
    """
    try:
        value = json.loads(
            body.decode("utf-8"), object_pairs_hook=_without_doubles, parse_constant=_refuse_constant
        )
        _check_depth(value, JSON_DEPTH_MAX)
    except (ValueError, RecursionError):
        raise MalformedBody from None
    return value


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("not a JSON number")


def _check_depth(value: Any, left: int) -> None:
    if not isinstance(value, dict | list):
        return
    if left == 0:
        raise ValueError("too deep")
    for part in value.values() if isinstance(value, dict) else value:
        _check_depth(part, left - 1)


def read_body(request: Request, model: type[I]) -> tuple[I, str]:
    """The body as its model, and the hash by which the same body is known again.

    Raises BodyTooLarge, UnsupportedMediaType, MalformedBody, InvalidRequest.
    """
    value = json_of(request)
    try:
        # From JSON text, where strict means JSON's own types: a date may come as text, a number may not.
        read = model.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        if any(found["type"] == "json_invalid" for found in error.errors()):  # half a surrogate pair
            raise MalformedBody from None
        raise invalid(error) from None
    return read, hashlib.sha256(canonical_json(value)).hexdigest()


def read_query(request: Request, model: type[I]) -> I:
    """The query string as its model. Raises InvalidRequest, also for a parameter that stands twice."""
    given: Mapping[str, list[str]] = request.args.to_dict(flat=False)
    if doubled := [name for name, values in given.items() if len(values) > 1]:
        raise InvalidRequest(
            errors=[{"field": name, "code": "doubled", "message": "Given more than once"} for name in doubled]
        )
    try:
        return model.model_validate_strings({name: values[0] for name, values in given.items()})
    except ValidationError as error:
        raise invalid(error) from None


def invalid(error: ValidationError) -> InvalidRequest:
    """What pydantic found, field by field, without repeating what was sent."""
    return InvalidRequest(
        errors=[
            {
                "field": ".".join(str(part) for part in found["loc"])[:200],
                "code": found["type"],
                "message": found["msg"].removeprefix("Value error, "),
            }
            for found in error.errors(include_url=False, include_context=False, include_input=False)
        ]
    )
