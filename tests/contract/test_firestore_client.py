"""The client reads on the thread that waits, whether it talks to the emulator or to Google."""

from __future__ import annotations

from threading import Thread
from typing import Any

import grpc
import pytest
from google.auth.credentials import AnonymousCredentials

from shared.adapters.firestore_client import ON_CALLERS_THREAD, Client
from shared.adapters.firestore_store import FirestoreStore
from shared.ports import Put, Query


def test_reading_starts_no_thread(firestore_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FirestoreStore(lambda: firestore_client)
    store.commit([Put("c/a", {"n": 1})])
    started: list[Thread] = []
    start = Thread.start

    def counted(thread: Thread) -> None:
        started.append(thread)
        start(thread)

    monkeypatch.setattr(Thread, "start", counted)
    (loaded,) = store.load("c/a")
    assert store.query(Query("c")).documents == store.read_consistently(Query("c"))[0] == [loaded]
    assert started == []


def test_the_channel_to_google_has_the_clients_options_and_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FIRESTORE_EMULATOR_HOST", raising=False)
    made: list[tuple[str, Any]] = []
    secure_channel = grpc.secure_channel

    def remembered(target: str, *arguments: Any, **options: Any) -> Any:
        made.append((target, options["options"]))
        return secure_channel(target, *arguments, **options)

    monkeypatch.setattr(grpc, "secure_channel", remembered)
    client = Client(project="nobodys", credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    client._firestore_api.transport.close()
    ((target, options),) = made
    assert target == "firestore.googleapis.com"
    assert ON_CALLERS_THREAD in options
    assert ("grpc.keepalive_time_ms", 30000) in options
    assert ("grpc.max_receive_message_length", -1) in options
