"""One process hosts every function, behind the rewrites of firebase.json: local paths are the deployed ones.

What comes from outside passes as Firebase Hosting passes it: the first rewrite that matches wins, the
function sees the whole path, of the cookies it sees `__session` alone, and an answer sets a cookie only if it
is `Cache-Control: private`. A function is loaded when it is first called, so a start stays short, and one
that cannot be loaded does not take the others with it.

Two ways lead in for machines. `/_internal/FUNCTION` is the function's own address, for Cloud Tasks. To
`/_push/FUNCTION` the Pub/Sub emulator pushes; it cannot sign, so the gateway adds the OIDC token that Pub/Sub
would, for who knows the key of this run. The function sees the path `/` there, as at its own address in the
cloud; without that slash functions-framework would redirect a push.
"""

from __future__ import annotations

import io
import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functions_framework import create_app
from wcmatch import glob
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.shared_data import SharedDataMiddleware
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request, Response

from infra.local.pubsub_proxy import PUSH
from infra.local.work import Work

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REQUEST = "requests"
PUSH_ATTEMPTS_MAX = 10  # then Pub/Sub puts a message into the dead-letter topic; the emulator does so too
GLOB_FLAGS = glob.GLOBSTAR | glob.BRACE | glob.DOTGLOB
SESSION_COOKIE = "__session"
log = logging.getLogger(__name__)


