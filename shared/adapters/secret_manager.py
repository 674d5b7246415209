"""Reads secrets from Google Secret Manager, at the versions that the settings pin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from shared.adapters.lazily import once, plain_channel
from shared.ports import SecretUnavailable

if TYPE_CHECKING:
    from google.cloud.secretmanager_v1 import SecretManagerServiceClient

CALL_SECONDS_MAX = 10.0


class SecretManagerSecrets:
    """`Secrets`, each version read once per instance.

    `versions` maps a short name to full version names, the current one first, then, while it rotates, the
    previous: {"master-key": ["projects/p/secrets/master-key/versions/2", "…/versions/1"]}.
    """

    def __init__(self, versions: Mapping[str, Sequence[str]], local_host: str | None = None) -> None:
        self._versions = versions
        self._local_host = local_host
        self._client = once(self._connect)
        self._values: dict[str, bytes] = {}

    def _connect(self) -> SecretManagerServiceClient:
        from google.cloud.secretmanager_v1 import SecretManagerServiceClient
        from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
            SecretManagerServiceGrpcTransport,
        )

        if self._local_host is None:
            return SecretManagerServiceClient()
        channel = plain_channel(self._local_host)
        return SecretManagerServiceClient(transport=SecretManagerServiceGrpcTransport(channel=channel))

    def current(self, name: str) -> bytes:
        return self._value(self._pinned(name)[0])

    def accepted(self, name: str) -> list[bytes]:
        return [self._value(version) for version in self._pinned(name)]

    def reload(self) -> None:
        """Read every version anew at its next use."""
        self._values = {}

    def _pinned(self, name: str) -> Sequence[str]:
        if not (versions := self._versions.get(name)):
            raise SecretUnavailable(f"No version of the secret {name} is set.")
        return versions

    def _value(self, version: str) -> bytes:
        if version not in self._values:
            self._values[version] = self._read(version)
        return self._values[version]

    def _read(self, version: str) -> bytes:
        from google.api_core.exceptions import GoogleAPIError

        try:
            answer = self._client().access_secret_version(name=version, timeout=CALL_SECONDS_MAX)
        except GoogleAPIError as error:
            raise SecretUnavailable(f"{version}: {type(error).__name__}") from error
        return answer.payload.data
