"""What every `PaymentGateway` promises, on each processor that there is."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from shared.domain.collection import LEAST_CHARGE_PENCE
from shared.domain.errors import BadSignature
from shared.domain.words import MethodKind
from shared.ports import (
    BankPayout,
    Collection,
    CollectionRequest,
    Dispute,
    InsufficientBalance,
    Method,
    MethodSetup,
    NothingNew,
    PaymentOutcomeUnknown,
    PaymentRefused,
    PaymentsUnavailable,
    Recipient,
    RecipientNotReady,
    Refund,
    ThinEvent,
    Transfer,
    TransferRequest,
    UnknownEvent,
)
from tests.contract.processors import (
    Behaviour,
    LocalStripeProcessor,
    Processor,
    stripe_as_simulated,
    stripe_in_process,
    stripe_over_http,
)


@pytest.fixture(scope="module")
def over_http() -> Iterator[LocalStripeProcessor]:
    with stripe_over_http() as processor:
        yield processor


@pytest.fixture(params=["in process", "as simulated", "over http"])
def processor(request: pytest.FixtureRequest) -> Iterator[Processor]:
    if request.param == "in process":
        chosen = stripe_in_process()
    elif request.param == "as simulated":
        chosen = stripe_as_simulated()
    else:
        chosen = request.getfixturevalue("over_http")
        chosen.core.reset()
    yield chosen
    chosen.assert_conformity()


def saved(
    processor: Processor, kind: MethodKind = "card", behaviour: Behaviour = "pays", uid: str = "usr_ada"
) -> Method:
    """A method of a payer's, set up and ready."""
    gateway = processor.gateway
    payer = gateway.open_payer(uid, "ada@example.org")
    setup = gateway.attach_method(
        uid, payer, processor.token(kind, behaviour), f"key-{uid}-{kind}-{behaviour}"
    )
    if setup.state == "open":
        processor.authenticate(setup.reference)
        setup = gateway.method_setup(setup.reference)
    assert setup.method is not None
    return setup.method


def request_for(method: Method, attempt: str = "att_1", amount_pence: int = 10_000) -> CollectionRequest:
    assert method.payer is not None
    return CollectionRequest(
        attempt, "grp_1", "con_1", 1, method.payer, method.reference, method.kind, amount_pence
    )


def settled(processor: Processor, attempt: str = "att_1", amount_pence: int = 10_000) -> Collection:
    collection = processor.gateway.collect(request_for(saved(processor), attempt, amount_pence))
    assert collection.state == "settled"
    return collection


def ready(processor: Processor, uid: str = "usr_bola") -> Recipient:
    """A person's account that can take money."""
    opened = processor.gateway.open_recipient(uid, "bola@example.org")
    processor.onboard(opened.reference)
    return processor.gateway.recipient(opened.reference)


def transfer_to(recipient: Recipient, attempt: str = "pat_1", amount_pence: int = 50_000) -> TransferRequest:
    return TransferRequest(attempt, "grp_1", "pay_1", 1, recipient.reference, amount_pence)


COLLECTION_LABELS = {"attempt": "att_1", "group": "grp_1", "contribution": "con_1", "cycle": "1"}
PAYOUT_LABELS = {"attempt": "pat_1", "group": "grp_1", "payout": "pay_1", "cycle": "1"}


# --- payers and methods -----------------------------------------------------------------------------------


def test_a_payer_is_opened_once(processor: Processor) -> None:
    gateway = processor.gateway
    payer = gateway.open_payer("usr_ada", "ada@example.org")
    assert gateway.open_payer("usr_ada", "ada@example.org") == payer
    assert gateway.open_payer("usr_bola", None) != payer
    gateway.open_payer("usr_ada", "new@example.org")  # another address is no misuse of the key


@pytest.mark.parametrize("kind", ["card", "bacs_debit"])
def test_a_set_up_on_the_processors_page(processor: Processor, kind: MethodKind) -> None:
    gateway = processor.gateway
    payer = gateway.open_payer("usr_ada", None)
    opened = gateway.start_method_setup("usr_ada", payer, kind, "https://ajo.example/methods")
    assert opened.state == "open"
    assert opened.url
    assert opened.labels == {"uid": "usr_ada"}
    assert gateway.method_setup(opened.reference) == opened

    processor.finish_setup(opened.reference, kind)
    done = gateway.method_setup(opened.reference)
    assert done.state == "complete"
    assert done.method is not None
    assert done.method.kind == kind
    assert done.method.payer == payer
    assert done.labels == {"uid": "usr_ada"}


def test_an_abandoned_set_up_fails(processor: Processor) -> None:
    gateway = processor.gateway
    payer = gateway.open_payer("usr_ada", None)
    opened = gateway.start_method_setup("usr_ada", payer, "card", "https://ajo.example/methods")
    processor.pass_days(2)
    assert gateway.method_setup(opened.reference).state == "failed"


