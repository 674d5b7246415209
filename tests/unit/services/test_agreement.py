"""The agreement: which one binds who takes a place over."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.domain.errors import AgreementChanged
from shared.domain.permissions import Role
from shared.services import (
    accept_agreement,
    approvals,
    approve_member,
    invite,
    join_group,
    leave_group,
    set_order,
)
from shared.services.context import Reader
from tests.builders import Circle, World

FINANCE = frozenset({Role.FINANCE})


def asks_to_take_over(world: World, circle: Circle, leaver: str, heir: str) -> Callable[[str | None], str]:
    """Somebody asks for a substitute; returns the substitute's consent by what they read."""
    payload = {"about": leaver, "other": heir}
    asked = approvals.ask(world.ctx, world.command(leaver), frozenset(), circle.id, "substitution", payload)

    def consents(read: str | None) -> str:
        command = world.command(heir)
        answer = approvals.approve(world.ctx, command, frozenset(), circle.id, asked["id"], read)
        return str(answer["state"])

    return consents


def test_a_substitute_accepts_what_binds_the_circle_and_not_what_one_who_left_had_accepted() -> None:
    """Ben had accepted before the order was set, and left and came again: the agreement that everybody read
    was refused, and his former one wanted."""
    world = World()
    people = world.people(5)
    gid = world.recruiting(people, order_method="organiser")
    ada, ben = people[:2]
    former = accept_agreement.read(world.ctx, Reader(ben), gid)["hash"]
    accept_agreement.accept(world.ctx, world.command(ben), gid, former)
    leave_group.leave(world.ctx, world.command(ben), gid)
    code = invite.invite(world.ctx, world.command(ada), gid, 14)["code"]
    join_group.join(world.ctx, world.command(ben), None, code)
    approve_member.approve(world.ctx, world.command(ada), gid, ben)
    set_order.set_the_order(world.ctx, world.command(ada), gid, people)
    circle = world.locked(gid, people)

    zoe = world.person("Zoe")
    consents = asks_to_take_over(world, circle, ben, zoe)
    with pytest.raises(AgreementChanged):
        consents(former)
    read = accept_agreement.read(world.ctx, Reader(ada), gid)["hash"]
    assert circle.group.agreed_hash == read
    assert consents(read) == "open"  # Ada's consent is wanted, too


def test_a_substitute_accepts_the_agreement_as_it_reads_now() -> None:
    """Once the fee had fallen, what a substitute could read was refused for ever."""
    world = World()
    people = world.people(5)
    circle = world.circle(people, platform_fee_pence=100)
    asked = approvals.ask(
        world.ctx, world.command("staff:asks"), FINANCE, circle.id, "fee_change", {"fee_pence": 50}
    )
    approvals.approve(world.ctx, world.command("staff:looks"), FINANCE, circle.id, asked["id"])

    consents = asks_to_take_over(world, circle, people[1], world.person("Zoe"))
    with pytest.raises(AgreementChanged):
        consents(circle.group.agreed_hash)
    read = accept_agreement.read(world.ctx, Reader(people[0]), circle.id)["hash"]
    assert consents(read) == "open"
