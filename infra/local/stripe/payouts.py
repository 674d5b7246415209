"""Payouts from an account's balance to its bank; a bank may refuse one days after it was 'paid'.

docs.stripe.com/payouts, docs.stripe.com/connect/manual-payouts.
Test account numbers: docs.stripe.com/connect/testing.
"""

from __future__ import annotations

from datetime import UTC, datetime

from infra.local.stripe import accounts, balance, fees, lists, working_days
from infra.local.stripe.errors import Object, Refusal, beyond, missing
from infra.local.stripe.params import (
    EXPAND,
    PAGE,
    RANGE,
    Kind,
    Metadata,
    Text,
    Whole,
    merge_metadata,
    new_metadata,
)
from infra.local.stripe.world import CURRENCY, World

CREATE: dict[str, Kind] = {
    "amount": Whole(least=1),
    "currency": Text(most=3),
    "description": Text(),
    "destination": Text(),
    "expand": EXPAND,
    "metadata": Metadata(),
    "method": Text(choices=("instant", "standard")),
    "statement_descriptor": Text(most=22),
}
UPDATE: dict[str, Kind] = {"expand": EXPAND, "metadata": Metadata()}
LIST: dict[str, Kind] = {
    **PAGE,
    "arrival_date": RANGE,
    "created": RANGE,
    "destination": Text(),
    "status": Text(choices=("canceled", "failed", "in_transit", "paid", "pending")),
}
BANK_FAILURES = {
    "11111116": "no_account",
    "11111113": "account_closed",
    "22222227": "insufficient_funds",
    "33333335": "debit_not_authorized",
    "44444440": "invalid_currency",
}
FAILURE_MESSAGES = {
    "no_account": "No bank account could be located with those details.",
    "account_closed": "The bank account has been closed.",
    "could_not_process": "The bank could not process this payout.",
}
DAY_SECONDS = 86_400


def create(world: World, account: str, params: Object) -> Object:
    """POST /v1/payouts"""
    if params["currency"].lower() != CURRENCY:
        raise beyond(f"payouts in {params['currency']}", "currency")
    if params.get("method") == "instant":
        raise beyond("instant payouts", "method")
    holder = world.objects[account]
    bank = accounts.default_bank(holder)
    if "destination" in params:
        bank = next((one for one in accounts.banks(holder) if one["id"] == params["destination"]), None)
        if bank is None:
            raise missing("external account", params["destination"], "destination")
    if bank is None:
        raise Refusal("Sorry, you don't have any external accounts in that currency (gbp).")
    if not holder["payouts_enabled"]:
        due = ", ".join(holder["requirements"]["currently_due"]) or "external_account"
        raise Refusal(
            f"Cannot create payouts: this account has requirements that need to be collected: {due}.",
            code="payouts_not_allowed",
        )
    if params["amount"] > balance.available(world, account):
        raise Refusal(
            "You have insufficient funds in your Stripe account for this transfer. Your card balance is too "
            "low. You can use the /v1/balance endpoint to view your Stripe balance (for more details, see "
            "stripe.com/docs/api#balance).",
            code="balance_insufficient",
        )
    return world.show(_pay_out(world, account, params["amount"], bank, params, automatic=False))


def _pay_out(
    world: World, account: str, amount: int, bank: Object, params: Object, *, automatic: bool
) -> Object:
    payout_id = world.new_id("po")
    arrival = world.working_days_on(fees.PAYOUT_WORKING_DAYS)
    payout: Object = {
        "id": payout_id,
        "object": "payout",
        "amount": amount,
        "arrival_date": arrival,
        "automatic": automatic,
        "balance_transaction": balance.post(
            world,
            account,
            kind="payout",
            amount=-amount,
            source=payout_id,
            description=params.get("description") or "STRIPE PAYOUT",
        )["id"],
        "created": world.now,
        "currency": CURRENCY,
        "description": params.get("description") or ("STRIPE PAYOUT" if automatic else None),
        "destination": bank["id"],
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": new_metadata(params),
        "method": "standard",
        "original_payout": None,
        "reconciliation_status": "completed" if automatic else "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": params.get("statement_descriptor"),
        "status": "pending",
        "type": "bank_account",
    }
    world.add(account, payout)
    world.emit(account, "payout.created", payout)
    world.schedule(arrival + fees.BANK_HOUR * 3600, "arrive_payout", payout=payout_id)
    return payout


