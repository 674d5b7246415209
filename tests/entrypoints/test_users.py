"""The users function: signing up, reading oneself, the payout account."""

from __future__ import annotations

from tests.entrypoints.platform import Platform

LINKS = {"return_url": "https://app.example/done", "refresh_url": "https://app.example/again"}


def test_a_person_signs_up_once_and_again(platform: Platform) -> None:
    platform.people.add("ada")
    first = platform.post("/v1/users", who="ada")
    again = platform.post("/v1/users", who="ada")
    assert first.status_code == again.status_code == 201
    assert first.json == again.json
    assert first.json["uid"] == "ada"


def test_who_has_not_signed_up_is_not_found(platform: Platform) -> None:
    platform.people.add("ada")
    answer = platform.get("/v1/users/me", who="ada")
    assert answer.status_code == 404
    assert answer.json["code"] == "not_found"


def test_reading_oneself_with_an_etag(platform: Platform, ada: str) -> None:
    answer = platform.get("/v1/users/me", who=ada)
    assert answer.status_code == 200
    assert answer.headers["ETag"] == '"0"'
    unchanged = platform.get("/v1/users/me", who=ada, If_None_Match='"0"')
    assert unchanged.status_code == 304
    assert unchanged.data == b""
    assert platform.get("/v1/users/me", who=ada, If_None_Match='"7"').status_code == 200


def test_the_payout_account_is_opened_and_read_anew(platform: Platform, ada: str) -> None:
    opened = platform.post("/v1/users/me/payout-account", LINKS, ada)
    assert opened.status_code == 201
    assert opened.json == {
        "account": "acct_ada",
        "url": "https://connect.example/acct_ada",
        "can_receive": True,
    }
    refreshed = platform.post("/v1/users/me/payout-account/refresh", who=ada)
    assert refreshed.status_code == 200
    assert refreshed.json["details_submitted"] is True
    assert platform.get("/v1/users/me", who=ada).json["payout_account"]["account"] == "acct_ada"
