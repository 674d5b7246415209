"""The API's description, OpenAPI 3.1, made from the routes. `python -m shared.web.openapi` writes it anew.

What stands in infra/openapi.json is what the code does: a test holds the two together.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.domain.errors import (
    AjoError,
    BadToken,
    BodyTooLarge,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    InvalidRequest,
    MalformedBody,
    NoToken,
    StillRunning,
    TooManyRequests,
    TryAgainLater,
    UnsupportedMediaType,
)
from shared.web.problems import INTERNAL_CODE, status_of
from shared.web.routes import assessments, groups, payments, receipts, running, users
from shared.web.routing import Route
from shared.web.schemas.common import ID_PATTERN, Nothing
from shared.web.schemas.problem import Problem

FILE: Final = Path(__file__).parents[2] / "infra" / "openapi.json"

AREAS: Final[Mapping[str, tuple[Route[Any], ...]]] = {
    "users": users.ROUTES,
    "groups": (*groups.ROUTES, *running.ROUTES, *receipts.ROUTES),
    "payments": payments.ROUTES,
    "assessments": assessments.ROUTES,
}
"""The public functions, and what each serves."""

_EVERYWHERE: Final = (InvalidRequest, TooManyRequests, TryAgainLater)
_SIGNED_IN: Final = (NoToken, BadToken)
_POST: Final = (
    MalformedBody,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    StillRunning,
    BodyTooLarge,
    UnsupportedMediaType,
)

_REASONS: Final[Mapping[int, str]] = {
    400: "The request could not be read",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not there, or not for this person to know",
    409: "Not in the present state",
    412: "Changed since it was read",
    413: "The body is too large",
    415: "The body is not JSON",
    422: "The request cannot be used as it is",
    429: "Too often",
    500: "Our fault",
    503: "Not now; the same request later may succeed",
}

_INTRODUCTION: Final = (
    "Rotating savings circles (ajo). Amounts are whole pence, days are ISO 8601 dates, moments carry an "
    "offset. Every POST takes an Idempotency-Key: the same key with the same body gives the same answer. "
    "Errors are problem+json (RFC 9457): branch on `code`. Every answer carries a Request-Id."
)


def document() -> dict[str, Any]:
    """The whole description."""
    routes = [route for area in AREAS.values() for route in area]
    models: set[tuple[type[BaseModel], Any]] = {(Problem, "serialization")}
    models |= {(route.answer, "serialization") for route in routes}
    models |= {(route.takes, "validation") for route in routes if route.method == "POST"}
    names, definitions = models_json_schema(
        sorted(models, key=lambda model: (model[0].__name__, model[1])),
        ref_template="#/components/schemas/{model}",
    )
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for area, its_routes in AREAS.items():
        for route in its_routes:
            paths[route.path][route.method.lower()] = _operation(area, route, names)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Ajo", "version": "1.0.0", "description": _INTRODUCTION},
        "servers": [{"url": "/"}],
        "security": [{"firebase": []}],
        "tags": [{"name": area} for area in AREAS],
        "paths": dict(paths),
        "components": {
            "securitySchemes": {
                "firebase": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A Firebase ID token.",
                }
            },
            "parameters": _PARAMETERS,
            "headers": _HEADERS,
            "schemas": definitions["$defs"],
        },
    }


_REQUEST_ID: Final = {"type": "string", "pattern": "^[A-Za-z0-9._-]{8,64}$"}

_PARAMETERS: Final[Mapping[str, Any]] = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": "8 to 128 visible characters, new for each new request.",
        "schema": {"type": "string", "pattern": "^[!-~]{8,128}$"},
    },
    "RequestId": {
        "name": "Request-Id",
        "in": "header",
        "description": "A name for this request in answers and logs; one is made if this is missing.",
        "schema": _REQUEST_ID,
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "description": "The ETag of what was read: it is changed only if it is still that.",
        "schema": {"type": "string"},
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The ETag of what the client has already.",
        "schema": {"type": "string"},
    },
}

_HEADERS: Final[Mapping[str, Any]] = {
    "RequestId": {"description": "The request's name, for support.", "schema": _REQUEST_ID},
    "RetryAfter": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}},
    "ETag": {"description": "The revision that was read.", "schema": {"type": "string"}},
}


def _operation(area: str, route: Route[Any], names: Mapping[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [area],
        "x-action": str(route.action),
        "parameters": _parameters(route),
        "responses": _responses(route, names),
    }
    if route.public:
        operation["security"] = []
    if route.method == "POST":
        operation["requestBody"] = {
            "required": route.takes is not Nothing,
            "content": {"application/json": {"schema": names[(route.takes, "validation")]}},
        }
    return operation


def _parameters(route: Route[Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": ID_PATTERN}}
        for name in route.parameters
    ]
    if route.method == "POST":
        found.append({"$ref": "#/components/parameters/IdempotencyKey"})
    else:
        found += _query_parameters(route.takes)
    if _has_revision(route):
        found.append({"$ref": "#/components/parameters/IfNoneMatch"})
    if route.editable:
        found.append({"$ref": "#/components/parameters/IfMatch"})
    return [*found, {"$ref": "#/components/parameters/RequestId"}]


def _query_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    schema = model.model_json_schema()
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": _without_null(field),
        }
        for name, field in schema.get("properties", {}).items()
    ]


def _without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A query parameter is there or not; there is no null in a URL."""
    kept = {key: value for key, value in schema.items() if key not in {"anyOf", "title", "default"}}
    if schema.get("default") is not None:
        kept["default"] = schema["default"]
    for choice in schema.get("anyOf", ()):
        if choice != {"type": "null"}:
            kept |= choice
    return kept


