"""Races in a running circle: two at once, one winner, the other told why or deciding anew, nothing half done.

`Meanwhile` lets another use case run, whole, between one's load and its commit: the worst moment there is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.adapters.memory_store import MemoryStore
from shared.domain.commitments import GROUPS_MAX, Commitments
from shared.domain.documents import Ref
from shared.domain.errors import (
    AccountClosed,
    ApprovalClosed,
    CannotBeErased,
    CapReached,
    CycleOpen,
    GroupFull,
    GroupNotOpen,
    NoSuchDebt,
    NoSuchThing,
    PotsDiffer,
)
from shared.domain.groups import group_ref
from shared.domain.ledger import discrepancies, overdrawn
from shared.ports import Create, Write
from shared.services import (
    accept_agreement,
    approvals,
    approve_member,
    assign_role,
    disputes,
    erase_person,
    invite,
    join_group,
    leave_group,
    lock_group,
    read_group,
    send_payout,
)
from shared.services.context import Context, Reader
from shared.services.reserve_payout import reserve_payout
from shared.services.transact import Loaded
from shared.services.transact import read as look
from tests.builders import Circle, World
from tests.worked_examples.page import NO_ROLES, Page


class Meanwhile(MemoryStore):
    """The store in memory; `meanwhile` runs once, right before the next commit."""

    meanwhile: Callable[[], Any] | None = None

    def commit(self, writes: Sequence[Write]) -> None:
        step, self.meanwhile = self.meanwhile, None
        if step is not None:
            step()
        super().commit(writes)


@pytest.fixture
def store() -> Meanwhile:
    return Meanwhile()


@pytest.fixture
def page(store: Meanwhile) -> Page:
    return Page(world=World(store=store))


def leave(page: Page, letter: str) -> dict[str, Any]:
    return leave_group.leave(page.world.ctx, page.world.command(page.uid[letter]), page.circle.id)


def reserve(page: Page, cycle: int) -> dict[str, Any]:
    return reserve_payout(page.world.ctx, page.world.command("system"), page.circle.payout(cycle))


def sound(circle: Circle) -> None:
    stand = circle.stand()
    assert overdrawn(stand) == []
    assert discrepancies(stand) == []


def test_a_swap_that_races_the_payout_of_its_cycle_loses(page: Page, store: Meanwhile) -> None:
    page.due(3, days_more=-1)
    request = page.asks("C", "swap", other="E")
    *others, last = dict.fromkeys(one for one in ("E", page.organiser) if one != "C")
    for letter in others:
        page.consents(letter, request)

    store.meanwhile = lambda: page.paid_out(3)
    with pytest.raises(CycleOpen):
        page.consents(last, request)
    assert page.circle.recipient(3) == page.uid["C"]
    assert page.got()["C"] == 500
    page.to_the_end()
    page.ended()


def test_turns_that_no_longer_bring_the_same_are_not_even_asked_to_change(page: Page) -> None:
    """Two members and the organiser consented first, and were refused at the end."""
    page.runs(1)
    page.pays("D", 5)
    page.leaves("D")
    before = {one["id"]: one["revision"] for one in page.world.documents("payouts")}
    with pytest.raises(PotsDiffer):
        page.asks("C", "swap", other="E")
    assert page.world.documents("approvals") == []
    page.asks("B", "swap", other="C")
    assert {one["id"]: one["revision"] for one in page.world.documents("payouts")} == before


def test_what_changed_after_it_was_asked_for_is_decided_at_the_last_consent(page: Page) -> None:
    page.runs(1)
    request = page.asks("C", "swap", other="E")
    *others, last = dict.fromkeys(one for one in ("E", page.organiser) if one != "C")
    for letter in others:
        page.consents(letter, request)
    page.pays("D", 5)
    page.leaves("D")
    with pytest.raises(PotsDiffer):
        page.consents(last, request)


def test_who_repeats_a_request_is_answered_as_before(page: Page) -> None:
    """Also where by now it would be refused."""
    page.runs(1)
    ctx, gid, uid = page.world.ctx, page.circle.id, page.uid["C"]
    command = page.world.command(uid, key="ask once")
    payload = {"about": uid, "other": page.uid["E"]}
    asked = approvals.ask(ctx, command, frozenset(), gid, "swap", payload)
    page.pays("D", 5)
    page.leaves("D")
    assert approvals.ask(ctx, command, frozenset(), gid, "swap", payload) == asked


def test_a_payout_that_is_voided_while_it_is_found_held_stays_at_rest(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look at it was planned all the same, and found nothing to do at each tick for ever."""
    page.reserved(1)
    payout = page.circle.payout(1)

    def held_until(ctx: Context, uid: str, *beside: Ref[Any]) -> tuple[datetime, Loaded]:
        page.disputes("B", 1)
        return ctx.clock.now() + timedelta(days=7), look(ctx, *beside)

    monkeypatch.setattr(send_payout, "payout_held_until", held_until)
    answer = send_payout.send_payout(
        page.world.ctx, page.world.command("system:submit"), page.circle.id, payout.id
    )
    assert answer["state"] == "void"
    assert page.circle.payout(1).act_at is None


