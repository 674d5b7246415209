"""Export: everything that we hold of a person, for them to take along, as data and as a page to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from shared.domain.disputes import Dispute, dispute_sealed_as
from shared.domain.errors import Erased
from shared.domain.members import Member, member_ref
from shared.domain.messages import message_sealed_as
from shared.domain.privacy import AUTOMATED_DECISIONS
from shared.domain.profiles import Profile, profile_ref
from shared.domain.users import payment_methods_ref, user_ref
from shared.ports import Identity, Query
from shared.services import (
    access_log,
    consents,
    display_names,
    evidence,
    financial_health,
    identity_check,
    own,
    reach,
    read_assessment,
    throttle,
    views,
)
from shared.services.case_files import assessments_of
from shared.services.context import Context
from shared.services.paging import every
from shared.services.sealed_profile import opened
from shared.services.transact import read


def export(ctx: Context, identity: Identity) -> dict[str, Any]:
    """All of a person's data. Raises NoSuchThing before the sign-up, TooManyRequests."""
    uid = identity.uid
    throttle.count(ctx, throttle.EXPORTS, uid)
    loaded = read(ctx, user_ref(uid), payment_methods_ref(uid), profile_ref(uid))
    user, methods = loaded.get(user_ref(uid)), loaded.find(payment_methods_ref(uid))
    circles = display_names.circles_of(ctx, uid)
    data = {
        "account": views.user(user, methods) | {"email": identity.email, "sign_in_phone": identity.phone},
        "identity": identity_check.standing(user),
        "profile": _profile(ctx, loaded.find(profile_ref(uid))),
        "payment_methods": [views.payment_method(one, methods.default) for one in methods.methods]
        if methods
        else [],
        "consents": consents.own(ctx, uid)["answers"],
        "reach": reach.own(ctx, uid),
        "circles": _circles(ctx, uid, circles),
        "contributions": _contributions(ctx, uid),
        "payouts": _payouts(ctx, uid),
        "messages": [line for group in circles for line in _messages(ctx, uid, group)],
        "disputes": [line for group in circles for line in _disputes(ctx, uid, group)],
        "notifications": _notifications(ctx, uid),
        "assessments": _assessments(ctx, uid),
        "financial_health": _financial_health(ctx, uid),
        "evidence": _evidence(ctx, uid),
        "looked_at_by_staff": _accesses(ctx, uid),
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


def _evidence(ctx: Context, uid: str) -> list[dict[str, Any]]:
    try:
        return list(evidence.own(ctx, uid)["items"])
    except Erased:
        return []


def _financial_health(ctx: Context, uid: str) -> dict[str, Any] | None:
    try:
        return financial_health.history(ctx, uid)
    except Erased:
        return None


def _circles(ctx: Context, uid: str, circles: list[str]) -> list[dict[str, Any]]:
    """The person's own places: what others in a circle are or owe is theirs, not this person's to take."""
    refs = [member_ref(group, uid) for group in circles]
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
    kept = ("id", "group", "cycle", "due_date", "amount_pence", "state")
    return [{name: data[name] for name in kept} for data in _every(ctx, own.contributions_of(uid))]


def _payouts(ctx: Context, uid: str) -> list[dict[str, Any]]:
    kept = ("id", "group", "cycle", "kind", "pay_date", "state", "received_at")
    return [
        {name: data[name] for name in kept} | {"received_at": _moment(data["received_at"])}
        for data in _every(ctx, own.payouts_to(uid))
    ]


def _messages(ctx: Context, uid: str, group: str) -> Iterator[dict[str, Any]]:
    """What the person wrote, as long as it is kept."""
    sealer = ctx.vault.sealer(group)
    for data in _every(ctx, Query(f"groups/{group}/messages", where=[("author", "==", uid)])):
        if data["sealed"]:
            text = sealer.open(data["sealed"], message_sealed_as(data["id"]))
            yield {"group": group, "at": _moment(data["posted_at"]), "text": text}


def _disputes(ctx: Context, uid: str, group: str) -> Iterator[dict[str, Any]]:
    """What the person said in disputes. The other side's words are the other side's."""
    sealer = ctx.vault.sealer(group)
    for data in _every(ctx, Query(f"groups/{group}/disputes", order_by=["opened_at"])):
        dispute = Dispute.model_validate(dict(data))
        if uid not in dispute.parties:
            continue
        said = [
            {
                "at": entry.at.isoformat(),
                "text": sealer.open(entry.sealed, dispute_sealed_as(dispute.id, entry.number)),
            }
            for entry in dispute.entries
            if entry.by == uid
        ]
        yield {"id": dispute.id, "group": group, "state": dispute.state, "said": said}


def _notifications(ctx: Context, uid: str) -> list[dict[str, Any]]:
    query = Query(f"notifications/{uid}/items", order_by=["at"])
    return [
        {"at": _moment(data["at"]), "template": data["template"], "subject": data["subject"]}
        for data in _every(ctx, query)
    ]


def _accesses(ctx: Context, uid: str) -> list[dict[str, Any]]:
    """Who of staff looked at this person, and why."""
    query = Query("access", where=[("about", "==", uid)], order_by=["-at"])
    found = list(_every(ctx, query))
    try:
        sealer = ctx.vault.sealer(uid)
    except Erased:
        return []
    return [
        {
            "at": _moment(data["at"]),
            "action": data["action"],
            "reason": sealer.open(data["reason"], access_log.sealed_as(data["id"])),
        }
        for data in found
    ]


def _every(ctx: Context, query: Query) -> Iterator[Mapping[str, Any]]:
    """The fields of every document that a query finds."""
    return (one.data or {} for one in every(ctx, query))


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()


def _lines(value: Any, name: str = "", depth: int = 0) -> Iterator[str]:
    """The data as indented lines, in words: "date of birth: 1990-01-31", "amount: £100.00"."""
    indent, title = "  " * depth, name.removesuffix("_pence").replace("_", " ")
    if isinstance(value, Mapping):
        if name:
            yield f"{indent}{title}:"
        for key, inner in value.items():
            yield from _lines(inner, str(key), depth + bool(name))
    elif isinstance(value, list) and any(isinstance(inner, Mapping) for inner in value):
        yield f"{indent}{title}: {len(value)}"
        for number, inner in enumerate(value, start=1):
            yield from _lines(inner, str(number), depth + 1)
    else:
        yield f"{indent}{title}: {_words(name, value)}"


def _words(name: str, value: Any) -> str:
    if value is None or value == []:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(one).replace("_", " ") for one in value)
    if name.endswith("_pence") and isinstance(value, int):
        return f"{'-' * (value < 0)}£{abs(value) // 100:,}.{abs(value) % 100:02}"
    return str(value)
