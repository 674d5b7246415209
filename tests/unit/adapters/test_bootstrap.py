"""Parts are made once, at first use, with only the imports that they need."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from shared import bootstrap
from shared.adapters.clock import LocalClock
from shared.domain.errors import BadSettings
from shared.services.context import Context
from tests.unit.adapters.test_config import LOCAL

ROOT = Path(__file__).parents[3]


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in LOCAL.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("local")
def test_each_part_is_made_once_and_shared() -> None:
    with bootstrap.override():
        assert bootstrap.context() is bootstrap.context()
        assert bootstrap.context().gateway is bootstrap.gateway()
        assert bootstrap.context().secrets is bootstrap.secrets()
        assert isinstance(bootstrap.context().clock, LocalClock)
        assert bootstrap.identity_provider() is bootstrap.identity_provider()
        assert bootstrap.caller_check() is bootstrap.caller_check()


@pytest.mark.usefixtures("local")
def test_two_threads_get_the_same_part() -> None:
    with bootstrap.override():
        start = threading.Barrier(8)
        made: list[Any] = []

        def ask() -> None:
            start.wait()
            made.append(bootstrap.gateway())

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({id(part) for part in made}) == 1


@pytest.mark.usefixtures("local")
def test_override_puts_parts_in_and_takes_all_back() -> None:
    with bootstrap.override():
        outer = bootstrap.settings()
        clock = object()
        with bootstrap.override(clock=clock):
            assert bootstrap.context().clock is clock
            assert bootstrap.settings() is not outer
        assert bootstrap.settings() is outer
        assert bootstrap.context().clock is not clock


def test_override_knows_its_parts() -> None:
    with pytest.raises(ValueError, match="clocks"), bootstrap.override(clocks=object()):
        pass


def test_every_port_of_the_context_is_wired() -> None:
    for name in Context.__annotations__:
        part = object()
        with bootstrap.override(**{name: part}):
            assert getattr(bootstrap.context(), name) is part


def test_bad_settings_stop_the_first_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AJO_ENVIRONMENT", raising=False)
    with bootstrap.override(), pytest.raises(BadSettings, match="AJO_ENVIRONMENT is missing"):
        bootstrap.context().clock  # noqa: B018 - reading it is the test


HEAVY = (
    "firebase_admin",
    "flask",
    "google.cloud.firestore",
    "google.cloud.secretmanager_v1",
    "google.cloud.tasks_v2",
    "google.pubsub_v1",
    "grpc",
    "holidays",
    "requests",
    "stripe",
)


def loaded_by(code: str) -> set[str]:
    """Which heavy modules a fresh interpreter has loaded after running `code`."""
    script = f"{code}\nimport json, sys\nprint(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        env={**os.environ, **LOCAL},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(answer.stdout))


@pytest.mark.parametrize(
    ("part", "needs"),
    [
        ("context()", set()),
        ("context().clock.now()", set()),
        ("context().store", {"google.cloud.firestore", "grpc", "requests"}),
        ("context().publisher", set()),
        ("context().tasks", set()),
        ("context().secrets", set()),
        ("identity_provider()", set()),
        ("caller_check()", set()),
        ("context().gateway", {"stripe", "requests"}),
    ],
)
def test_a_function_loads_only_what_it_touches(part: str, needs: set[str]) -> None:
    assert loaded_by(f"from shared import bootstrap\nbootstrap.{part}") <= needs


def test_the_webhook_loads_neither_firestore_nor_tasks() -> None:
    code = """
from shared import bootstrap
from shared.domain.errors import BadSignature
class Secrets:
    def current(self, name): return b"whsec_1"
    def accepted(self, name): return [b"whsec_1"]
with bootstrap.override(secrets=Secrets()):
    try:
        bootstrap.context().gateway.verify_webhook(b"{}", "t=1,v1=ff", "platform")
    except BadSignature:
        pass
    try:
        bootstrap.context().publisher.publish("process_payment_event", {"unserialisable": object()})
    except TypeError:
        pass
"""
    assert not loaded_by(code) & {"google.cloud.firestore", "google.cloud.tasks_v2", "firebase_admin"}


@pytest.mark.parametrize("fails", [False, True])
def test_garbage_is_looked_for_again_once_a_part_is_made(
    monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    seen: list[bool] = []

    def chance() -> object:
        seen.append(gc.isenabled())
        if fails:
            raise BadSettings
        return object()

    monkeypatch.setattr(bootstrap, "_names", set(bootstrap._names))
    with bootstrap.override(), pytest.raises(BadSettings) if fails else nullcontext():
        bootstrap._part(chance)()
    assert seen == [False]
    assert gc.isenabled()


def test_what_a_part_brought_is_never_gone_through_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Library:
        """Something that Python's collector looks after."""

    def chance() -> object:
        return Library()

    monkeypatch.setattr(bootstrap, "_names", set(bootstrap._names))
    with bootstrap.override():
        made = bootstrap._part(chance)()
        later = Library()
        looked_at = {id(one) for one in gc.get_objects() if type(one) is Library}
    assert id(later) in looked_at
    assert id(made) not in looked_at
