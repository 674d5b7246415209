"""What the small gRPC servers share: a service from plain functions, and a server on a port."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NoReturn

import grpc

from infra.local.process import LocalPlatformError

THREADS = 16
if TYPE_CHECKING:
    Handler = grpc.GenericRpcHandler[Any, Any]
else:
    Handler = grpc.GenericRpcHandler  # generic in its types' stubs alone
Method = tuple[Callable[[Any], Any], Any, Any]
"""The function, and the request's and the answer's message type, both of proto-plus or both of protobuf."""


class Refused(Exception):
    """An answer other than OK."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code


def service(name: str, methods: Mapping[str, Method]) -> Handler:
    """A service of unary methods. What it does not have is UNIMPLEMENTED, as gRPC says by itself."""
    handlers = {method: _handler(*parts) for method, parts in methods.items()}
    return grpc.method_handlers_generic_handler(name, handlers)


def _handler(function: Callable[[Any], Any], request: Any, answer: Any) -> grpc.RpcMethodHandler[Any, Any]:
    def call(message: Any, context: grpc.ServicerContext) -> Any:
        try:
            return function(message)
        except Refused as refused:
            _abort(context, refused)

    return grpc.unary_unary_rpc_method_handler(
        call,
        request_deserializer=getattr(request, "deserialize", None) or request.FromString,
        response_serializer=getattr(answer, "serialize", None) or answer.SerializeToString,
    )


def _abort(context: grpc.ServicerContext, refused: Refused) -> NoReturn:
    context.abort(refused.code, str(refused))
    raise AssertionError("abort raises")


@contextlib.contextmanager
def serving(handlers: list[Handler], port: int = 0) -> Iterator[str]:
    """Serve while the block runs; its "host:port"."""
    # Two servers on one port would share it in silence, and each answer a part of the calls.
    options = [("grpc.so_reuseport", 0)]
    server = grpc.server(ThreadPoolExecutor(THREADS, "grpc"), handlers=handlers, options=options)
    try:
        taken = server.add_insecure_port(f"127.0.0.1:{port}")
    except RuntimeError:
        raise LocalPlatformError(f"Port {port} is in use: end the program that holds it.") from None
    server.start()
    try:
        yield f"127.0.0.1:{taken}"
    finally:
        server.stop(grace=1).wait()
