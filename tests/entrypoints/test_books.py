"""Books, talk and places of a circle over HTTP: files and their headers, staff and their reasons, drafts."""

from __future__ import annotations

import base64
import json
from typing import Any

import icalendar
import pytest

from shared.ports import Query
from tests.entrypoints.platform import Platform
from tests.entrypoints.test_groups import TERMS, agree, full, signed_up, start

WHY = "The member asked us to look."


@pytest.fixture(name="locked")
def _locked(platform: Platform) -> str:
    group, people = full(platform)
    for uid in people:
        agree(platform, group, uid)
    assert platform.post(f"/v1/groups/{group}/lock", who="ada").status_code == 200
    platform.people.add("gil", ["auditor"])
    platform.people.add("sue", ["support"])
    return group


@pytest.mark.parametrize(
    ("path", "media_type", "name", "begins"),
    [
        ("statement?format=csv", "text/csv; charset=utf-8", "statement-{}.csv", b"\xef\xbb\xbfDate,"),
        ("statement?format=pdf", "application/pdf", "statement-{}.pdf", b"%PDF-"),
        ("books?format=csv", "text/csv; charset=utf-8", "books-{}.csv", b"\xef\xbb\xbfDate,"),
        ("books?format=pdf&since=2026-11-01&until=2026-11-30", "application/pdf", "books-{}.pdf", b"%PDF-"),
        ("schedule?format=ics", "text/calendar; charset=utf-8", "schedule-{}.ics", b"BEGIN:VCALENDAR"),
    ],
)
def test_files_are_saved_and_not_shown(
    platform: Platform, locked: str, path: str, media_type: str, name: str, begins: bytes
) -> None:
    answer = platform.get(f"/v1/groups/{locked}/{path}", who="ada")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, media_type)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name.format(locked)}"'
    assert answer.data.startswith(begins)
    assert platform.get(f"/v1/groups/{locked}/{path}", who="ada").data == answer.data


def test_a_schedule_is_a_calendar_that_others_can_read(platform: Platform, locked: str) -> None:
    text = platform.get(f"/v1/groups/{locked}/schedule?format=ics", who="ben").data
    assert len(icalendar.Calendar.from_ical(text).walk("VEVENT")) == 10


@pytest.mark.parametrize("query", ["since=2027-02-01&until=2027-01-01", "format=xls", "since=tomorrow"])
def test_periods_and_formats_that_cannot_be(platform: Platform, locked: str, query: str) -> None:
    assert platform.get(f"/v1/groups/{locked}/statement?{query}", who="ada").status_code == 422


def test_an_auditor_verifies_and_exports_with_a_reason_that_members_can_read(
    platform: Platform, locked: str
) -> None:
    path = f"/v1/groups/{locked}/audit"
    assert platform.get(path, who="ada").status_code == 403
    assert platform.get(path, who="gil").json["code"] == "reason_missing"
    report = platform.get(path, who="gil", Access_Reason=WHY).json
    assert (report["audit"], report["faults"]) == ("verified", [])
    export = platform.get(f"{path}?format=jsonl", who="gil", Access_Reason=WHY)
    assert export.headers["Content-Type"] == "application/jsonl"
    assert [json.loads(line) for line in export.data.splitlines()] == []  # nothing is sealed yet
    accesses = platform.get(f"/v1/groups/{locked}/accesses", who="ben").json["items"]
    assert {(one["staff"], one["action"], one["reason"]) for one in accesses} == {("gil", "read_audit", WHY)}
    assert platform.get(f"/v1/groups/{locked}/accesses", who="sue").status_code == 403


