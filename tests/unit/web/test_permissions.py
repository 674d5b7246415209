"""The permission table, walked: every action × every role, and what the door and the domain make of it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from shared.domain.errors import NoSuchThing, NotAllowed
from shared.domain.permissions import (
    GROUP_ROLES,
    STAFF_ROLES,
    TABLE,
    Action,
    Role,
    allows,
    may_begin,
    personal_roles,
    require,
)
from shared.web.openapi import AREAS
from shared.web.routing import Route

PAIRS = list(itertools.product(Action, Role))
ROUTES = [route for routes in AREAS.values() for route in routes]


def test_every_action_stands_in_the_table() -> None:
    assert set(TABLE) == set(Action)
    assert all(TABLE.values())


def test_every_route_names_an_action_and_every_action_has_a_route() -> None:
    assert {route.action for route in ROUTES} | {Action.READ_HEALTH} == set(Action)


def test_only_what_anyone_may_do_is_public() -> None:
    assert {route.name for route in ROUTES if route.public} == set()
    assert [action for action in Action if Role.ANYONE in TABLE[action]] == [Action.READ_HEALTH]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_whoever_may_see_a_circle_and_not_do_this_is_promised_a_403(route: Route[Any]) -> None:
    """The description names it (found where support asked for a circle's balances)."""
    everybody = Role.SIGNED_IN in TABLE[route.action]
    if everybody or TABLE[route.action] >= GROUP_ROLES | STAFF_ROLES:
        return
    assert NotAllowed in route.refuses


@pytest.mark.parametrize(("action", "role"), PAIRS, ids=str)
def test_the_domain_and_the_door_keep_to_the_table(action: Action, role: Role) -> None:
    allowed = role in TABLE[action]
    assert allows(action, {role}) == allowed
    if allowed:
        require(action, {role})
        assert may_begin(action, {role})
        return
    refusal = NotAllowed if role in GROUP_ROLES | STAFF_ROLES else NoSuchThing
    with pytest.raises(refusal):
        require(action, {role})
    assert may_begin(action, {role}) == bool(TABLE[action] & GROUP_ROLES)


@pytest.mark.parametrize("action", Action)
def test_nobody_in_particular_may_do_nothing_in_a_group(action: Action) -> None:
    assert not allows(action, set())


def test_a_member_never_decides_for_the_group() -> None:
    deciding = {Action.INVITE, Action.DECIDE_ON_MEMBER, Action.LOCK_GROUP, Action.CANCEL_GROUP}
    assert not [action for action in deciding if allows(action, {Role.MEMBER, Role.SIGNED_IN})]


def test_staff_never_act_in_a_circle_as_a_member_would() -> None:
    acting = {
        Action.INVITE,
        Action.DECIDE_ON_MEMBER,
        Action.ACCEPT_AGREEMENT,
        Action.LOCK_GROUP,
        Action.CANCEL_GROUP,
    }
    assert not [action for action in acting if allows(action, STAFF_ROLES)]


def test_claims_give_staff_roles_and_no_others() -> None:
    claims = ["admin", "organiser", "member", "root", "ANYONE"]
    assert personal_roles(claims) == {Role.ANYONE, Role.SIGNED_IN, Role.ADMIN}
