"""The permission table: which role may take which action. Every route names one; the domain asks it too.

Roles come from two places. What a person is by themselves (signed in, staff) is known from the token; what
they are in a group is known only when the group is loaded. `may_begin` answers before that, at the door;
`require` answers for good, on the loaded group. Nothing else in the code compares roles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from shared.domain.errors import NoSuchThing, NotAllowed


class Role(StrEnum):
    """What somebody is, to the platform or to one group."""

    ANYONE = "anyone"
    SIGNED_IN = "signed_in"
    MEMBER = "member"
    ORGANISER = "organiser"
    DEPUTY = "deputy"
    SUPPORT = "support"
    FINANCE = "finance"
    ADMIN = "admin"
    AUDITOR = "auditor"


GROUP_ROLES: Final = frozenset({Role.MEMBER, Role.ORGANISER, Role.DEPUTY})
STAFF_ROLES: Final = frozenset({Role.SUPPORT, Role.FINANCE, Role.ADMIN, Role.AUDITOR})


class Action(StrEnum):
    """What can be done. `…own…` is about the person who asks: the token names them, never the request."""

    READ_HEALTH = "read_health"

    SIGN_UP = "sign_up"
    READ_OWN_USER = "read_own_user"
    USE_OWN_SESSION = "use_own_session"
    SAVE_OWN_PROFILE = "save_own_profile"
    READ_OWN_PROFILE = "read_own_profile"
    CHECK_OWN_IDENTITY = "check_own_identity"
    CONSENT = "consent"
    SET_OWN_REACH = "set_own_reach"
    EXPORT_OWN_DATA = "export_own_data"
    ERASE_ONESELF = "erase_oneself"
    READ_OWN_NOTIFICATIONS = "read_own_notifications"
    OPEN_OWN_PAYOUT_ACCOUNT = "open_own_payout_account"
    REFRESH_OWN_PAYOUT_ACCOUNT = "refresh_own_payout_account"

    SET_UP_OWN_PAYMENT_METHOD = "set_up_own_payment_method"
    READ_OWN_PAYMENT_METHODS = "read_own_payment_methods"
    READ_OWN_CONTRIBUTIONS = "read_own_contributions"
    PAY_OWN_CONTRIBUTION = "pay_own_contribution"
    READ_OWN_RECEIPT = "read_own_receipt"

    CREATE_GROUP = "create_group"
    IMPORT_GROUP = "import_group"
    EDIT_GROUP = "edit_group"
    BROWSE_GROUPS = "browse_groups"
    ASSIGN_ROLE = "assign_role"
    READ_OWN_GROUPS = "read_own_groups"
    READ_GROUP = "read_group"
    JOIN_GROUP = "join_group"
    INVITE = "invite"
    DECIDE_ON_MEMBER = "decide_on_member"
    READ_AGREEMENT = "read_agreement"
    ACCEPT_AGREEMENT = "accept_agreement"
    LOCK_GROUP = "lock_group"
    CANCEL_GROUP = "cancel_group"
    LEAVE_GROUP = "leave_group"
    RANK_CYCLES = "rank_cycles"
    SET_ORDER = "set_order"
    READ_PLACE = "read_place"
    READ_PROGRESS = "read_progress"
    READ_STANDING = "read_standing"
    ASK_FOR_TIME = "ask_for_time"
    ASK_APPROVAL = "ask_approval"
    ANSWER_APPROVAL = "answer_approval"
    READ_APPROVALS = "read_approvals"
    READ_SCHEDULE = "read_schedule"
    READ_BALANCES = "read_balances"
    READ_STATEMENT = "read_statement"
    READ_GROUP_STATEMENT = "read_group_statement"
    READ_AUDIT = "read_audit"
    READ_ACCESSES = "read_accesses"

    READ_MESSAGES = "read_messages"
    ANSWER_MESSAGES = "answer_messages"
    POST_MESSAGE = "post_message"
    MODERATE_MESSAGES = "moderate_messages"
    OPEN_DISPUTE = "open_dispute"
    ANSWER_DISPUTE = "answer_dispute"
    READ_DISPUTE = "read_dispute"
    REVIEW_DISPUTE = "review_dispute"

    CALCULATE_AFFORDABILITY = "calculate_affordability"
    SUBMIT_OWN_ASSESSMENT = "submit_own_assessment"
    READ_OWN_ASSESSMENTS = "read_own_assessments"
    CONTEST_OWN_ASSESSMENT = "contest_own_assessment"
    TAKE_OWN_FINANCIAL_HEALTH = "take_own_financial_health"
    READ_ASSESSMENT_REVIEWS = "read_assessment_reviews"
    DECIDE_ASSESSMENT_REVIEW = "decide_assessment_review"
    READ_PORTFOLIO = "read_portfolio"
    RECORD_EVIDENCE = "record_evidence"
    READ_FRAUD = "read_fraud"
    DECIDE_FRAUD = "decide_fraud"


_SIGNED_IN = frozenset({Role.SIGNED_IN})
_CIRCLE = GROUP_ROLES
_STEERING = frozenset({Role.ORGANISER, Role.DEPUTY})
_READING_STAFF = STAFF_ROLES

TABLE: Final[Mapping[Action, frozenset[Role]]] = MappingProxyType(
    {
        Action.READ_HEALTH: frozenset({Role.ANYONE}),
        Action.SIGN_UP: _SIGNED_IN,
        Action.READ_OWN_USER: _SIGNED_IN,
        Action.USE_OWN_SESSION: _SIGNED_IN,
        Action.SAVE_OWN_PROFILE: _SIGNED_IN,
        Action.READ_OWN_PROFILE: _SIGNED_IN,
        Action.CHECK_OWN_IDENTITY: _SIGNED_IN,
        Action.CONSENT: _SIGNED_IN,
        Action.SET_OWN_REACH: _SIGNED_IN,
        Action.EXPORT_OWN_DATA: _SIGNED_IN,
        Action.ERASE_ONESELF: _SIGNED_IN,
        Action.READ_OWN_NOTIFICATIONS: _SIGNED_IN,
        Action.OPEN_OWN_PAYOUT_ACCOUNT: _SIGNED_IN,
        Action.REFRESH_OWN_PAYOUT_ACCOUNT: _SIGNED_IN,
        Action.SET_UP_OWN_PAYMENT_METHOD: _SIGNED_IN,
        Action.READ_OWN_PAYMENT_METHODS: _SIGNED_IN,
        Action.READ_OWN_CONTRIBUTIONS: _SIGNED_IN,
        Action.PAY_OWN_CONTRIBUTION: _SIGNED_IN,
        Action.READ_OWN_RECEIPT: _SIGNED_IN,
        Action.CREATE_GROUP: _SIGNED_IN,
        Action.IMPORT_GROUP: _SIGNED_IN,
        Action.EDIT_GROUP: frozenset({Role.ORGANISER}),
        Action.BROWSE_GROUPS: _SIGNED_IN,
        Action.ASSIGN_ROLE: frozenset({Role.ORGANISER}),
        Action.READ_OWN_GROUPS: _SIGNED_IN,
        Action.READ_GROUP: _CIRCLE | _READING_STAFF,
        Action.JOIN_GROUP: _SIGNED_IN,
        Action.INVITE: _STEERING,
        Action.DECIDE_ON_MEMBER: _STEERING,
        Action.READ_AGREEMENT: _CIRCLE | _READING_STAFF,
        Action.ACCEPT_AGREEMENT: _CIRCLE,
        Action.LOCK_GROUP: frozenset({Role.ORGANISER}),
        Action.CANCEL_GROUP: frozenset({Role.ORGANISER}),
        Action.LEAVE_GROUP: _CIRCLE,
        Action.RANK_CYCLES: _CIRCLE,
        Action.SET_ORDER: frozenset({Role.ORGANISER}),
        Action.READ_PLACE: _CIRCLE,
        Action.READ_PROGRESS: _CIRCLE,
        Action.READ_STANDING: _CIRCLE,
        Action.ASK_FOR_TIME: _CIRCLE,
        Action.ASK_APPROVAL: _CIRCLE | frozenset({Role.FINANCE, Role.ADMIN}),
        Action.ANSWER_APPROVAL: _CIRCLE | frozenset({Role.FINANCE, Role.ADMIN}),
        Action.READ_APPROVALS: _CIRCLE | frozenset({Role.FINANCE, Role.ADMIN, Role.AUDITOR}),
        Action.READ_SCHEDULE: _CIRCLE | _READING_STAFF,
        Action.READ_BALANCES: _CIRCLE | frozenset({Role.FINANCE, Role.ADMIN, Role.AUDITOR}),
        Action.READ_STATEMENT: _CIRCLE | frozenset({Role.FINANCE, Role.ADMIN, Role.AUDITOR}),
        Action.READ_GROUP_STATEMENT: _STEERING | frozenset({Role.FINANCE, Role.ADMIN, Role.AUDITOR}),
        Action.READ_AUDIT: frozenset({Role.ADMIN, Role.AUDITOR}),
        Action.READ_ACCESSES: _CIRCLE | frozenset({Role.ADMIN, Role.AUDITOR}),
        Action.ANSWER_MESSAGES: _CIRCLE,
        Action.READ_MESSAGES: _CIRCLE | frozenset({Role.SUPPORT, Role.ADMIN}),
        Action.POST_MESSAGE: _CIRCLE,
        Action.MODERATE_MESSAGES: _STEERING | frozenset({Role.SUPPORT, Role.ADMIN}),
        Action.OPEN_DISPUTE: _CIRCLE,
        Action.ANSWER_DISPUTE: _CIRCLE | frozenset({Role.SUPPORT, Role.ADMIN}),
        Action.READ_DISPUTE: _CIRCLE | frozenset({Role.SUPPORT, Role.ADMIN, Role.AUDITOR}),
        Action.REVIEW_DISPUTE: frozenset({Role.SUPPORT, Role.ADMIN}),
        Action.CALCULATE_AFFORDABILITY: _SIGNED_IN,
        Action.SUBMIT_OWN_ASSESSMENT: _SIGNED_IN,
        Action.READ_OWN_ASSESSMENTS: _SIGNED_IN,
        Action.CONTEST_OWN_ASSESSMENT: _SIGNED_IN,
        Action.TAKE_OWN_FINANCIAL_HEALTH: _SIGNED_IN,
        Action.READ_ASSESSMENT_REVIEWS: frozenset({Role.FINANCE, Role.ADMIN, Role.AUDITOR}),
        Action.DECIDE_ASSESSMENT_REVIEW: frozenset({Role.FINANCE, Role.ADMIN}),
        Action.READ_PORTFOLIO: frozenset({Role.FINANCE, Role.ADMIN, Role.AUDITOR}),
        Action.RECORD_EVIDENCE: frozenset({Role.FINANCE, Role.ADMIN}),
        Action.READ_FRAUD: frozenset({Role.FINANCE, Role.ADMIN, Role.AUDITOR}),
        Action.DECIDE_FRAUD: frozenset({Role.FINANCE, Role.ADMIN}),
    }
)
"""The one table. Staff read a circle to help it; they never act in it as a member would."""

NEEDS_VERIFIED_EMAIL: Final = frozenset(
    {
        Action.OPEN_OWN_PAYOUT_ACCOUNT,
        Action.CHECK_OWN_IDENTITY,
        Action.SET_UP_OWN_PAYMENT_METHOD,
        Action.PAY_OWN_CONTRIBUTION,
        Action.CREATE_GROUP,
        Action.IMPORT_GROUP,
        Action.ACCEPT_AGREEMENT,
    }
)
"""Where money begins, whoever asks can be written to: notices of debits go there."""


def allows(action: Action, roles: Iterable[Role]) -> bool:
    """Whether one of these roles may take the action."""
    return not TABLE[action].isdisjoint(roles)


def may_begin(action: Action, roles: Iterable[Role]) -> bool:
    """Whether the action is worth loading anything for: allowed already, or by a role in some group."""
    return allows(action, roles) or not TABLE[action].isdisjoint(GROUP_ROLES)


def require(action: Action, roles: Iterable[Role], thing: str = "group") -> None:
    """Let the action pass, or refuse it.

    Raises NotAllowed for those who may see the thing (a role in the group, or staff), NoSuchThing for
    everybody else: whether a group exists is not for a stranger to find out.
    """
    held = frozenset(roles)
    if allows(action, held):
        return
    if held & (GROUP_ROLES | STAFF_ROLES):
        raise NotAllowed()
    raise NoSuchThing(thing=thing)


def personal_roles(claims: Iterable[str]) -> frozenset[Role]:
    """The roles that a signed-in person holds by themselves: staff claims that we know, and no others."""
    known = {str(role): role for role in STAFF_ROLES}
    return frozenset({Role.ANYONE, Role.SIGNED_IN}) | {known[claim] for claim in claims if claim in known}
