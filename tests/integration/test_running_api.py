"""A short run of requests made from the API's description, over HTTP; the long one is run by hand."""

from __future__ import annotations

from infra.local.platform import Platform
from tests.integration.fuzzing import fuzz

REQUESTS_MIN = 150
ONE_IN = 3
"""Preparing what an operation needs takes longer than asking: the rest is left to the long run."""


def test_whatever_comes_is_answered_as_described(platform: Platform) -> None:
    found = fuzz(platform.base_url, REQUESTS_MIN, one_in=ONE_IN)
    assert found["requests"] >= REQUESTS_MIN
    assert found["failures"] == []
    assert found["server_errors"] == 0
