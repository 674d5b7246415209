"""How the demo speaks to a running platform: as its users do, and, for time and banks, as the world does."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

import requests

from shared.config import TWO_PEOPLE_ABOVE_PENCE

EMULATORS_OWNER = "owner"
"""By this the Auth emulator knows who may do everything."""

TIMEOUT_SECONDS = 120
"""A call may wait for a whole simulated day to come to rest."""


class CallFailed(Exception):
    """The platform answered with a problem."""

    def __init__(self, method: str, path: str, response: requests.Response) -> None:
        self.status = response.status_code
        try:
            self.problem: dict[str, Any] = response.json()
        except ValueError:
            self.problem = {"detail": response.text[:300]}
        super().__init__(
            f"{method} {path} answered {self.status}: {self.problem.get('detail', self.problem)}"
        )


@dataclass
class Platform:
    """A running platform, by its address. `about` says where its parts are."""

    url: str
    session: requests.Session = field(default_factory=requests.Session)
    about: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.about = self.call("GET", "/_local/about")

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        base: str | None = None,
        params: dict[str, Any] | None = None,
    ) -> Any:
        """One call, JSON in and out. Raises CallFailed."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if method == "POST":
            headers["Idempotency-Key"] = uuid4().hex
        response = self.session.request(
            method,
            (base or self.url) + path,
            json=body if method == "POST" else None,
            params=params,
            headers=headers,
            timeout=TIMEOUT_SECONDS,
        )
        if not response.ok:
            raise CallFailed(method, path, response)
        return response.json() if response.content else None

    @property
    def two_people_above_pence(self) -> int:
        """Pots above it wait for two of staff."""
        return int(self.about["environment"].get("AJO_TWO_PEOPLE_ABOVE_PENCE", TWO_PEOPLE_ABOVE_PENCE))

    # --- the world outside ----------------------------------------------------------------------------------

    def sign_in(self, email: str, password: str) -> dict[str, Any]:
        """Make an account at Firebase Auth and follow the link in its e-mail, as a person would.

        Returns the account's `idToken` and `localId`.
        """
        credentials = {"email": email, "password": password, "returnSecureToken": True}
        made = self._auth("accounts:signUp", credentials)
        self._auth("accounts:sendOobCode", {"requestType": "VERIFY_EMAIL", "idToken": made["idToken"]})
        # The emulator sends no e-mail: it shows the link that would stand in it.
        project = self.about["environment"]["GOOGLE_CLOUD_PROJECT"]
        base = f"http://{self.about['auth_emulator']}"
        sent = self.call("GET", f"/emulator/v1/projects/{project}/oobCodes", base=base)["oobCodes"]
        link = next(one["oobLink"] for one in reversed(sent) if one["email"] == email)
        self.session.get(link, timeout=TIMEOUT_SECONDS).raise_for_status()
        return self._auth("accounts:signInWithPassword", credentials)

    def staff(self, name: str, role: str) -> Person:
        """Somebody of the platform's own people: an account whose token carries a role."""
        email, password = f"{name.lower()}.{uuid4().hex[:8]}@ajo.example", uuid4().hex
        account = self.sign_in(email, password)
        project = self.about["environment"]["GOOGLE_CLOUD_PROJECT"]
        base = f"http://{self.about['auth_emulator']}/identitytoolkit.googleapis.com/v1"
        claims = {"localId": account["localId"], "customAttributes": json.dumps({"roles": [role]})}
        self.call("POST", f"/projects/{project}/accounts:update", claims, base=base, token=EMULATORS_OWNER)
        credentials = {"email": email, "password": password, "returnSecureToken": True}
        again = self._auth("accounts:signInWithPassword", credentials)
        return Person(self, name, email, account["localId"], again["idToken"])

    def _auth(self, call: str, body: dict[str, Any]) -> dict[str, Any]:
        base = f"http://{self.about['auth_emulator']}/identitytoolkit.googleapis.com/v1"
        answer: dict[str, Any] = self.call("POST", f"/{call}?key=demo", body, base=base)
        return answer

    def stripe(self, method: str, path: str, body: Any = None) -> Any:
        """The local Stripe's control: what people and banks do outside the API."""
        return self.call(method, f"/_control/{path}", body, base=self.about["stripe_control"])

    def charge_of(self, attempt: str) -> str:
        """The payment at the local Stripe that an attempt of ours made."""
        path = "/_control/events"
        found = self.call(
            "GET", path, base=self.about["stripe_control"], params={"type": "payment_intent.created"}
        )
        payments = [one["data"]["object"] for one in found]
        return next(str(one["id"]) for one in payments if one["metadata"]["attempt"] == attempt)

    def submit_page(self, url: str, **form: str) -> None:
        """Press a button on a page of the local Stripe, as a person's browser would."""
        answer = self.session.post(url, data=form, allow_redirects=False, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()

    def mails(self, to: str) -> list[dict[str, Any]]:
        """The e-mails that somebody got, oldest first."""
        found: list[dict[str, Any]] = self.call("GET", "/_local/mails", params={"to": to})["items"]
        return found

    def document(self, path: str, token: str) -> dict[str, Any]:
        """A document's fields, read from Firestore itself and no function, as the rules let its reader."""
        environment = self.about["environment"]
        documents = f"/v1/projects/{environment['GOOGLE_CLOUD_PROJECT']}/databases/(default)/documents"
        base = f"http://{environment['FIRESTORE_EMULATOR_HOST']}"
        fields = self.call("GET", f"{documents}/{path}", token=token, base=base)["fields"]
        return {name: _plain(value) for name, value in fields.items()}

    def fire(self, job: str) -> None:
        """Run one job of the schedule now."""
        self.call("POST", "/_local/tick", {"job": job})

    def now(self) -> datetime:
        return datetime.fromisoformat(self.call("GET", "/_local/clock")["now"])

    def go_to(self, moment: datetime) -> None:
        """Move the platform's clock; comes back when everything that follows from it is at rest."""
        self.call("POST", "/_local/clock", {"to": moment.isoformat()})

    def rest(self) -> None:
        """Wait until nothing is under way."""
        self.call("GET", "/_local/idle?wait_seconds=120")


def _plain(value: dict[str, Any]) -> Any:
    """A value of Firestore's REST interface, which writes whole numbers as text and lists in a map."""
    ((kind, plain),) = value.items()
    if kind == "integerValue":
        return int(plain)
    if kind == "arrayValue":
        return [_plain(one) for one in plain.get("values", [])]
    return plain


@dataclass
class Person:
    """Somebody with an account, who calls the API with their own token."""

    platform: Platform
    name: str
    email: str
    uid: str
    token: str
    payout_account: str = ""

    def get(self, path: str, **params: Any) -> Any:
        return self.platform.call("GET", path, token=self.token, params=params or None)

    def post(self, path: str, body: Any = None) -> Any:
        return self.platform.call("POST", path, body or {}, token=self.token)

    def pages(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """All items of a list."""
        items: list[dict[str, Any]] = []
        page = self.get(path, **params)
        while True:
            items += page["items"]
            if not page["next_cursor"]:
                return items
            page = self.get(path, cursor=page["next_cursor"], **params)

    # --- money ----------------------------------------------------------------------------------------------

    def contribution(self, group: str, cycle: int) -> Any:
        """This person's contribution to a cycle."""
        mine = self.pages("/v1/contributions", group=group, limit=100)
        return next(one for one in mine if one["cycle"] == cycle)

    def pay(self, group: str, contribution: str) -> None:
        """Pay a contribution by hand."""
        self.post(f"/v1/contributions/{contribution}/pay", {"group": group})
        self.platform.rest()

    def methods(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.get("/v1/payment-methods")["items"]
        return items

    def default_method(self) -> dict[str, Any]:
        return next(one for one in self.methods() if one["is_default"])

    def replace_method(self, method: str) -> Any:
        """Give another payment method, to be collected by from now on."""
        made = self.post("/v1/payment-methods", {"method": method})
        self.post(f"/v1/payment-methods/{made['id']}/default")
        return made

    def bank_says(self, *failures: str) -> None:
        """How this person's bank answers to the next debits; after these it pays."""
        path = f"payment_methods/{self.default_method()['id']}/outcomes"
        self.platform.stripe("POST", path, {"failures": list(failures)})

    def notifications(self) -> list[dict[str, Any]]:
        """What this person has been told, newest first."""
        return self.pages("/v1/users/me/notifications")
