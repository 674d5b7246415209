"""Stands before the Pub/Sub emulator and counts each message until its push is acknowledged.

Everyone's calls pass through here unchanged, whoever publishes: functions, the schedule, a test. A published
message is expected (see `work`) once for each push subscription of its topic that was created through here;
the gateway says when a push was acknowledged.
"""

from __future__ import annotations

import threading

import grpc
from google.pubsub_v1.types import PublishRequest, PublishResponse, Subscription

from infra.local import rpc
from infra.local.work import Work

PUSH = "pushes not acknowledged"
PUBLISH = "/google.pubsub.v1.Publisher/Publish"
SUBSCRIBE = "/google.pubsub.v1.Subscriber/CreateSubscription"
CALL_SECONDS_MAX = 60.0


class PubSubProxy(rpc.Handler):
    """Passes on every unary call, its bytes as they are. Streaming pull is not passed on."""

    def __init__(self, emulator: str, work: Work) -> None:
        self._channel = grpc.insecure_channel(emulator)
        self._work = work
        self._lock = threading.Lock()
        self._subscriptions: dict[str, list[str]] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
        """The handler of any method, as gRPC asks for it."""
        method = handler_call_details.method

        def call(request: bytes, context: grpc.ServicerContext) -> bytes:
            try:
                return self._call(method, request)
            except grpc.RpcError as error:
                context.abort(error.code(), error.details() or "")
                raise AssertionError("abort raises") from error

        return grpc.unary_unary_rpc_method_handler(call)

    def close(self) -> None:
        """Leave the emulator."""
        self._channel.close()

    def _call(self, method: str, request: bytes) -> bytes:
        if method == PUBLISH:
            with self._work.doing("publishing"):
                answer = self._forward(method, request)
                self._expect(PublishRequest.deserialize(request), PublishResponse.deserialize(answer))
                return answer
        answer = self._forward(method, request)
        if method == SUBSCRIBE:
            self._note(Subscription.deserialize(answer))
        return answer

    def _forward(self, method: str, request: bytes) -> bytes:
        forward = self._channel.unary_unary(method, request_serializer=None, response_deserializer=None)
        answer: bytes = forward(request, timeout=CALL_SECONDS_MAX)
        return answer

    def _note(self, subscription: Subscription) -> None:
        if subscription.push_config.push_endpoint:
            with self._lock:
                self._subscriptions.setdefault(subscription.topic, []).append(subscription.name)

    def _expect(self, request: PublishRequest, answer: PublishResponse) -> None:
        for subscription in self._subscriptions.get(request.topic, []):
            for message_id in answer.message_ids:
                self._work.expect(PUSH, (subscription, message_id))