def arrive(world: World, payout: str) -> None:
    """The day of arrival: the bank takes the payout, or does not."""
    found, account = world.objects[payout], world.owner[payout]
    if found["status"] not in {"pending", "in_transit"}:
        return
    number = world.secret(found["destination"]).get("number", "")
    if number in BANK_FAILURES:
        fail(world, payout, BANK_FAILURES[number])
        return
    found["status"] = "paid"
    world.emit(account, "payout.paid", found)


def fail(world: World, payout: str, code: str = "could_not_process") -> Object:
    """The bank sends a payout back, even after 'paid': the money returns, the bank account is disabled."""
    found = world.objects.get(payout)
    if found is None or found["object"] != "payout":
        raise missing("payout", payout, "payout")
    if found["status"] in {"failed", "canceled"}:
        raise Refusal(f"The payout {payout} is {found['status']} already.")
    account = world.owner[payout]
    found |= {
        "status": "failed",
        "failure_code": code,
        "failure_message": FAILURE_MESSAGES.get(code, FAILURE_MESSAGES["could_not_process"]),
        "failure_balance_transaction": balance.post(
            world,
            account,
            kind="payout_failure",
            amount=found["amount"],
            source=payout,
            description="PAYOUT FAILURE",
            category="payout_reversal",
        )["id"],
    }
    world.emit(account, "payout.failed", found)
    holder = world.objects[account]
    bank = next((one for one in accounts.banks(holder) if one["id"] == found["destination"]), None)
    if bank is not None:
        bank["status"] = "errored"
        holder["requirements"]["currently_due"] = ["external_account"]
        if account != world.platform:
            world.emit(account, "account.external_account.updated", bank, previous={"status": "new"})
        accounts.refresh(world, holder)
    return found


def cancel(world: World, account: str, _: Object, payout: str) -> Object:
    """POST /v1/payouts/{payout}/cancel"""
    found = world.get(account, "payout", payout, "payout")
    if found["status"] != "pending" or found["automatic"]:
        raise Refusal("Only pending manual payouts can be canceled.")
    found["status"] = "canceled"
    found["failure_balance_transaction"] = balance.post(
        world,
        account,
        kind="payout_cancel",
        amount=found["amount"],
        source=payout,
        description="PAYOUT CANCEL",
        category="payout_reversal",
    )["id"]
    world.emit(account, "payout.canceled", found)
    return world.show(found)


def sweep(world: World) -> None:
    """Once a day: pay out what is available to each account that is not on manual payouts."""
    today = datetime.fromtimestamp(world.now, UTC).date()
    for holder in accounts.everyone(world):
        schedule = holder["settings"]["payouts"]["schedule"]
        if schedule["interval"] == "manual":
            continue
        due = {
            "daily": working_days.is_working_day(today),
            "weekly": accounts.DAYS[today.weekday()] == schedule.get("weekly_anchor", "monday"),
            "monthly": today.day == schedule.get("monthly_anchor", 1),
        }[schedule["interval"]]
        bank = accounts.default_bank(holder)
        if not due or not holder["payouts_enabled"] or bank is None:
            continue
        amount = balance.available(world, holder["id"])
        if amount > 0:
            swept = [
                txn["id"]
                for txn in world.all(holder["id"], "balance_transaction")
                if txn["available_on"] <= world.now and "payout" not in world.hidden.get(txn["id"], {})
            ]
            payout = _pay_out(world, holder["id"], amount, bank, {}, automatic=True)
            for txn in [*swept, payout["balance_transaction"]]:
                world.secret(txn)["payout"] = payout["id"]
    world.schedule(world.now + DAY_SECONDS, "sweep_payouts")


def retrieve(world: World, account: str, _: Object, payout: str) -> Object:
    """GET /v1/payouts/{payout}"""
    return world.show(world.get(account, "payout", payout, "payout"))


def update(world: World, account: str, params: Object, payout: str) -> Object:
    """POST /v1/payouts/{payout}"""
    found = world.get(account, "payout", payout, "payout")
    merge_metadata(found, params)
    world.emit(account, "payout.updated", found, previous={})
    return world.show(found)


def list_all(world: World, account: str, params: Object) -> Object:
    """GET /v1/payouts"""
    found = world.all(account, "payout")
    for field in ("destination", "status"):
        if field in params:
            found = [payout for payout in found if payout[field] == params[field]]
    if "arrival_date" in params:
        found = [payout for payout in found if lists.within(payout["arrival_date"], params["arrival_date"])]
    return lists.page(world, found, params, "/v1/payouts")
