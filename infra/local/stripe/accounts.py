"""Accounts: the platform's own, and the connected ones of those who are paid out to.

A connected account is `type=express` (Stripe asks for the details, by an account link) or `custom`.
docs.stripe.com/connect/express-accounts, docs.stripe.com/connect/handling-api-verification.
"""

from __future__ import annotations

from hashlib import sha256

from infra.local.stripe import lists
from infra.local.stripe.customers import ADDRESS
from infra.local.stripe.errors import Object, Refusal, beyond
from infra.local.stripe.params import (
    EXPAND,
    PAGE,
    RANGE,
    Either,
    Flag,
    Hash,
    Kind,
    Metadata,
    Text,
    Whole,
    merge_metadata,
    new_metadata,
)
from infra.local.stripe.world import CURRENCY, World

CAPABILITIES = ("transfers", "card_payments", "bacs_debit_payments")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
BANK = Hash(
    {
        "object": Text(choices=("bank_account",)),
        "account_holder_name": Text(),
        "account_holder_type": Text(choices=("individual", "company")),
        "account_number": Text(),
        "country": Text(most=2),
        "currency": Text(most=3),
        "routing_number": Text(),
    },
    ("account_number", "country"),
)
_PERSON = Hash(
    {
        "address": ADDRESS,
        "dob": Hash({"day": Whole(), "month": Whole(), "year": Whole()}),
        "email": Text(),
        "first_name": Text(),
        "last_name": Text(),
        "phone": Text(),
    }
)
_SETTINGS = Hash(
    {
        "payouts": Hash(
            {
                "debit_negative_balances": Flag(),
                "schedule": Hash(
                    {
                        "interval": Text(choices=("daily", "manual", "monthly", "weekly")),
                        "delay_days": Either((Whole(), Text(choices=("minimum",)))),
                        "monthly_anchor": Whole(least=1, most=31),
                        "weekly_anchor": Text(choices=DAYS),
                    }
                ),
                "statement_descriptor": Text(most=22),
            }
        )
    }
)
UPDATE: dict[str, Kind] = {
    "business_profile": Hash(
        {
            "mcc": Text(most=4),
            "name": Text(),
            "product_description": Text(most=40000),
            "support_email": Text(),
            "support_phone": Text(),
            "support_url": Text(may_unset=True),
            "url": Text(),
        }
    ),
    "business_type": Text(choices=("company", "government_entity", "individual", "non_profit")),
    "capabilities": Hash({name: Hash({"requested": Flag()}) for name in CAPABILITIES}),
    "email": Text(),
    "expand": EXPAND,
    "individual": _PERSON,
    "metadata": Metadata(),
    "settings": _SETTINGS,
}
CREATE: dict[str, Kind] = {
    **UPDATE,
    "country": Text(most=2),
    "default_currency": Text(most=3),
    "bank_account": BANK,
    "type": Text(choices=("custom", "express", "standard")),
}
LIST: dict[str, Kind] = {**PAGE, "created": RANGE}
LINK: dict[str, Kind] = {
    "account": Text(),
    "collect": Text(choices=("currently_due", "eventually_due")),
    "expand": EXPAND,
    "refresh_url": Text(),
    "return_url": Text(),
    "type": Text(choices=("account_onboarding", "account_update")),
}
NEW_BANK: dict[str, Kind] = {
    "default_for_currency": Flag(),
    "expand": EXPAND,
    "bank_account": BANK,
    "metadata": Metadata(),
}

TO_ONBOARD = [
    "business_profile.url",
    "external_account",
    "individual.address.city",
    "individual.address.line1",
    "individual.address.postal_code",
    "individual.dob.day",
    "individual.dob.month",
    "individual.dob.year",
    "individual.email",
    "individual.first_name",
    "individual.last_name",
    "tos_acceptance.date",
    "tos_acceptance.ip",
]
_LINK_SECONDS = 300


def open_platform(world: World, *, payouts_interval: str) -> None:
    """The platform's own account, verified and with a bank account."""
    account = _shape(world, world.platform, "standard", {"email": "platform@ajo.example"})
    world.add(world.platform, account)
    account["capabilities"] = dict.fromkeys(CAPABILITIES, "active")
    account["settings"]["payouts"]["schedule"]["interval"] = payouts_interval
    account |= {"charges_enabled": True, "details_submitted": True, "payouts_enabled": True}
    add_bank(world, account, "00012345")
    refresh(world, account, announce=False)


