"""Signing in on the real Firebase Auth emulator: every way in, sessions, revocation, a second factor.

What the emulator does not do: its tokens and cookies carry no signature; it sends no e-mail and no SMS, but
shows the codes; a refresh token still refreshes after `revoke_refresh_tokens` (Firebase refuses it); whoever
guesses passwords is not slowed down (Firebase does, by address and account); and it knows no App Check.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import requests

from shared import bootstrap
from shared.adapters.firebase_auth import FirebaseIdentityProvider
from tests.entrypoints.platform import SETTINGS, Platform, app
from tests.integration.adapters.test_firebase_auth import PROJECT, call, call_as_owner

ME = "/v1/users/me"
PASSWORD = "correct horse"
Account = dict[str, Any]


class Moving:
    """The clock of the machine, moved on."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def wall(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    now = wall


@pytest.fixture
def clock() -> Moving:
    return Moving()


@pytest.fixture
def platform(auth_host: str, clock: Moving) -> Iterator[Platform]:
    """The functions, over a store in memory, that ask the emulator who somebody is."""
    made = Platform()
    people = FirebaseIdentityProvider(PROJECT, emulated=True)
    settings = SETTINGS.model_copy(update={"staff_second_factor": True})
    parts = made.parts() | {"identity_provider": people, "clock": clock, "settings": settings}
    with bootstrap.override(**parts):
        yield made


# --- ways in ----------------------------------------------------------------------------------------------


def by_password(host: str) -> Account:
    credentials = {"email": address(), "password": PASSWORD, "returnSecureToken": True}
    return credentials | call(host, "signUp", credentials)


def by_email_link(host: str) -> Account:
    email = address()
    call(host, "sendOobCode", {"requestType": "EMAIL_SIGNIN", "email": email})
    return call(host, "signInWithEmailLink", {"email": email, "oobCode": shown_to(host, email)["oobCode"]})


def by_phone(host: str) -> Account:
    phone = f"+44791112{uuid4().int % 10_000:04}"
    sent = call(host, "sendVerificationCode", {"phoneNumber": phone, "recaptchaToken": "none"})
    code = sms_to(host, phone)
    return call(host, "signInWithPhoneNumber", {"sessionInfo": sent["sessionInfo"], "code": code})


def by_provider(name: str) -> Callable[[str], Account]:
    def sign_in(host: str) -> Account:
        claims = {"sub": uuid4().hex, "email": address(), "email_verified": True}
        body = {
            "postBody": f"providerId={name}&id_token={json.dumps(claims)}",
            "requestUri": "http://localhost",
            "returnSecureToken": True,
            "returnIdpCredential": True,
        }
        return call(host, "signInWithIdp", body)

    return sign_in


WAYS: dict[str, Callable[[str], Account]] = {
    "password": by_password,
    "email link": by_email_link,
    "phone": by_phone,
    "google": by_provider("google.com"),
    "apple": by_provider("apple.com"),
}
VERIFIED = {"email link", "google", "apple"}
"""Who comes by these has shown that the address is theirs."""


def address() -> str:
    return f"{uuid4().hex[:10]}@example.org"


def shown_to(host: str, email: str) -> dict[str, Any]:
    """What the emulator would have sent to an address."""
    codes = requests.get(f"http://{host}/emulator/v1/projects/{PROJECT}/oobCodes", timeout=30).json()
    return next(one for one in reversed(codes["oobCodes"]) if one["email"] == email)


def sms_to(host: str, phone: str) -> str:
    url = f"http://{host}/emulator/v1/projects/{PROJECT}/verificationCodes"
    codes = requests.get(url, timeout=30).json()["verificationCodes"]
    return next(str(one["code"]) for one in reversed(codes) if one["phoneNumber"] == phone)


@pytest.mark.parametrize("way", WAYS)
def test_whoever_signs_in_can_sign_up_but_money_waits_for_a_verified_address(
    platform: Platform, auth_host: str, way: str
) -> None:
    token = WAYS[way](auth_host)["idToken"]
    assert platform.post("/v1/users", who=token).status_code == 201
    paid = platform.post("/v1/payment-methods", {"method": "pm_1"}, token)
    assert (paid.status_code == 201) is (way in VERIFIED), paid.json
    if way not in VERIFIED:
        assert paid.json["code"] == "email_not_verified"


