"""Every operation that the local Stripe answers: method, path, parameters, handler."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.local.stripe import (
    accounts,
    balance,
    charges,
    checkout_sessions,
    customers,
    disputes,
    events,
    identity,
    mandates,
    payment_intents,
    payment_methods,
    payouts,
    refunds,
    search,
    setup_intents,
    topups,
    transfers,
)
from infra.local.stripe.errors import Object
from infra.local.stripe.params import EXPAND, PAGE, RANGE, Kind, Text

Handler = Callable[..., Object]
_READ: dict[str, Kind] = {"expand": EXPAND}


@dataclass(frozen=True, slots=True)
class Route:
    """One operation."""

    method: str
    path: str
    handler: Handler
    fields: Mapping[str, Kind] = field(default_factory=lambda: _READ)
    required: tuple[str, ...] = ()
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path)
        object.__setattr__(self, "pattern", re.compile(pattern + "$"))


def find(method: str, path: str) -> tuple[Route, dict[str, str | Any]] | None:
    """The operation of a method and path, with the ids that the path names."""
    for route in _BY_SHAPE.get(_shape(method, path), ()):
        if match := route.pattern.match(path):
            return route, match.groupdict()
    return None


def _shape(method: str, path: str) -> tuple[str, int, str]:
    """What paths of one route have in common at first sight: most shapes have one or two routes."""
    _, _, kind, *rest = [*path.split("/"), "", ""]
    return method, len(rest), kind


_BALANCE_LIST: dict[str, Kind] = {
    **PAGE,
    "created": RANGE,
    "currency": Text(),
    "payout": Text(),
    "source": Text(),
    "type": Text(),
}
_CANCEL_SETUP: dict[str, Kind] = {
    "cancellation_reason": Text(choices=("abandoned", "duplicate", "requested_by_customer")),
    "expand": EXPAND,
}
_UPDATE_METHOD: dict[str, Kind] = {
    name: payment_methods.CREATE[name] for name in ("billing_details", "metadata", "expand")
}
_CLIENT: dict[str, Kind] = {**_READ, "client_secret": Text()}
_CUSTOMERS_METHODS: dict[str, Kind] = {
    name: kind for name, kind in payment_methods.LIST.items() if name != "customer"
}

ROUTES = [
    Route("POST", "/v1/customers", customers.create, customers.FIELDS),
    Route("GET", "/v1/customers", customers.list_all, customers.LIST),
    Route("GET", "/v1/customers/{customer}", customers.retrieve),
    Route("POST", "/v1/customers/{customer}", customers.update, customers.FIELDS),
    Route("DELETE", "/v1/customers/{customer}", customers.delete, {}),
    Route(
        "GET",
        "/v1/customers/{customer}/payment_methods",
        payment_methods.list_of_customer,
        _CUSTOMERS_METHODS,
    ),
    Route("POST", "/v1/payment_methods", payment_methods.create, payment_methods.CREATE, ("type",)),
    Route("GET", "/v1/payment_methods", payment_methods.list_all, payment_methods.LIST),
    Route("GET", "/v1/payment_methods/{payment_method}", payment_methods.retrieve),
    Route("POST", "/v1/payment_methods/{payment_method}", payment_methods.update, _UPDATE_METHOD),
    Route(
        "POST",
        "/v1/payment_methods/{payment_method}/attach",
        payment_methods.attach,
        {"customer": Text(), "expand": EXPAND},
        ("customer",),
    ),
    Route("POST", "/v1/payment_methods/{payment_method}/detach", payment_methods.detach),
    Route("POST", "/v1/setup_intents", setup_intents.create, setup_intents.CREATE),
    Route("GET", "/v1/setup_intents", setup_intents.list_all, setup_intents.LIST),
    Route("GET", "/v1/setup_intents/{intent}", setup_intents.retrieve, _CLIENT),
    Route("POST", "/v1/setup_intents/{intent}", setup_intents.update, setup_intents.UPDATE),
    Route("POST", "/v1/setup_intents/{intent}/confirm", setup_intents.confirm, setup_intents.CONFIRM),
    Route("POST", "/v1/setup_intents/{intent}/cancel", setup_intents.cancel, _CANCEL_SETUP),
    Route("GET", "/v1/mandates/{mandate}", mandates.retrieve),
    Route(
        "POST", "/v1/checkout/sessions", checkout_sessions.create, checkout_sessions.CREATE, ("success_url",)
    ),
    Route("GET", "/v1/checkout/sessions", checkout_sessions.list_all, checkout_sessions.LIST),
    Route("GET", "/v1/checkout/sessions/{session}", checkout_sessions.retrieve),
    Route("POST", "/v1/checkout/sessions/{session}/expire", checkout_sessions.expire_now),
    Route(
        "POST", "/v1/payment_intents", payment_intents.create, payment_intents.CREATE, ("amount", "currency")
    ),
    Route("GET", "/v1/payment_intents", payment_intents.list_all, payment_intents.LIST),
    Route("GET", "/v1/payment_intents/search", payment_intents.search_all, search.SEARCH, ("query",)),
    Route("GET", "/v1/payment_intents/{intent}", payment_intents.retrieve, _CLIENT),
    Route("POST", "/v1/payment_intents/{intent}", payment_intents.update, payment_intents.UPDATE),
    Route("POST", "/v1/payment_intents/{intent}/confirm", payment_intents.confirm, payment_intents.CONFIRM),
    Route("POST", "/v1/payment_intents/{intent}/cancel", payment_intents.cancel, payment_intents.CANCEL),
    Route("GET", "/v1/charges", charges.list_all, charges.LIST),
    Route("GET", "/v1/charges/{charge}", charges.retrieve),
    Route("POST", "/v1/charges/{charge}", charges.update, charges.UPDATE),
    Route("POST", "/v1/refunds", refunds.create, refunds.CREATE),
    Route("GET", "/v1/refunds", refunds.list_all, refunds.LIST),
    Route("GET", "/v1/refunds/{refund}", refunds.retrieve),
    Route("POST", "/v1/refunds/{refund}", refunds.update, refunds.UPDATE),
    Route("GET", "/v1/disputes", disputes.list_all, disputes.LIST),
    Route("GET", "/v1/disputes/{dispute}", disputes.retrieve),
    Route("POST", "/v1/disputes/{dispute}", disputes.update, disputes.UPDATE),
    Route("POST", "/v1/disputes/{dispute}/close", disputes.close),
    Route("GET", "/v1/balance", balance.retrieve),
    Route("GET", "/v1/balance_transactions", balance.list_transactions, _BALANCE_LIST),
    Route("GET", "/v1/balance_transactions/{txn}", balance.retrieve_transaction),
    Route("POST", "/v1/transfers", transfers.create, transfers.CREATE, ("currency", "destination")),
    Route("GET", "/v1/transfers", transfers.list_all, transfers.LIST),
    Route("GET", "/v1/transfers/{transfer}", transfers.retrieve),
    Route("POST", "/v1/transfers/{transfer}", transfers.update, transfers.UPDATE),
    Route("POST", "/v1/transfers/{transfer}/reversals", transfers.reverse, transfers.REVERSE),
    Route("GET", "/v1/transfers/{transfer}/reversals", transfers.list_reversals, PAGE),
    Route("GET", "/v1/transfers/{transfer}/reversals/{reversal}", transfers.retrieve_reversal),
    Route("GET", "/v1/account", accounts.retrieve_own),
    Route("POST", "/v1/accounts", accounts.create, accounts.CREATE),
    Route("GET", "/v1/accounts", accounts.list_all, accounts.LIST),
    Route("GET", "/v1/accounts/{account_id}", accounts.retrieve),
    Route("POST", "/v1/accounts/{account_id}", accounts.update, accounts.UPDATE),
    Route("DELETE", "/v1/accounts/{account_id}", accounts.delete, {}),
    Route("GET", "/v1/accounts/{account_id}/capabilities", accounts.capabilities),
    Route("GET", "/v1/accounts/{account_id}/capabilities/{name}", accounts.capability),
    Route("GET", "/v1/accounts/{account_id}/external_accounts", accounts.list_banks, PAGE),
    Route(
        "POST",
        "/v1/accounts/{account_id}/external_accounts",
        accounts.create_bank,
        accounts.NEW_BANK,
        ("bank_account",),
    ),
    Route("GET", "/v1/accounts/{account_id}/external_accounts/{bank}", accounts.retrieve_bank),
    Route("POST", "/v1/accounts/{account_id}/login_links", accounts.login_link),
    Route("POST", "/v1/account_links", accounts.link, accounts.LINK, ("account", "type")),
    Route("POST", "/v1/payouts", payouts.create, payouts.CREATE, ("amount", "currency")),
    Route("GET", "/v1/payouts", payouts.list_all, payouts.LIST),
    Route("GET", "/v1/payouts/{payout}", payouts.retrieve),
    Route("POST", "/v1/payouts/{payout}", payouts.update, payouts.UPDATE),
    Route("POST", "/v1/payouts/{payout}/cancel", payouts.cancel),
    Route("POST", "/v1/topups", topups.create, topups.CREATE, ("amount", "currency")),
    Route("GET", "/v1/topups", topups.list_all, topups.LIST),
    Route("GET", "/v1/topups/{topup}", topups.retrieve),
    Route("GET", "/v1/events", events.list_all, events.LIST),
    Route("GET", "/v1/events/{event}", events.retrieve),
    Route("POST", "/v1/identity/verification_sessions", identity.create, identity.CREATE, ("type",)),
    Route("GET", "/v1/identity/verification_sessions", identity.list_all, identity.LIST),
    Route("GET", "/v1/identity/verification_sessions/{session}", identity.retrieve),
    Route("POST", "/v1/identity/verification_sessions/{session}/cancel", identity.cancel),
]

_BY_SHAPE: defaultdict[tuple[str, int, str], list[Route]] = defaultdict(list)
for _route in ROUTES:
    _BY_SHAPE[_shape(_route.method, _route.path)].append(_route)