def _shape(world: World, account_id: str, kind: str, params: Object) -> Object:
    return {
        "id": account_id,
        "object": "account",
        "business_profile": {
            "mcc": None,
            "name": None,
            "product_description": None,
            "support_address": None,
            "support_email": None,
            "support_phone": None,
            "support_url": None,
            "url": None,
        },
        "business_type": params.get("business_type"),
        "capabilities": {},
        "charges_enabled": False,
        "country": "GB",
        "created": world.now,
        "default_currency": CURRENCY,
        "details_submitted": False,
        "email": params.get("email"),
        "external_accounts": {
            "object": "list",
            "data": [],
            "has_more": False,
            "url": f"/v1/accounts/{account_id}/external_accounts",
        },
        "future_requirements": _requirements([]),
        "metadata": new_metadata(params),
        "payouts_enabled": False,
        "requirements": _requirements([] if kind == "standard" else TO_ONBOARD),
        "settings": {
            "bacs_debit_payments": {},
            "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
            "card_issuing": {"tos_acceptance": {"date": None, "ip": None}},
            "card_payments": {
                "decline_on": {"avs_failure": False, "cvc_failure": False},
                "statement_descriptor_prefix": None,
                "statement_descriptor_prefix_kana": None,
                "statement_descriptor_prefix_kanji": None,
            },
            "dashboard": {"display_name": None, "timezone": "Europe/London"},
            "payments": {
                "statement_descriptor": None,
                "statement_descriptor_kana": None,
                "statement_descriptor_kanji": None,
            },
            "payouts": {
                "debit_negative_balances": kind != "custom",
                "schedule": {"delay_days": 3, "interval": "daily"},
                "statement_descriptor": None,
            },
            "sepa_debit_payments": {},
        },
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": kind,
    }


def _requirements(due: list[str]) -> Object:
    return {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": list(due),
        "disabled_reason": "requirements.past_due" if due else None,
        "errors": [],
        "eventually_due": list(due),
        "past_due": list(due),
        "pending_verification": [],
    }


# --- the API ---------------------------------------------------------------------------------------------


def create(world: World, account: str, params: Object) -> Object:
    """POST /v1/accounts"""
    _platform_only(world, account)
    kind = params.get("type")
    if kind is None:
        raise Refusal("Missing required param: type.", code="parameter_missing", param="type")
    if kind == "standard":
        raise beyond("standard accounts", "type")
    if params.get("country", "GB") != "GB":
        raise beyond(f"accounts in {params['country']}; it knows GB alone", "country")
    if kind == "express" and "bank_account" in params:
        raise _not_permitted("(new)")
    new = _shape(world, world.new_id("acct", 16), kind, params)
    world.add(new["id"], new)
    world.secret(new["id"])["requested"] = []
    _apply(new, params)
    _request_capabilities(world, new, params)
    if "bank_account" in params:
        add_bank(world, new, _bank_number(params["bank_account"]))
    refresh(world, new, announce=False)
    return world.show(new)


def _platform_only(world: World, account: str) -> None:
    if account != world.platform:
        raise Refusal("Only the platform can do this: leave the Stripe-Account header out.", status=403)


def _apply(found: Object, params: Object) -> None:
    for name in ("business_type", "email"):
        if name in params:
            found[name] = params[name]
    found["business_profile"] |= {
        name: value or None for name, value in params.get("business_profile", {}).items()
    }
    payouts = params.get("settings", {}).get("payouts", {})
    shown = found["settings"]["payouts"]
    shown |= {name: value for name, value in payouts.items() if name != "schedule"}
    schedule = {k: v for k, v in payouts.get("schedule", {}).items() if v != "minimum"}
    if "interval" in schedule:
        shown["schedule"] = {"delay_days": shown["schedule"]["delay_days"]}
    shown["schedule"] |= schedule
    merge_metadata(found, params)


def _request_capabilities(world: World, found: Object, params: Object) -> None:
    requested = world.secret(found["id"]).setdefault("requested", [])
    for name, wish in params.get("capabilities", {}).items():
        if wish.get("requested") and name not in requested:
            requested.append(name)
        elif wish.get("requested") is False and name in requested:
            requested.remove(name)
            found["capabilities"].pop(name, None)


def find(world: World, account_id: str, param: str = "account") -> Object:
    """A connected account, or the platform's own; Stripe does not tell a foreign one from none."""
    found = world.objects.get(account_id)
    if found is None or found["object"] != "account":
        raise Refusal(
            f"The provided key does not have access to account '{account_id}' (or that account does not "
            "exist). Application access may have been revoked.",
            code="account_invalid",
            status=403,
        )
    return found


def retrieve(world: World, _: str, __: Object, account_id: str) -> Object:
    """GET /v1/accounts/{account}"""
    return world.show(find(world, account_id))


def retrieve_own(world: World, account: str, _: Object) -> Object:
    """GET /v1/account: the account that asks."""
    return world.show(find(world, account))


