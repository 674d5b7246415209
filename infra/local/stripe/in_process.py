"""stripe-python's way to a local Stripe in the same process: no sockets, no threads.

For tests and the simulation: `client(core).v1.customers.create({…})`, or `InProcessTransport(core)` as a
client's `http_client`. An answer that a fault takes away is an `APIConnectionError`, as over
the network.
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
from infra.local.stripe.version import API_VERSION

# stripe-python makes a random key for a POST without one: it protects nothing, and would make
# no two runs of a simulation alike.
_RANDOM_KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class InProcessTransport(stripe.HTTPClient):
    """Hands stripe-python's requests to a core."""

    name = "in_process"

    def __init__(self, core: LocalStripe) -> None:
        super().__init__()
        self._core = core

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """Answer one request: body, status, headers."""
        parts, sent = urlsplit(url), dict(headers or {})
        key = sent.get("Idempotency-Key")
        form = post_data if method.upper() == "POST" else parts.query
        try:
            answer = self._core.respond(
                method.upper(),
                parts.path,
                forms.decode(parse_qsl(form or "", keep_blank_values=True)),
                idempotency_key=None if key is None or _RANDOM_KEY.fullmatch(key) else key,
                account=sent.get("Stripe-Account"),
                api_version=sent.get("Stripe-Version"),
            )
        except ConnectionCut as cut:
            raise _connection_error(str(cut)) from cut
        return json.dumps(answer.body), answer.status, answer.headers

    def close(self) -> None:
        """Nothing is open."""


def client(core: LocalStripe) -> stripe.StripeClient:
    """A StripeClient on a core."""
    return stripe.StripeClient(
        "sk_test_local", stripe_version=API_VERSION, http_client=InProcessTransport(core)
    )


def _connection_error(message: str) -> Exception:
    error: Exception = stripe.APIConnectionError(message)  # type: ignore[no-untyped-call] # stripe leaves it so
    return error
