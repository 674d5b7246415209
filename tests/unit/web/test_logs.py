"""Logs: one JSON object a line, under Cloud Logging's names, about the request; and nobody's data."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest

from shared.web import logs


def line(record: logging.LogRecord) -> dict[str, Any]:
    written: dict[str, Any] = json.loads(logs.JsonLines().format(record))
    return written


def record(level: int = logging.INFO, **extra: Any) -> logging.LogRecord:
    made = logging.getLogger("shared.x").makeRecord("shared.x", level, "f.py", 7, "done %s", ("it",), None)
    vars(made).update(extra)
    return made


def test_a_line_is_about_its_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "demo-ajo")
    logs.begin("req_12345678", f"00-{'a' * 32}-{'b' * 16}-01")
    logs.route.set("lock_group")
    written = line(record(json_fields={"duration_ms": 1.5}))
    assert written["severity"] == "INFO"
    assert written["message"] == "done it"
    assert written["request_id"] == "req_12345678"
    assert written["route"] == "lock_group"
    assert written["duration_ms"] == 1.5
    assert written["logging.googleapis.com/trace"] == f"projects/demo-ajo/traces/{'a' * 32}"


@pytest.mark.parametrize("header", [None, "", "nonsense", "00-short-x-01", f"00-{'!' * 32}-x-01"])
def test_a_trace_that_is_none_is_left_out(header: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "demo-ajo")
    logs.begin("req_12345678", header)
    assert "logging.googleapis.com/trace" not in line(record())


def test_an_alert_is_named() -> None:
    assert line(record(logging.ERROR, alert="quarantine"))["alert"] == "quarantine"


def test_an_exception_is_told_by_kind_and_place_without_its_words() -> None:
    try:
        raise ValueError("ada@example.test")
    except ValueError:
        written = line(record(logging.ERROR, exc_info=sys.exc_info()))
    assert written["exception"] == "builtins.ValueError"
    assert written["stack"][0].startswith("test_logs.py:")
    assert "ada" not in json.dumps(written)


def test_nobody_writes_lines_of_their_own() -> None:
    """Whatever was sent stays inside its string: a line break in it begins no other line (CWE-117)."""
    sent = 'lost\n{"severity": "CRITICAL", "message": "all is well"}\r\n\u2028\x1b[2K'
    made = logging.getLogger("shared.x").makeRecord("shared.x", logging.INFO, "f.py", 7, "%s", (sent,), None)
    written = logs.JsonLines().format(made)
    assert len(written.splitlines()) == 1
    assert written.isascii()
    assert json.loads(written)["message"] == sent


def test_configuring_twice_writes_once(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    logs.configure()
    logging.getLogger("shared.x").warning("once")
    assert [json.loads(text)["message"] for text in capsys.readouterr().out.splitlines()] == ["once"]