def test_people_talk_and_support_moderates(platform: Platform, locked: str) -> None:
    path = f"/v1/groups/{locked}/messages"
    sent = platform.post(path, {"text": "  Hello\r\nall  "}, "ben")
    assert sent.status_code == 201
    assert set(sent.json) == {"id", "state", "posted_at"}
    mid = sent.json["id"]
    assert platform.post(f"{path}/{mid}/edit", {"text": "Hello all"}, "ben").status_code == 200
    assert platform.post(f"{path}/{mid}/report", {"reason": "spam"}, "cleo").status_code == 200
    assert platform.post(f"{path}/read", {"message": mid}, "cleo").status_code == 200
    page = platform.get(path, who="cleo").json
    assert (page["items"][0]["text"], page["unread"]) == ("Hello all", 0)
    assert platform.post(f"{path}/{mid}/moderate", {"hide": True}, "cleo").status_code == 403
    assert platform.post(f"{path}/{mid}/moderate", {"hide": True}, "sue").json["code"] == "reason_missing"
    hidden = platform.post(f"{path}/{mid}/moderate", {"hide": True}, "sue", Access_Reason=WHY)
    assert hidden.json["state"] == "hidden"
    members = f"/v1/groups/{locked}/members"
    assert platform.post(f"{members}/ben/mute", {"muted": True}, "cleo").json["muted"]
    assert platform.post(f"{members}/ben/silence", {"days": 2}, "ada").status_code == 200
    assert platform.post(path, {"text": "again"}, "ben").json["code"] == "silenced"
    assert platform.post(f"{path}/{mid}/delete", who="ben").json["code"] == "message_gone"


@pytest.mark.parametrize("text", ["", "   ", "x" * 2_001, "null\u0000", "bell\u0007"])
def test_texts_that_are_none(platform: Platform, locked: str, text: str) -> None:
    answer = platform.post(f"/v1/groups/{locked}/messages", {"text": text}, "ben")
    assert answer.status_code == 422


def test_a_dispute_over_http(platform: Platform, locked: str) -> None:
    path = f"/v1/groups/{locked}/disputes"
    told = {"kind": "person", "subject": "cleo", "text": "She shouts.", "evidence": ["doc_1"]}
    opened = platform.post(path, told, "ben")
    assert opened.status_code == 201
    one = f"{path}/{opened.json['id']}"
    assert platform.post(path, told, "ben").json["code"] == "dispute_exists"
    assert platform.get(one, who="dan").status_code == 404
    assert platform.post(f"{one}/entries", {"text": "I do not."}, "cleo").status_code == 201
    waiting = platform.get("/v1/groups/disputes", who="sue").json["items"]
    assert [(each["id"], each["overdue"]) for each in waiting] == [(opened.json["id"], False)]
    assert platform.get("/v1/groups/disputes", who="ben").status_code == 403
    assert platform.post(f"{one}/take-up", who="sue", Access_Reason=WHY).json["state"] == "under_review"
    decision = {
        "outcome": "upheld",
        "reason": "She does.",
        "remedies": [{"kind": "claim", "debtor": "cleo", "creditor": "ben", "pence": 500}],
    }
    decided = platform.post(f"{one}/decision", decision, "sue", Access_Reason=WHY)
    assert (decided.status_code, decided.json["state"]) == (200, "upheld")
    read = platform.get(one, who="cleo").json
    assert read["decision"]["reason"] == "She does."
    assert platform.get(f"/v1/groups/{locked}/statement", who="cleo").json["owes_pence"] == 500
    assert platform.post(f"{one}/appeal", {"text": "Unfair."}, "cleo").status_code == 201
    assert len(platform.get(path, who="ben").json["items"]) == 2


# --- before the start ---------------------------------------------------------------------------------------


