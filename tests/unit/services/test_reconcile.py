"""Reconciliation names whatever was taken away or altered by hand, in any place of either side."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.ports import Delete, Put
from shared.services import seal_facts
from tests.builders import Circle, World

OF_OURS = ("payment_intent", "charge", "transfer", "dispute", "balance_transaction", "customer", "topup")
"""What we made at Stripe, or what moved our balance there, beside people's accounts and the payouts to their
banks. Not: set-ups, mandates, events and checkouts, which move nothing."""

COUNTED = {
    "payment_intent": ("amount", "currency", "metadata", "status"),
    "charge": ("amount", "currency", "metadata"),
    "transfer": ("amount", "currency", "metadata", "destination"),
    "dispute": ("amount", "currency", "status"),
    "balance_transaction": ("amount", "fee", "currency"),
    "customer": ("metadata",),
    "account": ("metadata",),
    "topup": ("amount", "currency"),
    "payout": ("amount", "currency", "metadata", "status"),
}
"""The fields that money and its owner depend on."""

ALTERED: dict[str, Any] = {
    "amount": lambda value: value + 1,
    "fee": lambda value: value + 1,
    "currency": lambda value: "eur",
    "metadata": lambda value: {name: f"{text}x" for name, text in value.items()},
    "destination": lambda value: "acct_somebody_else",
}
STATES = {"payment_intent": "canceled", "dispute": "won", "payout": "failed"}

SOME = 24
"""Of some hundred objects and facts a run tries so many; with all of them it takes a minute and a half."""


class Finished:
    """A circle that has ended, with a dispute that was lost in it; its books are in order."""

    def __init__(self) -> None:
        self.world, self.chance = World(), random.Random(4)
        self.circle: Circle = self.world.circle(self.world.people(5))
        self.world.advance_to(self.circle.pays_out(2) + timedelta(days=2))
        payer = self.circle.recipient(1)
        intent = self.circle.contribution(2, payer).attempts[-1].reference
        dispute = self.world.control("POST", f"charges/{intent}/dispute", {})
        self.world.settle()
        self.world.control("POST", f"disputes/{dispute['id']}", {"status": "lost"})
        self.world.advance_to(self.circle.pays_out(5) + timedelta(days=10))
        self.world.clock.moment += timedelta(minutes=1)
        seal_facts.seal_facts(self.world.ctx, self.world.command("system:relay"))

    def differences(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.world.reconcile()["differences"]
        return found

    def stripe_objects(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything at Stripe that has to do with our balance, by id."""
        stripe = self.world.stripe.world
        for id_, thing in list(stripe.objects.items()):
            own = stripe.owner[id_] == stripe.platform and thing["object"] in OF_OURS
            if id_ != stripe.platform and (own or thing["object"] in {"account", "payout"}):
                yield id_, thing

    def some_of_each_kind(self) -> list[tuple[str, dict[str, Any]]]:
        """An object of each kind, drawn anew for each test."""
        found = list(self.stripe_objects())
        self.chance.shuffle(found)
        kinds = sorted({thing["object"] for _, thing in found})
        assert kinds == sorted(COUNTED)
        return [pick for kind in kinds for pick in [one for one in found if one[1]["object"] == kind][:1]]

    def some_facts(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Facts of the circle with their paths: one of each type, and others."""
        facts = self.circle.facts()
        self.chance.shuffle(facts)
        first = {fact.type: fact for fact in reversed(facts)}
        chosen = {fact.path: fact for fact in [*first.values(), *facts[:SOME]]}
        return [(path, self.world.store.load(path)[0].data or {}) for path in list(chosen)[:SOME]]

    def named(self, fact: Mapping[str, Any]) -> bool:
        """Whether a difference names the fact, or its place in its group's chain."""
        told = json.dumps(self.differences(), default=str)
        return fact["id"] in told or f'{fact["group"]}/audit/{fact["sealed"]}"' in told


@pytest.fixture(scope="module")
def finished() -> Finished:
    return Finished()


def test_books_in_order_have_no_difference(finished: Finished) -> None:
    assert finished.differences() == []


def test_a_stripe_object_that_is_taken_away_is_missed(finished: Finished) -> None:
    stripe = finished.world.stripe.world
    before = stripe.dump()
    for id_, thing in finished.some_of_each_kind():
        stripe.remove(id_)
        told = finished.differences()
        stripe.load(before)
        assert told, thing["object"]


def test_a_stripe_object_that_is_altered_is_seen(finished: Finished) -> None:
    stripe = finished.world.stripe.world
    before = stripe.dump()
    for id_, thing in finished.some_of_each_kind():
        for field in COUNTED[thing["object"]]:
            state = field == "status"
            changed = STATES[thing["object"]] if state else ALTERED[field](thing[field])
            stripe.objects[id_][field] = changed
            told = finished.differences()
            stripe.load(before)
            assert told, (thing["object"], field)


def test_a_fact_that_is_taken_away_is_missed(finished: Finished) -> None:
    store = finished.world.store
    for path, fact in finished.some_facts():
        store.commit([Delete(path)])
        told = finished.named(fact)
        store.commit([Put(path, fact)])
        assert told, fact["type"]


def test_a_field_of_a_fact_that_is_altered_is_seen(finished: Finished) -> None:
    store = finished.world.store
    for path, fact in finished.some_facts():
        field = finished.chance.choice(sorted({*fact} - {"published", "revision", "sealed"}))
        store.commit([Put(path, {**fact, field: _other(fact[field])})])
        told = finished.named(fact)
        store.commit([Put(path, fact)])
        assert told, (fact["type"], field)
    assert finished.differences() == []


def test_what_it_finds_it_tells_with_its_age_and_what_to_do(finished: Finished) -> None:
    stripe = finished.world.stripe.world
    before = stripe.dump()
    line = finished.circle.contribution(1, finished.circle.recipient(1)).attempts[-1].movement
    assert line is not None
    stripe.remove(line)
    told = {one["kind"]: one for one in finished.differences()}
    stripe.load(before)
    assert {"missing_movement", "cover", "object"} <= told.keys()
    assert told["missing_movement"]["where"] == line
    assert told["missing_movement"]["age_hours"] > 24 * 90
    assert told["missing_movement"]["todo"].startswith("stop payouts of this group")


def _other(value: Any) -> Any:
    """Another value of the same sort."""
    if isinstance(value, datetime):
        return value + timedelta(seconds=1)
    if isinstance(value, dict):
        return {**value, "pence": 1}
    if isinstance(value, list):
        return [{"account": "pot:1", "side": "debit", "pence": 1}, *value]
    return f"{value}x"
