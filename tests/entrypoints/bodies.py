"""A body that is read without complaint, for each shape of the API that needs one."""

from __future__ import annotations

from typing import Any, Final

from shared.domain.financial_health import QuestionId

NONE: Final = "x" * 12
"""An id of nothing."""

TERMS: Final = {
    "name": "A circle",
    "amount_pence": 10_000,
    "frequency": "monthly",
    "members": 5,
    "first_due_date": "2027-01-04",
}

MONTH: Final = {
    "income": [{"category": "earnings", "amount_pence": 200_000}],
    "fixed_costs": [
        {"category": "home_and_contents", "amount_pence": 70_000},
        {"category": "utilities", "amount_pence": 10_000},
    ],
    "flexible_costs": [{"category": "food_and_housekeeping", "amount_pence": 30_000}],
    "savings_pence": 100_000,
}

BODIES: Final[dict[str, dict[str, Any]]] = {
    "Acceptance": {"hash": "0" * 64},
    "Appeal": {"text": "It was not as the decision says."},
    "DisputeEntry": {"text": "I paid on the day, as my bank can show."},
    "NewEvidence": {"about": "income", "document": "payslip", "shown_pence": 200_000},
    "FindingDecision": {
        "finding": 1,
        "verdict": "lifted",
        "reason": "They are one household, seen on the bill.",
    },
    "InvitationMail": {"code": NONE, "email": "ann@example.org"},
    "Join": {"group": "grp_2"},
    "MessageReport": {"reason": "spam"},
    "Moderation": {"hide": True},
    "Mute": {"muted": True},
    "NewApproval": {"kind": "wind_up"},
    "NewAssessment": {"statement": MONTH, "circle": {"amount_pence": 5_000, "frequency": "monthly"}},
    "NewCalculation": {"statement": MONTH, "circle": {"amount_pence": 5_000, "frequency": "monthly"}},
    "NewConsent": {"purpose": "terms", "version": "2026-11", "given": True},
    "NewDecision": {"outcome": "rejected", "reason": "There is nothing that speaks for it."},
    "NewDevice": {"token": "a" * 30, "platform": "web"},
    "NewDispute": {"kind": "contribution", "subject": "con_cleo", "text": "It was not paid as said."},
    "NewGroup": TERMS,
    "GroupTerms": TERMS,
    "NewHealthAnswers": {"choices": {question.value: 2 for question in QuestionId}},
    "NewIdentityCheck": {"return_url": "https://app.example/done"},
    "NewImport": {key: TERMS[key] for key in TERMS if key != "members"} | {"file": "bmFtZQo="},
    "NewMessage": {"text": "Good morning"},
    "NewMethod": {"method": "pm_1"},
    "NewOrder": {"order": ["ada", "dep", "ben", "cleo", "dan"]},
    "NewPayoutAccount": {"return_url": "https://app.example/a", "refresh_url": "https://app.example/b"},
    "NewPreferences": {"channels": [], "quiet_from": None, "quiet_until": None, "language": "en"},
    "NewProfile": {
        "full_name": "A Person",
        "display_name": "A",
        "date_of_birth": "1987-03-14",
        "address": {"line_1": "1 High Street", "town": "Peckham", "postcode": "SE15 4QN"},
        "phone": "07911 123456",
    },
    "NewRepresentation": {"text": "My hours went up in May."},
    "NewRole": {"role": "deputy"},
    "NewSetup": {"kind": "card", "return_url": "https://app.example/done"},
    "OldDevice": {"token": "a" * 30},
    "PayContribution": {"group": "grp_1"},
    "PreviewRequest": {"code": "abcdefgh"},
    "Ranking": {"ranking": [1, 2, 3, 4, 5]},
    "ReadMark": {"message": NONE},
    "ReviewDecision": {
        "verdict": "approved",
        "reason": "The payslips show what was stated.",
        "representations_read": 0,
    },
    "Silence": {"days": 1},
    "TimeAsked": {"until": "2027-02-01"},
}
