"""Places of a circle that forms: who is let in can be removed, and the place goes to somebody else."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from shared.domain.commitments import commitments_ref
from shared.domain.errors import (
    GroupNotOpen,
    InvitationForAnother,
    InvitationInvalid,
    NoSuchThing,
    NotAllowed,
    OrganiserNeeded,
    PlaceTaken,
    WrongMembershipState,
)
from shared.domain.groups import Terms
from shared.domain.invitations import invitation_ref
from shared.ports import Delete
from shared.services import (
    accept_agreement,
    approve_member,
    assign_role,
    browse_groups,
    cancel_group,
    import_circle,
    invitations,
    invite,
    join_group,
    mail_invitation,
)
from shared.services.context import Reader
from shared.services.transact import read
from tests.builders import Circle, World
from tests.worked_examples.test_brought_in import FILE


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


# --- an imported circle's invitations -----------------------------------------------------------------------


class Brought:
    """The circle of the file, brought here by Ada; Cy's turn is the third, of which £50 was left open."""

    def __init__(self) -> None:
        self.world = World()
        self.people = self.world.people(5)
        terms = Terms(
            name="Paper circle",
            amount_pence=10_000,
            frequency="monthly",
            members=0,
            first_due_date=date(2027, 1, 4),
            default_policy="pay_cleared",
        )
        command = self.world.command("Ada")
        made = import_circle.import_circle(self.world.ctx, command, terms, FILE, "ada@example.com")
        self.id = made["id"]
        self.codes = {one["turn"]: one["code"] for one in made["invitations"]}

    def invited(self, turn: int | None, email: str | None = None, days: int = 14) -> str:
        command = self.world.command("Ada")
        made = invite.invite(self.world.ctx, command, self.id, days, email, "https://ajo.test", turn)
        return str(made["code"])

    def comes(self, uid: str, code: str) -> str:
        email, command = f"{uid.lower()}@example.com", self.world.command(uid)
        return str(join_group.join(self.world.ctx, command, None, code, email=email)["state"])

    def previews(self, uid: str, code: str) -> dict[str, Any]:
        email, command = f"{uid.lower()}@example.com", self.world.command(uid)
        return browse_groups.preview(self.world.ctx, command, None, code, email)

    def listed(self) -> dict[str, tuple[int | None, str]]:
        page = invitations.of_group(self.world.ctx, "Ada", self.id, None, 100)
        return {one["id"]: (one["turn"], one["state"]) for one in page["items"]}


@pytest.fixture(name="brought")
def _brought() -> Brought:
    return Brought()


@pytest.mark.parametrize("how", ["lost", "expired and deleted", "revoked"])
def test_a_code_that_is_gone_is_replaced_for_the_same_place_and_the_circle_starts(
    brought: Brought, how: str
) -> None:
    """Nobody could make a code for a turn but the import: the circle waited for ever."""
    world = brought.world
    (third,) = [iid for iid, (turn, _) in brought.listed().items() if turn == 3]
    if how == "revoked":
        invitations.revoke(world.ctx, world.command("Ada"), brought.id, third)
    elif how == "expired and deleted":
        world.store.commit([Delete(invitation_ref(third).path)])  # its lifetime is over
    code = brought.invited(3)
    for uid, own in (("Ben", brought.codes[2]), ("Cy", code), ("Dee", brought.codes[4])):
        assert brought.comes(uid, own) == "approved"
    brought.comes("Eve", brought.codes[5])
    circle = world.locked(brought.id, brought.people)
    assert circle.recipient(3) == "Cy"
    assert circle.member("Cy").owes_pence() == 50_00  # their own past


def test_the_old_code_is_dead_from_then_on_and_every_but_the_newest(brought: Brought) -> None:
    codes = [brought.codes[3], brought.invited(3), brought.invited(3)]
    for old in codes[:2]:
        with pytest.raises(InvitationInvalid):
            brought.comes("Cy", old)
        with pytest.raises(InvitationInvalid):
            brought.previews("Cy", old)
        with pytest.raises(InvitationInvalid):
            mail_invitation.resend(
                brought.world.ctx, brought.world.command("Ada"), brought.id, old, "cy@example.com", ""
            )
    assert sorted(state for turn, state in brought.listed().values() if turn == 3) == [
        "open",
        "revoked",
        "revoked",
    ]
    assert brought.previews("Cy", codes[2])["id"] == brought.id
    assert brought.comes("Cy", codes[2]) == "approved"
    assert brought.comes("Ben", brought.codes[2]) == "approved"  # the others' stand


def test_a_place_is_for_the_address_of_the_file_and_for_one_person(brought: Brought) -> None:
    with pytest.raises(InvitationForAnother):
        brought.invited(3, "dee@example.com")
    code = brought.invited(3, "CY@example.com")
    assert brought.world.mails.mails[-1].to == "CY@example.com"
    with pytest.raises(InvitationForAnother):
        brought.comes("Dee", code)
    assert brought.comes("Cy", code) == "approved"
    with pytest.raises(PlaceTaken):
        brought.invited(3)
    with pytest.raises(PlaceTaken):
        brought.invited(1)  # the organiser's own
    with pytest.raises(NoSuchThing):
        brought.invited(6)


def test_who_was_removed_comes_back_to_their_own_place_by_a_new_code_alone(brought: Brought) -> None:
    brought.comes("Cy", brought.codes[3])
    remove(brought.world, "Ada", brought.id, "Cy")
    with pytest.raises(InvitationInvalid):
        brought.comes("Cy", brought.codes[3])
    assert brought.comes("Cy", brought.invited(3)) == "approved"


def test_a_code_without_a_place_would_open_nothing_of_an_imported_circle(brought: Brought) -> None:
    for email in (None, "fay@example.com"):
        with pytest.raises(GroupNotOpen):
            brought.invited(None, email)


def test_a_circle_that_began_here_has_no_turns_to_invite_to(world: World) -> None:
    gid = world.recruiting(world.people(2), members=5)
    with pytest.raises(NoSuchThing):
        invite.invite(world.ctx, world.command("Ada"), gid, 14, turn=3)


def test_whose_the_places_were_is_forgotten_once_the_circle_forms_no_more(brought: Brought) -> None:
    group = Circle(brought.world, brought.id).group
    assert all(one.address for one in group.past)
    cancel_group.cancel(brought.world.ctx, brought.world.command("Ada"), brought.id)
    group = Circle(brought.world, brought.id).group
    assert [(one.address, one.invitation) for one in group.past] == [(None, None)] * 5