def test_a_tokenised_card_is_attached(processor: Processor) -> None:
    card = saved(processor)
    assert card == Method(
        reference=card.reference,
        payer=card.payer,
        kind="card",
        state="active",
        hint="Visa •••• 4242",
        mandate=None,
        expires=card.expires,
        live=False,
        fingerprint=card.fingerprint,
    )
    assert card.fingerprint
    assert card.expires is not None
    assert datetime.strptime(card.expires, "%Y-%m").replace(tzinfo=UTC) > processor.now()
    assert processor.gateway.method(card.reference) == card


def test_attaching_again_with_the_same_key_is_the_same_set_up(processor: Processor) -> None:
    gateway = processor.gateway
    payer = gateway.open_payer("usr_ada", None)
    token = processor.token("card", "pays")
    first = gateway.attach_method("usr_ada", payer, token, "key_1")
    assert gateway.attach_method("usr_ada", payer, token, "key_1") == first


def test_a_card_that_wants_authentication_gives_an_address(processor: Processor) -> None:
    gateway = processor.gateway
    payer = gateway.open_payer("usr_ada", None)
    token = processor.token("card", "pays_after_authentication")
    setup = gateway.attach_method("usr_ada", payer, token, "key_1")
    assert setup.state == "open"
    assert setup.url
    processor.authenticate(setup.reference)
    done = gateway.method_setup(setup.reference)
    assert done.state == "complete"
    assert done.method is not None
    assert done.method.state == "active"


def test_a_card_that_fails_authentication_is_not_saved(processor: Processor) -> None:
    gateway = processor.gateway
    payer = gateway.open_payer("usr_ada", None)
    token = processor.token("card", "pays_after_authentication")
    setup = gateway.attach_method("usr_ada", payer, token, "key_1")
    processor.authenticate(setup.reference, succeeds=False)
    assert gateway.method_setup(setup.reference).state == "failed"


def test_a_card_that_the_bank_refuses_is_not_saved(processor: Processor) -> None:
    gateway = processor.gateway
    payer = gateway.open_payer("usr_ada", None)
    setup = gateway.attach_method("usr_ada", payer, processor.token("card", "cannot_be_saved"), "key_1")
    assert setup.state == "failed"
    assert setup.method is None
    assert setup.labels == {"uid": "usr_ada"}


def test_a_bank_account_is_what_its_mandate_is(processor: Processor) -> None:
    gateway = processor.gateway
    account = saved(processor, "bacs_debit")
    assert account.state == "pending"
    assert account.mandate
    assert account.hint.startswith("Bank account")
    processor.pass_days(7)
    assert gateway.method(account.reference) == replace(account, state="active")
    processor.cancel_instruction(account.reference)
    assert gateway.method(account.reference) == replace(account, state="inactive", revoked=True)


def test_a_detached_method_is_inactive(processor: Processor) -> None:
    card = saved(processor)
    processor.gateway.detach_method(card.reference)
    assert processor.gateway.method(card.reference).state == "inactive"
    with pytest.raises(PaymentRefused):
        processor.gateway.collect(request_for(card))


# --- recipients -------------------------------------------------------------------------------------------


def test_a_recipient_before_and_after_onboarding(processor: Processor) -> None:
    gateway = processor.gateway
    opened = gateway.open_recipient("usr_bola", "bola@example.org")
    assert not opened.can_receive
    assert not opened.details_submitted
    assert opened.needs
    assert opened.bank is None
    assert opened.labels == {"uid": "usr_bola"}
    assert gateway.open_recipient("usr_bola", "bola@example.org").reference == opened.reference
    link = gateway.onboarding_url(opened.reference, "https://ajo.example/done", "https://ajo.example/again")
    assert link.startswith("http")

    processor.onboard(opened.reference)
    done = gateway.recipient(opened.reference)
    assert done.can_receive
    assert done.details_submitted
    assert done.needs == ()
    assert done.bank


def test_opening_a_recipient_again_shows_it_as_it_is_now(processor: Processor) -> None:
    recipient = ready(processor)
    assert processor.gateway.open_recipient("usr_bola", "bola@example.org") == recipient
    assert recipient.can_receive


def test_a_new_bank_account_shows(processor: Processor) -> None:
    before = ready(processor)
    processor.change_bank(before.reference)
    assert processor.gateway.recipient(before.reference).bank != before.bank


def test_a_disabled_recipient_says_why_and_what_it_needs(processor: Processor) -> None:
    recipient = ready(processor)
    processor.disable(recipient.reference)
    disabled = processor.gateway.recipient(recipient.reference)
    assert not disabled.can_receive
    assert disabled.needs
    assert disabled.disabled_reason
    processor.cure(recipient.reference)
    assert processor.gateway.recipient(recipient.reference).can_receive


# --- collections ------------------------------------------------------------------------------------------


