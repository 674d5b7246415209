"""The groups function: a circle from its terms to its lock, and what each refuses."""

from __future__ import annotations

from typing import Any

import pytest

from shared import bootstrap
from tests.entrypoints.platform import SETTINGS, Platform
from tests.entrypoints.test_users import LINKS

TERMS = {
    "name": "Sunday circle",
    "amount_pence": 10_000,
    "frequency": "monthly",
    "members": 5,
    "first_due_date": "2027-01-04",
    "default_policy": "pay_cleared",
}


def start(platform: Platform, who: str, **terms: Any) -> str:
    answer = platform.post("/v1/groups", TERMS | terms, who)
    assert answer.status_code == 201, answer.json
    group: str = answer.json["id"]
    return group


def profile_of(uid: str) -> dict[str, Any]:
    """What somebody of this name tells of themselves."""
    return {
        "full_name": f"{uid.capitalize()} Adeyemi-Zachary",
        "display_name": uid.capitalize(),
        "date_of_birth": "1987-03-14",
        "address": {"line_1": f"17 {uid.capitalize()} Terrace", "town": "Peckham", "postcode": "SE15 4QN"},
        "phone": "07911 123456",
        "bank_name": "Quillfeather Bank",
    }


def signed_up(platform: Platform, uid: str) -> str:
    """A person who can pay and be paid."""
    platform.people.add(uid)
    assert platform.post("/v1/users", who=uid).status_code == 201
    assert platform.post("/v1/users/me/profile", profile_of(uid), uid).status_code == 200
    assert platform.post("/v1/payment-methods", {"method": f"pm_{uid}"}, uid).status_code == 201
    assert platform.post("/v1/users/me/payout-account", LINKS, uid).status_code == 201
    return uid


def full(platform: Platform) -> tuple[str, list[str]]:
    """A group with all of its members approved."""
    people = [signed_up(platform, uid) for uid in ("ada", "ben", "cleo", "dan", "eve")]
    group = start(platform, "ada")
    code = platform.post(f"/v1/groups/{group}/invitations", who="ada").json["code"]
    for uid in people[1:]:
        joined = platform.post("/v1/groups/join", {"code": code}, uid)
        assert joined.status_code == 201
        assert joined.json == {"group": group, "uid": uid, "state": "requested", "role": "member"}
        approved = platform.post(f"/v1/groups/{group}/members/{uid}/approve", who="ada")
        assert approved.json["state"] == "approved"
    return group, people


def agree(platform: Platform, group: str, who: str) -> None:
    agreement = platform.get(f"/v1/groups/{group}/agreement", who).json
    accepted = platform.post(f"/v1/groups/{group}/agreement", {"hash": agreement["hash"]}, who)
    assert accepted.status_code == 200, accepted.json
    assert accepted.json["state"] == "agreed"


def test_a_circle_from_its_terms_to_its_lock(platform: Platform) -> None:
    group, people = full(platform)
    for uid in people:
        agree(platform, group, uid)
    locked = platform.post(f"/v1/groups/{group}/lock", who="ada")
    assert locked.status_code == 200, locked.json
    assert locked.json["state"] == "locked"
    assert sorted(member["position"] for member in locked.json["members"]) == [1, 2, 3, 4, 5]
    assert locked.json["draw_seed"] is not None

    schedule = platform.get(f"/v1/groups/{group}/schedule", who="ben").json
    assert len(schedule["cycles"]) == 5
    assert {cycle["recipient"] for cycle in schedule["cycles"]} == set(people)
    assert platform.get(f"/v1/groups/{group}/balances", who="ben").status_code == 200
    assert platform.get(f"/v1/groups/{group}/statement", who="ben").json["paid_in_pence"] == 0
    own = platform.get("/v1/contributions?limit=3", who="ben").json
    assert len(own["items"]) == 3
    rest = platform.get(f"/v1/contributions?limit=3&cursor={own['next_cursor']}", who="ben").json
    assert len(rest["items"]) == 2
    assert rest["next_cursor"] is None


def test_a_circle_is_listed_and_read_by_its_people(platform: Platform, ada: str) -> None:
    group = start(platform, ada)
    listed = platform.get("/v1/groups", who=ada).json
    assert [one["id"] for one in listed["items"]] == [group]
    read = platform.get(f"/v1/groups/{group}", who=ada)
    assert read.json["membership"]["role"] == "organiser"
    assert read.headers["ETag"] == '"0"'


