"""Each test gets a platform of its own, and fails if an answer was not what its schema promises."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared import bootstrap
from tests.entrypoints.platform import Platform


@pytest.fixture
def platform(caplog: pytest.LogCaptureFixture) -> Iterator[Platform]:
    made = Platform()
    with bootstrap.override(**made.parts()):
        yield made
    said = [record.getMessage() for when in ("setup", "call") for record in caplog.get_records(when)]
    differing = [message for message in said if "differs from schema" in message]
    assert not differing


@pytest.fixture
def ada(platform: Platform) -> str:
    """A person who has signed in, and whom we know."""
    platform.people.add("ada")
    assert platform.post("/v1/users", who="ada").status_code == 201
    return "ada"
