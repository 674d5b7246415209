"""An order by trust: what people did here, and what they were approved for, decides who may go early."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.affordability import Circle
from shared.domain.assessments import Told
from shared.domain.errors import TurnsNotOpen
from shared.domain.financial_statement import Evidence, Frequency
from shared.services import consents, decide_review, submit_assessment
from shared.services.context import Reader
from shared.services.trust import earliest_turn
from tests.builders import World
from tests.unit.assessments.households import a_circle, a_statement

ASKED = a_circle(100)
TOLD: dict[str, Any] = {
    "balance_pence": 50_000,
    "salary_paid_in_months": 24,
    "repayments": "on_time",
    "months_in_work": 60,
    "has_guarantor": False,
    "members": 5,
}
SHOWN = dict.fromkeys(("income_evidence", "costs_evidence", "savings_evidence"), Evidence.DOCUMENTED)


def approved(world: World, uid: str, circle: Circle = ASKED, **told: Any) -> str:
    """Somebody whose papers were seen, assessed by machine and approved."""
    consents.record(world.ctx, world.command(uid), "credit_assessment", "2026-11", True)
    month = a_statement(income=3_000, costs=1_000, savings=2_000, **SHOWN)
    made = submit_assessment.submit(
        world.ctx, world.command(uid), month, circle, Told.model_validate(TOLD | told, strict=False)
    )
    assert made["standing"] == ("approved" if not told else made["standing"])
    return str(made["id"])


def turn(world: World, uid: str) -> int:
    return int(earliest_turn(world.ctx, uid, ASKED, 5)["earliest"])


def test_strangers_have_no_early_turn_and_an_approved_assessment_opens_them() -> None:
    world = World()
    people = world.people(5)
    with pytest.raises(TurnsNotOpen) as refusal:
        world.circle(people, order_method="trust")
    assert refusal.value.facts["turns"] == "1, 2, 3"
    assert turn(world, "Ada") == 4
    for uid in people[:3]:
        approved(world, uid)
    assert turn(world, "Ada") == 1
    circle = world.circle(people, order_method="trust")
    assert {circle.recipient(cycle) for cycle in (1, 2, 3)} == set(people[:3])


def test_a_reserve_that_everybody_agreed_to_stands_in() -> None:
    world = World()
    circle = world.circle(
        world.people(5), order_method="trust", default_policy="reserve", reserve_pence=4_000
    )
    assert circle.group.state == "locked"


def test_an_approval_opens_nothing_for_a_larger_circle_nor_after_it_has_expired() -> None:
    world = World()
    world.people(1)
    approved(world, "Ada", a_circle(50))
    assert turn(world, "Ada") == 4
    approved(world, "Ada")
    assert turn(world, "Ada") == 1
    world.clock.moment += timedelta(days=181)
    assert turn(world, "Ada") == 4


def test_what_a_person_approved_counts_for_as_much_as_they_approved() -> None:
    world = World()
    world.people(1)
    consents.record(world.ctx, world.command("Ada"), "credit_assessment", "2026-11", True)
    told = Told.model_validate(TOLD, strict=False)
    large = Circle(amount_pence=50_000, frequency=Frequency.MONTHLY)
    made = submit_assessment.submit(
        world.ctx, world.command("Ada"), a_statement(income=3_000, costs=1_000), large, told
    )
    assert (made["outcome"], turn(world, "Ada")) == ("approve", 1)
    stated = a_statement(income=3_000, costs=1_000, income_evidence=Evidence.STATED)
    world.clock.moment += timedelta(days=181)
    made = submit_assessment.submit(world.ctx, world.command("Ada"), stated, large, told)
    assert (made["outcome"], turn(world, "Ada")) == ("refer", 4)
    review = decide_review.queue(world.ctx, None, 10)["items"][0]["id"]
    decide_review.decide(
        world.ctx,
        world.command("fin"),
        Reader("fin"),
        review,
        verdict="approved",
        reason="Her payslips of three months were shown here.",
        representations_read=0,
        circle=ASKED,
    )
    assert turn(world, "Ada") == 1


def test_a_year_of_kept_promises_moves_the_turn_and_a_missed_one_moves_it_back() -> None:
    world = World()
    people = world.people(5)
    circle = world.circle(people)
    world.advance_to(circle.pays_out(4) + timedelta(days=20))
    kept = earliest_turn(world.ctx, "Ada", ASKED, 5)
    assert kept["pd_ppm"] < 221_200
    stranger = world.person("Zoe")
    assert kept["earliest"] <= turn(world, stranger)
