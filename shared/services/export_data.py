"""Export: everything that we hold of a person, for them to take along, as data and as a page to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared.domain.errors import Erased, NoSuchThing
from shared.domain.members import Member, member_ref
from shared.domain.privacy import AUTOMATED_DECISIONS
from shared.domain.profiles import Profile, profile_ref
from shared.domain.users import payment_methods_ref, user_ref
from shared.ports import Query
from shared.services import (
    consents,
    display_names,
    financial_health,
    identity_check,
    reach,
    read_assessment,
    throttle,
    views,
)
from shared.services.case_files import assessments_of
from shared.services.context import Context
from shared.services.sealed_profile import opened
from shared.services.transact import read

CONTRIBUTIONS_MAX: Final = 1_000


def export(ctx: Context, uid: str) -> dict[str, Any]:
    """All of a person's data. Raises NoSuchThing before the sign-up, TooManyRequests."""
    throttle.count(ctx, throttle.EXPORTS, uid)
    loaded = read(ctx, user_ref(uid), payment_methods_ref(uid), profile_ref(uid))
    user, methods = loaded.find(user_ref(uid)), loaded.find(payment_methods_ref(uid))
    profile = loaded.find(profile_ref(uid))
    if user is None:
        raise NoSuchThing(thing="account; sign up first")
    data = {
        "account": views.user(user, methods),
        "identity": identity_check.standing(user),
        "profile": _profile(ctx, profile),
        "payment_methods": [views.payment_method(one, methods.default) for one in methods.methods]
        if methods
        else [],
        "consents": consents.own(ctx, uid)["answers"],
        "reach": reach.own(ctx, uid),
        "circles": _circles(ctx, uid),
        "contributions": _contributions(ctx, uid),
        "assessments": _assessments(ctx, uid),
        "financial_health": _financial_health(ctx, uid),
        "automated_decisions": AUTOMATED_DECISIONS,
    }
    return {"data": data, "readable": "\n".join(_lines(data))}


def _profile(ctx: Context, profile: Profile | None) -> dict[str, Any] | None:
    try:
        return opened(ctx, profile).model_dump(mode="json") if profile else None
    except Erased:
        return None


def _assessments(ctx: Context, uid: str) -> list[dict[str, Any]]:
    """Each with every reason and figure; fraud findings stay with us, as they name others."""
    files = list(assessments_of(ctx, uid))
    try:
        return [read_assessment.own(ctx, uid, file.id) for file in files]
    except Erased:
        return []


def _financial_health(ctx: Context, uid: str) -> dict[str, Any] | None:
    try:
        return financial_health.history(ctx, uid)
    except Erased:
        return None


def _circles(ctx: Context, uid: str) -> list[dict[str, Any]]:
    """The person's own places: what others in a circle are or owe is theirs, not this person's to take."""
    refs = [member_ref(group, uid) for group in display_names.circles_of(ctx, uid)]
    loaded = read(ctx, *refs) if refs else None
    places: list[Member] = [
        found for ref in refs if loaded is not None and (found := loaded.find(ref)) is not None
    ]
    return [
        {
            "group": place.group,
            "state": place.state,
            "role": place.role,
            "position": place.position,
            "joined_at": place.joined_at.isoformat(),
            "owes_pence": place.owes_pence(),
        }
        for place in places
    ]


def _contributions(ctx: Context, uid: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while len(found) < CONTRIBUTIONS_MAX:
        page = ctx.store.query(
            Query(
                "contributions",
                where=[("uid", "==", uid)],
                order_by=["due_date"],
                after=cursor,
                group=True,
            )
        )
        found += [_contribution(one.data or {}) for one in page.documents]
        cursor = page.cursor
        if cursor is None:
            break
    return found


def _contribution(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": data["id"],
        "group": data["group"],
        "cycle": data["cycle"],
        "due_date": data["due_date"],
        "amount_pence": data["amount_pence"],
        "state": data["state"],
    }


def _lines(value: Any, name: str = "", depth: int = 0) -> Iterator[str]:
    """The data as indented lines, in words: "date of birth: 1990-01-31"."""
    indent, title = "  " * depth, name.replace("_", " ")
    if isinstance(value, Mapping):
        if name:
            yield f"{indent}{title}:"
        for key, inner in value.items():
            yield from _lines(inner, str(key), depth + bool(name))
    elif isinstance(value, list):
        yield f"{indent}{title}: {'none' if not value else len(value)}"
        for number, inner in enumerate(value, start=1):
            yield from _lines(inner, str(number), depth + 1)
    else:
        yield f"{indent}{title}: {'–' if value is None else value}"
