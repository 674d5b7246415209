"""The local Stripe over HTTP: keys, forms, hosted pages, the command line, and its state over restarts."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import stripe

from infra.local.stripe import forms
from infra.local.stripe.errors import InvalidParams
from infra.local.stripe.server import LocalStripeServer, start_local_stripe
from infra.local.stripe.version import API_VERSION

from .conftest import client_of


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def _http(method: str, url: str, body: bytes | None = None, **headers: str) -> tuple[int, str, Any]:
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=30) as response:
            return response.status, response.read().decode(), response.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers


def _form(**values: str) -> bytes:
    return urllib.parse.urlencode(values).encode()


def test_only_test_keys_are_let_in(server: LocalStripeServer) -> None:
    for key in ("sk_live_0123456789", "nonsense", ""):
        status, body, _ = _http("GET", f"{server.url}/v1/balance", Authorization=f"Bearer {key}")
        assert status == 401
        assert json.loads(body)["error"]["type"] == "invalid_request_error"
        assert "0123456789" not in body
    with pytest.raises(stripe.AuthenticationError):
        stripe.StripeClient("sk_live_0123456789", base_addresses={"api": server.url}).v1.balance.retrieve()
    status, _, headers = _http("GET", f"{server.url}/v1/balance", Authorization="Bearer sk_test_1")
    assert (status, headers["Stripe-Version"]) == (200, API_VERSION)
    assert headers["Request-Id"].startswith("req_")


def test_nested_forms_are_decoded() -> None:
    pairs = [
        ("amount", "5"),
        ("metadata[a]", "1"),
        ("metadata[b c]", "2"),
        ("expand[]", "x"),
        ("expand[]", "y"),
        ("types[0]", "t"),
        ("a[b][c][0][d]", "deep"),
        ("empty", ""),
    ]
    assert forms.decode(pairs) == {
        "amount": "5",
        "metadata": {"a": "1", "b c": "2"},
        "expand": ["x", "y"],
        "types": ["t"],
        "a": {"b": {"c": [{"d": "deep"}]}},
        "empty": "",
    }
    with pytest.raises(InvalidParams):
        forms.decode([("a", "1"), ("a[b]", "2")])


def test_a_customer_saves_a_card_on_the_checkout_page(
    server: LocalStripeServer, client: stripe.StripeClient
) -> None:
    customer = client.v1.customers.create().id
    wished: Any = {
        "mode": "setup",
        "customer": customer,
        "payment_method_types": ["card"],
        "success_url": "https://ajo.example/done?s={CHECKOUT_SESSION_ID}",
    }
    session = client.v1.checkout.sessions.create(wished)
    assert session.url is not None
    status, html, _ = _http("GET", session.url)
    assert status == 200
    assert "pm_card_visa" in html
    assert "pm_bacsDebit" not in html
    status, html, _ = _http("POST", session.url, _form(payment_method="pm_card_chargeDeclined"))
    assert status == 402
    status, _, headers = _http("POST", session.url, _form(payment_method="pm_card_mastercard"))
    assert (status, headers["Location"]) == (303, f"https://ajo.example/done?s={session.id}")
    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent"]})
    assert (done.status, done.setup_intent.status) == ("complete", "succeeded")  # type: ignore[union-attr]
    assert client.v1.payment_methods.list({"customer": customer}).data[0].card.brand == "mastercard"  # type: ignore[union-attr]
    assert _http("POST", session.url, _form(payment_method="pm_card_visa"))[0] == 400


def test_a_member_authenticates_on_the_banks_page(
    server: LocalStripeServer, client: stripe.StripeClient
) -> None:
    intent = client.v1.payment_intents.create(
        {
            "amount": 500,
            "currency": "gbp",
            "payment_method": "pm_card_authenticationRequired",
            "confirm": True,
            "return_url": "https://ajo.example/back",
        }
    )
    assert intent.next_action is not None
    url = intent.next_action.redirect_to_url.url  # type: ignore[union-attr]
    assert url is not None
    assert _http("GET", url)[0] == 200
    status, _, headers = _http("POST", url, _form(succeeds="true"))
    assert status == 303
    assert re.match(
        r"https://ajo.example/back\?payment_intent=pi_\w+&redirect_status=succeeded", headers["Location"]
    )
    assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"


def test_a_recipient_onboards_and_changes_the_bank(
    server: LocalStripeServer, client: stripe.StripeClient
) -> None:
    account = client.v1.accounts.create(
        {"type": "express", "capabilities": {"transfers": {"requested": True}}}
    ).id
    link = client.v1.account_links.create(
        {
            "account": account,
            "type": "account_onboarding",
            "return_url": "https://ajo.example/r",
            "refresh_url": "https://ajo.example/f",
        }
    ).url
    assert "account_number" in _http("GET", link)[1]
    assert _http("GET", link.partition("?")[0])[0] == 410
    status, _, headers = _http("POST", link, _form(account_number="00012345"))
    assert (status, headers["Location"]) == (303, "https://ajo.example/r")
    assert client.v1.accounts.retrieve(account).payouts_enabled
    _http("POST", f"{server.url}/_control/advance", b'{"hours": 1}')
    assert _http("POST", link, _form(account_number="00012345"))[0] == 410
    dashboard = client.v1.accounts.login_links.create(account).url
    _http("POST", dashboard, _form(account_number="11111116"))
    bank = client.v1.accounts.external_accounts.list(account).data[0]
    assert (bank.last4, bank["default_for_currency"]) == ("1116", True)


def test_a_person_shows_a_document(server: LocalStripeServer, client: stripe.StripeClient) -> None:
    session = client.v1.identity.verification_sessions.create({"type": "document"})
    assert session.url is not None
    assert _http("GET", session.url)[0] == 200
    _http("POST", session.url, _form(verified="true"))
    assert client.v1.identity.verification_sessions.retrieve(session.id).status == "verified"
    assert _http("GET", f"{server.url}/_hosted/identity/vs_none")[0] == 404


def test_control_over_http(server: LocalStripeServer) -> None:
    status, body, _ = _http("GET", f"{server.url}/_control/idle")
    assert (status, json.loads(body)["idle"]) == (200, True)
    assert _http("POST", f"{server.url}/_control/faults", b"not json")[0] == 400
    assert _http("POST", f"{server.url}/_control/advance", b'{"days": 3}')[0] == 200
    assert _http("DELETE", f"{server.url}/_control/faults")[0] == 200


def test_a_mistake_of_our_own_is_answered_as_stripes_500(
    server: LocalStripeServer, client: stripe.StripeClient, capsys: pytest.CaptureFixture[str]
) -> None:
    intent = client.v1.payment_intents.create({"amount": 500, "currency": "gbp"})
    server.core.world.objects[intent.id]["status"] = object()
    with pytest.raises(stripe.APIError):
        client.v1.payment_intents.retrieve(intent.id)
    assert "TypeError" in capsys.readouterr().err


def test_the_state_outlives_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    with start_local_stripe(state_file=file) as first:
        customer = client_of(first).v1.customers.create({"email": "a@ajo.example"}).id
    with start_local_stripe(state_file=file) as second:
        assert client_of(second).v1.customers.retrieve(customer).email == "a@ajo.example"
        assert client_of(second).v1.customers.create().id != customer


def test_ids_differ_from_run_to_run_without_a_seed() -> None:
    ids = set()
    for _ in range(2):
        with start_local_stripe() as running:
            ids.add(client_of(running).v1.customers.create().id)
    assert len(ids) == 2


def test_the_command_line(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_text("864000")
    command = [sys.executable, "-m", "infra.local.stripe", "--clock-file", str(clock), "--seed", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        client = stripe.StripeClient("sk_test_1", stripe_version=API_VERSION, base_addresses={"api": url})
        ahead = client.v1.customers.create().created - time.time()
        assert 863_000 < ahead < 865_000
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