def test_a_card_settles_at_once_and_clears_later(processor: Processor) -> None:
    collection = settled(processor)
    movement = collection.movement
    assert movement is not None
    assert collection == Collection(
        reference=collection.reference,
        labels=COLLECTION_LABELS,
        state="settled",
        amount_pence=10_000,
        currency="gbp",
        live=False,
        movement=movement,
    )
    assert (movement.kind, movement.amount_pence, movement.currency) == ("collection", 10_000, "gbp")
    assert movement.fee_pence > 0
    assert movement.labels == COLLECTION_LABELS
    assert movement.created_at == processor.now()
    assert movement.available_on > processor.now()
    assert movement.available_on.tzinfo is UTC
    assert processor.gateway.collection(collection.reference) == collection


def test_nothing_smaller_than_the_least_charge_is_taken(processor: Processor) -> None:
    card = saved(processor)
    assert processor.gateway.collect(request_for(card, "att_1", LEAST_CHARGE_PENCE)).state == "settled"
    with pytest.raises(PaymentRefused):
        processor.gateway.collect(request_for(card, "att_2", LEAST_CHARGE_PENCE - 1))


def test_the_same_attempt_again_is_the_same_collection(processor: Processor) -> None:
    request = request_for(saved(processor))
    first = processor.gateway.collect(request)
    assert processor.gateway.collect(request) == first
    assert processor.objects_made("collection") == 1


def test_the_same_attempt_with_another_amount_makes_nothing_and_says_nothing(processor: Processor) -> None:
    """It is no refusal: by this key something was made."""
    request = request_for(saved(processor))
    processor.gateway.collect(request)
    with pytest.raises(PaymentOutcomeUnknown):
        processor.gateway.collect(replace(request, amount_pence=20_000))
    assert processor.objects_made("collection") == 1


def test_a_lost_answer_is_found_by_asking_again_or_by_looking(processor: Processor) -> None:
    gateway = processor.gateway
    request = request_for(saved(processor))
    assert gateway.find_collection(request) is None
    processor.lose_next_answer()
    with pytest.raises(PaymentOutcomeUnknown):
        gateway.collect(request)
    found = gateway.find_collection(request)
    assert found is not None
    assert found.state == "settled"
    assert gateway.collect(request) == found
    assert processor.objects_made("collection") == 1


def test_a_day_later_it_is_still_found_among_others(processor: Processor) -> None:
    gateway = processor.gateway
    card = saved(processor)
    wanted = gateway.collect(request_for(card, "att_wanted"))
    for other in range(12):
        gateway.collect(request_for(card, f"att_{other}"))
    processor.pass_days(2)
    assert gateway.find_collection(request_for(card, "att_wanted")) == wanted
    assert gateway.find_collection(request_for(card, "att_never")) is None


def test_a_busy_processor_has_done_nothing(processor: Processor) -> None:
    request = request_for(saved(processor))
    processor.be_busy_once()
    with pytest.raises(PaymentsUnavailable):
        processor.gateway.collect(request)
    assert processor.objects_made("collection") == 0
    assert processor.gateway.collect(request).state == "settled"


@pytest.mark.parametrize(
    ("reason", "failure"),
    [
        ("insufficient_funds", "soft_decline"),
        ("do_not_honor", "soft_decline"),
        ("stolen_card", "hard_decline"),
        ("expired_card", "method_invalid"),
        ("processing_error", "processor_error"),
    ],
)
def test_a_decline_is_an_outcome_and_no_error(processor: Processor, reason: str, failure: str) -> None:
    gateway = processor.gateway
    card = saved(processor)
    processor.decline_next(card.reference, reason)
    declined = gateway.collect(request_for(card))
    assert (declined.state, declined.failure, declined.failure_code) == ("failed", failure, reason)
    assert declined.movement is None
    assert declined.labels == COLLECTION_LABELS
    assert gateway.collect(request_for(card)) == declined
    assert gateway.collection(declined.reference) == declined
    assert gateway.find_collection(request_for(card)) == declined
    assert gateway.collect(request_for(card, "att_2")).state == "settled"


def test_the_bank_wants_the_person_and_the_person_comes(processor: Processor) -> None:
    gateway = processor.gateway
    request = request_for(saved(processor, behaviour="pays_after_authentication"))
    waiting = gateway.collect(request)
    assert waiting.state == "requires_action"
    assert waiting.action_url
    assert gateway.collect(request) == waiting
    assert gateway.collection(waiting.reference) == waiting
    assert gateway.find_collection(request) == waiting
    processor.authenticate(waiting.reference)
    assert gateway.collection(waiting.reference).state == "settled"
    assert gateway.collect(request).state == "settled"
    assert processor.objects_made("collection") == 1