@pytest.mark.parametrize(
    ("terms", "code", "field"),
    [
        ({"amount_pence": 7_500}, "wrong_amount", "amount_pence"),
        ({"amount_pence": -1}, "wrong_amount", "amount_pence"),
        ({"amount_pence": 10**30}, "wrong_amount", "amount_pence"),
        ({"members": 4}, "wrong_size", "members"),
        ({"members": 11}, "wrong_size", "members"),
        ({"frequency": "daily"}, "wrong_frequency", "frequency"),
        ({"first_due_date": "2026-11-24"}, "wrong_start_date", "first_due_date"),
        ({"first_due_date": "9999-12-31"}, "wrong_start_date", "first_due_date"),
    ],
)
def test_terms_outside_the_rules_are_refused(
    platform: Platform, ada: str, terms: dict[str, Any], code: str, field: str
) -> None:
    commits = platform.store.commits
    answer = platform.post("/v1/groups", TERMS | terms, ada)
    assert (answer.status_code, answer.json["code"]) == (422, code)
    assert [error["field"] for error in answer.json["errors"]] == [field]
    assert platform.store.commits == commits


def test_the_platforms_fees_are_told_before_anyone_agrees(platform: Platform, ada: str) -> None:
    fees = {"added_fee_pence": 95, "platform_fee_pence": 250}
    with bootstrap.override(**(platform.parts() | {"settings": SETTINGS.model_copy(update=fees)})):
        group = start(platform, ada)
        draft = platform.post("/v1/groups", TERMS | {"draft": True}, ada).json["id"]
        edited = platform.post(f"/v1/groups/{draft}/terms", TERMS | {"members": 6}, ada)
    assert edited.status_code == 200
    for terms in (edited.json["terms"], platform.get(f"/v1/groups/{group}", who=ada).json["terms"]):
        assert {name: terms[name] for name in fees} == fees
    text = platform.get(f"/v1/groups/{group}/agreement", who=ada).json["text"]
    assert "£2.50 is kept from each pot" in text
    assert "A fixed fee of £0.95 is added to each contribution, and £100.95 is taken each time" in text


@pytest.mark.parametrize("fee", ["added_fee_pence", "platform_fee_pence"])
def test_an_organiser_sets_no_fee(platform: Platform, ada: str, fee: str) -> None:
    assert platform.post("/v1/groups", TERMS | {fee: 0}, ada).status_code == 422


def test_a_name_is_kept_in_one_spelling(platform: Platform, ada: str) -> None:
    group = start(platform, ada, name="  Cafe\u0301   Ṣọlá  ")
    assert platform.get(f"/v1/groups/{group}", who=ada).json["name"] == "Café Ṣọlá"


def test_somebody_elses_group_is_not_there(platform: Platform, ada: str) -> None:
    group = start(platform, ada)
    signed_up(platform, "mallory")
    commits = platform.store.commits
    paths = ["", "/agreement", "/schedule", "/balances", "/statement"]
    answers = [platform.get(f"/v1/groups/{group}{path}", who="mallory") for path in paths]
    actions = ["/lock", "/cancel", "/invitations", "/members/ada/approve", "/members/ada/reject"]
    answers += [platform.post(f"/v1/groups/{group}{path}", who="mallory") for path in actions]
    answers.append(platform.post(f"/v1/groups/{group}/agreement", {"hash": "0" * 64}, "mallory"))
    answers.append(platform.post("/v1/groups/join", {"group": group}, "mallory"))
    assert {(answer.status_code, answer.json["code"]) for answer in answers} == {(404, "not_found")}
    assert platform.store.commits == commits


def test_members_do_not_act_as_organisers(platform: Platform) -> None:
    group, _ = full(platform)
    commits = platform.store.commits
    actions = ["/lock", "/cancel", "/invitations", "/members/dan/reject"]
    answers = [platform.post(f"/v1/groups/{group}{path}", who="ben") for path in actions]
    assert {(answer.status_code, answer.json["code"]) for answer in answers} == {(403, "not_allowed")}
    assert platform.store.commits == commits


