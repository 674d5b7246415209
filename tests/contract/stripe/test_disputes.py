"""Disputes and refunds: money that goes back, and the fee that stays."""

from __future__ import annotations

from .conftest import Shop


def test_a_dispute_takes_the_amount_and_a_fee(shop: Shop) -> None:
    paid = shop.pay(10_000)
    shop.pass_days(30)
    shop.deliver()
    dispute = shop.control(f"charges/{paid.id}/dispute", reason="fraudulent")
    assert (dispute["status"], dispute["amount"]) == ("needs_response", 10_000)
    (row,) = dispute["balance_transactions"]
    assert (row["type"], row["reporting_category"]) == ("adjustment", "dispute")
    assert (row["amount"], row["fee"], row["net"]) == (-10_000, 2_000, -12_000)
    assert shop.balance() == (9_830 - 12_000, 0)
    assert shop.api.charges.retrieve(paid.latest_charge).disputed
    assert shop.deliver() == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]


def test_a_won_dispute_gives_the_amount_back_but_not_the_fee(shop: Shop) -> None:
    paid = shop.pay(10_000)
    shop.pass_days(30)
    dispute = shop.control(f"charges/{paid.id}/dispute")
    shop.deliver()
    won = shop.control(f"disputes/{dispute['id']}", status="won")
    assert [row["net"] for row in won["balance_transactions"]] == [-12_000, 10_000]
    assert won["balance_transactions"][1]["reporting_category"] == "dispute_reversal"
    assert shop.balance() == (9_830 - 2_000, 0)
    assert shop.deliver() == ["charge.dispute.funds_reinstated", "charge.dispute.closed"]


def test_a_lost_dispute_can_still_be_won_and_lost_again(shop: Shop) -> None:
    paid = shop.pay(10_000)
    shop.pass_days(30)
    dispute = shop.control(f"charges/{paid.id}/dispute")["id"]
    for status, available in (("lost", -2_170), ("won", 7_830), ("lost", -2_170)):
        shop.control(f"disputes/{dispute}", status=status)
        assert shop.balance() == (available, 0)


def test_accepting_a_dispute_loses_it(shop: Shop) -> None:
    paid = shop.pay()
    dispute = shop.control(f"charges/{paid.id}/dispute")
    assert shop.api.disputes.close(dispute["id"]).status == "lost"


def test_the_test_card_brings_its_dispute(shop: Shop) -> None:
    paid = shop.pay(10_000, "pm_card_createDispute")
    assert paid.status == "succeeded"
    shop.pass_days(1)
    assert shop.api.disputes.list({"payment_intent": paid.id}).data[0].reason == "fraudulent"


def test_no_refund_while_disputed_and_no_dispute_of_what_is_refunded(shop: Shop) -> None:
    disputed, refunded = shop.pay(), shop.pay()
    shop.control(f"charges/{disputed.id}/dispute")
    assert shop.refused("POST", "/v1/refunds", {"payment_intent": disputed.id})["code"] == "charge_disputed"
    shop.api.refunds.create({"payment_intent": refunded.id})
    assert "refunded in full" in _control_refuses(shop, f"charges/{refunded.id}/dispute")
    assert "cannot be disputed" in _control_refuses(shop, f"charges/{disputed.id}/dispute")


def test_refunds_add_up_to_the_charge(shop: Shop) -> None:
    paid = shop.pay(10_000)
    shop.api.refunds.create({"payment_intent": paid.id, "amount": 4_000, "metadata": {"why": "x"}})
    charge = shop.api.charges.retrieve(paid.latest_charge)
    assert (charge.amount_refunded, charge.refunded) == (4_000, False)
    error = shop.refused("POST", "/v1/refunds", {"charge": charge.id, "amount": 6_001})
    assert error["param"] == "amount"
    shop.api.refunds.create({"charge": charge.id})
    assert shop.api.charges.retrieve(charge.id).refunded
    assert shop.refused("POST", "/v1/refunds", {"charge": charge.id})["code"] == "charge_already_refunded"
    assert [refund.amount for refund in shop.api.refunds.list({"charge": charge.id})] == [6_000, 4_000]


def _control_refuses(shop: Shop, path: str) -> str:
    from infra.local.stripe import control

    status, answer = control.handle(shop.core, "POST", path, {})
    assert status == 400
    return str(answer["error"]["message"])