def test_the_person_fails_at_the_bank(processor: Processor) -> None:
    gateway = processor.gateway
    request = request_for(saved(processor, behaviour="pays_after_authentication"))
    waiting = gateway.collect(request)
    processor.authenticate(waiting.reference, succeeds=False)
    failed = gateway.collection(waiting.reference)
    assert (failed.state, failed.failure) == ("failed", "authentication_required")
    assert failed.action_url is None


def test_a_bank_debit_takes_days(processor: Processor) -> None:
    gateway = processor.gateway
    account = saved(processor, "bacs_debit")
    debit = gateway.collect(request_for(account))
    assert debit.state == "processing"
    assert debit.movement is None
    processor.pass_days(14)
    done = gateway.collection(debit.reference)
    assert done.state == "settled"
    assert done.movement is not None
    assert done.movement.fee_pence > 0
    assert done.movement.amount_pence == 10_000


@pytest.mark.parametrize(
    ("behaviour", "failure", "method_state"),
    [
        ("lacks_funds", "soft_decline", "active"),
        ("instruction_cancelled", "mandate_cancelled", "inactive"),
    ],
)
def test_a_bank_debit_comes_back(
    processor: Processor, behaviour: Behaviour, failure: str, method_state: str
) -> None:
    gateway = processor.gateway
    account = saved(processor, "bacs_debit", behaviour)
    debit = gateway.collect(request_for(account))
    assert debit.state == "processing"
    processor.pass_days(14)
    failed = gateway.collection(debit.reference)
    assert (failed.state, failed.failure) == ("failed", failure)
    assert gateway.method(account.reference).state == method_state


def test_a_cancelled_instruction_is_not_debited(processor: Processor) -> None:
    account = saved(processor, "bacs_debit")
    processor.cancel_instruction(account.reference)
    with pytest.raises(PaymentRefused) as refused:
        processor.gateway.collect(request_for(account))
    assert refused.value.failure == "mandate_cancelled"
    assert processor.objects_made("collection") == 0


def test_what_waits_for_the_person_can_be_cancelled(processor: Processor) -> None:
    gateway = processor.gateway
    waiting = gateway.collect(request_for(saved(processor, behaviour="pays_after_authentication")))
    assert gateway.cancel_collection(waiting.reference).state == "cancelled"
    assert gateway.collection(waiting.reference).state == "cancelled"


def test_what_has_settled_cannot_be_cancelled(processor: Processor) -> None:
    collection = settled(processor)
    with pytest.raises(PaymentRefused):
        processor.gateway.cancel_collection(collection.reference)


# --- going back -------------------------------------------------------------------------------------------


def test_a_refund_in_two_parts(processor: Processor) -> None:
    gateway = processor.gateway
    collection = settled(processor)
    first = gateway.refund(collection.reference, 4_000, "ref_1", {"refund": "ref_1"})
    assert first.state == "done"
    assert first.collection == collection.reference
    assert first.labels == COLLECTION_LABELS
    assert first.movement is not None
    assert (first.movement.kind, first.movement.amount_pence) == ("refund", -4_000)
    assert first.failure_movement is None
    assert gateway.refund(collection.reference, 4_000, "ref_1", {"refund": "ref_1"}) == first
    second = gateway.refund(collection.reference, 6_000, "ref_2", {"refund": "ref_2"})
    assert gateway.refunds(collection.reference) == [second, first]
    assert first.asking == "ref_1"
    with pytest.raises(PaymentRefused):
        gateway.refund(collection.reference, 1, "ref_3", {"refund": "ref_3"})
    assert gateway.collection(collection.reference).state == "settled"
    assert processor.objects_made("refund") == 2


def test_a_refund_to_a_bank_takes_days(processor: Processor) -> None:
    gateway = processor.gateway
    debit = gateway.collect(request_for(saved(processor, "bacs_debit")))
    processor.pass_days(14)
    assert gateway.refund(debit.reference, 10_000, "ref_1", {}).state == "processing"
    processor.pass_days(14)
    assert [refund.state for refund in gateway.refunds(debit.reference)] == ["done"]


def test_a_dispute_takes_the_money_and_a_fee(processor: Processor) -> None:
    gateway = processor.gateway
    collection = settled(processor)
    processor.pass_days(30)
    dispute = gateway.dispute(processor.dispute(collection.reference))
    assert dispute.state == "open"
    assert dispute.collection == collection.reference
    assert dispute.labels == COLLECTION_LABELS
    assert dispute.amount_pence == 10_000
    [taken] = dispute.movements
    assert (taken.kind, taken.amount_pence) == ("dispute", -10_000)
    assert taken.fee_pence > 0
    assert taken.labels == COLLECTION_LABELS

    processor.close_dispute(dispute.reference, "lost")
    assert gateway.dispute(dispute.reference) == replace(dispute, state="lost")


