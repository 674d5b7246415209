"""What the fraud checks are told: all of it, however many pages it comes in, or nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.adapters.memory_store import MemoryStore
from shared.domain.devices import Device
from shared.domain.errors import TryAgainLater
from shared.domain.fraud import Disputed, PayoutDue
from shared.domain.groups import group_ref
from shared.ports import Page as FoundPage
from shared.ports import Query, Snapshot, StoreUnavailable
from shared.services import reach
from shared.services.fraud_facts import facts_beside, facts_of
from tests.builders import World
from tests.worked_examples.page import Page


class Meagre(MemoryStore):
    """The store in memory, which can be made to answer in short pages, or not at all to some questions."""

    most = 200
    silent = ""

    def load(self, *paths: str) -> list[Snapshot]:
        if any(path.split("/")[-2] == self.silent for path in paths):
            raise StoreUnavailable
        return super().load(*paths)

    def query(self, query: Query) -> FoundPage:
        if query.collection == self.silent:
            raise StoreUnavailable
        return super().query(replace(query, limit=min(self.most, query.limit)) if query.group else query)


@pytest.fixture
def store() -> Meagre:
    return Meagre()


@pytest.fixture
def page(store: Meagre) -> Page:
    """A circle of five, of whom B and C use one telephone; B's bank has taken a debit back."""
    page = Page(world=World(store=store))
    for letter in "BC":
        phone = Device(token="the-shops-own-phone", platform="android", seen_at=page.world.clock.now())
        reach.add_device(page.world.ctx, page.world.command(page.uid[letter]), phone)
    page.paid_out(1)
    page.due(2)
    page.disputes("B", 2)
    return page


def test_what_comes_in_many_pages_is_known_as_from_one(page: Page, store: Meagre) -> None:
    whole = facts_of(page.world.ctx, page.uid["B"])
    assert Disputed in {type(fact) for fact in whole}
    pots = [fact.person for fact in whole if isinstance(fact, PayoutDue)]
    assert pots == [page.uid["B"], page.uid["C"]]

    store.most = 1
    assert facts_of(page.world.ctx, page.uid["B"]) == whole


@pytest.mark.parametrize("silent", ["members", "payouts", "contributions", "traces", "users", "groups"])
def test_where_a_part_cannot_be_known_nothing_is_said(page: Page, store: Meagre, silent: str) -> None:
    store.silent = silent
    with pytest.raises(TryAgainLater):
        facts_of(page.world.ctx, page.uid["B"])


def test_what_is_read_beside_comes_with_the_facts(page: Page) -> None:
    group = group_ref(page.circle.id)
    facts, loaded = facts_beside(page.world.ctx, page.uid["B"], group)
    assert facts == facts_of(page.world.ctx, page.uid["B"])
    assert loaded.get(group) == page.circle.group
