"""What the simulation found, each bug as the shortest story that shows it; and the seeds that showed them.

A seed alone would not do: what it holds changes with the simulator.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from shared.adapters.memory_store import MemoryStore
from shared.domain import sending
from shared.domain.contributions import contribution_ref
from shared.domain.decision import Decision
from shared.domain.errors import FactChanged
from shared.domain.journal import News
from shared.domain.payouts import Payout, scheduled_turn
from shared.ports import ThinEvent, Write
from shared.services import pay_contribution
from shared.services.collect_contribution import collect_contribution
from shared.services.context import Command
from shared.services.transact import Loaded, transact
from tests.builders import Circle, World
from tests.simulation.cases import SECOND_THOUGHTS, begun_by
from tests.simulation.lifecycle import Lifecycle

NOW = datetime(2027, 1, 11, 9, tzinfo=UTC)
DUE = date(2027, 1, 4)


@pytest.mark.parametrize("seed", [0, 6, 13, 16, 17, 36, 46, 48, 166, 262, 291, 591, 810, 909, 963])
def test_the_seeds_that_showed_them(seed: int) -> None:
    """By what was drawn when they did: nobody took anything back then."""
    begun = begun_by(seed, random.Random(f"cases:{seed}"))
    assert Lifecycle(seed, cases=begun).run().violations == []


@pytest.mark.parametrize("seed", [6, 16, 21, 25])
def test_the_seeds_that_showed_what_a_leaving_costs(seed: int) -> None:
    """Told short in `tests/worked_examples/test_leaving.py`: charged twice after leaving, charged again what
    was paid, money that stayed in a pot. (What a substitute took over too much was seed 48, with faults.)"""
    assert Lifecycle(seed, only=frozenset()).run().violations == []


@pytest.mark.parametrize("seed", [15, 61])
def test_the_seeds_that_showed_what_a_substitute_paid_in_vain(seed: int) -> None:
    """Told short in `tests/unit/domain/test_leaving.py`: who had paid for the place that they took over, and
    left it before their turn, lost that money to those whose turns were still to come."""
    begun = {"substitution", "leaves-before-turn", "leaves-after-turn", "swap", "removal", "plan"}
    assert Lifecycle(seed, only=frozenset(), cases=frozenset(begun)).run().violations == []


PLACES = {"part-refund", "substitution", "leaves-before-turn", "wind-up", "swap", "removal"}


@pytest.mark.parametrize(
    ("seed", "also"),
    [(79, ()), (277, ()), (282, ()), (328, ()), *((one, ("leaves-after-turn",)) for one in (41, 125, 128))],
)
def test_the_seeds_that_showed_what_parts_of_a_promise_do(seed: int, also: tuple[str, ...]) -> None:
    """Told short in `tests/unit/domain/test_leaving.py` and `test_swapping.py`: the rules of decision 43."""
    assert Lifecycle(seed, only=frozenset(), cases=frozenset({*PLACES, *also})).run().violations == []


@pytest.mark.parametrize("seed", [11, 14, 39, 43])
def test_the_seeds_that_showed_what_came_after_an_erasure(seed: int) -> None:
    """Told short in `tests/unit/services/test_people.py`: news of a card that found nowhere to be kept."""
    assert Lifecycle(seed, only=frozenset(), cases=frozenset(SECOND_THOUGHTS)).run().violations == []


@pytest.mark.parametrize("seed", [3, 17, 25, 50, 69, 260])
def test_the_seeds_that_showed_who_was_erased_too_early(seed: int) -> None:
    """Told short there and in `test_disputes.py`, under every fault: money that was held on its way to them,
    claims against them."""
    assert Lifecycle(seed, cases=frozenset(SECOND_THOUGHTS)).run().violations == []


@pytest.mark.parametrize("seed", [73, 125])
def test_the_seeds_that_showed_a_former_membership(seed: int) -> None:
    """The auditor took the place of who had come again from their first seat, which had none."""
    assert Lifecycle(seed).run().violations == []


# --- money back, and the order of news ----------------------------------------------------------------------


def test_money_that_goes_back_before_we_know_that_it_came() -> None:
    """The dispute's webhook overtook the payment's: it was quarantined, for no attempt had brought money."""
    world = World()
    circle = world.circle(world.people(5))
    world.charge_without_recording(circle.due(1))
    contribution = circle.contribution(1, circle.recipient(2))
    assert contribution.attempts[-1].state == "submitting"
    opened = world.control("POST", f"charges/{world.charged(contribution).reference}/dispute", {})

    answer = world.process(world.thin_event("charge.dispute.created", opened["id"]))

    assert "quarantined" not in answer
    after = circle.contribution(1, contribution.uid)
    assert (after.state, after.attempts[-1].state) == ("due", "disputed")
    posted = {fact.type for fact in circle.facts() if fact.entries}
    assert posted == {"contribution_settled", "contribution_disputed"}


def test_a_part_may_be_refunded_and_the_rest_disputed() -> None:
    """Any refund ended the attempt: a dispute of what was left of it could not be booked."""
    world = World()
    circle = world.circle(world.people(5))
    world.advance_to(circle.due(1))
    uid = circle.recipient(2)
    intent = circle.contribution(1, uid).attempts[-1].reference
    world.stripe_request("POST", "/v1/refunds", {"payment_intent": intent, "amount": "4000"})
    world.settle()
    assert circle.contribution(1, uid).attempts[-1].state == "settled"
    world.control("POST", f"charges/{intent}/dispute", {})
    world.settle()

    contribution = circle.contribution(1, uid)
    assert contribution.attempts[-1].state == "disputed"
    assert (contribution.state, contribution.in_pot_pence) == ("due", 0)
    assert world.documents("quarantine") == []


def test_what_the_payer_took_back_can_be_paid_again() -> None:
    """A dispute after the payout leaves the contribution covered: there was no way to pay its debt."""
    world = World()
    circle = world.circle(world.people(5))
    world.advance_to(circle.pays_out(1) + timedelta(days=3))
    uid = circle.recipient(5)
    contribution = circle.contribution(1, uid)
    world.control("POST", f"charges/{contribution.attempts[-1].reference}/dispute", {})
    world.settle()
    assert circle.member(uid).owes_pence() == 10_000

    pay_contribution.pay_now(world.ctx, world.command(uid), circle.id, contribution.id)
    world.settle()
    assert circle.member(uid).owes_pence() == 0


def test_a_contribution_that_is_due_again_is_looked_at_again() -> None:
    """Nobody looked: it became short, its debt was netted from a pot, and it stayed short for ever."""
    world = World()
    circle = world.circle(world.people(5), default_policy="pay_cleared")
    world.advance_to(circle.due(1))
    uid = circle.recipient(2)
    world.control("POST", f"charges/{circle.contribution(1, uid).attempts[-1].reference}/dispute", {})
    world.settle()
    assert circle.contribution(1, uid).act_at is not None

    world.advance_to(circle.pays_out(2) + timedelta(days=3))
    assert circle.member(uid).owes_pence() == 0
    assert circle.contribution(1, uid).state == "covered"
    assert "contribution_covered" in {fact.type for fact in circle.facts()}


# --- stale answers about a payout ---------------------------------------------------------------------------


def under_way() -> Payout:
    """A reserved pot whose first try at sending was refused, and whose second is under way."""
    payout = scheduled_turn("grp_a", 1, "Ada", DUE, NOW).moved("reserved").with_(amount_pence=50_000)
    first = _changed(sending.begin(payout, NOW))
    refused = _changed(sending.record_refused(first, first.sendings[0].id, "refused", "no", NOW))
    return _changed(sending.begin(refused, NOW))


def _changed(decision: Decision) -> Payout:
    (payout,) = decision.changed
    assert isinstance(payout, Payout)
    return payout


def test_a_refusal_belongs_to_its_own_try() -> None:
    """A late refusal of the first try ended the second, and a third was made: two transfers in the end."""
    payout = under_way()
    first, second = (one.id for one in payout.sendings)
    assert sending.record_refused(payout, first, "refused", "no", NOW).is_empty
    assert sending.record_unknown(payout, first, NOW).is_empty
    assert not sending.record_refused(payout, second, "refused", "no", NOW).is_empty


def test_a_bank_that_refuses_before_we_know_of_the_try() -> None:
    """The try was not counted: the next had its key, found the failed one, and so on for ever."""
    sent = under_way().moved("sent")
    failed = _changed(sending.record_bank_failed(sent, "po_1", "account_closed", NOW))
    assert (failed.state, failed.bank_tries) == ("bank_failed", 1)

    again = _changed(sending.record_on_its_way(failed, "po_2", NOW))
    assert (again.state, again.bank_payout, again.bank_tries) == ("sent", "po_2", 2)


def test_a_failed_bank_payout_stays_failed() -> None:
    """Its late news came while the next one was under way, and was quarantined as a mismatch."""
    failed = _changed(sending.record_bank_failed(under_way().moved("sent"), "po_1", "account_closed", NOW))
    again = _changed(sending.record_on_its_way(failed, "po_2", NOW))
    assert sending.record_bank_failed(again, "po_1", "account_closed", NOW).is_empty
    assert sending.record_received(again, "po_1", NOW).is_empty
    assert sending.record_on_its_way(again, "po_1", NOW).is_empty


def test_a_bank_payout_can_arrive_before_we_know_of_it() -> None:
    """In 'bank_failed', the arrival of the next try changed nothing: the cycle stood open for ever."""
    failed = _changed(sending.record_bank_failed(under_way().moved("sent"), "po_1", "account_closed", NOW))
    received = _changed(sending.record_received(failed, "po_2", NOW))
    assert (received.state, received.bank_tries) == ("received", 2)


# --- authentication -----------------------------------------------------------------------------------------


def authenticating() -> tuple[World, Circle, str]:
    """A contribution that waits for its member, though the link was lost on the line."""
    world = World()
    people = world.people(5)
    circle = world.circle(people)
    uid = circle.recipient(2)
    (method,) = world.store.load(f"payment_methods/{uid}")[0].data["methods"]  # type: ignore[index]
    asks = ["authentication_required"] * 3
    world.control("POST", f"payment_methods/{method['reference']}/outcomes", {"failures": asks})
    confirm = "/v1/payment_intents/*/confirm"
    world.control("POST", "faults", {"kind": "cut_before", "method": "POST", "path": confirm})
    world.advance_to(circle.due(1))
    return world, circle, uid


def test_a_lost_link_to_authenticate_is_asked_for_again() -> None:
    """It was looked up daily and never asked for again: its member could do nothing."""
    world, circle, uid = authenticating()
    world.advance_to(circle.due(1) + timedelta(days=3))
    attempt = circle.contribution(1, uid).attempts[-1]
    assert (attempt.state, attempt.action_url is not None) == ("requires_action", True)


def test_a_link_that_nobody_uses_is_called_off() -> None:
    """It waited for ever, and no other try could take its place."""
    world, circle, uid = authenticating()
    world.advance_to(circle.due(1) + timedelta(days=10))
    states = [attempt.state for attempt in circle.contribution(1, uid).attempts]
    assert states[0] == "cancelled"


# --- the store, and what cannot be read ---------------------------------------------------------------------


class Overtaken(MemoryStore):
    """Before the first commit of ours, somebody else commits."""

    def __init__(self) -> None:
        super().__init__()
        self.overtake: Any = None

    def commit(self, writes: Sequence[Write]) -> None:
        if self.overtake is not None:
            overtake, self.overtake = self.overtake, None
            overtake()
        super().commit(writes)


def test_a_fact_that_another_row_has_booked_is_no_changed_fact() -> None:
    """Two handlers took different rows for one movement: the later one cried that the fact had changed."""
    store = Overtaken()
    world = World(store=store)
    circle = world.circle(world.people(5))
    ref = contribution_ref(circle.id, circle.contribution(1, circle.recipient(1)).id)

    def book(amount_pence: int) -> dict[str, Any]:
        def decide(loaded: Loaded) -> Decision:
            found = loaded.get(ref)
            if found.pay_now:
                return Decision(answer={"known": True})
            news = News(id="txn_1", group=circle.id, type="test", payload={"pence": amount_pence})
            return Decision(answer={"known": False}, facts=[news], changed=[found.with_(pay_now=True)])

        return transact(world.ctx, Command("system:test", f"cmd_{amount_pence}"), [ref], decide)

    store.overtake = lambda: book(1)
    assert book(2) == {"known": True}


def test_a_fact_that_has_changed_is_still_told() -> None:
    """Looking twice is not looking away."""
    world = World()
    circle = world.circle(world.people(5))
    ref = contribution_ref(circle.id, circle.contribution(1, circle.recipient(1)).id)

    def book(pence: int) -> None:
        def decide(loaded: Loaded) -> Decision:
            news = News(id="txn_1", group=circle.id, type="test", payload={"pence": pence})
            return Decision(facts=[news], changed=[loaded.get(ref)])

        transact(world.ctx, Command("system:test", f"cmd_{pence}"), [ref], decide)

    book(1)
    with pytest.raises(FactChanged):
        book(2)


def test_an_object_in_a_state_of_tomorrow_is_parked() -> None:
    """The reading raised outside of what parks: the message came again and again, into the dead letters."""
    world = World()
    circle = world.circle(world.people(5))
    world.advance_to(circle.due(1))
    intent = circle.contribution(1, circle.recipient(1)).attempts[-1].reference
    world.control("POST", f"objects/{intent}", {"status": "requires_something_new"})
    event = ThinEvent("evt_new", "payment_intent.succeeded", None, str(intent), False, NOW)
    assert "quarantined" in world.process(event)


def test_collecting_twice_at_once_is_one_attempt() -> None:
    """Held by the attempt's own state; kept here because three come at once in many seeds."""
    world = World()
    circle = world.circle(world.people(5))
    world.advance_to(circle.due(1) - timedelta(days=1))
    world.clock.moment += timedelta(days=1)
    contribution = circle.contribution(1, circle.recipient(1))
    for name in ("one", "two", "three"):
        command = Command("system:submit", f"submit:{name}")
        collect_contribution(world.ctx, command, circle.id, contribution.id)
    assert len(circle.contribution(1, contribution.uid).attempts) == 1