def update(world: World, _: str, params: Object, account_id: str) -> Object:
    """POST /v1/accounts/{account}"""
    found = find(world, account_id)
    if account_id == world.platform and set(params) - {"settings", "metadata", "expand"}:
        raise _not_permitted(account_id)
    _apply(found, params)
    _request_capabilities(world, found, params)
    refresh(world, found)
    return world.show(found)


def delete(world: World, _: str, __: Object, account_id: str) -> Object:
    """DELETE /v1/accounts/{account}"""
    find(world, account_id)
    if account_id == world.platform:
        raise _not_permitted(account_id)
    if any(txn["net"] for txn in world.all(account_id, "balance_transaction")):
        raise Refusal("This account cannot be deleted while it has (or had) a balance.")
    world.remove(account_id)
    return {"id": account_id, "object": "account", "deleted": True}


def list_all(world: World, account: str, params: Object) -> Object:
    """GET /v1/accounts"""
    _platform_only(world, account)
    connected = [found for found in everyone(world) if found["id"] != world.platform]
    return lists.page(world, connected, params, "/v1/accounts")


def everyone(world: World) -> list[Object]:
    """All accounts, the platform's first."""
    return [world.objects[account_id] for account_id in world.ids if account_id in world.objects]


def capabilities(world: World, _: str, __: Object, account_id: str) -> Object:
    """GET /v1/accounts/{account}/capabilities"""
    found = find(world, account_id)
    return {
        "object": "list",
        "data": [_capability(found, name) for name in found["capabilities"]],
        "has_more": False,
        "url": f"/v1/accounts/{account_id}/capabilities",
    }


def capability(world: World, _: str, __: Object, account_id: str, name: str) -> Object:
    """GET /v1/accounts/{account}/capabilities/{capability}"""
    found = find(world, account_id)
    if name not in CAPABILITIES:
        raise Refusal(
            f"No such capability: '{name}'", code="resource_missing", param="capability", status=404
        )
    return _capability(found, name)


def _capability(found: Object, name: str) -> Object:
    due = found["requirements"]["currently_due"]
    return {
        "id": name,
        "object": "capability",
        "account": found["id"],
        "future_requirements": _requirements([]),
        "requested": name in found["capabilities"],
        "requested_at": found["created"] if name in found["capabilities"] else None,
        "requirements": _requirements(due),
        "status": found["capabilities"].get(name, "unrequested"),
    }


def link(world: World, account: str, params: Object) -> Object:
    """POST /v1/account_links: where the account's owner gives the details that are due."""
    _platform_only(world, account)
    found = find(world, params["account"])
    for name in ("refresh_url", "return_url"):
        if name not in params:
            raise Refusal(f"Missing required param: {name}.", code="parameter_missing", param=name)
    if params["type"] == "account_update" and found["type"] != "custom":
        raise Refusal(
            "You cannot create `account_update` type Account Links for this account. Use "
            "`account_onboarding`, or a login link.",
            param="type",
        )
    token = world.new_id("link", 12)
    world.secret(found["id"])["link"] = {
        "token": token,
        "expires_at": world.now + _LINK_SECONDS,
        "return_url": params["return_url"],
        "refresh_url": params["refresh_url"],
    }
    return {
        "object": "account_link",
        "created": world.now,
        "expires_at": world.now + _LINK_SECONDS,
        "url": f"{world.hosted_url}/_hosted/onboarding/{found['id']}?token={token}",
    }


def login_link(world: World, _: str, __: Object, account_id: str) -> Object:
    """POST /v1/accounts/{account}/login_links: the Express dashboard, where bank details are changed."""
    found = find(world, account_id)
    if found["type"] != "express" or not found["details_submitted"]:
        raise Refusal("Cannot create a login link for an account that has not completed onboarding.")
    return {
        "object": "login_link",
        "created": world.now,
        "url": f"{world.hosted_url}/_hosted/express/{account_id}",
    }


# --- bank accounts ---------------------------------------------------------------------------------------


def _not_permitted(account_id: str) -> Refusal:
    return Refusal(
        "This application does not have the required permissions for this endpoint on account "
        f"'{account_id}'.",
        status=403,
    )


def _bank_number(given: Object) -> str:
    if given["country"] != "GB" or given.get("currency", CURRENCY).lower() != CURRENCY:
        raise beyond("bank accounts outside GB", "bank_account[country]")
    if "routing_number" not in given:
        raise Refusal(
            "You must supply a sort code as the routing number.", param="bank_account[routing_number]"
        )
    return str(given["account_number"])


