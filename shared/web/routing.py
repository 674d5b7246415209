"""Routes as data, and the one way of a request through every public function.

`dispatch` finds the route, counts the request, learns who asks, checks that their roles may begin the
action, reads what was sent strictly, calls one use case, and answers. Nothing is wired, so nothing can be
written, before all of that has passed.
"""

from __future__ import annotations

import functools
import logging
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, Protocol, TypeVar

from flask import Request, Response
from flask import request as current_request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import MethodNotAllowed as WrongMethod
from werkzeug.exceptions import NotFound as NoRule
from werkzeug.routing import BaseConverter, Map, MapAdapter, RequestRedirect, Rule

from shared.domain.errors import MethodNotAllowed, NoSuchThing, Refusal
from shared.domain.permissions import STAFF_ROLES, Action, Role
from shared.domain.record import record
from shared.ports import CallerCheck, Identity, IdentityProvider, PaymentGateway, Publisher
from shared.services.context import Command, Context, Reader
from shared.web import answers, authentication, failures, logs, problems, rate_limits, reading
from shared.web.schemas.common import ID_CHARACTERS, Input, Nothing
from shared.web.schemas.health import Health
from shared.web.sessions import Session

if TYPE_CHECKING:
    from shared.config import Settings

log = logging.getLogger(__name__)

I = TypeVar("I", bound=Input)  # noqa: E741 - I for Input

NOBODY: Final = Identity("", None, False, None, frozenset(), datetime.min.replace(tzinfo=UTC))
"""Who asks on a public route."""


class Wiring(Protocol):
    """What `shared.bootstrap` gives to the web. Each part is made when it is first asked for."""

    def settings(self) -> Settings: ...
    def context(self) -> Context: ...
    def identity_provider(self) -> IdentityProvider: ...
    def caller_check(self) -> CallerCheck: ...
    def gateway(self) -> PaymentGateway: ...
    def publisher(self) -> Publisher: ...


@record
class Call(Generic[I]):
    """One request that may begin: who asks, what was sent, and the ports, wired at their first use."""

    wiring: Wiring
    identity: Identity
    command: Command
    input: I
    path: Mapping[str, str]
    session: Session | None = None
    token: str | None = None
    after: list[Callable[[Response], None]] = field(default_factory=list)
    """What is still to be put on the answer: a cookie."""
    reason: str | None = None
    if_match: int | None = None

    @property
    def verified_email(self) -> str | None:
        """The person's address, if they have shown that it is theirs."""
        return self.identity.email if self.identity.email_verified else None

    @property
    def ctx(self) -> Context:
        return self.wiring.context()

    @property
    def uid(self) -> str:
        return self.identity.uid

    @property
    def roles(self) -> frozenset[Role]:
        """What the person is by themselves."""
        return authentication.roles_of(self.identity, self.wiring.settings())

    @property
    def reader(self) -> Reader:
        """Who wants to see something that may be other people's."""
        return Reader(self.uid, self.command.id, self.roles & STAFF_ROLES, self.reason)


@record
class Route(Generic[I]):
    """One thing that clients can do. `takes` is the JSON body of a POST, the query string of a GET."""

    method: Literal["GET", "POST"]
    path: str
    action: Action
    summary: str
    takes: type[I]
    answer: type[BaseModel]
    handler: Callable[[Call[I]], Mapping[str, Any] | answers.Download]
    status: int = 200
    public: bool = False
    refuses: tuple[type[Refusal], ...] = field(default=())
    downloads: tuple[str, ...] = ()  # media types of files that it answers when asked
    editable: bool = False  # takes If-Match: changes only what is still as it was read

    @property
    def name(self) -> str:
        """The operation's name: that of its handler."""
        return self.handler.__name__

    @property
    def parameters(self) -> list[str]:
        """The names in the path, in order."""
        return re.findall(r"{(\w+)}", self.path)


def health_routes(ready: Callable[[Call[Nothing]], object]) -> tuple[Route[Any], ...]:
    """Whether the function runs, and whether what it needs can be reached (`ready` raises if not).

    Google's front end keeps some paths that end in z to itself: the same two stand under names that get
    through.
    """

    def read_health(call: Call[Nothing]) -> dict[str, Any]:
        return {"status": "ok"}

    def read_readiness(call: Call[Nothing]) -> dict[str, Any]:
        ready(call)
        return {"status": "ready"}

    return tuple(
        Route("GET", path, Action.READ_HEALTH, summary, Nothing, Health, handler, public=True)
        for paths, summary, handler in (
            (("/healthz", "/health"), "Whether the function runs", read_health),
            (("/readyz", "/ready"), "Whether it can reach what it needs", read_readiness),
        )
        for path in paths
    )


HEALTH: Final = health_routes(lambda call: call.ctx.store.load("system/ready"))
"""Ready is who can read from the store."""


class _IdConverter(BaseConverter):
    """An id in a path. What cannot be an id matches no route, so it is 404 like an id of nothing."""

    regex = ID_CHARACTERS


@functools.cache
def _url_map(routes: tuple[Route[Any], ...]) -> Map:
    rules = [
        Rule(re.sub(r"{(\w+)}", r"<id:\1>", route.path), methods=[route.method], endpoint=route)
        for route in routes
    ]
    return Map(rules, converters={"id": _IdConverter}, strict_slashes=True, merge_slashes=False)