def test_a_draft_is_changed_as_it_was_read_and_then_published(platform: Platform, ada: str) -> None:
    group = start(platform, ada, draft=True, visibility="public", purpose="A roof")
    path = f"/v1/groups/{group}"
    read = platform.get(path, who=ada)
    assert (read.json["state"], read.json["purpose"]) == ("draft", "A roof")
    platform.people.add("ben")
    assert platform.get("/v1/groups/public", who="ben").json["items"] == []
    assert platform.post("/v1/groups/preview", {"group": group}, "ben").status_code == 404
    changed = TERMS | {"visibility": "public", "purpose": "Two roofs"}
    first = platform.post(f"{path}/terms", changed, ada, If_Match=read.headers["ETag"])
    assert (first.status_code, first.json["purpose"]) == (200, "Two roofs")
    late = platform.post(f"{path}/terms", changed, ada, If_Match=read.headers["ETag"])
    assert (late.status_code, late.json["code"]) == (412, "group_changed")
    for tag in ('"x"', '"Z", ""', '"1", "2"', "W/"):
        assert platform.post(f"{path}/terms", changed, ada, If_Match=tag).status_code == 412
    assert platform.post(f"{path}/terms", changed | {"members": 4}, ada).json["code"] == "wrong_size"
    assert platform.post(f"{path}/publish", who=ada).json["state"] == "recruiting"
    assert platform.post(f"{path}/terms", changed, ada).json["code"] == "not_a_draft"

    (listed,) = platform.get("/v1/groups/public?amount_pence=10000", who="ben").json["items"]
    assert (listed["id"], listed["places_left"], listed["purpose"]) == (group, 4, "Two roofs")
    assert "ada" not in json.dumps(listed)
    assert platform.get("/v1/groups/public?frequency=weekly", who="ben").json["items"] == []
    rules = platform.post("/v1/groups/preview", {"group": group}, "ben").json["agreement"]
    assert "If one member has not paid £100.00, the pot of £500.00 is paid as £400.00" in rules


def test_invitations_are_listed_revoked_and_bound_to_an_address(platform: Platform, ada: str) -> None:
    group = start(platform, ada)
    path = f"/v1/groups/{group}/invitations"
    made = platform.post(path, {"email": "Ben@example.test"}, ada).json
    assert made["link"].endswith(f"/join#{made['code']}")
    opened = platform.post(path, who=ada).json
    for uid in ("ben", "cleo"):
        signed_up(platform, uid)
    refused = platform.post("/v1/groups/join", {"code": made["code"]}, "cleo")
    assert (refused.status_code, refused.json["code"]) == (403, "invitation_for_another")
    assert platform.post("/v1/groups/preview", {"code": made["code"]}, "ben").status_code == 200
    assert platform.post("/v1/groups/join", {"code": made["code"]}, "ben").json["state"] == "approved"
    listed = platform.get(path, who=ada).json["items"]
    assert {(one["for_one_address"], one["state"]) for one in listed} == {(True, "open"), (False, "open")}
    assert "example" not in json.dumps(listed)
    assert platform.get(path, who="ben").status_code == 403
    revoked = platform.post(f"{path}/{opened['id']}/revoke", who=ada)
    assert revoked.json == {"id": opened["id"], "state": "revoked"}
    assert (
        platform.post("/v1/groups/join", {"code": opened["code"]}, "cleo").json["code"]
        == "invitation_invalid"
    )


def test_who_comes_too_late_waits_and_follows_who_leaves(platform: Platform) -> None:
    group, _ = full(platform)
    code = platform.post(f"/v1/groups/{group}/invitations", who="ada").json["code"]
    signed_up(platform, "fay")
    assert platform.post("/v1/groups/join", {"code": code}, "fay").json["code"] == "group_full"
    waiting = platform.post("/v1/groups/join", {"code": code, "waiting_list": True}, "fay")
    assert (waiting.status_code, waiting.json["state"]) == (201, "requested")
    approve = f"/v1/groups/{group}/members/fay/approve"
    assert platform.post(approve, who="ada").json["code"] == "group_full"
    assert platform.post(f"/v1/groups/{group}/leave", who="eve").status_code == 200
    assert platform.post(approve, who="ada").json["state"] == "approved"
    signed_up(platform, "gus")
    assert platform.post("/v1/groups/join", {"code": code, "waiting_list": True}, "gus").status_code == 201
    assert platform.post(f"/v1/groups/{group}/withdraw", who="gus").json["state"] == "left"
    assert platform.post(f"/v1/groups/{group}/withdraw", who="fay").json["code"] == "wrong_membership_state"


