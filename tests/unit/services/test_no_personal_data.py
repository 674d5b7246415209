"""Nothing that a circle leaves behind names its people: documents, tasks, messages, log lines."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import pytest

from shared.adapters.memory_store import MemoryStore
from tests.builders import HeldMessages, World

SECRETS = (
    "Bellweather",
    "Adeyemi",
    "Terrace",
    "Peckham",
    "SE15",
    "7911123456",
    "1987",
    "Quillfeather",
    "@example",
)


class Remembered(HeldMessages):
    """Keeps every message and task, also those that were taken."""

    def __init__(self) -> None:
        super().__init__()
        self.ever: list[str] = []

    def publish(self, topic: str, message: Mapping[str, Any]) -> None:
        self.ever.append(f"{topic} {dict(message)}")
        super().publish(topic, message)

    def enqueue(self, name: str, body: Mapping[str, Any], at: Any = None) -> None:
        self.ever.append(f"{name} {dict(body)}")
        super().enqueue(name, body, at)


def test_a_circle_leaves_no_trace_of_who_its_people_are(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    store, messages = MemoryStore(), Remembered()
    world = World(store=store, messages=messages)
    circle = world.circle(world.people(5))
    world.advance_to(circle.pays_out(2))
    documents = [f"{path} {one.data}" for path, kept in store._collections.items() for one in kept.values()]
    lines = [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]
    assert len(documents) > 50
    assert len(messages.ever) > 20
    for text in (*documents, *messages.ever, *lines):
        assert not [secret for secret in SECRETS if secret in text], text