def add_bank(world: World, account: Object, number: str) -> Object:
    """Give an account a bank account for its payouts, in place of the one before."""
    bank: Object = {
        "id": world.new_id("ba"),
        "object": "bank_account",
        "account": account["id"],
        "account_holder_name": None,
        "account_holder_type": None,
        "account_type": None,
        "available_payout_methods": ["standard"],
        "bank_name": "STRIPE TEST BANK",
        "country": "GB",
        "currency": CURRENCY,
        "default_for_currency": True,
        "fingerprint": f"local{number}",
        "last4": number[-4:],
        "metadata": {},
        "routing_number": "108800",
        "status": "new",
    }
    for other in banks(account):
        other["default_for_currency"] = False
    world.hidden[bank["id"]] = {"number": number}
    account["external_accounts"]["data"].append(bank)
    requirements = account["requirements"]
    for due in ("currently_due", "eventually_due", "past_due"):
        requirements[due] = [field for field in requirements[due] if field != "external_account"]
    if account["id"] != world.platform:
        world.emit(account["id"], "account.external_account.created", bank)
    return bank


def banks(account: Object) -> list[Object]:
    """An account's bank accounts."""
    found: list[Object] = account["external_accounts"]["data"]
    return found


def default_bank(account: Object) -> Object | None:
    """The bank account that payouts go to."""
    return next((bank for bank in banks(account) if bank["default_for_currency"]), None)


def create_bank(world: World, _: str, params: Object, account_id: str) -> Object:
    """POST /v1/accounts/{account}/external_accounts: for custom accounts; others do it at Stripe."""
    found = find(world, account_id)
    if found["type"] != "custom":
        raise _not_permitted(account_id)
    bank = add_bank(world, found, _bank_number(params["bank_account"]))
    bank["metadata"] = new_metadata(params)
    refresh(world, found)
    return world.show(bank)


def list_banks(world: World, _: str, params: Object, account_id: str) -> Object:
    """GET /v1/accounts/{account}/external_accounts"""
    return lists.page(
        world, banks(find(world, account_id)), params, f"/v1/accounts/{account_id}/external_accounts"
    )


def retrieve_bank(world: World, _: str, __: Object, account_id: str, bank: str) -> Object:
    """GET /v1/accounts/{account}/external_accounts/{id}"""
    found = next((one for one in banks(find(world, account_id)) if one["id"] == bank), None)
    if found is None:
        raise Refusal(f"No such external account: '{bank}'", code="resource_missing", param="id", status=404)
    return world.show(found)


# --- what becomes of an account --------------------------------------------------------------------------


def number_of_its_own(account: Object) -> str:
    """A bank account that takes payouts, is new to its owner, and nobody else's: people share one only if
    they say so."""
    told = f"{account['id']}:{len(banks(account))}"
    return f"9{int(sha256(told.encode()).hexdigest(), 16) % 10**7:07}"


def onboard(world: World, account_id: str, *, bank_number: str | None = None) -> Object:
    """The owner has given all that was due, with a bank account, and Stripe has verified it."""
    found = find(world, account_id)
    found["requirements"] = _requirements([])
    found["details_submitted"] = True
    found["tos_acceptance"] = {"date": world.now, "ip": "127.0.0.1", "user_agent": None}
    if default_bank(found) is None:
        add_bank(world, found, bank_number or number_of_its_own(found))
    refresh(world, found)
    return found


def disable(
    world: World,
    account_id: str,
    *,
    due: list[str],
    reason: str = "requirements.past_due",
    transfers: bool = True,
) -> Object:
    """Stripe wants something: payouts stop, and with `transfers` also the capability to receive transfers."""
    found = find(world, account_id)
    found["requirements"] |= _requirements(due) | {"disabled_reason": reason}
    world.secret(account_id)["transfers_stay"] = not transfers
    refresh(world, found)
    return found


def cure(world: World, account_id: str) -> Object:
    """What Stripe wanted has been given."""
    found = find(world, account_id)
    found["requirements"] = _requirements([])
    world.secret(account_id)["transfers_stay"] = False
    refresh(world, found)
    return found


def refresh(world: World, account: Object, *, announce: bool = True) -> None:
    """Derive what an account may do from what is due, and say so where it changed."""
    if account["id"] == world.platform:
        return
    secret = world.secret(account["id"])
    ready = account["details_submitted"] and account["requirements"]["disabled_reason"] is None
    bank = default_bank(account)
    previous = {name: account[name] for name in ("charges_enabled", "payouts_enabled")}
    changed = []
    for name in secret.get("requested", []):
        stays = name == "transfers" and secret.get("transfers_stay")
        status = "active" if ready or stays else "inactive"
        if account["capabilities"].get(name) != status:
            account["capabilities"][name] = status
            changed.append(name)
    account["charges_enabled"] = ready
    account["payouts_enabled"] = ready and bank is not None and bank["status"] != "errored"
    if announce:
        for name in changed:
            world.emit(account["id"], "capability.updated", _capability(account, name), previous={})
        world.emit(account["id"], "account.updated", account, previous=previous)
