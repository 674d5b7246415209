"""Firestore's failures, made at the wire of a real client: calls refused, and answers lost."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import grpc
from google.cloud import firestore

from tests.contract.counting import Interceptor, intercepted, method_of


def failing(
    client: firestore.Client, method: str, code: grpc.StatusCode, *, times: int = 1, applied: bool = False
) -> AbstractContextManager[None]:
    """Let the next calls of a method (`Commit`, `BatchGetDocuments`, …) fail.

    `applied`: only after they took effect, so that the answer alone is lost (commits, not streams).
    """
    return intercepted(client, _Fault(method, code, times, applied))


class Failure(grpc.RpcError):
    """What the client sees of a failed call: an error, and at once the call that ended with it."""

    def __init__(self, code: grpc.StatusCode) -> None:
        super().__init__(code)
        self._code = code

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return "injected by a test"

    def trailing_metadata(self) -> tuple[()]:
        return ()

    def exception(self) -> Failure:
        return self

    def result(self) -> Any:
        raise self


class _Fault(Interceptor):
    def __init__(self, method: str, code: grpc.StatusCode, times: int, applied: bool) -> None:
        self._method = method
        self._code = code
        self._left = times
        self._applied = applied

    def intercept_unary_unary(self, continuation: Any, details: grpc.ClientCallDetails, request: Any) -> Any:
        if not self._strikes(details):
            return continuation(details, request)
        if self._applied:
            continuation(details, request).result()
        raise Failure(self._code)

    def intercept_unary_stream(self, continuation: Any, details: grpc.ClientCallDetails, request: Any) -> Any:
        if self._strikes(details):
            raise Failure(self._code)
        return continuation(details, request)

    def _strikes(self, details: grpc.ClientCallDetails) -> bool:
        if method_of(details) != self._method or self._left == 0:
            return False
        self._left -= 1
        return True