def test_joining_twice_or_a_full_group_is_refused(platform: Platform) -> None:
    group, _ = full(platform)
    code = platform.post(f"/v1/groups/{group}/invitations", who="ada").json["code"]
    twice = platform.post("/v1/groups/join", {"code": code}, "ben")
    assert (twice.status_code, twice.json["code"]) == (409, "already_member")
    signed_up(platform, "late")
    too_late = platform.post("/v1/groups/join", {"code": code}, "late")
    assert (too_late.status_code, too_late.json["code"]) == (409, "group_full")


def test_a_locked_group_takes_nobody(platform: Platform) -> None:
    group, people = full(platform)
    code = platform.post(f"/v1/groups/{group}/invitations", who="ada").json["code"]
    for uid in people:
        agree(platform, group, uid)
    assert platform.post(f"/v1/groups/{group}/lock", who="ada").status_code == 200
    signed_up(platform, "late")
    refused = platform.post("/v1/groups/join", {"code": code}, "late")
    assert (refused.status_code, refused.json["code"]) == (409, "group_not_open")


def test_another_agreement_than_the_one_read_is_refused(platform: Platform) -> None:
    group, _ = full(platform)
    answer = platform.post(f"/v1/groups/{group}/agreement", {"hash": "0" * 64}, "ben")
    assert (answer.status_code, answer.json["code"]) == (409, "agreement_changed")


def test_who_never_accepts_is_removed_and_may_ask_anew(platform: Platform) -> None:
    group, people = full(platform)
    removed = platform.post(f"/v1/groups/{group}/members/eve/remove", who="ada")
    assert removed.json == {"group": group, "uid": "eve", "state": "removed", "role": "member"}
    members = platform.get(f"/v1/groups/{group}", "ada").json["members"]
    assert {one["uid"] for one in members} == set(people) - {"eve"}
    assert platform.get(f"/v1/groups/{group}", "eve").status_code == 404
    code = platform.post(f"/v1/groups/{group}/invitations", who="ada").json["code"]
    assert platform.post("/v1/groups/join", {"code": code}, "eve").json["state"] == "requested"
    organiser = platform.post(f"/v1/groups/{group}/members/ada/remove", who="ada")
    assert (organiser.status_code, organiser.json["code"]) == (409, "organiser_needed")


def test_a_lock_waits_for_everyone(platform: Platform) -> None:
    group, _ = full(platform)
    answer = platform.post(f"/v1/groups/{group}/lock", who="ada")
    assert (answer.status_code, answer.json["code"]) == (409, "not_everyone_agreed")


def test_a_wrong_code_opens_nothing(platform: Platform, ada: str) -> None:
    answer = platform.post("/v1/groups/join", {"code": "wrongcode"}, ada)
    assert (answer.status_code, answer.json["code"]) == (404, "invitation_invalid")


def test_the_same_key_gives_the_same_answer(platform: Platform, ada: str) -> None:
    first = platform.post("/v1/groups", TERMS, ada, key="start-a-group")
    commits = platform.store.commits
    again = platform.post("/v1/groups", TERMS, ada, key="start-a-group")
    assert again.status_code == 201
    assert again.json == first.json
    assert platform.store.commits == commits


def test_the_same_key_with_another_body_is_refused(platform: Platform, ada: str) -> None:
    platform.post("/v1/groups", TERMS, ada, key="start-a-group")
    commits = platform.store.commits
    other = platform.post("/v1/groups", TERMS | {"members": 6}, ada, key="start-a-group")
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    assert platform.store.commits == commits


def test_the_same_key_of_another_person_is_another_request(platform: Platform, ada: str) -> None:
    signed_up(platform, "ben")
    first = platform.post("/v1/groups", TERMS, ada, key="start-a-group")
    other = platform.post("/v1/groups", TERMS, "ben", key="start-a-group")
    assert other.status_code == 201
    assert other.json["id"] != first.json["id"]


def test_one_request_id_for_two_requests_makes_two_commands(platform: Platform, ada: str) -> None:
    answers = [platform.post("/v1/groups", TERMS, ada, Request_Id="my-request") for _ in range(2)]
    assert {answer.headers["Request-Id"] for answer in answers} == {"my-request"}
    groups = [answer.json["id"] for answer in answers]
    facts = platform.store.load(*(f"groups/{group}/journal/group_created" for group in groups))
    commands = [fact.data["command_id"] for fact in facts if fact.data]
    assert len(set(commands)) == 2
    assert all(command.startswith("my-request.") for command in commands)
