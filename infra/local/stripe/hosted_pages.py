"""The pages a customer sees at Stripe: checkout, authentication, onboarding, the Express dashboard, identity.

Plain HTML forms, each with its choice of test outcomes; posting one does what the control call does and sends
the browser back.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from infra.local.stripe import control
from infra.local.stripe.accounts import number_of_its_own
from infra.local.stripe.core import LocalStripe
from infra.local.stripe.errors import Object
from infra.local.stripe.test_methods import METHODS

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 32rem; margin: 4rem auto; padding: 0 1rem }
body { color: #1a1f36 }
select, input, button { font: inherit; padding: .5rem; margin: .25rem 0; width: 100%; box-sizing: border-box }
button { background: #4f46e5; color: #fff; border: 0; border-radius: .4rem; cursor: pointer }
button.other { background: #e5e7eb; color: #1a1f36 }
small { color: #4b5563 }
"""


def page(core: LocalStripe, kind: str, object_id: str, query: Mapping[str, str]) -> tuple[int, str]:
    """The page of an object: status and HTML."""
    with core.lock:
        thing = core.world.objects.get(object_id)
    if kind == "mandate":
        return 200, _html("Direct Debit Instruction", "<p>Signed online.</p>")
    if thing is None or kind not in _FORMS:
        return 404, _html("Not found", "<p>There is no such page.</p>")
    if kind == "onboarding" and (expired := _expired_link(core, object_id, query)):
        return 410, expired
    title, form = _FORMS[kind](thing)
    return 200, _html(title, f'<form method="post">{form}</form>')


def _expired_link(core: LocalStripe, account: str, query: Mapping[str, str]) -> str | None:
    """The page that says so, where an account link is not (or no longer) good."""
    with core.lock:
        link = core.world.secret(account).get("link", {})
        if link.get("token") == query.get("token") and link["expires_at"] >= core.world.now:
            return None
    refresh = escape(link.get("refresh_url", "#"))
    return _html("This link has expired", f'<p><a href="{refresh}">Ask for a new one</a></p>')


def submit(
    core: LocalStripe, kind: str, object_id: str, query: Mapping[str, str], form: Mapping[str, str]
) -> tuple[int, str, str | None]:
    """What a posted form does: status, HTML, and where to send the browser."""
    if kind not in _SUBMITS:
        return 404, _html("Not found", "<p>There is no such page.</p>"), None
    if kind == "onboarding" and (expired := _expired_link(core, object_id, query)):
        return 410, expired, None
    path, body = _SUBMITS[kind](object_id, form)
    status, answer = control.handle(core, "POST", path, body)
    if status != 200:
        message = answer["error"]["message"]
        return status, _html("That did not work", f"<p>{escape(message)}</p>"), None
    return 303, "", _back(core, kind, object_id)


def _back(core: LocalStripe, kind: str, object_id: str) -> str | None:
    with core.lock:
        thing, secret = core.world.objects[object_id], core.world.secret(object_id)
    back: Any = {
        "checkout": thing.get("success_url", ""),
        "onboarding": secret.get("link", {}).get("return_url"),
        "identity": secret.get("return_url"),
        "authenticate": secret.get("return_url"),
        "express": None,
    }[kind]
    if kind == "authenticate" and back:
        name = "payment_intent" if object_id.startswith("pi_") else "setup_intent"
        back += f"{'&' if '?' in back else '?'}{name}={object_id}&redirect_status={thing['status']}"
    return str(back).replace("{CHECKOUT_SESSION_ID}", object_id) if back else None


def _checkout(session: Object) -> tuple[str, str]:
    names = [
        name
        for name, look in METHODS.items()
        if look.kind in session["payment_method_types"] and not name.startswith("pm_bacs_debit_")
    ]
    choices = "".join(f"<option>{escape(name)}</option>" for name in names)
    return "Save a payment method", (
        f"<label>Test payment method<select "
        f'name="payment_method">{choices}</select></label><button>Save</button>'
    )


def _authentication(intent: Object) -> tuple[str, str]:
    return "Your bank asks you to confirm", (
        f"<p>{escape(intent['id'])}</p>"
        '<button name="succeeds" value="true">Complete authentication</button>'
        '<button class="other" name="succeeds" value="false">Fail authentication</button>'
    )


def _onboarding(account: Object) -> tuple[str, str]:
    due = ", ".join(account["requirements"]["currently_due"]) or "nothing"
    return "Get paid", (
        f"<small>Asked for: {escape(due)}</small>"
        '<label>Sort code<input value="10-88-00" disabled></label>'
        f'<label>Account number<input name="account_number" value="{number_of_its_own(account)}"></label>'
        "<button>Agree and submit</button>"
    )


def _express(account: Object) -> tuple[str, str]:
    return "Your payouts", (
        f"<p>{escape(account['id'])}</p>"
        '<label>New account number<input name="account_number" value="00012345"></label>'
        "<button>Change bank account</button>"
    )


def _identity(session: Object) -> tuple[str, str]:
    return "Verify your identity", (
        f"<p>{escape(session['id'])}</p>"
        '<button name="verified" value="true">Verification success</button>'
        '<button class="other" name="verified" value="false">Verification failure</button>'
    )


_FORMS = {
    "checkout": _checkout,
    "authenticate": _authentication,
    "onboarding": _onboarding,
    "express": _express,
    "identity": _identity,
}
_SUBMITS: dict[str, Any] = {
    "checkout": lambda i, form: (
        f"checkout_sessions/{i}/complete",
        {"payment_method": form["payment_method"]},
    ),
    "authenticate": lambda i, form: (
        f"intents/{i}/authenticate",
        {"succeeds": form.get("succeeds") != "false"},
    ),
    "onboarding": lambda i, form: (f"accounts/{i}/onboard", {"account_number": form.get("account_number")}),
    "express": lambda i, form: (f"accounts/{i}/bank", {"account_number": form.get("account_number")}),
    "identity": lambda i, form: (f"identity/{i}", {"verified": form.get("verified") != "false"}),
}


def _html(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><meta '
        f'charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f"<h1>{escape(title)}</h1>{body}<small>Local Stripe, test mode</small></html>"
    )
