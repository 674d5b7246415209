"""What an answer of the processor's says, and for how long: a refusal is repeated to its key for a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from infra.local.stripe import balance
from infra.local.stripe.in_process import InProcessTransport
from shared.adapters.stripe_gateway import StripeGateway
from shared.domain.errors import ProcessorRefused, TryAgainLater
from shared.domain.permissions import Role
from shared.ports import Identity, Recipient
from shared.services import approvals, payout_account, reverse_payout, send_payout, sign_up
from shared.services.context import Context
from tests.builders import FixedSecrets
from tests.worked_examples.page import Page

HOUR = timedelta(hours=1)


@pytest.fixture
def page() -> Page:
    return Page()


def account_of(page: Page, letter: str) -> str:
    (user,) = page.world.store.load(f"users/{page.uid[letter]}")
    return str((user.data or {})["payout_account"]["reference"])


@pytest.fixture
def unspendable(page: Page, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """What a transfer brought to a person's account is not to be spent there yet."""
    known = balance.available
    monkeypatch.setattr(
        balance,
        "available",
        lambda world, account: known(world, account) if account == world.platform else 0,
    )
    return monkeypatch


def test_a_bank_payout_that_was_refused_is_made_once_the_money_is_there(
    page: Page, unspendable: pytest.MonkeyPatch
) -> None:
    """An hour later it was asked for by the same key, and refused by heart, for a day."""
    page.paid_out(1, days_more=0)
    payout = page.circle.payout(1)
    assert (payout.state, payout.bank_payout) == ("sent", None)
    unspendable.undo()
    page.world.clock.moment += HOUR
    page.world.tick()
    payout = page.circle.payout(1)
    assert payout.bank_payout is not None
    page.days(8)
    assert page.got() == {"A": 500}


def test_a_bank_payout_whose_answer_was_lost_is_not_made_again(page: Page) -> None:
    """What was made is found by the key that it was made with: a lost answer is no refusal."""
    fault = {"kind": "error_after", "method": "POST", "path": "/v1/payouts", "times": 1}
    page.world.control("POST", "faults", fault)
    page.world.control("POST", "webhooks/hold")
    page.paid_out(1, days_more=1)
    page.world.control("POST", "webhooks/release")
    page.days(8)
    made = page.world.stripe.request("GET", "/v1/payouts", {}, account=account_of(page, "A"))[1]["data"]
    assert [one["status"] for one in made] == ["paid"]
    assert page.got() == {"A": 500}


def test_a_bank_payout_that_was_called_off_is_one_that_failed(page: Page) -> None:
    """Stripe's page can call it off. Until the next try it was a difference: the processor says cancelled."""
    page.paid_out(1, days_more=0)
    payout = page.circle.payout(1)
    page.world.control("POST", f"objects/{payout.bank_payout}", {"status": "canceled"})
    command = page.world.command("system:submit")
    send_payout.send_payout(page.world.ctx, command, page.circle.id, payout.id)
    assert page.circle.payout(1).state == "bank_failed"
    assert page.world.reconcile()["differences"] == []


def test_a_transfer_whose_line_is_other_money_is_not_booked_as_pounds(page: Page) -> None:
    fault = {"kind": "cut_after", "method": "POST", "path": "/v1/transfers", "times": 1}
    page.world.control("POST", "faults", fault)
    page.world.control("POST", "webhooks/hold")
    page.paid_out(1, days_more=0)
    assert page.circle.payout(1).state == "unknown"
    (transfer,) = page.world.stripe.request("GET", "/v1/transfers", {})[1]["data"]
    page.world.control("POST", f"objects/{transfer['balance_transaction']}", {"currency": "eur"})
    page.days(1)
    assert page.circle.facts("payout_sent") == []
    assert page.circle.payout(1).state == "unknown"
    assert {one["code"] for one in page.world.documents("quarantine")} == {"mismatch"}


def test_a_consent_that_was_refused_for_want_of_money_is_good_for_another_try(page: Page) -> None:
    """It is the reversal's name, and was its key: for a day the refusal came again."""
    page.paid_out(1, days_more=0)
    payout = page.circle.payout(1)
    page.world.ctx = replace(page.world.ctx, two_people_above_pence=50_00)
    ctx, gid, staff = page.world.ctx, page.circle.id, frozenset({Role.FINANCE})
    payload: dict[str, Any] = {"about": payout.id, "pence": 200_00, "reason": "by_mistake"}
    asked = approvals.ask(ctx, page.world.command("staff:ines"), staff, gid, "reversal", payload)["id"]
    approvals.approve(ctx, page.world.command("staff:otto"), staff, gid, asked)

    def reverse(reason: str) -> None:
        command = page.world.command("staff:ines")
        reverse_payout.reverse(ctx, command, gid, payout.id, 200_00, reason, asked)
        page.world.settle()

    for _ in range(2):
        with pytest.raises(ProcessorRefused):  # it is on its way to the bank
            reverse("mistake")
    page.world.control("POST", f"payouts/{payout.bank_payout}/fail", {"code": "account_closed"})
    page.world.settle()
    for reason in ("mistake", "as the consent says"):
        reverse(reason)
    assert page.circle.payout(1).reversed_pence == 200_00
    assert len(page.circle.facts("payout_reversal_refused")) == 2


def test_a_mandate_that_ended_between_the_look_and_the_charge_is_told_as_that() -> None:
    """Any refusal was a method that is not valid: the member was asked for the wrong thing."""
    page = Page(method="pm_bacsDebit_success")
    (method,) = page.world.store.load(f"payment_methods/{page.uid['E']}")[0].data["methods"]  # type: ignore[index]
    page.world.control("POST", "webhooks/hold")
    page.world.control("POST", f"mandates/{method['mandate']}/revoke")
    page.due(1)
    assert [one.failure for one in page.contribution("E", 1).attempts] == ["mandate_cancelled"]


def test_news_of_another_account_of_the_same_person_does_not_take_the_place_of_theirs(page: Page) -> None:
    """One that was opened twice, its first answer lost for a day: the pot went to the one, and was asked for
    from the other."""
    uid, known = page.uid["A"], account_of(page, "A")
    other = page.world.ctx.gateway.open_recipient(uid, "another.address@example.org")
    page.world.control("POST", f"accounts/{other.reference}/onboard")
    page.world.settle()
    assert account_of(page, "A") == known != other.reference
    assert {one["code"] for one in page.world.documents("quarantine")} == {"mismatch"}


def test_who_opens_an_account_twice_at_once_keeps_the_first(page: Page) -> None:
    """Two devices, two addresses: each made its own."""
    world, uid = page.world, "Zed"
    identity = Identity(uid, "zed@example.com", True, None, frozenset(), world.clock.now())
    sign_up.sign_up(world.ctx, world.command(uid), identity)

    def opens(email: str, ctx: Context) -> str:
        back = "https://ajo.test/back"
        return str(payout_account.open_payout_account(ctx, world.command(uid), email, back, back)["account"])

    made: list[str] = []

    class Meanwhile(StripeGateway):
        def open_recipient(self, uid: str, email: str | None) -> Recipient:
            made.append(opens("first@example.com", world.ctx))
            return super().open_recipient(uid, email)

    slower = Meanwhile(
        FixedSecrets(), live=False, return_url="", http_client=InProcessTransport(world.stripe)
    )
    with pytest.raises(TryAgainLater):
        opens("second@example.com", replace(world.ctx, gateway=slower))
    assert [opens("second@example.com", world.ctx)] == made
