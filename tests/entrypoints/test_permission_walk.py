"""The permission walk: every route × everybody × own, other and foreign objects, against the one table."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from shared import bootstrap
from shared.domain.contributions import Contribution
from shared.domain.disputes import Dispute
from shared.domain.documents import Document
from shared.domain.groups import Draw, Group, Seat, Terms, group_ref, roles_in
from shared.domain.members import Member
from shared.domain.messages import Message
from shared.domain.permissions import Action, allows, may_begin, personal_roles
from shared.domain.users import PaymentMethods, User
from shared.domain.words import GroupRole
from shared.ports import Create
from shared.web.openapi import AREAS
from shared.web.routing import Route
from shared.web.schemas.common import PageRequest
from tests.entrypoints.bodies import BODIES, NONE
from tests.entrypoints.platform import NOW, Platform, app

CIRCLES: Final[dict[str, dict[str, GroupRole]]] = {
    "grp_1": {"ada": "organiser", "dep": "deputy", "ben": "member", "cleo": "member"},
    "grp_2": {"eve": "organiser", "fay": "member"},
}
STAFF: Final = {"sup": "support", "fin": "finance", "adm": "admin", "aud": "auditor"}
EVERYBODY: Final = [None, "nobody", "ben", "dep", "ada", "eve", *STAFF]
"""Signed out, signed in and no more, each role in the first circle, the other circle's organiser, staff."""

ROUTES: Final = [(area, route) for area, routes in AREAS.items() for route in routes]
REFUSALS: Final = {401, 403, 404}
OBJECTS: Final = ("group", "contribution", "dispute")

ITS_AUTHORS: Final = {"edit_message", "delete_message"}
NEVER_ONESELF: Final = {"assign_role", "silence_member", "report_message", "moderate_message"}
ITS_REVIEWERS: Final = {"decide_dispute"}
"""Beyond the table: what one wrote is one's own to change, nobody judges themselves, and a dispute is decided
by who took it up (nobody, here)."""


def documents() -> Iterator[Document]:
    """Two circles that recruit, their people and staff, and a contribution of everybody's."""
    for gid, people in CIRCLES.items():
        seats = [Seat(uid=uid, state="approved", role=role) for uid, role in people.items()]
        organiser = seats[0].uid
        yield Group(
            id=gid,
            state="recruiting",
            terms=Terms(
                name="A circle",
                amount_pence=10_000,
                frequency="monthly",
                members=5,
                first_due_date="2027-01-04",
                visibility="public",
            ),
            organiser=organiser,
            seats=seats,
            draw=Draw(commitment="0" * 64),
            created_at=NOW,
        )
        for uid, role in people.items():
            yield Member(group=gid, uid=uid, state="approved", role=role, joined_at=NOW)
            against = next(one for one in people if one != uid)
            yield Dispute(
                id=f"dsp_{uid}",
                group=gid,
                kind="person",
                subject=against,
                cycle=None,
                opened_by=uid,
                against=None,
                opened_at=NOW,
                respond_by=NOW,
                decide_by=NOW,
                entries=[],
            )
            yield Message(id=f"msg_{uid}", group=gid, author=uid, sealed=None, posted_at=NOW)
            yield Contribution(
                id=f"con_{uid}",
                group=gid,
                uid=uid,
                cycle=1,
                due_date="2027-01-04",
                recipient="ada",
                amount_pence=10_000,
                act_at=None,
                shard=0,
            )
    for uid in ["nobody", *STAFF, *CIRCLES["grp_1"], *CIRCLES["grp_2"]]:
        yield User(uid=uid, created_at=NOW)
        yield PaymentMethods(uid=uid)


@dataclass(frozen=True)
class Case:
    """One triple: who asks for which route, of whose object."""

    area: str
    route: Route[Any]
    who: str | None
    whose: str
    group: str
    person: str
    path: str

    def __str__(self) -> str:
        return f"{self.route.method} {self.path} by {self.who} ({self.whose})"


def cases() -> Iterator[Case]:
    """A route with no object in it has but one case for each person."""
    for (area, route), who in itertools.product(ROUTES, EVERYBODY):
        own = next((gid for gid, people in CIRCLES.items() if who in people), "grp_1")
        foreign = "grp_2" if own == "grp_1" else "grp_1"
        other = next(uid for uid in reversed(CIRCLES[own]) if uid != who)
        for whose, group, person in (
            ("own", own, who if who in CIRCLES[own] else "ben"),
            ("other", own, other),
            ("foreign", foreign, next(iter(CIRCLES[foreign]))),
        ):
            known = {
                "group": group,
                "member": person,
                "contribution": f"con_{person}",
                "dispute": f"dsp_{person}",
                "message": f"msg_{person}",
            }
            objects = {name: known.get(name, NONE) for name in route.parameters}
            if whose != "own" and objects.keys().isdisjoint(known):
                continue
            yield Case(area, route, who, whose, group, person, route.path.format(**objects))


