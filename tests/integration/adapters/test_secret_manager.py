"""`SecretManagerSecrets` on the local Secret Manager, through the real client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.cloud.secretmanager_v1 import types

from infra.local import rpc
from infra.local.process import free_port
from infra.local.secret_manager import LocalSecretManager
from shared.adapters.secret_manager import SecretManagerSecrets
from shared.ports import SecretUnavailable

NAME = "projects/demo-ajo/secrets/stripe-webhook-secret"


class CountingSecretManager(LocalSecretManager):
    """Counts what is read."""

    reads = 0

    def access_secret_version(
        self, request: types.AccessSecretVersionRequest
    ) -> types.AccessSecretVersionResponse:
        self.reads += 1
        return super().access_secret_version(request)


@pytest.fixture
def server() -> CountingSecretManager:
    server = CountingSecretManager()
    server.create_secret(
        types.CreateSecretRequest(parent="projects/demo-ajo", secret_id="stripe-webhook-secret")
    )
    for value in (b"whsec_old", b"whsec_new"):
        payload = types.SecretPayload(data=value)
        server.add_secret_version(types.AddSecretVersionRequest(parent=NAME, payload=payload))
    return server


@pytest.fixture
def host(server: CountingSecretManager) -> Iterator[str]:
    with rpc.serving([server.service()]) as host:
        yield host


def test_current_and_previous_while_it_rotates(host: str) -> None:
    pinned = {"stripe-webhook-secret": [f"{NAME}/versions/2", f"{NAME}/versions/1"]}
    secrets = SecretManagerSecrets(pinned, host)
    assert secrets.current("stripe-webhook-secret") == b"whsec_new"
    assert secrets.accepted("stripe-webhook-secret") == [b"whsec_new", b"whsec_old"]


def test_a_version_is_read_once_until_reloaded(host: str, server: CountingSecretManager) -> None:
    secrets = SecretManagerSecrets({"stripe-webhook-secret": [f"{NAME}/versions/2"]}, host)
    for _ in range(3):
        assert secrets.current("stripe-webhook-secret") == b"whsec_new"
    assert server.reads == 1
    secrets.reload()
    assert secrets.accepted("stripe-webhook-secret") == [b"whsec_new"]
    assert server.reads == 2


def test_what_is_not_there_is_told_by_name(host: str) -> None:
    secrets = SecretManagerSecrets({"master-key": ["projects/demo-ajo/secrets/master-key/versions/1"]}, host)
    with pytest.raises(SecretUnavailable, match="master-key"):
        secrets.current("master-key")
    with pytest.raises(SecretUnavailable, match="invitation-key"):
        secrets.accepted("invitation-key")
    silent = SecretManagerSecrets(
        {"stripe-webhook-secret": [f"{NAME}/versions/1"]}, f"127.0.0.1:{free_port()}"
    )
    with pytest.raises(SecretUnavailable):
        silent.current("stripe-webhook-secret")
