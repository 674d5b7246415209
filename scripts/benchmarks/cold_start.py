"""One cold start in a process of its own: a function of ours, or a hello world with the same SDKs.

`python -m scripts.benchmarks.cold_start function NAME`, or `hello SDK,SDK`. Prints one line once the first
request is answered. What is beyond the machine is not there: its refusal is an answer, too.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
EVENT_TYPE = "google.cloud.pubsub.topic.v1.messagePublished"
MESSAGES: dict[str, dict[str, Any]] = {
    "process_payment_event": {
        "id": "evt_1",
        "type": "payment_intent.succeeded",
        "account": None,
        "object_id": "pi_1",
        "live": False,
        "created_at": "2026-11-24T09:00:00+00:00",
    },
    "show_progress": {"group": "grp_1", "fact": "fact_1", "type": "settled"},
}
"""What Pub/Sub brings to a function as its first message. The others are started by a tick: it is empty."""

PUSH_HEADERS = {"ce-id": "1", "ce-source": "//pubsub", "ce-specversion": "1.0", "ce-type": EVENT_TYPE}


def _firestore() -> None:
    from google.cloud import firestore

    list(firestore.Client(project="demo-ajo").collection("groups").limit(1).stream(timeout=5))


def _pubsub() -> None:
    import grpc
    from google.cloud import pubsub_v1  # type: ignore[attr-defined] # a package of another distribution
    from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

    pubsub_v1.PublisherClient(transport=PublisherGrpcTransport(channel=grpc.insecure_channel("127.0.0.1:9")))


def _tasks() -> None:
    import grpc
    from google.cloud import tasks_v2
    from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

    tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=grpc.insecure_channel("127.0.0.1:9")))


def _secrets() -> None:
    import grpc
    from google.cloud import secretmanager_v1
    from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
        SecretManagerServiceGrpcTransport,
    )

    channel = grpc.insecure_channel(os.environ["AJO_SECRETS_HOST"])
    client = secretmanager_v1.SecretManagerServiceClient(
        transport=SecretManagerServiceGrpcTransport(channel=channel)
    )
    client.access_secret_version(name=os.environ["AJO_SECRET_STRIPE_SECRET_KEY"])


def _stripe() -> None:
    import stripe

    stripe.StripeClient("sk_test_floor", http_client=stripe.RequestsClient())


SDKS: dict[str, Callable[[], Any]] = {
    "google.cloud.firestore": _firestore,
    "google.cloud.pubsub_v1": _pubsub,
    "google.cloud.tasks_v2": _tasks,
    "google.cloud.secretmanager_v1": _secrets,
    "stripe": _stripe,
    "firebase_admin.auth": lambda: importlib.import_module("firebase_admin.auth"),
    "google.oauth2.id_token": lambda: importlib.import_module("google.oauth2.id_token"),
    "cachecontrol": lambda: importlib.import_module("cachecontrol"),
    "cryptography.hazmat.primitives.ciphers.aead": lambda: importlib.import_module(
        "cryptography.hazmat.primitives.ciphers.aead"
    ),
    "holidays": lambda: importlib.import_module("holidays").country_holidays("GB", subdiv="ENG", years=2026),
    "limits": lambda: importlib.import_module("limits"),
}
"""What a function may load of others, and the least that a hello world does with it."""


class _Anybody:
    """Who calls is checked by a look at a token, which is not there: let in."""

    def verify(self, token: str) -> None:
        return None


def function(name: str) -> None:
    """A function of ours answers its first request: a message, a tick, or whether it is ready."""
    import functions_framework

    app = functions_framework.create_app(name, str(ROOT / "functions" / name / "main.py"))  # type: ignore[no-untyped-call]
    client = app.test_client()
    from shared import bootstrap

    with bootstrap.override(caller_check=_Anybody()):
        signed = {"Authorization": "Bearer benchmark"}
        if _takes_events(name):
            data = base64.b64encode(json.dumps(MESSAGES.get(name, {})).encode()).decode()
            pushed = {"message": {"data": data}, "subscription": "s"}
            client.post("/", json=pushed, headers={**PUSH_HEADERS, **signed})
        else:
            client.get("/readyz")


def _takes_events(name: str) -> bool:
    return "cloud_event" in (ROOT / "functions" / name / "main.py").read_text()


def hello(sdks: str) -> None:
    """functions-framework, pydantic and these SDKs, and nothing of ours."""
    import flask
    import functions_framework
    import pydantic

    class Answer(pydantic.BaseModel):
        text: str

    @functions_framework.http
    def world(request: flask.Request) -> flask.Response:
        for sdk in filter(None, sdks.split(",")):
            with contextlib.suppress(Exception):
                SDKS[sdk]()
        return flask.Response(Answer(text="hello").model_dump_json())

    app = flask.Flask("hello")
    app.add_url_rule("/", view_func=lambda: world(flask.request))
    app.test_client().get("/")


def main() -> None:
    what, argument = sys.argv[1:]
    (function if what == "function" else hello)(argument)
    loaded = [sdk for sdk in SDKS if sdk in sys.modules]
    print(json.dumps({"sdks": loaded, "modules": len(sys.modules), "peak_mb": _peak_mb()}), flush=True)


def _peak_mb() -> int:
    """Of this program alone: what `resource` tells begins with the program that started it."""
    status = Path("/proc/self/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(kilobytes) // 1024


if __name__ == "__main__":
    main()
