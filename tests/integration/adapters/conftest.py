"""The emulators of Pub/Sub and Firebase Auth, each once for the whole session and at the first need."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from infra.local.emulators import auth_emulator, pubsub_emulator


@pytest.fixture(scope="session")
def pubsub_host() -> Iterator[str]:
    with pubsub_emulator() as host:
        yield host


@pytest.fixture(scope="session")
def auth_host() -> Iterator[str]:
    """firebase-admin looks for it in the environment alone."""
    with auth_emulator() as host:
        os.environ["FIREBASE_AUTH_EMULATOR_HOST"] = host
        yield host
        del os.environ["FIREBASE_AUTH_EMULATOR_HOST"]
