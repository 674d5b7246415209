"""Secret Manager for the real client: secrets in memory, and in a file where they must outlive a run.

google.cloud.secretmanager.v1.SecretManagerService with CreateSecret, AddSecretVersion and, by version number
and by `latest`, AccessSecretVersion.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from pathlib import Path

import google_crc32c
import grpc
from google.cloud.secretmanager_v1 import types

from infra.local import rpc

SERVICE = "google.cloud.secretmanager.v1.SecretManagerService"


class LocalSecretManager:
    """Versions of each secret by its full name, projects/P/secrets/NAME, the oldest first."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._versions: dict[str, list[bytes]] = {}
        if file and file.is_file():
            kept = json.loads(file.read_text())
            self._versions = {name: [base64.b64decode(one) for one in all_] for name, all_ in kept.items()}

    def service(self) -> rpc.Handler:
        """For `rpc.serving`."""
        return rpc.service(
            SERVICE,
            {
                "CreateSecret": (self.create_secret, types.CreateSecretRequest, types.Secret),
                "AddSecretVersion": (
                    self.add_secret_version,
                    types.AddSecretVersionRequest,
                    types.SecretVersion,
                ),
                "AccessSecretVersion": (
                    self.access_secret_version,
                    types.AccessSecretVersionRequest,
                    types.AccessSecretVersionResponse,
                ),
            },
        )

    def pin(self, project: str, name: str, value: bytes | None, fresh: bytes) -> str:
        """The full name of the version that holds `value`, made if it is not the latest. Where `value` is
        None any latest version will do, and `fresh` becomes the first."""
        secret = f"projects/{project}/secrets/{name}"
        versions = self._versions.setdefault(secret, [])
        if not versions or value not in (None, versions[-1]):
            versions.append(fresh if value is None else value)
            self._save()
        return f"{secret}/versions/{len(versions)}"

    def value(self, version: str) -> bytes:
        """Of a version by its full name. Raises rpc.Refused where there is none."""
        request = types.AccessSecretVersionRequest(name=version)
        return self.access_secret_version(request).payload.data

    def create_secret(self, request: types.CreateSecretRequest) -> types.Secret:
        """A secret without a version."""
        name = f"{request.parent}/secrets/{request.secret_id}"
        with self._lock:
            if name in self._versions:
                raise rpc.Refused(grpc.StatusCode.ALREADY_EXISTS, f"Secret [{name}] already exists.")
            self._versions[name] = []
            self._save()
        return types.Secret(name=name)

    def add_secret_version(self, request: types.AddSecretVersionRequest) -> types.SecretVersion:
        """The next number, from 1."""
        with self._lock:
            versions = self._of(request.parent)
            versions.append(request.payload.data)
            self._save()
            name = f"{request.parent}/versions/{len(versions)}"
        return types.SecretVersion(name=name, state=types.SecretVersion.State.ENABLED)

    def access_secret_version(
        self, request: types.AccessSecretVersionRequest
    ) -> types.AccessSecretVersionResponse:
        """The value, with its checksum."""
        secret, _, version = request.name.rpartition("/versions/")
        with self._lock:
            versions = self._of(secret)
            number = len(versions) if version == "latest" else int(re.sub(r"\D.*", "", version) or 0)
            if not 1 <= number <= len(versions):
                raise rpc.Refused(grpc.StatusCode.NOT_FOUND, f"Secret Version [{request.name}] not found.")
            data = versions[number - 1]
        return types.AccessSecretVersionResponse(
            name=f"{secret}/versions/{number}",
            payload=types.SecretPayload(data=data, data_crc32c=google_crc32c.value(data)),
        )

    def _of(self, secret: str) -> list[bytes]:
        if secret not in self._versions:
            raise rpc.Refused(grpc.StatusCode.NOT_FOUND, f"Secret [{secret}] not found.")
        return self._versions[secret]

    def _save(self) -> None:
        if self._file:
            kept = {
                name: [base64.b64encode(one).decode() for one in versions]
                for name, versions in self._versions.items()
            }
            self._file.touch(mode=0o600)
            self._file.write_text(json.dumps(kept))