def test_a_leaving_that_races_a_reservation_decides_anew(page: Page, store: Meanwhile) -> None:
    """D's leaving saw C's pot open; at its commit the pot is reserved: C owes, and nothing is netted."""
    page.due(3, days_more=4)
    day = page.circle.pays_out(3)

    def reserved() -> None:
        page.world.clock.moment = page.world.clock.moment.replace(day=day.day, month=day.month)
        assert reserve(page, 3)["state"] == "reserved"

    store.meanwhile = reserved
    leave(page, "D")
    sound(page.circle)
    page.to_the_end()
    assert page.got()["D"] == page.paid()["D"] == 300
    assert page.got() == page.paid()
    page.ended()


def test_a_reservation_that_races_a_leaving_decides_anew(page: Page, store: Meanwhile) -> None:
    page.due(3, days_more=4)
    day = page.circle.pays_out(3)
    page.world.clock.moment = page.world.clock.moment.replace(day=day.day, month=day.month)
    store.meanwhile = lambda: leave(page, "D")
    answer = reserve(page, 3)
    assert (answer["state"], answer["pence"]) == ("reserved", 40_000)
    sound(page.circle)
    page.to_the_end()
    assert page.got() == page.paid()
    page.ended()


def test_two_leave_at_once(page: Page, store: Meanwhile) -> None:
    page.paid_out(2, days_more=3)
    store.meanwhile = lambda: leave(page, "E")
    leave(page, "D")
    page.stands(debt_A=200_00, debt_B=200_00, owed_D=200_00, owed_E=200_00, fees=17_00, house=17_00)
    page.to_the_end()
    assert page.paid() == {"A": 500, "B": 500, "C": 300, "D": 200, "E": 200}
    assert page.got() == page.paid()
    page.ended()


def test_the_same_consent_twice_at_once_does_the_deed_once(page: Page, store: Meanwhile) -> None:
    page.days(1)
    request = page.asks(page.organiser, "wind_up")
    one, other = page.member(page.organiser), page.member(page.organiser, page.member(page.organiser))
    store.meanwhile = lambda: page.consents(one, request)
    with pytest.raises(ApprovalClosed):
        page.consents(other, request)
    assert len(page.circle.facts("group_wound_up")) == 1
    page.ended("wound_up")


def test_a_write_off_that_races_the_payment_finds_nothing_to_let_go(page: Page, store: Meanwhile) -> None:
    late = page.member("A")
    page.bank_refuses(late, times=4)
    page.paid_out(1, days_more=3)
    request = page.asks("A", "write_off", about=late, other="A")
    if page.organiser == "A":
        return
    store.meanwhile = lambda: page.pays(late, 1)
    with pytest.raises(NoSuchDebt):
        page.consents(page.organiser, request)
    page.to_the_end()
    page.ended()


def test_a_removed_members_token_opens_nothing(page: Page) -> None:
    out = page.member(page.organiser)
    page.days(1)
    page.agreed(page.organiser, "removal", page.member(page.organiser, out), about=out)
    reader = Reader(page.uid[out])
    for read in (read_group.group, read_group.schedule, read_group.balances):
        with pytest.raises(NoSuchThing):
            read(page.world.ctx, reader, page.circle.id)
    request = page.asks(page.organiser, "wind_up")
    with pytest.raises(NoSuchThing):
        page.consents(out, request)
    with pytest.raises(NoSuchThing):
        leave(page, out)
    listed = approvals.list_approvals(
        page.world.ctx, page.uid[page.organiser], NO_ROLES, page.circle.id, None, 10
    )
    assert {one["kind"] for one in listed["items"]} == {"wind_up", "removal"}


def test_the_cap_holds_where_two_circles_are_accepted_at_once(store: Meanwhile) -> None:
    world = World(store=store)
    people = world.people(6)
    one = world.recruiting(people[:5], amount_pence=5_000)
    other = world.recruiting([people[5], *people[:4]], amount_pence=5_000)
    promised = {f"grp_{number}": 5_000 for number in range(GROUPS_MAX - 1)}
    mine = Commitments(person=people[1], monthly_pence=promised)
    store.commit([Create(mine.path, mine.data())])

    def accept(gid: str) -> None:
        text = accept_agreement.read(world.ctx, Reader(people[1]), gid)
        accept_agreement.accept(world.ctx, world.command(people[1]), gid, text["hash"])

    store.meanwhile = lambda: accept(other)
    with pytest.raises(CapReached):
        accept(one)
    (snapshot,) = store.load(mine.path)
    assert len((snapshot.data or {})["monthly_pence"]) == GROUPS_MAX


