"""What a person does about themselves: profile, identity, session, consents, export, erasure, devices."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared import bootstrap
from shared.config import Settings
from shared.domain import privacy
from shared.domain.keys import key_ref
from shared.domain.profiles import profile_ref
from shared.domain.users import user_ref
from tests.entrypoints.platform import APP_TOKEN, NOW, SETTINGS, Platform, app
from tests.entrypoints.test_groups import TERMS, agree, full, profile_of, signed_up, start

ME = "/v1/users/me"


# --- profile ----------------------------------------------------------------------------------------------


def test_a_profile_is_told_read_and_corrected(platform: Platform, ada: str) -> None:
    told = platform.post(f"{ME}/profile", profile_of("ada"), ada)
    assert told.status_code == 200, told.json
    assert told.json["phone"] == "+447911123456"
    assert told.json["address"]["postcode"] == "SE15 4QN"
    moved = profile_of("ada") | {"address": {"line_1": "2 New Road", "town": "Leeds", "postcode": "ls1 4ap"}}
    assert platform.post(f"{ME}/profile", moved, ada).json["address"]["postcode"] == "LS1 4AP"
    assert platform.get(f"{ME}/profile", ada).json["address"]["town"] == "Leeds"


def test_what_is_stored_of_it_is_sealed(platform: Platform, ada: str) -> None:
    platform.post(f"{ME}/profile", profile_of("ada"), ada)
    stored = str(platform.store._collections)
    for secret in ("Adeyemi", "Terrace", "Peckham", "SE15", "7911", "1987", "Quillfeather", "@example"):
        assert secret not in stored


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("date_of_birth", "2008-11-25", "too_young"),  # eighteen tomorrow
        ("date_of_birth", "2030-01-01", "wrong_birth_date"),
        ("date_of_birth", "1890-01-01", "wrong_birth_date"),
        ("phone", "+33 6 12 34 56 78", "invalid_request"),
        ("phone", "12345", "invalid_request"),
        ("full_name", "\u202eadA", "invalid_request"),
        ("full_name", "   ", "invalid_request"),
        ("full_name", "x" * 81, "invalid_request"),
        ("address", {"line_1": "1 High St", "town": "Leeds", "postcode": "QQ1 1QQ"}, "wrong_postcode"),
        ("address", {"line_1": "1 High St", "town": "Leeds", "postcode": "12345"}, "wrong_postcode"),
    ],
)
def test_rules_of_the_profile(platform: Platform, ada: str, field: str, value: Any, code: str) -> None:
    answer = platform.post(f"{ME}/profile", profile_of("ada") | {field: value}, ada)
    assert (answer.status_code, answer.json["code"]) == (422, code)
    assert field in answer.json["errors"][0]["field"] or answer.json["errors"][0]["field"].startswith(field)


def test_eighteen_today_is_old_enough(platform: Platform, ada: str) -> None:
    born = profile_of("ada") | {"date_of_birth": "2008-11-24"}
    assert platform.post(f"{ME}/profile", born, ada).status_code == 200


def test_names_are_kept_as_people_write_them(platform: Platform, ada: str) -> None:
    decomposed = "Ade\u0301  O\u0323la\u0301"
    answer = platform.post(f"{ME}/profile", profile_of("ada") | {"full_name": decomposed}, ada)
    assert answer.json["full_name"] == "Adé Ọlá"
    joined = "علی\u200cرضا"  # a joiner is part of the spelling
    answer = platform.post(f"{ME}/profile", profile_of("ada") | {"full_name": joined}, ada)
    assert answer.json["full_name"] == joined


def test_a_circle_reads_its_peoples_names_and_nothing_else(platform: Platform) -> None:
    group, _ = full(platform)
    names = {one["uid"]: one["name"] for one in platform.get(f"/v1/groups/{group}", "ben").json["members"]}
    assert names == {"ada": "Ada", "ben": "Ben", "cleo": "Cleo", "dan": "Dan", "eve": "Eve"}
    platform.post(f"{ME}/profile", profile_of("cleo") | {"display_name": "C."}, "cleo")
    assert "Adeyemi" not in platform.get(f"/v1/groups/{group}", "ben").text
    names = {one["uid"]: one["name"] for one in platform.get(f"/v1/groups/{group}", "ben").json["members"]}
    assert names["cleo"] == "C."


# --- identity ---------------------------------------------------------------------------------------------


def test_identity_from_none_to_verified_to_restricted(platform: Platform, ada: str) -> None:
    assert platform.get(f"{ME}/identity", ada).json == {"state": "none", "allows": ["ask_to_join", "pay_in"]}
    begun = platform.post(f"{ME}/identity-check", {"return_url": "https://app.example/done"}, ada)
    assert begun.status_code == 201
    assert (begun.json["state"], begun.json["url"]) == ("pending", "https://verify.example/vs_ada")
    again = platform.post(f"{ME}/identity-check", {"return_url": "https://app.example/done"}, ada)
    assert again.json["url"] == begun.json["url"]


def test_without_a_profile_nobody_promises_money(platform: Platform) -> None:
    group = start(platform, signed_up(platform, "ada"))
    code = platform.post(f"/v1/groups/{group}/invitations", who="ada").json["code"]
    platform.people.add("gus")
    links = {"return_url": "https://app.example/1", "refresh_url": "https://app.example/2"}
    for path, body in (
        ("/v1/users", {}),
        ("/v1/payment-methods", {"method": "pm_gus"}),
        (f"{ME}/payout-account", links),
        ("/v1/groups/join", {"code": code}),
    ):
        assert platform.post(path, body, "gus").status_code == 201
    platform.post(f"/v1/groups/{group}/members/gus/approve", who="ada")
    text = platform.get(f"/v1/groups/{group}/agreement", "gus").json
    answer = platform.post(f"/v1/groups/{group}/agreement", {"hash": text["hash"]}, "gus")
    assert (answer.status_code, answer.json["code"]) == (409, "not_ready_for_money")
    assert "date of birth" in answer.json["detail"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/payment-methods", {"method": "pm_1"}),
        (f"{ME}/payout-account", {"return_url": "https://a.example/1", "refresh_url": "https://a.example/2"}),
        (f"{ME}/identity-check", {"return_url": "https://a.example/1"}),
    ],
)
def test_money_needs_a_verified_address(platform: Platform, path: str, body: dict[str, Any]) -> None:
    platform.people.add("ivy", email_verified=False)
    assert platform.post("/v1/users", who="ivy").status_code == 201
    answer = platform.post(path, body, "ivy")
    assert (answer.status_code, answer.json["code"]) == (403, "email_not_verified")
    assert platform.get(ME, "ivy").status_code == 200


# --- sessions ---------------------------------------------------------------------------------------------


class Browser:
    """A browser that holds the cookie, and a page that holds the token for changes."""

    def __init__(self, platform: Platform, who: str) -> None:
        self.client = app("users").test_client()
        headers = {"Authorization": f"Bearer {who}", "Idempotency-Key": f"session-{who}"}
        self.opened = self.client.post("/v1/users/session", json={}, headers=headers)
        assert self.opened.status_code == 201, self.opened.json
        self.csrf = self.opened.json["csrf_token"]

    def get(self, path: str = ME) -> Any:
        return self.client.get(path)

    def post(self, path: str, csrf: str | None) -> Any:
        headers = {"Idempotency-Key": "browser-1"} | ({"X-CSRF-Token": csrf} if csrf else {})
        return self.client.post(path, json={}, headers=headers)


def later(**span: float) -> Any:
    """The same platform after a while."""

    class Clock:
        def now(self) -> Any:
            return NOW + timedelta(**span)

        wall = now

    return bootstrap.override(**{**bootstrap._parts, "clock": Clock()})


def test_a_session_reads_and_with_its_token_writes(platform: Platform, ada: str) -> None:
    browser = Browser(platform, ada)
    assert browser.get().json["uid"] == "ada"
    assert browser.get("/v1/users/session").json["csrf_token"] == browser.csrf
    assert browser.post("/v1/users", browser.csrf).status_code == 201


def test_the_cookie_is_for_browsers_alone(platform: Platform, ada: str) -> None:
    cookie = Browser(platform, ada).opened.headers["Set-Cookie"]
    assert cookie.startswith("__session=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    production = Settings.model_construct(**{**dict(SETTINGS), "environment": "production"})
    with bootstrap.override(**{**platform.parts(), "settings": production}):
        assert "Secure" in Browser(platform, ada).opened.headers["Set-Cookie"]


@pytest.mark.parametrize("csrf", [None, "", "wrong", "0" * 64, "é"])
def test_another_site_cannot_write_with_the_cookie(platform: Platform, ada: str, csrf: str | None) -> None:
    answer = Browser(platform, ada).post("/v1/users", csrf)
    assert (answer.status_code, answer.json["code"]) == (403, "csrf_token_wrong")


def test_one_sessions_token_is_no_good_for_another(platform: Platform, ada: str) -> None:
    platform.people.add("ben")
    assert Browser(platform, ada).post("/v1/users", Browser(platform, "ben").csrf).status_code == 403


def test_thirty_idle_minutes_end_it(platform: Platform, ada: str) -> None:
    browser = Browser(platform, ada)
    with later(minutes=29, seconds=59):
        assert browser.get().status_code == 200  # and the cookie is set anew
    with later(minutes=59):
        assert browser.get().status_code == 200
    with later(minutes=90):
        assert browser.get().status_code == 401


def test_a_cookie_that_somebody_changed_is_refused(platform: Platform, ada: str) -> None:
    browser = Browser(platform, ada)
    value = browser.client.get_cookie("__session").value
    session, used, signature = value.split("~")
    for forged in (
        f"{session}~{int(used) + 60}~{signature}",
        f"session-of-ben~{used}~{signature}",
        f"{session}~{used}",
        f"{session}~9{'9' * 20}~{signature}",
        "",
        "x" * 5_000,
    ):
        client = app("users").test_client(use_cookies=False)
        answer = client.get(ME, headers={"Cookie": f"__session={forged}"})
        assert answer.status_code == 401, forged[:80]


def test_signing_out_here_and_everywhere(platform: Platform, ada: str) -> None:
    here, there = Browser(platform, ada), Browser(platform, ada)
    assert here.post("/v1/users/session/end", here.csrf).status_code == 200
    assert here.get().status_code == 401  # the browser has forgotten it
    assert there.get().status_code == 200
    assert there.post(f"{ME}/sign-out-everywhere", there.csrf).status_code == 200
    assert there.get().status_code == 401
    assert platform.get(ME, ada).status_code == 401


def test_a_session_needs_a_sign_in_of_now(platform: Platform) -> None:
    platform.people.add("old", signed_in_at=NOW - timedelta(minutes=6))
    answer = platform.post("/v1/users/session", who="old")
    assert (answer.status_code, answer.json["code"]) == (403, "sign_in_not_recent")


def test_sign_in_is_throttled(platform: Platform, ada: str) -> None:
    for _ in range(10):
        assert platform.post("/v1/users/session", who=ada).status_code == 201
    answer = platform.post("/v1/users/session", who=ada)
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 300
    platform.people.add("ben")
    assert platform.post("/v1/users/session", who="ben").status_code == 201


def test_codes_are_not_guessed(platform: Platform, ada: str) -> None:
    tries = [platform.post("/v1/groups/join", {"code": f"guess{n:04}"}, ada).status_code for n in range(12)]
    assert tries == [404] * 10 + [429] * 2


# --- staff ------------------------------------------------------------------------------------------------


def test_staff_read_with_a_second_factor_and_a_reason_that_is_kept(platform: Platform) -> None:
    group = start(platform, signed_up(platform, "ada"))
    platform.people.add("sam", ["support"], second_factor=False)
    platform.people.add("sue", ["support"])
    path, why = f"/v1/groups/{group}", "Ada Adeyemi wrote to us about her turn"
    assert platform.get(path, "sam", Access_Reason=why).status_code == 404  # no second factor: a stranger
    assert platform.get(path, "sue").json["code"] == "reason_missing"
    assert platform.get(path, "sue", Access_Reason="because").json["code"] == "reason_missing"
    assert platform.get(path, "sue", Access_Reason=why).status_code == 200
    (kept,) = platform.store._collections["access"].values()
    assert kept.data is not None
    assert (kept.data["staff"], kept.data["about"], kept.data["action"]) == ("sue", group, "read_group")
    assert "Adeyemi" not in str(kept.data)


def test_an_app_that_is_not_ours_is_kept_out(platform: Platform, ada: str) -> None:
    strict = SETTINGS.model_copy(update={"app_check": True})
    with bootstrap.override(**{**platform.parts(), "settings": strict}):
        for token in ("", "forged", "é"):
            answer = platform.get(ME, ada, X_Firebase_AppCheck=token)
            assert (answer.status_code, answer.json["code"]) == (403, "app_check_failed")
        assert platform.get(ME, ada, X_Firebase_AppCheck=APP_TOKEN).status_code == 200


# --- consents, export, erasure ----------------------------------------------------------------------------


def test_each_consent_is_kept_with_its_version(platform: Platform, ada: str) -> None:
    yes = {"purpose": "marketing", "version": "2026-11", "given": True}
    assert platform.post(f"{ME}/consents", yes, ada).status_code == 201
    answer = platform.post(f"{ME}/consents", yes | {"given": False}, ada)
    assert [one["given"] for one in answer.json["answers"]] == [True, False]
    never = platform.post(f"{ME}/consents", yes | {"purpose": "terms", "version": "2031-01"}, ada)
    assert (never.status_code, never.json["code"]) == (422, "unknown_text")
    assert platform.get(f"{ME}/consents", ada).json["answers"] == answer.json["answers"]
    new = platform.post(f"{ME}/consents", yes | {"purpose": "terms"}, ada).json
    assert [text["purpose"] for text in new["texts"] if text["stands"]] == ["terms"]


def test_a_yes_to_a_former_text_does_not_stand(
    platform: Platform, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    yes = {"purpose": "terms", "version": "2026-11", "given": True}
    assert platform.post(f"{ME}/consents", yes, ada).json["texts"][0]["stands"]
    monkeypatch.setattr(privacy, "VERSIONS", {**privacy.VERSIONS, "terms": ("2026-11", "2027-03")})
    (text,) = [one for one in platform.get(f"{ME}/consents", ada).json["texts"] if one["purpose"] == "terms"]
    assert text == {"purpose": "terms", "version": "2027-03", "stands": False}
    assert platform.post(f"{ME}/consents", yes, ada).status_code == 201  # whose page was still the former
    assert platform.post(f"{ME}/consents", yes | {"version": "2027-03"}, ada).json["texts"][0]["stands"]


def test_the_export_holds_everything_as_data_and_as_text(platform: Platform) -> None:
    group, _ = full(platform)
    platform.post(f"{ME}/consents", {"purpose": "terms", "version": "2026-11", "given": True}, "ben")
    taken = platform.get(f"{ME}/export", "ben")
    assert taken.status_code == 200
    data, text = taken.json["data"], taken.json["readable"]
    assert data["profile"]["full_name"] == "Ben Adeyemi-Zachary"
    assert [one["group"] for one in data["circles"]] == [group]
    assert data["payment_methods"][0]["hint"] == "Visa •••• 4242"
    assert data["consents"][0]["purpose"] == "terms"
    assert "Article 22" in data["automated_decisions"]
    for line in ("full name: Ben Adeyemi-Zachary", "postcode: SE15 4QN", f"group: {group}"):
        assert line in text
    assert "Cleo" not in taken.text
    file = platform.get(f"{ME}/export?format=text", "ben")
    assert file.content_type == "text/plain; charset=utf-8"
    assert file.headers["Content-Disposition"] == 'attachment; filename="my-data.txt"'
    assert "email: ben@example.test" in file.text
    assert platform.get(f"{ME}/automated-decisions", "ben").json["notice"] == data["automated_decisions"]


def test_the_export_holds_what_somebody_wrote_and_who_looked(platform: Platform) -> None:
    group, _ = full(platform)
    platform.post(f"/v1/groups/{group}/messages", {"text": "Ben here"}, "ben")
    platform.post(f"/v1/groups/{group}/messages", {"text": "Cleo here"}, "cleo")
    agree(platform, group, "ben")
    agree(platform, group, "cleo")
    accused = {"kind": "person", "subject": "cleo", "text": "She was rude"}
    made = platform.post(f"/v1/groups/{group}/disputes", accused, "ben")
    assert made.status_code == 201, made.json
    told = {"text": "I was not"}
    platform.post(f"/v1/groups/{group}/disputes/{made.json['id']}/entries", told, "cleo")
    data = platform.get(f"{ME}/export", "ben").json["data"]
    assert [one["text"] for one in data["messages"]] == ["Ben here"]
    assert [one["text"] for one in data["disputes"][0]["said"]] == ["She was rude"]
    assert data["looked_at_by_staff"] == []
    theirs = platform.get(f"{ME}/export", "cleo").json["data"]
    assert [one["text"] for one in theirs["disputes"][0]["said"]] == ["I was not"]


def test_erasure_takes_what_somebody_wrote_out_of_their_circles(platform: Platform) -> None:
    group, _ = full(platform)
    path = f"/v1/groups/{group}/messages"
    for who in ("ben", "cleo", "ben"):
        assert platform.post(path, {"text": f"{who} here"}, who).status_code == 201
    assert platform.post(f"{ME}/erase", who="ben").status_code == 200
    assert [one["text"] for one in platform.get(path, "ada").json["items"]] == ["cleo here"]


def test_erasure_makes_everything_personal_unreadable(platform: Platform) -> None:
    group, _ = full(platform)
    assert platform.post(f"{ME}/erase", who="ben").json == {"erased": True}
    (key, profile, user) = platform.store.load(
        key_ref("ben").path, profile_ref("ben").path, user_ref("ben").path
    )
    assert key.data is not None
    assert key.data["versions"] == {}
    assert profile.data is None
    assert user.data is not None
    assert user.data["state"] == "closed"
    assert platform.get(ME, "ben").status_code == 401  # the sign-in is gone, too
    members = platform.get(f"/v1/groups/{group}", "ada").json["members"]
    assert [one["uid"] for one in members] == ["ada", "cleo", "dan", "eve"]  # the place is free again


def test_who_has_promised_is_not_erased_and_is_told_why(platform: Platform) -> None:
    group, _ = full(platform)
    agree(platform, group, "ben")
    answer = platform.post(f"{ME}/erase", who="ben")
    assert (answer.status_code, answer.json["code"]) == (409, "cannot_be_erased")
    assert group in answer.json["detail"]
    assert platform.get(f"{ME}/profile", "ben").status_code == 200


def test_an_erased_person_does_not_come_back_by_an_old_token(platform: Platform) -> None:
    group, _ = full(platform)
    text = platform.get(f"/v1/groups/{group}/agreement", "ben").json
    code = platform.post(f"/v1/groups/{group}/invitations", who="ada").json["code"]
    platform.post(f"{ME}/erase", who="ben")
    platform.people.add("ben")  # as if their token were still good
    accepted = platform.post(f"/v1/groups/{group}/agreement", {"hash": text["hash"]}, "ben")
    assert accepted.status_code == 404  # they left with the erasure
    for path, body in (("/v1/groups/join", {"code": code}), ("/v1/groups", TERMS)):
        refused = platform.post(path, body, "ben")
        assert (refused.status_code, refused.json["code"]) == (409, "account_closed")
    told = platform.post(f"{ME}/profile", profile_of("ben"), "ben")
    assert told.json["code"] == "erased"
    assert platform.post(f"{ME}/erase", who="ben").json == {"erased": True}


def test_erasure_needs_a_sign_in_of_now(platform: Platform) -> None:
    platform.people.add("old", signed_in_at=NOW - timedelta(minutes=6))
    platform.post("/v1/users", who="old")
    assert platform.post(f"{ME}/erase", who="old").json["code"] == "sign_in_not_recent"


# --- devices ----------------------------------------------------------------------------------------------


def test_devices_and_preferences(platform: Platform, ada: str) -> None:
    for number in range(12):
        device = {"token": f"{'t' * 20}{number}", "platform": "ios"}
        kept = platform.post(f"{ME}/devices", device, ada)
        assert kept.status_code == 200, kept.json
    assert len(kept.json["devices"]) == 10
    assert "ttttt" not in kept.text
    fewer = platform.post(f"{ME}/devices/remove", {"token": f"{'t' * 20}11"}, ada)
    assert len(fewer.json["devices"]) == 9
    wanted = {"channels": ["sms"], "quiet_from": "22:30", "quiet_until": "07:00", "language": "yo"}
    assert platform.post(f"{ME}/preferences", wanted, ada).json["preferences"] == wanted
    assert platform.get(f"{ME}/reach", ada).json["preferences"] == wanted


@pytest.mark.parametrize(
    "strange",
    [
        {"quiet_until": None},
        {"quiet_from": None},
        {"quiet_from": "07:00"},
        {"quiet_from": "24:00"},
        {"channels": ["sms", "sms"]},
        {"channels": ["fax"]},
        {"language": "de"},
    ],
)
def test_preferences_mean_something(platform: Platform, ada: str, strange: dict[str, Any]) -> None:
    wanted = {"channels": ["sms"], "quiet_from": "22:30", "quiet_until": "07:00", "language": "yo"}
    assert platform.post(f"{ME}/preferences", wanted | strange, ada).status_code == 422