def test_a_verified_address_counts_from_the_next_token_on(platform: Platform, auth_host: str) -> None:
    account = by_password(auth_host)
    platform.post("/v1/users", who=account["idToken"])
    call(auth_host, "sendOobCode", {"requestType": "VERIFY_EMAIL", "idToken": account["idToken"]})
    requests.get(shown_to(auth_host, account["email"])["oobLink"], timeout=30).raise_for_status()
    refused = platform.post("/v1/payment-methods", {"method": "pm_1"}, account["idToken"])
    assert refused.json["code"] == "email_not_verified"
    again = signed_in(auth_host, account)
    assert platform.post("/v1/payment-methods", {"method": "pm_1"}, again).status_code == 201


def signed_in(host: str, account: Account) -> str:
    credentials = {"email": account["email"], "password": PASSWORD, "returnSecureToken": True}
    return str(call(host, "signInWithPassword", credentials)["idToken"])


# --- sessions ---------------------------------------------------------------------------------------------


class Browser:
    """A browser: it keeps the cookie that it is given, and its page the token for changes."""

    def __init__(self, platform: Platform, token: str) -> None:
        self.client = app("users").test_client()
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex}
        opened = self.client.post("/v1/users/session", json={}, headers=headers)
        assert opened.status_code == 201, opened.json
        self.csrf = str(opened.json["csrf_token"])

    def read(self) -> int:
        return int(self.client.get(ME).status_code)

    def change(self, path: str, csrf: str | None = None) -> Any:
        headers = {"Idempotency-Key": uuid4().hex} | ({"X-CSRF-Token": csrf} if csrf else {})
        return self.client.post(path, json={}, headers=headers)


@pytest.fixture
def ada(platform: Platform, auth_host: str) -> Account:
    account = by_password(auth_host)
    assert platform.post("/v1/users", who=account["idToken"]).status_code == 201
    return account


def test_a_session_reads_and_with_its_own_token_changes(platform: Platform, ada: Account) -> None:
    browser, other = Browser(platform, ada["idToken"]), Browser(platform, ada["idToken"])
    assert browser.read() == 200
    path = "/v1/users/me/payout-account/refresh"
    assert browser.change(path).json["code"] == "csrf_token_wrong"
    assert browser.change(path, "0" * 64).json["code"] == "csrf_token_wrong"
    assert browser.change(path, browser.csrf).status_code == 404  # let in: there is no such account yet
    assert browser.change("/v1/users/session/end", browser.csrf).status_code == 200
    assert (browser.read(), other.read()) == (401, 200)


def test_a_session_is_no_token_and_a_token_no_session(
    platform: Platform, ada: Account, auth_host: str
) -> None:
    browser = Browser(platform, ada["idToken"])
    cookie = str(browser.client.get_cookie("__session").value)
    firebase, used, signature = cookie.split("~")
    for bearer in (firebase, cookie):
        assert platform.get(ME, bearer).status_code == 401
    for forged in (ada["idToken"], f"{ada['idToken']}~{used}~{signature}"):
        client = app("users").test_client(use_cookies=False)
        assert client.get(ME, headers={"Cookie": f"__session={forged}"}).status_code == 401


def test_thirty_idle_minutes_end_a_session_and_use_prolongs_it(
    platform: Platform, ada: Account, clock: Moving
) -> None:
    browser, idle = Browser(platform, ada["idToken"]), Browser(platform, ada["idToken"])
    for minutes in (29, 58, 87):
        clock.ahead = timedelta(minutes=minutes)
        assert browser.read() == 200
    assert idle.read() == 401
    clock.ahead = timedelta(minutes=87 + 30)
    assert browser.read() == 401


def test_one_sign_out_ends_every_session_and_every_token(
    platform: Platform, ada: Account, auth_host: str
) -> None:
    """By `revoke_refresh_tokens`, and `check_revoked` at each look."""
    phone, desk = Browser(platform, ada["idToken"]), Browser(platform, ada["idToken"])
    _next_second()
    assert phone.change(f"{ME}/sign-out-everywhere", phone.csrf).status_code == 200
    assert (phone.read(), desk.read()) == (401, 401)
    assert platform.get(ME, ada["idToken"]).status_code == 401
    reopened = platform.post("/v1/users/session", who=ada["idToken"])
    assert reopened.status_code == 401
    assert Browser(platform, signed_in(auth_host, ada)).read() == 200


def test_who_is_disabled_or_gone_has_no_session_any_more(
    platform: Platform, ada: Account, auth_host: str
) -> None:
    browser = Browser(platform, ada["idToken"])
    call_as_owner(auth_host, {"localId": ada["localId"], "disableUser": True})
    assert browser.read() == 401
    assert platform.get(ME, ada["idToken"]).status_code == 401


