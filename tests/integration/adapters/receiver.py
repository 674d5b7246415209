"""A small HTTP server on this machine: it answers from a table and keeps what it was sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response


class Receiver:
    """`url`, and what came: `requests.get(timeout=…)` waits for the next one."""

    def __init__(self, answer: Callable[[Request], Response]) -> None:
        self.requests: SimpleQueue[Request] = SimpleQueue()
        self._answer = answer
        self._server = make_server("127.0.0.1", 0, Request.application(self._receive), threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _receive(self, request: Request) -> Response:
        request.get_data()
        self.requests.put(request)
        return self._answer(request)

    def serve(self) -> None:
        """Until `shutdown`."""
        self._server.serve_forever(poll_interval=0.01)

    def shutdown(self) -> None:
        """And give the port back."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def receiving(answer: Callable[[Request], Response] = lambda _: Response()) -> Iterator[Receiver]:
    """Serve while the block runs; with 200 to everything, unless told otherwise."""
    receiver = Receiver(answer)
    thread = threading.Thread(target=receiver.serve, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.shutdown()
        thread.join()
