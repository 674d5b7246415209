"""Faults of requests, ordered through the control endpoint: what is done, what is answered, what is kept."""

from __future__ import annotations

import pytest
import stripe

from infra.local.stripe import control
from infra.local.stripe.errors import ConnectionCut
from infra.local.stripe.server import LocalStripeServer

from .conftest import Shop

NEW = ("POST", "/v1/customers")


def _customers(shop: Shop) -> int:
    return len(shop.core.world.all(shop.core.world.platform, "customer"))


def test_a_lost_answer_is_replayed(shop: Shop) -> None:
    shop.control("faults", kind="cut_after", path="/v1/customers")
    with pytest.raises(ConnectionCut) as cut:
        shop.core.request(*NEW, idempotency_key="k")
    assert cut.value.executed
    answer = shop.core.respond(*NEW, idempotency_key="k")
    assert (answer.status, answer.headers["Idempotent-Replayed"]) == (200, "true")
    assert _customers(shop) == 1


def test_a_lost_answer_without_a_key_makes_two(shop: Shop) -> None:
    shop.control("faults", kind="cut_after")
    with pytest.raises(ConnectionCut):
        shop.core.request(*NEW)
    shop.core.request(*NEW)
    assert _customers(shop) == 2


def test_a_request_cut_off_before_it_was_done_is_done_later(shop: Shop) -> None:
    shop.control("faults", kind="cut_before")
    with pytest.raises(ConnectionCut) as cut:
        shop.core.request(*NEW, idempotency_key="k")
    assert not cut.value.executed
    assert _customers(shop) == 0
    answer = shop.core.respond(*NEW, idempotency_key="k")
    assert "Idempotent-Replayed" not in answer.headers


def test_a_500_after_success_is_replayed_as_a_500(shop: Shop) -> None:
    shop.control("faults", kind="error_after")
    for _ in range(2):
        answer = shop.core.respond(*NEW, {"metadata": {"uid": "u1"}}, idempotency_key="k")
        assert (answer.status, answer.body["error"]["type"]) == (500, "api_error")
        assert answer.headers["Stripe-Should-Retry"] == "false"
    assert _customers(shop) == 1
    assert len(shop.deliver()) == 1


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("error_before", 500, None),
        ("conflict", 409, "idempotency_key_in_use"),
        ("rate_limit", 429, "rate_limit"),
    ],
)
def test_what_was_not_done_is_not_kept(shop: Shop, kind: str, status: int, code: str | None) -> None:
    shop.control("faults", kind=kind, times=2)
    for _ in range(2):
        error = shop.refused(*NEW, {}, idempotency_key="k")
        assert (error["status"], error.get("code")) == (status, code)
    assert _customers(shop) == 0
    assert shop.core.request(*NEW, idempotency_key="k")[0] == 200


def test_faults_hit_what_they_match(shop: Shop) -> None:
    shop.control(
        "faults", kind="rate_limit", method="POST", path="/v1/payment_*", match={"metadata.attempt": "att_2"}
    )
    form = {"amount": 500, "currency": "gbp"}
    assert shop.core.request("GET", "/v1/payment_intents")[0] == 200
    for attempt, status in (("att_1", 200), ("att_2", 429), ("att_2", 200)):
        answered, _ = shop.core.request(
            "POST", "/v1/payment_intents", {**form, "metadata": {"attempt": attempt}}
        )
        assert answered == status


def test_a_fault_can_stay_until_it_is_cleared(shop: Shop) -> None:
    shop.control("faults", kind="rate_limit", always=True)
    assert [shop.core.request(*NEW)[0] for _ in range(3)] == [429, 429, 429]
    assert len(control.handle(shop.core, "GET", "faults")[1]) == 1
    control.handle(shop.core, "DELETE", "faults")
    assert shop.core.request(*NEW)[0] == 200


def test_the_real_client_meets_each(server: LocalStripeServer, client: stripe.StripeClient) -> None:
    for kind, error in (
        ("cut_before", stripe.APIConnectionError),
        ("cut_after", stripe.APIConnectionError),
        ("error_before", stripe.APIError),
        ("error_after", stripe.APIError),
        ("conflict", stripe.APIError),
        ("rate_limit", stripe.RateLimitError),
    ):
        control.handle(server.core, "POST", "faults", {"kind": kind})
        with pytest.raises(error):
            client.v1.customers.create({"email": "a@ajo.example"}, {"idempotency_key": kind})
    found = client.v1.customers.create({"email": "a@ajo.example"}, {"idempotency_key": "cut_after"})
    assert found.email == "a@ajo.example"
    assert len(client.v1.customers.list().data) == 2


def test_a_delay_waits_while_executing(shop: Shop) -> None:
    waited: list[float] = []
    shop.core._sleep = waited.append
    shop.control("faults", kind="delay", seconds=7)
    assert shop.core.request(*NEW)[0] == 200
    assert waited == [7]


def test_a_late_answer_lets_its_webhooks_come_first(shop: Shop) -> None:
    heard: list[str] = []
    shop.core._sleep = lambda _: heard.extend(shop.deliver())
    shop.control("faults", kind="delay_after", path="/v1/customers", seconds=5)
    assert shop.core.request(*NEW)[0] == 200
    assert heard == ["customer.created"]


def test_an_unknown_fault_is_refused(shop: Shop) -> None:
    assert control.handle(shop.core, "POST", "faults", {"kind": "gremlins"})[0] == 400
    assert control.handle(shop.core, "POST", "faults", {"kind": "delay", "sconds": 1})[0] == 400
