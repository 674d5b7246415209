"""Google's Firestore client, as our store speaks through it: on the caller's thread, and by the message.

gRPC for Python reads a stream of answers on a thread that it starts for that, and each of Firestore's reads
is such a stream: a hand-over between threads for each answer, under one interpreter's lock. And the client's
own documents are copied deeply twice before anybody sees them (`scripts/benchmark --only money,writers`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import grpc
from google.cloud import firestore
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport
from google.cloud.firestore_v1.types import BatchGetDocumentsRequest, BatchGetDocumentsResponse, CommitRequest
from grpc.experimental import ChannelOptions

if TYPE_CHECKING:
    from google.api_core.retry import Retry

ON_CALLERS_THREAD = (ChannelOptions.SingleThreadedUnaryStream, 1)
"""gRPC's own option for it (grpc/grpc#20753). Answers cannot be awaited as futures then: nobody does."""

UNLIMITED = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
"""As Google's client has it: Firestore's own limits are those that count."""


class Client(firestore.Client):
    """Google's client with a channel of ours: it takes no options itself (google-cloud-python#16455)."""

    def name(self, path: str) -> str:
        """A document's full name, as messages have it."""
        return f"{self._database_string}/documents/{path}"

    def batch_get(self, names: Iterable[str], retry: Retry, timeout: float) -> Iterator[Any]:
        """`BatchGetDocumentsResponse` of each document, there or missing, in any order, each once.

        Raises GoogleAPIError, as do the answers.
        """
        request = BatchGetDocumentsRequest.pb()()
        request.database = self._database_string
        request.documents.extend(names)
        answers = self._firestore_api.batch_get_documents(
            BatchGetDocumentsRequest.wrap(request), metadata=self._rpc_metadata, retry=retry, timeout=timeout
        )
        return map(BatchGetDocumentsResponse.pb, answers)

    def commit(self, writes: Iterable[Any], timeout: float) -> None:
        """Commit these `Write` messages, and never send them twice. Raises GoogleAPIError."""
        request = CommitRequest.pb()()
        request.database = self._database_string
        request.writes.extend(writes)
        self._firestore_api.commit(
            CommitRequest.wrap(request), metadata=self._rpc_metadata, retry=None, timeout=timeout
        )

    def _firestore_api_helper(self, transport: Any, client_class: Any, client_module: Any) -> Any:
        return super()._firestore_api_helper(_Transport, client_class, client_module)

    def _emulator_channel(self, transport: Any) -> grpc.Channel:
        return grpc.insecure_channel(self._target, options=[*UNLIMITED, ON_CALLERS_THREAD])


class _Transport(FirestoreGrpcTransport):
    @classmethod
    def create_channel(cls, *args: Any, options: Any = (), **others: Any) -> grpc.Channel:
        channel: grpc.Channel = super().create_channel(*args, options=[*options, ON_CALLERS_THREAD], **others)
        return channel