def expected(case: Case) -> bool:
    """What the table says."""
    personal = personal_roles([STAFF[case.who]] if case.who in STAFF else [])
    action = case.route.action
    if case.who is None or not may_begin(action, personal):
        return False
    if "contribution" in case.route.parameters:
        return case.whose == "own" and any(case.who in people for people in CIRCLES.values())
    if "group" not in case.route.parameters:
        return True
    group = next(one for one in documents() if isinstance(one, Group) and one.id == case.group)
    own = roles_in(group, case.who)
    if case.whose != "own" and (case.route.name in ITS_AUTHORS or "dispute" in case.route.parameters):
        own = frozenset()
    if (case.route.name in NEVER_ONESELF and case.who == case.person) or case.route.name in ITS_REVIEWERS:
        return False
    return allows(action, personal | own)


def prepared() -> Platform:
    platform = Platform()
    platform.store.commit([Create(one.path, one.data()) for one in documents()])
    for uid in EVERYBODY:
        if uid is not None:
            platform.people.add(uid, [STAFF[uid]] if uid in STAFF else [])
    return platform


def ask(platform: Platform, case: Case, number: int) -> Any:
    headers = {"Access-Reason": "The permission walk looks at everything", "Request-Id": f"walk-{number:06}"}
    if case.who is not None:
        headers["Authorization"] = f"Bearer {case.who}"
    client = app(case.area).test_client()
    if case.route.method == "GET":
        person = {"member": case.person} if case.who in STAFF and case.route.name == "read_statement" else {}
        return client.get(case.path, headers=headers, query_string=person)
    body = dict(BODIES.get(case.route.takes.__name__, {}))
    if "contribution" in case.route.parameters:
        body["group"] = case.group
    if case.route.takes.__name__ == "NewApproval" and case.who not in STAFF:
        body = {"kind": "swap", "with_member": "cleo"}
    if case.route.takes.__name__ == "NewDispute":
        body["subject"] = f"con_{case.person if case.person in CIRCLES[case.group] else 'cleo'}"
    return client.post(case.path, json=body, headers=headers | {"Idempotency-Key": f"walk-{number:06}"})


def let_in(answer: Any) -> bool:
    """Whether only somebody gets this answer who may: 'not in this state' is one, 'no such group' is none."""
    if answer.status_code in {401, 403}:
        return False
    return answer.status_code != 404 or not any(f"such {one}" in answer.json["detail"] for one in OBJECTS)


def circles(platform: Platform) -> list[Any]:
    paths = [group_ref(gid).path for gid in CIRCLES]
    paths += [f"groups/{gid}/members/{uid}" for gid, people in CIRCLES.items() for uid in people]
    return [one.data for one in platform.store.load(*paths)]


def test_every_route_everybody_and_every_object() -> None:
    walked, differences, platform = 0, [], None
    for number, case in enumerate(cases()):
        platform = platform or prepared()
        before = circles(platform)
        with bootstrap.override(**platform.parts()):
            answer = ask(platform, case, number)
        walked += 1
        may = expected(case)
        assert answer.status_code < 500, f"{case}: {answer.text}"
        if not let_in(answer) if may else answer.status_code not in REFUSALS:
            differences.append(
                f"{case}: the table says {may}, the answer is {answer.status_code} {answer.text}"
            )
        if not may:
            assert circles(platform) == before, f"{case} was refused, and changed something"
        if answer.status_code < 300 and case.route.method == "POST":
            platform = None
    print(f"{walked} triples, {len(differences)} differences")
    assert not differences, "\n".join(differences)
    assert walked > 1_000


def test_every_body_is_read() -> None:
    """Or the walk would see 'cannot be used' where it wants to see who may."""
    for _, route in ROUTES:
        if route.method == "POST":
            route.takes.model_validate_json(json.dumps(BODIES.get(route.takes.__name__, {})))


@pytest.mark.parametrize(("area", "route"), ROUTES, ids=lambda value: getattr(value, "name", value))
def test_every_route_names_an_action(area: str, route: Route[Any]) -> None:
    assert isinstance(route.action, Action)


PAGED: Final = [(area, route) for area, route in ROUTES if issubclass(route.takes, PageRequest)]


@pytest.mark.parametrize(("area", "route"), PAGED, ids=lambda value: getattr(value, "name", value))
@pytest.mark.parametrize("cursor", ["no cursor", "%C3%9E", "bm90LW91cnM"])
def test_a_cursor_that_no_list_gave_is_refused(area: str, route: Route[Any], cursor: str) -> None:
    """By whoever reads the list; found as a 500 by requests that were made from the description."""
    platform = prepared()
    who = "ada" if may_begin(route.action, personal_roles([])) else "adm"
    headers = {"Access-Reason": "The permission walk looks at everything", "Authorization": f"Bearer {who}"}
    path = route.path.format(group="grp_1")
    with bootstrap.override(**platform.parts()):
        answer = app(area).test_client().get(f"{path}?cursor={cursor}", headers=headers)
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "cursor"), answer.text