def test_an_organiser_names_a_deputy_and_hands_over(platform: Platform) -> None:
    group, _ = full(platform)
    path = f"/v1/groups/{group}/members"
    assert platform.post(f"{path}/ben/role", {"role": "deputy"}, "cleo").status_code == 403
    assert platform.post(f"{path}/ben/role", {"role": "deputy"}, "ada").json["role"] == "deputy"
    assert platform.post(f"/v1/groups/{group}/invitations", who="ben").status_code == 201
    assert platform.post(f"{path}/ada/role", {"role": "member"}, "ada").status_code == 403
    assert platform.post(f"{path}/cleo/role", {"role": "organiser"}, "ada").json["role"] == "organiser"
    assert platform.post(f"{path}/dan/role", {"role": "deputy"}, "ada").status_code == 403
    read = platform.get(f"/v1/groups/{group}", who="ada").json
    assert (read["organiser"], read["membership"]["role"]) == ("cleo", "member")
    assert platform.post(f"{path}/nobody/role", {"role": "deputy"}, "cleo").status_code == 404


def body(text: bytes) -> dict[str, Any]:
    terms = {name: TERMS[name] for name in ("name", "amount_pence", "frequency", "first_due_date")}
    return terms | {"file": base64.b64encode(text).decode()}


def test_a_paper_circle_is_brought_here(platform: Platform) -> None:
    people = [signed_up(platform, uid) for uid in ("ada", "ben", "cleo", "dan", "eve")]
    rows = [f"{uid}@example.test,{turn},100,{500 if turn == 1 else ''}" for turn, uid in enumerate(people, 1)]
    header = "email,turn,paid_1,received"
    commits = platform.store.commits
    wrong = platform.post(
        "/v1/groups/import", body("\n".join([header, *rows[:4], "=1,5,x,"]).encode()), "ada"
    )
    assert (wrong.status_code, wrong.json["code"]) == (422, "import_refused")
    assert wrong.json["errors"][0]["field"] == "row 6: email"
    assert platform.post("/v1/groups/import", body(b"x") | {"file": "not base64!"}, "ada").status_code == 422
    assert {one.partition("/")[0] for one in _paths(platform)} & {"groups", "invitations"} == set()
    assert platform.store.commits - commits <= 2  # its rate limit is counted
    made = platform.post("/v1/groups/import", body("\n".join([header, *rows]).encode()), "ada")
    assert made.status_code == 201
    assert (made.json["terms"]["members"], made.json["terms"]["cycles_done"]) == (5, 1)
    codes = {one["turn"]: one["code"] for one in made.json["invitations"]}
    group = made.json["id"]
    lost, path = codes[3], f"/v1/groups/{group}/invitations"
    again = platform.post(path, {"turn": 3, "email": "cleo@example.test"}, "ada")
    assert (again.status_code, again.json["mail"]) == (201, "not_sent")  # no server here
    codes[3] = again.json["code"]
    assert platform.post("/v1/groups/join", {"code": lost}, "cleo").json["code"] == "invitation_invalid"
    listed = platform.get(path, "ada").json["items"]
    assert sorted(one["state"] for one in listed if one["turn"] == 3) == ["open", "revoked"]
    for turn, uid in enumerate(people[1:], start=2):
        assert platform.post("/v1/groups/join", {"code": codes[turn]}, uid).json["state"] == "approved"
    taken = platform.post(path, {"turn": 3}, "ada")
    assert (taken.status_code, taken.json["code"]) == (409, "place_taken")
    for uid in people:
        agree(platform, group, uid)
    assert platform.post(f"/v1/groups/{group}/lock", who="ada").status_code == 200
    cycles = platform.get(f"/v1/groups/{group}/schedule", who="eve").json["cycles"]
    assert [cycle["recipient"] for cycle in cycles] == people
    assert [cycle["payout_state"] for cycle in cycles] == ["received", *["scheduled"] * 4]
    assert cycles[0]["due_date"] == "2026-12-04"


def test_a_hundred_thousand_rows_are_refused_with_a_reason(platform: Platform, ada: str) -> None:
    answer = platform.post("/v1/groups/import", body(b"a,1,1,\n" * 100_000), ada)
    assert answer.json["errors"][0]["code"] == "too_many_rows"


def _paths(platform: Platform) -> list[str]:

    names = ("groups", "invitations")
    found = platform.store.read_consistently(*(Query(name) for name in names))
    return [one.path for documents in found for one in documents]