def _has_revision(route: Route[Any]) -> bool:
    return route.method == "GET" and "revision" in route.answer.model_fields


def _responses(route: Route[Any], names: Mapping[Any, Any]) -> dict[str, Any]:
    headers: dict[str, Any] = {"Request-Id": {"$ref": "#/components/headers/RequestId"}}
    good: dict[str, Any] = {
        "description": (route.answer.__doc__ or route.summary).strip().splitlines()[0],
        "headers": headers,
        "content": {"application/json": {"schema": names[(route.answer, "serialization")]}}
        | {media: {"schema": {"type": "string", "format": "binary"}} for media in route.downloads},
    }
    responses = {str(route.status): good}
    if _has_revision(route):
        with_etag = headers | {"ETag": {"$ref": "#/components/headers/ETag"}}
        good["headers"] = with_etag
        responses["304"] = {"description": "Unchanged", "headers": with_etag}
    refused: list[type[AjoError]] = [*_EVERYWHERE, *route.refuses]
    refused += () if route.public else _SIGNED_IN
    refused += _POST if route.method == "POST" else ()
    return dict(sorted((responses | _problems(refused)).items()))


def _problems(refused: Iterable[type[AjoError]]) -> dict[str, Any]:
    by_status: dict[int, dict[str, str]] = defaultdict(dict)
    for kind in refused:
        by_status[status_of(kind)][kind.code] = re.sub(r"{(\w+)}", r"…", kind.sentence)
    by_status[500][INTERNAL_CODE] = "Something failed on our side."
    return {str(status): _problem(status, codes) for status, codes in by_status.items()}


def _problem(status: int, codes: Mapping[str, str]) -> dict[str, Any]:
    lines = [f"- `{code}`: {sentence}" for code, sentence in sorted(codes.items())]
    headers = {"Request-Id": {"$ref": "#/components/headers/RequestId"}}
    if status in {429, 503}:
        headers["Retry-After"] = {"$ref": "#/components/headers/RetryAfter"}
    return {
        "description": "\n".join([f"{_REASONS[status]}.", "", *lines]),
        "headers": headers,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def text() -> str:
    """The description as the file holds it."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
