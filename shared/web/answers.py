"""What every answer carries: JSON, security headers, CORS for the origins we named, ETag and 304."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, Final

from flask import Request, Response

from shared.domain.record import record

SECURITY_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Cache-Control": "private, no-store",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
)
"""OWASP's list for JSON APIs. 'private' is also what lets Firebase Hosting pass cookies on later."""

_EXPOSED: Final = "ETag, Request-Id, Retry-After"
_ALLOWED_HEADERS: Final = (
    "Access-Reason, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Request-Id, "
    "X-CSRF-Token, X-Firebase-AppCheck"
)
_PREFLIGHT_SECONDS: Final = "600"


@record
class Download:
    """A file as an answer: its bytes, its media type, and the name that a browser saves it under."""

    content: bytes
    media_type: str
    name: str


def file_answer(download: Download) -> Response:
    """A file, to be saved and not shown: what people wrote never runs in our origin."""
    response = Response(download.content, content_type=download.media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{download.name}"'
    return response


def json_answer(data: Mapping[str, Any], status: int = 200) -> Response:
    """Data as a JSON answer."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status=status, content_type="application/json")


def with_etag(request: Request, response: Response, data: Mapping[str, Any]) -> Response:
    """Name the revision of what was read, and answer 304 to whoever has it already."""
    revision = data.get("revision")
    if not isinstance(revision, int):
        return response
    response.set_etag(str(revision))
    if request.if_none_match.contains(str(revision)):
        unchanged = Response(status=304)
        unchanged.set_etag(str(revision))
        return unchanged
    return response


def preflight(methods: Collection[str]) -> Response:
    """The answer to OPTIONS: which methods an address takes."""
    response = Response(status=204)
    response.headers["Allow"] = ", ".join(sorted(methods))
    return response


def finish(request: Request, response: Response, request_id: str, origins: Collection[str]) -> Response:
    """Put the headers on that every answer carries."""
    response.headers["Request-Id"] = request_id
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if origins:
        response.vary.add("Origin")
    origin = request.headers.get("Origin")
    if origin is not None and origin in origins:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "")
            response.headers["Access-Control-Allow-Headers"] = _ALLOWED_HEADERS
            response.headers["Access-Control-Max-Age"] = _PREFLIGHT_SECONDS
    return response
