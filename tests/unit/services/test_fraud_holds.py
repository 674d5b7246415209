"""Holds of the fraud checks stop what they name: joining, adding a method, and money on its way out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.devices import Device
from shared.domain.errors import (
    DetailsToCheck,
    FindingDecided,
    NoSuchThing,
    ProcessorUnavailable,
    ReviewerNotIndependent,
    ReviewReasonMissing,
)
from shared.domain.fraud import Hold
from shared.domain.fraud_files import fraud_ref
from shared.domain.permissions import Role
from shared.domain.users import user_ref
from shared.services import (
    accept_agreement,
    fraud_holds,
    payment_methods,
    payout_account,
    profile,
    reach,
)
from shared.services.context import Reader
from shared.services.reserve_payout import reserve_payout
from shared.services.send_payout import send_payout
from shared.services.transact import read
from tests.builders import Circle, World, details

FINANCE = Reader("fin", "req-fraud", frozenset({Role.FINANCE}), "A finding waits in the queue")
ONE_HOUSE = "One household of three: the council's letter names them."


@pytest.fixture
def world() -> World:
    return World()


def share_a_bank(world: World, *people: str) -> None:
    """They all have their pots go to one bank account, for longer than new details cool off."""
    for uid in people:
        account = f"accounts/{_account(world, uid)}/bank"
        world.control("POST", account, {"account_number": "00012345"})
        payout_account.refresh_payout_account(world.ctx, world.command(uid))
    world.settle()


def _account(world: World, uid: str) -> str:
    (found,) = world.store.load(f"users/{uid}")
    assert found.data is not None
    return str(found.data["payout_account"]["reference"])


def transfers(world: World) -> int:
    return len(world.stripe_request("GET", "/v1/transfers", {})["data"])


def lift(world: World, uid: str, number: int = 1, by: str = "fin") -> None:
    fraud_holds.decide(world.ctx, world.command(by), FINANCE, uid, number, "lifted", ONE_HOUSE)


def lift_all(world: World, uid: str) -> None:
    for one in fraud_holds.of_person(world.ctx, FINANCE, uid)["findings"]:
        if one["state"] == "open":
            lift(world, uid, one["number"])


def the_recipient_shares(world: World) -> tuple[Circle, str]:
    circle = world.circle(world.people(5))
    first = circle.recipient(1)
    share_a_bank(world, *{first, *[uid for uid in ("Ada", "Ben", "Cy") if uid != first][:2]})
    return circle, first


def test_a_pot_that_is_held_is_parked_until_staff_have_looked(world: World) -> None:
    circle, first = the_recipient_shares(world)
    world.advance_to(circle.pays_out(1) + timedelta(days=3))
    assert (circle.payout(1).state, circle.payout(1).parked_because) == ("parked", "details_to_check")
    assert transfers(world) == 0
    assert first in [one["person"] for one in fraud_holds.queue(world.ctx, None, 10)["items"]]

    lift_all(world, first)
    assert first not in [one["person"] for one in fraud_holds.queue(world.ctx, None, 10)["items"]]
    world.advance_to(world.clock.moment.date() + timedelta(days=7))
    assert circle.payout(1).state == "received"
    assert transfers(world) == 1


def reserved(world: World) -> tuple[Circle, str]:
    """A circle whose first pot is reserved and not sent, and whose it is."""
    circle = world.circle(world.people(5))
    world.advance_to(circle.pays_out(1) - timedelta(days=1))
    world.clock.moment += timedelta(days=1)
    reserve_payout(world.ctx, world.command("system:tick"), circle.payout(1))
    return circle, circle.recipient(1)


def test_what_is_found_after_the_reservation_stops_the_transfer(world: World) -> None:
    circle, first = reserved(world)
    assert circle.payout(1).state == "reserved"
    others = [uid for uid in ("Ada", "Ben", "Cy") if uid != first][:2]
    share_a_bank(world, first, *others)
    world.tick()
    assert circle.payout(1).state == "reserved"
    assert transfers(world) == 0
    lift_all(world, first)
    world.advance_to(world.clock.moment.date() + timedelta(days=8))
    assert circle.payout(1).state == "received"


def test_what_is_found_while_the_answer_to_a_transfer_is_missing_stops_the_next_one(world: World) -> None:
    """The look-up says that nothing left: the payout is then held like one that has not begun."""
    circle, first = reserved(world)
    world.control("POST", "faults", {"kind": "cut_before", "method": "POST", "path": "/v1/transfers"})
    with pytest.raises(ProcessorUnavailable):
        send_payout(world.ctx, world.command("system:submit"), circle.id, circle.payout(1).id)
    assert circle.payout(1).state == "unknown"

    share_a_bank(world, first, *[uid for uid in ("Ada", "Ben", "Cy") if uid != first][:2])
    send_payout(world.ctx, world.command("system:submit"), circle.id, circle.payout(1).id)
    assert (circle.payout(1).state, circle.payout(1).parked_because) == ("failed", "details_to_check")
    assert transfers(world) == 0


def test_who_is_held_promises_nothing_until_it_is_lifted(world: World) -> None:
    people = world.people(5)
    share_a_bank(world, *people[:3])
    with pytest.raises(DetailsToCheck):
        world.circle(people)
    (group,) = {one["id"] for one in world.documents("groups")}
    assert world.documents("commitments") == []
    lift_all(world, "Ada")
    text = accept_agreement.read(world.ctx, Reader("Ada"), group)
    accept_agreement.accept(world.ctx, world.command("Ada"), group, text["hash"])
    assert [one["person"] for one in world.documents("commitments")] == ["Ada"]


def test_the_fourth_method_of_a_day_is_the_last_until_somebody_looks(world: World) -> None:
    world.person("Ada")
    for method in ("pm_card_mastercard", "pm_card_visa_debit", "pm_card_gb"):
        payment_methods.attach(world.ctx, world.command("Ada"), None, method)
    with pytest.raises(DetailsToCheck):
        payment_methods.attach(world.ctx, world.command("Ada"), None, "pm_card_gb_debit")
    with pytest.raises(DetailsToCheck):
        payment_methods.start_setup(world.ctx, world.command("Ada"), None, "card", "https://ajo.test/done")


def test_a_lifted_finding_holds_nothing_and_one_that_goes_further_is_new(world: World) -> None:
    people = world.people(4)
    share_a_bank(world, *people[:3])
    assert Hold.PAYING_OUT in fraud_holds.check(world.ctx, "Ada").holds
    lift(world, "Ada")
    assert fraud_holds.check(world.ctx, "Ada").holds == ()
    share_a_bank(world, people[3])
    assert Hold.PAYING_OUT in fraud_holds.check(world.ctx, "Ada").holds
    seen = fraud_holds.of_person(world.ctx, FINANCE, "Ada")
    assert [(one["state"], len(one["others"])) for one in seen["findings"]] == [("lifted", 2), ("open", 3)]
    assert seen["findings"][0]["reason"] == ONE_HOUSE


def test_an_answer_is_independent_reasoned_and_can_be_turned_round(world: World) -> None:
    share_a_bank(world, *world.people(3))
    with pytest.raises(NoSuchThing):
        lift(world, "Ada")
    fraud_holds.check(world.ctx, "Ada")
    with pytest.raises(ReviewerNotIndependent):
        lift(world, "Ada", by="Ada")
    with pytest.raises(NoSuchThing):
        lift(world, "Ada", number=7)
    with pytest.raises(ReviewReasonMissing):
        fraud_holds.decide(world.ctx, world.command("fin"), FINANCE, "Ada", 1, "lifted", "fine")
    lift(world, "Ada")
    with pytest.raises(FindingDecided):
        lift(world, "Ada")
    fraud_holds.decide(world.ctx, world.command("fin"), FINANCE, "Ada", 1, "confirmed", ONE_HOUSE)
    assert Hold.PAYING_OUT in fraud_holds.check(world.ctx, "Ada").holds


def test_the_same_look_again_files_nothing_more(world: World) -> None:
    share_a_bank(world, *world.people(3))
    fraud_holds.check(world.ctx, "Ada")
    once = read(world.ctx, fraud_ref("Ada")).get(fraud_ref("Ada"))
    fraud_holds.check(world.ctx, "Ada")
    assert read(world.ctx, fraud_ref("Ada")).get(fraud_ref("Ada")) == once
    assert len(once.filed) == 1


# --- what people share --------------------------------------------------------------------------------------

ONE_CARD = {"type": "card", "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034}}


def with_one_card(world: World, *people: str) -> None:
    for uid in people:
        card = world.stripe_request("POST", "/v1/payment_methods", ONE_CARD)["id"]
        world.person(uid, card)


def on_one_device(world: World, *people: str) -> None:
    for uid in people:
        phone = Device(token="the-shops-own-phone", platform="android", seen_at=world.clock.now())
        reach.add_device(world.ctx, world.command(uid), phone)


def codes(world: World, uid: str) -> set[str]:
    return {one.code.value for one in fraud_holds.check(world.ctx, uid).findings}


def test_two_on_one_card_are_asked_about_and_three_are_held(world: World) -> None:
    with_one_card(world, "Ada", "Ben")
    asked = fraud_holds.check(world.ctx, "Ada")
    assert (codes(world, "Ada"), asked.holds) == ({"shared_card"}, ())
    assert asked.findings[0].others == ("Ben",)
    with_one_card(world, "Cy")
    assert set(fraud_holds.check(world.ctx, "Ada").holds) == {Hold.ADDING_METHODS, Hold.JOINING}
    assert codes(world, world.person("Dee")) == set()


def test_a_card_that_was_taken_off_again_is_still_known(world: World) -> None:
    with_one_card(world, "Ada", "Ben")
    world.settle()
    (card,) = payment_methods.list_methods(world.ctx, "Ben")["items"]
    payment_methods.remove(world.ctx, world.command("Ben"), card["id"])
    assert codes(world, "Ada") == {"shared_card"}


def test_five_on_one_device_are_held(world: World) -> None:
    people = world.people(5)
    on_one_device(world, *people[:2])
    assert codes(world, "Ada") == set()
    on_one_device(world, *people[2:])
    assert codes(world, "Ada") == {"sign_ups_on_device", "shared_device"}
    assert fraud_holds.check(world.ctx, "Ada").holds == (Hold.JOINING,)


def test_a_household_may_share_what_strangers_may_not(world: World) -> None:
    with_one_card(world, "Ada", "Ben")
    assert codes(world, "Ada") == {"shared_card"}
    moved_in = details("Ben").with_(address=details("Ada").address.with_(line_1="17, ADA terrace."))
    profile.save(world.ctx, world.command("Ben"), moved_in)
    assert codes(world, "Ada") == set()


def test_a_mandate_cancelled_at_the_bank_soon_after_the_pot_is_a_finding(world: World) -> None:
    circle = world.circle(world.people(5))
    first = circle.recipient(1)
    payment_methods.attach(world.ctx, world.command(first), None, "pm_bacsDebit_success")
    while circle.payout(1).state != "received":
        world.advance_to(world.clock.moment.date() + timedelta(days=1))
    assert codes(world, first) == set()
    _, mandate = payment_methods.list_methods(world.ctx, first)["items"]
    world.control("POST", f"mandates/{mandate['id']}/revoke")
    world.settle()
    assert codes(world, first) == {"leaving_after_payout"}
    assert Hold.JOINING in fraud_holds.check(world.ctx, first).holds


def test_traces_name_nothing(world: World) -> None:
    with_one_card(world, "Ada")
    on_one_device(world, "Ada")
    kept = str(world.documents("traces"))
    (method,) = world.stripe_request("GET", "/v1/payment_methods", {"customer": payer(world, "Ada")})["data"]
    assert method["card"]["fingerprint"]
    for readable in (method["card"]["fingerprint"], "the-shops-own-phone", "Terrace", "SE15"):
        assert readable not in kept


def payer(world: World, uid: str) -> str:
    return str(read(world.ctx, user_ref(uid)).get(user_ref(uid)).payer)