# --- before the start ---------------------------------------------------------------------------------------


def asks_for_a_place(world: World, group: str, uid: str, *, waiting_list: bool = False) -> None:
    code = invite.invite(world.ctx, world.command("Ada"), group, 14)["code"]
    join_group.join(world.ctx, world.command(uid), None, code, waiting_list=waiting_list)


def states(world: World, group: str) -> dict[str, str]:
    """Each person's state by the roster, which their own document must tell, too."""
    ref = group_ref(group)
    (found,) = world.store.load(ref.path)
    seats = {seat.uid: seat.state for seat in ref.read(found.data or {}).seats}
    told = {one["uid"]: one["state"] for one in world.documents("members") if one["group"] == group}
    assert told == seats
    return {uid: str(state) for uid, state in seats.items()}


@pytest.fixture(name="filling")
def _filling(store: Meanwhile) -> tuple[World, str]:
    """A circle of five with one place left, for which Eve and Fay ask."""
    world = World(store=store)
    people = world.people(6)
    group = world.recruiting(people[:4], members=5)
    for uid in people[4:]:
        asks_for_a_place(world, group, uid)
    return world, group


def test_of_two_who_are_let_in_at_once_one_gets_the_last_place(
    filling: tuple[World, str], store: Meanwhile
) -> None:
    world, group = filling

    def let_in(uid: str) -> None:
        approve_member.approve(world.ctx, world.command("Ada"), group, uid)

    store.meanwhile = lambda: let_in("Fay")
    with pytest.raises(GroupFull):
        let_in("Eve")
    found = states(world, group)
    assert (found["Fay"], found["Eve"]) == ("approved", "requested")


def test_of_two_who_were_named_and_join_at_once_one_gets_the_last_place(
    filling: tuple[World, str], store: Meanwhile
) -> None:
    """Invited by e-mail, nobody needs to approve them."""
    world, group = filling
    for uid in ("Gus", "Hal"):
        world.person(uid)
    codes = {
        uid: invite.invite(world.ctx, world.command("Ada"), group, 14, email=f"{uid}@example.com")["code"]
        for uid in ("Gus", "Hal")
    }

    def joins(uid: str) -> None:
        join_group.join(world.ctx, world.command(uid), None, codes[uid], email=f"{uid}@example.com")

    store.meanwhile = lambda: joins("Hal")
    with pytest.raises(GroupFull):
        joins("Gus")
    found = states(world, group)
    assert found["Hal"] == "approved"
    assert "Gus" not in found


@pytest.fixture(name="agreed")
def _agreed(store: Meanwhile) -> tuple[World, str]:
    """A full circle that everybody has accepted; Fay would like to wait for a place."""
    world = World(store=store)
    people = world.people(6)
    group = world.recruiting(people[:5])
    for uid in people[:5]:
        text = accept_agreement.read(world.ctx, Reader(uid), group)
        accept_agreement.accept(world.ctx, world.command(uid), group, text["hash"])
    return world, group


def test_who_joins_while_the_organiser_locks_is_told_that_it_is_closed(
    agreed: tuple[World, str], store: Meanwhile
) -> None:
    world, group = agreed
    code = invite.invite(world.ctx, world.command("Ada"), group, 14)["code"]

    def joins() -> None:
        join_group.join(world.ctx, world.command("Fay"), None, code, waiting_list=True)

    def locks() -> None:
        lock_group.lock(world.ctx, world.command("Ada"), group)

    # The first commit counts the guesses at codes; the second is the joining itself.
    store.meanwhile = lambda: setattr(store, "meanwhile", locks)
    with pytest.raises(GroupNotOpen):
        joins()
    assert "Fay" not in states(world, group)
    sound(Circle(world, group))
    assert Circle(world, group).group.state == "locked"


def test_a_lock_while_somebody_asks_for_a_place_decides_anew_and_has_its_five(
    agreed: tuple[World, str], store: Meanwhile
) -> None:
    world, group = agreed
    store.meanwhile = lambda: asks_for_a_place(world, group, "Fay", waiting_list=True)
    lock_group.lock(world.ctx, world.command("Ada"), group)
    circle = Circle(world, group)
    assert circle.group.state == "locked"
    assert {cycle.recipient for cycle in circle.group.schedule} == {"Ada", "Ben", "Cy", "Dee", "Eve"}
    assert states(world, group)["Fay"] == "expired"
    assert not [one for one in world.documents("contributions") if one["uid"] == "Fay"]


