"""Queues tasks to the `submit` function on Google Cloud Tasks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.adapters.lazily import once, plain_channel
from shared.ports import QueueFailed

if TYPE_CHECKING:
    from google.cloud.tasks_v2 import CloudTasksClient

CALL_SECONDS_MAX = 10.0


class CloudTaskQueue:
    """`TaskQueue` on one queue. Each task is a POST of JSON with an OIDC token of `invoker_email`."""

    def __init__(
        self, queue: str, url: str, audience: str, invoker_email: str, local_host: str | None = None
    ) -> None:
        """`queue` is its full name: projects/…/locations/…/queues/…"""
        self._queue = queue
        self._url = url
        self._audience = audience
        self._invoker_email = invoker_email
        self._local_host = local_host
        self._client = once(self._connect)

    def _connect(self) -> CloudTasksClient:
        from google.cloud.tasks_v2 import CloudTasksClient
        from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

        if self._local_host is None:
            return CloudTasksClient()
        return CloudTasksClient(transport=CloudTasksGrpcTransport(channel=plain_channel(self._local_host)))

    def task_name(self, name: str) -> str:
        """Ours may hold any character; Cloud Tasks takes letters, digits, '-' and '_', and likes them evenly
        spread (cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks)."""
        return f"{self._queue}/tasks/{hashlib.sha256(name.encode()).hexdigest()[:40]}"

    def enqueue(self, name: str, body: Mapping[str, Any], at: datetime | None = None) -> None:
        from google.api_core.exceptions import AlreadyExists, GoogleAPIError
        from google.cloud.tasks_v2.types import HttpMethod, HttpRequest, OidcToken, Task

        task = Task(
            name=self.task_name(name),
            http_request=HttpRequest(
                url=self._url,
                http_method=HttpMethod.POST,
                headers={"Content-Type": "application/json"},
                body=json.dumps(body, separators=(",", ":")).encode(),
                oidc_token=OidcToken(service_account_email=self._invoker_email, audience=self._audience),
            ),
            schedule_time=at,
        )
        try:
            self._client().create_task(parent=self._queue, task=task, timeout=CALL_SECONDS_MAX)
        except AlreadyExists:
            return
        except GoogleAPIError as error:
            raise QueueFailed(type(error).__name__) from error
