"""The stand-in for Secret Manager, by the real client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import google_crc32c
import grpc
import pytest
from google.api_core import exceptions
from google.cloud.secretmanager_v1 import SecretManagerServiceClient, types
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcTransport,
)

from infra.local import rpc
from infra.local.secret_manager import LocalSecretManager

PARENT = "projects/demo-ajo"
SECRET = f"{PARENT}/secrets/master-key"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "secrets.json"


@pytest.fixture
def client(file: Path) -> Iterator[SecretManagerServiceClient]:
    secrets = LocalSecretManager(file)
    secrets.pin("demo-ajo", "master-key", b"first", fresh=b"")
    with rpc.serving([secrets.service()]) as host, grpc.insecure_channel(host) as channel:
        yield SecretManagerServiceClient(transport=SecretManagerServiceGrpcTransport(channel=channel))


def value(client: SecretManagerServiceClient, version: str) -> bytes:
    answer = client.access_secret_version(name=f"{SECRET}/versions/{version}")
    assert answer.payload.data_crc32c == google_crc32c.value(answer.payload.data)
    return answer.payload.data


def test_versions_are_read_by_number_and_by_latest(client: SecretManagerServiceClient) -> None:
    made = client.add_secret_version(parent=SECRET, payload=types.SecretPayload(data=b"second"))

    assert made.name == f"{SECRET}/versions/2"
    assert [value(client, version) for version in ("1", "2", "latest")] == [b"first", b"second", b"second"]
    assert client.access_secret_version(name=f"{SECRET}/versions/latest").name == f"{SECRET}/versions/2"


def test_a_new_secret_has_no_version(client: SecretManagerServiceClient) -> None:
    made = client.create_secret(parent=PARENT, secret_id="other", secret=types.Secret())

    with pytest.raises(exceptions.NotFound):
        client.access_secret_version(name=f"{made.name}/versions/latest")
    with pytest.raises(exceptions.AlreadyExists):
        client.create_secret(parent=PARENT, secret_id="other", secret=types.Secret())


@pytest.mark.parametrize(
    "name",
    [
        f"{SECRET}/versions/9",
        f"{SECRET}/versions/0",
        f"{SECRET}/versions/x",
        f"{PARENT}/secrets/n/versions/1",
    ],
)
def test_what_is_not_there_is_not_found(client: SecretManagerServiceClient, name: str) -> None:
    with pytest.raises(exceptions.NotFound):
        client.access_secret_version(name=name)


def test_the_file_outlives_the_run_and_is_for_its_owner_alone(
    client: SecretManagerServiceClient, file: Path
) -> None:
    client.add_secret_version(parent=SECRET, payload=types.SecretPayload(data=b"\x00\xff"))

    again = LocalSecretManager(file)
    pinned = again.pin("demo-ajo", "master-key", None, fresh=b"not this")

    assert pinned == f"{SECRET}/versions/2"
    assert again.value(pinned) == b"\x00\xff"
    assert again.pin("demo-ajo", "master-key", b"given", fresh=b"") == f"{SECRET}/versions/3"
    assert file.stat().st_mode & 0o077 == 0
