"""Sending a payout: not before its money has cleared, whoever asks for it and however often."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.adapters.memory_store import MemoryStore
from shared.domain.documents import Ref
from shared.domain.errors import TryAgainLater
from shared.domain.payouts import HELD_RECHECK, Payout, payout_ref
from shared.ports import Update, Write
from shared.services import send_payout
from shared.services.context import Context
from shared.services.send_payout import CLOCKS_DIFFER_MAX
from shared.services.transact import Loaded, read
from tests.builders import World
from tests.worked_examples.page import Page


class CountingStore(MemoryStore):
    """Counts the commits."""

    commits = 0

    def commit(self, writes: Sequence[Write]) -> None:
        super().commit(writes)
        self.commits += 1


@pytest.fixture
def store() -> CountingStore:
    return CountingStore()


@pytest.fixture
def page(store: CountingStore) -> Page:
    """E paid after A's pot had left: what A is to get of it is reserved, and has not cleared."""
    page = Page(world=World(store=store))
    page.bank_refuses("E", times=4)
    page.paid_out(1)
    page.pays("E", 1)
    return page


def top_up(page: Page) -> Payout:
    (found,) = (one for one in page.world.documents("payouts") if one["kind"] == "top_up")
    return Payout.model_validate(found)


def sends(page: Page) -> str:
    system = page.world.command("system:submit")
    return str(send_payout.send_payout(page.world.ctx, system, page.circle.id, top_up(page).id)["state"])


def transfers(page: Page) -> int:
    log = page.world.control("GET", "requests")
    return sum((one["method"], one["path"]) == ("POST", "/v1/transfers") for one in log)


def test_what_has_not_cleared_does_not_leave_whoever_asks_for_it(page: Page, store: CountingStore) -> None:
    waiting, sent, commits = top_up(page), transfers(page), store.commits
    assert waiting.act_at is not None
    page.world.clock.moment = waiting.act_at - CLOCKS_DIFFER_MAX - timedelta(seconds=1)
    assert sends(page) == "reserved"
    assert (top_up(page), transfers(page), store.commits) == (waiting, sent, commits)


def test_a_task_that_a_faster_clock_has_queued_is_brought_once_more_and_leaves_then(page: Page) -> None:
    waiting, sent = top_up(page), transfers(page)
    assert waiting.act_at is not None
    for early in (CLOCKS_DIFFER_MAX, timedelta(microseconds=1)):
        page.world.clock.moment = waiting.act_at - early
        with pytest.raises(TryAgainLater):
            sends(page)
    assert (top_up(page), transfers(page)) == (waiting, sent)
    page.world.clock.moment = waiting.act_at
    assert sends(page) == "sent"
    assert transfers(page) == sent + 1


def test_the_tick_of_its_moment_finds_what_was_asked_for_too_early(page: Page) -> None:
    waiting = top_up(page)
    assert waiting.act_at is not None
    page.world.clock.moment = waiting.act_at - timedelta(hours=1)
    assert sends(page) == "reserved"
    page.world.tick()
    assert top_up(page) == waiting
    page.world.clock.moment = waiting.act_at
    page.world.tick()
    assert top_up(page).transfer is not None


def test_what_has_not_cleared_is_not_even_looked_at_by_the_fraud_checks(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found held, its moment would be that of the hold, and staff's word would let it go uncleared."""
    waiting = top_up(page)
    assert waiting.act_at is not None

    def held(ctx: Context, uid: str, *beside: Ref[Any]) -> tuple[datetime, Loaded]:
        return ctx.clock.now(), read(ctx, *beside)

    monkeypatch.setattr(send_payout, "payout_held_until", held)
    page.world.clock.moment = waiting.act_at - timedelta(hours=1)
    assert sends(page) == "reserved"
    assert top_up(page) == waiting


def test_what_is_put_off_between_the_look_and_the_begin_does_not_begin(
    page: Page, store: CountingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another instance has found its recipient held meanwhile."""
    waiting, sent = top_up(page), transfers(page)
    assert waiting.act_at is not None
    page.world.clock.moment = waiting.act_at
    later = waiting.act_at + HELD_RECHECK

    def put_off(ctx: Context, uid: str, *beside: Ref[Any]) -> tuple[None, Loaded]:
        path = payout_ref(page.circle.id, waiting.id).path
        (found,) = store.load(path)
        after = waiting.with_(act_at=later, parked_because="details_to_check")
        store.commit([Update(path, after.next_revision(waiting), found.version)])
        return None, read(ctx, *beside)

    monkeypatch.setattr(send_payout, "payout_held_until", put_off)
    assert sends(page) == "reserved"
    assert (top_up(page).act_at, transfers(page)) == (later, sent)


def test_a_pot_that_is_reserved_has_cleared_and_may_leave_at_once() -> None:
    page = Page()
    page.reserved(1)
    assert page.circle.payout(1).act_at == page.world.clock.moment
    page.sent()
    assert page.circle.payout(1).transfer is not None
