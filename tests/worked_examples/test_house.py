"""What the house does and does not: decided disputes, its floor, caps, and two people for large sums."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

import pytest

from shared.domain.commitments import GROUPS_MAX, commitments_ref
from shared.domain.disputes import Remedy
from shared.domain.errors import CapReached, HouseTooThin, OwnRequest, RemedyImpossible
from shared.domain.house import FLOOR_PENCE, HOUSE_REF
from shared.domain.permissions import Role
from shared.ports import Put
from shared.services import disputes
from shared.services.context import Reader
from tests.worked_examples.page import Page

SUE = Reader("sue", "req_sue", frozenset({Role.SUPPORT}), "To decide the dispute.")


def upheld(page: Page, *remedies: Remedy) -> None:
    """B raises a dispute with C about cycle 1, C answers, and staff decide for B."""
    world, gid = page.world, page.circle.id
    about = page.contribution("C", 1).id if not page.circle.facts("dispute_opened") else page.uid["C"]
    kind: Any = "person" if about == page.uid["C"] else "contribution"
    did = disputes.open_dispute(
        world.ctx, world.command("Ben"), gid, kind, about, "He said he would add £30.", []
    )["id"]
    disputes.add(world.ctx, world.command("Cy"), Reader("Cy"), gid, did, "I did.", [])
    disputes.take_up(world.ctx, world.command("sue"), SUE, gid, did)
    disputes.decide(world.ctx, world.command("sue"), SUE, gid, did, "upheld", "Heard both.", list(remedies))


def claim() -> Remedy:
    return Remedy(kind="claim", debtor="Cy", creditor="Ben", pence=30_00)


def the_house_has_left(page: Page, pence: int) -> None:
    """What its last report says that it has above its floor."""
    page.world.reconcile()
    (found,) = page.world.store.load(HOUSE_REF.path)
    house = HOUSE_REF.read(found.data or {})
    thin = house.with_(borne_pence=house.capital_pence - FLOOR_PENCE - pence)
    page.world.store.commit([Put(thin.path, thin.data())])


def test_a_dispute_between_people_ends_in_a_claim() -> None:
    """C owes B £30 by the decision, and pays it. By card £30 cost 45p and 20p."""
    page = Page()
    page.runs(1)
    page.does(upheld, page, claim()).stands(debt_C=30_00, owed_B=30_00, fees=8_50, house=8_50)
    page.days(14).stands(cash=30_00, topup_B=30_00, fees=9_15, house=9_15)
    page.days(5).stands(fees=9_15, house=9_15)
    assert page.got() == {"A": 500, "B": 30}


def test_the_house_takes_a_claim_over() -> None:
    """B is paid by the house, which C owes instead, and pays."""
    page = Page()
    page.runs(1)
    page.does(upheld, page, claim()).stands(debt_C=30_00, owed_B=30_00, fees=8_50, house=8_50)
    (debt,) = page.circle.member("Cy").open_debts()
    page.does(upheld, page, Remedy(kind="house_pays", debtor="Cy", debt=debt.id))
    page.stands(cash=30_00, topup_B=30_00, debt_C=30_00, fees=8_50, house=38_50)
    page.days(1).stands(debt_C=30_00, fees=8_50, house=38_50)
    page.days(13).stands(fees=9_15, house=9_15)
    assert page.got() == {"A": 500, "B": 30}


def test_the_house_takes_no_claim_over_below_its_floor() -> None:
    page = Page()
    page.runs(1)
    page.does(upheld, page, claim()).stands(debt_C=30_00, owed_B=30_00, fees=8_50, house=8_50)
    (debt,) = page.circle.member("Cy").open_debts()
    the_house_has_left(page, 29_99)
    with pytest.raises(RemedyImpossible):
        page.does(upheld, page, Remedy(kind="house_pays", debtor="Cy", debt=debt.id))
    page.stands(debt_C=30_00, owed_B=30_00, fees=8_50, house=8_50)


def test_below_its_floor_no_circle_starts_and_those_that_run_go_on() -> None:
    page = Page()
    page.runs(1)
    the_house_has_left(page, -1)
    with pytest.raises(HouseTooThin):
        page.does(page.world.circle, page.people, amount_pence=50_00, first_due_date=date(2027, 2, 1))
    page.stands(fees=8_50, house=8_50)
    page.runs(2)


def test_who_has_promised_as_much_as_one_may_starts_no_circle_more_and_keeps_their_promises() -> None:
    page = Page()
    page.runs(1)
    ref = commitments_ref("Cy")
    (found,) = page.world.store.load(ref.path)
    mine = ref.read(found.data or {})
    others = {f"grp_{number}": 50_00 for number in range(GROUPS_MAX - len(mine.monthly_pence))}
    page.world.store.commit([Put(ref.path, {**mine.data(), "monthly_pence": mine.monthly_pence | others})])
    with pytest.raises(CapReached):
        page.does(page.world.circle, page.people, amount_pence=50_00, first_due_date=date(2027, 2, 1))
    page.stands(fees=8_50, house=8_50)
    page.runs(2)


def test_a_large_payout_waits_for_two() -> None:
    """The house asks two of its staff to look at pots above £400: A's waits, and is paid when both have."""
    page = Page()
    page.world.ctx = dataclasses.replace(page.world.ctx, two_people_above_pence=400_00)
    page.due(1).stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    page.paid_out(1).stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    pot = page.circle.payout(1)
    assert (pot.state, pot.parked_because) == ("parked", "needs_approval")
    request = page.asks("staff-1", "payout", about=pot.id)
    page.stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    with pytest.raises(OwnRequest):
        page.consents("staff-1", request)
    page.stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    assert page.consents("staff-2", request) == "carried_out"
    page.stands(cash=500_00, pot_1=500_00, fees=8_50, house=8_50)
    page.days(3).stands(fees=8_50, house=8_50)
    assert page.got() == {"A": 500}
