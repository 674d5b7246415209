"""Assessments over HTTP: reasons, reviews by people, bad input, and what is sealed, exported and erased."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.domain.assessments import Told
from shared.domain.case_files import assessment_ref
from shared.domain.members import Member
from shared.domain.scoring import artefact
from shared.domain.scoring.applicant import Repayments
from shared.domain.scoring.artefact import ArtefactRefused
from shared.ports import Create
from shared.services import applicant_score
from shared.services.applicant_score import score_of
from tests.builders import World
from tests.entrypoints.platform import NOW, ROOT, Platform
from tests.unit.assessments.households import a_circle, an_application

A = "/v1/assessments"
SMALL = {"amount_pence": 5_000, "frequency": "monthly"}
LARGE = {"amount_pence": 80_000, "frequency": "weekly"}
WHY = "The payslips that were sent show what was stated."
LOOKING = {"Access-Reason": "To decide the review that waits"}
TOLD = "QUILLFEATHER pays me a bonus in May"


def month(**changes: Any) -> dict[str, Any]:
    return {
        "income": [{"category": "earnings", "amount_pence": 200_000}],
        "fixed_costs": [
            {"category": "home_and_contents", "amount_pence": 70_000},
            {"category": "utilities", "amount_pence": 10_000},
        ],
        "flexible_costs": [{"category": "food_and_housekeeping", "amount_pence": 30_000}],
        "savings_pence": 123_457,
    } | changes


APPLICANT = {
    "balance_pence": 50_000,
    "salary_paid_in_months": 24,
    "repayments": "on_time",
    "months_in_work": 60,
    "has_guarantor": False,
    "members": 10,
}


@pytest.fixture
def ben(platform: Platform, ada: str) -> str:
    """Somebody else who is signed up, and says yes as Ada does; and staff."""
    platform.people.add("ben")
    platform.post("/v1/users", who="ben")
    yes = {"purpose": "credit_assessment", "version": "2026-11", "given": True}
    for who in (ada, "ben"):
        assert platform.post("/v1/users/me/consents", yes, who).status_code == 201
    for uid, role in (("fin", "finance"), ("fin2", "finance"), ("adm", "admin"), ("sup", "support")):
        platform.people.add(uid, [role])
    return "ben"


def submit(platform: Platform, who: str, **changes: Any) -> Any:
    return platform.post(A, {"statement": month(), "circle": SMALL} | changes, who)


def the_review(platform: Platform) -> str:
    return str(platform.get(f"{A}/reviews", "fin").json["items"][0]["id"])


def decide(platform: Platform, review: str, who: str = "fin", **changes: Any) -> Any:
    body = {"verdict": "declined", "reason": WHY, "representations_read": 0} | changes
    return platform.post(f"{A}/reviews/{review}/decision", body, who)


# --- the calculator ---------------------------------------------------------------------------------------


def test_the_calculator_answers_and_keeps_nothing(platform: Platform, ada: str) -> None:
    before = platform.store.commits
    answer = platform.post(f"{A}/affordability", {"statement": month(), "circle": SMALL}, ada)
    assert answer.status_code == 200, answer.json
    assert answer.json["affordable"]
    assert answer.json["affordability"]["surplus_pence"] == 90_000
    assert answer.json["largest_monthly"] == SMALL
    assert platform.store.commits == before


def test_evidence_may_be_assumed_where_nothing_rests_on_it(platform: Platform, ada: str) -> None:
    shown = dict.fromkeys(("income_evidence", "costs_evidence", "savings_evidence"), "open_banking")
    body = {"statement": month(**shown), "circle": LARGE}
    answer = platform.post(f"{A}/affordability", body, ada).json
    assert not answer["affordable"]
    assert answer["largest_monthly"] == {"amount_pence": 50_000, "frequency": "monthly"}
    assert all(reason["mends"] for reason in answer["affordability"]["reasons"])


# --- submitting -------------------------------------------------------------------------------------------


def test_without_consent_nothing_is_assessed(platform: Platform, ada: str) -> None:
    answer = submit(platform, ada)
    assert (answer.status_code, answer.json["code"]) == (409, "credit_consent_missing")


def test_no_score_is_neutral_and_refers(platform: Platform, ada: str, ben: str) -> None:
    answer = submit(platform, ada)
    assert answer.status_code == 201, answer.json
    assert (answer.json["outcome"], answer.json["standing"]) == ("refer", "referred")
    assert [reason["code"] for reason in answer.json["reasons"]] == ["score_unavailable"]
    assert [review["because"] for review in answer.json["reviews"]] == ["referred"]
    assert "by" not in answer.json


def test_a_model_that_is_not_there_is_no_score(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: object) -> None:
        raise ArtefactRefused(name="applicant", problem="its file cannot be read")

    monkeypatch.setattr(applicant_score, "score_applicant", refused)
    told = Told(**APPLICANT | {"repayments": Repayments.ON_TIME})
    asked = an_application(a_circle(50))
    assert score_of(told, asked).model_dump()["cause"] == "no model is in service"


def test_with_an_applicant_it_is_scored_or_referred(platform: Platform, ada: str, ben: str) -> None:
    answer = submit(platform, ada, applicant=APPLICANT)
    assert answer.status_code == 201, answer.json
    scored = answer.json["score_points"] is not None
    codes = [reason["code"] for reason in answer.json["reasons"]]
    assert ("score_unavailable" in codes) is not scored


def test_what_cannot_be_carried_is_never_refused_by_machine(platform: Platform, ada: str, ben: str) -> None:
    poor = month(income=[{"category": "earnings", "amount_pence": 100_000}])
    answer = submit(platform, ada, statement=poor, circle=LARGE).json
    assert (answer["outcome"], answer["standing"]) == ("decline_to_refer", "referred")
    assert "nothing_left_over" in [reason["code"] for reason in answer["reasons"]]
    assert answer["notice"]["rights"]


def test_the_same_request_again_is_the_same_assessment(platform: Platform, ada: str, ben: str) -> None:
    body = {"statement": month(), "circle": SMALL}
    first = platform.post(A, body, ada, key="once-00001")
    again = platform.post(A, body, ada, key="once-00001")
    assert first.json == again.json
    assert len(platform.get(A, ada).json["items"]) == 1


BAD: list[tuple[dict[str, Any], str]] = [
    ({"statement": month(income=[])}, "statement.income"),
    ({"statement": month(income=[{"category": "earnings", "amount_pence": -1}])}, "amount_pence"),
    ({"statement": month(income=[{"category": "earnings", "amount_pence": 10**11}])}, "amount_pence"),
    ({"statement": month(income=[{"category": "earnings", "amount_pence": 2.5}])}, "amount_pence"),
    ({"statement": month(income=[{"category": "earnings", "amount_pence": "9"}])}, "amount_pence"),
    ({"statement": month(income=[{"category": "lottery", "amount_pence": 1}])}, "category"),
    ({"statement": month(fixed_costs=[])}, "statement.fixed_costs"),
    ({"statement": month(income_evidence="open_banking")}, "statement"),
    ({"statement": month(adults=0)}, "statement.adults"),
    ({"circle": {"amount_pence": 7_000, "frequency": "monthly"}}, "circle.amount_pence"),
    ({"circle": {"amount_pence": 5_000, "frequency": "yearly"}}, "circle.frequency"),
    ({"applicant": APPLICANT | {"repayments": "marvellous"}}, "applicant.repayments"),
    ({"applicant": APPLICANT | {"months_in_work": -3}}, "applicant.months_in_work"),
    ({"applicant": APPLICANT | {"members": 10**9}}, "applicant.members"),
    ({"applicant": APPLICANT | {"balance_pence": 10**12}}, "applicant.balance_pence"),
    ({"commitments": []}, "commitments"),
]


@pytest.mark.parametrize(("changes", "field"), BAD, ids=str)
def test_bad_input_is_a_field_error(
    platform: Platform, ada: str, ben: str, changes: dict[str, Any], field: str
) -> None:
    answer = submit(platform, ada, **changes)
    assert answer.status_code == 422, answer.json
    assert any(field in error["field"] for error in answer.json["errors"]), answer.json["errors"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_malformed(platform: Platform, ada: str, number: str) -> None:
    body = json.dumps({"statement": month(savings_pence=12_321), "circle": SMALL}).replace("12321", number)
    headers = {"Authorization": f"Bearer {ada}", "Idempotency-Key": f"not-a-{number}"}
    answer = platform.client("assessments").post(
        A, data=body, headers=headers, content_type="application/json"
    )
    assert (answer.status_code, answer.json["code"]) == (400, "malformed_body")


def test_feeling_for_the_line_ends(platform: Platform, ada: str, ben: str) -> None:
    answers = [submit(platform, ada).status_code for _ in range(21)]
    assert answers == [201] * 20 + [429]


# --- reading ----------------------------------------------------------------------------------------------


def test_an_assessment_is_its_persons_alone(platform: Platform, ada: str, ben: str) -> None:
    id_ = submit(platform, ada).json["id"]
    assert platform.get(f"{A}/{id_}", ada).json["id"] == id_
    for who in (ben, "fin", "adm"):
        assert platform.get(f"{A}/{id_}", who).status_code == 404
        assert platform.get(A, who).json["items"] == []
    for path in ("reviews", "representations"):
        assert platform.post(f"{A}/{id_}/{path}", {"text": "Mine"}, ben).status_code == 404


def test_what_is_stored_is_sealed(platform: Platform, ada: str, ben: str) -> None:
    id_ = submit(platform, ada).json["id"]
    platform.post(f"{A}/{id_}/representations", {"text": TOLD}, ada)
    decide(platform, the_review(platform), representations_read=1)
    stored = str(platform.store._collections)
    for secret in ("123457", "200000", "score_unavailable", "QUILLFEATHER", "payslips", "earnings"):
        assert secret not in stored


# --- review by people -------------------------------------------------------------------------------------


def test_from_referral_to_decision_to_contest(platform: Platform, ada: str, ben: str) -> None:
    id_ = submit(platform, ada).json["id"]
    assert platform.post(f"{A}/{id_}/reviews", who=ada).json["code"] == "review_still_open"
    platform.post(f"{A}/{id_}/representations", {"text": TOLD}, ada)
    review = the_review(platform)

    case = platform.get(f"{A}/reviews/{review}", "fin", **LOOKING).json
    assert case["reviews"][0]["representations"][0]["text"] == TOLD
    assert case["asked"]["statement"]["savings_pence"] == 123_457
    assert (case["person"], case["fraud"]["findings"]) == (ada, [])

    assert decide(platform, review).json["code"] == "representations_unread"
    assert (
        decide(platform, review, representations_read=1, reason="ok").json["code"] == "review_reason_missing"
    )
    decided = decide(platform, review, representations_read=1)
    assert decided.status_code == 200, decided.json
    assert decided.json["reviews"][0]["decision"]["by"] == "fin"
    assert decide(platform, review, representations_read=1).json["code"] == "review_decided"
    assert platform.get(f"{A}/reviews", "fin").json["items"] == []

    told = platform.get(f"{A}/{id_}", ada).json
    assert told["standing"] == "declined"
    assert told["reviews"][0]["decision"] | {"at": ""} == {
        "verdict": "declined",
        "at": "",
        "reason": WHY,
        "circle": None,
    }
    late = platform.post(f"{A}/{id_}/representations", {"text": "One thing more"}, ada)
    assert late.json["code"] == "review_decided"

    contested = platform.post(f"{A}/{id_}/reviews", {"text": "Please look again"}, ada)
    assert contested.status_code == 201, contested.json
    assert contested.json["reviews"][1]["because"] == "contested"
    second = the_review(platform)
    approved = {"verdict": "approved", "representations_read": 1, "circle": SMALL}
    same = decide(platform, second, "fin", **approved)
    assert (same.status_code, same.json["code"]) == (403, "reviewer_not_independent")
    assert decide(platform, second, "fin2", **approved).status_code == 200
    line = platform.get(A, ada).json["items"][0]
    assert (line["outcome"], line["standing"]) == ("refer", "approved")


def test_staff_say_why_they_look_and_it_is_noted(platform: Platform, ada: str, ben: str) -> None:
    submit(platform, ada)
    review = the_review(platform)
    assert platform.get(f"{A}/reviews/{review}", "fin").json["code"] == "reason_missing"
    assert platform.get(f"{A}/reviews/{review}", "fin", **LOOKING).status_code == 200
    assert decide(platform, review).status_code == 200
    noted = [one.data for one in platform.store._collections["access"].values()]
    assert {(one["staff"], one["action"], one["about"]) for one in noted if one} == {
        ("fin", "read_assessment_reviews", ada),
        ("fin", "decide_assessment_review", ada),
    }


@pytest.mark.parametrize("who", ["ada", "ben", "sup"])
def test_others_neither_read_the_queue_nor_decide(platform: Platform, ada: str, ben: str, who: str) -> None:
    submit(platform, ada)
    review = the_review(platform)
    for path in ("reviews", f"reviews/{review}", "portfolio"):
        assert platform.get(f"{A}/{path}", who, **LOOKING).status_code in {403, 404}
    assert decide(platform, review, who).status_code in {403, 404}
    assert platform.get(f"{A}/reviews/{review}", "fin", **LOOKING).json["standing"] == "referred"


def test_nobody_decides_on_themselves(platform: Platform, ada: str, ben: str) -> None:
    platform.post("/v1/users", who="fin")
    yes = {"purpose": "credit_assessment", "version": "2026-11", "given": True}
    platform.post("/v1/users/me/consents", yes, "fin")
    submit(platform, "fin")
    assert decide(platform, the_review(platform)).json["code"] == "reviewer_not_independent"


def test_the_portfolio_is_empty_without_circles(platform: Platform, ben: str) -> None:
    seen = platform.get(f"{A}/portfolio", "adm", **LOOKING).json
    assert (seen["total"]["seats"], seen["by_band"], seen["riskiest_groups"]) == (0, [], [])


def test_staff_see_one_circle_seat_by_seat(platform: Platform, ada: str, ben: str) -> None:
    circle = World(store=platform.store, capital_pence=0).planted(["ada", "ben", "cy", "dee", "eve"])
    seen = platform.get(f"{A}/portfolio/{circle.id}", "adm", **LOOKING)
    assert seen.status_code == 200, seen.json
    assert len(seen.json["seats"]) == 5
    assert seen.json["exposure_pence"] == 100_000
    assert seen.json["advice"]["reserve_pence"] >= seen.json["expected_loss_pence"] > 0
    assert platform.get(f"{A}/portfolio/{circle.id}", "adm").json["code"] == "reason_missing"
    assert platform.get(f"{A}/portfolio/{circle.id}", ada, **LOOKING).status_code == 403
    assert platform.get(f"{A}/portfolio/grp_none", "adm", **LOOKING).status_code == 404


def test_what_staff_were_shown_counts_from_the_next_assessment_on(
    platform: Platform, ada: str, ben: str
) -> None:
    circle = {"amount_pence": 10_000, "frequency": "monthly"}
    before = submit(platform, ada, circle=circle, applicant=APPLICANT).json
    assert {"income_evidence", "costs_evidence"} <= {reason["code"] for reason in before["reasons"]}
    path = f"{A}/evidence/{ada}"
    seen = [
        ("income", "payslip", 200_000),
        ("costs", "bill", 100_000),
        ("savings", "bank_statement", 130_000),
    ]
    for about, document, pence in seen:
        body = {"about": about, "document": document, "shown_pence": pence}
        noted = platform.post(path, body, "fin")
        assert noted.status_code == 201, noted.json
    assert {one["seen_by"] for one in noted.json["items"]} == {"fin"}
    for who, status in ((ada, 403), (ben, 403), ("sup", 403)):
        assert platform.post(path, body, who).status_code == status
    assert platform.post(f"{A}/evidence/nobody", body, "fin").status_code == 404
    wrong = platform.post(path, body | {"shown_pence": -1}, "fin").json
    assert wrong["errors"][0]["field"] == "shown_pence"

    mine = platform.get(f"{A}/evidence", ada).json["items"]
    assert [(one["about"], one["level"], one["counts"]) for one in mine] == [
        ("income", "documented", True),
        ("costs", "documented", True),
        ("savings", "documented", True),
    ]
    assert "seen_by" not in mine[0]
    after = submit(platform, ada, circle=circle, applicant=APPLICANT).json
    assert (after["outcome"], after["in_force"], after["stale"]) == ("approve", True, [])
    assert "200000" not in str(platform.store._collections)

    nothing = {"about": "income", "document": "nothing", "shown_pence": 0}
    platform.post(path, nothing, "adm")
    now = platform.get(f"{A}/{after['id']}", ada).json
    assert (now["standing"], now["in_force"]) == ("approved", False)
    assert [one["code"] for one in now["stale"]] == ["evidence_ended"]
    (line,) = platform.get(f"{A}/stale", "fin", **LOOKING).json["items"]
    assert (line["assessment"], line["because"]) == (after["id"], ["evidence_ended"])
    assert platform.get(f"{A}/stale", "fin").json["code"] == "reason_missing"
    assert platform.get(f"{A}/stale", ada, **LOOKING).status_code == 403


def test_nobody_bears_witness_for_themselves(platform: Platform, ada: str, ben: str) -> None:
    platform.post("/v1/users", who="fin")
    body = {"about": "income", "document": "payslip", "shown_pence": 900_000}
    assert platform.post(f"{A}/evidence/fin", body, "fin").json["code"] == "reviewer_not_independent"


def test_staff_see_what_holds_somebody_up_and_let_them_go(platform: Platform, ada: str, ben: str) -> None:
    World(store=platform.store, capital_pence=0).planted(["ada", "ben", "cy", "dee", "eve"])
    for n in range(6):
        wanted = Member(group=f"grp_{n}", uid=ada, state="requested", joined_at=NOW)
        platform.store.commit([Create(wanted.path, wanted.data())])
    asked = submit(platform, ada).json
    assert (asked["outcome"], asked["reasons"][-1]["code"]) == ("decline_to_refer", "details_to_check")

    (waits,) = platform.get(f"{A}/fraud", "fin").json["items"]
    assert (waits["person"], waits["open"]) == (ada, 1)
    path = f"{A}/fraud/{ada}"
    assert platform.get(path, "fin").json["code"] == "reason_missing"
    found = platform.get(path, "fin", **LOOKING).json
    assert found["holds"] == ["joining"]
    assert [one["code"] for one in found["findings"]] == ["many_groups"]
    answer = {"finding": 1, "verdict": "lifted", "reason": "She told us why: she came from another platform."}
    for who, status in ((ada, 403), ("aud", 403), ("sup", 403)):
        platform.people.add("aud", ["auditor"])
        assert platform.post(f"{path}/decision", answer, who).status_code == status
    short = platform.post(f"{path}/decision", answer | {"reason": "ok"}, "fin").json
    assert (short["code"], short["errors"][0]["field"]) == ("review_reason_missing", "reason")
    decided = platform.post(f"{path}/decision", answer, "fin")
    assert decided.status_code == 200, decided.json
    assert (decided.json["holds"], decided.json["findings"][0]["state"]) == ([], "lifted")
    assert platform.post(f"{path}/decision", answer, "fin").json["code"] == "finding_decided"
    assert platform.get(f"{A}/fraud", "fin").json["items"] == []
    assert "another platform" not in str(platform.store._collections)


def test_one_can_see_from_which_turn_on_trust_reaches(platform: Platform, ada: str, ben: str) -> None:
    asked = f"{A}/earliest-turn?amount_pence=10000&frequency=monthly&members=5"
    seen = platform.get(asked, ada)
    assert seen.status_code == 200, seen.json
    assert seen.json == {"members": 5, "earliest": 4, "pd_ppm": 221_200, "arrears_pence": 0}
    assert platform.get(asked.replace("=5", "=4"), ada).json["errors"][0]["field"] == "members"
    assert platform.get(asked.replace("10000", "1"), ada).json["errors"][0]["field"] == "amount_pence"


# --- financial health -------------------------------------------------------------------------------------


def test_financial_health_from_questions_to_history(platform: Platform, ada: str) -> None:
    asked = platform.get(f"{A}/financial-health/questions", ada).json["questions"]
    assert len(asked) == 12
    assert platform.get(f"{A}/financial-health", ada).json == {"results": [], "trend": None}
    for choice in (1, 3):
        choices = {question["id"]: choice for question in asked}
        answer = platform.post(f"{A}/financial-health", {"choices": choices}, ada)
        assert answer.status_code == 201, answer.json
    (result,) = platform.get(f"{A}/financial-health", ada).json["results"]  # one for each day
    assert (result["on"], result["health"]["score"], result["health"]["band"]) == (
        "2026-11-24",
        100,
        "strong",
    )


@pytest.mark.parametrize("choices", [{}, {"pay_day": 1}, {"pay_day": 4}, {"star_sign": 1}])
def test_health_wants_all_twelve(platform: Platform, ada: str, choices: dict[str, int]) -> None:
    assert platform.post(f"{A}/financial-health", {"choices": choices}, ada).status_code == 422


# --- rights -----------------------------------------------------------------------------------------------


def test_all_of_it_is_exported_and_erased(platform: Platform, ada: str, ben: str) -> None:
    id_ = submit(platform, ada).json["id"]
    platform.post(f"{A}/{id_}/representations", {"text": TOLD}, ada)
    asked = platform.get(f"{A}/financial-health/questions", ada).json["questions"]
    choices = {question["id"]: 2 for question in asked}
    platform.post(f"{A}/financial-health", {"choices": choices}, ada)

    data = platform.get("/v1/users/me/export", ada).json["data"]
    assert data["assessments"][0]["reviews"][0]["representations"][0]["text"] == TOLD
    assert len(data["financial_health"]["results"]) == 1

    assert platform.post("/v1/users/me/erase", who=ada).status_code == 200
    (gone,) = platform.store.load(assessment_ref(id_).path)
    assert gone.data is None
    for collection in ("assessments", "reviews", "financial_health"):
        assert not [one for one in platform.store._collections.get(collection, {}).values() if one.data]


# --- what serving loads -----------------------------------------------------------------------------------

SERVE = """
import sys
from shared import bootstrap
from tests.builders import World
from tests.entrypoints.platform import Platform
from tests.entrypoints.test_assessments import A, APPLICANT, SMALL, month
platform = Platform()
with bootstrap.override(**platform.parts()):
    platform.people.add("ada")
    platform.post("/v1/users", who="ada")
    yes = {"purpose": "credit_assessment", "version": "2026-11", "given": True}
    platform.post("/v1/users/me/consents", yes, "ada")
    before = set(sys.modules)
    answer = platform.post(A, {"statement": month(), "circle": SMALL, "applicant": APPLICANT}, "ada")
    assert answer.status_code == 201, answer.json
training = {"sklearn", "numpy", "pandas", "scipy"}
print("loaded:", *sorted(training & sys.modules.keys()))
"""


def test_a_damaged_model_stops_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "damaged.json").write_text('{"schema": "ajo.score/1", "sha256": "0"}')
    monkeypatch.setattr(artefact, "FOLDER", tmp_path)
    with pytest.raises(ArtefactRefused):
        runpy.run_path(str(ROOT / "functions" / "assessments" / "main.py"))


def test_serving_a_request_loads_no_training_library() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SERVE], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, timeout=120
    )
    assert done.stdout.splitlines()[-1].strip() == "loaded:"
