"""The control endpoint, `/_control/…` (JSON): faults, time, and what people and banks do outside the API.

| call | body | does |
| --- | --- | --- |
| GET `time` | | `{"now": …, "unix": …}` |
| POST `advance` | `days`, `hours`, `seconds`, or `to` (ISO) | moves the control's own clock forward |
| GET `idle` | | `{"idle": bool, "due": n, "sending": n, "held": n, "next_due": unix}` |
| POST `reset` | | begins anew |
| GET `state` | | the whole state |
| GET, POST, DELETE `faults` | see `faults`; `times` (1), `match` | lists, orders, clears faults |
| POST `webhooks/outage` | `on` | deliveries fail (and are tried again for three days) |
| POST `webhooks/hold`, `webhooks/release` | `order`: given, reverse or shuffle; `seed` | reorders |
| GET `events` | `?type=` glob, `?account=`, `?object=` id | all events, oldest first |
| POST `events/ID/resend` | `copies` (1), `twin` | sends it again, or as another event object |
| GET, DELETE `requests` | `?since=` index | the log of requests and answers |
| POST `charges/ID/dispute` | `reason`, `amount`, `inquiry` | a dispute; ID may be a payment intent's |
| POST `disputes/ID` | `status`: won, lost or warning_closed | closes it |
| POST `refunds/ID/fail` | `reason` | the payer's bank sends it back, also after 'succeeded' |
| POST `payouts/ID/fail` | `code` | the bank sends it back, also after 'paid' |
| POST `accounts/ID/onboard` | `account_number` | completes onboarding |
| POST `accounts/ID/disable` | `due` (list), `reason`, `transfers` (true) | stops payouts, and transfers |
| POST `accounts/ID/cure` | | lifts that |
| POST `accounts/ID/bank` | `account_number` | new bank details (see `payouts.BANK_FAILURES`) |
| POST `mandates/ID/revoke`, `…/accept` | | ID may be a payment method's |
| POST `intents/ID/authenticate` | `succeeds` (true) | a payment or setup intent in `requires_action` |
| POST `payment_methods/ID/outcomes` | `failures` (list) | the next payments fail so, in turn |
| POST `payment_methods/ID/expires` | `year`, `month` | a card's last month; from the next on it is declined |
| POST `checkout_sessions/ID/complete` | `payment_method` (a test name) | as the hosted page does |
| POST `identity/ID` | `verified` (true), `code` | decides a verification session |
| POST `connect_fees` | `amount` | a month's Connect fees leave the balance |
| GET, POST, DELETE `objects/ID` | fields to set | looks at, alters, removes an object by hand |
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from typing import Any

from infra.local.stripe import (
    accounts,
    balance,
    checkout_sessions,
    disputes,
    faults,
    identity,
    mandates,
    params,
    payment_intents,
    payouts,
    refunds,
    setup_intents,
    webhooks,
)
from infra.local.stripe.core import LocalStripe
from infra.local.stripe.errors import Object, Refusal
from infra.local.stripe.world import plain

Action = Callable[..., Any]
CARD_DECLINES = frozenset(
    [
        "generic_decline",
        "insufficient_funds",
        "lost_card",
        "stolen_card",
        "do_not_honor",
        "card_velocity_exceeded",
    ]
)


def handle(core: LocalStripe, method: str, path: str, body: Object | None = None) -> tuple[int, Any]:
    """Answer a control call; `path` is what follows `/_control/`."""
    for allowed, pattern, action in _ACTIONS:
        if allowed == method and (match := re.fullmatch(pattern, path.strip("/"))):
            try:
                with core.lock:
                    core.advance()
                    answer = action(core, body or {}, **match.groupdict())
                    return 200, plain(answer)
            except Refusal as refusal:
                return refusal.status, refusal.body
            except (KeyError, TypeError, ValueError) as error:
                return 400, {"error": {"message": f"{type(error).__name__}: {error}"}}
    return 404, {"error": {"message": f"no control call {method} {path}"}}


# --- time and state --------------------------------------------------------------------------------------


def _time(core: LocalStripe, _: Object) -> Object:
    now = core.world.now
    return {"now": datetime.fromtimestamp(now, UTC).isoformat(), "unix": now}


def _advance(core: LocalStripe, body: Object) -> Object:
    move = getattr(core.now, "move", None)
    if move is None:
        raise Refusal(
            "This Stripe's clock is moved by whoever gave it (--clock-file), not by the control endpoint."
        )
    if "to" in body:
        by = datetime.fromisoformat(body["to"]) - core.now()
    else:
        by = timedelta(days=body.get("days", 0), hours=body.get("hours", 0), seconds=body.get("seconds", 0))
    if by < timedelta(0):
        raise Refusal("The clock only moves forward.")
    move(by)
    core.advance()
    return _time(core, {})


def _idle(core: LocalStripe, _: Object) -> Object:
    waiting = [core.world.deliveries[one] for one in core.world.waiting]
    due = len(webhooks.due(core.world))
    sending = sum(one["state"] == "sending" for one in waiting)
    return {
        "idle": due == 0 and sending == 0,
        "due": due,
        "sending": sending,
        "held": sum(one["state"] == "held" for one in waiting),
        "next_due": webhooks.next_due(core.world),
    }


def _reset(core: LocalStripe, _: Object) -> Object:
    core.reset()
    return _time(core, {})


def _state(core: LocalStripe, _: Object) -> Any:
    return json.loads(core.dump())


# --- faults and webhooks ---------------------------------------------------------------------------------


def _faults(core: LocalStripe, _: Object) -> Any:
    return core.world.faults


def _order_fault(core: LocalStripe, body: Object) -> Object:
    plain = {name: value for name, value in body.items() if name != "match"}
    return faults.order(core.world, params.read(plain, faults.FIELDS, ("kind",)), body.get("match", {}))


def _clear_faults(core: LocalStripe, _: Object) -> Any:
    core.world.faults.clear()
    return []


def _outage(core: LocalStripe, body: Object) -> Object:
    webhooks.due(core.world)
    core.world.outage = bool(body["on"])
    return {"outage": core.world.outage}


def _hold(core: LocalStripe, _: Object) -> Object:
    webhooks.hold(core.world)
    return {"holding": True}


def _release(core: LocalStripe, body: Object) -> Object:
    return {
        "released": webhooks.release(core.world, order=body.get("order", "given"), seed=body.get("seed", 0))
    }


def _events(core: LocalStripe, query: Object) -> Any:
    found = [thing for thing in core.world.objects.values() if thing["object"] == "event"]
    if "type" in query:
        found = [event for event in found if fnmatch(event["type"], query["type"])]
    if "account" in query:
        found = [event for event in found if core.world.owner[event["id"]] == query["account"]]
    if "object" in query:
        found = [event for event in found if event["data"]["object"].get("id") == query["object"]]
    return found


def _resend(core: LocalStripe, body: Object, event_id: str) -> Any:
    event = _object(core, {}, event_id)
    if body.get("twin"):
        event = webhooks.twin(core.world, event)
    return [webhooks.queue(core.world, event)["id"] for _ in range(body.get("copies", 1))]


def _requests(core: LocalStripe, query: Object) -> Any:
    return list(core.requests)[int(query.get("since", 0)) :]


def _clear_requests(core: LocalStripe, _: Object) -> Any:
    core.requests.clear()
    return []


# --- customers, banks, Stripe ----------------------------------------------------------------------------


def _dispute(core: LocalStripe, body: Object, charge: str) -> Object:
    if charge.startswith("pi_"):
        charge = _object(core, {}, charge)["latest_charge"] or charge
    opened = disputes.open_on(
        core.world,
        charge,
        reason=body.get("reason", "general"),
        amount=body.get("amount"),
        inquiry=body.get("inquiry", False),
    )
    return core.world.show(opened)


def _close_dispute(core: LocalStripe, body: Object, dispute: str) -> Object:
    return core.world.show(disputes.close_as(core.world, dispute, body["status"]))


def _fail_refund(core: LocalStripe, body: Object, refund: str) -> Object:
    return refunds.fail(core.world, refund, body.get("reason", "expired_or_canceled_card"))


def _fail_payout(core: LocalStripe, body: Object, payout: str) -> Object:
    return payouts.fail(core.world, payout, body.get("code", "account_closed"))


def _onboard(core: LocalStripe, body: Object, account: str) -> Object:
    return accounts.onboard(core.world, account, bank_number=body.get("account_number"))


def _disable(core: LocalStripe, body: Object, account: str) -> Object:
    return accounts.disable(
        core.world,
        account,
        due=body.get("due", ["individual.verification.document"]),
        reason=body.get("reason", "requirements.past_due"),
        transfers=body.get("transfers", True),
    )


def _cure(core: LocalStripe, _: Object, account: str) -> Object:
    return accounts.cure(core.world, account)


def _bank(core: LocalStripe, body: Object, account: str) -> Object:
    found = accounts.find(core.world, account)
    bank = accounts.add_bank(
        core.world, found, body.get("account_number") or accounts.number_of_its_own(found)
    )
    accounts.refresh(core.world, found)
    return bank


def _mandate(core: LocalStripe, mandate: str) -> str:
    if mandate.startswith("pm_"):
        return str(core.world.secret(mandate)["mandate"])
    return str(_object(core, {}, mandate)["id"])


def _revoke(core: LocalStripe, _: Object, mandate: str) -> Object:
    mandate = _mandate(core, mandate)
    mandates.revoke(core.world, mandate)
    return core.world.objects[mandate]


def _accept(core: LocalStripe, _: Object, mandate: str) -> Object:
    mandate = _mandate(core, mandate)
    mandates.accept(core.world, mandate)
    return core.world.objects[mandate]


def _authenticate(core: LocalStripe, body: Object, intent: str) -> Object:
    found = _object(core, {}, intent)
    module = payment_intents if found["object"] == "payment_intent" else setup_intents
    module.authenticate(core.world, intent, succeeds=body.get("succeeds", True))
    return found


def _outcomes(core: LocalStripe, body: Object, method: str) -> Object:
    found = _object(core, {}, method)
    card = found["type"] == "card"
    ordered = [_outcome(failure, card=card) for failure in body["failures"]]
    core.world.secret(method).setdefault("ordered", []).extend(ordered)
    return {"ordered": core.world.secret(method)["ordered"]}


def _expires(core: LocalStripe, body: Object, method: str) -> Object:
    found = _object(core, {}, method)
    found["card"] |= {"exp_year": body["year"], "exp_month": body["month"]}
    core.world.emit(core.world.platform, "payment_method.updated", found, previous={})
    return found


def _outcome(failure: str, *, card: bool) -> list[str | None]:
    if card and failure in CARD_DECLINES:
        return ["card_declined", failure]
    return [failure, failure if failure == "authentication_required" else None]


def _complete_checkout(core: LocalStripe, body: Object, session: str) -> Object:
    return checkout_sessions.complete(core.world, session, body.get("payment_method", "pm_card_visa"))


def _identity(core: LocalStripe, body: Object, session: str) -> Object:
    return identity.decide(
        core.world,
        session,
        verified=body.get("verified", True),
        code=body.get("code", "document_unverified_other"),
    )


def _connect_fees(core: LocalStripe, body: Object) -> Object:
    return balance.post(
        core.world,
        core.world.platform,
        kind="stripe_fee",
        amount=-int(body["amount"]),
        source=None,
        description="Connect fees",
        category="fee",
    )


# --- by hand ---------------------------------------------------------------------------------------------


def _object(core: LocalStripe, _: Object, object_id: str) -> Object:
    found = core.world.objects.get(object_id)
    if found is None:
        raise Refusal(f"No such object: '{object_id}'", status=404)
    return found


def _alter(core: LocalStripe, body: Object, object_id: str) -> Object:
    found = _object(core, {}, object_id)
    found |= body
    return found


def _remove(core: LocalStripe, _: Object, object_id: str) -> Object:
    found = _object(core, {}, object_id)
    core.world.remove(object_id)
    return found


_ACTIONS: list[tuple[str, str, Action]] = [
    ("GET", "time", _time),
    ("POST", "advance", _advance),
    ("GET", "idle", _idle),
    ("POST", "reset", _reset),
    ("GET", "state", _state),
    ("GET", "faults", _faults),
    ("POST", "faults", _order_fault),
    ("DELETE", "faults", _clear_faults),
    ("POST", "webhooks/outage", _outage),
    ("POST", "webhooks/hold", _hold),
    ("POST", "webhooks/release", _release),
    ("GET", "events", _events),
    ("POST", "events/(?P<event_id>[^/]+)/resend", _resend),
    ("GET", "requests", _requests),
    ("DELETE", "requests", _clear_requests),
    ("POST", "charges/(?P<charge>[^/]+)/dispute", _dispute),
    ("POST", "disputes/(?P<dispute>[^/]+)", _close_dispute),
    ("POST", "refunds/(?P<refund>[^/]+)/fail", _fail_refund),
    ("POST", "payouts/(?P<payout>[^/]+)/fail", _fail_payout),
    ("POST", "accounts/(?P<account>[^/]+)/onboard", _onboard),
    ("POST", "accounts/(?P<account>[^/]+)/disable", _disable),
    ("POST", "accounts/(?P<account>[^/]+)/cure", _cure),
    ("POST", "accounts/(?P<account>[^/]+)/bank", _bank),
    ("POST", "mandates/(?P<mandate>[^/]+)/revoke", _revoke),
    ("POST", "mandates/(?P<mandate>[^/]+)/accept", _accept),
    ("POST", "intents/(?P<intent>[^/]+)/authenticate", _authenticate),
    ("POST", "payment_methods/(?P<method>[^/]+)/outcomes", _outcomes),
    ("POST", "payment_methods/(?P<method>[^/]+)/expires", _expires),
    ("POST", "checkout_sessions/(?P<session>[^/]+)/complete", _complete_checkout),
    ("POST", "identity/(?P<session>[^/]+)", _identity),
    ("POST", "connect_fees", _connect_fees),
    ("GET", "objects/(?P<object_id>[^/]+)", _object),
    ("POST", "objects/(?P<object_id>[^/]+)", _alter),
    ("DELETE", "objects/(?P<object_id>[^/]+)", _remove),
]