def test_a_dispute_that_is_won_brings_the_money_back(processor: Processor) -> None:
    gateway = processor.gateway
    dispute = processor.dispute(settled(processor).reference)
    processor.pass_days(1)
    processor.close_dispute(dispute, "won")
    won = gateway.dispute(dispute)
    assert won.state == "won"
    assert [(line.kind, line.amount_pence) for line in won.movements] == [
        ("dispute", -10_000),
        ("dispute_won", 10_000),
    ]


# --- money out --------------------------------------------------------------------------------------------


def test_money_is_sent_once_and_found(processor: Processor) -> None:
    gateway = processor.gateway
    processor.add_capital(100_000)
    request = transfer_to(ready(processor))
    assert gateway.find_transfer(request) is None
    sent = gateway.send(request)
    assert sent == Transfer(
        reference=sent.reference,
        labels=PAYOUT_LABELS,
        amount_pence=50_000,
        reversed_pence=0,
        currency="gbp",
        recipient=request.recipient,
        live=False,
        movement=sent.movement,
    )
    assert sent.movement is not None
    assert (sent.movement.kind, sent.movement.amount_pence) == ("transfer", -50_000)
    assert gateway.send(request) == sent
    processor.pass_days(2)  # the key is forgotten now
    assert gateway.find_transfer(request) == sent
    assert gateway.find_transfer(replace(request, attempt="pat_2")) is None
    assert gateway.transfer(sent.reference) == sent
    assert processor.objects_made("transfer") == 1


def test_the_same_attempt_again_shows_what_has_come_of_it(processor: Processor) -> None:
    gateway = processor.gateway
    processor.add_capital(200_000)
    recipient = ready(processor)
    request = transfer_to(recipient)
    sent = gateway.send(request)
    back = gateway.reverse_transfer(sent.reference, 10_000, "rev_1", {})
    assert gateway.send(request) == back
    leaving = gateway.pay_to_bank(replace(request, amount_pence=40_000))
    processor.send_back(leaving.reference)
    assert gateway.pay_to_bank(replace(request, amount_pence=40_000)).state == "failed"


def test_a_transfer_whose_answer_was_lost(processor: Processor) -> None:
    gateway = processor.gateway
    processor.add_capital(100_000)
    request = transfer_to(ready(processor))
    processor.lose_next_answer()
    with pytest.raises(PaymentOutcomeUnknown):
        gateway.send(request)
    assert gateway.send(request) == gateway.find_transfer(request)
    assert processor.objects_made("transfer") == 1


def test_money_that_has_not_cleared_is_not_sent(processor: Processor) -> None:
    gateway = processor.gateway
    settled(processor, amount_pence=80_000)
    request = transfer_to(ready(processor))
    with pytest.raises(InsufficientBalance):
        gateway.send(request)
    assert processor.objects_made("transfer") == 0
    processor.pass_days(7)
    # The refusal is what the key remembers: a new try needs a new one.
    assert gateway.send(replace(request, attempt="pat_2")).amount_pence == 50_000


def test_who_cannot_receive_is_not_sent_money(processor: Processor) -> None:
    gateway = processor.gateway
    processor.add_capital(100_000)
    opened = gateway.open_recipient("usr_bola", None)
    with pytest.raises(RecipientNotReady):
        gateway.send(transfer_to(opened))
    recipient = ready(processor, "usr_chidi")
    processor.disable(recipient.reference)
    with pytest.raises(RecipientNotReady):
        gateway.send(transfer_to(recipient, "pat_2"))
    assert processor.objects_made("transfer") == 0


def test_a_transfer_is_taken_back_in_part(processor: Processor) -> None:
    gateway = processor.gateway
    processor.add_capital(100_000)
    sent = gateway.send(transfer_to(ready(processor)))
    for amount_pence, key in [(10_000, "rev_1"), (10_000, "rev_1"), (5_000, "rev_2")]:
        back = gateway.reverse_transfer(sent.reference, amount_pence, key, {"reversal": key})
    assert back.reversed_pence == 15_000
    assert back.labels == PAYOUT_LABELS
    assert [(line.kind, line.amount_pence, line.labels) for line in back.reversals] == [
        ("transfer_reversal", 10_000, {"reversal": "rev_1"}),
        ("transfer_reversal", 5_000, {"reversal": "rev_2"}),
    ]
    assert back.movement == sent.movement


def test_a_transfer_that_has_been_spent_is_not_taken_back(processor: Processor) -> None:
    gateway = processor.gateway
    processor.add_capital(100_000)
    request = transfer_to(ready(processor))
    sent = gateway.send(request)
    gateway.pay_to_bank(request)
    with pytest.raises(InsufficientBalance):
        gateway.reverse_transfer(sent.reference, 50_000, "rev_1", {})
    assert gateway.transfer(sent.reference) == sent