def _urls(routes: tuple[Route[Any], ...], path: str) -> MapAdapter:
    """The routes that may be meant by this path. A rule costs milliseconds to compile: no other one is."""
    parts = path.split("/")
    return _url_map(tuple(route for route in routes if _fits(route, parts))).bind("")


def _fits(route: Route[Any], parts: list[str]) -> bool:
    ours = route.path.split("/")
    return len(ours) == len(parts) and all(
        our == part or our.startswith("{") for our, part in zip(ours, parts, strict=True)
    )


def dispatch(request: Request, routes: Sequence[Route[Any]], wiring: Wiring) -> Response:
    """Answer a request by one of these routes, or by the problem that stands in its way."""
    known = (*routes, *HEALTH)
    return respond(request, wiring, lambda request_id: by_route(request, known, wiring, request_id))


def stray(wiring: Wiring) -> Callable[[Exception], Response]:
    """What answers a request that the framework itself finds no way for: a path with a line break in it."""

    def answer(error: Exception) -> Response:
        def refuse(request_id: str) -> Response:
            raise NoSuchThing(thing="address")

        return respond(current_request, wiring, refuse)

    return answer


def respond(request: Request, wiring: Wiring, answer: Callable[[str], Response]) -> Response:
    """The frame of every answer: its Request-Id, its headers, its log line, and problems for what is raised.

    `answer` is given the Request-Id.
    """
    logs.configure()
    started = time.perf_counter()
    request_id = reading.request_id_of(request)
    logs.begin(request_id, request.headers.get("traceparent"))
    origins: Collection[str] = ()
    try:
        origins = wiring.settings().cors_origins
        response = answer(request_id)
    except Exception as error:
        failures.report(error)
        response = problems.problem_response(error, request_id)
    milliseconds = round((time.perf_counter() - started) * 1000, 1)
    log.info(
        "%s %s", request.method, response.status_code, extra={logs.FIELDS: {"duration_ms": milliseconds}}
    )
    return answers.finish(request, response, request_id, origins)


def by_route(request: Request, routes: tuple[Route[Any], ...], wiring: Wiring, request_id: str) -> Response:
    """The answer of the route that the request names. Raises whatever stands in its way."""
    if request.method == "OPTIONS":
        allowed = list(_urls(routes, request.path).allowed_methods(request.path))
        if allowed:
            return answers.preflight([*allowed, "OPTIONS"])
    rate_limits.check_address(request, wiring.settings())
    route, path = _match(request, routes)
    logs.route.set(route.name)
    asker = _who(request, route, wiring)
    body, command = _read(request, route, asker.identity, request_id)
    reason = reading.access_reason_of(request)
    call = Call(wiring, asker.identity, command, body, path, asker.session, asker.token, reason=reason)
    if route.editable:
        call = replace(call, if_match=reading.revision_expected(request))
    response = _answer(request, route, route.handler(call))
    if asker.session is not None:
        authentication.renew(response, asker.session, wiring)
    for finish in call.after:
        finish(response)
    return response


def _match(request: Request, routes: tuple[Route[Any], ...]) -> tuple[Route[Any], Mapping[str, str]]:
    """The route and the ids in its path. Raises NoSuchThing or MethodNotAllowed."""
    try:
        return _urls(routes, request.path).match(request.path, request.method)
    except WrongMethod as error:
        raise MethodNotAllowed(method=request.method, allowed=sorted(error.valid_methods or ())) from None
    except (NoRule, RequestRedirect):
        raise NoSuchThing(thing="address") from None


def _who(request: Request, route: Route[Any], wiring: Wiring) -> authentication.Asker:
    """Who asks, if their own roles let them begin. What they are in a group, the use case finds out.

    Raises NoToken, BadToken, CsrfTokenWrong, AppCheckFailed, TooManyRequests, NotAllowed, EmailNotVerified,
    SecondFactorMissing.
    """
    if route.public:
        return authentication.Asker(NOBODY)
    authentication.check_app(request, wiring)
    asker = authentication.asker(request, wiring)
    rate_limits.check_person(asker.identity.uid, wiring.settings())
    authentication.check_may_begin(route.action, asker.identity, wiring.settings())
    return asker


def _read(request: Request, route: Route[Any], identity: Identity, request_id: str) -> tuple[Input, Command]:
    """What was sent, and the command that it makes. Raises the refusals of `reading`."""
    command_id = reading.command_id_of(request, request_id)
    if route.method == "GET":
        return reading.read_query(request, route.takes), Command(identity.uid, command_id)
    key = reading.idempotency_key_of(request)
    reading.read_query(request, Nothing)
    body, body_hash = reading.read_body(request, route.takes)
    scoped = f"{identity.uid}:{request.method} {request.path}:{key}"
    return body, Command(identity.uid, command_id, scoped, body_hash)


def _answer(request: Request, route: Route[Any], data: Mapping[str, Any] | answers.Download) -> Response:
    if isinstance(data, answers.Download):
        return answers.file_answer(data)
    _compare(route, data)
    response = answers.json_answer(data, route.status)
    return answers.with_etag(request, response, data) if route.method == "GET" else response


def _compare(route: Route[Any], data: Mapping[str, Any]) -> None:
    """Hold an answer to its schema, loudly but after the fact: what is done is done, and is told."""
    try:
        route.answer.model_validate(data)
    except ValidationError as error:
        places = [".".join(map(str, found["loc"])) for found in error.errors()]
        log.error("answer differs from schema: %s", route.name, extra={logs.FIELDS: {"fields": places}})
