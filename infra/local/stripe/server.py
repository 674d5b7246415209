"""The local Stripe over HTTP: `/v1/…` as Stripe, `/_control/…` (`control`), `/_hosted/…` (`hosted_pages`)."""

from __future__ import annotations

import base64
import json
import os
import socket
import threading
import time
import traceback
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from infra.local.stripe import control, forms, hosted_pages, webhooks
from infra.local.stripe.clocks import FileClock, OwnClock
from infra.local.stripe.core import LocalStripe
from infra.local.stripe.errors import ConnectionCut, InvalidParams, Object, Refusal

TICK_SECONDS = 0.2
WEBHOOK_TIMEOUT_SECONDS = 30
WEBHOOKS_AT_ONCE = 4
RETRY_PAUSE_SECONDS = 0.5
"""Wall time between two attempts of one delivery: a clock that jumps makes all its retries due at once."""
SAVE_SECONDS = 30


class Endpoint(NamedTuple):
    """Where webhooks go, and the secret they are signed with."""

    url: str
    secret: str


class LocalStripeServer:
    """A running local Stripe: `url`, and its `core` for tests in this process. A context manager."""

    def __init__(
        self,
        *,
        port: int,
        now: Callable[[], datetime],
        seed: int,
        endpoints: dict[str, Endpoint],
        enabled_events: dict[str, list[str]],
        payouts_interval: str,
        state_file: Path | None,
    ) -> None:
        self._endpoints = endpoints
        self._state_file = state_file
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._attempted: dict[str, float] = {}
        server = make_server("127.0.0.1", port, self._app, threaded=True, request_handler=_Handler)
        self._server = server
        self.url = f"http://127.0.0.1:{server.server_port}"
        self.core = LocalStripe(
            now=now,
            seed=seed,
            hosted_url=self.url,
            payouts_interval=payouts_interval,
            enabled_events=enabled_events,
            sleep=time.sleep,
            on_change=self._wake.set,
        )
        if state_file is not None and state_file.exists():
            self.core.load(state_file.read_text())
        self._pool = ThreadPoolExecutor(WEBHOOKS_AT_ONCE, thread_name_prefix="stripe-webhook")
        self._threads = [
            threading.Thread(target=server.serve_forever, name="stripe-http", daemon=True),
            threading.Thread(target=self._tick, name="stripe-ticker", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop serving and sending; saves the state where a file was given."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._wake.set()
        self._server.shutdown()
        for thread in self._threads:
            thread.join()
        self._pool.shutdown(wait=True)
        self._server.server_close()
        self._save()

    def __enter__(self) -> LocalStripeServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self.stop()

    # --- requests ----------------------------------------------------------------------------------------

    def _app(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        area, _, rest = request.path.lstrip("/").partition("/")
        try:
            if area == "_control":
                response = self._control(request, rest)
            elif area == "_hosted":
                response = self._hosted(request, rest)
            else:
                response = self._api(request)
        except ConnectionCut:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            response = Response(status=500)
        except Exception:  # a fault of ours, seen on the terminal and answered as Stripe answers its own
            traceback.print_exc()
            response = _json(500, {"error": {"type": "api_error", "message": "An unknown error occurred."}})
        return response(environ, start_response)

    def _api(self, request: Request) -> Response:
        try:
            _authenticate(request)
            pairs = request.args if request.method == "GET" else request.form
            form = forms.decode(pairs.items(multi=True))
        except Refusal as refusal:
            return _json(refusal.status, refusal.body)
        answer = self.core.respond(
            request.method,
            request.path,
            form,
            idempotency_key=request.headers.get("Idempotency-Key"),
            account=request.headers.get("Stripe-Account"),
            api_version=request.headers.get("Stripe-Version"),
        )
        response = _json(answer.status, answer.body)
        response.headers.extend(answer.headers)
        return response

    def _control(self, request: Request, path: str) -> Response:
        if request.method == "GET":
            body: Object = request.args.to_dict()
        else:
            try:
                body = json.loads(request.get_data() or b"{}")
            except ValueError:
                return _json(400, {"error": {"message": "the body is not JSON"}})
        status, answer = control.handle(self.core, request.method, path, body)
        self._wake.set()
        return _json(status, answer)

    def _hosted(self, request: Request, path: str) -> Response:
        kind, _, object_id = path.partition("/")
        if request.method == "GET":
            status, html = hosted_pages.page(self.core, kind, object_id, request.args.to_dict())
            return Response(html, status, content_type="text/html; charset=utf-8")
        status, html, location = hosted_pages.submit(
            self.core, kind, object_id, request.args.to_dict(), request.form.to_dict()
        )
        self._wake.set()
        if status != 303:
            return Response(html, status, content_type="text/html; charset=utf-8")
        return Response("", 303, {"Location": location or request.path})

    # --- webhooks and time -------------------------------------------------------------------------------

    def _tick(self) -> None:
        saved_at, saved_counter = time.monotonic(), 0
        while not self._stopping.is_set():
            self._wake.wait(TICK_SECONDS)
            self._wake.clear()
            self._send_due()
            if time.monotonic() - saved_at > SAVE_SECONDS and self.core.world.counter != saved_counter:
                saved_at, saved_counter = time.monotonic(), self.core.world.counter
                self._save()

    def _send_due(self) -> None:
        now = time.monotonic()
        with self.core.lock:
            ready = [
                delivery
                for delivery in self.core.deliveries_due()
                if now - self._attempted.get(delivery["id"], 0) >= RETRY_PAUSE_SECONDS
            ]
            for delivery in ready:
                delivery["state"] = "sending"
        for delivery in [one for one in ready if one["one_by_one"]]:
            self._send(delivery)
        for delivery in [one for one in ready if not one["one_by_one"]]:
            self._pool.submit(self._send, delivery)

    def _send(self, delivery: Object) -> None:
        self._attempted[delivery["id"]] = time.monotonic()
        endpoint = self._endpoints.get(delivery["endpoint"])
        status: int | None = 200  # nobody listens: as an endpoint that takes everything
        if endpoint is not None and not self._stopping.is_set():
            status = _post(endpoint, self.core.payload(delivery))
        self.core.delivered(delivery["id"], status)
        if status is not None and status < 300:
            self._attempted.pop(delivery["id"], None)
        self._wake.set()

    def _save(self) -> None:
        if self._state_file is not None:
            partial = self._state_file.with_suffix(".partial")
            partial.write_text(self.core.dump())
            partial.replace(self._state_file)


def start_local_stripe(
    *,
    port: int = 0,
    platform_webhook: Endpoint | None = None,
    connect_webhook: Endpoint | None = None,
    now: Callable[[], datetime] | None = None,
    clock_file: Path | None = None,
    seed: int | None = None,
    platform_events: list[str] | None = None,
    connect_events: list[str] | None = None,
    payouts_interval: str = "manual",
    state_file: Path | None = None,
) -> LocalStripeServer:
    """Start a local Stripe on 127.0.0.1 in threads of this process; port 0 takes a free one.

    Without a seed, ids differ from run to run, as they must where other stores outlive this one.
    """
    endpoints = {"platform": platform_webhook, "connect": connect_webhook}
    enabled = {"platform": platform_events, "connect": connect_events}
    return LocalStripeServer(
        port=port,
        now=now or (FileClock(clock_file) if clock_file else OwnClock()),
        seed=int.from_bytes(os.urandom(8)) if seed is None else seed,
        endpoints={name: endpoint for name, endpoint in endpoints.items() if endpoint},
        enabled_events={name: events for name, events in enabled.items() if events},
        payouts_interval=payouts_interval,
        state_file=state_file,
    )


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # stripe-python keeps its connections

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing: the requests are in the control's log."""

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
        """A client gone, or cut off by a fault, is nothing to speak of."""


def _authenticate(request: Request) -> None:
    """Any test key is good; others get Stripe's 401."""
    header = request.headers.get("Authorization", "")
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "basic":
        value = base64.b64decode(value).decode(errors="replace").partition(":")[0]
    if not value:
        raise InvalidParams(
            "You did not provide an API key. You need to provide your API key in the Authorization header, "
            "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            status=401,
        )
    if not value.startswith(("sk_test_", "rk_test_")):
        shown = f"{value[:8]}{'*' * 8}{value[-4:]}"
        raise InvalidParams(f"Invalid API Key provided: {shown}", status=401)


def _post(endpoint: Endpoint, body: bytes) -> int | None:
    # Signatures carry wall time: receivers test them by wall time, whatever the clock of the circle says.
    request = urllib.request.Request(
        endpoint.url,
        data=body,
        headers={
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": webhooks.signature(body, endpoint.secret, int(time.time())),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        },
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=WEBHOOK_TIMEOUT_SECONDS) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return None


def _json(status: int, body: Any) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")
