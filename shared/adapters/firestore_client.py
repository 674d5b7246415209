"""Google's Firestore client, reading on the thread that waits for the answer.

gRPC for Python reads a stream of answers on a thread that it starts for that, and each of Firestore's reads
is such a stream: a hand-over between threads for each answer, under one interpreter's lock. Eight use cases
at once did 1.5 times as much as one; reading for themselves, 1.9 times (`scripts/benchmark --only writers`).
"""

from __future__ import annotations

from typing import Any

import grpc
from google.cloud import firestore
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport
from grpc.experimental import ChannelOptions

ON_CALLERS_THREAD = (ChannelOptions.SingleThreadedUnaryStream, 1)
"""gRPC's own option for it (grpc/grpc#20753). Answers cannot be awaited as futures then: nobody does."""

UNLIMITED = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
"""As Google's client has it: Firestore's own limits are those that count."""


class Client(firestore.Client):
    """Google's client with a channel of ours: it takes no options itself (google-cloud-python#16455)."""

    def _firestore_api_helper(self, transport: Any, client_class: Any, client_module: Any) -> Any:
        return super()._firestore_api_helper(_Transport, client_class, client_module)

    def _emulator_channel(self, transport: Any) -> grpc.Channel:
        return grpc.insecure_channel(self._target, options=[*UNLIMITED, ON_CALLERS_THREAD])


class _Transport(FirestoreGrpcTransport):
    @classmethod
    def create_channel(cls, *args: Any, options: Any = (), **others: Any) -> grpc.Channel:
        channel: grpc.Channel = super().create_channel(*args, options=[*options, ON_CALLERS_THREAD], **others)
        return channel
