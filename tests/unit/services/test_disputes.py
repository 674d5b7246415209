"""Disputes between people: heard on both sides, decided once by somebody without a part, appealed once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.disputes import Remedy
from shared.domain.errors import (
    AccountClosed,
    AppealNotPossible,
    CannotBeErased,
    DisputeClosed,
    DisputeExists,
    DisputeNotReady,
    NoSuchThing,
    NotAllowed,
    ReasonMissing,
    RemedyImpossible,
    ReviewerNotIndependent,
)
from shared.domain.house import FLOOR_PENCE, HOUSE_REF, House
from shared.domain.permissions import Role
from shared.ports import Put
from shared.services import (
    approve_member,
    disputes,
    erase_person,
    invite,
    join_group,
    pay_contribution,
)
from shared.services.context import Reader
from tests.builders import World
from tests.worked_examples.page import Page

WHY = "To decide the dispute."


def staff(uid: str = "sue", role: Role = Role.SUPPORT, reason: str | None = WHY) -> Reader:
    return Reader(uid, f"req_{uid}", frozenset({role}), reason)


class Quarrel:
    """Ben says that Cy owes him £30 for cycle 1, which was lived through without a hitch."""

    def __init__(self) -> None:
        self.page = Page()
        self.page.paid_out(1, days_more=2)
        self.world: World = self.page.world
        self.circle, self.ctx, self.gid = self.page.circle, self.world.ctx, self.page.circle.id
        self.fees = self.circle.balances()["fees:processor"]
        self.id: str = self.open("Ben")["id"]

    def open(self, uid: str, kind: Any = "contribution", subject: str | None = None) -> dict[str, Any]:
        about = subject or self.circle.contribution(1, "Cy").id
        return disputes.open_dispute(
            self.ctx, self.world.command(uid), self.gid, kind, about, "He said he would add £30.", ["doc_1"]
        )

    def take_up(self, reader: Reader, did: str | None = None) -> dict[str, Any]:
        return disputes.take_up(self.ctx, self.world.command(reader.uid), reader, self.gid, did or self.id)

    def decide(
        self, reader: Reader, outcome: Any, *remedies: Remedy, did: str | None = None
    ) -> dict[str, Any]:
        command = self.world.command(reader.uid)
        return disputes.decide(
            self.ctx, command, reader, self.gid, did or self.id, outcome, "Heard both.", list(remedies)
        )

    def say(self, reader: Reader, text: str = "No.") -> dict[str, Any]:
        return disputes.add(self.ctx, self.world.command(reader.uid), reader, self.gid, self.id, text, [])

    def appeal(self, uid: str, did: str | None = None) -> dict[str, Any]:
        return disputes.appeal(
            self.ctx, self.world.command(uid), self.gid, did or self.id, "They did not read it."
        )

    def seen(self, reader: Reader, did: str | None = None) -> dict[str, Any]:
        return disputes.read_dispute(self.ctx, reader, self.gid, did or self.id)


@pytest.fixture(name="quarrel")
def _quarrel() -> Quarrel:
    return Quarrel()


CLAIM = Remedy(kind="claim", debtor="Cy", creditor="Ben", pence=3_000)


def test_upheld_with_a_claim_it_is_a_debt_that_can_be_paid(quarrel: Quarrel) -> None:
    quarrel.say(Reader("Cy"))
    quarrel.take_up(staff())
    assert quarrel.decide(staff(), "upheld", CLAIM)["state"] == "upheld"
    quarrel.page.stands(debt_C=30_00, owed_B=30_00, fees=quarrel.fees, house=quarrel.fees)
    (debt,) = quarrel.circle.member("Cy").open_debts()
    pay_contribution.pay_now(quarrel.ctx, quarrel.world.command("Cy"), quarrel.gid, debt.contribution)
    quarrel.world.settle()
    fees = quarrel.circle.balances()["fees:processor"]
    quarrel.page.stands(cash=30_00, topup_B=30_00, fees=fees, house=fees)
    quarrel.world.advance_to(quarrel.world.clock.moment.date() + timedelta(days=8))
    quarrel.page.stands(fees=fees, house=fees)
    assert quarrel.world.reconcile()["differences"] == []


def test_the_house_can_stand_in_for_a_debt(quarrel: Quarrel) -> None:
    quarrel.say(Reader("Cy"))
    quarrel.take_up(staff())
    quarrel.decide(staff(), "upheld", CLAIM)
    (debt,) = quarrel.circle.member("Cy").open_debts()
    other = quarrel.open("Ben", "person", "Cy")["id"]
    quarrel.take_up(staff(), other)
    quarrel.world.clock.moment += timedelta(days=7)
    pays = Remedy(kind="house_pays", debtor="Cy", debt=debt.id)
    with pytest.raises(RemedyImpossible):
        quarrel.decide(staff(), "upheld", Remedy(kind="house_pays", debtor="Cy", debt="none"), did=other)
    quarrel.decide(staff(), "upheld", pays, did=other)
    fees = quarrel.fees
    quarrel.page.stands(cash=30_00, topup_B=30_00, debt_C=30_00, fees=fees, house=fees + 30_00)
    quarrel.world.advance_to(quarrel.world.clock.moment.date() + timedelta(days=3))
    quarrel.page.stands(debt_C=30_00, fees=fees, house=fees + 30_00)
    assert quarrel.world.reconcile()["differences"] == []


def house(quarrel: Quarrel) -> House:
    (found,) = quarrel.world.store.load(HOUSE_REF.path)
    return HOUSE_REF.read(found.data or {})


def test_the_house_stands_in_for_nobody_below_its_floor(quarrel: Quarrel) -> None:
    """Two claims of £30, and £1,030 of its own: the first is paid, and is counted before the next report."""
    quarrel.world.reconcile()
    found = house(quarrel)
    thin = found.with_(borne_pence=found.capital_pence - FLOOR_PENCE - 30_00)
    quarrel.world.store.commit([Put(thin.path, thin.data())])
    quarrel.say(Reader("Cy"))
    quarrel.take_up(staff())
    quarrel.decide(staff(), "upheld", CLAIM, CLAIM)
    first, second = quarrel.circle.member("Cy").open_debts()
    other = quarrel.open("Ben", "person", "Cy")["id"]
    quarrel.take_up(staff(), other)
    quarrel.world.clock.moment += timedelta(days=7)
    pays = [Remedy(kind="house_pays", debtor="Cy", debt=debt.id) for debt in (first, second)]
    with pytest.raises(RemedyImpossible, match="less of its own left than its floor"):
        quarrel.decide(staff(), "upheld", *pays, did=other)
    quarrel.decide(staff(), "upheld", pays[0], did=other)
    assert house(quarrel).left_pence == FLOOR_PENCE
    third = quarrel.open("Cy", "person", "Ben")["id"]
    quarrel.take_up(staff(), third)
    quarrel.world.clock.moment += timedelta(days=7)
    with pytest.raises(RemedyImpossible):
        quarrel.decide(staff(), "upheld", pays[1], did=third)


def test_rejected_it_posts_nothing(quarrel: Quarrel) -> None:
    quarrel.say(Reader("Cy"))
    quarrel.take_up(staff())
    quarrel.decide(staff(), "rejected", CLAIM)
    quarrel.page.stands(fees=quarrel.fees, house=quarrel.fees)
    with pytest.raises(DisputeClosed):
        quarrel.say(Reader("Ben"))
    with pytest.raises(DisputeClosed):
        quarrel.decide(staff(), "upheld", CLAIM)


def test_the_other_side_is_heard_or_has_had_its_week(quarrel: Quarrel) -> None:
    quarrel.take_up(staff())
    with pytest.raises(DisputeNotReady):
        quarrel.decide(staff(), "upheld", CLAIM)
    quarrel.world.clock.moment += timedelta(days=7)
    assert quarrel.decide(staff(), "upheld", CLAIM)["state"] == "upheld"


def test_only_the_parties_and_staff_with_a_reason_see_it(quarrel: Quarrel) -> None:
    assert quarrel.seen(Reader("Cy"))["entries"][0]["text"] == "He said he would add £30."
    assert quarrel.seen(staff())["entries"][0]["evidence"] == ["doc_1"]
    for reader, refusal in (
        (Reader("Dee"), NoSuchThing),
        (Reader("Ada"), NoSuchThing),
        (Reader("a stranger"), NoSuchThing),
        (staff(reason=None), ReasonMissing),
        (staff(role=Role.FINANCE), NotAllowed),
        (staff("Dee"), NoSuchThing),
    ):
        with pytest.raises(refusal):
            quarrel.seen(reader)
    for uid, count in (("Ben", 1), ("Cy", 1), ("Dee", 0)):
        assert len(disputes.of_group(quarrel.ctx, Reader(uid), quarrel.gid, None, 25)["items"]) == count
    kept = [quarrel.world.documents(name) for name in ("disputes", "journal", "access", "idempotency")]
    assert "add £30" not in str(kept)


def test_who_has_a_part_does_not_review(quarrel: Quarrel) -> None:
    for uid in ("Ben", "Cy", "Dee"):
        with pytest.raises(NoSuchThing):
            quarrel.take_up(staff(uid))
    with pytest.raises(NotAllowed):
        quarrel.decide(staff(), "upheld", CLAIM)  # not taken up by anybody
    quarrel.take_up(staff())
    quarrel.say(Reader("Cy"))
    with pytest.raises(NotAllowed):
        quarrel.decide(staff("tom"), "upheld", CLAIM)


def test_it_is_raised_once_and_can_be_taken_back(quarrel: Quarrel) -> None:
    with pytest.raises(DisputeExists):
        quarrel.open("Ben")
    with pytest.raises(NotAllowed):
        disputes.withdraw(quarrel.ctx, quarrel.world.command("Cy"), quarrel.gid, quarrel.id)
    withdrawn = disputes.withdraw(quarrel.ctx, quarrel.world.command("Ben"), quarrel.gid, quarrel.id)
    assert withdrawn["state"] == "withdrawn"
    with pytest.raises(DisputeClosed):
        quarrel.take_up(staff())


@pytest.mark.parametrize("subject", ["nothing", "Zoe"])
def test_what_is_not_there_cannot_be_disputed(quarrel: Quarrel, subject: str) -> None:
    for kind in ("contribution", "payout", "person"):
        with pytest.raises(NoSuchThing):
            quarrel.open("Ben", kind, subject)
    with pytest.raises(NoSuchThing):
        quarrel.open("a stranger")


def test_a_decision_is_appealed_against_once_and_somebody_else_decides(quarrel: Quarrel) -> None:
    quarrel.say(Reader("Cy"))
    with pytest.raises(AppealNotPossible):
        quarrel.appeal("Cy")
    quarrel.take_up(staff())
    quarrel.decide(staff(), "rejected")
    with pytest.raises(NoSuchThing):
        quarrel.appeal("Dee")
    appeal = quarrel.appeal("Ben")["id"]
    with pytest.raises(AppealNotPossible):
        quarrel.appeal("Cy")
    with pytest.raises(ReviewerNotIndependent):
        quarrel.take_up(staff(), appeal)
    quarrel.take_up(staff("tom"), appeal)
    quarrel.world.clock.moment += timedelta(days=7)
    quarrel.decide(staff("tom"), "upheld", CLAIM, did=appeal)
    quarrel.page.stands(debt_C=30_00, owed_B=30_00, fees=quarrel.fees, house=quarrel.fees)
    with pytest.raises(AppealNotPossible):
        quarrel.appeal("Cy", appeal)
    assert quarrel.seen(Reader("Ben"))["appealed_as"] == appeal


def test_after_a_fortnight_it_is_too_late_to_appeal(quarrel: Quarrel) -> None:
    quarrel.say(Reader("Cy"))
    quarrel.take_up(staff())
    quarrel.decide(staff(), "rejected")
    quarrel.world.clock.moment += timedelta(days=14, seconds=1)
    with pytest.raises(AppealNotPossible):
        quarrel.appeal("Ben")


@pytest.mark.parametrize(
    "remedy",
    [
        Remedy(kind="claim", debtor="Cy", creditor="Cy", pence=1),
        Remedy(kind="claim", debtor="Cy", creditor="Zoe", pence=1),
        Remedy(kind="claim", debtor="Cy", creditor="Ben"),
        Remedy(kind="house_pays", debtor="Cy"),
    ],
)
def test_a_remedy_that_cannot_be_leaves_everything_as_it_was(quarrel: Quarrel, remedy: Remedy) -> None:
    quarrel.say(Reader("Cy"))
    quarrel.take_up(staff())
    with pytest.raises(RemedyImpossible):
        quarrel.decide(staff(), "upheld", CLAIM, remedy)
    quarrel.page.stands(fees=quarrel.fees, house=quarrel.fees)
    assert quarrel.seen(Reader("Ben"))["state"] == "under_review"


def test_what_waits_is_listed_by_its_deadline(quarrel: Quarrel) -> None:
    quarrel.world.clock.moment += timedelta(days=1)
    second = quarrel.open("Dee", "person", "Eve")["id"]
    quarrel.world.clock.moment += timedelta(days=27, hours=1)
    waiting = disputes.to_decide(quarrel.ctx, None, 25)["items"]
    assert [(one["id"], one["overdue"]) for one in waiting] == [(quarrel.id, True), (second, False)]


# --- who was erased -----------------------------------------------------------------------------------------


def over(quarrel: Quarrel) -> World:
    """The circle has ended, and nobody owes anything."""
    quarrel.page.to_the_end()
    return quarrel.world


def erase(world: World, uid: str) -> Any:
    return erase_person.erase(world.ctx, world.command(uid), ForgottenSignIns())  # type: ignore[arg-type]


class ForgottenSignIns:
    """`IdentityProvider` of which only the removal is asked."""

    def remove(self, uid: str) -> None:
        """Nobody signs in here."""


def test_while_a_dispute_can_be_decided_its_people_are_not_erased(quarrel: Quarrel) -> None:
    """Cy was erased, and then a claim against him was upheld, which nobody could pay (seed 66)."""
    world = over(quarrel)
    for uid in ("Ben", "Cy"):
        with pytest.raises(CannotBeErased) as refusal:
            erase(world, uid)
        assert "dispute" in str(refusal.value)
    erase(world, "Dee")  # has no part in it

    quarrel.say(Reader("Cy"))
    quarrel.take_up(staff())
    quarrel.decide(staff(), "rejected")
    world.clock.moment += timedelta(days=13)
    with pytest.raises(CannotBeErased):  # Ben may still appeal
        erase(world, "Cy")
    world.clock.moment += timedelta(days=2)
    assert erase(world, "Cy") == {"erased": True}


def test_nobody_complains_of_who_was_erased_and_nobody_claims_from_them(quarrel: Quarrel) -> None:
    """It could be opened, and decided unheard once their time to answer was over."""
    world = over(quarrel)
    erase(world, "Dee")
    with pytest.raises(AccountClosed):
        quarrel.open("Ben", "person", "Dee")
    quarrel.say(Reader("Cy"))
    quarrel.take_up(staff())
    for debtor, creditor in (("Dee", "Ben"), ("Ben", "Dee")):
        with pytest.raises(RemedyImpossible):
            quarrel.decide(
                staff(), "upheld", Remedy(kind="claim", debtor=debtor, creditor=creditor, pence=30_00)
            )


def test_nobody_owes_by_a_decision_who_was_never_let_into_the_circle() -> None:
    """Only the creditor's place was looked at: who asked for one and was rejected could be made to owe."""
    world = World()
    people = world.people(5)
    gid = world.recruiting(people)
    zoe, ben = world.person("Zoe"), people[1]
    code = invite.invite(world.ctx, world.command(people[0]), gid, 14)["code"]
    join_group.join(world.ctx, world.command(zoe), None, code, waiting_list=True)
    approve_member.reject(world.ctx, world.command(people[0]), gid, zoe)
    circle = world.locked(gid, people)
    opened = disputes.open_dispute(
        world.ctx, world.command(ben), gid, "person", people[2], "They owe me.", []
    )
    did = opened["id"]
    disputes.add(world.ctx, world.command(people[2]), Reader(people[2]), gid, did, "No.", [])
    disputes.take_up(world.ctx, world.command("sue"), staff(), gid, did)
    claim = Remedy(kind="claim", debtor=zoe, creditor=ben, pence=30_00)
    with pytest.raises(RemedyImpossible):
        disputes.decide(world.ctx, world.command("sue"), staff(), gid, did, "upheld", "Heard.", [claim])
    assert circle.member(zoe).debts == []
