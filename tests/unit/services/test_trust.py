"""An order by trust: what people did here, and what they were approved for, decides who may go early."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from shared.domain.affordability import Circle
from shared.domain.assessments import Told
from shared.domain.errors import NoSuchThing, TurnsNotOpen
from shared.domain.financial_statement import Frequency
from shared.domain.identity import IdentityCheck
from shared.domain.permissions import Role
from shared.domain.scoring import artefact
from shared.domain.users import PayoutAccount, User, user_ref
from shared.services import (
    consents,
    decide_review,
    evidence,
    hardship,
    profile,
    read_assessment,
    reassess,
    submit_assessment,
    withdrawn_models,
)
from shared.services.context import Reader
from shared.services.transact import read
from shared.services.trust import earliest_turn
from tests.builders import STARTS, World, details
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
MONTH = a_statement(income=3_000, costs=1_000, savings=2_000)
FINANCE = Reader("fin", "req-evidence", frozenset({Role.FINANCE}))
LOOKING = Reader("fin", "req-stale", frozenset({Role.FINANCE}), "Approvals that no longer hold")


def show(world: World, uid: str, *, income: int = 3_000, bank: str = "bank_statement") -> None:
    """Staff see the papers, in pounds a month."""
    papers: list[Any] = [("income", bank, income), ("costs", bank, 1_000), ("savings", bank, 2_000)]
    for about, document, pounds in papers:
        evidence.record(world.ctx, world.command("fin"), FINANCE, uid, about, document, pounds * 100)


def submit(world: World, uid: str, circle: Circle = ASKED) -> dict[str, Any]:
    consents.record(world.ctx, world.command(uid), "credit_assessment", "2026-11", True)
    told = Told.model_validate(TOLD, strict=False)
    return submit_assessment.submit(world.ctx, world.command(uid), MONTH, circle, told)


def approved(world: World, uid: str, circle: Circle = ASKED) -> str:
    """Somebody whose papers were seen, assessed by machine and approved."""
    show(world, uid)
    made = submit(world, uid, circle)
    assert made["standing"] == "approved", made["reasons"]
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
    large = Circle(amount_pence=50_000, frequency=Frequency.MONTHLY)
    assert (submit(world, "Ada", large)["outcome"], turn(world, "Ada")) == ("refer", 4)
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


def why(world: World, assessment: str) -> list[str]:
    return [one["code"] for one in read_assessment.own(world.ctx, "Ada", assessment)["stale"]]


def test_what_was_shown_carries_a_statement_as_far_as_it_goes() -> None:
    world = World()
    world.people(1)
    word_alone = submit(world, "Ada")
    assert word_alone["statement"]["income_evidence"] == "stated"
    assert {"income_evidence", "costs_evidence"} <= {one["code"] for one in word_alone["reasons"]}
    show(world, "Ada", income=2_900)
    assert submit(world, "Ada")["statement"]["income_evidence"] == "stated"  # more than was shown
    show(world, "Ada")
    assert submit(world, "Ada")["statement"]["income_evidence"] == "documented"
    show(world, "Ada", bank="open_banking")
    assert submit(world, "Ada")["statement"]["costs_evidence"] == "open_banking"
    show(world, "Ada", income=900)
    held = submit(world, "Ada")
    assert (held["outcome"], held["reasons"][-1]["code"]) == ("decline_to_refer", "details_to_check")


def test_an_approval_goes_stale_by_what_happens_and_closes_its_turns() -> None:
    world = World()
    people = world.people(5)
    first = approved(world, "Ada")
    assert (why(world, first), turn(world, "Ada")) == ([], 1)
    evidence.record(world.ctx, world.command("fin"), FINANCE, "Ada", "income", "nothing", 0)
    assert (why(world, first), turn(world, "Ada")) == (["evidence_ended"], 4)

    world.clock.moment += timedelta(minutes=1)
    second = approved(world, "Ada")
    assert why(world, second) == []
    circle = world.circle(people, default_policy="pay_cleared")
    assert why(world, second) == []  # the very circle that it was for
    world.circle(people)
    assert why(world, second) == ["more_in_circles"]

    hardship.ask_for_time(world.ctx, world.command("Ada"), circle.id, date(2027, 1, 20))
    assert "hardship" in why(world, second)
    world.clock.moment += timedelta(days=181)
    assert {"expired", "evidence_ended"} <= set(why(world, second))
    (line,) = reassess.to_look_at(world.ctx, LOOKING, None, 10)["items"]
    assert (line["person"], line["assessment"]) == ("Ada", second)


def test_a_year_of_kept_promises_moves_the_turn_and_a_missed_one_moves_it_back() -> None:
    world = World()
    people = world.people(5)
    circle = world.circle(people)
    world.advance_to(circle.pays_out(4) + timedelta(days=20))
    kept = earliest_turn(world.ctx, "Ada", ASKED, 5)
    assert kept["pd_ppm"] < 221_200
    stranger = world.person("Zoe")
    assert kept["earliest"] <= turn(world, stranger)


# --- who a person is, and by which model -------------------------------------------------------------------


def test_an_approval_goes_stale_when_its_person_gets_another_name() -> None:
    world = World()
    world.people(1)
    made = approved(world, "Ada")
    world.clock.moment += timedelta(days=1)
    profile.save(world.ctx, world.command("Ada"), details("Ada").with_(phone="+447700900123"))
    assert why(world, made) == []
    profile.save(world.ctx, world.command("Ada"), details("Ada").with_(full_name="Adaeze Okonkwo"))
    assert why(world, made) == ["identity_changed"]
    assert turn(world, "Ada") == 4
    world.clock.moment += timedelta(days=1)
    assert why(world, approved(world, "Ada")) == []


def test_an_approval_goes_stale_when_its_person_is_no_longer_known() -> None:
    world = World()
    world.people(1)
    made = approved(world, "Ada")
    world.clock.moment += timedelta(days=1)
    account = read(world.ctx, user_ref("Ada")).get(user_ref("Ada")).payout_account
    assert account is not None
    world.control("POST", f"accounts/{account.reference}/disable")
    world.settle()
    assert why(world, made) == ["identity_changed"]
    again = submit(world, "Ada")["id"]
    world.clock.moment += timedelta(days=1)
    world.control("POST", f"accounts/{account.reference}/cure")
    world.settle()
    assert why(world, again) == ["identity_changed"]


def test_a_first_look_at_a_document_is_no_change() -> None:
    never = User(uid="ada", created_at=STARTS)
    opened = never.with_(payout_account=PayoutAccount(reference="acct_1", can_receive=True))
    check = IdentityCheck(reference="vs_1", state="open", at=STARTS)
    assert never.noting_identity(opened, STARTS).identity_changed_at is None
    asked = opened.noting_identity(opened.with_(identity_check=check), STARTS)
    assert asked.identity_changed_at == STARTS
    later = STARTS + timedelta(days=1)
    verified = asked.with_(identity_check=check.with_(state="verified"))
    assert asked.noting_identity(verified, later).identity_changed_at == later


def test_what_a_withdrawn_model_decided_is_stale_and_it_decides_nothing_more() -> None:
    world = World()
    world.people(1)
    made = approved(world, "Ada")
    version = artefact.load("applicant").version
    for _ in range(2):
        withdrawn_models.withdraw(world.ctx, world.command("ops"), version, "Wrong data were learnt from")
    assert withdrawn_models.withdrawn(world.ctx) == {version}
    assert why(world, made) == ["model_withdrawn"]
    assert turn(world, "Ada") == 4
    listed = reassess.to_look_at(world.ctx, LOOKING, None, 10)["items"]
    assert [(one["assessment"], one["because"]) for one in listed] == [(made, ["model_withdrawn"])]
    unscored = submit(world, "Ada")
    assert [one["code"] for one in unscored["reasons"]] == ["score_unavailable"]
    assert unscored["score_points"] is None

    withdrawn_models.restore(world.ctx, world.command("ops"), version)
    assert why(world, made) == []
    assert turn(world, "Ada") == 1
    for wrong in ("applicant", "applicant-1", "../x"):
        with pytest.raises(NoSuchThing):
            withdrawn_models.withdraw(world.ctx, world.command("ops"), wrong, "A slip")
    with pytest.raises(NoSuchThing):
        withdrawn_models.restore(world.ctx, world.command("ops"), version)
