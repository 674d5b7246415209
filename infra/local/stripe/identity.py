"""Identity verification sessions: a person shows a document at Stripe."""

from __future__ import annotations

from infra.local.stripe import lists
from infra.local.stripe.errors import Object, Refusal
from infra.local.stripe.params import (
    EXPAND,
    PAGE,
    RANGE,
    Flag,
    Hash,
    Kind,
    Many,
    Metadata,
    Text,
    new_metadata,
)
from infra.local.stripe.world import World

CREATE: dict[str, Kind] = {
    "expand": EXPAND,
    "metadata": Metadata(),
    "options": Hash(
        {
            "document": Hash(
                {
                    "allowed_types": Many(Text(choices=("driving_license", "id_card", "passport"))),
                    "require_id_number": Flag(),
                    "require_live_capture": Flag(),
                    "require_matching_selfie": Flag(),
                }
            )
        }
    ),
    "return_url": Text(),
    "type": Text(choices=("document", "id_number")),
}
LIST: dict[str, Kind] = {
    **PAGE,
    "created": RANGE,
    "status": Text(choices=("canceled", "processing", "requires_input", "verified")),
}
KIND = "identity.verification_session"


def create(world: World, account: str, params: Object) -> Object:
    """POST /v1/identity/verification_sessions"""
    session_id = world.new_id("vs")
    session: Object = {
        "id": session_id,
        "object": KIND,
        "client_secret": f"{session_id}_secret_{world.new_id('x')[2:]}",
        "created": world.now,
        "last_error": None,
        "last_verification_report": None,
        "livemode": False,
        "metadata": new_metadata(params),
        "options": params.get("options", {}) if params["type"] == "document" else {},
        "redaction": None,
        "status": "requires_input",
        "type": params["type"],
        "url": f"{world.hosted_url}/_hosted/identity/{session_id}",
    }
    world.add(account, session, return_url=params.get("return_url"))
    world.emit(account, f"{KIND}.created", session)
    return world.show(session)


def decide(world: World, session: str, *, verified: bool, code: str = "document_unverified_other") -> Object:
    """What Stripe makes of the documents shown."""
    found = world.objects.get(session)
    if found is None or found["object"] != KIND:
        raise Refusal(f"No such verification session: '{session}'", code="resource_missing", status=404)
    if found["status"] != "requires_input":
        raise Refusal(f"The verification session {session} is {found['status']}.")
    account = world.owner[session]
    if verified:
        found |= {"status": "verified", "last_error": None, "url": None, "client_secret": None}
    else:
        found["last_error"] = {"code": code, "reason": "The document could not be verified."}
    world.emit(account, f"{KIND}.{found['status']}", found)
    return found


def retrieve(world: World, account: str, _: Object, session: str) -> Object:
    """GET /v1/identity/verification_sessions/{session}"""
    return world.show(world.get(account, KIND, session, "session"))


def cancel(world: World, account: str, _: Object, session: str) -> Object:
    """POST /v1/identity/verification_sessions/{session}/cancel"""
    found = world.get(account, KIND, session, "session")
    if found["status"] != "requires_input":
        raise Refusal(f"You cannot cancel a verification session with a status of {found['status']}.")
    found |= {"status": "canceled", "url": None, "client_secret": None}
    world.emit(account, f"{KIND}.canceled", found)
    return world.show(found)


def list_all(world: World, account: str, params: Object) -> Object:
    """GET /v1/identity/verification_sessions"""
    found = world.all(account, KIND)
    if "status" in params:
        found = [session for session in found if session["status"] == params["status"]]
    return lists.page(world, found, params, "/v1/identity/verification_sessions")
