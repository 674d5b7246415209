"""What every answer carries, and what becomes of what goes wrong on our side."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared import bootstrap
from shared.ports import PaymentOutcomeUnknown, PaymentRefused, PaymentsUnavailable
from shared.web.answers import SECURITY_HEADERS
from tests.entrypoints.platform import SETTINGS, Platform, Reply
from tests.entrypoints.test_users import LINKS

STAGING = SETTINGS.model_copy(update={"environment": "staging"})
"""In `local` the limits are a thousand times as high."""

HTTP_FUNCTIONS = ["users", "groups", "payments", "stripe_webhook", "submit"]


def test_every_answer_carries_the_headers(platform: Platform, ada: str) -> None:
    answers = [
        platform.get("/v1/users/me", who=ada),
        platform.get("/v1/users/me", who=ada, If_None_Match='"0"'),
        platform.get("/v1/users/me"),
        platform.get("/v1/users/nowhere"),
        platform.post("/v1/users", who=ada),
        platform.client("users").options("/v1/users/me"),
        platform.client("stripe_webhook").post("/platform", data=b"{}"),
        platform.client("submit").post("/", json={}),
    ]
    for answer in answers:
        assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
        assert answer.headers["Request-Id"].startswith("req_")


def test_a_well_formed_request_id_is_kept(platform: Platform) -> None:
    assert platform.get("/healthz", Request_Id="abc-12345").headers["Request-Id"] == "abc-12345"


@pytest.mark.parametrize("given", ["short", "x" * 65, "with space", "ünicode-id", "{}{}{}{}"])
def test_another_request_id_is_replaced(platform: Platform, given: str) -> None:
    assert platform.get("/healthz", Request_Id=given).headers["Request-Id"].startswith("req_")


@pytest.mark.parametrize("function", HTTP_FUNCTIONS)
def test_health(platform: Platform, function: str) -> None:
    client = platform.client(function)
    for path, status in (("/healthz", "ok"), ("/health", "ok"), ("/readyz", "ready"), ("/ready", "ready")):
        answer = client.get(path)
        assert (answer.status_code, answer.json) == (200, {"status": status})
    assert platform.store.loads == (0 if function == "stripe_webhook" else 2)


def test_not_ready_without_the_store(platform: Platform) -> None:
    platform.store.down = True
    client = platform.client("groups")
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["code"]) == (503, "try_again_later")
    assert int(answer.headers["Retry-After"]) > 0


def test_an_unavailable_store_is_no_fault_of_the_request(platform: Platform, ada: str) -> None:
    platform.store.down = True
    for answer in (platform.get("/v1/users/me", who=ada), platform.post("/v1/users", who=ada)):
        assert (answer.status_code, answer.json["code"]) == (503, "try_again_later")
        assert "Retry-After" in answer.headers


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (PaymentsUnavailable(), 503, "processor_unavailable"),
        (PaymentOutcomeUnknown(), 503, "processor_unavailable"),
        (PaymentRefused("account_invalid", "acct_1 of ada@example.test"), 409, "processor_refused"),
        (RuntimeError("ada@example.test"), 500, "internal_error"),
    ],
)
def test_what_the_processor_cannot_do(
    platform: Platform,
    ada: str,
    error: Exception,
    status: int,
    code: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(platform.gateway, "open_recipient", fail)
    commits = platform.store.commits
    answer = platform.post("/v1/users/me/payout-account", LINKS, ada)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert platform.store.commits == commits
    said = answer.text + capsys.readouterr().out
    assert "example.test" not in said
    assert "Traceback" not in said


def test_an_unexpected_error_is_logged_with_its_place(
    platform: Platform, ada: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(platform.gateway, "open_recipient", fail)
    answer = platform.post("/v1/users/me/payout-account", LINKS, ada, Request_Id="find-me-again")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (alert,) = [line for line in lines if line["severity"] == "CRITICAL"]
    assert alert["request_id"] == answer.json["request_id"] == "find-me-again"
    assert alert["exception"] == "builtins.RuntimeError"
    assert alert["stack"][-1].startswith("test_answers.py:")
    assert alert["route"] == "open_payout_account"
    assert lines[-1]["message"] == "POST 500"


def test_a_missing_setting_is_named_to_us_and_to_nobody_else(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AJO_PUBLIC_URL", raising=False)
    with bootstrap.override():
        answer = platform.client("groups").get("/healthz")
    assert (answer.status_code, answer.json["code"]) == (500, "internal_error")
    assert "AJO" not in answer.text
    assert "AJO_PUBLIC_URL is missing." in capsys.readouterr().out


def test_cors_for_the_origins_that_we_named(platform: Platform, ada: str) -> None:
    ours = platform.get("/v1/users/me", who=ada, Origin="https://app.example")
    assert ours.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "Origin" in ours.headers["Vary"]
    theirs = platform.get("/v1/users/me", who=ada, Origin="https://evil.example")
    assert "Access-Control-Allow-Origin" not in theirs.headers
    assert "Origin" in theirs.headers["Vary"]


def test_a_preflight_is_answered_without_a_token(platform: Platform) -> None:
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    answer = platform.client("groups").options("/v1/groups", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS, POST"
    assert "Idempotency-Key" in answer.headers["Access-Control-Allow-Headers"]
    assert platform.client("groups").options("/nowhere").status_code == 404


def test_head_is_a_get_without_its_body(platform: Platform, ada: str) -> None:
    answer = platform.client("users").head("/v1/users/me", headers={"Authorization": f"Bearer {ada}"})
    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (200, b"", '"0"')


def until_slowed(platform: Platform, who: str, at_most: int, **headers: str) -> tuple[int, Reply]:
    """How often somebody was served before they were slowed: more, if a minute ended meanwhile."""
    for served in range(at_most):
        answer = platform.get("/v1/users/me", who=who, **headers)
        if answer.status_code == 429:
            return served, answer
    raise AssertionError(f"still served after {at_most} requests")


def test_a_flood_is_slowed(platform: Platform) -> None:
    flooder, other = platform.people.add("flooder"), platform.people.add("other")
    with bootstrap.override(**platform.parts() | {"settings": STAGING}):
        served, refused = until_slowed(platform, flooder, 600)
        assert platform.get("/v1/users/me", who=other).status_code == 404
    assert served >= 300
    assert refused.json["code"] == "too_many_requests"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60


def test_forged_tokens_are_slowed_by_address(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.web.rate_limits.ADDRESS_PER_MINUTE", 5)
    with bootstrap.override(**platform.parts() | {"settings": STAGING}):
        served, _ = until_slowed(platform, "forged", 30, X_Forwarded_For="198.51.100.7, 203.0.113.9")
        until_slowed(platform, "forged", 3, X_Forwarded_For="1.1.1.1, 203.0.113.9")
        other = platform.get("/v1/users/me", who="forged", X_Forwarded_For="203.0.113.9, 198.51.100.8")
    assert served >= 5
    assert other.status_code == 401
