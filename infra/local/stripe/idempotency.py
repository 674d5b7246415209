"""Idempotency keys, as docs.stripe.com/api/idempotent_requests has them.

Kept per account for 24 hours of clock time, POST alone. The first request's status and body are kept once
execution began, errors and 500s too; parameters that fail validation are not kept.
"""

from __future__ import annotations

import json
from typing import Any

from infra.local.stripe.errors import InvalidParams, Object, Refusal
from infra.local.stripe.world import World

KEPT_SECONDS = 24 * 3600
_MOST_LETTERS = 255


def find(world: World, account: str, key: str, method: str, path: str, params: Object) -> Object | None:
    """The kept answer of a key, or none where the key is new; refuses another request, or one in progress."""
    if len(key) > _MOST_LETTERS:
        raise InvalidParams(f"Idempotency keys can be at most {_MOST_LETTERS} characters long.")
    name = f"{account}|{key}"
    kept = world.answers.get(name)
    if kept is not None and world.now - kept["at"] >= KEPT_SECONDS:
        del world.answers[name]
        kept = None
    if kept is None:
        return None
    if (kept["method"], kept["path"]) != (method, path):
        raise _misused(
            "Keys for idempotent requests can only be used for the same endpoint they were first used for "
            f"('{kept['path']}' instead of '{path}'). Try using a key other than '{key}' if you meant to "
            "execute a different request."
        )
    if kept["params"] != _fingerprint(params):
        raise _misused(
            "Keys for idempotent requests can only be used with the same parameters they were first used "
            f"with. Try using a key other than '{key}' if you meant to execute a different request."
        )
    if kept["status"] is None:
        raise in_use(key)
    return kept


def begin(
    world: World, account: str, key: str, method: str, path: str, params: Object, *, request: str
) -> None:
    """Execution begins: the key is in use from now on."""
    world.answers[f"{account}|{key}"] = {
        "at": world.now,
        "method": method,
        "path": path,
        "params": _fingerprint(params),
        "request": request,
        "status": None,
        "body": None,
    }


def finish(world: World, account: str, key: str, status: int, body: Object) -> None:
    """Keep the answer for whoever asks again."""
    world.answers[f"{account}|{key}"] |= {"status": status, "body": body}


def forget(world: World, account: str, key: str | None) -> None:
    """Execution broke down by a mistake of our own: the key is free again."""
    world.answers.pop(f"{account}|{key}", None)


def _fingerprint(params: Object) -> str:
    return json.dumps(_text(params), sort_keys=True)


def _text(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _text(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_text(part) for part in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _misused(message: str) -> Refusal:
    return Refusal(message, kind="idempotency_error")


def in_use(key: str) -> Refusal:
    """Another request with the key is being executed."""
    return Refusal(
        "There is currently another in-progress request using this Idempotent Key (that probably means you "
        f"submitted twice, and the other request is still going through): {key}. Please try again later.",
        code="idempotency_key_in_use",
        status=409,
    )
