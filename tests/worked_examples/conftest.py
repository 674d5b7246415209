"""The book is open: each example is told on pages, each step with its balances, to a balanced end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.worked_examples.page import Page


@pytest.fixture(autouse=True)
def _each_step_is_told_with_its_balances(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails an example that tells nothing, leaves a step's balances out, or does not reconcile at its end."""
    book: list[Page] = []
    monkeypatch.setattr(Page, "book", book)
    yield
    assert book, "an example that tells of no circle"
    for page in book:
        page.told()
        page.balanced()
