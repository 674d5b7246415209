"""What Pub/Sub pushes: ticks and the processor's events, acknowledged once they are done."""

from __future__ import annotations

import base64
import importlib
import json
from typing import Any

import pytest

from shared.domain.errors import Mismatch, NothingDue, ProcessorUnavailable
from shared.ports import StoreUnavailable, ThinEvent
from tests.entrypoints.platform import Platform
from tests.entrypoints.test_stripe_webhook import THIN

USE_CASES = {
    "collect_contributions": ("collect_contributions", "queue_due"),
    "pay_out": ("pay_out", "pay_due"),
    "relay": ("relay", "relay"),
    "reconcile": ("reconcile", "reconcile"),
    "process_payment_event": ("process_payment_event", "process"),
}
BESIDE = ["seal_facts", "anchor_heads"]
"""What the same ticks do besides; it has tests of its own."""
TICKS = ["collect_contributions", "pay_out", "relay", "reconcile"]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the use cases were called with, instead of their work."""
    seen: list[Any] = []

    def note(_: Any, *given: Any) -> dict[str, Any]:
        seen.append(given)
        return {}

    for module, name in USE_CASES.values():
        service = importlib.import_module(f"shared.services.{module}")
        monkeypatch.setattr(service, name, note)
    for module in BESIDE:
        monkeypatch.setattr(importlib.import_module(f"shared.services.{module}"), module, lambda *_: {})
    return seen


def raising(monkeypatch: pytest.MonkeyPatch, function: str, error: Exception) -> None:
    def fail(*_: Any) -> None:
        raise error

    module, name = USE_CASES[function]
    monkeypatch.setattr(importlib.import_module(f"shared.services.{module}"), name, fail)


@pytest.mark.parametrize("function", TICKS)
@pytest.mark.parametrize("data", [None, {}, {"any": "thing"}])
def test_a_tick_does_the_work(platform: Platform, calls: list[Any], function: str, data: Any) -> None:
    assert platform.push(function, data).status_code == 200
    (given,) = calls
    if function != "reconcile":
        assert (given[0].actor, given[0].id) == (f"system:{function}", f"{function}:m1")


@pytest.mark.parametrize("path", ["/", "/projects/demo-ajo/topics/relay"])
def test_a_tick_of_the_emulator_does_it_too(platform: Platform, calls: list[Any], path: str) -> None:
    """The emulator pushes plain envelopes, which functions-framework turns into CloudEvents."""
    envelope = {
        "message": {"data": "", "messageId": "m9", "publishTime": "2026-11-24T09:00:00Z", "attributes": {}},
        "subscription": "projects/demo-ajo/subscriptions/s",
    }
    answer = platform.client("relay").post(
        path,
        json=envelope,
        headers={"Authorization": "Bearer cloud-tasks-and-pubsub"},
    )
    assert answer.status_code == 200
    ((command,),) = calls
    assert command.id == "relay:m9"


@pytest.mark.parametrize("function", USE_CASES)
@pytest.mark.parametrize("token", [None, "forged"])
def test_only_pubsub_may_push(platform: Platform, calls: list[Any], function: str, token: str | None) -> None:
    assert platform.push(function, THIN, token).status_code == 401
    assert calls == []
    assert (platform.store.loads, platform.store.commits) == (0, 0)


def test_an_event_reaches_its_use_case(platform: Platform, calls: list[Any]) -> None:
    assert platform.push("process_payment_event", THIN | {"a_later_field": 1}).status_code == 200
    ((event,),) = calls
    assert isinstance(event, ThinEvent)
    assert (event.id, event.object_id, event.created_at.isoformat()) == (
        "evt_1",
        "pi_1",
        "2026-11-24T09:00:00+00:00",
    )


@pytest.mark.parametrize(
    "data", ["bm90IGpzb24=", "!!!", base64.b64encode(b"[]").decode(), base64.b64encode(b"{}").decode()]
)
def test_what_nobody_can_read_is_dropped_loudly(
    platform: Platform, calls: list[Any], data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sent again it would be as unreadable: it is acknowledged, and somebody is woken."""
    answer = platform.push_envelope("process_payment_event", {"message": {"data": data, "messageId": "m1"}})
    assert answer.status_code == 200
    assert calls == []
    assert [json.loads(line)["severity"] for line in capsys.readouterr().out.splitlines()] == ["CRITICAL"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (StoreUnavailable(), 503),
        (ProcessorUnavailable(), 503),
        (NothingDue(state="covered"), 200),
        (Mismatch(what="amount", theirs=1, ours=2), 500),
        (RuntimeError("secret"), 500),
    ],
)
def test_what_may_pass_is_sent_again(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    raising(monkeypatch, "process_payment_event", error)
    answer = platform.push("process_payment_event", THIN)
    assert answer.status_code == status
    assert "secret" not in answer.text
