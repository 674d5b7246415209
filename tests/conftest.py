"""What every tier shares: no network but this machine's, and one Firestore emulator for the whole session."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import settings
from pytest_socket import socket_allow_hosts

if TYPE_CHECKING:
    from shared.adapters.firestore_client import Client

THIS_MACHINE = ["127.0.0.1", "::1", "localhost"]
NOBODY_LISTENS = "http://127.0.0.1:9"

# gRPC has sockets of its own, which no patch of Python's reaches: it is sent to a proxy that is not there.
os.environ.update(grpc_proxy=NOBODY_LISTENS, no_grpc_proxy=",".join(THIS_MACHINE))

# The machine is shared, and an emulator's first answer is slow: a deadline would measure the neighbours.
settings.register_profile("ajo", deadline=None, print_blob=True)
settings.load_profile("ajo")


@pytest.hookimpl(trylast=True)
def pytest_runtest_setup() -> None:
    """After pytest-socket's own set-up, so that this is what holds during each test."""
    socket_allow_hosts(THIS_MACHINE, allow_unix_socket=True)


@pytest.fixture(scope="session")
def firestore_emulator() -> Iterator[str]:
    """The address of the session's emulator: one that runs already, or our own, started at the first need."""
    running = os.environ.get("FIRESTORE_EMULATOR_HOST")
    if running:
        yield running
        return

    from infra.local.emulators import firestore_emulator as started

    with started() as host, _environment("FIRESTORE_EMULATOR_HOST", host):
        yield host


@pytest.fixture
def firestore_client(firestore_emulator: str) -> Iterator[Client]:
    """A client of a project of its own, so that no test sees another's documents."""
    from shared.adapters.firestore_client import Client

    client = Client(project=f"test-{uuid4().hex[:12]}")
    yield client
    client._firestore_api.transport.close()


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]