class Functions:
    """The functions of a folder, by name: FOLDER/NAME/main.py with the entry point NAME."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._apps: dict[str, WSGIApplication] = {}
        self._loading = threading.Lock()

    def __contains__(self, name: str) -> bool:
        return name.isidentifier() and (self._root / name / "main.py").is_file()

    def app(self, name: str) -> WSGIApplication:
        """The function, loaded now if this is its first call. Raises whatever its module raises."""
        if name not in self._apps:
            with self._loading:  # functions-framework calls each of these modules `main` for a moment
                if name not in self._apps:
                    begun = time.monotonic()
                    # A function without a decorator is HTTP, whatever was loaded before it: the framework
                    # leaves the type of the last one in the environment.
                    self._apps[name] = create_app(  # type: ignore[no-untyped-call]
                        name, str(self._root / name / "main.py"), "http"
                    )
                    log.info("loaded %s in %.1f s", name, time.monotonic() - begun)
        return self._apps[name]


class Gateway:
    """The WSGI application. `sign` makes the OIDC token that a push carries."""

    def __init__(
        self,
        functions: Functions,
        hosting: Mapping[str, Any],
        public: Path,
        local: WSGIApplication,
        work: Work,
        sign: Callable[[], str],
        push_key: str,
    ) -> None:
        """`hosting` is that part of firebase.json, `public` the folder of its static files, and `local` what
        answers under /_local/."""
        self._functions = functions
        self._rewrites = [
            (glob.compile(rewrite["source"], flags=GLOB_FLAGS), rewrite["function"]["functionId"])
            for rewrite in hosting["rewrites"]
        ]
        self._local = local
        self._work = work
        self._sign = sign
        self._push_key = push_key
        self._push_failures: Counter[tuple[str, str]] = Counter()
        self._hosting = SharedDataMiddleware(self._counted(self._from_outside), {"/": str(public)})
        self._internal = self._counted(self._at_own_address)
        self._push = self._counted(self._pushed)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        first = environ["PATH_INFO"].split("/")[1:2]
        if first == ["_local"] or environ["PATH_INFO"] == "/healthz":
            return self._local(environ, start_response)
        ways = {"_internal": self._internal, "_push": self._push}
        return ways.get("".join(first), self._hosting)(environ, start_response)

    def _counted(self, answer: Callable[[Request], Response]) -> WSGIApplication:
        def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            request = Request(environ)
            begun = time.monotonic()
            with self._work.doing(REQUEST):
                try:
                    response = answer(request)
                except HTTPException as refusal:  # what werkzeug itself will not read
                    response = problem(refusal.code or 400, "bad_request", refusal.description or "")
            took = round((time.monotonic() - begun) * 1000)
            log.info("%s %s %s %s ms", request.method, request.path, response.status_code, took)
            return response(environ, start_response)

        return app

    # --- the three ways in -------------------------------------------------------------------------------

    def _from_outside(self, request: Request) -> Response:
        name = self._rewritten(request.path)
        if name is None:
            return problem(HTTPStatus.NOT_FOUND, "no_rewrite", "No rewrite of firebase.json matches.")
        cookies = [cookie.strip() for cookie in request.headers.get("Cookie", "").split(";")]
        session = [cookie for cookie in cookies if cookie.startswith(f"{SESSION_COOKIE}=")]
        environ = {**request.environ, "HTTP_COOKIE": "; ".join(session)}
        forwarded = [*request.headers.getlist("X-Forwarded-For"), request.remote_addr or ""]
        environ["HTTP_X_FORWARDED_FOR"] = ", ".join(forwarded)
        environ["HTTP_X_FORWARDED_HOST"] = request.host
        response = self._call(name, environ)
        if not response.cache_control.private:
            response.headers.remove("Set-Cookie")
        return response

    def _at_own_address(self, request: Request) -> Response:
        name, _, rest = request.path.removeprefix("/_internal").lstrip("/").partition("/")
        return self._call(name, _moved(request.environ, f"/_internal/{name}", f"/{rest}"))

    def _pushed(self, request: Request) -> Response:
        name = request.path.removeprefix("/_push/")
        if request.args.get("key") != self._push_key:
            return problem(HTTPStatus.FORBIDDEN, "not_the_emulator", "Only this run's Pub/Sub may push.")
        data = request.get_data()
        body = json.loads(data)
        delivery = (str(body["subscription"]), str(body["message"]["messageId"]))
        environ = _moved(request.environ, f"/_push/{name}", "/")
        environ["QUERY_STRING"] = ""
        environ["HTTP_AUTHORIZATION"] = f"Bearer {self._sign()}"
        environ["wsgi.input"] = io.BytesIO(data)
        response = self._call(name, environ)
        self._note(delivery, response)
        return response

    def _note(self, delivery: tuple[str, str], response: Response) -> None:
        """A push is over when it is acknowledged, or failed for the last time."""
        if not 200 <= response.status_code < 300:
            self._push_failures[delivery] += 1
            log.warning("push %s failed: %s", delivery, response.get_data(as_text=True)[:500])
            if self._push_failures[delivery] < PUSH_ATTEMPTS_MAX:
                return
            log.error("push %s goes to the dead letters", delivery)
        self._push_failures.pop(delivery, None)
        self._work.done(PUSH, delivery)

    # --- calling a function ------------------------------------------------------------------------------

    def _rewritten(self, path: str) -> str | None:
        return next((name for pattern, name in self._rewrites if pattern.match(path)), None)

    def _call(self, name: str, environ: WSGIEnvironment) -> Response:
        """Its whole answer: Hosting holds streamed ones back, too."""
        if name not in self._functions:
            return problem(HTTPStatus.NOT_FOUND, "no_such_function", f"There is no function {name} here.")
        try:
            app = self._functions.app(name)
        except Exception as error:
            log.exception("the function %s cannot be loaded", name)
            return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "function_does_not_load", f"{name}: {error!r}")
        body, status, headers = run_wsgi_app(app, environ, buffered=True)
        return Response(body, status, headers)


def problem(status: int, code: str, detail: str) -> Response:
    """An error of the gateway's own, in the form of RFC 9457."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "code": code,
        "detail": detail,
    }
    return Response(json.dumps(body), status, content_type="application/problem+json")


def _moved(environ: WSGIEnvironment, script_name: str, path: str) -> WSGIEnvironment:
    return {**environ, "SCRIPT_NAME": script_name, "PATH_INFO": path}
