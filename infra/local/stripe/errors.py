"""Stripe's refusals: an HTTP status and an error body of Stripe's type, code and param.

Types and codes: docs.stripe.com/api/errors and docs.stripe.com/error-codes.
"""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
"""An object as Stripe's API shows it."""


class Refusal(Exception):
    """Stripe refuses a request. `body` is what it answers."""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        status: int = 400,
        kind: str = "invalid_request_error",
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        error: Object = {"type": kind, "message": message, **more}
        if code is not None:
            error |= {
                "code": code,
                "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}",
            }
        if param is not None:
            error["param"] = param
        self.body: Object = {"error": error}


class InvalidParams(Refusal):
    """Refused before execution began: such an answer is not kept under the idempotency key."""


class ConnectionCut(Exception):
    """The client gets no answer: the connection ends before one is sent.

    `executed` says whether the request took effect all the same.
    """

    def __init__(self, *, executed: bool) -> None:
        super().__init__(f"no answer; executed: {executed}")
        self.executed = executed


def missing(what: str, object_id: str, param: str = "id") -> Refusal:
    """No object of that id on this account."""
    return Refusal(f"No such {what}: '{object_id}'", code="resource_missing", param=param, status=404)


def beyond(what: str, param: str | None = None) -> Refusal:
    """Stripe does it and the local Stripe does not: said aloud rather than half done."""
    return Refusal(f"The local Stripe does not do this: {what}.", param=param)


def pounds(amount_pence: int) -> str:
    """An amount as Stripe's messages show it."""
    return f"£{amount_pence / 100:,.2f}"
