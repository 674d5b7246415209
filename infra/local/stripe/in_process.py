"""stripe-python's way to a local Stripe in the same process: no sockets, no threads, for tests and the simulation.

StripeGateway(secrets, live=False, return_url="…", http_client=InProcessClient(core))
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import stripe

from infra.local.stripe import forms
from infra.local.stripe.core import LocalStripe
from infra.local.stripe.errors import ConnectionCut

# stripe-python makes a random key for a POST without one: a new one each time protects nothing, and would make
# no two runs of a simulation alike.
_RANDOM_KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class InProcessClient(stripe.HTTPClient):
    """Hands each request to the core, and a cut connection back as stripe-python's APIConnectionError."""

    name = "in_process"

    def __init__(self, core: LocalStripe) -> None:
        super().__init__()
        self._core = core

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_: Any
    ) -> tuple[str, int, Mapping[str, str]]:
        parts, given = urlsplit(url), headers or {}
        key = given.get("Idempotency-Key")
        try:
            answer = self._core.respond(
                method.upper(),
                parts.path,
                forms.decode(parse_qsl(parts.query or post_data or "", keep_blank_values=True)),
                idempotency_key=None if key is None or _RANDOM_KEY.fullmatch(key) else key,
                account=given.get("Stripe-Account"),
                api_version=given.get("Stripe-Version"),
            )
        except ConnectionCut as cut:
            raise _connection_error(str(cut)) from cut
        return json.dumps(answer.body), answer.status, answer.headers

    def close(self) -> None:
        """There is nothing to close."""


def _connection_error(message: str) -> Exception:
    error: Exception = stripe.APIConnectionError(message)  # type: ignore[no-untyped-call] # stripe leaves it so
    return error
