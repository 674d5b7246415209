"""Logs as Cloud Logging reads them: one JSON object a line, with the request's id. No personal data.

Codes, ids, routes and source lines are logged; never a body, a header, a query or an exception's own
text, which may quote any of them. `log.error("…", extra={"alert": "quarantine"})` and CRITICAL
wake somebody.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from contextvars import ContextVar
from pathlib import Path
from traceback import extract_tb
from typing import Any, Final

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
route: ContextVar[str | None] = ContextVar("route", default=None)
trace: ContextVar[str | None] = ContextVar("trace", default=None)

FIELDS: Final = "json_fields"
"""`log.info("…", extra={FIELDS: {…}})`: the name that google-cloud-logging gives structured fields."""


class JsonLines(logging.Formatter):
    """One record as one line of JSON, under Cloud Logging's special field names."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "severity": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "logging.googleapis.com/sourceLocation": {
                "file": record.pathname,
                "line": str(record.lineno),
                "function": record.funcName,
            },
        }
        about = {
            "alert": getattr(record, "alert", None),
            "request_id": request_id.get(),
            "route": route.get(),
            "logging.googleapis.com/trace": trace.get(),
        }
        entry |= {name: value for name, value in about.items() if value is not None}
        if record.exc_info and record.exc_info[1] is not None:
            entry |= raised(record.exc_info[1])
        entry |= getattr(record, FIELDS, {})
        return json.dumps(entry, default=str)


def raised(error: BaseException) -> dict[str, Any]:
    """What may be said of an exception: its kind and where it came from, not its text."""
    frames = [
        f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
        for frame in extract_tb(error.__traceback__)
    ]
    return {"exception": f"{type(error).__module__}.{type(error).__qualname__}", "stack": frames}


class StandardOutput(logging.Handler):
    """Writes to what standard output is now: servers and tests replace it after the start."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stdout.write(self.format(record) + "\n")
            sys.stdout.flush()
        except Exception:
            self.handleError(record)


def configure() -> None:
    """Send every logger's records to standard output as JSON. Once per process; again changes nothing."""
    root = logging.getLogger()
    if any(isinstance(handler, StandardOutput) for handler in root.handlers):
        return
    handler = StandardOutput()
    handler.setFormatter(JsonLines())
    root.addHandler(handler)
    logging.getLogger("shared").setLevel(logging.INFO)


def begin(id_: str, traceparent: str | None) -> None:
    """From now on this thread's records are about this request."""
    request_id.set(id_)
    route.set(None)
    trace.set(_trace_of(traceparent))


def _trace_of(traceparent: str | None) -> str | None:
    """Cloud Logging's name of a trace, from the W3C header that Google's front end sets."""
    project = os.environ.get("GOOGLE_CLOUD_PROJECT")
    parts = (traceparent or "").split("-")
    if project is None or len(parts) != 4 or len(parts[1]) != 32 or not parts[1].isalnum():
        return None
    return f"projects/{project}/traces/{parts[1]}"
