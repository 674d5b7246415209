"""Events, kept for 30 days, for catching up on what webhooks did not bring."""

from __future__ import annotations

from fnmatch import fnmatch

from infra.local.stripe import lists
from infra.local.stripe.errors import InvalidParams, Object
from infra.local.stripe.params import PAGE, RANGE, Flag, Kind, Many, Text
from infra.local.stripe.world import World

LIST: dict[str, Kind] = {
    **PAGE,
    "created": RANGE,
    "delivery_success": Flag(),
    "type": Text(),
    "types": Many(Text()),
}
KEPT_SECONDS = 30 * 86_400
"""docs.stripe.com/api/events: access is guaranteed for 30 days."""


def retrieve(world: World, account: str, _: Object, event: str) -> Object:
    """GET /v1/events/{id}"""
    return world.show(world.get(account, "event", event))


def list_all(world: World, account: str, params: Object) -> Object:
    """GET /v1/events"""
    if "type" in params and "types" in params:
        raise InvalidParams("You may only specify one of these parameters: type, types.", param="types")
    if len(params.get("types", [])) > 20:
        raise InvalidParams("You can only specify up to 20 event types.", param="types")
    found = [event for event in world.all(account, "event") if event["created"] > world.now - KEPT_SECONDS]
    wanted = params.get("types") or ([params["type"]] if "type" in params else ["*"])
    found = [event for event in found if any(fnmatch(event["type"], pattern) for pattern in wanted)]
    if "delivery_success" in params:
        found = [event for event in found if (event["pending_webhooks"] == 0) == params["delivery_success"]]
    return lists.page(world, found, params, "/v1/events")
