"""Webhooks: signed, tried again for three days, doubled, twinned, held back, reordered, missed, caught up."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import pytest
import stripe

from infra.local.stripe import control, webhooks
from infra.local.stripe.server import Endpoint, LocalStripeServer, start_local_stripe

from .conftest import Shop, client_of


class Received(NamedTuple):
    path: str
    body: bytes
    signature: str


class Receiver:
    """An HTTP endpoint that keeps what it gets and answers as told."""

    def __init__(self) -> None:
        self.got: queue.Queue[Received] = queue.Queue()
        self.statuses: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.end_headers()
                receiver.got.put(Received(self.path, body, self.headers["Stripe-Signature"]))

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def next(self) -> Received:
        return self.got.get(timeout=30)

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.stop()


def test_each_endpoint_gets_its_events_signed_with_its_secret(receiver: Receiver) -> None:
    with start_local_stripe(
        platform_webhook=Endpoint(f"{receiver.url}/platform", "whsec_p"),
        connect_webhook=Endpoint(f"{receiver.url}/connect", "whsec_c"),
        connect_events=["account.updated"],
    ) as server:
        api = client_of(server).v1
        api.customers.create({"email": "a@ajo.example"}, {"idempotency_key": "k"})
        got = receiver.next()
        event = stripe.Webhook.construct_event(got.body, got.signature, "whsec_p")
        assert (got.path, event.type, event.request.idempotency_key) == ("/platform", "customer.created", "k")
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(got.body, got.signature, "whsec_c")
        account = api.accounts.create({"type": "express", "capabilities": {"transfers": {"requested": True}}})
        control.handle(server.core, "POST", f"accounts/{account.id}/onboard")
        got = receiver.next()
        event = stripe.Webhook.construct_event(got.body, got.signature, "whsec_c")
        assert (got.path, event.type, event.account) == ("/connect", "account.updated", account.id)


def test_a_refused_delivery_is_tried_again_when_the_clock_has_moved(receiver: Receiver) -> None:
    receiver.statuses = [500, 500]
    with start_local_stripe(platform_webhook=Endpoint(receiver.url, "whsec_p")) as server:
        customer = server.core.request("POST", "/v1/customers")[1]["id"]
        first = receiver.next()
        while not _waiting(server):
            time.sleep(0.01)
        control.handle(server.core, "POST", "advance", {"hours": 1})
        again, third = receiver.next(), receiver.next()
        assert first.body == again.body == third.body
        assert customer in first.body.decode()
        while not control.handle(server.core, "GET", "idle")[1]["idle"]:
            time.sleep(0.01)
        assert server.core.world.waiting == []


def _waiting(server: LocalStripeServer) -> bool:
    with server.core.lock:
        return any(delivery["attempts"] == 1 for delivery in server.core.world.deliveries.values())


def test_an_old_signature_is_not_accepted() -> None:
    header = webhooks.signature(b"{}", "whsec", int(time.time()) - 301)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(b"{}", header, "whsec", tolerance=300)


def test_deliveries_are_given_up_after_three_days(shop: Shop) -> None:
    shop.api.customers.create()
    attempts = 0
    for _ in range(24 * 4):
        attempts += len(shop.deliver(status=503))
        shop.clock.move(timedelta(hours=1))
    assert 8 <= attempts <= 15
    assert shop.core.world.waiting == []
    event = shop.api.events.list({"delivery_success": False}).data[0]
    assert (event.type, event.pending_webhooks) == ("customer.created", 1)
    shop.control(f"events/{event.id}/resend")
    assert shop.deliver() == ["customer.created"]


def test_what_an_outage_swallowed_is_caught_up_by_listing(shop: Shop) -> None:
    shop.control("webhooks/outage", on=True)
    paid = shop.pay()
    assert shop.deliver() == []
    shop.pass_days(4)
    shop.control("webhooks/outage", on=False)
    assert shop.deliver() == []
    since = shop.core.world.now - 5 * 86_400
    missed = shop.api.events.list({"created": {"gte": since}, "types": ["payment_intent.*"]})
    assert [event.type for event in missed] == ["payment_intent.succeeded", "payment_intent.created"]
    assert missed.data[0].data.object.id == paid.id


def test_a_short_outage_is_healed_by_retries(shop: Shop) -> None:
    shop.control("webhooks/outage", on=True)
    shop.api.customers.create()
    shop.clock.move(timedelta(hours=5))
    shop.control("webhooks/outage", on=False)
    assert shop.deliver() == []
    shop.clock.move(timedelta(hours=12))
    assert shop.deliver() == ["customer.created"]


def test_events_are_kept_for_thirty_days(shop: Shop) -> None:
    shop.api.customers.create()
    shop.pass_days(29)
    assert len(shop.api.events.list().data) == 1
    shop.pass_days(2)
    assert shop.api.events.list().data == []


@pytest.mark.parametrize(("order", "expected"), [("given", [0, 1, 2]), ("reverse", [2, 1, 0])])
def test_held_deliveries_come_in_the_order_wished(shop: Shop, order: str, expected: list[int]) -> None:
    shop.api.customers.create()
    shop.deliver()
    shop.control("webhooks/hold")
    shop.api.payment_intents.create(
        {"amount": 500, "currency": "gbp", "payment_method": "pm_card_visa", "confirm": True}
    )
    assert shop.deliver() == []
    types = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]
    released = shop.control("webhooks/release", order=order)["released"]
    assert released == [types[at] for at in expected]
    assert shop.deliver() == released


def test_a_shuffle_is_repeated_by_its_seed(shop: Shop) -> None:
    orders = []
    for _ in range(2):
        shop.control("reset")
        shop.control("webhooks/hold")
        shop.pay()
        orders.append(shop.control("webhooks/release", order="shuffle", seed=3)["released"])
        assert shop.deliver() == orders[-1]
    assert orders[0] == orders[1] != sorted(orders[0])


def test_a_duplicate_is_the_same_event_and_a_twin_another(shop: Shop) -> None:
    bodies: list[dict[str, str]] = []

    def send(_: dict[str, str], body: bytes) -> int:
        bodies.append(json.loads(body))
        return 200

    shop.control("faults", kind="webhook_duplicate", event="customer.created", copies=9)
    shop.api.customers.create()
    shop.core.pump(send)
    assert len(bodies) == 10
    assert len({body["id"] for body in bodies}) == 1
    bodies.clear()
    shop.control("faults", kind="webhook_twin", event="customer.created")
    shop.api.customers.create()
    shop.core.pump(send)
    first, second = bodies
    assert first["id"] != second["id"]
    assert first["data"] == second["data"]
    assert len(shop.api.events.list({"type": "customer.created"}).data) == 3


def test_a_drop_and_a_delay_are_for_what_they_match(shop: Shop) -> None:
    shop.control("faults", kind="webhook_drop", event="customer.*", match={"metadata.uid": "u1"})
    shop.control("faults", kind="webhook_delay", match={"metadata.uid": "u2"}, seconds=3_600)
    for uid in ("u0", "u1", "u2"):
        shop.api.customers.create({"metadata": {"uid": uid}})
    assert len(shop.deliver()) == 1
    shop.clock.move(timedelta(hours=1))
    assert len(shop.deliver()) == 1
    assert len(shop.api.events.list().data) == 3


def test_any_event_can_be_sent_again(shop: Shop) -> None:
    shop.api.customers.create()
    shop.deliver()
    _, events = control.handle(shop.core, "GET", "events", {"type": "customer.*"})
    shop.control(f"events/{events[0]['id']}/resend", copies=3)
    shop.control(f"events/{events[0]['id']}/resend", twin=True)
    assert shop.deliver() == ["customer.created"] * 4
