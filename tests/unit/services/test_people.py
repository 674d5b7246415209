"""People over time: identity as the processor tells it, erasure after a circle, keys that rotate."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.errors import (
    AccountClosed,
    CannotBeErased,
    IdentityInTheWay,
    NoSuchThing,
    ProcessorUnavailable,
)
from shared.domain.groups import Terms
from shared.domain.identity import ALLOWS, IdentityCheck, identity_state, require_ability
from shared.domain.members import Member
from shared.domain.users import User, user_ref
from shared.domain.words import Ability
from shared.ports import Create, Put
from shared.services import (
    accept_agreement,
    approve_member,
    assign_role,
    cancel_group,
    create_group,
    erase_person,
    identity_check,
    import_circle,
    invite,
    join_group,
    leave_group,
    pay_contribution,
    profile,
)
from shared.services.context import Reader
from tests.builders import NAMES, STARTS, Circle, World
from tests.worked_examples.page import Page
from tests.worked_examples.test_brought_in import FILE


class Nobody:
    """`IdentityProvider` of which only the removal is asked."""

    def __init__(self) -> None:
        self.removed: list[str] = []

    def remove(self, uid: str) -> None:
        self.removed.append(uid)


def erase(world: World, uid: str) -> Any:
    return erase_person.erase(world.ctx, world.command(uid, f"erase-{uid}"), Nobody())  # type: ignore[arg-type]


def user(world: World, uid: str) -> User:
    (found,) = world.store.load(user_ref(uid).path)
    return User.model_validate(dict(found.data or {}))


# --- identity ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("account", "ready", "disabled", "check", "state"),
    [
        (False, False, False, None, "none"),
        (True, False, False, None, "pending"),
        (True, True, False, None, "verified"),
        (True, False, True, None, "restricted"),
        (False, False, False, "open", "pending"),
        (True, True, False, "open", "pending"),
        (True, True, False, "processing", "pending"),
        (True, True, False, "verified", "verified"),
        (True, True, False, "failed", "restricted"),
        (True, True, False, "cancelled", "restricted"),
        (True, False, True, "verified", "restricted"),
    ],
)
def test_the_four_states(account: bool, ready: bool, disabled: bool, check: Any, state: str) -> None:
    looked = IdentityCheck(reference="vs_1", state=check, at=STARTS) if check else None
    assert identity_state(has_account=account, can_receive=ready, disabled=disabled, check=looked) == state


@pytest.mark.parametrize("state", ALLOWS)
@pytest.mark.parametrize("ability", Ability)
def test_what_each_state_allows(state: Any, ability: Ability) -> None:
    if ability in ALLOWS[state]:
        require_ability(state, ability)
    else:
        with pytest.raises(IdentityInTheWay):
            require_ability(state, ability)
    assert Ability.PAY_IN in ALLOWS[state]  # what is owed is taken from anybody


def test_a_check_is_followed_by_webhook() -> None:
    world = World()
    ada = world.person("Ada")
    assert user(world, ada).identity == "verified"  # by the onboarding of the payout account
    begun = identity_check.start(world.ctx, world.command(ada), "https://ajo.test/done")
    assert (begun["state"], begun["url"] is not None) == ("pending", True)
    session = user(world, ada).identity_check
    assert session is not None
    world.control("POST", f"identity/{session.reference}", {"verified": False})
    world.settle()
    assert user(world, ada).identity == "restricted"
    world.control("POST", f"identity/{session.reference}", {"verified": True})
    world.settle()
    assert user(world, ada).identity == "verified"


# --- erasure ----------------------------------------------------------------------------------------------


def test_in_a_running_circle_nobody_is_erased_and_nothing_is_changed() -> None:
    world = World()
    circle = world.circle(world.people(5))
    with pytest.raises(CannotBeErased) as refusal:
        erase(world, "Ada")
    assert circle.id in str(refusal.value)
    assert profile.own_profile(world.ctx, "Ada")["full_name"] == "Ada Adeyemi-Zachary"


def test_after_the_circle_a_person_is_erased_and_the_ledger_stands() -> None:
    world = World()
    circle = world.circle(world.people(5), frequency="weekly")
    world.advance_to(circle.pays_out(5))
    while circle.group.state != "completed":
        world.advance_to(world.clock.moment.date().fromordinal(world.clock.moment.toordinal() + 1))
    before = (circle.facts(), circle.balances())
    assert erase(world, "Ada") == {"erased": True}
    assert erase(world, "Ada") == {"erased": True}
    assert (circle.facts(), circle.balances()) == before
    assert world.reconcile()["differences"] == []
    assert user(world, "Ada").state == "closed"
    assert not [one for one in world.documents("profiles") if one["uid"] == "Ada"]
    assert not [one for one in world.documents("names") if one["uid"] == "Ada"]
    (key,) = [one for one in world.documents("keys") if one["owner"] == "Ada"]
    assert key["versions"] == {}


def cards_there(world: World, uid: str) -> list[str]:
    """What the processor could still collect from somebody by."""
    return [one.reference for one in world.ctx.gateway.methods(user(world, uid).payer or "")]


def test_a_card_that_came_while_its_holder_was_erased_is_forgotten_at_the_processor_too() -> None:
    """Its news found nowhere to be kept and was quarantined, and the card stayed with the processor."""
    world = World()
    ada = world.person("Ada")
    erase(world, ada)
    world.ctx.gateway.attach_method(ada, user(world, ada).payer or "", "pm_card_mastercard", "asked before")
    world.settle()
    assert cards_there(world, ada) == []
    assert world.documents("quarantine") == []


def test_an_erasure_that_the_processor_did_not_answer_is_finished_by_the_same_request() -> None:
    """It was told as done, and the card stayed with the processor for ever."""
    world = World()
    ada = world.person("Ada")
    detach = "/v1/payment_methods/*/detach"
    world.control("POST", "faults", {"kind": "cut_before", "method": "POST", "path": detach})
    with pytest.raises(ProcessorUnavailable):
        erase(world, ada)
    assert erase(world, ada) == {"erased": True}
    assert cards_there(world, ada) == []


def test_who_owes_in_a_circle_of_long_ago_is_not_erased() -> None:
    """The latest hundred circles were looked at: who had asked for places in as many since was let go."""
    world = World()
    circle, uid = owes_again(world)
    with pytest.raises(CannotBeErased):
        erase(world, uid)
    world.person(NAMES[6])
    for _ in range(100):
        world.clock.moment += timedelta(days=1)
        starts = world.clock.moment.date() + timedelta(days=30)
        gid = world.recruiting([NAMES[6]], members=5, first_due_date=starts)
        member = Member(group=gid, uid=uid, state="left", joined_at=world.clock.moment)
        world.store.commit([Create(member.path, member.data())])
    with pytest.raises(CannotBeErased) as refusal:
        erase(world, uid)
    assert circle.id in str(refusal.value)


def owes_again(world: World) -> tuple[Circle, str]:
    """A circle that has ended, and somebody whose bank has taken their first contribution back after it."""
    circle = world.circle(world.people(5), frequency="weekly", default_policy="pay_cleared")
    world.advance_to(circle.pays_out(5) + timedelta(days=30))
    contribution = circle.contribution(1, next(uid for uid in NAMES[:5] if uid != circle.recipient(1)))
    world.control("POST", f"charges/{contribution.attempts[-1].reference}/dispute", {})
    world.settle()
    return circle, contribution.uid


def test_who_may_still_have_money_back_is_not_erased() -> None:
    """What they paid is with their bank, who may decide for us: it was due to somebody whom nobody knew."""
    world = World()
    circle, uid = owes_again(world)
    contribution = circle.contribution(1, uid)
    pay_contribution.pay_now(world.ctx, world.command(uid), circle.id, contribution.id)
    world.settle()
    assert circle.member(uid).owes_pence() == 0
    with pytest.raises(CannotBeErased, match="under way"):
        erase(world, uid)


def test_who_has_a_part_of_the_reserve_to_come_is_not_erased() -> None:
    """The circle is wound up, and nothing is owed: the reserve goes back once all its money has cleared."""
    page = Page("reserve", reserve_pence=25_00)
    page.paid_out(2, days_more=2)
    page.agreed(page.organiser, "wind_up", page.member())
    uid = page.circle.recipient(1)
    for debt in page.circle.member(uid).open_debts():
        pay_contribution.pay_now(page.world.ctx, page.world.command(uid), page.circle.id, debt.contribution)
    with pytest.raises(CannotBeErased, match="reserve"):
        erase(page.world, uid)


def test_who_has_money_on_its_way_is_not_erased() -> None:
    world = World()
    circle = world.circle(world.people(5), frequency="weekly")
    world.advance_to(circle.pays_out(5) + timedelta(days=30))
    payout = circle.payout(5)
    world.store.commit([Put(payout.path, payout.with_(state="bank_failed").data())])
    with pytest.raises(CannotBeErased, match="on its way"):
        erase(world, payout.recipient)


# --- erasure before a lock --------------------------------------------------------------------------------


def test_who_organises_a_circle_that_forms_hands_it_over_first() -> None:
    """They were erased, and nobody could lock their circle, or call it off."""
    world = World()
    gid = world.recruiting(world.people(5))
    world.person("Fay")
    draft = create_group.create_group(world.ctx, world.command("Fay"), terms(), draft=True)["id"]
    for uid, circle in (("Ada", gid), ("Fay", draft)):
        with pytest.raises(CannotBeErased, match=f"{circle}.*hand it over, or call it off"):
            erase(world, uid)
    assign_role.assign(world.ctx, world.command("Ada"), gid, "Ben", "organiser")
    assert erase(world, "Ada") == {"erased": True}
    cancel_group.cancel(world.ctx, world.command("Fay"), draft)
    assert erase(world, "Fay") == {"erased": True}


def test_a_place_that_nothing_was_promised_for_is_given_up_with_the_account() -> None:
    """It stayed approved: who could not sign in any more never accepted, and the circle waited for ever."""
    world = World()
    people = world.people(6)
    circles = [Circle(world, world.recruiting(people[:5])) for _ in range(2)]
    code = invite.invite(world.ctx, world.command("Ada"), circles[0].id, 14)["code"]
    leave_group.leave(world.ctx, world.command("Eve"), circles[0].id)
    join_group.join(world.ctx, world.command("Eve"), None, code)
    assert erase(world, "Eve") == {"erased": True}
    assert [circle.group.seat("Eve") for circle in circles] == [None, None]
    assert [circle.member("Eve").state for circle in circles] == ["left", "left"]
    assert [one.payload for one in circles[0].facts("request_withdrawn")] == [{"member": "Eve"}]
    assert [one.payload for one in circles[1].facts("member_left")] == [{"member": "Eve"}]
    with pytest.raises(NoSuchThing):
        approve_member.approve(world.ctx, world.command("Ada"), circles[0].id, "Eve")


def test_who_has_accepted_leaves_first() -> None:
    world = World()
    gid = world.recruiting(world.people(5))
    read = accept_agreement.read(world.ctx, Reader("Eve"), gid)["hash"]
    accept_agreement.accept(world.ctx, world.command("Eve"), gid, read)
    with pytest.raises(CannotBeErased, match=f"{gid}: leave it first"):
        erase(world, "Eve")
    leave_group.leave(world.ctx, world.command("Eve"), gid)
    assert erase(world, "Eve") == {"erased": True}


def test_nobody_is_let_in_who_was_erased() -> None:
    """Who was erased while their request stood, before an erasure took requests back."""
    world = World()
    people = world.people(6)
    gid = world.recruiting(people[:5], members=6)
    code = invite.invite(world.ctx, world.command("Ada"), gid, 14)["code"]
    join_group.join(world.ctx, world.command("Fay"), None, code)
    closed = user(world, "Fay").with_(state="closed")
    world.store.commit([Put(closed.path, closed.data())])
    with pytest.raises(AccountClosed):
        approve_member.approve(world.ctx, world.command("Ada"), gid, "Fay")
    assert approve_member.reject(world.ctx, world.command("Ada"), gid, "Fay")["state"] == "rejected"


def test_who_was_erased_founds_nothing() -> None:
    world = World()
    world.person("Ada")
    erase(world, "Ada")
    with pytest.raises(AccountClosed):
        create_group.create_group(world.ctx, world.command("Ada"), terms())
    with pytest.raises(AccountClosed):
        import_circle.import_circle(world.ctx, world.command("Ada"), terms(), FILE, "ada@example.com")


def terms() -> Terms:
    return Terms(
        name="T",
        amount_pence=10_000,
        frequency="monthly",
        members=5,
        first_due_date=STARTS.date() + timedelta(days=40),
    )
