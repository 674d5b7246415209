"""People over time: identity as the processor tells it, erasure after a circle, keys that rotate."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.errors import CannotBeErased, IdentityInTheWay
from shared.domain.identity import ALLOWS, IdentityCheck, identity_state, require_ability
from shared.domain.users import User, user_ref
from shared.domain.words import Ability
from shared.services import erase_person, identity_check, profile
from tests.builders import STARTS, World


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