# --- erasure and quarrels -----------------------------------------------------------------------------------


class ForgottenSignIns:
    """`IdentityProvider` of which only the removal is asked."""

    def remove(self, uid: str) -> None:
        """Nobody signs in here."""


@pytest.fixture(name="ended")
def _ended() -> tuple[World, Meanwhile, Circle]:
    """A circle that has ended, in which the group's key was used before: nothing else commits in between."""
    store = Meanwhile()
    world = World(store=store)
    circle = world.circle(world.people(5), frequency="weekly")
    world.advance_to(circle.pays_out(5) + timedelta(days=9))
    complain(world, circle, "Eve", "Dee")
    return world, store, circle


def complain(world: World, circle: Circle, uid: str, other: str) -> dict[str, Any]:
    command = world.command(uid)
    return disputes.open_dispute(world.ctx, command, circle.id, "person", other, "They promised.", [])


def erase(world: World, uid: str) -> dict[str, Any]:
    return erase_person.erase(world.ctx, world.command(uid), ForgottenSignIns())  # type: ignore[arg-type]


def test_who_is_erased_meanwhile_is_not_accused(ended: tuple[World, Meanwhile, Circle]) -> None:
    world, store, circle = ended
    store.meanwhile = lambda: erase(world, "Cy")
    with pytest.raises(AccountClosed):
        complain(world, circle, "Ben", "Cy")


def test_who_is_accused_meanwhile_is_not_erased(ended: tuple[World, Meanwhile, Circle]) -> None:
    world, store, circle = ended
    store.meanwhile = lambda: complain(world, circle, "Ben", "Cy")
    with pytest.raises(CannotBeErased):
        erase(world, "Cy")


# --- erasure and places before a lock ----------------------------------------------------------------------


@pytest.fixture(name="forming")
def _forming(store: Meanwhile) -> tuple[World, str]:
    """A circle of five that recruits: all have a place, and nobody has accepted yet. Fay stands outside."""
    world = World(store=store)
    return world, world.recruiting(world.people(6)[:5], members=6, visibility="public")


def asks(world: World, group: str, uid: str) -> dict[str, Any]:
    return join_group.join(world.ctx, world.command(uid), group, None)


def test_who_is_erased_meanwhile_asks_for_nothing(forming: tuple[World, str], store: Meanwhile) -> None:
    world, group = forming
    store.meanwhile = lambda: erase(world, "Fay")
    with pytest.raises(AccountClosed):
        asks(world, group, "Fay")
    assert "Fay" not in states(world, group)


def test_what_is_asked_for_during_an_erasure_is_taken_back_by_it(
    forming: tuple[World, str], store: Meanwhile
) -> None:
    world, group = forming
    store.meanwhile = lambda: asks(world, group, "Fay")
    erase(world, "Fay")
    assert states(world, group)["Fay"] == "left"


def test_who_is_erased_meanwhile_is_not_let_in(forming: tuple[World, str], store: Meanwhile) -> None:
    world, group = forming
    asks(world, group, "Fay")
    store.meanwhile = lambda: erase(world, "Fay")
    with pytest.raises(NoSuchThing):
        approve_member.approve(world.ctx, world.command("Ada"), group, "Fay")
    assert states(world, group)["Fay"] == "left"


def test_who_is_let_in_meanwhile_leaves_with_the_erasure(
    forming: tuple[World, str], store: Meanwhile
) -> None:
    world, group = forming
    asks(world, group, "Fay")
    store.meanwhile = lambda: approve_member.approve(world.ctx, world.command("Ada"), group, "Fay")
    erase(world, "Fay")
    assert states(world, group)["Fay"] == "left"
    assert Circle(world, group).member("Fay").state == "left"


def test_who_is_handed_a_circle_meanwhile_is_not_erased(forming: tuple[World, str], store: Meanwhile) -> None:
    world, group = forming
    store.meanwhile = lambda: assign_role.assign(world.ctx, world.command("Ada"), group, "Eve", "organiser")
    with pytest.raises(CannotBeErased, match="hand it over"):
        erase(world, "Eve")


def test_who_founds_a_circle_meanwhile_is_not_erased(forming: tuple[World, str], store: Meanwhile) -> None:
    world, _ = forming
    store.meanwhile = lambda: world.recruiting(["Fay"], members=5)
    with pytest.raises(CannotBeErased, match="hand it over"):
        erase(world, "Fay")
