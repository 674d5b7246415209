"""Tests talk to this machine alone (tests/conftest.py), by Python's sockets and by gRPC's own."""

from __future__ import annotations

import socket

import grpc
import pytest
from pytest_socket import SocketConnectBlockedError

ELSEWHERE = "192.0.2.1"  # kept for documentation by RFC 5737: nobody's


def test_python_connects_to_this_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


@pytest.mark.filterwarnings("ignore:A test tried to use socket")
def test_python_connects_nowhere_else() -> None:
    with pytest.raises(SocketConnectBlockedError):
        socket.create_connection((ELSEWHERE, 443))


def test_grpc_connects_nowhere_else() -> None:
    with grpc.insecure_channel(f"{ELSEWHERE}:443") as channel:
        call = channel.unary_unary("/any.Service/Method", None, None)
        with pytest.raises(grpc.RpcError) as refused:
            call(b"", timeout=10)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert "127.0.0.1:9" in str(refused.value.details())
