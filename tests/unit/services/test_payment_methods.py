"""Payment methods: several with one default, replaced, forgotten; declined ones told from unfinished ones."""

from __future__ import annotations

import pytest

from shared.domain.errors import (
    PaymentMethodDeclined,
    PaymentMethodNotReady,
    PaymentMethodStillNeeded,
    ProcessorRefused,
    ProcessorUnavailable,
    UnknownPaymentMethod,
)
from shared.ports import PaymentRefused
from shared.services import payment_methods
from tests.builders import World


def listed(world: World, uid: str) -> list[tuple[str, str, bool]]:
    found = payment_methods.list_methods(world.ctx, uid)["items"]
    return [(one["kind"], one["state"], one["is_default"]) for one in found]


def add(world: World, uid: str, method: str) -> str:
    return str(payment_methods.attach(world.ctx, world.command(uid), None, method)["id"])


def test_the_bank_that_says_no_is_told_from_the_person_who_is_not_done() -> None:
    world = World()
    uid = world.person("Ada")
    with pytest.raises(PaymentMethodDeclined):
        add(world, uid, "pm_card_chargeDeclined")
    with pytest.raises(PaymentMethodNotReady):
        add(world, uid, "pm_card_authenticationRequired")
    assert listed(world, uid) == [("card", "active", True)]


def test_a_new_mandate_is_taken_by_default_from_when_the_bank_accepts_it() -> None:
    world = World()
    uid = world.person("Ada")
    mandate = add(world, uid, "pm_bacsDebit_success")
    payment_methods.make_default(world.ctx, world.command(uid), mandate)
    assert listed(world, uid) == [("card", "active", False), ("bacs_debit", "pending", True)]
    world.control("POST", f"mandates/{mandate}/accept")
    world.settle()
    assert listed(world, uid) == [("card", "active", False), ("bacs_debit", "active", True)]
    world.control("POST", f"mandates/{mandate}/revoke")
    world.settle()
    assert listed(world, uid) == [("card", "active", True), ("bacs_debit", "inactive", False)]
    with pytest.raises(PaymentMethodNotReady):
        payment_methods.make_default(world.ctx, world.command(uid), mandate)


def test_a_method_is_forgotten_but_not_the_last_one_while_money_is_due() -> None:
    world = World()
    people = world.people(5)
    world.circle(people)
    first = payment_methods.list_methods(world.ctx, people[0])["items"][0]["id"]
    with pytest.raises(PaymentMethodStillNeeded):
        payment_methods.remove(world.ctx, world.command(people[0]), first)
    second = add(world, people[0], "pm_card_mastercard")
    left = payment_methods.remove(world.ctx, world.command(people[0]), first)["items"]
    world.settle()
    assert [(one["id"], one["is_default"]) for one in left] == [(second, True)]
    with pytest.raises(UnknownPaymentMethod):
        payment_methods.remove(world.ctx, world.command(people[0]), first)


def test_a_method_whose_forgetting_was_not_answered_is_forgotten_by_the_same_request() -> None:
    """It was refused the second time as not attached, and stayed here: each later debit by it failed."""
    world = World()
    uid = world.person("Ada")
    first = payment_methods.list_methods(world.ctx, uid)["items"][0]["id"]
    second = add(world, uid, "pm_card_mastercard")
    detach = "/v1/payment_methods/*/detach"
    world.control("POST", "faults", {"kind": "cut_after", "method": "POST", "path": detach})
    with pytest.raises(ProcessorUnavailable):
        payment_methods.remove(world.ctx, world.command(uid, "forget"), first)
    left = payment_methods.remove(world.ctx, world.command(uid, "forget"), first)["items"]
    assert [one["id"] for one in left] == [second]


def test_a_method_that_the_processor_keeps_is_kept_here_too(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    uid = world.person("Ada")
    second = add(world, uid, "pm_card_mastercard")

    def refuse(_: str) -> None:
        raise PaymentRefused("invalid_request_error", "No.")

    monkeypatch.setattr(world.ctx.gateway, "detach_method", refuse)
    with pytest.raises(ProcessorRefused):
        payment_methods.remove(world.ctx, world.command(uid), second)
    assert [kind for kind, *_ in listed(world, uid)] == ["card", "card"]
