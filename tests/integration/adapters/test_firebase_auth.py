"""`FirebaseIdentityProvider` on the Firebase Auth emulator."""

from __future__ import annotations

import gc
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import requests
from firebase_admin import auth

from infra.local.process import free_port
from shared.adapters.firebase_auth import FirebaseIdentityProvider
from shared.domain.errors import BadToken, TryAgainLater

PROJECT = "demo-ajo"


@pytest.fixture
def provider(auth_host: str) -> FirebaseIdentityProvider:
    return FirebaseIdentityProvider(PROJECT, emulated=True)


def call(host: str, method: str, body: dict[str, Any]) -> dict[str, Any]:
    url = f"http://{host}/identitytoolkit.googleapis.com/v1/accounts:{method}?key=any"
    answer = requests.post(url, json=body, timeout=30)
    answer.raise_for_status()
    done: dict[str, Any] = answer.json()
    return done


def signed_up(host: str) -> tuple[str, dict[str, Any]]:
    """A new person's address, and what signing up gave: localId, idToken."""
    email = f"{uuid4().hex[:10]}@example.org"
    credentials = {"email": email, "password": "correct horse", "returnSecureToken": True}
    return email, call(host, "signUp", credentials)


def test_a_persons_token(provider: FirebaseIdentityProvider, auth_host: str) -> None:
    email, account = signed_up(auth_host)
    identity = provider.verify(account["idToken"])
    assert identity.uid == account["localId"]
    assert identity.email == email
    assert not identity.email_verified
    assert identity.phone is None
    assert identity.roles == frozenset()
    assert abs(identity.authenticated_at - datetime.now(UTC)) < timedelta(minutes=5)


def test_staff_roles_come_from_custom_claims(provider: FirebaseIdentityProvider, auth_host: str) -> None:
    email, account = signed_up(auth_host)
    auth.set_custom_user_claims(account["localId"], {"roles": ["finance", "support"]}, provider._app())
    again = call(
        auth_host,
        "signInWithPassword",
        {"email": email, "password": "correct horse", "returnSecureToken": True},
    )
    assert provider.verify(again["idToken"]).roles == {"finance", "support"}
    assert provider.verify(account["idToken"]).roles == frozenset()  # as it was signed


def test_claims_of_another_form_give_no_role(provider: FirebaseIdentityProvider, auth_host: str) -> None:
    email, account = signed_up(auth_host)
    auth.set_custom_user_claims(account["localId"], {"roles": "admin"}, provider._app())
    again = call(
        auth_host,
        "signInWithPassword",
        {"email": email, "password": "correct horse", "returnSecureToken": True},
    )
    assert provider.verify(again["idToken"]).roles == frozenset()


def test_a_disabled_or_deleted_person_is_nobody(provider: FirebaseIdentityProvider, auth_host: str) -> None:
    _, account = signed_up(auth_host)
    auth.update_user(account["localId"], disabled=True, app=provider._app())
    with pytest.raises(BadToken):
        provider.verify(account["idToken"])
    auth.delete_user(account["localId"], provider._app())
    with pytest.raises(BadToken):
        provider.verify(account["idToken"])


def test_a_revoked_token_is_refused_where_that_is_checked(auth_host: str) -> None:
    _, account = signed_up(auth_host)
    checking = FirebaseIdentityProvider(PROJECT, emulated=True)
    trusting = FirebaseIdentityProvider(PROJECT, emulated=True, check_revoked=False)
    later = int((datetime.now(UTC) + timedelta(seconds=5)).timestamp())
    auth.get_user(account["localId"], checking._app())
    call_as_owner(auth_host, {"localId": account["localId"], "validSince": str(later)})
    with pytest.raises(BadToken):
        checking.verify(account["idToken"])
    assert trusting.verify(account["idToken"]).uid == account["localId"]


def test_a_provider_made_after_another_was_dropped_is_as_good(auth_host: str) -> None:
    _, account = signed_up(auth_host)
    for _ in range(20):  # each may stand where the last one stood in memory
        provider = FirebaseIdentityProvider(PROJECT, emulated=True, check_revoked=False)
        assert provider.verify(account["idToken"]).uid == account["localId"]
        del provider
        gc.collect()


def call_as_owner(host: str, body: dict[str, Any]) -> None:
    url = f"http://{host}/identitytoolkit.googleapis.com/v1/projects/{PROJECT}/accounts:update"
    requests.post(url, json=body, headers={"Authorization": "Bearer owner"}, timeout=30).raise_for_status()


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c", ".".join(["eyJhbGciOiJub25lIn0", "e30", ""])])
def test_what_is_no_token_is_refused(provider: FirebaseIdentityProvider, token: str) -> None:
    with pytest.raises(BadToken):
        provider.verify(token)


def test_a_token_of_another_project_is_refused(auth_host: str) -> None:
    _, account = signed_up(auth_host)
    with pytest.raises(BadToken):
        FirebaseIdentityProvider("demo-other", emulated=True).verify(account["idToken"])


def test_a_silent_server_is_not_the_tokens_fault(auth_host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _, account = signed_up(auth_host)
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", f"127.0.0.1:{free_port()}")
    with pytest.raises(TryAgainLater):
        FirebaseIdentityProvider(PROJECT, emulated=True).verify(account["idToken"])
