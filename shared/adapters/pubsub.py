"""Publishes to Google Pub/Sub, and returns when the message is confirmed."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared.adapters.lazily import once, plain_channel
from shared.ports import PublishFailed

if TYPE_CHECKING:
    from google.pubsub_v1 import PublisherClient

# A webhook must answer within Stripe's patience, about 20 s, publishing included: one call may take 5 s, and
# all of them 10.
CALL_SECONDS_MAX = 5.0
ALL_SECONDS_MAX = 10.0


class PubSubPublisher:
    """`Publisher` on the plain client: the batching one would hold a message back in a background thread,
    which a function's instance may freeze before it ran. Messages are JSON."""

    def __init__(self, project: str, emulator_host: str | None = None) -> None:
        self._project = project
        self._emulator_host = emulator_host
        self._client = once(self._connect)

    def _connect(self) -> PublisherClient:
        from google.pubsub_v1 import PublisherClient
        from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

        if self._emulator_host is None:
            return PublisherClient()
        return PublisherClient(transport=PublisherGrpcTransport(channel=plain_channel(self._emulator_host)))

    def publish(self, topic: str, message: Mapping[str, Any]) -> None:
        from google.api_core.exceptions import GoogleAPIError
        from google.pubsub_v1.types import PubsubMessage

        data = json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()
        try:
            self._client().publish(
                topic=f"projects/{self._project}/topics/{topic}",
                messages=[PubsubMessage(data=data)],
                timeout=CALL_SECONDS_MAX,
                retry=_retry(),
            )
        except GoogleAPIError as error:
            raise PublishFailed(f"{topic}: {type(error).__name__}") from error


@functools.cache
def _retry() -> Any:
    """What may pass is tried again: a message sent twice is only a duplicate, and consumers dedupe."""
    from google.api_core import exceptions
    from google.api_core.retry import Retry, if_exception_type

    passing = if_exception_type(
        exceptions.Aborted,
        exceptions.DeadlineExceeded,
        exceptions.InternalServerError,
        exceptions.ResourceExhausted,
        exceptions.ServiceUnavailable,
    )
    return Retry(predicate=passing, initial=0.1, maximum=2.0, timeout=ALL_SECONDS_MAX)
