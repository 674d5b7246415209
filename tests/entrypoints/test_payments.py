"""The payments function: payment methods, and paying what is due."""

from __future__ import annotations

from tests.entrypoints.platform import Platform


def test_a_method_is_set_up_and_kept(platform: Platform, ada: str) -> None:
    wanted = {"kind": "card", "return_url": "https://app.example/back"}
    setup = platform.post("/v1/payment-methods/setups", wanted, ada)
    assert setup.status_code == 201
    assert setup.json["setup"] == "seti_ada"
    kept = platform.post("/v1/payment-methods/setups/seti_ada/finish", who=ada)
    assert kept.status_code == 200
    assert kept.json["is_default"] is True
    listed = platform.get("/v1/payment-methods", who=ada).json["items"]
    assert [method["id"] for method in listed] == ["pm_ada"]


def test_a_set_up_of_somebody_else_is_not_there(platform: Platform, ada: str) -> None:
    answer = platform.post("/v1/payment-methods/setups/seti_ben/finish", who=ada)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_another_method_becomes_the_default(platform: Platform, ada: str) -> None:
    for method in ("pm_one", "pm_two"):
        assert platform.post("/v1/payment-methods", {"method": method}, ada).status_code == 201
    chosen = platform.post("/v1/payment-methods/pm_two/default", who=ada)
    assert chosen.json["is_default"] is True
    assert platform.get("/v1/users/me", who=ada).json["default_payment_method"] == "pm_two"
    unknown = platform.post("/v1/payment-methods/pm_three/default", who=ada)
    assert (unknown.status_code, unknown.json["code"]) == (404, "unknown_payment_method")


def test_card_numbers_are_not_taken(platform: Platform, ada: str) -> None:
    answer = platform.post("/v1/payment-methods", {"method": "4242424242424242"}, ada)
    assert answer.status_code == 422
    assert "4242" not in answer.text


def test_a_contribution_that_is_not_there_cannot_be_paid(platform: Platform, ada: str) -> None:
    answer = platform.post("/v1/contributions/con_x/pay", {"group": "grp_x"}, ada)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_a_cursor_that_was_not_given_is_refused(platform: Platform, ada: str) -> None:
    answer = platform.get("/v1/contributions?cursor=bm90LW91cnM", who=ada)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "cursor"
