"""Places of a circle that forms: who is let in can be removed, and the place goes to somebody else."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.commitments import commitments_ref
from shared.domain.errors import (
    GroupNotOpen,
    InvitationInvalid,
    NotAllowed,
    OrganiserNeeded,
    WrongMembershipState,
)
from shared.services import (
    accept_agreement,
    approve_member,
    assign_role,
    invite,
    join_group,
)
from shared.services.context import Reader
from shared.services.transact import read
from tests.builders import Circle, World


@pytest.fixture(name="world")
def _world() -> World:
    return World()


def remove(world: World, by: str, gid: str, uid: str) -> dict[str, Any]:
    return approve_member.remove(world.ctx, world.command(by), gid, uid)


def accept(world: World, gid: str, uid: str) -> None:
    text = accept_agreement.read(world.ctx, Reader(uid), gid)
    accept_agreement.accept(world.ctx, world.command(uid), gid, text["hash"])


def promised(world: World, uid: str) -> dict[str, int]:
    found = read(world.ctx, commitments_ref(uid)).find(commitments_ref(uid))
    return found.monthly_pence if found else {}


# --- removing who was let in --------------------------------------------------------------------------------


def test_who_never_accepts_is_removed_and_the_circle_starts_with_somebody_else(world: World) -> None:
    """They blocked it for good: the organiser could only call it off."""
    people = world.people(6)
    gid = world.recruiting(people[:5])
    for uid in people[:4]:
        accept(world, gid, uid)
    assert remove(world, "Ada", gid, "Eve")["state"] == "removed"
    code = invite.invite(world.ctx, world.command("Ada"), gid, 14)["code"]
    join_group.join(world.ctx, world.command("Fay"), None, code)
    approve_member.approve(world.ctx, world.command("Ada"), gid, "Fay")
    circle = world.locked(gid, [*people[:4], "Fay"])
    assert circle.group.state == "locked"
    assert {seat.uid for seat in circle.group.seated()} == {"Ada", "Ben", "Cy", "Dee", "Fay"}
    (fact,) = circle.facts("member_removed")
    assert (fact.actor, fact.payload) == ("Ada", {"member": "Eve"})


def test_who_has_accepted_is_removed_by_a_deputy_and_has_promised_nothing_any_more(world: World) -> None:
    people = world.people(5)
    gid = world.recruiting(people)
    accept(world, gid, "Eve")
    assert gid in promised(world, "Eve")
    assign_role.assign(world.ctx, world.command("Ada"), gid, "Ben", "deputy")
    remove(world, "Ben", gid, "Eve")
    assert promised(world, "Eve") == {}
    circle = Circle(world, gid)
    assert circle.member("Eve").state == "removed"
    assert circle.group.seat("Eve") is None


def test_who_was_removed_may_ask_anew_and_begins_as_anybody(world: World) -> None:
    people = world.people(5)
    gid = world.recruiting(people)
    assign_role.assign(world.ctx, world.command("Ada"), gid, "Eve", "deputy")
    accept(world, gid, "Eve")
    remove(world, "Ada", gid, "Eve")
    code = invite.invite(world.ctx, world.command("Ada"), gid, 14)["code"]
    assert join_group.join(world.ctx, world.command("Eve"), None, code)["state"] == "requested"
    approve_member.approve(world.ctx, world.command("Ada"), gid, "Eve")
    seat = Circle(world, gid).group.seat("Eve")
    assert seat is not None
    assert (seat.state, seat.role, seat.agreed_hash) == ("approved", "member", None)


def test_who_was_removed_does_not_walk_in_again_by_the_code_that_named_them(world: World) -> None:
    people = world.people(5)
    gid = world.recruiting(people[:4], members=5)

    def comes(code: str) -> str:
        joined = join_group.join(world.ctx, world.command("Eve"), None, code, email="eve@example.com")
        return str(joined["state"])

    named = [
        invite.invite(world.ctx, world.command("Ada"), gid, 14, "eve@example.com")["code"] for _ in range(2)
    ]
    assert comes(named[0]) == "approved"
    remove(world, "Ada", gid, "Eve")
    with pytest.raises(InvitationInvalid):
        comes(named[0])
    assert comes(named[1]) == "approved"  # the organiser has named them once more


def test_nobody_removes_the_organiser_and_no_member_removes_anybody(world: World) -> None:
    people = world.people(5)
    gid = world.recruiting(people)
    assign_role.assign(world.ctx, world.command("Ada"), gid, "Ben", "deputy")
    for by in ("Ada", "Ben"):
        with pytest.raises(OrganiserNeeded):
            remove(world, by, gid, "Ada")
    with pytest.raises(NotAllowed):
        remove(world, "Cy", gid, "Dee")


def test_who_only_asks_is_turned_down_and_not_removed(world: World) -> None:
    people = world.people(6)
    gid = world.recruiting(people[:5], members=6)
    code = invite.invite(world.ctx, world.command("Ada"), gid, 14)["code"]
    join_group.join(world.ctx, world.command("Fay"), None, code)
    with pytest.raises(WrongMembershipState):
        remove(world, "Ada", gid, "Fay")


def test_from_the_lock_on_it_takes_two_people(world: World) -> None:
    circle = world.circle(world.people(5))
    with pytest.raises(GroupNotOpen):
        remove(world, "Ada", circle.id, "Ben")
