"""Applicants drawn from all that the form allows, the troubled ones often."""

from __future__ import annotations

import random
from dataclasses import replace

from shared.domain.scoring.applicant import REFERENCE, Applicant, Repayments

FACTS = {
    "account": ("balance_pence", "salary_paid_in_months"),
    "repayments": ("repayments",),
    "savings": ("savings_pence",),
    "work": ("months_in_work",),
    "guarantor": ("has_guarantor",),
    "instalments": ("pays_other_instalments",),
    "surplus": ("surplus_pence",),
    "circle": ("contribution_pence", "every", "members"),
}
"""Reason → the facts that mending it changes."""


def drawn(seed: int) -> Applicant:
    chance = random.Random(seed)
    return Applicant(
        balance_pence=chance.choice([None, -20_000, 0, 5_000, 300_000]),
        salary_paid_in_months=chance.choice([0, 0, 3, 24]),
        repayments=chance.choice(list(Repayments)),
        savings_pence=chance.choice([0, 0, 5_000, 50_000, 500_000]),
        months_in_work=chance.choice([0, 3, 20, 60, 200]),
        has_guarantor=chance.random() < 0.1,
        pays_other_instalments=chance.random() < 0.4,
        surplus_pence=chance.choice([0, 4_000, 10_000, 40_000, 120_000]),
        contribution_pence=chance.choice([5_000, 10_000, 50_000, 80_000]),
        every=chance.choice(["week", "month"]),
        members=chance.randint(5, 10) if chance.random() < 0.7 else chance.randint(11, 50),
    )


def mended(applicant: Applicant, codes: list[str]) -> Applicant:
    """The same person, with what these reasons name as the reference applicant has it."""
    facts = [fact for code in codes for fact in FACTS[code]]
    return replace(applicant, **{fact: getattr(REFERENCE, fact) for fact in facts})
