"""The groups function: a running circle's places, leaving, hardship, and what several must consent to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.entrypoints.platform import Platform
from tests.entrypoints.test_groups import agree, signed_up, start

PEOPLE = ["ada", "ben", "cleo", "dan", "eve"]


def full(platform: Platform, **terms: Any) -> str:
    """A circle of Ada's, whose five members are approved."""
    for uid in PEOPLE:
        signed_up(platform, uid)
    group = start(platform, "ada", **terms)
    code = platform.post(f"/v1/groups/{group}/invitations", who="ada").json["code"]
    for uid in PEOPLE[1:]:
        platform.post("/v1/groups/join", {"code": code}, uid)
        platform.post(f"/v1/groups/{group}/members/{uid}/approve", who="ada")
    return group


def lock(platform: Platform, group: str) -> None:
    for uid in PEOPLE:
        agree(platform, group, uid)
    assert platform.post(f"/v1/groups/{group}/lock", who="ada").status_code == 200


@pytest.fixture
def locked(platform: Platform) -> str:
    group = full(platform)
    lock(platform, group)
    return group


def refused(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.json


def test_an_order_by_preference_and_why_one_has_ones_place(platform: Platform) -> None:
    group = full(platform, order_method="preference")
    wrong = platform.post(f"/v1/groups/{group}/ranking", {"ranking": [1, 1, 2, 3, 4]}, "eve")
    refused(wrong, 422, "not_a_permutation")
    assert (
        platform.post(f"/v1/groups/{group}/ranking", {"ranking": [1, 2, 3, 4, 5]}, "eve").json["id"] == group
    )
    lock(platform, group)
    place = platform.get(f"/v1/groups/{group}/place", "eve").json
    assert (place["position"], place["because"]) == (1, "your choice 1 of 5")
    late = platform.post(f"/v1/groups/{group}/ranking", {"ranking": [5, 1, 2, 3, 4]}, "ben")
    refused(late, 409, "group_not_open")


def test_the_organisers_order_is_part_of_what_is_accepted(platform: Platform) -> None:
    group = full(platform, order_method="organiser")
    for uid in PEOPLE:
        agree(platform, group, uid)
    refused(platform.post(f"/v1/groups/{group}/lock", who="ada"), 409, "order_not_ready")
    order = {"order": PEOPLE[::-1]}
    refused(platform.post(f"/v1/groups/{group}/order", order, "ben"), 403, "not_allowed")
    assert platform.post(f"/v1/groups/{group}/order", order, "ada").status_code == 200
    refused(platform.post(f"/v1/groups/{group}/lock", who="ada"), 409, "not_everyone_agreed")
    lock(platform, group)
    schedule = platform.get(f"/v1/groups/{group}/schedule", "ben").json
    assert [one["recipient"] for one in schedule["cycles"]] == PEOPLE[::-1]


def test_progress_and_standing(platform: Platform, locked: str) -> None:
    progress = platform.get(f"/v1/groups/{locked}/progress", "ben").json
    assert (progress["cycle"], progress["members_paid"], progress["members"], progress["paid_by"]) == (
        1,
        0,
        5,
        None,
    )
    standing = platform.get(f"/v1/groups/{locked}/standing", "ben").json
    assert (standing["owes_pence"], standing["debts"], standing["marks"]) == (0, [], [])
    platform.people.add("zoe")
    for part in ("progress", "standing", "place", "approvals"):
        refused(platform.get(f"/v1/groups/{locked}/{part}", "zoe"), 404, "not_found")


def test_leaving_before_any_turn(platform: Platform, locked: str) -> None:
    left = platform.post(f"/v1/groups/{locked}/leave", who="eve")
    assert left.json == {
        "group": locked,
        "uid": "eve",
        "state": "left",
        "after_turn": False,
        "claims": [],
    }
    refused(platform.get(f"/v1/groups/{locked}", "eve"), 404, "not_found")
    refused(platform.post(f"/v1/groups/{locked}/leave", who="eve"), 404, "not_found")
    assert platform.get(f"/v1/groups/{locked}/statement", "eve").status_code == 200


def test_where_an_organiser_leaves_the_role_passes_on(platform: Platform, locked: str) -> None:
    assert platform.post(f"/v1/groups/{locked}/leave", who="ada").status_code == 200
    group = platform.get(f"/v1/groups/{locked}", "ben").json
    assert group["organiser"] in PEOPLE[1:]
    roles = {one["uid"]: one["role"] for one in group["members"]}
    assert roles[group["organiser"]] == "organiser"
    assert list(roles.values()).count("organiser") == 1


def test_an_organiser_does_not_leave_a_forming_circle_alone(platform: Platform) -> None:
    group = full(platform)
    refused(platform.post(f"/v1/groups/{group}/leave", who="ada"), 409, "organiser_needed")
    assert platform.post(f"/v1/groups/{group}/leave", who="ben").json["state"] == "left"


def test_a_swap_by_consent_of_both_and_the_organiser(platform: Platform, locked: str) -> None:
    path = f"/v1/groups/{locked}/approvals"
    asked = platform.post(path, {"kind": "swap", "with_member": "cleo"}, "ben")
    assert asked.status_code == 201
    assert [one["from"] for one in asked.json["consents"]] == ["cleo", "steering"]
    approval = f"{path}/{asked.json['id']}"
    refused(platform.post(f"{approval}/approve", who="ben"), 403, "own_request")
    refused(platform.post(f"{approval}/approve", who="dan"), 403, "not_allowed")
    assert platform.post(f"{approval}/approve", who="cleo").json["state"] == "open"
    before = {uid: platform.get(f"/v1/groups/{locked}/place", uid).json["position"] for uid in PEOPLE}
    assert platform.post(f"{approval}/approve", who="ada").json["state"] == "carried_out"
    after = {uid: platform.get(f"/v1/groups/{locked}/place", uid).json["position"] for uid in PEOPLE}
    assert (after["ben"], after["cleo"]) == (before["cleo"], before["ben"])
    refused(platform.post(f"{approval}/withdraw", who="ben"), 409, "approval_closed")
    assert [one["state"] for one in platform.get(path, "dan").json["items"]] == ["carried_out"]


def test_a_request_is_refused_or_taken_back(platform: Platform, locked: str) -> None:
    path = f"/v1/groups/{locked}/approvals"
    for who, ending, state in (("cleo", "refuse", "refused"), ("ben", "withdraw", "withdrawn")):
        asked = platform.post(path, {"kind": "swap", "with_member": "cleo"}, "ben").json
        assert platform.post(f"{path}/{asked['id']}/{ending}", who=who).json["state"] == state


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "swap"},
        {"kind": "swap", "with_member": "cleo", "about": "ben"},
        {"kind": "wind_up", "reason": "died"},
        {"kind": "plan", "instalments": []},
        {"kind": "plan", "instalments": [{"pence": 0, "due_date": "2027-03-01"}]},
        {"kind": "plan", "instalments": [{"pence": 100, "due_date": "soon"}]},
        {"kind": "fee_change", "fee_pence": -1},
        {"kind": "coup"},
    ],
)
def test_a_request_says_what_its_kind_needs_and_nothing_else(
    platform: Platform, locked: str, body: dict[str, Any]
) -> None:
    refused(platform.post(f"/v1/groups/{locked}/approvals", body, "ben"), 422, "invalid_request")


