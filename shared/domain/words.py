"""The words that the platform shares with its clients: states, kinds, choices, and how long a thing may be.

They stand apart from the documents that hold them, so that a function which only knows what clients may say
loads no document at its cold start. Which state may follow which stands with each thing (DESIGN.md § 6).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal

# --- circles ------------------------------------------------------------------------------------------------

Frequency = Literal["weekly", "monthly"]
GroupState = Literal["draft", "recruiting", "locked", "active", "completed", "cancelled", "wound_up"]
OrderMethod = Literal["random", "preference", "organiser", "trust"]
DefaultPolicy = Literal["wait", "pay_cleared", "reserve"]

GroupRole = Literal["member", "deputy", "organiser"]
MembershipState = Literal[
    "invited",
    "requested",
    "approved",
    "agreed",
    "active",
    "finished",
    "left",
    "removed",
    "defaulted",
    "declined",
    "rejected",
    "expired",
]

ApprovalKind = Literal[
    "swap",
    "substitution",
    "removal",
    "plan",
    "wind_up",
    "write_off",
    "payout",
    "fee_change",
    "refund",
    "reversal",
]
ApprovalState = Literal["open", "carried_out", "refused", "withdrawn", "expired"]

FILE_BYTES_MAX: Final = 700_000
"""What fits into a request as base64. A circle's file has some hundred bytes; the rest is for telling why."""

# --- money --------------------------------------------------------------------------------------------------

MethodKind = Literal["card", "bacs_debit"]
ContributionState = Literal["due", "covered", "short", "waived"]
AttemptState = Literal[
    "submitting",
    "requires_action",
    "processing",
    "settled",
    "failed",
    "cancelled",
    "refunded",
    "disputed",
    "won",
    "lost",
]
PayoutState = Literal[
    "scheduled",
    "parked",
    "reserved",
    "void",
    "submitting",
    "sent",
    "failed",
    "unknown",
    "received",
    "bank_failed",
    "partly_reversed",
    "reversed",
]

# --- people -------------------------------------------------------------------------------------------------

IdentityState = Literal["none", "pending", "verified", "restricted"]


class Ability(StrEnum):
    """What a person's identity can stand in the way of."""

    PAY_IN = "pay_in"
    ASK_TO_JOIN = "ask_to_join"
    PROMISE = "promise"
    RECEIVE = "receive"


ConsentPurpose = Literal["terms", "privacy_notice", "credit_assessment", "marketing"]
Channel = Literal["email", "sms", "push"]
Language = Literal["en", "cy", "fr", "pt", "yo", "ig", "ha", "tw", "sw"]
Template = Literal[
    "contribution_due_soon",
    "contribution_late",
    "contribution_missed",
    "authenticate_payment",
    "payment_method_needed",
    "payment_method_expires",
    "payout_account_needs_attention",
    "payout_bank_refused",
    "payout_bank_changed",
]

# --- talk ---------------------------------------------------------------------------------------------------

DisputeKind = Literal["contribution", "payout", "person"]
DisputeState = Literal["open", "under_review", "upheld", "rejected", "withdrawn"]
DisputeOutcome = Literal["upheld", "rejected"]
ReportReason = Literal["abuse", "fraud", "spam", "other"]

TEXT_LETTERS_MAX: Final = 2_000
"""A message, not a letter; it is also what a phone shows without a second screen."""

SILENCE_DAYS_MAX: Final = 30