def test_a_bank_payout_arrives(processor: Processor) -> None:
    gateway = processor.gateway
    processor.add_capital(100_000)
    request = transfer_to(ready(processor))
    gateway.send(request)
    assert gateway.find_bank_payout(request) is None
    leaving = gateway.pay_to_bank(request)
    assert leaving.state == "on_its_way"
    assert leaving.labels == PAYOUT_LABELS
    assert leaving.recipient == request.recipient
    assert leaving.arrives_on is not None
    assert leaving.arrives_on > processor.now()
    assert gateway.pay_to_bank(request) == leaving
    assert gateway.find_bank_payout(request) == leaving
    processor.pass_days(7)
    arrived = gateway.bank_payout(request.recipient, leaving.reference)
    assert arrived == replace(leaving, state="received")
    assert gateway.find_bank_payout(request) == arrived
    assert processor.objects_made("bank_payout") == 1


def test_a_bank_payout_comes_back_after_it_arrived(processor: Processor) -> None:
    gateway = processor.gateway
    processor.add_capital(100_000)
    request = transfer_to(ready(processor))
    gateway.send(request)
    leaving = gateway.pay_to_bank(request)
    processor.pass_days(7)
    processor.send_back(leaving.reference)
    failed = gateway.bank_payout(request.recipient, leaving.reference)
    assert failed.state == "failed"
    assert failed.failure_code == "account_closed"


def test_no_more_goes_to_the_bank_than_was_sent(processor: Processor) -> None:
    gateway = processor.gateway
    processor.add_capital(100_000)
    request = transfer_to(ready(processor))
    gateway.send(request)
    with pytest.raises(InsufficientBalance):
        gateway.pay_to_bank(replace(request, amount_pence=50_001))


# --- the books --------------------------------------------------------------------------------------------


def test_the_balance_is_the_sum_of_its_lines(processor: Processor) -> None:
    gateway = processor.gateway
    processor.add_capital(100_000)
    collection = settled(processor)
    gateway.refund(collection.reference, 4_000, "ref_1", {"refund": "ref_1"})
    processor.pass_days(7)
    request = transfer_to(ready(processor))
    sent = gateway.send(request)
    gateway.reverse_transfer(sent.reference, 1_000, "rev_1", {"reversal": "rev_1"})
    disputed = settled(processor, "att_2")
    processor.dispute(disputed.reference)

    lines = gateway.movements()
    assert [(line.kind, line.amount_pence) for line in lines] == [
        ("capital", 100_000),
        ("collection", 10_000),
        ("refund", -4_000),
        ("transfer", -50_000),
        ("transfer_reversal", 1_000),
        ("collection", 10_000),
        ("dispute", -10_000),
    ]
    assert [line.labels.get("attempt") for line in lines] == [
        None,
        "att_1",
        None,
        "pat_1",
        None,
        "att_2",
        None,
    ]
    assert lines[2].labels == {"refund": "ref_1"}
    assert lines[4].labels == {"reversal": "rev_1"}
    # The listing says beside it how much its source was for.
    assert lines[1].source_pence == 10_000
    assert dataclasses.replace(lines[1], source_pence=None) == collection.movement
    assert all(line.created_at <= after.created_at for line, after in pairwise(lines))
    held = gateway.balance()
    net_pence = [(line.amount_pence - line.fee_pence, line.available_on <= processor.now()) for line in lines]
    assert held.available_pence == sum(pence for pence, cleared in net_pence if cleared)
    assert held.pending_pence == sum(pence for pence, cleared in net_pence if not cleared)


def test_lines_since_a_moment_and_over_many_pages(processor: Processor) -> None:
    gateway = processor.gateway
    card = saved(processor)
    for number in range(5):
        gateway.collect(request_for(card, f"att_early_{number}"))
    processor.pass_days(1)
    for number in range(105):
        gateway.collect(request_for(card, f"att_{number}"))
    lines = gateway.movements(since=processor.now() - timedelta(hours=1))
    assert [line.labels["attempt"] for line in lines] == [f"att_{number}" for number in range(105)]
    assert len(gateway.movements()) == 110


def test_every_collection_is_listed_whatever_became_of_it(processor: Processor) -> None:
    gateway = processor.gateway
    card = saved(processor)
    paid = gateway.collect(request_for(card, "att_paid"))
    processor.decline_next(card.reference, "insufficient_funds")
    declined = gateway.collect(request_for(card, "att_declined"))
    debit = saved(processor, "bacs_debit", uid="usr_bola")
    under_way = gateway.collect(request_for(debit, "att_debit"))
    assert gateway.collections() == [under_way, declined, paid]
    assert [one.state for one in (under_way, declined, paid)] == ["processing", "failed", "settled"]

    disputed = processor.dispute(paid.reference)
    assert gateway.collections()[-1] == paid  # what went back of it is told by the dispute
    assert gateway.disputes() == [gateway.dispute(disputed)]
    processor.close_dispute(disputed, "lost")
    (lost,) = gateway.disputes()
    assert isinstance(lost, Dispute)
    assert (lost.state, lost.collection, lost.labels) == ("lost", paid.reference, paid.labels)


