"""Wakes: who waits for news is looked at when it comes, not before, and not hourly (decision 42)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.memory_store import MemoryStore
from shared.domain.contributions import METHOD_RECHECK
from shared.domain.errors import TryAgainLater
from shared.domain.groups import COMPLETION_RECHECK
from shared.domain.payouts import PARKED_RECHECK
from shared.ports import Page as FoundPage
from shared.ports import Query, StoreUnavailable
from shared.services import payment_methods, payout_account
from tests.builders import World
from tests.worked_examples.page import Page

DAY = timedelta(days=1)


@pytest.fixture
def page() -> Page:
    return Page()


def cards(page: Page, letter: str) -> list[str]:
    found = payment_methods.list_methods(page.world.ctx, page.uid[letter])["items"]
    return [str(one["id"]) for one in found]


def add_card(page: Page, letter: str) -> None:
    payment_methods.attach(page.world.ctx, page.world.command(page.uid[letter]), None, "pm_card_mastercard")


def prefer_the_other_card(page: Page, letter: str) -> None:
    payment_methods.make_default(
        page.world.ctx, page.world.command(page.uid[letter]), cards(page, letter)[-1]
    )


def add_a_better_card(page: Page, letter: str) -> None:
    add_card(page, letter)
    prefer_the_other_card(page, letter)


def remove_the_first_card(page: Page, letter: str) -> None:
    payment_methods.remove(page.world.ctx, page.world.command(page.uid[letter]), cards(page, letter)[0])


def dies(page: Page, letter: str) -> None:
    """The card that they pay with was reported stolen: no debit will ever go through."""
    card = cards(page, letter)[0]
    page.world.control("POST", f"payment_methods/{card}/outcomes", {"failures": ["stolen_card"] * 9})


def stripe(page: Page, path: str, **body: Any) -> None:
    page.world.control("POST", path, body)
    page.world.settle()


def account(page: Page, letter: str) -> str:
    (user,) = page.world.store.load(f"users/{page.uid[letter]}")
    return str((user.data or {})["payout_account"]["reference"])


def calls(page: Page, method: str, path: str) -> int:
    """How often Stripe was asked for this."""
    log = page.world.control("GET", "requests")
    return sum((one["method"], one["path"]) == (method, path) for one in log)


# --- contributions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "news"),
    [
        (lambda page: None, lambda page: add_a_better_card(page, "E")),
        (lambda page: add_card(page, "E"), lambda page: prefer_the_other_card(page, "E")),
        (lambda page: add_card(page, "E"), lambda page: remove_the_first_card(page, "E")),
    ],
    ids=["a new one", "another default", "the dead one forgotten"],
)
def test_what_waits_for_another_method_is_taken_on_the_day_when_there_is_one(
    page: Page, before: Callable[[Page], Any], news: Callable[[Page], Any]
) -> None:
    before(page)
    dies(page, "E")
    page.due(1)
    waiting = page.contribution("E", 1)
    assert waiting.act_at == waiting.attempts[-1].started_at + METHOD_RECHECK

    page.days(1)
    assert page.contribution("E", 1) == waiting  # no look between
    news(page)
    assert page.contribution("E", 1).act_at == page.world.clock.moment
    page.world.tick()
    assert page.contribution("E", 1).state == "covered"


class Unavailable(MemoryStore):
    """The store in memory, of which one kind of document cannot be asked for now."""

    silent = ""

    def query(self, query: Query) -> FoundPage:
        if query.collection == self.silent:
            raise StoreUnavailable
        return super().query(query)


def test_a_wake_that_was_cut_short_is_made_good_by_the_same_request() -> None:
    store = Unavailable()
    page = Page(world=World(store=store))
    add_card(page, "E")
    dies(page, "E")
    page.due(1)
    page.days(1)
    command = page.world.command(page.uid["E"], key="prefer-the-other")
    better = cards(page, "E")[-1]
    store.silent = "contributions"
    with pytest.raises(TryAgainLater):
        payment_methods.make_default(page.world.ctx, command, better)
    store.silent = ""
    assert payment_methods.make_default(page.world.ctx, command, better)["is_default"]
    assert page.contribution("E", 1).act_at == page.world.clock.moment


def test_news_of_a_method_wakes_nothing_that_has_its_own_day(page: Page) -> None:
    page.bank_refuses("E", times=1)
    page.due(1)
    on_the_ladder, not_looked_at = page.contribution("E", 1), page.contribution("E", 3)
    assert on_the_ladder.act_at == page.world.clock.moment + DAY
    stripe(page, f"payment_methods/{cards(page, 'E')[0]}/expires", year=2099, month=1)  # told as news of it
    assert page.contribution("E", 1) == on_the_ladder
    add_card(page, "E")
    prefer_the_other_card(page, "E")
    assert page.contribution("E", 3) == not_looked_at
    assert page.contribution("E", 1).act_at == page.world.clock.moment  # another card is worth a try at once


# --- payouts ------------------------------------------------------------------------------------------------


def test_a_parked_pot_leaves_on_the_day_when_its_recipients_account_is_well_again(page: Page) -> None:
    page.due(1, days_more=-1)
    stripe(page, f"accounts/{account(page, 'A')}/disable", due=["individual.verification.document"])
    page.paid_out(1, days_more=0)
    assert (page.circle.payout(1).state, page.circle.payout(1).parked_because) == (
        "parked",
        "recipient_not_ready",
    )
    stripe(page, f"accounts/{account(page, 'A')}/cure")
    assert page.circle.payout(1).act_at == page.world.clock.moment
    page.world.tick()
    assert page.circle.payout(1).transfer is not None


def test_a_disabled_account_is_not_asked_to_pay_out_again_and_again(page: Page) -> None:
    page.reserved(1)
    stripe_account = account(page, "A")
    pays, payout = ("POST", "/v1/payouts"), page.circle.payout(1)
    assert payout.state == "reserved"
    page.sent()
    page.days(4)
    assert page.circle.payout(1).state == "received"
    page.world.control(
        "POST", f"payouts/{page.circle.payout(1).bank_payout}/fail", {"code": "account_closed"}
    )
    page.world.settle()
    tried = calls(page, *pays)
    page.days(1)
    failed = page.circle.payout(1)
    assert (failed.state, failed.act_at) == ("bank_failed", page.world.clock.moment + PARKED_RECHECK)
    page.days(3)
    assert calls(page, *pays) == tried
    stripe(page, f"accounts/{stripe_account}/bank", account_number="00012345")
    assert page.circle.payout(1).act_at == page.world.clock.moment  # woken; the new bank cools off first
    page.days(7)
    assert page.circle.payout(1).state == "received"
    assert calls(page, *pays) == tried + 1


def test_a_person_who_asks_how_their_account_stands_wakes_their_pot(page: Page) -> None:
    page.due(1, days_more=-1)
    stripe(page, f"accounts/{account(page, 'A')}/disable", due=["individual.verification.document"])
    page.paid_out(1, days_more=0)
    stripe(page, "webhooks/outage", on=True)
    stripe(page, f"accounts/{account(page, 'A')}/cure")
    assert page.circle.payout(1).act_at == page.world.clock.moment + PARKED_RECHECK
    payout_account.refresh_payout_account(page.world.ctx, page.world.command(page.uid["A"]))
    assert page.circle.payout(1).act_at == page.world.clock.moment


# --- circles ------------------------------------------------------------------------------------------------


def waiting_for_a(page: Page) -> None:
    """Every pot is paid, and A, who had the first, owes the four others: the circle waits."""
    page.paid_out(1)
    page.bank_refuses("A", times=4 * 4)  # all four debits, on each rung of the ladder
    page.to_the_end()
    assert (page.circle.group.state, page.circle.group.is_through) == ("active", True)
    assert page.circle.group.act_at is not None
    assert page.circle.group.act_at > page.world.clock.moment
    assert page.circle.group.act_at <= page.world.clock.moment + COMPLETION_RECHECK


def test_a_circle_ends_on_the_day_of_its_last_debt(page: Page) -> None:
    waiting_for_a(page)
    for cycle in [2, 3, 4, 5]:
        assert page.circle.group.state == "active"
        page.pays("A", cycle)
    assert page.circle.member(page.uid["A"]).owes_pence() == 0
    page.world.tick()
    assert page.circle.group.state == "completed"


def test_a_circle_ends_on_the_day_when_its_last_debt_is_let_go(page: Page) -> None:
    waiting_for_a(page)
    for letter, other in [("B", "C"), ("C", "B"), ("D", "B"), ("E", "B")]:
        page.agreed(letter, "write_off", other, about="A", other=letter)
    page.world.tick()
    assert page.circle.group.state == "completed"


def test_money_of_who_has_left_goes_back_on_the_day_when_it_comes() -> None:
    page = Page(method="pm_bacsDebit_success")
    page.until(page.circle.due(1) - DAY)
    assert page.contribution("D", 1).live_attempt is not None
    page.leaves("D")
    page.world.tick()
    assert page.circle.group.act_at is not None
    assert page.circle.group.act_at > page.world.clock.moment
    while page.contribution("D", 1).live_attempt is not None:
        page.days(1)
    page.days(1)
    returns = [one for one in page.world.documents("payouts") if one["kind"] == "return"]
    assert [(one["recipient"], one["amount_pence"]) for one in returns] == [(page.uid["D"], 100_00)]
