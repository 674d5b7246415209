"""One running platform for all integration tests that need a whole one: it takes ten seconds to start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.local.platform import Platform


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """Every part started, no job fired but by the test: tests make their own people and groups."""
    with Platform(ticks=False) as running:
        yield running