def test_a_collection_that_others_made_is_listed_without_our_ids(processor: Processor) -> None:
    processor.collect_by_hand(saved(processor), 1_234)
    (strange,) = processor.gateway.collections()
    assert isinstance(strange, Collection)
    assert (strange.amount_pence, strange.labels) == (1_234, {})


def test_every_transfer_is_listed_with_what_came_back(processor: Processor) -> None:
    gateway = processor.gateway
    processor.add_capital(200_000)
    recipient = ready(processor)
    first = gateway.send(transfer_to(recipient))
    second = gateway.send(transfer_to(recipient, "pat_2", 20_000))
    assert gateway.transfers() == [second, first]
    gateway.reverse_transfer(first.reference, 1_000, "rev_1", {"reversal": "rev_1"})
    gateway.reverse_transfer(first.reference, 2_000, "rev_2", {"reversal": "rev_2"})
    listed = gateway.transfers()[-1]
    assert listed == gateway.transfer(first.reference)
    assert isinstance(listed, Transfer)
    assert [(one.amount_pence, one.labels["reversal"]) for one in listed.reversals] == [
        (1_000, "rev_1"),
        (2_000, "rev_2"),
    ]


def test_bank_payouts_are_listed_by_account_with_where_they_went(processor: Processor) -> None:
    gateway = processor.gateway
    processor.add_capital(200_000)
    bola, chidi = ready(processor), ready(processor, "usr_chidi")
    refused = transfer_to(bola)
    gateway.send(refused)
    sent_back = gateway.pay_to_bank(refused)
    processor.send_back(sent_back.reference)
    processor.change_bank(bola.reference)
    again = gateway.pay_to_bank(replace(refused, attempt="pat_1_again"))
    other = transfer_to(chidi, "pat_2", 20_000)
    gateway.send(other)
    elsewhere = gateway.pay_to_bank(other)

    latest, earlier = gateway.bank_payouts(bola.reference)
    assert latest == again == gateway.bank_payout(bola.reference, again.reference)
    assert isinstance(earlier, BankPayout)
    assert (earlier.reference, earlier.state) == (sent_back.reference, "failed")
    assert earlier.destination == sent_back.destination
    assert len({sent_back.destination, again.destination, elsewhere.destination, None}) == 4
    assert gateway.bank_payouts(chidi.reference) == [elsewhere]
    with pytest.raises(PaymentRefused):
        gateway.bank_payouts("acct_of_nobody")


def test_people_are_listed_with_what_they_pay_by_and_are_paid_to(processor: Processor) -> None:
    gateway = processor.gateway
    card, debit = saved(processor), saved(processor, "bacs_debit", uid="usr_bola")
    assert card.payer is not None
    recipient = ready(processor)
    processor.gateway.open_recipient("usr_chidi", None)
    payers = {one.labels["uid"]: one for one in gateway.payers()}
    assert {uid: one.reference for uid, one in payers.items()} == {
        "usr_ada": card.payer,
        "usr_bola": debit.payer,
    }
    assert all((one.currency, one.live) in {(None, False), ("gbp", False)} for one in payers.values())

    accounts = {one.labels["uid"]: one for one in gateway.recipients()}
    assert accounts["usr_bola"] == recipient
    assert (accounts["usr_chidi"].can_receive, accounts["usr_chidi"].bank) == (False, None)

    assert gateway.methods(card.payer) == [card]
    gateway.detach_method(card.reference)
    assert gateway.methods(card.payer) == []
    (mandated,) = gateway.methods(debit.payer or "")
    assert isinstance(mandated, Method)
    assert (mandated.reference, mandated.kind) == (debit.reference, "bacs_debit")
    with pytest.raises(PaymentRefused):
        gateway.methods("cus_of_nobody")


def test_more_than_a_page_of_anything_is_listed_whole(processor: Processor) -> None:
    gateway = processor.gateway
    processor.add_capital(200_000)
    recipient = ready(processor)
    for number in range(103):
        gateway.open_payer(f"usr_{number}", None)
        gateway.send(transfer_to(recipient, f"pat_{number}", 100))
    assert len(gateway.payers()) == 103
    labels = [one.labels["attempt"] for one in gateway.transfers() if isinstance(one, Transfer)]
    assert labels == [f"pat_{number}" for number in reversed(range(103))]


def test_whether_the_pots_would_be_swept_away(processor: Processor) -> None:
    assert not processor.gateway.sweeps_automatically()
    processor.sweep("daily")
    assert processor.gateway.sweeps_automatically()


# --- news -------------------------------------------------------------------------------------------------


def told(processor: Processor) -> list[ThinEvent]:
    """Every callback so far, verified."""
    return [
        processor.gateway.verify_webhook(body, signature, endpoint)
        for endpoint, body, signature in processor.callbacks()
    ]


