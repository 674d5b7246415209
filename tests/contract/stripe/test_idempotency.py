"""Idempotency keys as Stripe has them (docs.stripe.com/api/idempotent_requests)."""

from __future__ import annotations

import threading
from datetime import timedelta

import stripe

from infra.local.stripe.server import LocalStripeServer

from .conftest import Shop, client_of

NEW = ("POST", "/v1/customers")


def _customers(shop: Shop) -> int:
    return len(shop.core.world.all(shop.core.world.platform, "customer"))


def test_the_same_key_and_parameters_give_the_same_answer(shop: Shop) -> None:
    first = shop.core.respond(*NEW, {"email": "a@ajo.example"}, idempotency_key="k")
    again = shop.core.respond(*NEW, {"email": "a@ajo.example"}, idempotency_key="k")
    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Original-Request"] == first.headers["Request-Id"]
    assert "Idempotent-Replayed" not in first.headers
    assert _customers(shop) == 1


def test_types_of_values_do_not_count_as_other_parameters(shop: Shop) -> None:
    shop.top_up(1_000)
    first = shop.core.request("POST", "/v1/topups", {"amount": 5, "currency": "gbp"}, idempotency_key="k")
    assert first == shop.core.request(
        "POST", "/v1/topups", {"amount": "5", "currency": "gbp"}, idempotency_key="k"
    )


def test_other_parameters_are_an_error(shop: Shop) -> None:
    shop.core.request(*NEW, {"email": "a@ajo.example"}, idempotency_key="k")
    error = shop.refused(*NEW, {"email": "b@ajo.example"}, idempotency_key="k")
    assert (error["status"], error["type"]) == (400, "idempotency_error")
    error = shop.refused("POST", "/v1/setup_intents", {}, idempotency_key="k")
    assert (error["status"], error["type"]) == (400, "idempotency_error")


def test_keys_are_kept_for_24_hours_of_the_clock(shop: Shop) -> None:
    shop.core.request(*NEW, idempotency_key="k")
    shop.clock.move(timedelta(hours=23, minutes=59))
    shop.core.request(*NEW, idempotency_key="k")
    assert _customers(shop) == 1
    shop.clock.move(timedelta(minutes=1))
    shop.core.request(*NEW, idempotency_key="k")
    assert _customers(shop) == 2


def test_refusals_during_execution_are_kept(shop: Shop) -> None:
    recipient = shop.recipient()
    form = {"amount": 100, "currency": "gbp", "destination": recipient}
    first = shop.refused("POST", "/v1/transfers", form, idempotency_key="k")
    shop.top_up(1_000)
    assert shop.refused("POST", "/v1/transfers", form, idempotency_key="k") == first
    assert shop.core.request("POST", "/v1/transfers", form, idempotency_key="other")[0] == 200


def test_a_declined_card_is_kept(shop: Shop) -> None:
    form = {"amount": 100, "currency": "gbp", "payment_method": "pm_card_chargeDeclined", "confirm": True}
    first = shop.refused("POST", "/v1/payment_intents", form, idempotency_key="k")
    assert first["status"] == 402
    assert shop.refused("POST", "/v1/payment_intents", form, idempotency_key="k") == first
    assert len(shop.api.payment_intents.list().data) == 1


def test_failed_validation_is_not_kept(shop: Shop) -> None:
    assert shop.refused(*NEW, {"nonsense": "1"}, idempotency_key="k")["code"] == "parameter_unknown"
    assert shop.core.request(*NEW, {"email": "a@ajo.example"}, idempotency_key="k")[0] == 200


def test_keys_belong_to_an_account(shop: Shop) -> None:
    recipient = shop.recipient()
    shop.core.request(*NEW, {"email": "a@ajo.example"}, idempotency_key="k")
    status, _ = shop.core.request(*NEW, {"email": "b@ajo.example"}, idempotency_key="k", account=recipient)
    assert status == 200


def test_reading_ignores_keys(shop: Shop) -> None:
    assert shop.core.request("GET", "/v1/balance", idempotency_key="k")[0] == 200
    assert shop.core.request(*NEW, idempotency_key="k")[0] == 200


def test_a_key_may_have_255_letters(shop: Shop) -> None:
    assert shop.core.request(*NEW, idempotency_key="k" * 255)[0] == 200
    assert shop.refused(*NEW, {}, idempotency_key="k" * 256)["status"] == 400


def test_a_key_in_use_is_a_conflict(server: LocalStripeServer) -> None:
    executing, go_on = threading.Event(), threading.Event()

    def wait(_: float) -> None:
        executing.set()
        assert go_on.wait(20)

    server.core._sleep = wait
    server.core.world.faults.append(
        {"id": "f", "kind": "delay", "times": 1, "path": "/v1/customers", "match": {}}
    )
    first: list[stripe.Customer] = []
    slow = threading.Thread(
        target=lambda: first.append(
            client_of(server).v1.customers.create({"email": "a@ajo.example"}, {"idempotency_key": "k"})
        )
    )
    slow.start()
    assert executing.wait(20)
    status, body = server.core.request(*NEW, {"email": "a@ajo.example"}, idempotency_key="k")
    assert (status, body["error"]["code"]) == (409, "idempotency_key_in_use")
    go_on.set()
    slow.join(20)
    again = client_of(server).v1.customers.create({"email": "a@ajo.example"}, {"idempotency_key": "k"})
    assert again.id == first[0].id


def test_the_real_client_sees_a_replay(client: stripe.StripeClient) -> None:
    first = client.v1.customers.create({"email": "a@ajo.example"}, {"idempotency_key": "k"})
    again = client.v1.customers.create({"email": "a@ajo.example"}, {"idempotency_key": "k"})
    assert again.id == first.id
    assert again.last_response is not None
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
