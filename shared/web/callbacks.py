"""Calls from machines that are not Pub/Sub: the processor's webhooks, and Cloud Tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from flask import Request, Response

from shared.domain.errors import BadSignature, MalformedBody, NoSuchThing
from shared.services.context import Command, Context
from shared.web import answers, logs, reading, tokens
from shared.web.routing import HEALTH, Wiring, by_route, health_routes, respond

WEBHOOK_BYTES_MAX: Final = 262_144
"""Stripe's events are some kilobytes; a quarter of a megabyte is far above the largest."""

ENDPOINTS: Final[Mapping[str, Literal["platform", "connect"]]] = {
    "platform": "platform",
    "connect": "connect",
}
"""The last part of the path: Stripe signs its two kinds of endpoint with two secrets."""


WEBHOOK_HEALTH: Final = health_routes(lambda call: (call.wiring.gateway(), call.wiring.publisher()))
"""The webhook takes its two ports one by one: Firestore is never loaded for it, not even to be ready."""


def receive_webhook(request: Request, wiring: Wiring) -> Response:
    """Verify an event of the processor and publish that it happened: 200 only once that is confirmed.

    What it says is fetched anew by whoever processes it, so only ids go on. Anything but 2xx has Stripe
    send it again for three days.
    """

    def answer(request_id: str) -> Response:
        if request.method != "POST":
            return by_route(request, WEBHOOK_HEALTH, wiring, request_id)
        endpoint = ENDPOINTS.get(request.path.rstrip("/").rpartition("/")[2])
        if endpoint is None:
            raise NoSuchThing(thing="address")
        logs.route.set(f"stripe_webhook/{endpoint}")
        body = reading.body_of(request, WEBHOOK_BYTES_MAX)
        signature = request.headers.get("Stripe-Signature", "")
        if not signature or not signature.isascii():  # beyond ASCII, no comparison of digests would do
            raise BadSignature
        event = wiring.gateway().verify_webhook(body, signature, endpoint)
        from shared.services.process_payment_event import EVENTS_TOPIC, as_message

        wiring.publisher().publish(EVENTS_TOPIC, as_message(event))
        return answers.json_answer({"received": event.id})

    return respond(request, wiring, answer)


def receive_task(
    request: Request,
    wiring: Wiring,
    use_case: Callable[[Context, Command, dict[str, Any]], Mapping[str, Any]],
) -> Response:
    """Carry out one task of Cloud Tasks: anything but 2xx has it tried again, within the queue's bounds."""

    def answer(request_id: str) -> Response:
        if request.method != "POST":
            return by_route(request, HEALTH, wiring, request_id)
        tokens.check_caller(request, wiring.caller_check())
        logs.route.set("submit")
        body = reading.json_of(request)
        if not isinstance(body, dict):
            raise MalformedBody
        # A task that is tried again keeps its name, so its facts name the same command.
        name = request.headers.get("X-CloudTasks-TaskName", request_id)
        command = Command(actor="system:submit", id=f"submit:{name}"[:200])
        return answers.json_answer(use_case(wiring.context(), command, body))

    return respond(request, wiring, answer)
