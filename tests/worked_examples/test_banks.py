"""What banks do: declines and the ladder, Bacs and its mandates, silence, restricted accounts, returns.

`infra/local/demo/scenarios/` tells the same stories over HTTP.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from shared.adapters.bank_holidays import EnglandBankHolidays
from shared.domain.calendar import add_working_days
from shared.services import catch_up, payment_methods
from tests.worked_examples.page import Page

WHOLE = dict.fromkeys("ABCDE", 500)
BACS = "pm_bacsDebit_success"


def default(page: Page, letter: str) -> str:
    methods = payment_methods.list_methods(page.world.ctx, page.uid[letter])["items"]
    return str(next(one["id"] for one in methods if one["is_default"]))


def answers(page: Page, letter: str, *failures: str) -> None:
    """How the bank answers to the person's next debits."""
    page.world.control(
        "POST", f"payment_methods/{default(page, letter)}/outcomes", {"failures": list(failures)}
    )


def new_method(page: Page, letter: str, method: str) -> None:
    uid, world = page.uid[letter], page.world
    made = payment_methods.attach(world.ctx, world.command(uid), None, method)
    payment_methods.make_default(world.ctx, world.command(uid), made["id"])


def account(page: Page, letter: str) -> str:
    (user,) = page.world.store.load(f"users/{page.uid[letter]}")
    return str((user.data or {})["payout_account"]["reference"])


def stripe(page: Page, path: str, **body: Any) -> Page:
    """Something happens at Stripe, and what it leads to."""
    return page.does(page.world.control, "POST", path, body)


# --- cards --------------------------------------------------------------------------------------------------


def test_a_soft_decline_is_tried_again_the_next_day() -> None:
    page = Page("wait")
    page.bank_refuses("E", times=1)
    page.due(1).stands(cash=400_00, pot_1=400_00, fees=6_80, house=6_80)
    page.days(1).stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    assert [one.state for one in page.contribution("E", 1).attempts] == ["failed", "settled"]
    page.paid_out(1).stands(fees=8_50, house=8_50)
    page.runs(2, 3, 4, 5)
    page.to_the_end().stands(fees=42_50, house=42_50)
    assert page.paid() == page.got() == WHOLE
    page.ended()


def test_the_bank_wants_the_person_and_they_authenticate_by_the_link() -> None:
    """Off session it is declined; asked again as if present, the bank gives the link."""
    page = Page("wait")
    answers(page, "E", "authentication_required", "authentication_required")
    page.due(1).stands(cash=400_00, pot_1=400_00, fees=6_80, house=6_80)
    attempt = page.contribution("E", 1).attempts[0]
    assert (attempt.state, attempt.action_url is not None) == ("requires_action", True)
    stripe(page, f"intents/{attempt.reference}/authenticate")
    page.stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    page.paid_out(1).stands(fees=8_50, house=8_50)
    assert page.got() == {"A": 500}


# --- Bacs ---------------------------------------------------------------------------------------------------


def test_webhooks_are_down_for_days_and_caught_up_by_listing() -> None:
    page = Page("wait", method=BACS)
    page.until(page.circle.due(1) - timedelta(days=1)).stands()
    page.world.control("POST", "webhooks/outage", {"on": True})
    page.days(5).stands()
    page.world.control("POST", "webhooks/outage", {"on": False})
    assert page.contribution("E", 1).attempts[0].state == "processing"
    page.does(catch_up.catch_up, page.world.ctx, page.world.command("system:tick"))
    page.stands(cash=500_00, pot_1=500_00, fees=5_00, house=5_00)
    page.paid_out(1).stands(fees=5_00, house=5_00)
    assert page.got() == {"A": 500}
    page.runs(2, 3, 4, 5, fee=1_00)
    page.to_the_end().stands(fees=25_00, house=25_00)
    assert page.paid() == page.got() == WHOLE
    page.ended()


def test_all_by_bacs_with_an_instruction_cancelled_and_given_anew() -> None:
    """On new mandates debits are submitted seven working days ahead. E's is revoked, and given anew.

    E's first debit on it is submitted as on a new one, and the bank, which has lodged it by then, is early.
    """
    page = Page("wait", method=BACS, first_due_date=date(2026, 12, 14))
    page.due(1).stands(cash=500_00, pot_1=500_00, fees=5_00, house=5_00)
    submitted = page.contribution("E", 1).attempts[0].started_at.date()
    assert submitted == add_working_days(page.circle.due(1), -7, EnglandBankHolidays())
    stripe(page, f"mandates/{default(page, 'E')}/revoke")
    page.stands(cash=500_00, pot_1=500_00, fees=5_00, house=5_00)
    page.paid_out(1).stands(fees=5_00, house=5_00)
    page.does(new_method, page, "E", BACS).stands(fees=5_00, house=5_00)
    page.until(date(2027, 1, 11)).stands(cash=100_00, pot_2=100_00, fees=6_00, house=6_00)
    page.due(2).stands(cash=500_00, pot_2=500_00, fees=10_00, house=10_00)
    page.paid_out(2).stands(fees=10_00, house=10_00)
    page.runs(3, 4, 5, fee=1_00)
    page.to_the_end().stands(fees=25_00, house=25_00)
    assert page.paid() == page.got() == WHOLE
    page.ended()


def test_an_instruction_cancelled_while_the_debit_is_in_flight() -> None:
    """Never again by that instruction; the new one brings the money."""
    page = Page("wait", method=BACS)
    answers(page, "E", "debit_not_authorized")
    page.due(1, days_more=1).stands(cash=400_00, pot_1=400_00, fees=4_00, house=4_00)
    assert [one.failure for one in page.contribution("E", 1).attempts] == ["mandate_cancelled"]
    page.does(new_method, page, "E", BACS).stands(cash=400_00, pot_1=400_00, fees=4_00, house=4_00)
    page.paid_out(1, days_more=0).stands(cash=400_00, pot_1=400_00, fees=4_00, house=4_00)
    page.paid_out(1, days_more=14).stands(fees=5_00, house=5_00)
    assert page.got() == {"A": 500}
    page.runs(2, 3, 4, 5, fee=1_00)
    page.to_the_end().stands(fees=25_00, house=25_00)
    assert page.paid() == page.got() == WHOLE
    page.ended()


# --- accounts -----------------------------------------------------------------------------------------------


def test_a_restricted_recipient_is_paid_when_their_account_is_cured() -> None:
    """Stripe restricts A: the pot is parked, A is told, it is cured and paid."""
    page = Page("wait")
    page.due(1).stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    stripe(page, f"accounts/{account(page, 'A')}/disable")
    page.stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    page.paid_out(1, days_more=2).stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    assert page.circle.payout(1).state == "parked"
    stripe(page, f"accounts/{account(page, 'A')}/cure")
    page.stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    page.days(3).stands(fees=8_50, house=8_50)
    assert page.got() == {"A": 500}
    page.runs(2)


def test_the_bank_sends_a_pot_back_and_takes_it_with_new_details() -> None:
    """What stands on A's account at Stripe is A's: none of our books moves."""
    page = Page("wait")
    stripe(page, f"accounts/{account(page, 'A')}/bank", account_number="11111113").stands()
    page.due(1).stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    page.paid_out(1, days_more=6).stands(fees=8_50, house=8_50)
    assert page.circle.payout(1).state == "bank_failed"
    stripe(page, f"accounts/{account(page, 'A')}/bank", account_number="00012345")
    page.stands(fees=8_50, house=8_50)
    page.days(7).stands(fees=8_50, house=8_50)
    assert page.circle.payout(1).state == "received"
    page.runs(2)
