"""What Stripe's refusals and silences become, and that nothing of their text gets out."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import stripe

from shared.adapters.stripe_gateway import StripeGateway, failures
from shared.adapters.stripe_gateway.api import Declined
from shared.ports import (
    CollectionRequest,
    InsufficientBalance,
    PaymentOutcomeUnknown,
    PaymentRefused,
    PaymentsUnavailable,
    RecipientNotReady,
    TransferRequest,
)

PERSONAL = "ada@example.org"
KEY = "sk_test_never_to_be_seen"
Answer = tuple[int, Any] | tuple[int, Any, dict[str, str]] | Exception


class FixedSecrets:
    def __init__(self, key: str = KEY) -> None:
        self._key = key

    def current(self, name: str) -> bytes:
        return self._key.encode()

    def accepted(self, name: str) -> list[bytes]:
        return [self.current(name)]


class Scripted(stripe.HTTPClient):
    """Gives the next of its answers to each request, and remembers what was asked."""

    name = "scripted"

    def __init__(self, *answers: Answer) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked: list[tuple[str, str, Mapping[str, str], str | None]] = []

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_: Any
    ) -> tuple[str, int, Mapping[str, str]]:
        self.asked.append((method, url, headers or {}, post_data))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, body, *more = answer
        told: dict[str, str] = {"Request-Id": "req_1", **(more[0] if more else {})}
        return (body if isinstance(body, str) else json.dumps(body)), status, told


def gateway(*answers: Answer, key: str = KEY, live: bool = False) -> StripeGateway:
    return StripeGateway(
        FixedSecrets(key), live=live, return_url="https://ajo.example", http_client=Scripted(*answers)
    )


def refusal(status: int, code: str | None, kind: str = "invalid_request_error", **more: Any) -> Answer:
    error = {"type": kind, "message": f"No, {PERSONAL}!", "param": "amount", **more}
    return status, {"error": error | ({"code": code} if code else {})}


SEND = TransferRequest("att_1", "grp_1", "pay_1", 1, "acct_1", 50_000)
COLLECT = CollectionRequest("att_1", "grp_1", "con_1", 1, "cus_1", "pm_1", "card", 10_000)
CUT: Exception = stripe.APIConnectionError(f"cut, {PERSONAL}")  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (refusal(400, "balance_insufficient"), InsufficientBalance, "balance_insufficient"),
        (refusal(400, "insufficient_capabilities_for_transfer"), RecipientNotReady, None),
        (refusal(403, "account_invalid"), RecipientNotReady, "account_invalid"),
        (refusal(400, "parameter_unknown"), PaymentRefused, "parameter_unknown"),
        (refusal(404, "resource_missing"), PaymentRefused, "resource_missing"),
        # Something was asked for by this key before, and may have been made.
        (refusal(400, None, "idempotency_error"), PaymentOutcomeUnknown, None),
        (refusal(409, None, "idempotency_error"), PaymentsUnavailable, None),
        (refusal(409, "idempotency_key_in_use", "idempotency_error"), PaymentsUnavailable, None),
        (refusal(400, "lock_timeout"), PaymentsUnavailable, None),
        (refusal(429, "rate_limit"), PaymentsUnavailable, None),
        (refusal(401, None), PaymentsUnavailable, None),
        (refusal(500, None, "api_error"), PaymentOutcomeUnknown, None),
        ((502, "<html>bad gateway</html>"), PaymentOutcomeUnknown, None),
        ((200, "half a JSO"), PaymentOutcomeUnknown, None),
        (CUT, PaymentOutcomeUnknown, None),
    ],
)
def test_the_table_of_errors(answer: Answer, kind: type[Exception], code: str | None) -> None:
    with pytest.raises(kind) as raised:
        gateway(answer).send(SEND)
    assert type(raised.value) is kind
    if code:
        assert getattr(raised.value, "code", None) == code
    told = "".join(traceback.format_exception(raised.value))
    assert PERSONAL not in told
    assert KEY not in told


DECLINED = refusal(402, "card_declined", "card_error", payment_intent={"id": "pi_1"})
WANTS = {
    "id": "pi_1",
    "status": "requires_payment_method",
    "last_payment_error": {"code": "authentication_required", "payment_method": {"id": "pm_1"}},
}
REVERSED = (200, {"id": "trr_1"})
REFUND = (200, {"id": "re_1", "status": "failed", "failure_balance_transaction": "txn_1"})
REPLAYED = (200, {"id": "tr_1"}, {"Idempotent-Replayed": "true"})


@pytest.mark.parametrize(
    ("before", "ask"),
    [
        ([], lambda one: one.find_transfer(SEND)),
        ([], lambda one: one.find_bank_payout(SEND)),
        ([], lambda one: one.find_collection(COLLECT)),
        ([], lambda one: one.refunds("pi_1")),
        ([REPLAYED], lambda one: one.send(SEND)),
        ([REPLAYED], lambda one: one.pay_to_bank(SEND)),
        ([REPLAYED], lambda one: one.collect(COLLECT)),
        ([DECLINED], lambda one: one.collect(COLLECT)),
        ([(200, WANTS), DECLINED], lambda one: one.collect(COLLECT)),
        ([REFUND], lambda one: one.refund("pi_1", 500, "ref_1", {})),
        ([REVERSED], lambda one: one.reverse_transfer("tr_1", 500, "rev_1", {})),
    ],
)
@pytest.mark.parametrize("answer", [refusal(403, None), refusal(404, "resource_missing")])
def test_who_may_not_look_does_not_know_what_was_made(
    before: list[Answer], ask: Callable[[StripeGateway], object], answer: Answer
) -> None:
    """It was taken for the refusal of what had been made: the next try made it again."""
    with pytest.raises(PaymentsUnavailable):
        ask(gateway(*before, answer))


@pytest.mark.parametrize("answer", [refusal(500, None, "api_error"), CUT, (502, "")])
def test_a_read_without_an_answer_leaves_nothing_unknown(answer: Answer) -> None:
    with pytest.raises(PaymentsUnavailable):
        gateway(answer).balance()


def test_a_mandate_that_is_gone_is_a_failure_of_the_collection() -> None:
    with pytest.raises(PaymentRefused) as raised:
        gateway(refusal(400, "payment_intent_mandate_invalid")).collect(COLLECT)
    assert raised.value.failure == "mandate_cancelled"


def test_a_decline_that_made_no_intent_is_refused() -> None:
    with pytest.raises(Declined) as raised:
        gateway(refusal(402, "expired_card", "card_error")).collect(COLLECT)
    assert raised.value.failure == "method_invalid"


@pytest.mark.parametrize(
    ("key", "live"), [("sk_test_1", True), ("sk_live_1", False), ("rk_live_1", False), ("whsec_1", False)]
)
def test_a_key_of_the_other_mode_is_never_used(key: str, live: bool) -> None:
    with pytest.raises(PaymentsUnavailable, match="stripe-secret-key") as raised:
        gateway(key=key, live=live).balance()
    assert key not in str(raised.value)


def test_money_calls_are_sent_once_with_our_key() -> None:
    client = Scripted(CUT)
    sender = StripeGateway(FixedSecrets(), live=False, return_url="", http_client=client)
    with pytest.raises(PaymentOutcomeUnknown):
        sender.send(SEND)
    [(method, url, headers, body)] = client.asked
    assert (method, url) == ("post", "https://api.stripe.com/v1/transfers")
    assert headers["Idempotency-Key"] == "att_1"
    assert headers["Stripe-Version"] == "2022-11-15"
    assert body is not None
    assert "metadata[attempt]=att_1" in body
    assert "transfer_group=grp_1%3A1" in body


def test_all_pages_are_read() -> None:
    def page(ids: range, more: bool) -> Answer:
        return 200, {"data": [{"id": f"po_{i}", "metadata": {}} for i in ids], "has_more": more}

    client = Scripted(page(range(100), True), page(range(100, 130), False))
    stripe_gateway = StripeGateway(FixedSecrets(), live=False, return_url="", http_client=client)
    assert stripe_gateway.find_bank_payout(SEND) is None
    assert "starting_after=po_99" in client.asked[1][1]
    assert client.asked[1][2]["Stripe-Account"] == "acct_1"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": "card_declined", "decline_code": "insufficient_funds"}, "soft_decline"),
        ({"code": "card_declined", "decline_code": "stolen_card"}, "hard_decline"),
        ({"code": "card_declined", "decline_code": "do_not_honor"}, "soft_decline"),
        ({"code": "card_declined", "decline_code": "invented_tomorrow"}, "soft_decline"),
        ({"code": "card_declined"}, "soft_decline"),
        ({"code": "expired_card"}, "method_invalid"),
        ({"code": "processing_error"}, "processor_error"),
        ({"code": "authentication_required"}, "authentication_required"),
        ({"code": "insufficient_funds"}, "soft_decline"),
        ({"code": "debit_not_authorized"}, "mandate_cancelled"),
        ({"code": "account_closed"}, "method_invalid"),
        ({"code": "refer_to_customer"}, "hard_decline"),
        ({"type": "api_error"}, "soft_decline"),
        (
            {"code": "card_declined", "decline_code": "do_not_honor", "advice_code": "do_not_try_again"},
            "hard_decline",
        ),
        (
            {"code": "card_declined", "decline_code": "do_not_honor", "advice_code": "try_again_later"},
            "soft_decline",
        ),
    ],
)
def test_why_a_collection_failed(error: dict[str, str], kind: str) -> None:
    assert failures.kind_of(error) == kind


def test_each_code_has_one_kind() -> None:
    codes = [code for codes in failures._BY_KIND.values() for code in codes]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize(
    "reference", ["", "..", "pm_1/../../accounts", "pm_1?expand[]=x", "pm_1/detach", "pm_é"]
)
def test_an_id_that_leads_elsewhere_is_no_objects(reference: str) -> None:
    """Clients send ids of methods: none may reach another part of Stripe's API."""
    client = Scripted()
    asked = StripeGateway(FixedSecrets(), live=False, return_url="", http_client=client)
    with pytest.raises(PaymentRefused) as refused:
        asked.attach_method("usr_1", "cus_1", reference, "key_1")
    assert refused.value.code == "resource_missing"
    with pytest.raises(PaymentRefused):
        asked.method_setup(reference)
    assert client.asked == []