def test_who_may_not_ask(platform: Platform, locked: str) -> None:
    path = f"/v1/groups/{locked}/approvals"
    platform.people.add("fin", ["finance"])
    refused(platform.post(path, {"kind": "removal", "about": "dan"}, "ben"), 403, "not_allowed")
    refused(platform.post(path, {"kind": "payout", "about": "pay_1"}, "ada"), 403, "not_allowed")
    refused(platform.post(path, {"kind": "swap", "with_member": "cleo"}, "fin"), 403, "not_allowed")
    refused(platform.post(path, {"kind": "swap", "with_member": "zoe"}, "ben"), 404, "not_found")
    refused(platform.post(path, {"kind": "wind_up"}, "ada"), 409, "not_running")
    own = {"kind": "write_off", "about": "dan", "creditor": "house"}
    refused(platform.post(path, own, "ben"), 403, "not_allowed")


def test_hardship_ends_within_sixty_days(platform: Platform, locked: str) -> None:
    path = f"/v1/groups/{locked}/hardship"
    refused(platform.post(path, {"until": "2027-06-01"}, "dan"), 422, "hardship_too_long")
    refused(platform.post(path, {"until": "2026-11-24"}, "dan"), 422, "hardship_too_long")
    given = platform.post(path, {"until": "2027-01-20"}, "dan").json
    assert given == {"group": locked, "uid": "dan", "until": "2027-01-20", "frozen": 1}
    assert platform.get(f"/v1/groups/{locked}/standing", "dan").json["hardship_until"] == "2027-01-20"


def test_a_sixth_circle_is_too_many(platform: Platform) -> None:
    for uid in PEOPLE:
        signed_up(platform, uid)
    groups = [start(platform, "ada", amount_pence=5_000) for _ in range(6)]
    for group in groups[:5]:
        agree(platform, group, "ada")
    text = platform.get(f"/v1/groups/{groups[5]}/agreement", "ada").json
    one_more = platform.post(f"/v1/groups/{groups[5]}/agreement", {"hash": text["hash"]}, "ada")
    refused(one_more, 409, "cap_reached")
    assert platform.post(f"/v1/groups/{groups[0]}/cancel", who="ada").status_code == 200
    agree(platform, groups[5], "ada")