def test_an_erased_person_is_gone_at_firebase_too(platform: Platform, ada: Account, auth_host: str) -> None:
    browser = Browser(platform, ada["idToken"])
    assert platform.post(f"{ME}/erase", who=ada["idToken"]).json == {"erased": True}
    assert browser.read() == 401
    url = f"http://{auth_host}/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key=any"
    credentials = {"email": ada["email"], "password": PASSWORD, "returnSecureToken": True}
    assert requests.post(url, json=credentials, timeout=30).status_code == 400


def test_sign_in_is_throttled_by_person(platform: Platform, ada: Account, auth_host: str) -> None:
    for _ in range(10):
        assert platform.post("/v1/users/session", who=ada["idToken"]).status_code == 201
    answer = platform.post("/v1/users/session", who=ada["idToken"])
    assert (answer.status_code, answer.json["code"]) == (429, "too_many_requests")
    assert 1 <= int(answer.headers["Retry-After"]) <= 300
    again = platform.post("/v1/users/session", who=signed_in(auth_host, ada))  # a new token is no new person
    assert again.status_code == 429


def test_a_session_is_opened_by_a_sign_in_of_now(platform: Platform, ada: Account, clock: Moving) -> None:
    clock.ahead = timedelta(minutes=6)
    answer = platform.post("/v1/users/session", who=ada["idToken"])
    assert (answer.status_code, answer.json["code"]) == (403, "sign_in_not_recent")


# --- staff ------------------------------------------------------------------------------------------------


def test_staff_are_staff_with_a_second_factor_alone(platform: Platform, auth_host: str) -> None:
    """An SMS here; by the table any factor counts that Firebase names in the token."""
    account = by_password(auth_host)
    roles = json.dumps({"roles": ["finance"]})
    call_as_owner(
        auth_host, {"localId": account["localId"], "customAttributes": roles, "emailVerified": True}
    )
    once = signed_in(auth_host, account)
    look = {"Access_Reason": "The month's look at all circles"}
    refused = platform.get("/v1/assessments/portfolio", once, **look)
    assert (refused.status_code, refused.json["code"]) == (403, "second_factor_missing")
    twice = with_second_factor(auth_host, account, once)
    assert platform.get("/v1/assessments/portfolio", twice, **look).status_code == 200


def with_second_factor(host: str, account: Account, token: str) -> str:
    """Enrol a phone, and sign in anew with password and code."""
    phone = f"+44791113{uuid4().int % 10_000:04}"
    info = {"phoneNumber": phone, "recaptchaToken": "none"}
    begun = call_v2(host, "mfaEnrollment:start", {"idToken": token, "phoneEnrollmentInfo": info})
    session = begun["phoneSessionInfo"]["sessionInfo"]
    shown = {"sessionInfo": session, "code": sms_to(host, phone)}
    call_v2(host, "mfaEnrollment:finalize", {"idToken": token, "phoneVerificationInfo": shown})
    half = call(
        host,
        "signInWithPassword",
        {"email": account["email"], "password": PASSWORD, "returnSecureToken": True},
    )
    assert "idToken" not in half  # a password alone signs nobody in any more
    pending = half["mfaPendingCredential"]
    begun = call_v2(
        host,
        "mfaSignIn:start",
        {
            "mfaPendingCredential": pending,
            "mfaEnrollmentId": half["mfaInfo"][0]["mfaEnrollmentId"],
            "phoneSignInInfo": {"recaptchaToken": "none"},
        },
    )
    session = begun["phoneResponseInfo"]["sessionInfo"]
    shown = {"sessionInfo": session, "code": sms_to(host, phone)}
    done = call_v2(
        host, "mfaSignIn:finalize", {"mfaPendingCredential": pending, "phoneVerificationInfo": shown}
    )
    return str(done["idToken"])


def call_v2(host: str, method: str, body: dict[str, Any]) -> dict[str, Any]:
    url = f"http://{host}/identitytoolkit.googleapis.com/v2/accounts/{method}?key=any"
    answer = requests.post(url, json=body, timeout=30)
    assert answer.ok, answer.text
    done: dict[str, Any] = answer.json()
    return done


def _next_second() -> None:
    """Firebase revokes by whole seconds: what was issued during the same second would stay good."""
    began = int(time.time())
    while int(time.time()) == began:
        time.sleep(0.02)