def news_of(processor: Processor, event_type: str) -> Any:
    """What is read of the newest callback of a type."""
    event = [event for event in told(processor) if event.type == event_type][-1]
    return processor.gateway.read(event)


def test_a_callback_to_the_other_endpoint_is_refused(processor: Processor) -> None:
    settled(processor)
    endpoint, body, signature = processor.callbacks()[-1]
    assert endpoint == "platform"
    with pytest.raises(BadSignature):
        processor.gateway.verify_webhook(body, signature, "connect")


def test_news_is_read_anew(processor: Processor) -> None:
    """An event that waited for days tells what is so now, not what was so then."""
    gateway = processor.gateway
    debit = gateway.collect(request_for(saved(processor, "bacs_debit")))
    [processing] = [event for event in told(processor) if event.type == "payment_intent.processing"]
    assert gateway.read(processing) == debit
    processor.pass_days(14)
    assert gateway.read(processing) == gateway.collection(debit.reference)
    assert gateway.collection(debit.reference).state == "settled"


def test_news_of_money_in(processor: Processor) -> None:
    gateway = processor.gateway
    collection = settled(processor)
    assert news_of(processor, "payment_intent.succeeded") == collection
    refund = gateway.refund(collection.reference, 1_000, "ref_1", {})
    assert news_of(processor, "charge.refunded") == refund
    assert refund.asking is None  # as one without our labels, from the processor's own page
    assert isinstance(news_of(processor, "refund.created"), Refund)
    dispute = processor.dispute(settled(processor, "att_2").reference)
    assert news_of(processor, "charge.dispute.created") == gateway.dispute(dispute)
    processor.close_dispute(dispute, "lost")
    lost = news_of(processor, "charge.dispute.closed")
    assert isinstance(lost, Dispute)
    assert lost.state == "lost"
    assert news_of(processor, "charge.succeeded") == NothingNew()


def test_news_of_methods(processor: Processor) -> None:
    account = saved(processor, "bacs_debit")
    assert isinstance(news_of(processor, "setup_intent.succeeded"), MethodSetup)
    assert news_of(processor, "payment_method.attached") == account
    processor.cancel_instruction(account.reference)
    assert news_of(processor, "mandate.updated") == replace(account, state="inactive", revoked=True)
    opened = processor.gateway.start_method_setup(
        "usr_ada", account.payer or "", "card", "https://ajo.example"
    )
    processor.finish_setup(opened.reference, "card")
    completed = news_of(processor, "checkout.session.completed")
    assert completed == processor.gateway.method_setup(opened.reference)


def test_news_of_money_out(processor: Processor) -> None:
    gateway = processor.gateway
    processor.add_capital(100_000)
    recipient = ready(processor)
    assert news_of(processor, "account.updated") == recipient
    assert news_of(processor, "account.external_account.created") == recipient
    request = transfer_to(recipient)
    sent = gateway.send(request)
    assert news_of(processor, "transfer.created") == sent
    leaving = gateway.pay_to_bank(request)
    assert news_of(processor, "payout.created") == leaving
    processor.pass_days(7)
    arrived = news_of(processor, "payout.paid")
    assert isinstance(arrived, BankPayout)
    assert arrived.state == "received"
    assert arrived.recipient == recipient.reference
    assert all(
        event.account == recipient.reference for event in told(processor) if event.type.startswith("payout.")
    )


def test_what_never_came_is_listed(processor: Processor) -> None:
    """The platform's and each account's, oldest first, and the same as the callbacks said."""
    gateway = processor.gateway
    beginning = processor.now()
    processor.add_capital(100_000)
    request = transfer_to(ready(processor))
    settled(processor)
    processor.pass_days(1)
    gateway.send(request)
    gateway.pay_to_bank(request)
    for account in (None, request.recipient):
        listed = gateway.events(beginning, account)
        callbacks = [event for event in told(processor) if event.account == account]
        assert listed == [event for event in callbacks if event in listed]
        missing = [event for event in callbacks if event not in listed]
        assert all(not _followed(processor, event) for event in missing)
        assert listed
    since = gateway.events(processor.now(), None)
    assert [event.type for event in since] == ["transfer.created"]


def _followed(processor: Processor, event: ThinEvent) -> bool:
    return not isinstance(processor.gateway.read(event), NothingNew | UnknownEvent)


@pytest.mark.parametrize(
    "event_type",
    [
        "payment_intent.succeeded",
        "charge.dispute.created",
        "transfer.created",
        "account.updated",
        "payout.paid",
    ],
)
def test_news_of_something_that_is_not_there(processor: Processor, event_type: str) -> None:
    account = "acct_nobody" if event_type.startswith(("account", "payout")) else None
    event = ThinEvent("evt_1", event_type, account, "xx_nothing", False, processor.now())
    assert isinstance(processor.gateway.read(event), UnknownEvent)
